//! The rows of histories in a file: one history in a file of its own, or all of a mission.

use super::super::Error;
use super::super::file::{LongTable, group, set_names, take_rows};
use super::super::flaw::counts;
use super::history_rows::{ChangeRow, EpisodeRow, HistoryRow, SchemeRows, SumsRow};
use super::loss_rows::{AwayRow, ReplacedRow};
use super::rows::{PERSISTENCE_NAMES, UpsetRow, WHAT_NAMES};
use super::{MissionHeader, MissionRun, flaw};
use crate::mission::{Cause, Restored, Why};
use crate::outcome::Outcome;
use hdf5::{File, H5Type};
use std::ops::AddAssign;
use std::path::Path;

const HISTORIES: &str = "histories";
const UPSETS: &str = "upsets";
const EPISODES: &str = "episodes";
const CHANGES: &str = "changes";
const AWAY: &str = "away";
const REPLACED: &str = "replaced";
const SUMS: &str = "schemes";
/// The group of measured times, and its table of histories.
pub(super) const TIMING: &str = "timing";
const TIMES: &str = "timing/histories";

/// A row of `/timing/histories`.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct TimeRow {
    pub(super) history: u64,
    /// Measured seconds since the history before it, or since the run began.
    pub(super) seconds: f64,
}

const _: () = assert!(size_of::<TimeRow>() == 16);

/// Rows of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    histories: usize,
    upsets: usize,
    episodes: usize,
    changes: usize,
    away: usize,
    replaced: usize,
    sums: usize,
}

impl Counts {
    /// Those of one history.
    pub(super) fn of(run: &MissionRun) -> Self {
        Self {
            histories: 1,
            upsets: run.upsets.len(),
            episodes: run.schemes.iter().map(|scheme| scheme.episodes.len()).sum(),
            changes: run.schemes.iter().map(|scheme| scheme.changes.len()).sum(),
            away: run.schemes.iter().map(|scheme| scheme.away.len()).sum(),
            replaced: run.schemes.iter().map(|scheme| scheme.replaced.len()).sum(),
            sums: run.schemes.len(),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.histories += more.histories;
        self.upsets += more.upsets;
        self.episodes += more.episodes;
        self.changes += more.changes;
        self.away += more.away;
        self.replaced += more.replaced;
        self.sums += more.sums;
    }
}

/// The tables of histories, open for writing.
pub(super) struct Tables {
    histories: LongTable<HistoryRow>,
    upsets: LongTable<UpsetRow>,
    episodes: LongTable<EpisodeRow>,
    changes: LongTable<ChangeRow>,
    away: LongTable<AwayRow>,
    replaced: LongTable<ReplacedRow>,
    sums: LongTable<SumsRow>,
    times: LongTable<TimeRow>,
}

impl Tables {
    /// Creates them for exactly so many rows.
    pub(super) fn create(
        to: &File,
        shapes: &[String],
        Counts { histories, upsets, episodes, changes, away, replaced, sums }: Counts,
    ) -> hdf5::Result<Self> {
        group(to, TIMING)?;
        let times = "Measured times; they differ from run to run";
        let tables = Self {
            histories: LongTable::create(to, HISTORIES, histories, "One row a history")?,
            upsets: LongTable::create(
                to,
                UPSETS,
                upsets,
                "Every event, the same for every scheme",
            )?,
            episodes: LongTable::create(
                to,
                EPISODES,
                episodes,
                "From an upset to the cleared state",
            )?,
            changes: LongTable::create(
                to,
                CHANGES,
                changes,
                "Every change of the state of memory",
            )?,
            away: LongTable::create(to, AWAY, away, "Resets, restarts and the time away")?,
            replaced: LongTable::create(to, REPLACED, replaced, "Rows and pages replaced")?,
            sums: LongTable::create(to, SUMS, sums, "One row a history and scheme")?,
            times: LongTable::create(to, TIMES, histories, times)?,
        };
        let shapes: Vec<&str> = shapes.iter().map(String::as_str).collect();
        let ended = Restored::ALL.map(Restored::name);
        set_names(tables.upsets.location(), "what_names", &WHAT_NAMES)?;
        set_names(tables.upsets.location(), "shape_names", &shapes)?;
        set_names(tables.upsets.location(), "persistence_names", &PERSISTENCE_NAMES)?;
        set_names(tables.episodes.location(), "cause_names", &Cause::ALL.map(Cause::name))?;
        set_names(tables.episodes.location(), "ended_names", &ended)?;
        set_names(tables.episodes.location(), "worst_names", &Outcome::ALL.map(Outcome::name))?;
        set_names(tables.changes.location(), "ended_names", &ended)?;
        set_names(tables.away.location(), "why_names", &Why::ALL.map(Why::name))?;
        Ok(tables)
    }

    /// Takes a history in, with what it took.
    pub(super) fn push(&mut self, run: &MissionRun, seconds: f64) -> hdf5::Result<()> {
        let MissionRun { history, start_s, .. } = *run;
        let rows = SchemeRows::of(history, &run.schemes);
        let upsets = run.upsets.len() as u64;
        self.histories.push(&[HistoryRow { history, start_s, upsets }])?;
        self.upsets.push(&run.upsets)?;
        self.episodes.push(&rows.episodes)?;
        self.changes.push(&rows.changes)?;
        self.away.push(&rows.away)?;
        self.replaced.push(&rows.replaced)?;
        self.sums.push(&rows.sums)?;
        self.times.push(&[TimeRow { history, seconds }])
    }

    /// Writes what is left.
    pub(super) fn finish(self) -> hdf5::Result<()> {
        self.histories.finish()?;
        self.upsets.finish()?;
        self.episodes.finish()?;
        self.changes.finish()?;
        self.away.finish()?;
        self.replaced.finish()?;
        self.sums.finish()?;
        self.times.finish()
    }
}

/// The histories of a file, which must be those from `first` on, each under every scheme.
pub(super) fn read(
    from: &File,
    path: &Path,
    header: &MissionHeader,
    first: u64,
) -> Result<Vec<(MissionRun, f64)>, Error> {
    let histories: Vec<HistoryRow> = take_rows(from, path, HISTORIES)?;
    let rows = SchemeRows {
        sums: take_rows(from, path, SUMS)?,
        episodes: take_rows(from, path, EPISODES)?,
        changes: take_rows(from, path, CHANGES)?,
        away: take_rows(from, path, AWAY)?,
        replaced: take_rows(from, path, REPLACED)?,
    };
    let times: Vec<TimeRow> = take_rows(from, path, TIMES)?;
    let schemes = rows.into_histories(path, &histories, header.schemes.len())?;
    let mut upsets = take_rows::<UpsetRow>(from, path, UPSETS)?.into_iter();
    let mut runs = Vec::with_capacity(histories.len());
    for ((at, (row, schemes)), time) in (first..).zip(histories.iter().zip(schemes)).zip(&times) {
        let lacks = |found: String| Error::content(path, format!("history {at}"), found);
        if (row.history, time.history) != (at, at) {
            return Err(lacks(format!("history {}", row.history)));
        }
        let count = usize::try_from(row.upsets).unwrap_or(usize::MAX);
        let of_history: Vec<UpsetRow> = upsets.by_ref().take(count).collect();
        if of_history.len() != count || of_history.iter().any(|upset| upset.history != at) {
            return Err(lacks(format!("upsets that are not its {}", row.upsets)));
        }
        let run = MissionRun { history: at, start_s: row.start_s, upsets: of_history, schemes };
        flaw::history(&run, header).map_err(Error::flaw(path))?;
        if !counts(time.seconds) {
            return Err(lacks(format!("measured in {} seconds", time.seconds)));
        }
        runs.push((run, time.seconds));
    }
    let (found, left) = (runs.len(), upsets.len());
    if found != histories.len() || times.len() != found || left > 0 {
        let expected = format!("{} histories and their rows", histories.len());
        return Err(Error::content(path, expected, format!("{found}, and {left} upsets more")));
    }
    flaw::totals(&runs).map_err(Error::flaw(path))?;
    Ok(runs)
}
