//! The tables of a report: what stands in them. How they are set is up to the form.

use super::{Report, words};
use crate::archive::summary::{Breakdown, Figures};
use crate::campaign::event::SIMULATED_BEAM;
use crate::outcome::Outcome;
use crate::stats::confidence;

/// A table of text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// What it shows.
    pub(super) title: String,
    /// What a reader must know to read it.
    pub(super) caption: String,
    /// The heads of its columns; the first ones, up to `names`, hold names and the others figures.
    pub(super) columns: Vec<String>,
    /// How many columns hold names.
    pub(super) names: usize,
    /// Its rows.
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: &str, caption: String, columns: &[&str], names: usize) -> Self {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Self { title: title.into(), caption, columns, names, rows: Vec::new() }
    }

    /// Only the columns of names and those with these heads.
    pub(super) fn only(mut self, heads: &[&str]) -> Self {
        for column in (self.names..self.columns.len()).rev() {
            if !heads.contains(&self.columns[column].as_str()) {
                self.columns.remove(column);
                for row in &mut self.rows {
                    row.remove(column);
                }
            }
        }
        self
    }

    /// Without the columns of figures that are zero or empty in every row.
    pub(super) fn without_empty(mut self, kept: usize) -> Self {
        let empty = |cell: &String| cell.is_empty() || cell == "0 %" || cell == "0";
        for column in (kept..self.columns.len()).rev() {
            if self.rows.iter().all(|row| empty(&row[column])) {
                self.columns.remove(column);
                for row in &mut self.rows {
                    row.remove(column);
                }
            }
        }
        self
    }
}

impl Report {
    /// The name of a scheme.
    pub(super) fn scheme(&self, index: usize) -> &str {
        self.header.schemes.get(index).map_or("?", |scheme| scheme.name())
    }

    /// The name of a stratum.
    pub(super) fn stratum(&self, index: usize) -> &str {
        self.header.strata.get(index).map_or("?", |stratum| &stratum.name)
    }

    /// The first cells of a row: the scheme, and the stratum where there are several.
    fn names(&self, scheme: usize, stratum: usize) -> Vec<String> {
        let mut names = vec![self.scheme(scheme).to_owned()];
        if self.header.strata.len() > 1 {
            names.push(self.stratum(stratum).to_owned());
        }
        names
    }

    fn named(&self, columns: &[&'static str]) -> (Vec<&'static str>, usize) {
        let names: &[&str] =
            if self.header.strata.len() > 1 { &["scheme", "stratum"] } else { &["scheme"] };
        ([names, columns].concat(), names.len())
    }

    /// The level of the intervals in words, e.g. "95 % interval".
    pub(super) fn level(&self) -> String {
        format!("{} interval", confidence(self.summary.alpha))
    }
}

/// What a caption adds in a beam, where trials go on after the error that ends a run.
fn after_first_error(report: &Report) -> &'static str {
    if report.header.beam.is_some() {
        " This includes what happened after a run's first error."
    } else {
        ""
    }
}

/// What became of the inferences, a scheme a row.
pub(super) fn outcomes(report: &Report) -> Table {
    let columns = [
        "wrong answers",
        "wrong trials",
        "corrected",
        "detected",
        "recovered",
        "no answer",
        "averted",
    ];
    let (columns, names) = report.named(&columns);
    let intervals = if report.summary.census && !report.finished {
        "Part of a census, in the order of its sites: no estimate of the whole.".into()
    } else if report.summary.census {
        "Every site was struck: these are exact shares, without intervals.".into()
    } else {
        format!("In brackets the {}.", report.level())
    };
    let after = after_first_error(report);
    let caption = format!(
        "Shares of inferences, and of trials for \"wrong trials\" (a trial is wrong if any of its \
         answers is). Detected: the scheme raised an alarm. {intervals}{after}"
    );
    let mut table = Table::new("What became of the answers", caption, &columns, names);
    for row in report.summary.by(Breakdown::Scheme) {
        let silent = row.share(Outcome::Due) + row.share(Outcome::Hang);
        let mut cells = report.names(row.scheme, row.stratum);
        cells.extend([
            words::share(row.wrong_share, row.wrong_share_interval),
            words::share(row.wrong_probability, row.clopper_pearson),
            words::percent(row.share(Outcome::Corrected)),
            words::percent(row.alarm_share()),
            words::percent(row.share(Outcome::DueRecovered)),
            words::percent(silent),
            words::percent(row.averted as f64 / row.inferences.max(1) as f64),
        ]);
        table.rows.push(cells);
    }
    table.without_empty(names + 4)
}

/// What each scheme costs, with its ratio to the baseline.
pub(super) fn costs(report: &Report) -> Table {
    let columns = ["scheme", "stored", "read", "scrub", "time"];
    let baseline = report.header.baseline();
    let base = baseline.map(|index| &report.header.schemes[index].cost);
    let base_time = baseline.and_then(|index| report.measured[index].seconds_per_inference());
    let against = baseline
        .map_or_else(String::new, |index| format!("Ratios are to {}. ", report.scheme(index)));
    let caption = format!(
        "Read, scrub and time are per inference. {against}Bytes follow from the scheme's definition, \
         retries not counted; times are measured on this adapter, retries and scrubs included."
    );
    let mut table = Table::new("What it cost", caption, &columns, 1);
    let with_ratio = |text: String, value: f64, base: Option<f64>| match base {
        Some(base) if base > 0.0 => format!("{} ({text})", words::ratio(value / base)),
        _ => text,
    };
    for (index, scheme) in report.header.schemes.iter().enumerate() {
        let cost = &scheme.cost;
        let (stored, read) = (cost.bytes_stored as f64, cost.bytes_read_per_inference);
        let scrub = match cost.scrub_bytes_per_inference {
            0.0 => "0".into(),
            bytes => words::bytes(bytes),
        };
        let time = report.measured[index].seconds_per_inference();
        table.rows.push(vec![
            scheme.name().to_owned(),
            with_ratio(words::bytes(stored), stored, base.map(|base| base.bytes_stored as f64)),
            with_ratio(words::bytes(read), read, base.map(|base| base.bytes_read_per_inference)),
            scrub,
            time.map_or_else(String::new, |time| with_ratio(words::seconds(time), time, base_time)),
        ]);
    }
    table.without_empty(1)
}

/// Each scheme with the baseline on the same trials.
pub(super) fn comparisons(report: &Report) -> Table {
    let (columns, names) = report.named(&[
        "trials",
        "only this wrong",
        "only baseline wrong",
        "wrong",
        "p",
        "p, corrected",
    ]);
    let baseline = report.summary.comparisons.first().map_or("", |row| report.scheme(row.baseline));
    let test = if report.summary.census {
        ". A census needs no test.".into()
    } else {
        format!(
            ", resampled by trial with both outcomes, {}; where one has none, one-sided. p is of the \
             exact two-sided McNemar test on the discordant trials; corrected after Holm over the rows \
             of this table.",
            report.level()
        )
    };
    let caption = format!(
        "Each scheme with {baseline}, on the same trials. Wrong: how many times fewer trials are wrong \
         than under {baseline}{test}"
    );
    let mut table = Table::new("Compared on paired trials", caption, &columns, names);
    for row in &report.summary.comparisons {
        let mut cells = report.names(row.scheme, row.stratum);
        cells.extend([
            words::count(row.trials),
            words::count(row.only_scheme_wrong),
            words::count(row.only_baseline_wrong),
            row.fewer.as_ref().map_or_else(String::new, words::fewer),
            row.p.map_or_else(String::new, words::p_value),
            row.p_holm.map_or_else(String::new, words::p_value),
        ]);
        table.rows.push(cells);
    }
    if report.summary.census { table.without_empty(names + 4) } else { table }
}

/// The trials with exactly one fault, by tensor or by bit.
pub(super) fn places(report: &Report, breakdown: Breakdown) -> Table {
    let place = if breakdown == Breakdown::Bit { "bit" } else { "tensor or op" };
    let (mut columns, names) =
        report.named(&["trials", "wrong trials", "wrong answers", "no answer"]);
    columns.insert(names, place);
    let after = after_first_error(report);
    let caption = format!("Trials with exactly one fault in the scheme's footprint.{after}");
    let title = format!("Wrong answers by {place}");
    let mut table = Table::new(&title, caption, &columns, names + 1);
    for row in report.summary.by(breakdown) {
        let mut cells = report.names(row.scheme, row.stratum);
        cells.extend([
            self::place(report, row),
            words::count(row.trials),
            words::share(row.wrong_probability, row.clopper_pearson),
            words::share(row.wrong_share, row.wrong_share_interval),
            words::percent(row.share(Outcome::Due) + row.share(Outcome::Hang)),
        ]);
        table.rows.push(cells);
    }
    table.without_empty(names + 4)
}

/// The place of a figure, in words.
pub(super) fn place(report: &Report, row: &Figures) -> String {
    match (row.bit, row.region, row.tensor) {
        (Some(bit), ..) => bit.to_string(),
        (None, Some(region), Some(tensor)) => report.header.site(region, tensor).to_owned(),
        (None, Some(region), None) => region.name().to_owned(),
        _ => String::new(),
    }
}

/// How long until the first wrong answer, in a campaign that has time.
pub(super) fn times(report: &Report) -> Option<Table> {
    let rate = report.header.rate.as_ref().filter(|_| report.header.beam.is_none())?;
    let (columns, names) =
        report.named(&["mean time", "interval", "no wrong answer", "repaired", "left wrong"]);
    let caption = format!(
        "The mean time to the first wrong answer, restricted to the {} of a trial, by its declared \
         clock; the trials without any; words that periodic scrubs put right or left wrong, a trial.",
        words::seconds(rate.trial_s)
    );
    let mut table = Table::new("Time to the first wrong answer", caption, &columns, names);
    for row in report.summary.by(Breakdown::Scheme) {
        let trials = row.trials.max(1) as f64;
        let mut cells = report.names(row.scheme, row.stratum);
        cells.extend([
            words::seconds(row.time_to_critical_s),
            row.time_interval_s.map_or_else(String::new, |interval| {
                format!("{}–{}", words::number(interval.low), words::seconds(interval.high))
            }),
            words::percent(row.censored as f64 / trials),
            words::number(row.scrub_repaired as f64 / trials),
            words::number(row.scrub_uncorrectable as f64 / trials),
        ]);
        table.rows.push(cells);
    }
    Some(table.without_empty(names + 3))
}

/// Failure rates, where the rate of upsets has a source.
pub(super) fn fit(report: &Report) -> Option<Table> {
    let rate = report.header.rate.as_ref()?;
    if report.summary.fit.is_empty() {
        return None;
    }
    let (columns, names) = report.named(&["exposed bits", "trials", "AVF", "FIT", "interval"]);
    let caption = format!(
        "FIT = rate × bits × AVF, in failures per 10⁹ device-hours, at {} upsets per bit-day \
         ({}), not accelerated. AVF: {}. The interval is that of the AVF; the rate has none.",
        words::number(rate.upsets_per_bit_day),
        rate.source,
        crate::archive::summary::AVF_NAME,
    );
    let mut table = Table::new("Failure rate", caption, &columns, names);
    for row in &report.summary.fit {
        let mut cells = report.names(row.scheme, row.stratum);
        cells.extend([
            words::number(row.bits),
            words::count(row.trials),
            words::percent(row.avf),
            words::number(row.fit.nominal),
            format!("{}–{}", words::number(row.fit.low), words::number(row.fit.high)),
        ]);
        table.rows.push(cells);
    }
    Some(table)
}

/// How many events failures needed, in an accelerated campaign.
pub(super) fn events(report: &Report) -> Option<Table> {
    let is_beam = report.header.beam.is_some();
    let rate = report.header.rate.as_ref().filter(|rate| is_beam || rate.acceleration != 1.0)?;
    let (columns, names) = report.named(&[
        "wrong trials",
        "replayed",
        "1 event",
        "2 events",
        "3 or more",
        "live events",
    ]);
    let pace = if is_beam {
        SIMULATED_BEAM.to_owned()
    } else {
        format!("Accelerated ×{}", words::number(rate.acceleration))
    };
    let after = after_first_error(report);
    let caption = format!(
        "{pace}. A sample of the wrong trials was replayed, to find how many events \
         each needed. Live events: in the scheme's footprint between two scrubs (or in a trial), \
         as they came.{after}"
    );
    let mut table = Table::new("Events that a failure needed", caption, &columns, names);
    for row in report.summary.by(Breakdown::Scheme) {
        let mut cells = report.names(row.scheme, row.stratum);
        cells.extend([
            words::count(row.wrong_trials),
            words::count(row.events_needed.iter().sum()),
            words::count(row.events_needed[0]),
            words::count(row.events_needed[1]),
            words::count(row.events_needed[2]),
            report.header.live_events_per_scrub(row.scheme).map_or_else(String::new, words::number),
        ]);
        table.rows.push(cells);
    }
    Some(table)
}

/// What the campaign's device does beside the upsets that were injected.
pub(super) fn not_injected(report: &Report) -> Option<Table> {
    let modes = &report.header.not_injected;
    if modes.is_empty() {
        return None;
    }
    let columns = ["mode", "kind", "observed", "why not", "per device-day", "band"];
    let rates = if report.header.beam.is_some() {
        ""
    } else {
        " Rates before acceleration, means over the orbit."
    };
    let caption = format!(
        "Modes of the device that no trial here contains: their failures come on top of the figures \
         above.{rates}"
    );
    let mut table = Table::new("Not injected", caption, &columns, 4);
    for mode in modes {
        let rate = mode.per_device_day;
        table.rows.push(vec![
            mode.mode.clone(),
            mode.kind.clone(),
            mode.observed_at.clone(),
            mode.reason.clone(),
            rate.map_or_else(String::new, |rate| words::number(rate.nominal)),
            rate.map_or_else(String::new, |rate| {
                format!("{}–{}", words::number(rate.low), words::number(rate.high))
            }),
        ]);
    }
    Some(table)
}
