//! Reading an archive, running or finished, folder or file.

use super::file::{self, take_rows};
use super::header;
use super::kind::{Content, Opened};
use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::{FAULTS, Header, OUTCOMES, TIMING};
use super::segment::{Segment, SegmentFile};
use super::summary::{Summary, summarise};
use super::writer::segment_paths;
use super::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER};
use std::path::{Path, PathBuf};

/// An archive opened for reading: its header, and its rows on demand, in order of trial, scheme and
/// order of striking.
#[derive(Clone, Debug)]
pub struct Archive {
    header: Header,
    files: Vec<PathBuf>,
    finished: bool,
    verified: bool,
}

impl Archive {
    /// Opens `path`: a results folder (running or finished) or a file.
    ///
    /// # Errors
    /// Where there is no archive, or a file is torn, foreign or of another experiment than the rest.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (finished, segments) = (path.join(ARCHIVE_FILE), path.join(SEGMENTS_FOLDER));
        if path.is_file() {
            Self::open_file(path)
        } else if finished.exists() {
            Self::open_file(&finished)
        } else if segments.exists() {
            let opened = Self::open_segments(path, &segments);
            // A campaign may finish while its segments are being opened.
            if opened.is_err() && finished.exists() { Self::open_file(&finished) } else { opened }
        } else {
            Err(Error::Missing { path: path.to_path_buf() })
        }
    }

    fn open_file(path: &Path) -> Result<Self, Error> {
        let opened = Opened::open_as(path, &[Content::Archive, Content::Segment])?;
        let header = header::read(&opened.file).map_err(Error::hdf5(path, "read"))?;
        let (finished, verified) = (opened.content == Content::Archive, opened.verified);
        Ok(Self { header, files: vec![path.to_path_buf()], finished, verified })
    }

    fn open_segments(folder: &Path, segments: &Path) -> Result<Self, Error> {
        let files = segment_paths(segments)?;
        let first = files.first().ok_or_else(|| Error::Missing { path: folder.to_path_buf() })?;
        let opened = Opened::open_segment(first, Content::Segment)?;
        let header = header::read(&opened.file).map_err(Error::hdf5(first, "read"))?;
        let mut verified = true;
        for path in &files {
            verified &= SegmentFile::open(path, &header.fingerprint)?.1.verified;
        }
        Ok(Self { header, files, finished: false, verified })
    }

    /// What it says of its campaign.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the campaign has finished.
    pub const fn finished(&self) -> bool {
        self.finished
    }

    /// Whether a digest beside each of its files says that it is as it was written.
    pub const fn verified(&self) -> bool {
        self.verified
    }

    /// Every fault.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn faults(&self) -> Result<Vec<FaultRow>, Error> {
        self.rows(FAULTS)
    }

    /// One row a trial and scheme.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn outcomes(&self) -> Result<Vec<OutcomeRow>, Error> {
        self.rows(OUTCOMES)
    }

    /// The measured times.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn timing(&self) -> Result<Vec<TimingRow>, Error> {
        self.rows(TIMING)
    }

    /// The figures that follow from the rows.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn summary(&self) -> Result<Summary, Error> {
        Ok(summarise(&self.header, &self.faults()?, &self.outcomes()?))
    }

    fn rows<T: hdf5::H5Type>(&self, table: &str) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        for path in &self.files {
            let file = file::open(path).map_err(Error::hdf5(path, "read"))?;
            rows.append(&mut take_rows(&file, path, table)?);
        }
        Ok(rows)
    }
}

impl Segment {
    /// The rows of a whole archive as one segment, for a merge.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn of(archive: &Archive) -> Result<Self, Error> {
        let outcomes = archive.outcomes()?;
        let first_trial = outcomes.first().map_or(0, |row| row.trial);
        let trials = outcomes.last().map_or(0, |row| row.trial + 1 - first_trial);
        let (faults, timing) = (archive.faults()?, archive.timing()?);
        Ok(Self { first_trial, trials, faults, outcomes, timing })
    }
}
