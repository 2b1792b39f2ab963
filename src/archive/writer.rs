//! The writer of a running campaign.

use super::kind::{Content, own_file, own_folder};
use super::merge::merge;
use super::resume::Existing;
use super::schema::Header;
use super::segment::{RunInfo, Segment, SegmentFile};
use super::thread::{Files, OnThread};
use super::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER, file, flaw, header};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a campaign's segments, on a thread of its own. Dropping it writes what was sent and keeps
/// the segments.
#[derive(Debug)]
pub struct Writer(OnThread<Segments>);

impl Writer {
    /// Starts to write a new campaign's segments into `folder/segments/`.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds results already.
    pub fn start(folder: &Path, header: Header) -> Result<Self, Error> {
        let lock = lock(folder)?;
        refuse_results(folder)?;
        let archive = folder.join(ARCHIVE_FILE);
        flaw::header(&header).map_err(Error::flaw(&archive))?;
        file::rehearse(&archive, |to| header::write(to, Content::Segment, &header))?;
        Self::spawn(folder, header, lock, Vec::new())
    }

    /// Goes on where an earlier run ended.
    ///
    /// # Errors
    /// Where the earlier run has finished, or the folder cannot be written.
    pub fn resume(existing: Existing, header: Header) -> Result<Self, Error> {
        if existing.finished {
            return Err(Error::Occupied { path: existing.folder });
        }
        Self::spawn(&existing.folder, header, existing.lock, existing.segments)
    }

    fn spawn(
        folder: &Path,
        header: Header,
        lock: fs::File,
        segments: Vec<SegmentFile>,
    ) -> Result<Self, Error> {
        let files = Segments {
            folder: folder.to_path_buf(),
            next_trial: segments.last().map_or(0, |last| last.first_trial + last.trials),
            header,
            segments,
            started_unix_s: unix_seconds(),
            _lock: lock,
        };
        OnThread::start(files, folder).map(Self)
    }

    /// Hands a segment over; waits while the disk is behind. Segments come in order.
    ///
    /// # Errors
    /// What went wrong with this or an earlier segment: the writer has then stopped for good.
    pub fn send(&mut self, segment: Segment) -> Result<(), Error> {
        self.0.send(segment)
    }

    /// Writes what was sent and keeps the segments: the campaign can be resumed.
    ///
    /// # Errors
    /// What went wrong with a segment.
    pub fn stop(self) -> Result<(), Error> {
        self.0.stop()
    }

    /// Writes what was sent, makes one archive of all segments and removes them. Gives its path.
    ///
    /// # Errors
    /// What went wrong with a segment or the archive; the segments are then still there.
    pub fn finish(self) -> Result<PathBuf, Error> {
        self.0.finish(())
    }
}

/// The segments of a running campaign.
#[derive(Debug)]
struct Segments {
    folder: PathBuf,
    header: Header,
    segments: Vec<SegmentFile>,
    next_trial: u64,
    started_unix_s: u64,
    _lock: fs::File,
}

impl Files for Segments {
    type Part = Segment;
    type Closing = ();

    fn write(&mut self, mut segment: Segment) -> Result<(), Error> {
        let folder = self.folder.join(SEGMENTS_FOLDER);
        if segment.first_trial != self.next_trial || segment.trials == 0 {
            let expected = format!("a segment that begins with trial {}", self.next_trial);
            let found = format!("{} trials from {}", segment.trials, segment.first_trial);
            return Err(Error::content(&folder, expected, found));
        }
        segment.sort();
        let written = segment.write(&folder, &self.header, &run_info(self.started_unix_s))?;
        self.next_trial += segment.trials;
        self.segments.push(written);
        Ok(())
    }

    fn finish(self, (): ()) -> Result<PathBuf, Error> {
        let path =
            merge(&self.folder, &self.header, &self.segments, &run_info(self.started_unix_s))?;
        let segments = self.folder.join(SEGMENTS_FOLDER);
        fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
        Ok(path)
    }
}

/// Refuses a folder that holds results.
pub(super) fn refuse_results(folder: &Path) -> Result<(), Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    if folder.join(ARCHIVE_FILE).exists() || !segment_paths(&segments)?.is_empty() {
        return Err(Error::Occupied { path: folder.to_path_buf() });
    }
    Ok(())
}

/// When and where a run is that started then and writes now.
pub(super) fn run_info(started_unix_s: u64) -> RunInfo {
    RunInfo {
        started_unix_s,
        written_unix_s: unix_seconds(),
        host: fs::read_to_string("/proc/sys/kernel/hostname")
            .map(|name| name.trim().to_owned())
            .or_else(|_| std::env::var("HOSTNAME"))
            .unwrap_or_default(),
    }
}

/// Seconds since 1970, UTC.
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Makes the folder of segments and holds its lock, so that a second run is refused. The lock goes
/// with the process, however it ends.
pub(super) fn lock(folder: &Path) -> Result<fs::File, Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    own_folder(&segments)?;
    fs::create_dir_all(&segments).map_err(Error::io(&segments, "made"))?;
    let path = segments.join("lock");
    own_file(&path)?;
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(Error::io(&path, "written"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Locked { path: folder.to_path_buf() }),
        Err(fs::TryLockError::Error(error)) => Err(Error::io(&path, "locked")(error)),
    }
}

/// What `find` finds in `folder`. Where it refuses, a folder of segments that it made for its lock
/// is gone again.
pub(super) fn without_trace<T>(
    folder: &Path,
    find: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    let before = segments.exists();
    let found = find();
    if !before && found.as_ref().is_err_and(|error| !matches!(error, Error::Locked { .. })) {
        // The lock alone can stand there; what else does, another made.
        let _ = fs::remove_file(segments.join("lock"));
        let _ = fs::remove_dir(&segments);
    }
    found
}

/// The segments' files of a folder, in order of their first trial.
pub(super) fn segment_paths(segments: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(segments).map_err(Error::io(segments, "read"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io(segments, "read"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if name.starts_with("seg-") && name.ends_with(".h5") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
