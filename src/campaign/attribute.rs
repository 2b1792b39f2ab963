//! How many events a failure needed, found by replay: the first wrong answer of an accumulated
//! trial is tried again with one live event, then with each pair of them.
//!
//! Failures that need k events scale with the rate to the power k, so an accelerated result says
//! what it can mean only where k is known.

use super::trial::Trial;
use crate::engine::{Course, Engine, Error, Job};
use crate::fault::{Fault, Region};
use crate::outcome::Outcome;
use crate::scheme::{OnDue, Scheme, ScrubBy};

/// Replays a failure may take.
const REPLAYS_MAX: usize = 64;

/// 1 if one live event alone reproduces the trial's first wrong answer, 2 if a pair does, else 3.
/// 0 where the trial has no wrong answer.
///
/// # Errors
/// Where the engine fails.
pub(super) fn events_needed(
    engine: &mut dyn Engine,
    scheme: &Scheme,
    course: Course,
    trial: &Trial,
) -> Result<u8, Error> {
    let rows = &trial.result.rows;
    let Some(first) = rows.iter().position(|row| row.outcome() == Outcome::CriticalSdc) else {
        return Ok(0);
    };
    let per_step = rows.len() / (course.end_step - course.first_step) as usize;
    #[expect(clippy::cast_possible_truncation, reason = "an index below the trial's inferences")]
    let (step, row) = ((first / per_step) as u32, (first % per_step) as u32);
    let from = first_step(scheme, step);
    let live = live_events(scheme, trial, step, row, from);
    let replayed = Course { first_step: from, end_step: step + 1, ..course };
    let singles = live.iter().map(|event| vec![*event]);
    let pairs = (0..live.len()).flat_map(|a| (a + 1..live.len()).map(move |b| (a, b)));
    let pairs = pairs.map(|(a, b)| vec![live[a], live[b]]);
    let subsets: Vec<Vec<Fault>> = singles.chain(pairs).take(REPLAYS_MAX).collect();
    for (needed, size) in [(1, 1), (2, 2)] {
        let jobs: Vec<Job> = subsets
            .iter()
            .filter(|subset| subset.len() == size)
            .map(|subset| {
                let mut faults = subset.clone();
                faults.sort_by_key(|fault| fault.step);
                Job { trial: trial.job.trial, first_window: trial.job.first_window, faults }
            })
            .collect();
        let at = first - from as usize * per_step;
        let results = engine.run(scheme, replayed, &jobs)?;
        if results.iter().any(|result| result.rows[at].outcome() == Outcome::CriticalSdc) {
            return Ok(needed);
        }
    }
    Ok(3)
}

/// The step that a replay must begin with for memory to be as it was: nothing repairs memory
/// between an event and the failure, or all repairs since are replayed. A code makes an event's
/// effect depend on what else is in its block.
fn first_step(scheme: &Scheme, step: u32) -> u32 {
    let reloads = scheme.retries() || scheme.on_due == OnDue::Reload;
    if reloads || scheme.writes_back() || scheme.code.is_some() {
        return 0;
    }
    scheme
        .scrub
        .as_ref()
        .and_then(|scrub| scrub.every_steps())
        .map_or(step, |every| step / every * every)
}

/// The events that this scheme received and that can still matter, latest first. A scrub clears
/// what came before it, but for a bit that was struck in two copies: there the vote is wrong.
fn live_events(scheme: &Scheme, trial: &Trial, step: u32, row: u32, from: u32) -> Vec<Fault> {
    let reloaded = scheme.scrub.as_ref().is_some_and(|scrub| scrub.by == ScrubBy::Reload);
    let struck_twice = |fault: &Fault| {
        let same = |other: &&Fault| {
            other.step < from
                && (other.region, other.tensor, other.index)
                    == (fault.region, fault.tensor, fault.index)
                && other.mask & fault.mask != 0
        };
        scheme.scrub.is_none() || trial.job.faults.iter().filter(same).count() > 1
    };
    let live = |fault: &Fault| match fault.region {
        Region::Weights | Region::Check => {
            fault.step <= step && (fault.step >= from || !reloaded && struck_twice(fault))
        }
        Region::Voted => fault.step == step,
        Region::Input | Region::Activations => fault.step == step && fault.row == row,
    };
    let landed = trial.result.landings.iter().rev().map(|l| trial.job.faults[l.fault as usize]);
    landed.filter(live).collect()
}
