//! Reading a store while it grows.

use super::read::{Read, read_file};
use super::segment::{
    HEADER_FILE, RunInfo, read_segment, refuse_gap, running_header, segment_paths,
};
use super::{Stored, StoredHeader};
use crate::archive::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER, file};
use std::path::{Path, PathBuf};

/// Follows a result that may still grow, segment by segment.
#[derive(Debug)]
pub struct Follow<S: Stored> {
    path: PathBuf,
    header: S::Header,
    share: Option<(u64, u64)>,
    next: u64,
    /// What the first look found, until it is asked for.
    found: Vec<S>,
    finished: bool,
    started_unix_s: u64,
    written_unix_s: u64,
}

/// What a look at a result found.
#[derive(Debug)]
pub enum News<S> {
    /// These segments are new.
    More(Vec<S>),
    /// The run has finished: all its rows, those seen before with them.
    Whole(Box<S>),
}

impl<S: Stored> Follow<S> {
    /// Begins with what is there: a results folder, running or finished, or a file.
    ///
    /// # Errors
    /// Where there is no archive, or a file is torn, foreign or of another experiment than the rest.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let segments = path.join(SEGMENTS_FOLDER);
        if path.is_file() || path.join(ARCHIVE_FILE).exists() || !segments.exists() {
            return Self::finished(path);
        }
        let beside = segments.join(HEADER_FILE);
        if !beside.exists() {
            return Err(Error::Missing { path: path.to_path_buf() });
        }
        let (header, share) = match running_header::<S>(&beside) {
            Ok(beside) => beside,
            // The run finished meanwhile.
            Err(_) if path.join(ARCHIVE_FILE).exists() => return Self::finished(path),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_path_buf(),
            header,
            share,
            next: share.map_or(0, |(first, _)| first),
            found: Vec::new(),
            finished: false,
            started_unix_s: u64::MAX,
            written_unix_s: 0,
        })
    }

    fn finished(path: &Path) -> Result<Self, Error> {
        let Read { header, rows, file, share, .. } = super::read::<S>(path)?;
        let (started_unix_s, written_unix_s) = match &file {
            Some((file, path)) => RunInfo::times(file).map_err(Error::hdf5(path, "read"))?,
            None => (0, 0),
        };
        Ok(Self {
            path: path.to_path_buf(),
            header,
            share,
            next: rows.stretch().0 + rows.stretch().1,
            found: vec![rows],
            finished: true,
            started_unix_s,
            written_unix_s,
        })
    }

    /// What is common to its segments.
    pub const fn header(&self) -> &S::Header {
        &self.header
    }

    /// How many trials or histories it has once it has finished.
    pub fn planned(&self) -> u64 {
        self.share.map_or_else(|| S::total(&self.header), |(_, count)| count)
    }

    /// Seconds from the start of the run to its latest file.
    pub const fn elapsed_s(&self) -> u64 {
        self.written_unix_s.saturating_sub(self.started_unix_s)
    }

    /// What is new since the last look; `None` where nothing is.
    ///
    /// # Errors
    /// Where a file is torn, foreign or of another experiment than the rest.
    pub fn look(&mut self) -> Result<Option<News<S>>, Error> {
        if let Some(rows) = self.found.pop() {
            return Ok(Some(News::Whole(Box::new(rows))));
        }
        if self.finished {
            return Ok(None);
        }
        let archive = self.path.join(ARCHIVE_FILE);
        match self.new_segments() {
            Ok(more) if !more.is_empty() => Ok(Some(News::More(more))),
            // Segments go once the archive is there.
            _ if archive.exists() => {
                let Read { header, rows, file, .. } = read_file::<S>(&archive)?;
                let ours = self.header.fingerprint();
                super::segment::refuse_other::<S>(&archive, ours, header.fingerprint())?;
                if let Some((file, path)) = &file {
                    let times = RunInfo::times(file).map_err(Error::hdf5(path, "read"))?;
                    (self.started_unix_s, self.written_unix_s) = times;
                }
                self.finished = true;
                Ok(Some(News::Whole(Box::new(rows))))
            }
            Ok(_) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn new_segments(&mut self) -> Result<Vec<S>, Error> {
        let mut more = Vec::new();
        for path in segment_paths(&self.path.join(SEGMENTS_FOLDER))? {
            let (about, rows) = match self.is_new(&path) {
                true => read_segment::<S>(&path, &self.header)?,
                false => continue,
            };
            refuse_gap::<S>(&about, self.next)?;
            let (_, written) = file::open(&path)
                .and_then(|file| RunInfo::times(&file))
                .map_err(Error::hdf5(&path, "read"))?;
            self.started_unix_s = self.started_unix_s.min(about.started_unix_s);
            self.written_unix_s = self.written_unix_s.max(written);
            self.next += about.stretch.1;
            more.push(rows);
        }
        Ok(more)
    }

    /// Whether a segment begins where those read so far end, or after that.
    fn is_new(&self, path: &Path) -> bool {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        name.trim_start_matches("seg-").parse::<u64>().map_or(true, |first| first >= self.next)
    }
}
