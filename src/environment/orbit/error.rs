//! What can be wrong with an orbit, or with a track asked of it.

use crate::environment::epoch::Epoch;
use crate::{place, words};

/// Why an orbit or its track cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A number cannot be used.
    #[error("{quantity}: expected {expected}, found {found}")]
    Value {
        /// The name of the number, with its unit.
        quantity: &'static str,
        /// What would have been right.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A two-line element set is malformed or describes no orbit that can be flown.
    #[error(transparent)]
    File(#[from] place::Error),
    /// No preset has this name.
    #[error("orbit: expected one of {known}, found {name:?}{}", words::meant(name, known.split(", ")))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names of the presets.
        known: String,
    },
    /// The node was set of an orbit that has none to set.
    #[error(
        "{name}: expected an orbit given by its altitudes, of which the node can be set, found {found}"
    )]
    NoNode {
        /// The orbit.
        name: String,
        /// What it is.
        found: &'static str,
    },
    /// A track was asked of deep space.
    #[error("{name}: expected an orbit about the Earth, found deep space, which has no track")]
    NoTrack {
        /// The orbit.
        name: String,
    },
    /// A two-line element set is too old, or too new, for the start asked for.
    #[error(
        "{name}: expected a start within {limit_days} days of the elements' epoch {epoch}, found \
         {start}, {days:.1} days away; leave the start out to start at the epoch"
    )]
    Expired {
        /// The orbit.
        name: String,
        /// The epoch of the elements.
        epoch: Epoch,
        /// The start asked for.
        start: Epoch,
        /// Days from the epoch to the farther end of the track, without sign.
        days: f64,
        /// The most days allowed.
        limit_days: f64,
    },
    /// The satellite comes down before the track ends.
    #[error("{name}: expected an orbit until the end of the track, found at {at} that {found}")]
    Decayed {
        /// The orbit.
        name: String,
        /// When.
        at: Epoch,
        /// What SGP4 says, or how low it is.
        found: String,
    },
}

impl Error {
    /// The error that a number cannot be used.
    pub(super) fn value(quantity: &'static str, expected: impl Into<String>, found: f64) -> Self {
        Self::Value { quantity, expected: expected.into(), found: found.to_string() }
    }
}
