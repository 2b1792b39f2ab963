//! Reading a store, running or finished, folder or file.

use super::Stored;
use super::segment::{
    header_beside, read_header, read_segment, refuse_gap, segment_paths, share_of, take_stretch,
};
use crate::archive::kind::{Content, Opened, Part};
use crate::archive::tables::Tables;
use crate::archive::{ARCHIVE_FILE, Error, SEGMENTS_FOLDER};
use hdf5::File;
use std::path::{Path, PathBuf};

/// A store that was read: its header, and its rows as one stretch.
pub(in crate::archive) struct Read<S: Stored> {
    pub(in crate::archive) header: S::Header,
    pub(in crate::archive) rows: S,
    pub(in crate::archive) finished: bool,
    pub(in crate::archive) verified: bool,
    /// Its stretch, where it is a part of a whole.
    pub(in crate::archive) share: Option<(u64, u64)>,
    /// The finished archive, for its summary.
    pub(in crate::archive) file: Option<(File, PathBuf)>,
}

/// Reads `path`: a results folder (running or finished) or a file.
///
/// # Errors
/// Where there is no archive, or a file is torn, foreign or of another experiment than the rest.
pub(in crate::archive) fn read<S: Stored>(path: &Path) -> Result<Read<S>, Error> {
    let (finished, segments) = (path.join(ARCHIVE_FILE), path.join(SEGMENTS_FOLDER));
    if path.is_file() {
        read_file(path)
    } else if finished.exists() {
        read_file(&finished)
    } else if segments.exists() {
        let read = read_segments(path, &segments);
        // A run may finish while its segments are being read.
        if read.is_err() && finished.exists() { read_file(&finished) } else { read }
    } else {
        Err(Error::Missing { path: path.to_path_buf() })
    }
}

pub(super) fn read_file<S: Stored>(path: &Path) -> Result<Read<S>, Error> {
    let expected = [Part::Whole, Part::Segment].map(|part| Content::of(S::KIND, part));
    let Opened { file, content, verified } = Opened::open_as(path, &expected)?;
    tracing::debug!(path = %path.display(), verified, "archive opened");
    if content.part == Part::Segment {
        let (header, share) = header_beside::<S>(path)?;
        let (_, rows) = read_segment(path, &header)?;
        return Ok(Read { header, rows, finished: false, verified, share, file: None });
    }
    let header = read_header::<S>(&file, path)?;
    let stretch = take_stretch::<S>(&file).map_err(Error::hdf5(path, "read"))?;
    let share = share_of::<S>(&file, path, &header)?;
    let [one, several] = S::COUNTED;
    if share.is_some_and(|share| share != stretch) {
        let expected = format!("{several} {share:?}");
        return Err(Error::content(path, expected, format!("{stretch:?}")));
    }
    let other = |planned: u64| planned != stretch.1;
    if share.is_none() && (stretch.0 != 0 || S::planned(&header).is_some_and(other)) {
        let expected = match S::planned(&header) {
            Some(planned) => format!("{planned} {several} from {one} 0"),
            None => format!("{several} from {one} 0"),
        };
        return Err(Error::content(path, expected, format!("{} from {}", stretch.1, stretch.0)));
    }
    let rows = S::of_rows(S::Rows::read(&file, path)?, stretch, &header, path)?;
    let file = Some((file, path.to_path_buf()));
    Ok(Read { header, rows, finished: true, verified, share, file })
}

fn read_segments<S: Stored>(folder: &Path, segments: &Path) -> Result<Read<S>, Error> {
    let paths = segment_paths(segments)?;
    let first = paths.first().ok_or_else(|| Error::Missing { path: folder.to_path_buf() })?;
    let (header, share) = header_beside::<S>(first)?;
    let (mut all, mut verified) = (Vec::new(), true);
    let begin = share.map_or(0, |(first, _)| first);
    let mut next = begin;
    for path in &paths {
        let (about, rows) = read_segment::<S>(path, &header)?;
        refuse_gap::<S>(&about, next)?;
        next += about.stretch.1;
        verified &= about.verified;
        all.push(rows);
    }
    let rows = S::Rows::joined(all.into_iter().map(Stored::into_rows));
    let rows = S::of_rows(rows, (begin, next - begin), &header, folder)?;
    Ok(Read { header, rows, finished: false, verified, share, file: None })
}
