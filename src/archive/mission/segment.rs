//! A segment of a mission: histories that follow one another, with their rows.

use super::history_rows::{ChangeRow, EpisodeRow, HistoryRow, SchemeRows, SumsRow};
use super::loss_rows::{AwayRow, ReplacedRow};
use super::rows::{PERSISTENCE_NAMES, UpsetRow, WHAT_NAMES};
use super::{Closing, MissionHeader, flaw};
use crate::archive::Error;
use crate::archive::columns::{Descriptions, show};
use crate::archive::file::{group, put_json, set_names};
use crate::archive::flaw::{Flaw, counts};
use crate::archive::kind::ArchiveKind;
use crate::archive::store::{SUMMARY, Stored};
use crate::archive::tables::{Tables, tables};
use crate::mission::figures::SchemeFigures;
use crate::mission::fleet::FleetPoint;
use crate::mission::run::HistoryRun;
use crate::mission::strata::{Expected, Share, Stratum};
use crate::mission::sweep::Point;
use crate::mission::{Cause, Plan, Restored, SchemeHistory, Why};
use crate::outcome::Outcome;
use hdf5::{File, H5Type};
use schemars::JsonSchema;
use std::path::Path;

/// One history under every scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct MissionRun {
    /// Its number.
    pub history: u64,
    /// Where on its track it began, in seconds.
    pub start_s: f64,
    /// What happened: where it fell, without the single bits.
    pub upsets: Vec<UpsetRow>,
    /// What became of it, by scheme.
    pub schemes: Vec<SchemeHistory>,
}

impl MissionRun {
    /// A history of `plan`, whose archive has this header.
    pub fn of(header: &MissionHeader, plan: &Plan, run: &HistoryRun) -> Self {
        let row = |upset| UpsetRow::of(header, plan, run.history, upset);
        Self {
            history: run.history,
            start_s: run.start_s,
            upsets: run.upsets.iter().map(row).collect(),
            schemes: run.schemes.clone(),
        }
    }
}

/// A row of `/timing`.
#[derive(H5Type, bytemuck::NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct TimeRow {
    /// The history.
    pub history: u64,
    /// Measured seconds since the history before it, or since the run began.
    pub seconds: f64,
}

tables! {
    /// The rows of a mission.
    pub struct Rows / OpenRows {
        histories: HistoryRow = "histories", "One row a history";
        upsets: UpsetRow = "upsets", "Every event, the same for every scheme";
        episodes: EpisodeRow = "episodes", "From an upset to the cleared state";
        changes: ChangeRow = "changes", "Every change of the state of memory";
        away: AwayRow = "away", "Resets, restarts and the time away";
        replaced: ReplacedRow = "replaced", "Rows and pages replaced";
        schemes: SumsRow = "schemes", "One row a history and scheme";
        timing: TimeRow = "timing", "Measured times; they differ from run to run";
    }
}

/// Histories that follow one another, each with the seconds that it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histories {
    /// The first.
    pub first: u64,
    /// The histories, and what each took in measured seconds.
    pub runs: Vec<(MissionRun, f64)>,
}

impl From<(MissionRun, f64)> for Histories {
    fn from(run: (MissionRun, f64)) -> Self {
        Self { first: run.0.history, runs: vec![run] }
    }
}

impl Stored for Histories {
    const KIND: ArchiveKind = ArchiveKind::Mission;
    const COUNTED: [&'static str; 2] = ["history", "histories"];

    type Header = MissionHeader;
    type Rows = Rows;
    type Given = Closing;
    type Gathered<'h> = ();

    fn stretch(&self) -> (u64, u64) {
        (self.first, self.runs.len() as u64)
    }

    fn sort(&mut self) {}

    fn check(&self, header: &MissionHeader) -> Result<(), Flaw> {
        for (at, (run, seconds)) in (self.first..).zip(&self.runs) {
            if run.history != at || run.schemes.len() != header.schemes.len() {
                let expected = format!("history {at} under {} schemes", header.schemes.len());
                let found = format!("history {} under {}", run.history, run.schemes.len());
                return Err(Flaw::new(expected, found));
            }
            flaw::history(run, header)?;
            if !counts(*seconds) {
                return Err(Flaw::new(format!("seconds that history {at} took"), seconds));
            }
        }
        flaw::totals(&self.runs)
    }

    fn into_rows(self) -> Rows {
        let mut rows = Rows::default();
        for (run, seconds) in self.runs {
            let MissionRun { history, start_s, upsets, schemes } = run;
            let of = SchemeRows::of(history, &schemes);
            rows.histories.push(HistoryRow { history, start_s, upsets: upsets.len() as u64 });
            rows.upsets.extend(upsets);
            rows.episodes.extend(of.episodes);
            rows.changes.extend(of.changes);
            rows.away.extend(of.away);
            rows.replaced.extend(of.replaced);
            rows.schemes.extend(of.sums);
            rows.timing.push(TimeRow { history, seconds });
        }
        rows
    }

    fn of_rows(
        rows: Rows,
        (first, count): (u64, u64),
        header: &MissionHeader,
        path: &Path,
    ) -> Result<Self, Error> {
        let Rows { histories, upsets, episodes, changes, away, replaced, schemes, timing } = rows;
        let refuse = |expected: String, found: String| Error::content(path, expected, found);
        let found = [histories.len(), timing.len()].map(|rows| rows as u64);
        if found != [count; 2] {
            let expected = format!("{count} rows of histories and timing");
            return Err(refuse(expected, format!("{} and {}", found[0], found[1])));
        }
        let of = SchemeRows { sums: schemes, episodes, changes, away, replaced };
        let schemes = of.into_histories(path, &histories, header.schemes.len())?;
        let mut upsets = upsets.into_iter();
        let mut runs = Vec::with_capacity(histories.len());
        for ((at, (row, schemes)), time) in
            (first..).zip(histories.iter().zip(schemes)).zip(&timing)
        {
            if (row.history, time.history) != (at, at) {
                return Err(refuse(format!("history {at}"), format!("history {}", row.history)));
            }
            let count = usize::try_from(row.upsets).unwrap_or(usize::MAX);
            let of_history: Vec<UpsetRow> = upsets.by_ref().take(count).collect();
            if of_history.len() != count || of_history.iter().any(|upset| upset.history != at) {
                let expected = format!("{} upsets of history {at}", row.upsets);
                return Err(refuse(expected, "others".into()));
            }
            let run = MissionRun { history: at, start_s: row.start_s, upsets: of_history, schemes };
            runs.push((run, time.seconds));
        }
        if upsets.len() > 0 {
            let expected = format!("the upsets of {count} histories");
            return Err(refuse(expected, format!("{} more", upsets.len())));
        }
        let histories = Self { first, runs };
        histories.check(header).map_err(Error::flaw(path))?;
        Ok(histories)
    }

    fn name_codes(open: &<Rows as Tables>::Open, header: &MissionHeader) -> hdf5::Result<()> {
        let shapes: Vec<&str> = header.shapes.iter().map(String::as_str).collect();
        let restored = Restored::ALL.map(Restored::name);
        set_names(open.upsets.location(), "what_names", &WHAT_NAMES)?;
        set_names(open.upsets.location(), "shape_names", &shapes)?;
        set_names(open.upsets.location(), "persistence_names", &PERSISTENCE_NAMES)?;
        set_names(open.episodes.location(), "cause_names", &Cause::ALL.map(Cause::name))?;
        set_names(open.episodes.location(), "ended_names", &restored)?;
        set_names(open.episodes.location(), "worst_names", &Outcome::ALL.map(Outcome::name))?;
        set_names(open.changes.location(), "ended_names", &restored)?;
        set_names(open.away.location(), "why_names", &Why::ALL.map(Why::name))
    }

    fn gather(_: &MissionHeader) {}

    fn add_to(&self, (): &mut ()) {}

    fn summarise(to: &File, (): (), closing: Closing) -> hdf5::Result<()> {
        put_json(to, SUMMARY, &closing)?;
        let about = Descriptions::default()
            .with::<SchemeFigures>("figures")
            .with::<Stratum>("strata")
            .with::<Share>("strata_schemes")
            .with::<Expected>("expected")
            .with::<Point>("sweep")
            .with::<FleetPoint>("fleet");
        show(&group(to, "summary")?, &closing, &about)
    }

    fn total(header: &MissionHeader) -> u64 {
        header.histories
    }

    fn planned(header: &MissionHeader) -> Option<u64> {
        Some(header.histories)
    }
}
