//! Writing a mission: a file a history while it runs, one file at its end; and what a run that
//! goes on finds.

use super::super::file;
use super::super::kind::{Content, Opened};
use super::super::segment::{RunInfo, read_run, write_run};
use super::super::thread::{Files, OnThread};
use super::super::writer::{
    lock, refuse_results, run_info, segment_paths, unix_seconds, without_trace,
};
use super::super::{ARCHIVE_FILE, Error, Fingerprint, SEGMENTS_FOLDER, checksum};
use super::read::{HEADER_FILE, HistoryRead, file_name, read_history, refuse, running_header};
use super::segment::{Counts, Tables};
use super::{Closing, MissionArchive, MissionHeader, MissionRun, closing_rows, flaw, header};
use crate::mission::SchemeHistory;
use hdf5::File;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Writes the files of a running mission, on a thread of its own. Dropping it writes what was sent
/// and keeps the histories: the mission can be resumed.
#[derive(Debug)]
pub struct MissionWriter {
    header: Arc<MissionHeader>,
    since: Instant,
    files: OnThread<Histories>,
}

impl MissionWriter {
    /// Starts to write a new mission's histories into `folder/segments/`.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds results already.
    pub fn start(folder: &Path, header: MissionHeader) -> Result<Self, Error> {
        let lock = lock(folder)?;
        refuse_results(folder)?;
        let path = folder.join(SEGMENTS_FOLDER).join(HEADER_FILE);
        flaw::header(&header).map_err(Error::flaw(&path))?;
        file::write_whole(&path, |to| {
            header::write(to, Content::Header, &header).map_err(Error::hdf5(&path, "written"))
        })?;
        let header = Arc::new(header);
        Self::spawn(Histories {
            folder: folder.to_path_buf(),
            header: Arc::clone(&header),
            paths: Vec::new(),
            counts: Counts::default(),
            started_unix_s: unix_seconds(),
            _lock: lock,
        })
    }

    /// Goes on where an earlier run ended.
    ///
    /// # Errors
    /// Where the earlier run has finished.
    pub fn resume(existing: MissionExisting, header: MissionHeader) -> Result<Self, Error> {
        if existing.finished {
            return Err(Error::Occupied { path: existing.folder });
        }
        Self::spawn(Histories {
            folder: existing.folder,
            header: Arc::new(header),
            paths: existing.paths,
            counts: existing.counts,
            started_unix_s: existing.started_unix_s.unwrap_or_else(unix_seconds),
            _lock: existing.lock,
        })
    }

    fn spawn(files: Histories) -> Result<Self, Error> {
        let (header, folder) = (Arc::clone(&files.header), files.folder.clone());
        Ok(Self { header, since: Instant::now(), files: OnThread::start(files, &folder)? })
    }

    /// What the archive says of its mission.
    pub fn header(&self) -> &MissionHeader {
        &self.header
    }

    /// Hands a history over, which took the time since the one before; waits while the disk is
    /// behind. Histories come in order.
    ///
    /// # Errors
    /// What went wrong with this or an earlier history: the writer has then stopped for good.
    pub fn send(&mut self, run: MissionRun) -> Result<(), Error> {
        let seconds = self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        self.files.send((run, seconds))
    }

    /// Writes what was sent and keeps the histories: the mission can be resumed.
    ///
    /// # Errors
    /// What went wrong with a history.
    pub fn stop(self) -> Result<(), Error> {
        self.files.stop()
    }

    /// Writes what was sent, makes one archive of all histories and removes them. Gives its path.
    ///
    /// # Errors
    /// What went wrong with a history or the archive; the histories are then still there.
    pub fn finish(self, closing: Closing) -> Result<PathBuf, Error> {
        self.files.finish(closing)
    }
}

/// The histories of a running mission.
#[derive(Debug)]
struct Histories {
    folder: PathBuf,
    header: Arc<MissionHeader>,
    paths: Vec<PathBuf>,
    counts: Counts,
    started_unix_s: u64,
    _lock: fs::File,
}

impl Files for Histories {
    /// A history, and what it took in measured seconds.
    type Part = (MissionRun, f64);
    type Closing = Closing;

    fn write(&mut self, (run, seconds): (MissionRun, f64)) -> Result<(), Error> {
        let segments = self.folder.join(SEGMENTS_FOLDER);
        let path = segments.join(file_name(run.history));
        let (next, schemes) = (self.paths.len() as u64, self.header.schemes.len());
        if run.history != next || run.schemes.len() != schemes {
            let expected = format!("history {next} under {schemes} schemes");
            let found = format!("history {} under {}", run.history, run.schemes.len());
            return Err(Error::content(&path, expected, found));
        }
        flaw::history(&run, &self.header).map_err(Error::flaw(&path))?;
        let (header, counts) = (&self.header, Counts::of(&run));
        let info = run_info(self.started_unix_s);
        let write = |to: &File| {
            header::write_start(to, Content::History, header)?;
            let mut tables = Tables::create(to, &header.shapes, counts)?;
            tables.push(&run, seconds)?;
            tables.finish()?;
            write_run(to, &info)
        };
        file::write_whole(&path, |to| write(to).map_err(Error::hdf5(&path, "written")))?;
        self.counts += counts;
        self.paths.push(path);
        Ok(())
    }

    fn finish(self, closing: Closing) -> Result<PathBuf, Error> {
        let path = self.folder.join(ARCHIVE_FILE);
        let (planned, done) = (self.header.histories, self.paths.len() as u64);
        if done != planned {
            let expected = format!("{planned} histories");
            return Err(Error::content(&self.folder, expected, format!("{done} of them")));
        }
        let info = run_info(self.started_unix_s);
        let fail = |source| Error::hdf5(&path, "written")(source);
        file::write_whole(&path, |to| {
            header::write(to, Content::Mission, &self.header).map_err(fail)?;
            let mut tables = Tables::create(to, &self.header.shapes, self.counts).map_err(fail)?;
            for (history, path) in (0u64..).zip(&self.paths) {
                let read = read_history(path, &self.header, history)?;
                tables.push(&read.run, read.seconds).map_err(fail)?;
            }
            tables.finish().map_err(fail)?;
            closing_rows::write(to, &closing).map_err(fail)?;
            write_run(to, &info).map_err(fail)
        })?;
        let segments = self.folder.join(SEGMENTS_FOLDER);
        fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
        Ok(path)
    }
}

/// An earlier run's histories, checked and locked.
#[derive(Debug)]
pub struct MissionExisting {
    /// The history to go on with.
    pub next_history: u64,
    /// What became of the histories done, `[history][scheme]`.
    pub runs: Vec<Vec<SchemeHistory>>,
    /// Whether the earlier run finished: there is nothing to resume.
    pub finished: bool,
    folder: PathBuf,
    paths: Vec<PathBuf>,
    counts: Counts,
    started_unix_s: Option<u64>,
    lock: fs::File,
}

impl MissionExisting {
    /// Finds what an earlier run left in `folder`; `None` where there is nothing to go on from.
    /// Removes what was not finished.
    ///
    /// # Errors
    /// Where a file belongs to another experiment (it names what differs), is torn, or a history is
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
            next_history: 0,
            runs: Vec::new(),
            finished: archive.exists(),
            folder: folder.to_path_buf(),
            paths: Vec::new(),
            counts: Counts::default(),
            started_unix_s: None,
            lock: lock(folder)?,
        };
        file::remove_drafts(folder)?;
        if existing.finished {
            let opened = Opened::open_as(&archive, &[Content::Mission])?;
            let header = header::read(&opened.file, &archive)?;
            refuse(&archive, fingerprint, &header.fingerprint)?;
            if !opened.verified {
                MissionArchive::read(&archive)?;
                // Its rows are what they should be; only its digest was lost.
                checksum::write(&archive, &archive)?;
            }
            existing.next_history = header.histories;
            // The files that a finished archive was made from may have outlived a kill.
            fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
            return Ok(Some(existing));
        }
        file::remove_drafts(&segments)?;
        let paths = segment_paths(&segments)?;
        let Some(first) = paths.first() else { return Ok(None) };
        let (path, header) = running_header(first)?;
        refuse(&path, fingerprint, &header.fingerprint)?;
        for path in paths {
            let HistoryRead { run, .. } = read_history(&path, &header, existing.next_history)?;
            let RunInfo { started_unix_s, .. } = file::open(&path)
                .and_then(|file| read_run(&file))
                .map_err(Error::hdf5(&path, "read"))?;
            let first = existing.started_unix_s.unwrap_or(u64::MAX);
            existing.started_unix_s = Some(first.min(started_unix_s));
            existing.counts += Counts::of(&run);
            existing.next_history += 1;
            existing.runs.push(run.schemes);
            existing.paths.push(path);
        }
        Ok(Some(existing))
    }
}
