//! What an archive is of: a campaign or a mission.

use super::file::get_text;
use super::segment::open;
use super::writer::segment_paths;
use super::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER};
use hdf5::File;
use std::path::Path;

/// What an archive is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A campaign: trials.
    Campaign,
    /// A mission: histories.
    Mission,
}

impl Kind {
    /// What the archive at `path` is of: a results folder, running or finished, or a file.
    ///
    /// # Errors
    /// Where there is no archive, or a file is torn or foreign.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let (finished, segments) = (path.join(ARCHIVE_FILE), path.join(SEGMENTS_FOLDER));
        let missing = || Error::Missing { path: path.to_path_buf() };
        let file = if path.is_file() {
            path.to_path_buf()
        } else if finished.exists() {
            finished
        } else if segments.exists() {
            segment_paths(&segments)?.into_iter().next().ok_or_else(missing)?
        } else {
            return Err(missing());
        };
        let foreign = || Error::content(&file, "a beamline archive", "another HDF5 file");
        Self::of_file(&open(&file)?).ok_or_else(foreign)
    }

    /// What an opened file is of, where it is an archive or a part of one.
    pub(super) fn of_file(file: &File) -> Option<Self> {
        match get_text(file, "content").ok()?.as_str() {
            "archive" | "segment" => Some(Self::Campaign),
            "mission" | "history" | "mission-header" => Some(Self::Mission),
            _ => None,
        }
    }
}
