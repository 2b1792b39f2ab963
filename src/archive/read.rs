//! A campaign's archive, read and checked.

use super::Error;
use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::Header;
use super::segment::Segment;
use super::store::{Read, read};
use super::summary::{Summary, summarise};
use std::path::Path;

/// An archive, read and checked: its header, and its rows in order of trial, scheme and order of
/// striking.
#[derive(Clone, Debug)]
pub struct Archive {
    header: Header,
    rows: Segment,
    finished: bool,
    verified: bool,
    share: Option<(u64, u64)>,
}

impl Archive {
    /// Opens `path`: a results folder (running or finished) or a file.
    ///
    /// # Errors
    /// Where there is no archive, or a file is torn, foreign or of another experiment than the rest.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let Read { header, rows, finished, verified, share, .. } = read::<Segment>(path)?;
        Ok(Self { header, rows, finished: finished && share.is_none(), verified, share })
    }

    /// What it says of its campaign.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its first trial and its trials, where it is a part of a campaign.
    pub const fn part(&self) -> Option<(u64, u64)> {
        self.share
    }

    /// Whether the campaign has finished; a part of one has not.
    pub const fn finished(&self) -> bool {
        self.finished
    }

    /// Whether a digest beside each of its files says that it is as it was written.
    pub const fn verified(&self) -> bool {
        self.verified
    }

    /// Every fault.
    pub fn faults(&self) -> &[FaultRow] {
        &self.rows.faults
    }

    /// One row a trial and scheme.
    pub fn outcomes(&self) -> &[OutcomeRow] {
        &self.rows.outcomes
    }

    /// The measured times.
    pub fn timing(&self) -> &[TimingRow] {
        &self.rows.timing
    }

    /// The figures that follow from the rows.
    pub fn summary(&self) -> Summary {
        summarise(&self.header, self.faults(), self.outcomes())
    }
}
