//! What a file of results is, and the gate that every file passes before its tables are read.

use super::file::{self, get, get_text};
use super::store::{HEADER_FILE, segment_paths};
use super::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER, checksum, structure};
use hdf5::File;
use std::fs;
use std::path::Path;

/// What an archive is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A campaign: trials.
    Campaign,
    /// A mission: histories.
    Mission,
}

impl ArchiveKind {
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
        } else if segments.join(HEADER_FILE).exists() {
            segments.join(HEADER_FILE)
        } else if segments.exists() {
            segment_paths(&segments)?.into_iter().next().ok_or_else(missing)?
        } else {
            return Err(missing());
        };
        Ok(Opened::open(&file)?.content.kind)
    }

    /// The version of the layout of its files; it grows with every change, additions included.
    const fn version(self) -> u32 {
        match self {
            Self::Campaign => 5,
            Self::Mission => 4,
        }
    }

    /// Its name in messages and in the root's attribute `content`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Mission => "mission",
        }
    }
}

/// Which part of a store a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What is common to all segments of a running store.
    Header,
    /// A stretch of its trials or histories.
    Segment,
    /// All of a finished store.
    Whole,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: ArchiveKind,
    pub(super) part: Part,
}

impl Content {
    pub(super) const fn of(kind: ArchiveKind, part: Part) -> Self {
        Self { kind, part }
    }

    fn all() -> impl Iterator<Item = Self> {
        let kinds = [ArchiveKind::Campaign, ArchiveKind::Mission].into_iter();
        kinds.flat_map(|kind| {
            [Part::Header, Part::Segment, Part::Whole].map(|part| Self { kind, part })
        })
    }

    /// Its name in the root's attribute `content`.
    fn name(self) -> String {
        let kind = self.kind.name();
        match self.part {
            Part::Header => format!("{kind}-header"),
            Part::Segment => format!("{kind}-segment"),
            Part::Whole => kind.to_owned(),
        }
    }

    /// In words.
    fn words(self) -> String {
        let kind = self.kind.name();
        match self.part {
            Part::Header => format!("the header of a running {kind}"),
            Part::Segment => format!("a segment of a {kind}"),
            Part::Whole => format!("a finished {kind}"),
        }
    }

    /// Writes what every file begins with.
    pub(super) fn write(self, to: &File, version: &str, commit: &str) -> hdf5::Result<()> {
        file::set(to, "schema_version", &self.kind.version())?;
        file::set_text(to, "content", &self.name())?;
        file::set_text(to, "beamline_version", version)?;
        file::set_text(to, "beamline_commit", commit)
    }
}

/// A file that has passed the gate.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) content: Content,
    /// Whether a digest beside it says that it is as it was written.
    pub(super) verified: bool,
}

impl Opened {
    /// Opens a file that must be complete, as its digest says, of this version, and built as
    /// beamline builds files.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let about = fs::metadata(path).map_err(Error::io(path, "read"))?;
        if !about.is_file() {
            return Err(Error::content(path, "a file", "something else"));
        }
        let verified = checksum::verify(path)?;
        let file = file::open(path).map_err(|error| Error::unopened(path, &error))?;
        let content = content(&file, path)?;
        structure::check(&file, about.len()).map_err(Error::hdf5(path, "read"))?;
        Ok(Self { file, content, verified })
    }

    /// Likewise, of a file that must be one of `expected`, all of one kind.
    pub(super) fn open_as(path: &Path, expected: &[Content]) -> Result<Self, Error> {
        let opened = Self::open(path)?;
        let (found, kind) = (opened.content, expected.first().map(|content| content.kind));
        if expected.contains(&found) {
            return Ok(opened);
        }
        Err(match kind {
            Some(kind) if kind != found.kind => {
                let expected = format!("the archive of a {}", kind.name());
                Error::content(path, expected, format!("that of a {}", found.kind.name()))
            }
            _ => {
                let words: Vec<_> = expected.iter().map(|content| content.words()).collect();
                Error::content(path, words.join(" or "), found.words())
            }
        })
    }

    /// Likewise, of a file in the folder `segments/`, where no link is followed.
    pub(super) fn segment(path: &Path, expected: Content) -> Result<Self, Error> {
        own_file(path)?;
        Self::open_as(path, &[expected])
    }
}

/// Refuses what is no plain file, where there is anything: what lies under `segments/` was written
/// there, and a symbolic link would lead elsewhere.
pub(super) fn own_file(path: &Path) -> Result<(), Error> {
    own(path, fs::FileType::is_file, "a file")
}

/// Likewise, of the folder itself.
pub(super) fn own_folder(path: &Path) -> Result<(), Error> {
    own(path, fs::FileType::is_dir, "a folder")
}

fn own(path: &Path, is: fn(&fs::FileType) -> bool, expected: &str) -> Result<(), Error> {
    match fs::symlink_metadata(path).map(|about| about.file_type()) {
        Ok(found) if found.is_symlink() => {
            Err(Error::content(path, format!("{expected} of beamline's own"), "a symbolic link"))
        }
        Ok(found) if !is(&found) => Err(Error::content(path, expected, "something else")),
        _ => Ok(()),
    }
}

/// What an opened file is; it must be of a version that this build reads.
fn content(file: &File, path: &Path) -> Result<Content, Error> {
    let foreign =
        |_| Error::content(path, "a beamline archive", "an HDF5 file without schema_version");
    let version = get::<u32>(file, "schema_version").map_err(foreign)?;
    let name = get_text(file, "content");
    let known = Content::all().find(|of| name.as_ref().is_ok_and(|name| *name == of.name()));
    // The text of earlier versions is not read; their groups say what they are of.
    let kind = known.map_or_else(
        || if file.link_exists("campaign") { ArchiveKind::Campaign } else { ArchiveKind::Mission },
        |known| known.kind,
    );
    if version != kind.version() {
        let (kind, expected) = (kind.name(), kind.version());
        let found = format!(
            "{version}, of another version of beamline: read it with that one, or run the {kind} again"
        );
        return Err(Error::content(path, format!("schema version {expected} of {kind}s"), found));
    }
    let other = || match &name {
        Ok(name) => Error::content(path, "a part of an archive", name),
        Err(error) => Error::content(path, "a part of an archive", error.to_string()),
    };
    known.ok_or_else(other)
}
