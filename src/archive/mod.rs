//! The archive: HDF5 files that h5py reads without help from this project.
//!
//! A running campaign or mission is a folder of segments, each a complete file; a finished one is a
//! single file with the same tables and a summary. `store` writes and reads both forms, on a `thread` of
//! its own while a run goes on; `segment` and `mission` say what their rows are. What is common to a store
//! (`schema`) and what follows from rows (`summary`) is kept as JSON, which is read back, and beside it as
//! `columns` for other programs. `critical` finds the most critical bits and tensors. The layout, column by
//! column, is `docs/archive-format.md`.
//!
//! Every file is a stranger's: `kind` opens it once `checksum` has held it to the digest beside it,
//! `structure` has seen that it is built as `file` builds files, and `flaw` that its values can be.

pub mod beam;
mod checksum;
mod columns;
pub mod critical;
mod figures;
mod file;
mod fingerprint;
mod flaw;
mod kind;
pub mod mission;
#[cfg(test)]
mod page;
mod read;
mod record;
pub mod rows;
pub mod schema;
mod segment;
mod store;
mod structure;
pub mod summary;
mod tables;
mod thread;

pub use fingerprint::{Fingerprint, digest};
pub use kind::ArchiveKind;
pub use mission::{MissionArchive, MissionExisting, MissionHeader, MissionRun, MissionWriter};
pub use read::Archive;
pub use record::CampaignProgress;
pub use rows::{FaultRow, OutcomeRow, TimingRow};
pub use schema::Header;
pub use segment::Segment;
pub use store::{Follow, News, join, set_aside};
pub use summary::{Summary, summarise};

/// Writes the segments of a running campaign.
pub type Writer = store::Writer<Segment>;
/// What an earlier run of a campaign left.
pub type Existing = store::Existing<Segment>;

use crate::output;
use std::path::{Path, PathBuf};

/// The finished archive's file in a campaign's results folder.
pub const ARCHIVE_FILE: &str = "archive.h5";
/// The folder of segments of a running campaign, in its results folder.
pub const SEGMENTS_FOLDER: &str = "segments";

/// What can be wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused a file or a folder.
    #[error("{path}: cannot be {action}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The HDF5 library refused.
    #[error("{path}: cannot be {action}: {reason}")]
    Hdf5 {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said, or the library where the system said nothing.
        reason: String,
        /// Whether it was the system that said it.
        by_system: bool,
    },
    /// A file does not hold what an archive must hold.
    #[error("{path}: expected {expected}, found {found}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The rows belong to another experiment.
    #[error(
        "{path}: made with another {}; only the same experiment can continue it",
        differing.join(", another ")
    )]
    Fingerprint {
        /// The file.
        path: PathBuf,
        /// Which parts of the fingerprint differ.
        differing: Vec<&'static str>,
    },
    /// The folder already holds results.
    #[error("{path}: holds results already; resume them, or write elsewhere")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Another run writes to the folder.
    #[error("{path}: another run is writing here")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// There is no archive.
    #[error(
        "{path}: no archive here: expected {ARCHIVE_FILE} or finished segments in {SEGMENTS_FOLDER}/"
    )]
    Missing {
        /// The folder or file.
        path: PathBuf,
    },
    /// The writer failed earlier; its error was given then.
    #[error("the archive's writer has stopped")]
    WriterGone,
}

impl Error {
    fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }

    fn output(error: output::Error) -> Self {
        Self::Io { path: error.path, action: "written", source: error.source }
    }

    fn hdf5(path: &Path, action: &'static str) -> impl FnOnce(hdf5::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::of(&path, action, &error.to_string())
    }

    /// Whether the system stands in the way, and not what a file holds: too few file descriptors, no
    /// permission, no memory, no space.
    pub fn is_of_the_system(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() != std::io::ErrorKind::NotFound,
            Self::Hdf5 { by_system, .. } => *by_system,
            _ => false,
        }
    }

    /// What is wrong with a file that HDF5 does not open: the system, or the file itself.
    fn unopened(path: &Path, error: &hdf5::Error) -> Self {
        let text = error.to_string();
        if system(&text).is_some() {
            return Self::of(path, "read", &text);
        }
        let found = format!("a truncated or foreign one ({})", reason(&text));
        Self::content(path, "a complete HDF5 file", found)
    }

    fn of(path: &Path, action: &'static str, text: &str) -> Self {
        let (path, by_system) = (path.to_path_buf(), system(text).is_some());
        Self::Hdf5 { path, action, reason: reason(text), by_system }
    }

    fn flaw(path: &Path) -> impl FnOnce(flaw::Flaw) -> Self {
        let path = path.to_path_buf();
        move |flaw::Flaw { expected, found }| Self::Content { path, expected, found }
    }

    fn content(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Content { path: path.to_path_buf(), expected: expected.into(), found: found.into() }
    }
}

/// What the system said ("No space left on device") within what the library made of it.
fn system(message: &str) -> Option<&str> {
    let said = message.split_once("error message = '").and_then(|(_, rest)| rest.split_once('\''));
    // The library keeps to itself that an allocation failed.
    let memory =
        || message.contains("memory allocation failed").then_some("Cannot allocate memory");
    said.map(|(said, _)| said).or_else(memory)
}

/// The same, or all that the library said, in one line.
fn reason(message: &str) -> String {
    system(message).map_or_else(|| message.replace('\n', " "), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_no_flaw_of_the_file() {
        let path = Path::new("archive.h5");
        for (number, said) in [(24, "Too many open files"), (13, "Permission denied")] {
            let text = format!(
                "H5Fopen(): unable to open file: name = 'archive.h5', errno = {number}, \
                 error message = '{said}', flags = 0"
            );
            let error = Error::unopened(path, &hdf5::Error::Internal(text));
            assert_eq!(error.to_string(), format!("archive.h5: cannot be read: {said}"));
            assert!(error.is_of_the_system());
        }
        let text = "H5Fopen(): truncated file: eof = 100, stored_eof = 200";
        let error = Error::unopened(path, &hdf5::Error::Internal(text.into()));
        assert!(error.to_string().contains("found a truncated or foreign one"), "{error}");
        assert!(!error.is_of_the_system());
    }

    #[test]
    fn the_system_is_quoted_where_it_spoke() {
        let library = "H5Fflush(): unable to flush: file write failed: time = now\n, \
            errno = 28, error message = 'No space left on device', buf = 0x7f";
        assert_eq!(reason(library), "No space left on device");
        assert_eq!(reason("H5MM_malloc(): memory allocation failed"), "Cannot allocate memory");
        assert_eq!(reason("H5Dopen(): not\nfound"), "H5Dopen(): not found");
    }
}
