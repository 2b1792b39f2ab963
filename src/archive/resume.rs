//! What an earlier run of the same experiment left, for a run that goes on from there.

use super::kind::{Content, Opened};
use super::merge::refuse_gaps;
use super::segment::{Segment, SegmentFile, refuse_other};
use super::writer::{lock, segment_paths, without_trace};
use super::{
    ARCHIVE_FILE, Archive, Error, Fingerprint, Header, OutcomeRow, SEGMENTS_FOLDER, TimingRow,
    checksum, file, header,
};
use crate::campaign::event::SchemeProgress;
use std::fs;
use std::path::{Path, PathBuf};

/// An earlier run's segments, checked and locked.
#[derive(Debug)]
pub struct Existing {
    /// The trial to go on with.
    pub next_trial: u64,
    /// Totals of each scheme over the trials done.
    pub schemes: Vec<SchemeProgress>,
    /// Whether the earlier run finished: there is nothing to resume.
    pub finished: bool,
    pub(super) folder: PathBuf,
    pub(super) segments: Vec<SegmentFile>,
    header: Option<Header>,
    pub(super) lock: fs::File,
}

impl Existing {
    /// Finds what an earlier run left in `folder`; `None` where there is nothing to go on from.
    /// Removes what was not finished.
    ///
    /// # Errors
    /// Where a file belongs to another experiment (it names what differs), is torn, or a segment is
    /// missing; where another run writes there.
    pub fn open(folder: &Path, fingerprint: &Fingerprint) -> Result<Option<Self>, Error> {
        without_trace(folder, || Self::find(folder, fingerprint))
    }

    fn find(folder: &Path, fingerprint: &Fingerprint) -> Result<Option<Self>, Error> {
        let (archive, segments) = (folder.join(ARCHIVE_FILE), folder.join(SEGMENTS_FOLDER));
        if !archive.exists() && !segments.exists() {
            return Ok(None);
        }
        let mut existing = Self {
            next_trial: 0,
            schemes: Vec::new(),
            finished: archive.exists(),
            folder: folder.to_path_buf(),
            segments: Vec::new(),
            header: None,
            lock: lock(folder)?,
        };
        file::remove_drafts(folder)?;
        if existing.finished {
            // The segments that a finished archive was made from may have outlived a kill.
            existing.read_archive(&archive, fingerprint)?;
            fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
            return Ok(Some(existing));
        }
        file::remove_drafts(&segments)?;
        let paths = segment_paths(&segments)?;
        let Some(first) = paths.first() else { return Ok(None) };
        let opened = Opened::open_segment(first, Content::Segment)?;
        let header =
            Header { fingerprint: fingerprint.clone(), ..header::read(&opened.file, first)? };
        for path in &paths {
            let (about, segment) = SegmentFile::read(path, &header)?;
            existing.segments.push(about);
            refuse_gaps(&existing.segments)?;
            existing.count(&segment.outcomes, &segment.timing);
            existing.next_trial += segment.trials;
        }
        existing.header = Some(header);
        Ok(Some(existing))
    }

    /// How many segments there are.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The rows of segment `index`.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn segment(&self, index: usize) -> Result<Segment, Error> {
        let missing = || Error::Missing { path: self.folder.clone() };
        let (about, header) =
            self.segments.get(index).zip(self.header.as_ref()).ok_or_else(missing)?;
        Ok(SegmentFile::read(&about.path, header)?.1)
    }

    fn read_archive(&mut self, path: &Path, fingerprint: &Fingerprint) -> Result<(), Error> {
        let archive = Archive::open(path)?;
        refuse_other(path, fingerprint, &archive.header().fingerprint)?;
        if !archive.verified() {
            // Its rows are what they should be; only its digest was lost.
            checksum::write(path, path)?;
        }
        self.next_trial = archive.outcomes().last().map_or(0, |row| row.trial + 1);
        self.count(archive.outcomes(), archive.timing());
        Ok(())
    }

    fn count(&mut self, outcomes: &[OutcomeRow], timing: &[TimingRow]) {
        let schemes = outcomes.iter().map(|row| usize::from(row.scheme) + 1).max().unwrap_or(0);
        if self.schemes.len() < schemes {
            self.schemes.resize(schemes, SchemeProgress::default());
        }
        for row in outcomes {
            let scheme = &mut self.schemes[usize::from(row.scheme)];
            scheme.trials += 1;
            scheme.wrong_trials += u64::from(row.wrong);
            scheme.alarms += u64::from(row.alarm_raised);
            for (sum, count) in scheme.outcomes.iter_mut().zip(row.outcomes()) {
                *sum += count;
            }
        }
        for row in timing {
            // The latest segment's figure stands for the scheme, as on the screen of a live run.
            if let Some(scheme) = self.schemes.get_mut(row.scheme as usize) {
                scheme.seconds_per_inference = row.seconds / (row.inferences.max(1) as f64);
            }
        }
    }
}

/// Renames a results folder that holds results to the first free `NAME.1`, `NAME.2`, …, so that a
/// new run loses nothing of an earlier one. Gives the new name, or `None` where there was nothing.
///
/// # Errors
/// Where the folder cannot be renamed, or another run writes there.
pub fn set_aside(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    let held = segments.exists() && !segment_paths(&segments)?.is_empty();
    if !held && !folder.join(ARCHIVE_FILE).exists() {
        return Ok(None);
    }
    let guard = if segments.exists() { Some(lock(folder)?) } else { None };
    let aside = (1u32..).map(|n| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    });
    let free = aside.into_iter().find(|path| !path.exists()).ok_or(Error::WriterGone)?;
    fs::rename(folder, &free).map_err(Error::io(folder, "set aside"))?;
    drop(guard);
    Ok(Some(free))
}
