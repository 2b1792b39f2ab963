//! What cannot be in a mission's archive: values that no history gives are refused before figures
//! see them.

use super::super::flaw::{
    Check, FLAG, Flaw, NOT_NEGATIVE, POSITIVE, all, counts, folder_name, name, positive, workload,
};
use super::{Closing, MissionHeader, MissionRun, UpsetRow, WHAT_NAMES};
use crate::mission::{Episode, SchemeHistory};
use crate::stats::Interval;

/// No count of a history is larger: a thousand years with a million inferences a second.
const COUNT_MAX: u64 = 1 << 55;
/// No duration is longer: ten thousand years, in seconds.
const SECONDS_MAX: f64 = 3.2e11;
const SECONDS: &str = "seconds, of at most ten thousand years";
const COUNT: &str = "a count below 2^55";

/// What cannot be in the header of a mission.
pub(super) fn header(header: &MissionHeader) -> Result<(), Flaw> {
    folder_name("the mission", &header.name)?;
    let (facts, orbit) = (&header.facts, &header.orbit);
    let horizon_s = facts.horizon_s;
    let requirement = facts.requirement;
    let lasts_s = requirement.map_or(1.0, |wanted| wanted.no_critical_sdc_for.0);
    let probability = requirement.map_or(0.5, |wanted| wanted.probability);
    all(
        &[
            (
                "histories",
                "1 to 2^32",
                (1..=1 << 32).contains(&header.histories),
                header.histories as f64,
            ),
            (
                "schemes",
                "1 to 65,535",
                (1..=65_535).contains(&header.schemes.len()),
                header.schemes.len() as f64,
            ),
            ("modes", "at most 65,535", facts.modes.len() <= 65_535, facts.modes.len() as f64),
            ("shapes", "at most 65,535", header.shapes.len() <= 65_535, header.shapes.len() as f64),
            ("horizon_s", SECONDS, positive(horizon_s) && horizon_s <= SECONDS_MAX, horizon_s),
            ("acceleration", POSITIVE, positive(facts.acceleration), facts.acceleration),
            (
                "inferences_per_s",
                POSITIVE,
                positive(facts.inferences_per_s),
                facts.inferences_per_s,
            ),
            (
                "bandwidth_bytes_s",
                POSITIVE,
                positive(facts.bandwidth_bytes_s),
                facts.bandwidth_bytes_s,
            ),
            ("no_critical_sdc_for_s", NOT_NEGATIVE, counts(lasts_s), lasts_s),
            ("probability", "between 0 and 1", probability > 0.0 && probability < 1.0, probability),
            ("step_s", POSITIVE, positive(orbit.step_s), orbit.step_s),
            ("places", "1 to 2^32", (1..=1 << 32).contains(&orbit.places), orbit.places as f64),
            (
                "place_step",
                "1 to places",
                (1..=orbit.places).contains(&orbit.place_step),
                orbit.place_step as f64,
            ),
        ],
        || "the mission".into(),
    )?;
    for (definition, fact) in header.schemes.iter().zip(&facts.schemes) {
        name("a scheme", &fact.name)?;
        if definition.name != fact.name {
            return Err(Flaw::new(format!("the definition of {}", fact.name), &definition.name));
        }
        all(
            &[
                ("stored_bytes", COUNT, fact.stored_bytes <= COUNT_MAX, fact.stored_bytes as f64),
                ("weight_bytes", COUNT, fact.weight_bytes <= COUNT_MAX, fact.weight_bytes as f64),
                ("scrub_passes_s", NOT_NEGATIVE, counts(fact.scrub_passes_s), fact.scrub_passes_s),
                ("scrub_bytes_s", NOT_NEGATIVE, counts(fact.scrub_bytes_s), fact.scrub_bytes_s),
            ],
            || format!("scheme {}", fact.name),
        )?;
    }
    for mode in &facts.modes {
        [&mode.device, &mode.mode, &mode.kind].into_iter().try_for_each(|of| name("a mode", of))?;
        if let Some(rate) = mode.per_device_s.into_iter().find(|rate| !counts(*rate)) {
            return Err(Flaw::new(format!("rates of {} {NOT_NEGATIVE}", mode.mode), rate));
        }
    }
    header.shapes.iter().try_for_each(|shape| name("a shape", shape))?;
    name("the memory", &header.memory.name)?;
    for place in &header.track {
        let figures = [place.latitude_deg, place.longitude_deg, place.local_time_h];
        let figures = figures.into_iter().find(|figure| !figure.is_finite());
        let deep_space = orbit.places == 1 && place.altitude_km > 0.0;
        let altitude = deep_space || place.altitude_km.is_finite();
        all(
            &[
                ("time_s", NOT_NEGATIVE, counts(place.time_s), place.time_s),
                ("events_per_s", NOT_NEGATIVE, counts(place.events_per_s), place.events_per_s),
                ("in_saa", FLAG, place.in_saa <= 1, place.in_saa as f64),
                ("a figure", "finite", figures.is_none(), figures.unwrap_or(0.0)),
                ("altitude_km", "finite on an orbit", altitude, place.altitude_km),
            ],
            || format!("the track at {} s", place.time_s),
        )?;
    }
    let kept = orbit.places.div_ceil(orbit.place_step);
    if header.track.len() as u64 != kept {
        return Err(Flaw::new(format!("{kept} places of the track"), header.track.len()));
    }
    workload(&header.workload)
}

/// What cannot be in a history.
pub(super) fn history(run: &MissionRun, header: &MissionHeader) -> Result<(), Flaw> {
    let of_history = |what: &str| format!("{what} of history {}", run.history);
    if !counts(run.start_s) {
        return Err(Flaw::new(of_history("a start"), run.start_s));
    }
    let mut before_s = 0.0;
    for (id, row) in (0_u64..).zip(&run.upsets) {
        all(&upset(id, row, before_s, header), || of_history(&format!("upset {id}")))?;
        before_s = row.time_s;
    }
    for (fact, scheme) in header.facts.schemes.iter().zip(&run.schemes) {
        let place = || of_history(&format!("scheme {}", fact.name));
        all(&sums(scheme), place)?;
        let found = scheme.outcomes.iter().sum::<u64>() + scheme.unavailable;
        if found != scheme.inferences {
            let expected = format!("outcomes that sum to {} in {}", scheme.inferences, place());
            return Err(Flaw::new(expected, found));
        }
        for (at, one) in scheme.episodes.iter().enumerate() {
            all(&episode(one), || format!("episode {at} of {}", place()))?;
        }
        let times = scheme.changes.iter().map(|change| change.time_s);
        let times = times.chain(scheme.replaced.iter().map(|replaced| replaced.time_s));
        let away = scheme.away.iter().flat_map(|away| [away.time_s, away.start_s, away.length_s]);
        if let Some(time) = times.chain(away).find(|time| !counts(*time)) {
            return Err(Flaw::new(format!("times {NOT_NEGATIVE} in {}", place()), time));
        }
    }
    Ok(())
}

fn upset(id: u64, row: &UpsetRow, before_s: f64, header: &MissionHeader) -> [Check; 11] {
    /// What stands for an index that does not apply.
    const NONE: u16 = u16::MAX;
    let facts = &header.facts;
    let below = |index: u16, count: usize| index == NONE || usize::from(index) < count;
    let mode = row.mode == u32::MAX || (row.mode as usize) < facts.modes.len();
    let within = |figure: f64, most: f64| figure.is_nan() || figure.abs() <= most;
    [
        ("id", "its place in the history", u64::from(row.id) == id, row.id.into()),
        (
            "time_s",
            "in order, within the mission",
            row.time_s >= before_s && row.time_s <= facts.horizon_s,
            row.time_s,
        ),
        (
            "latitude_deg",
            "within 90 of the equator",
            within(row.latitude_deg, 90.0),
            row.latitude_deg,
        ),
        ("longitude_deg", "within a turn", within(row.longitude_deg, 360.0), row.longitude_deg),
        ("local_time_h", "within a day", within(row.local_time_h, 24.0), row.local_time_h),
        ("place", "an index of one", u64::from(row.place) < header.orbit.places, row.place.into()),
        ("mode", "an index of one", mode, row.mode.into()),
        ("what", "0 to 8", usize::from(row.what) < WHAT_NAMES.len(), row.what.into()),
        ("shape", "an index of one", below(row.shape, header.shapes.len()), row.shape.into()),
        ("persistence", "0 to 2", below(row.persistence, 3), row.persistence.into()),
        ("in_saa", FLAG, row.in_saa <= 1, row.in_saa.into()),
    ]
}

/// Refuses histories whose counts cannot be added up.
pub(super) fn totals(runs: &[(MissionRun, f64)]) -> Result<(), Flaw> {
    let most = runs.iter().flat_map(|(run, _)| &run.schemes).map(most).max().unwrap_or(0);
    let found = most.checked_mul(runs.len() as u64);
    found.map(|_| ()).ok_or_else(|| Flaw::new("sums over all histories below 2^64", "more"))
}

/// The largest count of a history under a scheme.
fn most(of: &SchemeHistory) -> u64 {
    let tenants =
        of.tenants.iter().flat_map(|t| [t.upsets, t.corrected, t.uncorrectable, t.silent]);
    let counted = [
        of.inferences,
        of.unavailable,
        of.reloads,
        of.scrub_repaired,
        of.scrub_uncorrectable,
        of.read_repaired,
        of.exhausted,
        of.lost_bytes,
        of.struck,
        of.common_cause,
        of.repairs.0,
        of.windows.flown,
    ];
    counted.into_iter().chain(of.outcomes).chain(tenants).max().unwrap_or(0)
}

fn sums(of: &SchemeHistory) -> [Check; 6] {
    let most = most(of);
    let time = |time: Option<f64>| time.unwrap_or(0.0);
    let (critical, away) = (time(of.first_critical_s), time(of.first_away_s));
    [
        ("a count", COUNT, most <= COUNT_MAX, most as f64),
        (
            "common_cause",
            "at most those struck",
            of.common_cause <= of.struck,
            of.common_cause as f64,
        ),
        (
            "windows_held",
            "at most those flown",
            of.windows.held <= of.windows.flown,
            of.windows.held as f64,
        ),
        ("repair_s", NOT_NEGATIVE, counts(of.repairs.1), of.repairs.1),
        ("first_critical_s", NOT_NEGATIVE, counts(critical), critical),
        ("first_away_s", NOT_NEGATIVE, counts(away), away),
    ]
}

fn episode(of: &Episode) -> [Check; 5] {
    let most = of.outcomes.into_iter().max().unwrap_or(0);
    let time = |time: Option<f64>| time.unwrap_or(0.0);
    let (effect, critical) = (time(of.first_effect_s), time(of.first_critical_s));
    [
        ("an outcome", COUNT, most <= COUNT_MAX, most as f64),
        ("start_s", NOT_NEGATIVE, counts(of.start_s), of.start_s),
        (
            "end_s",
            "no earlier than start_s",
            of.end_s.is_finite() && of.end_s >= of.start_s,
            of.end_s,
        ),
        ("first_effect_s", NOT_NEGATIVE, counts(effect), effect),
        ("first_critical_s", NOT_NEGATIVE, counts(critical), critical),
    ]
}

/// What cannot be in the tables that sum a mission up.
pub(super) fn closing(closing: &Closing, header: &MissionHeader) -> Result<(), Flaw> {
    let schemes = header.facts.schemes.len();
    let known = |name: &str| {
        let known = header.facts.schemes.iter().any(|scheme| scheme.name == name);
        known.then_some(()).ok_or_else(|| Flaw::new("the name of a scheme", format!("{name:?}")))
    };
    for stratum in &closing.strata {
        let shape = stratum.shape.as_deref().unwrap_or("none");
        [&stratum.device, &stratum.mode].into_iter().try_for_each(|of| name("a stratum", of))?;
        name("a shape", shape)?;
        let of = stratum.schemes.iter().flat_map(|share| [share.critical, share.due, share.wrong]);
        let most = of.clone().map(|sum| sum.events.max(sum.sum).max(sum.most)).max().unwrap_or(0);
        let squares = of.map(|sum| sum.squares).find(|squares| !counts(*squares));
        let tolerable = stratum.schemes.iter().map(|share| share.tolerable).max().unwrap_or(0);
        all(
            &[
                (
                    "strata_shares",
                    "one a scheme",
                    stratum.schemes.len() == schemes,
                    stratum.schemes.len() as f64,
                ),
                ("per_year", NOT_NEGATIVE, counts(stratum.per_year), stratum.per_year),
                ("drawn", COUNT, stratum.drawn <= COUNT_MAX, stratum.drawn as f64),
                ("a sum", COUNT, most.max(tolerable) <= COUNT_MAX, most as f64),
                ("squares", NOT_NEGATIVE, squares.is_none(), squares.unwrap_or(0.0)),
            ],
            || format!("stratum {} {} {shape}", stratum.device, stratum.mode),
        )?;
    }
    let estimate = |what: &'static str, (value, interval): (f64, Interval)| {
        let odd = [value, interval.low, interval.high].into_iter().find(|figure| figure.is_nan());
        odd.map_or(Ok(()), |figure| Err(Flaw::new(format!("a figure of {what}"), figure)))
    };
    for row in &closing.expected {
        known(&row.scheme)?;
        [row.critical, row.due, row.wrong]
            .into_iter()
            .try_for_each(|of| estimate("expected", of))?;
        all(&[("ap8_factor", POSITIVE, positive(row.ap8_factor), row.ap8_factor)], || {
            "expected".into()
        })?;
    }
    for point in &closing.sweep {
        known(&point.scheme)?;
        estimate("sweep", point.wrong_per_year)?;
        estimate("sweep", (point.error_episodes.rate, point.error_episodes.interval))?;
        let period_s = point.period_s.unwrap_or(1.0);
        all(
            &[
                ("period_s", POSITIVE, positive(period_s), period_s),
                (
                    "traffic_bytes_s",
                    NOT_NEGATIVE,
                    counts(point.traffic_bytes_s),
                    point.traffic_bytes_s,
                ),
            ],
            || "sweep".into(),
        )?;
    }
    for point in &closing.fleet {
        let counted = [point.satellites, point.events, point.events_reaching, point.states_run];
        let wrong = point.wrong.iter().chain(&point.satellites_wrong);
        let most = counted.iter().chain(wrong).copied().max().unwrap_or(0);
        all(
            &[
                (
                    "fleet_wrong",
                    "one a scheme",
                    point.wrong.len() == schemes,
                    point.wrong.len() as f64,
                ),
                ("a count", COUNT, most <= COUNT_MAX, most as f64),
                ("satellites", "1 or more", point.satellites > 0, point.satellites as f64),
                (
                    "satellites_wrong",
                    "at most the satellites",
                    point.satellites_wrong.iter().all(|wrong| *wrong <= point.satellites),
                    0.0,
                ),
                ("years", NOT_NEGATIVE, counts(point.years), point.years),
                ("seconds", NOT_NEGATIVE, counts(point.seconds), point.seconds),
            ],
            || format!("the fleet of {}", point.satellites),
        )?;
    }
    Ok(())
}
