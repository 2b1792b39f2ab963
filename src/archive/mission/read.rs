//! Reading a mission's archive, running or finished, folder or file.

use super::super::header::read_fingerprint;
use super::super::kind::{Content, Opened};
use super::super::segment::refuse_other;
use super::super::writer::segment_paths;
use super::super::{ARCHIVE_FILE, Error, Fingerprint, SEGMENTS_FOLDER};
use super::{Closing, MissionArchive, MissionHeader, MissionRun, closing_rows, header, segment};
use crate::mission::SchemeHistory;
use crate::mission::figures::{SchemeFigures, figures};
use std::path::{Path, PathBuf};

/// The file of what is common to all histories, in the folder of a running mission's segments.
pub(super) const HEADER_FILE: &str = "header.h5";

impl MissionArchive {
    /// Reads `path`: a results folder (running or finished) or the file of a finished mission.
    ///
    /// # Errors
    /// Where there is no archive, it is that of a campaign, or a file is torn, foreign, missing or
    /// of another experiment than the rest.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let (finished, segments) = (path.join(ARCHIVE_FILE), path.join(SEGMENTS_FOLDER));
        if path.is_file() {
            Self::read_file(path)
        } else if finished.exists() {
            Self::read_file(&finished)
        } else if segments.exists() {
            let read = Self::read_segments(path, &segments);
            // A mission may finish while its histories are being read.
            if read.is_err() && finished.exists() { Self::read_file(&finished) } else { read }
        } else {
            Err(Error::Missing { path: path.to_path_buf() })
        }
    }

    fn read_file(path: &Path) -> Result<Self, Error> {
        let Opened { file, verified, .. } = Opened::open_as(path, &[Content::Mission])?;
        let header = header::read(&file, path)?;
        let runs = segment::read(&file, path, &header, 0)?;
        let runs: Vec<MissionRun> = runs.into_iter().map(|(run, _)| run).collect();
        if runs.len() as u64 != header.histories {
            let expected = format!("{} histories", header.histories);
            return Err(Error::content(path, expected, runs.len().to_string()));
        }
        let figures = figures_of(&header, &runs);
        let closing = Closing { figures, ..closing_rows::read(&file, path, &header)? };
        Ok(Self { header, finished: true, verified, runs, closing })
    }

    fn read_segments(folder: &Path, segments: &Path) -> Result<Self, Error> {
        let paths = segment_paths(segments)?;
        let Some(first) = paths.first() else {
            return Err(Error::Missing { path: folder.to_path_buf() });
        };
        let (_, header) = running_header(first)?;
        let (mut runs, mut verified) = (Vec::with_capacity(paths.len()), true);
        for (history, path) in (0..).zip(&paths) {
            let read = read_history(path, &header, history)?;
            verified &= read.verified;
            runs.push(read.run);
        }
        let figures = figures_of(&header, &runs);
        let closing = Closing { figures, ..Closing::default() };
        Ok(Self { header, finished: false, verified, runs, closing })
    }
}

/// The header of the running mission that a history's file is of, with its path.
pub(super) fn running_header(history: &Path) -> Result<(PathBuf, MissionHeader), Error> {
    Opened::open_segment(history, Content::History)?;
    let path = history.with_file_name(HEADER_FILE);
    let opened = Opened::open_segment(&path, Content::Header)?;
    let header = header::read(&opened.file, &path)?;
    Ok((path, header))
}

/// Refuses a file of another experiment; what a campaign's fingerprint calls its campaign is the
/// mission here.
pub(super) fn refuse(path: &Path, ours: &Fingerprint, theirs: &Fingerprint) -> Result<(), Error> {
    refuse_other(path, ours, theirs).map_err(|error| match error {
        Error::Fingerprint { path, mut differing } => {
            for part in differing.iter_mut().filter(|part| **part == "campaign") {
                *part = "mission";
            }
            Error::Fingerprint { path, differing }
        }
        error => error,
    })
}

fn figures_of(header: &MissionHeader, runs: &[MissionRun]) -> Vec<SchemeFigures> {
    let schemes: Vec<Vec<SchemeHistory>> = runs.iter().map(|run| run.schemes.clone()).collect();
    figures(&header.facts, &schemes)
}

/// One history, read from its file.
pub(super) struct HistoryRead {
    pub(super) run: MissionRun,
    /// What it took, measured.
    pub(super) seconds: f64,
    /// Whether a digest beside the file says that it is as it was written.
    pub(super) verified: bool,
}

/// The file of one history, which must be history `history` of this mission.
pub(super) fn read_history(
    path: &Path,
    header: &MissionHeader,
    history: u64,
) -> Result<HistoryRead, Error> {
    let Opened { file, verified, .. } = Opened::open_segment(path, Content::History)?;
    let theirs = read_fingerprint(&file).map_err(Error::hdf5(path, "read"))?;
    refuse(path, &header.fingerprint, &theirs)?;
    let named = path.file_name().is_some_and(|name| name == file_name(history).as_str());
    if !named {
        let expected = format!("{} before it", file_name(history));
        let found = "none; remove this history and those after it to run them again";
        return Err(Error::content(path, expected, found));
    }
    let runs = segment::read(&file, path, header, history)?;
    let count = runs.len();
    let one = runs.into_iter().next().filter(|_| count == 1);
    let one = one.map(|(run, seconds)| HistoryRead { run, seconds, verified });
    one.ok_or_else(|| Error::content(path, format!("history {history} alone"), count.to_string()))
}

/// The name of the file of one history.
pub(super) fn file_name(history: u64) -> String {
    format!("seg-{history:012}.h5")
}
