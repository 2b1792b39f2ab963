//! What cannot be planned, at the key that says it.

use crate::estimate::Refusal;
use crate::fault::ListError;
use crate::place::{self, Place};
use std::path::Path;

/// Why a campaign or a mission cannot be planned: a value does not fit the workload, the memory or
/// the devices.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the file, by its key.
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
    /// A place in the file, or in one that it names.
    #[error(transparent)]
    File(#[from] place::Error),
    /// The fault list cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
}

impl From<Refusal> for Error {
    fn from(Refusal { key, expected, found }: Refusal) -> Self {
        Self::Value { key, expected, found }
    }
}

impl Error {
    pub(crate) fn value(key: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Value { key: key.into(), expected: expected.into(), found: found.to_string() }
    }

    pub(crate) fn said(key: &str, message: impl ToString) -> Self {
        Self::Said { key: key.into(), message: message.to_string() }
    }

    pub(crate) fn scheme(
        index: usize,
        key: &str,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::value(&format!("scheme.{index}.{key}"), expected, found)
    }

    /// The same with the line of the key in the file's text.
    #[must_use]
    pub fn placed(self, path: &Path, text: &str) -> Self {
        let Ok(place) = Place::parse(path, text) else { return self };
        match self {
            // A flag has no line.
            Self::Value { key, expected, found } if !key.starts_with("--") => {
                Self::File(place.value(&key.split('.').collect::<Vec<_>>(), expected, found))
            }
            Self::Said { key, message } => {
                Self::File(place.said(&key.split('.').collect::<Vec<_>>(), message))
            }
            other => other,
        }
    }
}
