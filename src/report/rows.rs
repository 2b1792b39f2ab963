//! Rows of an archive as CSV, a line each, with names in place of codes.

use super::Error;
use crate::archive::mission::{MissionArchive, MissionRun};
use crate::archive::rows::{FaultRow, OutcomeRow};
use crate::archive::{Archive, Header};
use crate::engine::Decided;
use crate::fault::{FaultKind, Region};
use crate::mission::Restored;
use crate::outcome::Outcome;
use crate::words::field;
use std::io::Write;

/// A table of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum RowTable {
    /// Figures: one row a group of trials, or a figure of a mission.
    #[default]
    Figures,
    /// Events: every fault of a campaign with the outcome of its trial, every upset of a mission.
    Events,
    /// Outcomes: one row a trial and scheme of a campaign, an episode of a mission.
    Outcomes,
}

/// Lines of cells.
struct Lines<'w>(csv::Writer<&'w mut dyn Write>);

impl<'w> Lines<'w> {
    fn new(out: &'w mut dyn Write, head: &[&str]) -> Result<Self, Error> {
        let mut lines = Self(csv::Writer::from_writer(out));
        lines.line(head.iter().map(|name| (*name).to_owned()))?;
        Ok(lines)
    }

    fn line(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), Error> {
        let cells = cells.into_iter().map(|cell| field(&cell).into_owned());
        self.0.write_record(cells).map_err(|error| Error::Form(error.to_string()))
    }

    fn finish(mut self) -> Result<(), Error> {
        Ok(self.0.flush()?)
    }
}

/// A number, or nothing where it does not apply.
fn known(value: f64) -> String {
    if value.is_nan() { String::new() } else { value.to_string() }
}

/// An index, or nothing where it does not apply.
fn index(value: u64, none: u64) -> String {
    if value == none { String::new() } else { value.to_string() }
}

fn name_of<T: Copy>(all: &[T], code: impl Into<u64>, name: impl Fn(T) -> &'static str) -> String {
    let found = usize::try_from(code.into()).ok().and_then(|code| all.get(code));
    found.map_or("?", |of| name(*of)).to_owned()
}

/// Writes the faults of a campaign, each with the outcome of its trial.
///
/// # Errors
/// Where `out` cannot be written.
pub fn faults(archive: &Archive, out: &mut dyn Write) -> Result<(), Error> {
    let header = archive.header();
    let head = [
        "trial",
        "scheme",
        "stratum",
        "order",
        "time_s",
        "step",
        "inference",
        "region",
        "tensor",
        "index",
        "bit",
        "mask",
        "kind",
        "replica",
        "word_before",
        "word_after",
        "worst",
        "wrong",
    ];
    let mut lines = Lines::new(out, &head)?;
    let mut left = archive.faults();
    for outcome in archive.outcomes() {
        let of_trial =
            |fault: &FaultRow| (fault.trial, fault.scheme) == (outcome.trial, outcome.scheme);
        let count = left.iter().take_while(|fault| of_trial(fault)).count();
        let (struck, rest) = left.split_at(count);
        for fault in struck {
            lines.line(fault_cells(header, fault, outcome))?;
        }
        left = rest;
    }
    lines.finish()
}

fn scheme_name(header: &Header, scheme: u16) -> String {
    header.schemes.get(usize::from(scheme)).map_or("?", |of| of.name()).to_owned()
}

fn stratum_name(header: &Header, stratum: u16) -> String {
    header.strata.get(usize::from(stratum)).map_or("?", |of| of.name.as_str()).to_owned()
}

fn fault_cells(header: &Header, fault: &FaultRow, outcome: &OutcomeRow) -> [String; 18] {
    let region = Region::ALL.into_iter().find(|region| *region as u8 == fault.region);
    let bit = fault.mask.is_power_of_two().then(|| fault.mask.ilog2().to_string());
    [
        fault.trial.to_string(),
        scheme_name(header, fault.scheme),
        stratum_name(header, outcome.stratum),
        fault.order.to_string(),
        fault.time_s.to_string(),
        fault.step.to_string(),
        fault.inference.to_string(),
        region.map_or("?", Region::name).to_owned(),
        region.map_or("?", |region| header.site(region, fault.tensor)).to_owned(),
        fault.index.to_string(),
        bit.unwrap_or_default(),
        format!("{:#010x}", fault.mask),
        name_of(&FaultKind::ALL, fault.kind, FaultKind::name),
        fault.replica.to_string(),
        format!("{:#010x}", fault.word_before),
        format!("{:#010x}", fault.word_after),
        name_of(&Outcome::ALL, outcome.worst, Outcome::name),
        outcome.wrong.to_string(),
    ]
}

/// Writes the outcomes of a campaign's trials.
///
/// # Errors
/// Where `out` cannot be written.
pub fn outcomes(archive: &Archive, out: &mut dyn Write) -> Result<(), Error> {
    let header = archive.header();
    let counts = Outcome::ALL.map(|outcome| outcome.name().replace('-', "_"));
    let mut head =
        vec!["trial", "scheme", "stratum", "worst", "wrong", "decided", "faults", "inferences"];
    head.extend(counts.iter().map(String::as_str));
    head.extend([
        "alarm_raised",
        "non_finite",
        "label_correct",
        "averted",
        "retries",
        "reloads",
        "scrub_repaired",
        "scrub_uncorrectable",
        "time_to_critical_s",
        "censored",
        "events_needed",
    ]);
    let mut lines = Lines::new(out, &head)?;
    for row in archive.outcomes() {
        let names = [
            row.trial.to_string(),
            scheme_name(header, row.scheme),
            stratum_name(header, row.stratum),
            name_of(&Outcome::ALL, row.worst, Outcome::name),
            row.wrong.to_string(),
            name_of(&Decided::ALL, row.decided, Decided::name),
        ];
        let sums = [row.faults, row.inferences].into_iter().chain(row.counts()).chain([
            row.alarm_raised,
            row.non_finite,
            row.label_correct,
            row.averted,
            row.retries,
            row.reloads,
            row.scrub_repaired,
            row.scrub_uncorrectable,
        ]);
        let needed =
            if row.events_needed == 0 { String::new() } else { row.events_needed.to_string() };
        let rest = [row.time_to_critical_s.to_string(), row.censored.to_string(), needed];
        lines.line(names.into_iter().chain(sums.map(|sum| sum.to_string())).chain(rest))?;
    }
    lines.finish()
}

/// Writes the upsets of a mission.
///
/// # Errors
/// Where `out` cannot be written.
pub fn upsets(archive: &MissionArchive, out: &mut dyn Write) -> Result<(), Error> {
    let head = [
        "history",
        "id",
        "time_s",
        "latitude_deg",
        "longitude_deg",
        "local_time_h",
        "in_saa",
        "place",
        "what",
        "device",
        "mode",
        "shape",
        "persistence",
        "entries",
        "flipped_bits",
        "first_entry",
        "first_bit",
        "bank",
        "row",
    ];
    let mut lines = Lines::new(out, &head)?;
    let header = &archive.header;
    for row in archive.runs.iter().flat_map(|run| &run.upsets) {
        let mode = header.mode(row);
        let persistence = ["transient", "stuck", "weak"];
        lines.line([
            row.history.to_string(),
            row.id.to_string(),
            row.time_s.to_string(),
            known(row.latitude_deg),
            known(row.longitude_deg),
            known(row.local_time_h),
            row.in_saa.to_string(),
            row.place.to_string(),
            row.what().to_owned(),
            mode.map_or_else(String::new, |mode| mode.device.clone()),
            mode.map_or_else(String::new, |mode| mode.mode.clone()),
            header.shape(row).unwrap_or_default().to_owned(),
            persistence.get(usize::from(row.persistence)).copied().unwrap_or_default().to_owned(),
            row.entries.to_string(),
            row.flipped_bits.to_string(),
            index(row.first_entry, u64::MAX),
            index(row.first_bit, u64::MAX),
            index(row.bank.into(), u32::MAX.into()),
            index(row.row.into(), u32::MAX.into()),
        ])?;
    }
    lines.finish()
}

/// Writes the episodes of a mission.
///
/// # Errors
/// Where `out` cannot be written.
pub fn episodes(archive: &MissionArchive, out: &mut dyn Write) -> Result<(), Error> {
    let counts = Outcome::ALL.map(|outcome| outcome.name().replace('-', "_"));
    let mut head = vec![
        "history",
        "scheme",
        "cause",
        "upset",
        "upsets",
        "copy",
        "start_s",
        "first_effect_s",
        "first_critical_s",
        "end_s",
        "ended",
        "worst",
    ];
    head.extend(counts.iter().map(String::as_str));
    let mut lines = Lines::new(out, &head)?;
    for MissionRun { history, schemes, .. } in &archive.runs {
        for (of, name) in schemes.iter().zip(&archive.header.schemes) {
            for episode in &of.episodes {
                let cells = [
                    history.to_string(),
                    name.name.clone(),
                    episode.cause.name().to_owned(),
                    episode.upset.to_string(),
                    episode.upsets.to_string(),
                    index(episode.copy, u64::MAX),
                    episode.start_s.to_string(),
                    episode.first_effect_s.map_or_else(String::new, known),
                    episode.first_critical_s.map_or_else(String::new, known),
                    episode.end_s.to_string(),
                    Restored::name(episode.ended).to_owned(),
                    episode.worst().name().to_owned(),
                ];
                let counts = episode.outcomes.iter().map(u64::to_string);
                lines.line(cells.into_iter().chain(counts))?;
            }
        }
    }
    lines.finish()
}
