//! A fleet by its events: only upsets that reach memory in use, or take the service away, are drawn.
//!
//! Events of independent satellites add up to one Poisson process, and each of them belongs to a
//! satellite drawn uniformly: that is exact, and costs as much as there are events that reach the
//! workload, however many satellites and seconds there are.

use super::plan::Plan;
use super::record::{SchemeHistory, Upset, What};
use super::run::settled;
use super::upset;
use super::verdicts::Verdicts;
use crate::device::Reach;
use crate::engine::{Engine, Error};
use crate::fault::poisson_count;
use crate::outcome::Outcome;
use crate::rate::Arrival;
use crate::seed::{Domain, below, stream, unit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most events that a fleet draws: what fits into some hundreds of megabytes.
const EVENTS_MAX: f64 = 4e6;
/// Satellites whose states share batches.
const TOGETHER: usize = 4096;
/// Keys of the draws of fleets lie from here on.
const KEYS: u64 = 1 << 50;

/// What a fleet of some size comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetPoint {
    /// Satellites.
    pub satellites: u64,
    /// Years of flight of each.
    pub years: f64,
    /// Events of all of them that were drawn: those that reach memory in use, and all that do not
    /// strike memory.
    pub events: u64,
    /// Events of all of them that struck memory in use by some scheme.
    pub reached: u64,
    /// Faulty states run on the GPU for this point.
    pub states: u64,
    /// By scheme: wrong answers, satellites with one, and satellites with a DUE.
    pub schemes: Vec<[u64; 3]>,
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
            Reach::Entry => used,
            _ => all,
        };
        (Some(shape), pattern.events[shape].share * from as f64 / all as f64, from)
    };
    (0..pattern.events.len()).map(kind).collect()
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
    let mut schemes = vec![[0; 3]; plan.terms.len()];
    let histories: Vec<Vec<Upset>> = by_satellite.into_values().map(in_order).collect();
    for together in histories.chunks(TOGETHER) {
        for run in settled(plan, engine, verdicts, together, &mut |_| {})? {
            for (sum, history) in schemes.iter_mut().zip(&run) {
                count(sum, history);
            }
        }
    }
    Ok(Some(FleetPoint {
        satellites,
        years: plan.years(),
        events,
        reached,
        states: verdicts.run() - before,
        schemes,
    }))
}

fn in_order(mut upsets: Vec<Upset>) -> Vec<Upset> {
    upsets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    for (id, upset) in (0u32..).zip(&mut upsets) {
        upset.id = id;
    }
    upsets
}

fn count(sum: &mut [u64; 3], history: &SchemeHistory) {
    sum[0] += history.wrong();
    sum[1] += u64::from(history.wrong() > 0);
    sum[2] += u64::from(history.outcomes[Outcome::Due as usize] > 0);
}
