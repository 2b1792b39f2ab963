//! A fleet by its events: only upsets that reach memory in use, or take the service away, are drawn.
//!
//! Events of independent satellites add up to one Poisson process, and each of them belongs to a
//! satellite drawn uniformly: that is exact, and costs as much as there are events that reach the
//! workload, however many satellites and seconds there are.

use super::plan::Plan;
use super::record::{Upset, What};
use super::run::settled;
use super::upset;
use super::verdicts::Verdicts;
use crate::device::{AddressMap, EventReach};
use crate::engine::{Engine, Error};
use crate::fault::poisson_count;
use crate::rate::Arrival;
use crate::seed::{Domain, below, stream, unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// The most events that a fleet draws: what fits into some hundreds of megabytes.
pub const EVENTS_MAX: f64 = 4e6;
/// Satellites whose states share batches.
const TOGETHER: usize = 4096;
/// Keys of the draws of fleets lie from here on.
const KEYS: u64 = 1 << 50;

/// What a fleet of some size comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetPoint {
    /// Satellites.
    pub satellites: u64,
    /// Years of flight of all of them together.
    pub years: f64,
    /// Events of all of them that were drawn: those of memory that may reach memory in use, and
    /// all others.
    pub events: u64,
    /// Events of memory that struck memory in use by some scheme, and were followed.
    pub events_reaching: u64,
    /// Faulty states that were run on the adapter for this point.
    pub states_run: u64,
    /// Wrong answers, by scheme.
    pub wrong: Vec<u64>,
    /// Satellites with a wrong answer, by scheme.
    pub satellites_wrong: Vec<u64>,
    /// What it took, in measured seconds.
    pub seconds: f64,
}

/// The expected events that a fleet of this size draws.
pub fn expected_events(plan: &Plan, satellites: u64) -> f64 {
    let each: f64 = (0..plan.modes.len()).map(|mode| expected_of(plan, mode)).sum();
    each * satellites as f64
}

/// Events of one mode of one satellite that are drawn, over the mission.
fn expected_of(plan: &Plan, mode: usize) -> f64 {
    kinds(plan, mode).iter().map(|(_, share, _)| share).sum::<f64>() * whole(plan, mode)
}

fn whole(plan: &Plan, mode: usize) -> f64 {
    let course = plan.timeline.course(mode, plan.modes[mode].level.index());
    let devices = f64::from(plan.devices());
    course.lap() / course.lap_s() * plan.ground.horizon_s * devices
}

/// The shapes of a mode with the share of its events that may reach memory in use, and the entries
/// from which they do: an event of one entry begins within memory in use, a wider one up to its
/// reach before or behind.
fn kinds(plan: &Plan, mode: usize) -> Vec<(Option<usize>, f64, u64)> {
    let Some(pattern) = &plan.modes[mode].pattern else { return vec![(None, 1.0, 0)] };
    let memory = &plan.ground.memory;
    let all = memory.entries();
    let used = used(plan);
    let kind = |shape: usize| {
        let from = match pattern.reach(shape, memory) {
            EventReach::Entry => used,
            EventReach::Rows(rows) => rows_within(plan, used, rows),
            EventReach::Bank => all,
        };
        (Some(shape), pattern.events[shape].share * from as f64 / all as f64, from)
    };
    (0..pattern.events.len()).map(kind).collect()
}

/// The entries from which an event of so many rows can reach the first `used` entries. It runs on
/// from where it begins, into later rows of its bank; where rows change last, the first entries of
/// memory lie in the first rows of every bank.
fn rows_within(plan: &Plan, used: u64, reach: u32) -> u64 {
    let memory = &plan.ground.memory;
    let last = used.checked_sub(1).and_then(|last| memory.locate(last, plan.ground.map));
    match last {
        // At the end of a bank an event is moved back by up to its length.
        Some(last)
            if plan.ground.map == AddressMap::Interleaved
                && u64::from(last.row) + 2 * u64::from(reach) < u64::from(memory.rows) =>
        {
            let of_a_row = memory.banks_total() * u64::from(memory.columns);
            (u64::from(last.row) + 1) * of_a_row
        }
        _ => memory.entries(),
    }
}

fn used(plan: &Plan) -> u64 {
    let used = plan.terms.iter().map(|terms| terms.layout.used_entries()).max().unwrap_or(0);
    used.min(plan.ground.memory.entries())
}

/// Flies a fleet.
///
/// # Errors
/// Where the engine fails. More events than can be drawn give `None`.
pub fn fleet(
    plan: &Plan,
    satellites: u64,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
) -> Result<Option<FleetPoint>, Error> {
    if expected_events(plan, satellites) > EVENTS_MAX {
        return Ok(None);
    }
    let started = Instant::now();
    let before = verdicts.run();
    let mut by_satellite: BTreeMap<u64, Vec<Upset>> = BTreeMap::new();
    let (mut events, mut reached) = (0, 0);
    for mode in 0..plan.modes.len() {
        let course = plan.timeline.course(mode, plan.modes[mode].level.index());
        if course.lap() <= 0.0 {
            continue;
        }
        for (shape, share, from) in kinds(plan, mode) {
            let kind = shape.map_or(0, |shape| shape as u64 + 1);
            let keys = [KEYS + satellites, mode as u64, kind];
            let mut draws = stream(plan.mission.seed, Domain::MissionEvent, &keys);
            let expected = share * whole(plan, mode) * satellites as f64;
            for _ in 0..poisson_count(&mut draws, expected) {
                let satellite = below(&mut draws, satellites);
                let device = below(&mut draws, u64::from(plan.devices()));
                let device = u32::try_from(device).unwrap_or(0);
                let at = unit(&mut draws) * course.expected(plan.ground.horizon_s);
                let (time_s, place) = course.when(at);
                let arrival = Arrival { time_s, mode, place };
                let mut upset = upset::upset(plan, device, &arrival, &mut draws);
                if let (Some(pattern), Some(shape)) = (&plan.modes[mode].pattern, shape) {
                    let (memory, map) = (&plan.ground.memory, plan.ground.map);
                    let origin = below(&mut draws, from.max(1));
                    let hit = pattern.draw_shape(shape, &mut draws, memory, map, origin);
                    events += 1;
                    if !hit.strikes.iter().any(|strike| strike.entry < used(plan)) {
                        continue;
                    }
                    reached += 1;
                    upset.what = What::Memory(hit);
                } else {
                    events += 1;
                }
                by_satellite.entry(satellite).or_default().push(upset);
            }
        }
    }
    let mut wrong = vec![0; plan.terms.len()];
    let mut satellites_wrong = vec![0; plan.terms.len()];
    let histories: Vec<Vec<Upset>> = by_satellite.into_values().map(in_order).collect();
    for together in histories.chunks(TOGETHER) {
        for run in settled(plan, engine, verdicts, together, &mut |_| {})? {
            for (at, history) in run.iter().enumerate() {
                wrong[at] += history.wrong();
                satellites_wrong[at] += u64::from(history.wrong() > 0);
            }
        }
    }
    Ok(Some(FleetPoint {
        satellites,
        years: plan.years() * satellites as f64,
        events,
        events_reaching: reached,
        states_run: verdicts.run() - before,
        wrong,
        satellites_wrong,
        seconds: started.elapsed().as_secs_f64(),
    }))
}

fn in_order(mut upsets: Vec<Upset>) -> Vec<Upset> {
    upsets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    for (id, upset) in (0u32..).zip(&mut upsets) {
        upset.id = id;
    }
    upsets
}
