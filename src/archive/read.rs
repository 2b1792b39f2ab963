//! Reading an archive, running or finished, folder or file.

use super::file::get;
use super::kind::{Content, Opened};
use super::merge::refuse_gaps;
use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::Header;
use super::segment::{Segment, SegmentFile};
use super::summary::{Summary, summarise};
use super::writer::segment_paths;
use super::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER, header};
use std::path::Path;

/// An archive, read and checked: its header, and its rows in order of trial, scheme and order of
/// striking.
#[derive(Clone, Debug)]
pub struct Archive {
    header: Header,
    rows: Segment,
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
        let Opened { file, content, verified } =
            Opened::open_as(path, &[Content::Archive, Content::Segment])?;
        let header = header::read(&file, path)?;
        let count = |name| get::<u64>(&file, name).map_err(Error::hdf5(path, "read"));
        let finished = content == Content::Archive;
        let first_trial = if finished { 0 } else { count("first_trial")? };
        let rows = Segment::read(&file, path, &header, first_trial, count("trials")?)?;
        Ok(Self { header, rows, finished, verified })
    }

    fn open_segments(folder: &Path, segments: &Path) -> Result<Self, Error> {
        let files = segment_paths(segments)?;
        let first = files.first().ok_or_else(|| Error::Missing { path: folder.to_path_buf() })?;
        let opened = Opened::open_segment(first, Content::Segment)?;
        let header = header::read(&opened.file, first)?;
        let (mut rows, mut verified) = (Segment::default(), true);
        let mut about = Vec::new();
        for path in &files {
            let (file, mut segment) = SegmentFile::read(path, &header)?;
            rows.trials += segment.trials;
            rows.faults.append(&mut segment.faults);
            rows.outcomes.append(&mut segment.outcomes);
            rows.timing.append(&mut segment.timing);
            verified &= file.verified;
            about.push(file);
        }
        refuse_gaps(&about)?;
        Ok(Self { header, rows, finished: false, verified })
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
    pub fn faults(&self) -> &[FaultRow] {
        &self.rows.faults
    }

    /// One row a trial and scheme.
    pub fn outcomes(&self) -> &[OutcomeRow] {
        &self.rows.outcomes
    }

    /// The measured times.
    pub fn timing(&self) -> &[TimingRow] {
        &self.rows.timing
    }

    /// The figures that follow from the rows.
    pub fn summary(&self) -> Summary {
        summarise(&self.header, self.faults(), self.outcomes())
    }
}
