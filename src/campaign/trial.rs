//! A trial of one scheme with all that is known of it.

use crate::engine::{Job, TrialResult};
use crate::outcome::Outcome;

/// One trial of one scheme, with all that is known of it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The stratum.
    pub stratum: usize,
    /// What it ran.
    pub job: Job,
    /// What came of it.
    pub result: TrialResult,
    /// Inferences whose paired baseline inference is wrong while this one equals golden.
    pub averted: u32,
    /// Events that the first failure needed: 0 not sought, 1, 2, or 3 for three and more.
    pub events_needed: u8,
    /// Seconds to the first critical SDC, or `None`.
    pub time_to_critical_s: Option<f64>,
    /// What a fault list says came of it.
    pub listed: Option<Outcome>,
    /// Its first error, or that it had none.
    pub first_error: FirstError,
}

/// The first inference of a trial that delivered other bits than golden, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstError {
    /// Steps up to and including that of the error; all of them where there was none.
    pub armed_steps: u32,
    /// Its outcome.
    pub outcome: Option<Outcome>,
}

impl FirstError {
    /// That of a trial of so many steps.
    pub fn of(result: &TrialResult, steps: u32) -> Self {
        let outcomes = result.rows.iter().map(|row| row.outcome());
        let first = outcomes.enumerate().find(|(_, outcome)| *outcome >= Outcome::TolerableSdc);
        let Some((at, outcome)) = first else { return Self { armed_steps: steps, outcome: None } };
        let per_step = (result.rows.len() / (steps.max(1) as usize)).max(1);
        let armed_steps = u32::try_from(at / per_step + 1).unwrap_or(u32::MAX);
        Self { armed_steps, outcome: Some(outcome) }
    }
}
