//! V1, V2, V3, V5: trapped protons, between the strings of the maps and along orbits.

use crate::osculating;
use crate::table::{Row, Tolerance};
use beamline::environment::field::Shell;
use beamline::environment::orbit::{OrbitShape, Position};
use beamline::environment::table::ShellTable;
use beamline::environment::trapped::{Interpolation, MapField, Phase, flux};
use beamline::rate::{AltitudeAbove, Assessment, Environment, OrbitChoice, SolarPhase, Timeline};

const GRID: &str = "IRBEM (LGPL, as an oracle only) and radbelt 0.1.8 on a grid of L and B/B0";
const SPENVIS: &str = "SPENVIS 4.6.13 (Jensen and Cain 1960), 30 days from 2026-01-01, in github \
    tdloveless/me-radfx (Apache-2.0). SPENVIS begins on the ellipse of the figures given and \
    integrates with J2; \"the orbit of SPENVIS\" is that track, integrated by the test, and as its \
    report has it 512.6 km high (geodetic) after 44 min. A circle at the nominal altitude is some \
    6 km higher";
const CREME: &str = "CREME96 run of 2 March 2022 in PRBEM/IRBEM-extras csda_rpp (MIT), \
    altitude above the equator's radius, cosmic-ray protons included";
const NATIVE: &str = "IRBEM (as an oracle only) with the maps' native fields (Jensen and Cain 1960, \
    GSFC 12/66 at 1970) on beamline's own track, 10 days at 60 s. IRBEM evaluates these fields at \
    the geodetic latitude, up to 0.19° off";

/// An orbit without a shield or a device.
pub(crate) fn orbit(altitude_km: f64, inclination_deg: f64, phase: f64) -> Environment {
    let shape = OrbitShape::Circular { altitude_km, inclination_deg };
    let mut environment = Environment::new(OrbitChoice::Shape(shape));
    environment.solar = SolarPhase(phase);
    environment
}

/// The figures of an environment.
pub(crate) fn assess(environment: &Environment) -> Assessment {
    let conditions = environment.conditions(".".as_ref()).expect("an environment");
    Timeline::new(conditions, None).expect("a track").assessment(1.0)
}

fn fluxes(environment: &Environment) -> impl Fn(&str) -> f64 + use<> {
    let found = assess(environment).trapped_protons.unshielded_per_cm2_s;
    move |threshold| found.at(threshold).expect("a threshold")
}

/// Energies above which SPENVIS's fluxes are compared, in MeV, and these fluxes in cm⁻² s⁻¹.
pub(crate) type Expected = [(f64, f64); 5];

const AT_530: Expected =
    [(10.0, 50.715), (30.0, 36.399), (50.0, 29.872), (100.0, 17.074), (200.0, 5.388)];
const AT_825: Expected =
    [(10.0, 190.21), (30.0, 140.92), (50.0, 116.63), (100.0, 71.276), (200.0, 25.874)];

/// Mean fluxes of AP8MIN along a track.
pub(crate) fn along(
    track: &[Position],
    field: MapField,
    interpolation: Interpolation,
    expected: Expected,
) -> [f64; 5] {
    let radii = track.iter().map(|position| position.radius_km);
    let (low, high) = radii.fold((f64::INFINITY, 0.0_f64), |(a, b), r| (a.min(r), b.max(r)));
    let mut table = ShellTable::new(Phase::Min.field(field), low, high);
    let mut sums = [0.0; 5];
    for position in track {
        let spectrum = Phase::Min.map().spectrum(interpolation, table.shell(position));
        if let Some(spectrum) = spectrum {
            for (sum, (energy, _)) in sums.iter_mut().zip(expected) {
                *sum += spectrum.flux(energy);
            }
        }
    }
    sums.map(|sum| sum / track.len() as f64)
}

/// V2, V2b: what SPENVIS prints, on its own orbit and on a circle at the nominal altitude.
fn spenvis() -> Vec<Row> {
    let mut rows = Vec::new();
    for (point, altitude, inclination, expected) in
        [("V2", 530.0, 53.0, AT_530), ("V2b", 825.0, 98.8, AT_825)]
    {
        let track = osculating::track([altitude; 2], inclination, 30.0);
        let orbit_name = format!("{altitude} km {inclination}°");
        let mut add = |what: String, pair, tolerance| {
            rows.push(Row::new(point, what, SPENVIS, pair, tolerance));
        };
        if point == "V2" {
            // Its report: 512.6 km at 00:43:56, 526.1 km at 00:10:01.
            for (minute, height) in [(44, 512.6), (10, 526.1)] {
                let what =
                    format!("the orbit of SPENVIS, geodetic altitude after {minute} min, km");
                let found = osculating::geodetic_altitude_km(&track[minute]);
                add(what, (height, found), Tolerance::Share(0.0005));
            }
        }
        for (field, tolerance) in
            [(MapField::Native, Tolerance::Share(0.03)), (MapField::Igrf, Tolerance::Report)]
        {
            let found = along(&track, field, Interpolation::PhiL, expected);
            for ((energy, flux), found) in expected.into_iter().zip(found) {
                let what = format!(
                    "AP8MIN > {energy} MeV, the orbit of SPENVIS, {orbit_name}, {} field, cm⁻² s⁻¹",
                    field.name()
                );
                add(what, (flux, found), tolerance);
            }
        }
        let classic = along(&track, MapField::Native, Interpolation::Classic, expected);
        for k in [0, 3] {
            let (energy, flux) = expected[k];
            let what =
                format!("AP8MIN > {energy} MeV, the same, {orbit_name}, classic interpolation");
            add(what, (flux, classic[k]), Tolerance::Share(0.2));
        }
        let found = fluxes(&orbit(altitude, inclination, 0.0));
        for (energy, flux) in expected {
            let what = format!(
                "AP8MIN > {energy} MeV, a circle of {orbit_name}, {} field, cm⁻² s⁻¹",
                MapField::Native.name()
            );
            add(what, (flux, found(&energy.to_string())), Tolerance::Report);
        }
    }
    rows
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = grid();
    rows.extend(spenvis());
    let mut polar = orbit(800.0, 90.0, 0.0);
    for above in [AltitudeAbove::Equator, AltitudeAbove::Sphere] {
        polar.altitude_above = above;
        let found = fluxes(&polar);
        for (threshold, expected) in [("30", 128.1), ("100", 64.59)] {
            let what = format!(
                "AP8MIN > {threshold} MeV, 800 km 90° above the {}, cm⁻² s⁻¹",
                above.name()
            );
            let pair = (expected, found(threshold));
            rows.push(Row::new("V5", what, CREME, pair, Tolerance::Share(0.04)));
        }
    }
    rows.extend(native());
    rows
}

/// The largest deviation over a grid of the maps, for each interpolation, as 1 + deviation.
fn grid() -> Vec<Row> {
    let text = crate::text("ap8_LB_grid_esa.csv");
    let mut worst = [0.0_f64; 2];
    let mut count = 0;
    for line in text.lines().skip(1) {
        let (solar, rest) = line.split_once(',').expect("a column of the solar phase");
        let phase = if solar == "min" { Phase::Min } else { Phase::Max };
        let cells: Vec<f64> = rest.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let [l, b_over_b0, energy, classic, _, phi_l] = cells[..] else { panic!("{line}") };
        // At 400 MeV the oracle's range check gives 0.
        if energy >= 400.0 {
            continue;
        }
        count += 1;
        let shell = Shell { l, b_over_b0 };
        let both = [(Interpolation::Classic, classic), (Interpolation::PhiL, phi_l)];
        for (worst, (interpolation, expected)) in worst.iter_mut().zip(both) {
            let found = flux(phase, interpolation, shell, energy);
            let deviation = match (expected, found) {
                (0.0, 0.0) => 0.0,
                (expected, found) => (found / expected - 1.0).abs(),
            };
            *worst = worst.max(deviation);
        }
    }
    ["classic", "φ–L"]
        .iter()
        .zip(worst)
        .map(|(name, worst)| {
            let what =
                format!("largest deviation of {count} points, {name} interpolation (1 is none)");
            Row::new("V1", what, GRID, (1.0, 1.0 + worst), Tolerance::Share(0.005))
        })
        .collect()
}

/// V3: circular orbits from 350 to 825 km with the fields that the maps were made with, and with
/// the IGRF at their epochs.
fn native() -> Vec<Row> {
    let mut rows = Vec::new();
    for line in crate::text("ap8_native_irbem.csv").lines().skip(3) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |k: usize| -> f64 { cells[k].parse().expect("a number") };
        let (altitude, inclination) = (number(0), number(1));
        let (phase, name) = if cells[2] == "min" { (0.0, "MIN") } else { (1.0, "MAX") };
        for (field, tolerance) in
            [(MapField::Native, Tolerance::Share(0.03)), (MapField::Igrf, Tolerance::Report)]
        {
            let mut environment = orbit(altitude, inclination, phase);
            environment.map_field = field;
            let found = fluxes(&environment);
            for (column, threshold) in [(3, "10"), (4, "30"), (6, "100")] {
                let what = format!(
                    "AP8{name} > {threshold} MeV, {altitude} km {inclination}°, {} field, cm⁻² s⁻¹",
                    field.name()
                );
                let pair = (number(column), found(threshold));
                rows.push(Row::new("V3", what, NATIVE, pair, tolerance));
            }
        }
    }
    rows
}
