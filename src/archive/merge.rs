//! Segments become one archive: their rows in order, and the summary that follows from them.

use super::file::{self, set};
use super::header;
use super::kind::Content;
use super::schema::Header;
use super::segment::{RunInfo, SegmentFile, Tables, write_run};
use super::summary::{Summary, Tallies};
use super::{ARCHIVE_FILE, Error, summary_rows};
use hdf5::File;
use std::path::{Path, PathBuf};

/// Writes `folder/archive.h5` from segments, which must follow each other from trial 0.
pub(super) fn merge(
    folder: &Path,
    header: &Header,
    segments: &[SegmentFile],
    run: &RunInfo,
) -> Result<PathBuf, Error> {
    let path = folder.join(ARCHIVE_FILE);
    refuse_gaps(segments)?;
    let started = segments.iter().map(|segment| segment.run.started_unix_s);
    let run =
        RunInfo { started_unix_s: started.min().unwrap_or(run.started_unix_s), ..run.clone() };
    file::write_whole(&path, |to| write(to, &path, header, segments, &run))?;
    Ok(path)
}

fn write(
    to: &File,
    path: &Path,
    header: &Header,
    segments: &[SegmentFile],
    run: &RunInfo,
) -> Result<(), Error> {
    let fail = |source| Error::hdf5(path, "written")(source);
    let summary = write_rows(to, path, header, segments)?;
    let trials: u64 = segments.iter().map(|segment| segment.trials).sum();
    summary_rows::write(to, &summary)
        .and_then(|()| write_run(to, run))
        .and_then(|()| set(to, "trials", &trials))
        .map_err(fail)
}

/// Refuses segments that do not follow each other from trial 0.
pub(super) fn refuse_gaps(segments: &[SegmentFile]) -> Result<(), Error> {
    let mut next_trial = 0;
    for segment in segments {
        if segment.first_trial != next_trial {
            let expected = format!("a segment before it that begins with trial {next_trial}");
            let found = "none; remove this segment and those after it to run their trials again";
            return Err(Error::content(&segment.path, expected, found));
        }
        next_trial += segment.trials;
    }
    Ok(())
}

/// Writes header and rows, one segment in memory at a time, and gathers their summary.
fn write_rows(
    to: &File,
    path: &Path,
    header: &Header,
    segments: &[SegmentFile],
) -> Result<Summary, Error> {
    let fail = |source| Error::hdf5(path, "written")(source);
    let sum = |rows: fn(&SegmentFile) -> usize| segments.iter().map(rows).sum();
    header::write(to, Content::Archive, header).map_err(fail)?;
    let (faults, outcomes) = (sum(|s| s.faults), sum(|s| s.outcomes));
    let mut tables = Tables::create(to, faults, outcomes, sum(|s| s.timing)).map_err(fail)?;
    let mut tallies = Tallies::new(header);
    for about in segments {
        let (_, segment) = SegmentFile::read(&about.path, header)?;
        tables.push(&segment).map_err(fail)?;
        tallies.add(&segment.faults, &segment.outcomes);
    }
    tables.finish().map_err(fail)?;
    Ok(tallies.finish())
}
