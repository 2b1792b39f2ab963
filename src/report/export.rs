//! The figures for another program: CSV, one row a group of trials, and JSON.

use super::{Error, Report};
use crate::archive::summary::Figures;
use crate::campaign::event::SIMULATED_BEAM;
use crate::fault::Region;
use crate::outcome::Outcome;
use crate::stats::Interval;
use crate::words::{self, field};
use std::io::Write;

const COLUMNS: [&str; 19] = [
    "breakdown",
    "scheme",
    "stratum",
    "region",
    "tensor",
    "bit",
    "trials",
    "wrong_trials",
    "wrong_probability",
    "clopper_pearson_low",
    "clopper_pearson_high",
    "wilson_low",
    "wilson_high",
    "wrong_share",
    "wrong_share_low",
    "wrong_share_high",
    "time_to_critical_s",
    "seconds_per_inference",
    "inferences",
];

const SUMS: [&str; 9] = [
    "alarm_raised",
    "averted",
    "non_finite",
    "label_correct",
    "retries",
    "reloads",
    "scrub_repaired",
    "scrub_uncorrectable",
    "faults",
];

/// Writes one row for each figure; what does not apply is empty.
pub(super) fn csv(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let form = |error: csv::Error| Error::Form(error.to_string());
    let mut writer = csv::Writer::from_writer(out);
    let outcomes = Outcome::ALL.map(|outcome| outcome.name().replace('-', "_"));
    let head = COLUMNS.iter().map(|name| (*name).to_owned()).chain(outcomes);
    let head = head.chain(SUMS.iter().map(|name| (*name).to_owned()));
    let is_beam = report.header.beam.is_some();
    let head = head.chain(is_beam.then(|| "test".to_owned()));
    writer.write_record(head).map_err(form)?;
    for row in &report.summary.figures {
        let cells = cells(report, row);
        writer.write_record(cells.iter().map(|cell| field(cell).into_owned())).map_err(form)?;
    }
    Ok(writer.flush()?)
}

fn cells(report: &Report, row: &Figures) -> Vec<String> {
    let low = |interval: Option<Interval>| optional(interval.map(|interval| interval.low));
    let high = |interval: Option<Interval>| optional(interval.map(|interval| interval.high));
    let tensor = row.region.zip(row.tensor);
    let timed = report.header.rate.is_some();
    let measured = report.measured.get(row.scheme).and_then(|time| time.seconds_per_inference());
    let whole = row.region.is_none() && row.bit.is_none() && row.trials > 0;
    let mut cells = vec![
        row.breakdown.name().to_owned(),
        report.scheme(row.scheme).to_owned(),
        report.stratum(row.stratum).to_owned(),
        row.region.map_or("", Region::name).to_owned(),
        tensor.map_or("", |(region, tensor)| report.header.site(region, tensor)).to_owned(),
        optional(row.bit),
        row.trials.to_string(),
        row.wrong_trials.to_string(),
        row.wrong_probability.to_string(),
        low(row.clopper_pearson),
        high(row.clopper_pearson),
        low(row.wilson),
        high(row.wilson),
        row.wrong_share.to_string(),
        low(row.wrong_share_interval),
        high(row.wrong_share_interval),
        optional(timed.then_some(row.time_to_critical_s)),
        optional(measured.filter(|_| whole)),
        row.inferences.to_string(),
    ];
    let sums = [
        row.alarms,
        row.averted,
        row.non_finite,
        row.label_correct,
        row.retries,
        row.reloads,
        row.scrub_repaired,
        row.scrub_uncorrectable,
        row.faults,
    ];
    cells.extend(row.outcomes.iter().chain(&sums).map(u64::to_string));
    cells.extend(report.header.beam.as_ref().map(|_| SIMULATED_BEAM.to_owned()));
    cells
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A report that says first what must not be taken for a measurement.
#[derive(serde::Serialize)]
struct Labelled<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<&'static str>,
    #[serde(flatten)]
    report: &'a Report,
}

/// Writes header, summary and measured times.
pub(super) fn json(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let test = report.header.beam.is_some().then_some(SIMULATED_BEAM);
    let text = serde_json::to_string_pretty(&Labelled { test, report })
        .map_err(|error| Error::Form(error.to_string()))?;
    Ok(writeln!(out, "{}", words::json(&text))?)
}
