//! Properties of the environment and of the rates that follow from it.

use beamline::device::{Device, Level};
use beamline::environment::cutoff::{Cutoff, Magnetosphere};
use beamline::environment::field::{Equator, Field, Shell, cartesian};
use beamline::environment::matter::{Material, let_in_silicon};
use beamline::environment::orbit::{OrbitShape, Position};
use beamline::environment::shield::{Geometry, Shield};
use beamline::environment::solar::Scenario;
use beamline::environment::table::ShellTable;
use beamline::environment::trapped::{Interpolation, MapField, Phase, flux};
use beamline::rate::{
    Environment, OrbitChoice, SatelliteName, ScheduledEvent, SolarPhase, Timeline,
};
use beamline::units::{DAY_S, EARTH_RADIUS_KM};
use proptest::prelude::*;

fn suncatcher(days: f64) -> Environment {
    let mut environment = Environment::new(OrbitChoice::Preset("suncatcher".to_owned()));
    environment.days = days;
    environment
}

fn timeline(environment: &Environment, device: &str) -> Timeline {
    let device = Device::load(device).expect("a shipped device").0;
    let conditions = environment.conditions(".".as_ref()).expect("an environment");
    Timeline::new(conditions, Some(device)).expect("a track")
}

fn at(latitude_deg: f64, longitude_deg: f64, radius_km: f64) -> Position {
    Position { time_s: 0.0, latitude_deg, longitude_deg, radius_km }
}

#[test]
fn igrf_gives_the_components_of_an_independent_evaluation() {
    // ppigrf 2.1.0 (MIT) on the same coefficients: radial, southward and eastward, in nT.
    for (year, lat, lon, radius_km, expected) in [
        (1960.0, -30.0, -45.0, 7021.2, [10_058.233_052_61, -16_109.414_487_37, -3_351.823_626_72]),
        (2025.0, 40.0, 100.0, 6771.2, [-39_804.150_352_99, -22_581.388_261_89, -777.363_094_21]),
        (1970.0, 75.0, 10.0, 6871.2, [-42_862.137_493_22, -7_219.871_444_62, -996.078_252_46]),
    ] {
        let position = at(lat, lon, radius_km);
        let [x, y, z] =
            Field::at(year, Equator::Least).vector(cartesian(&position)).map(|b| 1e5 * b);
        let ((sl, cl), (sp, cp)) = (f64::to_radians(lat).sin_cos(), f64::to_radians(lon).sin_cos());
        let radial = cl * cp * x + cl * sp * y + sl * z;
        let south = sl * cp * x + sl * sp * y - cl * z;
        let east = -sp * x + cp * y;
        for (found, expected) in [radial, south, east].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-3, "{year}: {found} nT for {expected}");
        }
    }
}

#[test]
fn the_fields_that_ap8_was_made_with_give_the_components_of_an_independent_evaluation() {
    let text = include_str!("data/radiation/native_field_irbem.csv");
    let mut places = 0;
    for line in text.lines().filter(|line| line.starts_with("min,") || line.starts_with("max,")) {
        let (solar, numbers) = line.split_once(',').expect("columns");
        let numbers: Vec<f64> =
            numbers.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let [lat, lon, radius_km, ref expected @ ..] = numbers[..] else { panic!("{line}") };
        let phase = if solar == "min" { Phase::Min } else { Phase::Max };
        let field = phase.field(MapField::Native);
        let found = field.vector(cartesian(&at(lat, lon, radius_km)));
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((1e5 * found - expected).abs() < 0.02, "{line}: {found} gauss");
        }
        places += 1;
    }
    assert_eq!(places, 14);
}

#[test]
fn l_of_a_nearly_dipolar_place_is_that_of_the_dipole_and_the_table_follows_the_lines() {
    let field = Field::at(1960.0, Equator::Least);
    let mut table = ShellTable::new(&field, 7021.2, 7021.2);
    for k in 0..400_u32 {
        let lat = -80.0 + 0.4 * f64::from(k);
        let lon = (37.0 * f64::from(k)).rem_euclid(360.0) - 180.0;
        let position = at(lat, lon, 7021.2);
        let (direct, quick) = (field.shell(cartesian(&position)), table.shell(&position));
        if direct.l > 5.0 {
            continue;
        }
        let (l, b) = (quick.l / direct.l - 1.0, quick.b_over_b0 / direct.b_over_b0 - 1.0);
        assert!(l.abs() < 1e-3 && b.abs() < 3e-3, "{lat}, {lon}: {direct:?} as {quick:?}");
    }
}

#[test]
fn a_table_for_an_orbit_that_is_no_circle_follows_the_lines_too() {
    let field = Field::at(1960.0, Equator::Least);
    let mut table = ShellTable::new(&field, 6771.2, 7171.2);
    for k in 0..200_u32 {
        let radius_km = 6771.2 + 2.0 * f64::from(k);
        let position = at(-50.0 + 0.4 * f64::from(k), 1.7 * f64::from(k) - 180.0, radius_km);
        let (direct, quick) = (field.shell(cartesian(&position)), table.shell(&position));
        let (l, b) = (quick.l / direct.l - 1.0, quick.b_over_b0 / direct.b_over_b0 - 1.0);
        assert!(l.abs() < 1e-3 && b.abs() < 3e-3, "{position:?}: {direct:?} as {quick:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn trapped_flux_falls_with_energy(
        l in 1.1_f64..6.0,
        share in 0.0_f64..1.0,
        a in 0.1_f64..400.0,
        b in 0.1_f64..400.0,
    ) {
        let shell = Shell { l, b_over_b0: 1.0 + share * (l.powi(3) - 1.0) };
        for phase in Phase::ALL {
            for interpolation in [Interpolation::PhiL, Interpolation::Classic] {
                let (low, high) = (a.min(b), a.max(b));
                let [above_low, above_high] = [low, high].map(|e| flux(phase, interpolation, shell, e));
                // The maps' own digits let neighbouring energies cross by a part in a thousand.
                prop_assert!(above_high <= above_low * 1.02 + 1.0, "{above_low} {above_high}");
            }
        }
    }

    #[test]
    fn a_path_takes_energy_away_and_its_inverse_gives_it_back(
        z in 1_usize..=28,
        energy in 1.0_f64..5e4,
        path in 0.01_f64..20.0,
    ) {
        let before = Material::Aluminium.before(z, energy, path);
        prop_assert!(before > energy);
        let behind = Material::Aluminium.behind(z, before, path);
        prop_assert!((behind / energy - 1.0).abs() < 1e-3, "{energy} → {before} → {behind}");
    }

    #[test]
    fn a_storm_lowers_cutoffs_and_open_lines_have_none(l in 1.0_f64..20.0) {
        let [quiet, stormy] = [Magnetosphere::Quiet, Magnetosphere::Stormy]
            .map(|state| Cutoff::vertical(l, state).vertical_gv());
        prop_assert!(0.0 < stormy && stormy < quiet);
        let open = Cutoff::vertical(f64::INFINITY, Magnetosphere::Quiet);
        prop_assert_eq!(open.vertical_gv(), 0.0);
    }
}

#[test]
fn ions_lose_energy_as_published() {
    // Bethe's formula without shell and density terms, which NIST's tables follow within 1 %.
    for energy in [20.0, 67.0, 100.0, 300.0, 1000.0_f64] {
        let gamma = 1.0 + energy / 938.272;
        let square = 1.0 - 1.0 / (gamma * gamma);
        let (electron, mean) = (0.510_999, 173e-6_f64);
        let momentum = square * gamma * gamma;
        let most = 2.0 * electron * momentum / (1.0 + 2.0 * gamma * electron / 938.272);
        let log = 0.5 * (2.0 * electron * momentum * most / (mean * mean)).ln();
        let expected = 0.307_075 * 14.0 / 28.085_5 / square * (log - square);
        let found = Material::Silicon.stopping(1, energy);
        assert!((found / expected - 1.0).abs() < 0.01, "{energy} MeV: {found} for {expected}");
    }
    // The highest LET of iron in silicon is near 29 MeV cm²/mg, that of an alpha near 1.5, where
    // the effective charge gives a fifth less: ions that slow have no part in rates.
    for (z, low, high) in [(26, 26.0, 31.0), (2, 1.1, 1.7)] {
        let peak = (0..400)
            .map(|k| 0.01 * 1.03_f64.powi(k))
            .map(|e| let_in_silicon(z, e))
            .fold(0.0, f64::max);
        assert!((low..high).contains(&peak), "Z = {z}: {peak}");
    }
}

#[test]
fn fluxes_and_doses_fall_with_thickness() {
    let mut environment = suncatcher(1.0);
    let mut last = f64::INFINITY;
    for thickness in [0.0, 1.0, 3.0, 10.0, 30.0] {
        environment.shielding_mm_al = thickness;
        let timeline = timeline(&environment, "trillium-tpu");
        let [mut before, mut energy] = [f64::INFINITY; 2];
        for threshold in [10.0, 30.0, 50.0, 100.0, 200.0] {
            let flux = timeline.trapped_behind(threshold);
            assert!(flux <= before && flux <= timeline.trapped_above(threshold) * 1.001);
            (before, energy) = (flux, threshold);
        }
        assert!(energy > 0.0);
        let dose = YEAR
            * timeline
                .dose_rad_s_behind(&Shield { thickness_mm: thickness, geometry: Geometry::Sphere });
        assert!(dose < last, "{thickness} mm: {dose} after {last}");
        last = dose;
    }
}

const YEAR: f64 = 365.25 * DAY_S;

#[test]
fn the_dose_along_the_orbit_is_that_of_the_mean_spectrum() {
    let environment = suncatcher(1.0);
    let timeline = timeline(&environment, "trillium-tpu");
    let shield = timeline.conditions.shield;
    let along = timeline.assessment(1.0).dose.trapped_proton_rad_per_year.expect("a low orbit");
    let mean = YEAR * timeline.dose_rad_s_behind(&shield);
    assert!((along / mean - 1.0).abs() < 1e-9, "{along} and {mean}");
}

#[test]
fn rates_scale_with_the_cross_section_and_the_margin() {
    let text = Device::load("creme96-proton-reference").expect("shipped").1;
    assert!(text.contains("1e-11"), "the saturation that the test doubles: {text}");
    let doubled =
        Device::parse("doubled.toml".as_ref(), &text.replace("1e-11", "2e-11")).expect("a device");
    let mut environment = suncatcher(1.0);
    let rate = |environment: &Environment, device: Device| {
        let conditions = environment.conditions(".".as_ref()).expect("an environment");
        let timeline = Timeline::new(conditions, Some(device)).expect("a track");
        timeline.assessment(1.0).rates[0].per_bit_day.expect("per bit").nominal
    };
    let plain = Device::load("creme96-proton-reference").expect("shipped").0;
    let once = rate(&environment, plain.clone());
    assert!((rate(&environment, doubled) / once - 2.0).abs() < 1e-9);
    environment.design_margin = 3.0;
    assert!((rate(&environment, plain) / once - 3.0).abs() < 1e-9);
}

#[test]
fn deep_space_has_no_cutoff_no_shadow_and_no_belt() {
    let environment = Environment::new(OrbitChoice::Preset("deep-space".to_owned()));
    let timeline = timeline(&environment, "trillium-tpu");
    let found = timeline.assessment(1.0);
    assert!(found.gcr.transmission.0.iter().all(|(_, share)| *share == 1.0));
    assert_eq!((found.gcr.cutoff_gv.max, found.gcr.earth_shadow), (0.0, 0.0));
    assert_eq!(found.trapped_protons.unshielded_per_cm2_s.at("10"), Some(0.0));
    assert_eq!(found.dose.trapped_proton_rad_per_year, None);
    assert!(found.dose.label.contains("not modelled"));
    assert!(found.rates.iter().all(|rate| rate.per_device_day.expect("a rate").nominal > 0.0));
}

#[test]
fn cosmic_rays_and_belts_are_most_at_solar_minimum_and_between_in_between() {
    let found: Vec<_> = [0.0, 0.5, 1.0]
        .into_iter()
        .map(|phase| {
            let mut environment = suncatcher(1.0);
            environment.solar = SolarPhase(phase);
            timeline(&environment, "trillium-tpu").assessment(1.0)
        })
        .collect();
    let flux =
        |i: usize| found[i].trapped_protons.unshielded_per_cm2_s.at("30").expect("a threshold");
    let gcr = |i: usize| found[i].gcr.flux_above_10_mev_n_per_cm2_s;
    for i in 0..2 {
        assert!(flux(i) > flux(i + 1) && gcr(i) > gcr(i + 1), "phase step {i}");
    }
}

#[test]
fn what_the_models_cannot_say_is_said() {
    let circular = |altitude_km| {
        OrbitChoice::Shape(OrbitShape::Circular { altitude_km, inclination_deg: 51.6 })
    };
    for (orbit, thickness, words) in [
        (circular(150.0), 10.0, "below 200 km"),
        (circular(420.0), 10.0, "low confidence below 500 km"),
        (circular(650.0), 3.0, "less than 10 mm"),
        (circular(650.0), 0.1, "below 10 MeV/n"),
        (OrbitChoice::Preset("geo".to_owned()), 10.0, "TID not modelled"),
    ] {
        let mut environment = Environment::new(orbit);
        environment.shielding_mm_al = thickness;
        environment.days = 0.1;
        let warnings = timeline(&environment, "trillium-tpu").warnings().join("\n");
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
    let quiet = timeline(&suncatcher(0.1), "creme96-lm7912").warnings().join("\n");
    assert!(quiet.contains("no proton data") && !quiet.contains("low confidence"), "{quiet}");
}

#[test]
fn notes_are_of_the_track_and_of_the_flight_that_it_stands_for() {
    let mut environment = Environment::new(OrbitChoice::Preset("geo".to_owned()));
    environment.days = 1.0;
    let geo = timeline(&environment, "trillium-tpu").warnings().join("\n");
    let end = "AP8 has no protons above 10 MeV from L = 3.8 on: 100 % of the track lies there";
    assert!(geo.contains(end), "{geo}");
    // A track that ends before the apogee.
    let shape = OrbitShape::Elliptic {
        perigee_km: 250.0,
        apogee_km: 9_900.0,
        inclination_deg: 30.0,
        argument_of_perigee_deg: 0.0,
    };
    let mut environment = Environment::new(OrbitChoice::Shape(shape));
    environment.days = 0.02;
    let low = timeline(&environment, "trillium-tpu");
    let (lowest, highest) = low.altitudes_km().expect("places");
    assert!((lowest - 250.0).abs() < 1e-6 && highest < 9_000.0, "{lowest} to {highest}");
    let flown = timeline(&suncatcher(1.0), "trillium-tpu");
    let beyond = "the track of 1 day from 2026-01-01T00:00:00Z repeats over a flight of 730 days";
    assert!(flown.warnings_of_flight(2.0 * 365.0 * DAY_S).join("\n").contains(beyond));
    assert_eq!(flown.warnings_of_flight(DAY_S), flown.warnings());
    let path = std::path::PathBuf::from("tests/data/elements/two.tle");
    let satellite = Some(SatelliteName::Number(25544));
    let mut environment = Environment::new(OrbitChoice::Elements { elements: path, satellite });
    environment.days = 1.0;
    let old = timeline(&environment, "trillium-tpu").warnings_of_flight(1000.0 * DAY_S).join("\n");
    assert!(
        old.contains("over a flight of 1000 days, when its elements are 1000 days old"),
        "{old}"
    );
}

#[test]
fn a_track_too_large_for_memory_is_refused_before_it_is_made() {
    let mut environment = suncatcher(400.0);
    let mut device = Device::load("trillium-tpu").expect("a shipped device").0;
    let mode = device.modes[0].clone();
    device.modes.extend((0..500).map(|_| mode.clone()));
    let refused = |environment: &Environment| {
        let conditions = environment.conditions(".".as_ref()).expect("an environment");
        Timeline::new(conditions, Some(device.clone())).err().expect("refused").to_string()
    };
    let error = refused(&environment);
    let expected = "days: expected at most 20.";
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains("505 modes of the device, 1 GiB of places, found 400, "), "{error}");
    environment.days = 416.0;
    environment.step_s = 59.0;
    let error = environment.conditions(".".as_ref()).expect_err("too many places").to_string();
    assert!(error.starts_with("days: expected at most 409.7"), "{error}");
}

/// Mean and spread of the numbers of events of many histories.
fn histories(timeline: &Timeline, seconds: f64, count: u64) -> (f64, f64) {
    let numbers: Vec<f64> =
        (0..count).map(|history| timeline.arrivals(7, history, 1, seconds).len() as f64).collect();
    let mean = numbers.iter().sum::<f64>() / count as f64;
    let spread = numbers.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
    (mean, spread)
}

#[test]
fn arrivals_have_the_mean_and_the_spread_of_a_poisson_process() {
    let timeline = timeline(&suncatcher(1.0), "trillium-tpu");
    let seconds = 40.0 * DAY_S;
    let expected: f64 = timeline
        .assessment(1.0)
        .rates
        .iter()
        .map(|rate| 40.0 * rate.per_device_day.expect("a rate").nominal)
        .sum();
    let count = 2000;
    let (mean, spread) = histories(&timeline, seconds, count);
    let error = (expected / count as f64).sqrt();
    assert!((mean - expected).abs() < 4.0 * error, "{mean} for {expected} ± {error}");
    // The variance of a Poisson count is its mean; that of the estimate is about 2 mean²/n + mean/n.
    let error = ((2.0 * expected * expected + expected) / count as f64).sqrt();
    assert!((spread - expected).abs() < 4.0 * error, "{spread} for {expected} ± {error}");
}

#[test]
fn arrivals_follow_the_orbit_are_the_same_again_and_lie_where_the_rate_is() {
    let timeline = timeline(&suncatcher(1.0), "trillium-tpu");
    let seconds = 3.5 * YEAR;
    let events = timeline.arrivals(11, 0, 1, seconds);
    assert_eq!(events, timeline.arrivals(11, 0, 1, seconds));
    assert_ne!(events, timeline.arrivals(11, 1, 1, seconds));
    assert!(events.windows(2).all(|pair| pair[0].time_s <= pair[1].time_s));
    assert!(events.iter().all(|event| (0.0..seconds).contains(&event.time_s)));
    for event in &events {
        let within = event.time_s.rem_euclid(DAY_S) / 60.0;
        let place = event.place as f64;
        assert!((place..=place + 1.0 + 1e-6).contains(&within), "{event:?} at {within}");
    }
    let inside = events.iter().filter(|event| timeline.places[event.place].in_saa()).count() as f64;
    let share = timeline.assessment(1.0).rates[0].saa_share.expect("a rate");
    let error = (share * (1.0 - share) / events.len() as f64).sqrt();
    let found = inside / events.len() as f64;
    assert!((found - share).abs() < 5.0 * error, "{found} for {share} ± {error}");
}

#[test]
fn a_scheduled_event_strikes_in_its_own_time_alone() {
    let timeline = timeline(&suncatcher(1.0), "trillium-tpu");
    let event = ScheduledEvent { start_s: 5.0 * DAY_S, scenario: Scenario::WorstDay };
    let lasts = Scenario::WorstDay.duration_s().expect("it ends");
    let (mut within, mut without, mut quiet) = (0, 0, 0);
    for history in 0..200 {
        let events = timeline.arrivals_with(3, history, 1, (0.0, 10.0 * DAY_S), &[event]);
        let calm = timeline.arrivals_with(3, history, 1, (0.0, 10.0 * DAY_S), &[]);
        let during = |time_s: f64| (event.start_s..event.start_s + lasts).contains(&time_s);
        within += events.iter().filter(|event| during(event.time_s)).count();
        without += events.iter().filter(|event| !during(event.time_s)).count();
        quiet += calm.iter().filter(|event| !during(event.time_s)).count();
        assert!(calm.iter().all(|event| events.contains(event)), "the quiet events stay");
    }
    assert_eq!(without, quiet);
    assert!(within > 10 * quiet / 12, "{within} in {lasts} s of the event, {quiet} in the rest");
}

#[test]
fn the_worst_day_dwarfs_the_quiet_orbit_and_the_worst_week_is_less_a_day() {
    let shape = OrbitShape::Circular { altitude_km: 825.0, inclination_deg: 98.8 };
    let mut environment = Environment::new(OrbitChoice::Shape(shape));
    environment.days = 3.0;
    let mut solar = |event| {
        environment.event = event;
        let found = timeline(&environment, "trillium-tpu").assessment(1.0);
        let source = &found.rates[0].by_source_per_day;
        let quiet = source["trapped_protons"].nominal + source["cosmic_protons"].nominal;
        source.get("solar_particles").map(|band| band.nominal / quiet)
    };
    assert_eq!(solar(Scenario::None), None);
    let (day, week) = (solar(Scenario::WorstDay), solar(Scenario::WorstWeek));
    assert!(day > Some(10.0) && week < day && week > Some(1.0), "{day:?} and {week:?} times quiet");
}

#[test]
fn levels_are_ordered_and_bits_add_up_to_the_device() {
    let timeline = timeline(&suncatcher(1.0), "trillium-hbm");
    assert_eq!(Level::ALL.len(), 3);
    for rate in timeline.assessment(1.0).rates {
        let (device, bit) = (rate.per_device_day.expect("bits"), rate.per_bit_day.expect("bits"));
        assert!(bit.low <= bit.nominal && bit.nominal <= bit.high, "{}", rate.mode);
        assert!((device.nominal / bit.nominal / 274_877_906_944.0 - 1.0).abs() < 1e-9);
        let fit = rate.fit_per_device.expect("bits").nominal;
        assert!((fit / (device.nominal / 24.0 * 1e9) - 1.0).abs() < 1e-9);
        let parts: f64 = rate.by_source_per_day.values().map(|band| band.nominal).sum();
        assert!((parts / device.nominal - 1.0).abs() < 1e-6, "{}: {parts}", rate.mode);
    }
    assert_eq!(EARTH_RADIUS_KM, 6371.2);
}
