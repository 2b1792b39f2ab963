//! Missions: years on an orbit, with upsets that arrive, scrubbers that run, and inferences that
//! read whatever is in memory.
//!
//! A [`Plan`] lays the schemes out in one memory; [`upset::history`] draws what happens, the same
//! for every scheme; [`simulate()`] lets time jump from event to scrub to read; [`Verdicts`] asks
//! the engine what the workload makes of each faulty state, once. All times are seconds of flight:
//! an acceleration compresses every period alike, so that a mission of `lasts` stands for
//! `lasts` × acceleration of flight.

mod estimate;
pub mod figures;
mod file;
pub mod fleet;
mod layout;
pub mod live;
mod loss;
mod patrol;
mod plan;
mod ranges;
mod reads;
mod record;
pub mod run;
mod simulate;
mod state;
pub mod strata;
pub mod sweep;
pub mod upset;
mod value;
mod verdicts;

pub use file::{Bytes, DeviceModes, Duration, MemoryChoice, Mission, Requirement, Service};
pub use layout::{SchemeLayout, Site, Tenant, Tiling};
pub use loss::{Away, Replaced, Why};
pub use patrol::Patrol;
pub use plan::{Plan, PlanMode};
pub use reads::{Reads, Run};
pub use record::{
    COHORT, Cause, Change, Ended, Episode, SchemeHistory, TenantCounts, Upset, What, Windows,
};
pub use simulate::{Ground, Rows, Terms, simulate};
pub use state::{Block, Blocks, Flip, Read, Reader, State, ValueFlip, Word};
pub use value::Values;
pub use verdicts::Verdicts;

use crate::estimate::Refusal;

/// What cannot be planned: a value that does not fit the workload, the memory or the devices.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the mission file, by its key.
    #[error("{key}: expected {expected}, found {found}")]
    Value {
        /// The key, its parts joined by dots.
        key: String,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// What a value names cannot be used, in the words of what refused it.
    #[error("{key}: {message}")]
    Said {
        /// The key, its parts joined by dots.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// A place in the mission's file, or in one that it names.
    #[error(transparent)]
    File(#[from] crate::place::Error),
}

impl From<Refusal> for Error {
    fn from(Refusal { key, expected, found }: Refusal) -> Self {
        Self::Value { key, expected, found }
    }
}

impl Error {
    fn value(key: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Value { key: key.into(), expected: expected.into(), found: found.to_string() }
    }

    fn said(key: &str, message: impl ToString) -> Self {
        Self::Said { key: key.into(), message: message.to_string() }
    }

    fn scheme(index: usize, key: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::value(&format!("scheme.{index}.{key}"), expected, found)
    }

    /// The same with the line of the key in the mission's text.
    #[must_use]
    pub fn placed(self, path: &std::path::Path, text: &str) -> Self {
        let Ok(place) = crate::place::Place::parse(path, text) else { return self };
        match self {
            // A flag has no line.
            Self::Value { key, expected, found } if !key.starts_with("--") => {
                let keys: Vec<&str> = key.split('.').collect();
                Self::File(place.value(&keys, expected, found))
            }
            Self::Said { key, message } => {
                let keys: Vec<&str> = key.split('.').collect();
                Self::File(place.said(&keys, message))
            }
            other => other,
        }
    }
}
