//! Writing a store: segments while it runs, one archive at its end.

use super::existing::{Existing, lock, refuse_results};
use super::segment::{
    HEADER, HEADER_FILE, RunInfo, SegmentFile, read_segment, refuse_gap, set_stretch, unix_seconds,
    write_header, write_segment,
};
use super::{Stored, StoredHeader};
use crate::archive::file::{self, take_json};
use crate::archive::kind::Part;
use crate::archive::tables::Tables;
use crate::archive::thread::{Files, OnThread};
use crate::archive::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the segments of a running store, on a thread of its own. Dropping it writes what was sent and
/// keeps the segments: the run can be resumed.
#[derive(Debug)]
pub struct Writer<S: Stored>(OnThread<Segments<S>>);

impl<S: Stored> Writer<S> {
    /// Starts to write a new run's segments into `folder/segments/`.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds results already.
    pub fn start(folder: &Path, header: S::Header) -> Result<Self, Error> {
        Self::start_part(folder, header, None)
    }

    /// Likewise of a part of a whole: its first trial or history, and how many it has.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds results already.
    pub fn start_part(
        folder: &Path,
        header: S::Header,
        share: Option<(u64, u64)>,
    ) -> Result<Self, Error> {
        // Before the lock, which would leave a folder behind, and under it.
        refuse_results(folder)?;
        let lock = lock(folder)?;
        refuse_results(folder)?;
        let path = folder.join(SEGMENTS_FOLDER).join(HEADER_FILE);
        header.check().map_err(Error::flaw(&path))?;
        // What the end would refuse is refused now, when there is nothing to lose.
        file::rehearse(&folder.join(ARCHIVE_FILE), |to| {
            write_header::<S>(to, Part::Whole, &header, share)?;
            header.show(to)?;
            let mut read: S::Header = take_json(to, HEADER)?;
            read.take_series(to)?;
            let lost = || file::unexpected("the header as it was written", "another one");
            if read == header { Ok(()) } else { Err(lost()) }
        })?;
        file::write_whole(&path, |to| {
            write_header::<S>(to, Part::Header, &header, share)
                .map_err(Error::hdf5(&path, "written"))
        })?;
        Self::spawn(Segments {
            folder: folder.to_path_buf(),
            header,
            share,
            segments: Vec::new(),
            started_unix_s: unix_seconds(),
            _lock: lock,
        })
    }

    /// Goes on where an earlier run ended.
    ///
    /// # Errors
    /// Where the earlier run has finished, or the folder cannot be written.
    pub fn resume(existing: Existing<S>, header: S::Header) -> Result<Self, Error> {
        if existing.finished {
            return Err(Error::Occupied { path: existing.folder });
        }
        let started = existing.segments.iter().map(|segment| segment.started_unix_s).min();
        Self::spawn(Segments {
            folder: existing.folder,
            header,
            share: existing.share,
            segments: existing.segments,
            started_unix_s: started.unwrap_or_else(unix_seconds),
            _lock: existing.lock,
        })
    }

    fn spawn(files: Segments<S>) -> Result<Self, Error> {
        let folder = files.folder.clone();
        OnThread::start(files, &folder).map(Self)
    }

    /// Hands a segment over; waits while the disk is behind. Segments come in order.
    ///
    /// # Errors
    /// What went wrong with this or an earlier segment: the writer has then stopped for good.
    pub fn send(&mut self, segment: S) -> Result<(), Error> {
        self.0.send(segment)
    }

    /// Writes what was sent and keeps the segments: the run can be resumed.
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
    pub fn finish(self, given: S::Given) -> Result<PathBuf, Error> {
        self.0.finish(given)
    }
}

/// The segments of a running store.
#[derive(Debug)]
struct Segments<S: Stored> {
    folder: PathBuf,
    header: S::Header,
    share: Option<(u64, u64)>,
    segments: Vec<SegmentFile>,
    started_unix_s: u64,
    _lock: fs::File,
}

impl<S: Stored> Files for Segments<S> {
    type Part = S;
    type Closing = S::Given;

    fn write(&mut self, mut segment: S) -> Result<(), Error> {
        let folder = self.folder.join(SEGMENTS_FOLDER);
        let begin = self.share.map_or(0, |(first, _)| first);
        let next = self.segments.last().map_or(begin, |last| last.stretch.0 + last.stretch.1);
        let (first, count) = segment.stretch();
        if first != next || count == 0 {
            let [one, several] = S::COUNTED;
            let expected = format!("a segment that begins with {one} {next}");
            return Err(Error::content(
                &folder,
                expected,
                format!("{count} {several} from {first}"),
            ));
        }
        segment.sort();
        let written = write_segment(&folder, &self.header, segment, self.started_unix_s)?;
        self.segments.push(written);
        Ok(())
    }

    fn finish(self, given: S::Given) -> Result<PathBuf, Error> {
        let path = merge::<S>(&self, given)?;
        tracing::info!(path = %path.display(), segments = self.segments.len(), "archive written");
        let segments = self.folder.join(SEGMENTS_FOLDER);
        fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
        Ok(path)
    }
}

/// Writes `archive.h5` from segments, which must follow each other. One segment is in memory at a time.
fn merge<S: Stored>(store: &Segments<S>, given: S::Given) -> Result<PathBuf, Error> {
    let Segments { folder, header, share, segments, .. } = store;
    let path = folder.join(ARCHIVE_FILE);
    let fail = |source| Error::hdf5(&path, "written")(source);
    let first = share.map_or(0, |(first, _)| first);
    let mut next = first;
    for segment in segments {
        refuse_gap::<S>(segment, next)?;
        next += segment.stretch.1;
    }
    let done = next - first;
    let planned = share.map(|(_, count)| count).or_else(|| S::planned(header));
    if let Some(planned) = planned.filter(|planned| *planned != done) {
        let expected = format!("{planned} {}", S::COUNTED[1]);
        return Err(Error::content(folder, expected, format!("{done} of them")));
    }
    let mut sizes: Vec<usize> = Vec::new();
    for segment in segments {
        sizes.resize(segment.sizes.len(), 0);
        sizes.iter_mut().zip(&segment.sizes).for_each(|(sum, size)| *sum += size);
    }
    let started = segments.iter().map(|segment| segment.started_unix_s).min();
    file::write_whole(&path, |to| {
        write_header::<S>(to, Part::Whole, header, *share).map_err(fail)?;
        set_stretch::<S>(to, (first, done)).map_err(fail)?;
        let mut open = S::Rows::create(to, &sizes).map_err(fail)?;
        S::Rows::describe(&open).map_err(fail)?;
        S::name_codes(&open, header).map_err(fail)?;
        let mut gathered = S::gather(header);
        for segment in segments {
            let (_, rows) = read_segment::<S>(&segment.path, header)?;
            rows.add_to(&mut gathered);
            rows.into_rows().push(&mut open).map_err(fail)?;
        }
        S::Rows::finish(open).map_err(fail)?;
        header.show(to).map_err(fail)?;
        S::summarise(to, gathered, given).map_err(fail)?;
        RunInfo::now(started.unwrap_or_else(unix_seconds)).write(to).map_err(fail)
    })?;
    Ok(path)
}
