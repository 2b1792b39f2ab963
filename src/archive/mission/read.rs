//! A mission's archive, read and checked.

use super::segment::{Histories, MissionRun};
use super::{Closing, MissionHeader, flaw};
use crate::archive::Error;
use crate::archive::file::take_json;
use crate::archive::store::{Read, SUMMARY, read};
use crate::mission::SchemeHistory;
use crate::mission::figures::{SchemeFigures, figures};
use std::path::Path;

/// A mission's archive, read: all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MissionArchive {
    /// What it says of its mission.
    pub header: MissionHeader,
    /// Whether the mission has finished; of a running one there are the histories so far, of a part its own.
    pub finished: bool,
    /// Whether a digest beside each of its files says that it is as it was written.
    pub verified: bool,
    /// The histories, from 0; of a part from its first.
    pub runs: Vec<MissionRun>,
    /// What they come to. The figures follow from the histories; the other tables are empty until
    /// the mission has finished.
    pub closing: Closing,
}

impl MissionArchive {
    /// Reads `path`: a results folder (running or finished) or a file.
    ///
    /// # Errors
    /// Where there is no archive, it is that of a campaign, or a file is torn, foreign, missing or
    /// of another experiment than the rest.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let Read { header, rows, finished, verified, share, file } = read::<Histories>(path)?;
        let runs: Vec<MissionRun> = rows.runs.into_iter().map(|(run, _)| run).collect();
        let mut closing = Closing::default();
        if let Some((file, path)) = file {
            closing = take_json(&file, SUMMARY).map_err(Error::hdf5(&path, "read"))?;
            flaw::closing(&closing, &header).map_err(Error::flaw(&path))?;
        }
        closing.figures = figures_of(&header, &runs);
        let finished = finished && share.is_none();
        Ok(Self { header, finished, verified, runs, closing })
    }
}

fn figures_of(header: &MissionHeader, runs: &[MissionRun]) -> Vec<SchemeFigures> {
    let schemes: Vec<Vec<SchemeHistory>> = runs.iter().map(|run| run.schemes.clone()).collect();
    figures(&header.facts, &schemes)
}
