//! The files of a store: its header, and its segments one by one.

use super::{Stored, StoredHeader};
use crate::archive::file::{self, get, put_json, set, take_json};
use crate::archive::kind::{Content, Opened, Part};
use crate::archive::tables::Tables;
use crate::archive::{Error, Fingerprint};
use hdf5::File;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The file of what is common to all segments, beside them.
pub(in crate::archive) const HEADER_FILE: &str = "header.h5";
/// The dataset of the header, as JSON.
pub(super) const HEADER: &str = "json/header";
/// The dataset of the summary, likewise.
pub(in crate::archive) const SUMMARY: &str = "json/summary";
/// The dataset of the fingerprint in a segment, likewise.
const FINGERPRINT: &str = "json/fingerprint";

/// When and where a run was, beside its results.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunInfo {
    /// Seconds since 1970, UTC, when the run started.
    started_unix_s: u64,
    /// Likewise, when the file was written.
    written_unix_s: u64,
    /// The machine's name.
    host: String,
}

impl RunInfo {
    /// Of a run that started then and writes now.
    pub(super) fn now(started_unix_s: u64) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname");
        let host = host.map(|name| name.trim().to_owned());
        Self {
            started_unix_s,
            written_unix_s: unix_seconds(),
            host: host.or_else(|_| std::env::var("HOSTNAME")).unwrap_or_default(),
        }
    }

    pub(super) fn write(&self, to: &File) -> hdf5::Result<()> {
        let at = file::group(to, "run")?;
        set(&at, "started_unix_s", &self.started_unix_s)?;
        set(&at, "written_unix_s", &self.written_unix_s)?;
        file::set_text(&at, "host", &self.host)
    }

    fn started(from: &File) -> hdf5::Result<u64> {
        Self::times(from).map(|(started, _)| started)
    }

    /// When the run started, and when the file was written.
    pub(super) fn times(from: &File) -> hdf5::Result<(u64, u64)> {
        let at = from.group("run")?;
        Ok((get(&at, "started_unix_s")?, get(&at, "written_unix_s")?))
    }
}

/// Seconds since 1970, UTC.
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What a segment's file says of itself, without its rows.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    pub(super) path: PathBuf,
    pub(super) stretch: (u64, u64),
    pub(super) sizes: Vec<usize>,
    pub(super) started_unix_s: u64,
    /// Whether a digest beside it says that it is as it was written.
    pub(super) verified: bool,
}

/// The name of the file of the segment that begins with this trial or history.
fn segment_name(first: u64) -> String {
    format!("seg-{first:012}.h5")
}

/// The segments' files of a folder, in order of what they begin with.
pub(in crate::archive) fn segment_paths(segments: &Path) -> Result<Vec<PathBuf>, Error> {
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

pub(super) fn write_segment<S: Stored>(
    folder: &Path,
    header: &S::Header,
    segment: S,
    started_unix_s: u64,
) -> Result<SegmentFile, Error> {
    let stretch = segment.stretch();
    let path = folder.join(segment_name(stretch.0));
    segment.check(header).map_err(Error::flaw(&path))?;
    let rows = segment.into_rows();
    let write = |to: &File| {
        start::<S>(to, Part::Segment, header)?;
        put_json(&file::group(to, "json")?, "fingerprint", header.fingerprint())?;
        set_stretch::<S>(to, stretch)?;
        let mut open = S::Rows::create(to, &rows.sizes())?;
        rows.push(&mut open)?;
        S::Rows::finish(open)?;
        RunInfo::now(started_unix_s).write(to)
    };
    file::write_whole(&path, |to| write(to).map_err(Error::hdf5(&path, "written")))?;
    tracing::debug!(path = %path.display(), first = stretch.0, count = stretch.1, "segment written");
    Ok(SegmentFile { path, stretch, sizes: rows.sizes(), started_unix_s, verified: true })
}

/// Reads a segment's file and checks that it is whole, of this experiment, and its rows what they
/// should be.
pub(super) fn read_segment<S: Stored>(
    path: &Path,
    header: &S::Header,
) -> Result<(SegmentFile, S), Error> {
    let Opened { file, verified, .. } = Opened::segment(path, Content::of(S::KIND, Part::Segment))?;
    let fail = |source| Error::hdf5(path, "read")(source);
    let theirs: Fingerprint = take_json(&file, FINGERPRINT).map_err(fail)?;
    refuse_other::<S>(path, header.fingerprint(), &theirs)?;
    let stretch = take_stretch::<S>(&file).map_err(fail)?;
    let rows = S::Rows::read(&file, path)?;
    let about = SegmentFile {
        path: path.to_path_buf(),
        stretch,
        sizes: rows.sizes(),
        started_unix_s: RunInfo::started(&file).map_err(fail)?,
        verified,
    };
    Ok((about, S::of_rows(rows, stretch, header, path)?))
}

pub(super) fn set_stretch<S: Stored>(to: &File, (first, count): (u64, u64)) -> hdf5::Result<()> {
    let [one, several] = S::COUNTED;
    set(to, &format!("first_{one}"), &first)?;
    set(to, several, &count)
}

pub(super) fn take_stretch<S: Stored>(from: &File) -> hdf5::Result<(u64, u64)> {
    let [one, several] = S::COUNTED;
    ends((get(from, &format!("first_{one}"))?, get(from, several)?))
}

/// A stretch whose end can be counted.
fn ends((first, count): (u64, u64)) -> hdf5::Result<(u64, u64)> {
    let end = first.checked_add(count);
    let refusal =
        || file::unexpected("a stretch that ends below 2^64", format!("{count} from {first}"));
    end.map(|_| (first, count)).ok_or_else(refusal)
}

/// Writes what every file begins with.
fn start<S: Stored>(to: &File, part: Part, header: &S::Header) -> hdf5::Result<()> {
    let (version, commit) = header.program();
    Content::of(S::KIND, part).write(to, version, commit)
}

/// Writes the header of a store; `share` is its stretch where it is a part of a whole.
pub(super) fn write_header<S: Stored>(
    to: &File,
    part: Part,
    header: &S::Header,
    share: Option<(u64, u64)>,
) -> hdf5::Result<()> {
    start::<S>(to, part, header)?;
    if let Some((first, count)) = share {
        set(to, "part_first", &first)?;
        set(to, "part_count", &count)?;
    }
    put_json(&file::group(to, "json")?, "header", header)?;
    header.put_series(to)
}

pub(super) fn read_header<S: Stored>(from: &File, path: &Path) -> Result<S::Header, Error> {
    let read = || {
        let mut header: S::Header = take_json(from, HEADER)?;
        header.take_series(from)?;
        Ok(header)
    };
    let header = read().map_err(Error::hdf5(path, "read"))?;
    header.check().map_err(Error::flaw(path))?;
    Ok(header)
}

/// The stretch of a store that is a part of a whole.
fn take_share(from: &File) -> hdf5::Result<Option<(u64, u64)>> {
    if from.attr("part_first").is_err() {
        return Ok(None);
    }
    ends((get(from, "part_first")?, get(from, "part_count")?)).map(Some)
}

/// Refuses a file of another experiment.
pub(super) fn refuse_other<S: Stored>(
    path: &Path,
    ours: &Fingerprint,
    theirs: &Fingerprint,
) -> Result<(), Error> {
    let mut differing = ours.differing(theirs);
    // What a fingerprint calls its campaign is the mission in a mission's.
    for part in differing.iter_mut().filter(|part| **part == "campaign") {
        *part = S::KIND.name();
    }
    let path = path.to_path_buf();
    if differing.is_empty() { Ok(()) } else { Err(Error::Fingerprint { path, differing }) }
}

/// Refuses a segment that does not follow the one before it, or has the name of another.
pub(super) fn refuse_gap<S: Stored>(segment: &SegmentFile, next: u64) -> Result<(), Error> {
    let [one, several] = S::COUNTED;
    let named = segment.path.file_name().is_some_and(|name| name == segment_name(next).as_str());
    if segment.stretch.0 == next && named {
        return Ok(());
    }
    let expected = format!("a segment before it that begins with {one} {next}");
    let found =
        format!("none; remove this segment and those after it to run their {several} again");
    Err(Error::content(&segment.path, expected, found))
}

/// A header, and the stretch of a store that is a part of a whole.
type Beside<S> = (<S as Stored>::Header, Option<(u64, u64)>);

/// The header of the running store that a segment's file is of, and its stretch where it is a part.
pub(super) fn header_beside<S: Stored>(segment: &Path) -> Result<Beside<S>, Error> {
    Opened::segment(segment, Content::of(S::KIND, Part::Segment))?;
    running_header::<S>(&segment.with_file_name(HEADER_FILE))
}

/// The header of a running store, and its stretch where it is a part.
pub(super) fn running_header<S: Stored>(path: &Path) -> Result<Beside<S>, Error> {
    let opened = Opened::segment(path, Content::of(S::KIND, Part::Header))?;
    let header = read_header::<S>(&opened.file, path)?;
    let share = share_of::<S>(&opened.file, path, &header)?;
    Ok((header, share))
}

/// The stretch of a store that is a part of a whole, within it.
pub(super) fn share_of<S: Stored>(
    from: &File,
    path: &Path,
    header: &S::Header,
) -> Result<Option<(u64, u64)>, Error> {
    let share = take_share(from).map_err(Error::hdf5(path, "read"))?;
    let total = S::total(header);
    if let Some((first, count)) = share.filter(|(first, count)| first + count > total) {
        let expected = format!("a part of {total} {}", S::COUNTED[1]);
        return Err(Error::content(path, expected, format!("{count} from {first}")));
    }
    Ok(share)
}
