//! The writer: one thread owns the files of a running campaign.
//!
//! Segments come through a bounded channel, so a slow disk slows the campaign and nothing is
//! dropped. What goes wrong on the thread surfaces on the next [`Writer::send`] or at the end.

use super::kind::{Content, own_file, own_folder};
use super::merge::merge;
use super::resume::Existing;
use super::schema::Header;
use super::segment::{RunInfo, Segment, SegmentFile};
use super::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER, file, header};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

/// Segments that may wait for the disk.
const WAITING_MAX: usize = 2;

/// What the thread is asked.
enum Order {
    /// Write this segment.
    Write(Segment),
    /// Make one archive of all segments.
    Finish,
}

/// The sending end of the writer's thread. Dropping it writes what was sent and keeps the segments.
#[derive(Debug)]
pub struct Writer {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<Result<PathBuf, Error>>>,
}

impl Writer {
    /// Starts to write a new campaign's segments into `folder/segments/`.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds results already.
    pub fn start(folder: &Path, header: Header) -> Result<Self, Error> {
        let lock = lock(folder)?;
        let segments = folder.join(SEGMENTS_FOLDER);
        if folder.join(ARCHIVE_FILE).exists() || !segment_paths(&segments)?.is_empty() {
            return Err(Error::Occupied { path: folder.to_path_buf() });
        }
        file::rehearse(&folder.join(ARCHIVE_FILE), |to| {
            header::write(to, Content::Segment, &header)
        })?;
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
        let (orders, received) = sync_channel(WAITING_MAX);
        let thread = Thread {
            folder: folder.to_path_buf(),
            next_trial: segments.last().map_or(0, |last| last.first_trial + last.trials),
            header,
            segments,
            started_unix_s: unix_seconds(),
            _lock: lock,
        };
        let builder = std::thread::Builder::new().name("archive".into());
        let thread = builder.spawn(move || thread.run(&received));
        let thread = thread.map_err(Error::io(folder, "given a writer's thread"))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Hands a segment to the writer; waits while the disk is behind. Segments come in order.
    ///
    /// # Errors
    /// What went wrong with this or an earlier segment: the writer has then stopped for good.
    pub fn send(&mut self, segment: Segment) -> Result<(), Error> {
        let sent = self.orders.as_ref().is_some_and(|to| to.send(Order::Write(segment)).is_ok());
        if sent { Ok(()) } else { self.join().and(Err(Error::WriterGone)) }
    }

    /// Writes what was sent and keeps the segments: the campaign can be resumed.
    ///
    /// # Errors
    /// What went wrong with a segment.
    pub fn stop(mut self) -> Result<(), Error> {
        self.join().map(|_| ())
    }

    /// Writes what was sent, makes one archive of all segments and removes them. Gives its path.
    ///
    /// # Errors
    /// What went wrong with a segment or the archive; the segments are then still there.
    pub fn finish(mut self) -> Result<PathBuf, Error> {
        if let Some(orders) = &self.orders {
            // A thread that has died says why when it is joined.
            let _ = orders.send(Order::Finish);
        }
        self.join()
    }

    fn join(&mut self) -> Result<PathBuf, Error> {
        self.orders = None;
        let thread = self.thread.take().ok_or(Error::WriterGone)?;
        thread.join().unwrap_or(Err(Error::WriterGone))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; what was sent is written all the same.
        let _ = self.join();
    }
}

struct Thread {
    folder: PathBuf,
    header: Header,
    segments: Vec<SegmentFile>,
    next_trial: u64,
    started_unix_s: u64,
    _lock: fs::File,
}

impl Thread {
    fn run(mut self, orders: &Receiver<Order>) -> Result<PathBuf, Error> {
        while let Ok(order) = orders.recv() {
            match order {
                Order::Write(segment) => self.write(segment)?,
                Order::Finish => return self.finish(),
            }
        }
        Ok(self.folder)
    }

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

    fn finish(self) -> Result<PathBuf, Error> {
        let path =
            merge(&self.folder, &self.header, &self.segments, &run_info(self.started_unix_s))?;
        let segments = self.folder.join(SEGMENTS_FOLDER);
        fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
        Ok(path)
    }
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
