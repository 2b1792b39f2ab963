//! The runner: histories one after another, their faulty states in common batches.

use super::plan::Plan;
use super::record::{SchemeHistory, Upset};
use super::simulate::simulate;
use super::upset;
use super::verdicts::Verdicts;
use crate::engine::{Engine, Error};
use std::ops::ControlFlow;

/// Histories that share their batches on the GPU.
pub const TOGETHER: u64 = 8;

/// One history under every scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRun {
    /// Its number.
    pub history: u64,
    /// Where on its track it began, in seconds.
    pub start_s: f64,
    /// What happened.
    pub upsets: Vec<Upset>,
    /// What became of it, by scheme.
    pub schemes: Vec<SchemeHistory>,
}

/// What the runner says as it goes.
#[derive(Debug)]
pub enum Event<'r> {
    /// So many faulty states have been run on the GPU.
    States(u64),
    /// A history is complete.
    History(&'r HistoryRun),
}

/// Runs histories `first..end`; `listen` may break off, after the histories that are run together.
///
/// # Errors
/// Where the engine fails.
pub fn histories(
    plan: &Plan,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
    (first, end): (u64, u64),
    listen: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut next = first;
    while next < end {
        tracing::debug!(first = next, end, "histories run together");
        let together: Vec<u64> = (next..end.min(next + TOGETHER)).collect();
        let drawn: Vec<(f64, Vec<Upset>)> = together
            .iter()
            .map(|history| (upset::start_s(plan, *history), upset::history(plan, *history)))
            .collect();
        let flights: Vec<(f64, &[Upset])> = drawn.iter().map(|(at, of)| (*at, &of[..])).collect();
        let mut stop = false;
        let runs = flown(plan, engine, verdicts, &flights, &mut |states| {
            stop |= listen(Event::States(states)).is_break();
        })?;
        for ((history, (start_s, upsets)), schemes) in together.iter().zip(drawn).zip(runs) {
            let run = HistoryRun { history: *history, start_s, upsets, schemes };
            stop |= listen(Event::History(&run)).is_break();
        }
        if stop {
            return Ok(());
        }
        next += TOGETHER;
    }
    Ok(())
}

/// These histories, which begin where their track begins, under every scheme.
///
/// # Errors
/// Where the engine fails.
pub fn settled(
    plan: &Plan,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
    histories: &[Vec<Upset>],
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Vec<SchemeHistory>>, Error> {
    let flights: Vec<(f64, &[Upset])> = histories.iter().map(|of| (0.0, &of[..])).collect();
    flown(plan, engine, verdicts, &flights, progress)
}

/// These histories, each from its place of the track on, under every scheme, with no state left
/// unknown: what is provisional is done again once the engine has run what it asked for.
fn flown(
    plan: &Plan,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
    flights: &[(f64, &[Upset])],
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Vec<SchemeHistory>>, Error> {
    let mut runs: Vec<Vec<Option<SchemeHistory>>> =
        vec![vec![None; plan.terms.len()]; flights.len()];
    loop {
        for (flight, schemes) in flights.iter().zip(&mut runs) {
            for (terms, known) in plan.terms.iter().zip(schemes) {
                if known.is_some() {
                    continue;
                }
                let before = verdicts.asked();
                let history = simulate(&plan.ground, terms, *flight, verdicts);
                if verdicts.asked() == before {
                    *known = Some(history);
                }
            }
        }
        if verdicts.waiting() == 0 {
            break;
        }
        verdicts.resolve(engine, &mut *progress)?;
    }
    Ok(runs.into_iter().map(|schemes| schemes.into_iter().flatten().collect()).collect())
}
