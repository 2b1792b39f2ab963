//! What can be wrong with an orbit, or with a track asked of it.

use crate::place;

/// Why an orbit or its track cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value cannot be used, or what follows from it.
    #[error("{quantity}: expected {expected}, found {found}")]
    Value {
        /// The name of the value, with its unit.
        quantity: &'static str,
        /// What would have been right.
        expected: String,
        /// What was given, or what came of it.
        found: String,
    },
    /// A file of elements is malformed, or describes no orbit that can be flown.
    #[error(transparent)]
    File(#[from] place::Error),
}

impl Error {
    /// The error that a value cannot be used.
    pub(super) fn value(
        quantity: &'static str,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::Value { quantity, expected: expected.into(), found: found.to_string() }
    }
}
