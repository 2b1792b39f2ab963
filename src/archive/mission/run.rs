//! One history as the archive keeps it.

use super::rows::UpsetRow;
use super::schema::MissionHeader;
use crate::mission::run::HistoryRun;
use crate::mission::{Plan, SchemeHistory};

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
