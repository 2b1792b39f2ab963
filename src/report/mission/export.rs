//! The report of a mission as text, and its figures for another program.

use super::super::table::aligned_within;
use super::super::{Error, words};
use super::{FleetPoint, MissionView, Tenant, methods, places};
use crate::archive::schema::Source;
use crate::device::Assumption;
use crate::mission::Cause;
use crate::mission::figures::{Facts, PerYear, SchemeFigures};
use crate::mission::strata::{Expected, Stratum};
use crate::mission::sweep::Point;
use crate::outcome::Outcome;
use crate::stats::{Decision, Interval, Ratio, confidence};
use serde::Serialize;
use std::io::Write;

/// What happened under each scheme, for a terminal.
pub(super) fn terminal(view: &MissionView<'_>, most: usize) -> String {
    let mut text = format!("{}\n", methods::title(view));
    for notice in methods::notices(view) {
        text.push_str(&format!("{notice}\n"));
    }
    text.push_str(&format!("\n{}", aligned_within(&super::tables::headline(view), most)));
    text.push_str("\nYears are of flight. In brackets: 95 % intervals.\n");
    crate::words::terminal(&text).into_owned()
}

/// The heads of the CSV: one row a figure.
const COLUMNS: [&str; 9] =
    ["table", "scheme", "of", "quantity", "unit", "value", "low", "high", "interval"];

/// Rows that belong to one table and scheme.
struct RowWriter<'w, W: Write> {
    writer: csv::Writer<W>,
    table: &'w str,
    scheme: &'w str,
    of: String,
}

impl<W: Write> RowWriter<'_, W> {
    fn row(&mut self, quantity: &str, unit: &str, value: f64) -> Result<(), Error> {
        self.cells(quantity, unit, value, [const { String::new() }; 2], "")
    }

    fn with(
        &mut self,
        quantity: &str,
        unit: &str,
        (value, Interval { low, high }): (f64, Interval),
        kind: &str,
    ) -> Result<(), Error> {
        self.cells(quantity, unit, value, [low, high].map(|end| end.to_string()), kind)
    }

    fn per_year(&mut self, quantity: &str, found: &PerYear) -> Result<(), Error> {
        self.row(quantity, "1", found.count as f64)?;
        self.with(quantity, "1/year of flight", (found.rate, found.interval), "Garwood 95 %")
    }

    /// A ratio and its interval, whose upper end may be missing.
    fn ratio(&mut self, quantity: &str, of: &Ratio) -> Result<(), Error> {
        let (unit, kind) = match of.of_events {
            true => ("ratio of episodes", "one-sided 95 %"),
            false => ("ratio of wrong answers", BOOTSTRAP),
        };
        let high = of.high.map_or_else(String::new, |high| high.to_string());
        let value = of.estimate.unwrap_or(of.low);
        let quantity = match of.estimate {
            Some(_) => quantity.to_owned(),
            None => format!("{quantity}, at least"),
        };
        self.cells(&quantity, unit, value, [of.low.to_string(), high], kind)
    }

    fn cells(
        &mut self,
        quantity: &str,
        unit: &str,
        value: f64,
        [low, high]: [String; 2],
        interval: &str,
    ) -> Result<(), Error> {
        let value = value.to_string();
        let cells =
            [self.table, self.scheme, &self.of, quantity, unit, &value, &low, &high, interval];
        let cells = cells.map(|cell| crate::words::field(cell).into_owned());
        self.writer.write_record(cells).map_err(|error| Error::Form(error.to_string()))
    }
}

const BOOTSTRAP: &str = "bootstrap over histories 95 %";
const A_YEAR: &str = "1/year of flight";

/// Writes one row for each figure; what does not apply is empty.
pub(super) fn csv(view: &MissionView<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(|error| Error::Form(error.to_string()))?;
    let mut rows = RowWriter { writer, table: "mission", scheme: "", of: String::new() };
    rows.row("length", "s of flight", view.facts.horizon_s)?;
    rows.row("acceleration", "1", view.facts.acceleration)?;
    rows.row("histories", "1", view.histories_done() as f64)?;
    let tenants = view.tenants();
    for (at, figures) in view.figures.iter().enumerate() {
        rows.scheme = &figures.name;
        scheme(&mut rows, figures)?;
        rows.table = "cost";
        rows.of.clear();
        if let Some(fact) = view.facts.schemes.get(at) {
            rows.row("stored", "B", fact.stored_bytes as f64)?;
            rows.row("devices", "1", f64::from(fact.devices))?;
            rows.row("executions an inference", "1", f64::from(fact.executions))?;
        }
        if let Some(expected) = view.expected.get(at) {
            rows.table = "expected";
            let kind = "Monte Carlo 95 %";
            rows.with("episodes with a wrong answer", A_YEAR, expected.critical, kind)?;
            rows.with("episodes with a DUE", A_YEAR, expected.due, kind)?;
            rows.with("wrong answers", A_YEAR, expected.wrong, kind)?;
        }
        rows.table = "tenant";
        for (tenant, counts) in Tenant::ALL.iter().zip(tenants.get(at).into_iter().flatten()) {
            rows.of = tenant.name().to_owned();
            rows.row("upsets", "1", counts.upsets as f64)?;
            rows.row("corrected", "1", counts.corrected as f64)?;
            rows.row("uncorrectable", "1", counts.uncorrectable as f64)?;
            rows.row("silent", "1", counts.silent as f64)?;
        }
    }
    rest(&mut rows, view)?;
    Ok(rows.writer.flush()?)
}

fn scheme<W: Write>(rows: &mut RowWriter<'_, W>, figures: &SchemeFigures) -> Result<(), Error> {
    rows.table = "scheme";
    rows.of.clear();
    rows.with("wrong answers", A_YEAR, figures.wrong_per_year, BOOTSTRAP)?;
    rows.with("wrong answers", "1/10⁶ inferences", figures.wrong_per_million, BOOTSTRAP)?;
    rows.per_year("episodes with a wrong answer", &figures.critical_episodes)?;
    rows.per_year("error episodes", &figures.error_episodes)?;
    rows.per_year("episodes with a DUE", &figures.due_episodes)?;
    rows.per_year("resets of the device", &figures.resets)?;
    rows.per_year("restarts of the host", &figures.host_resets)?;
    for away in &figures.away {
        rows.of = away.why.name().to_owned();
        rows.per_year("times away", &away.times)?;
        rows.row("time away", "s", away.dead_s)?;
        rows.row("time away", "share of time", away.share)?;
    }
    rows.of.clear();
    let spread = figures.mission_spread;
    rows.of = format!("missions of {} s of flight", spread.length_s);
    rows.row("missions flown", "1", spread.missions as f64)?;
    rows.row("least wrong answers", A_YEAR, spread.least)?;
    rows.row("most wrong answers", A_YEAR, spread.most)?;
    rows.row("standard deviation of wrong answers", A_YEAR, spread.deviation)?;
    rows.of.clear();
    if let Some(against) = &figures.against {
        rows.of = format!("against {}", against.baseline);
        rows.row("bytes stored", "ratio", against.memory)?;
        if let Some(ratio) = against.fewer {
            rows.ratio("times fewer", &ratio)?;
        }
        rows.of.clear();
    }
    rows.row("model band, low", "factor", figures.model_band.low)?;
    rows.row("model band, high", "factor", figures.model_band.high)?;
    rows.row("availability", "share of time", figures.availability)?;
    if let Some(seconds) = figures.mean_time_to_repair_s {
        rows.row("mean time to repair", "s", seconds)?;
    }
    rows.row("scrub traffic", "B/s", figures.scrub_traffic.bytes_s)?;
    rows.row("scrub traffic", "share of bandwidth", figures.scrub_traffic.share)?;
    for (name, spread) in [("latency", &figures.latency_s), ("length", &figures.length_s)] {
        rows.of = name.to_owned();
        rows.row("error episodes", "1", spread.count as f64)?;
        rows.row("mean", "s", spread.mean)?;
        rows.row("median", "s", spread.median)?;
        rows.row("90th percentile", "s", spread.p90)?;
        rows.row("largest", "s", spread.max)?;
    }
    rows.of.clear();
    rows.row("error episodes cut off", "1", figures.censored as f64)?;
    let repairs = ["repaired by scrubs", "repaired by reads", "not repaired by scrubs", "reloads"];
    let lost = ["rows remapped", "pages retired", "nothing spare", "bytes lost"];
    let counts = figures.repairs.counts().into_iter().chain(figures.lost.counts());
    for (name, count) in repairs.iter().chain(&lost).zip(counts) {
        rows.row(name, "1", count as f64)?;
    }
    rows.row("upsets of weights", "1", figures.struck as f64)?;
    rows.row("of common cause", "1", figures.common_cause as f64)?;
    rows.row("inferences", "1", figures.inferences as f64)?;
    rows.row("inferences while the service was away", "1", figures.unavailable as f64)?;
    rows.table = "outcome";
    for (outcome, count) in Outcome::ALL.iter().zip(figures.outcomes) {
        rows.of = outcome.name().to_owned();
        rows.row("inferences", "1", count as f64)?;
    }
    rows.table = "cause";
    for (cause, count) in Cause::ALL.iter().zip(figures.critical_by_cause) {
        rows.of = cause.name().to_owned();
        rows.row("episodes with a wrong answer", "1", count as f64)?;
    }
    rows.table = "first-wrong";
    rows.of.clear();
    rows.row("restricted mean", "year of flight", figures.restricted_mean_years)?;
    if let Some(held) = figures.requirement {
        let of = &held.verdict;
        rows.row("windows from a fresh start", "1", of.trials as f64)?;
        rows.row("windows that held", "1", of.held as f64)?;
        let kind = format!("Clopper–Pearson, each end {}", confidence(of.alpha));
        rows.with("share of windows that held", "probability", (of.share(), of.interval), &kind)?;
        rows.row("required", "probability", of.wanted)?;
        for decision in Decision::ALL {
            let is = f64::from(u8::from(decision == of.decision));
            rows.row(&format!("requirement {}", decision.name()), "1 or 0", is)?;
        }
        if let Some(histories) = held.histories_needed {
            rows.row("histories that would decide", "1", histories as f64)?;
        }
    }
    for step in &figures.incidence {
        rows.of = format!("by {} years of flight", step.years);
        rows.row("wrong answer first", "share of histories", step.critical)?;
        rows.row("service away first", "share of histories", step.away)?;
    }
    Ok(())
}

/// Sweep, strata and fleet.
fn rest<'v, W: Write>(rows: &mut RowWriter<'v, W>, view: &'v MissionView<'_>) -> Result<(), Error> {
    rows.table = "sweep";
    for point in view.sweep.iter().filter(|point| point.refused.is_none()) {
        rows.scheme = &point.scheme;
        rows.of = super::details::period(point.period_s);
        rows.row("scrub traffic", "B/s", point.traffic_bytes_s)?;
        rows.with("wrong answers", A_YEAR, point.wrong_per_year, BOOTSTRAP)?;
        rows.per_year("error episodes", &point.error_episodes)?;
        rows.row("optimum", "1 or 0", f64::from(u8::from(point.optimum)))?;
    }
    rows.table = "stratum";
    for stratum in view.strata {
        let within = match stratum.within {
            Some(true) => " in use",
            Some(false) => " unused",
            None => "",
        };
        let shape = stratum.shape.as_deref().map_or_else(String::new, |shape| format!(" {shape}"));
        rows.of = format!("{} {}{shape}{within}", stratum.device, stratum.mode);
        rows.scheme = "";
        rows.row("events", A_YEAR, stratum.per_year)?;
        rows.row("events drawn", "1", stratum.drawn as f64)?;
        for (at, share) in stratum.schemes.iter().enumerate() {
            rows.scheme = view.facts.schemes.get(at).map_or("?", |scheme| &scheme.name);
            rows.row("events with a wrong answer", "1", share.critical.events as f64)?;
            rows.row("episodes with a wrong answer", "1", share.critical.sum as f64)?;
            rows.row("events with a DUE", "1", share.due.events as f64)?;
            rows.row("episodes with a DUE", "1", share.due.sum as f64)?;
            rows.row("events with a tolerable SDC", "1", share.tolerable as f64)?;
            rows.row("wrong answers", "1", share.wrong.sum as f64)?;
        }
    }
    rows.table = "fleet";
    rows.scheme = "";
    for point in view.fleet {
        rows.of = format!("{} satellites", words::count(point.satellites));
        rows.row("years together", "year of flight", point.years)?;
        rows.row("events that reach memory in use", "1", point.events_reaching as f64)?;
        rows.row("states run", "1", point.states_run as f64)?;
        rows.row("measured time", "s", point.seconds)?;
        for (scheme, wrong) in view.facts.schemes.iter().zip(&point.wrong) {
            rows.scheme = &scheme.name;
            rows.row("wrong answers", "1", *wrong as f64)?;
        }
        rows.scheme = "";
    }
    Ok(())
}

/// Everything that is shown and is no drawing.
#[derive(Serialize)]
struct Data<'v> {
    name: &'v str,
    version: &'v str,
    finished: bool,
    histories_planned: u64,
    facts: &'v Facts,
    schemes: &'v [SchemeFigures],
    expected: &'v [Expected],
    strata: &'v [Stratum],
    sweep: &'v [Point],
    tenants: Vec<TenantRow<'v>>,
    fleet: &'v [FleetPoint],
    upsets_by_part: Vec<PartRow>,
    assumptions: &'v [Assumption],
    setting: &'v [(&'static str, String)],
    sources: &'v [Source],
    warnings: &'v [String],
    limits: &'static [&'static str],
}

#[derive(Serialize)]
struct TenantRow<'v> {
    scheme: &'v str,
    tenant: &'static str,
    upsets: u64,
    corrected: u64,
    uncorrectable: u64,
    silent: u64,
}

/// Upsets and the errors that they began, in a part of the orbit.
#[derive(Serialize)]
struct PartRow {
    part: &'static str,
    share_of_time: f64,
    upsets: u64,
    errors: u64,
}

/// Writes facts and figures. Upsets and what was replaced are in the archive, one by one: what is
/// written here does not grow with their number.
pub(super) fn json(view: &MissionView<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let sums = view.tenants();
    let tenants = sums.iter().enumerate().flat_map(|(at, tenants)| {
        Tenant::ALL.iter().zip(tenants).map(move |(tenant, counts)| TenantRow {
            scheme: view.scheme(at),
            tenant: tenant.name(),
            upsets: counts.upsets,
            corrected: counts.corrected,
            uncorrectable: counts.uncorrectable,
            silent: counts.silent,
        })
    });
    let data = Data {
        name: view.name,
        version: view.version,
        finished: view.finished,
        histories_planned: view.histories_planned,
        facts: view.facts,
        schemes: view.figures,
        expected: view.expected,
        strata: view.strata,
        sweep: view.sweep,
        tenants: tenants.collect(),
        fleet: view.fleet,
        upsets_by_part: places::parts(view)
            .into_iter()
            .map(|found| PartRow {
                part: found.name,
                share_of_time: found.share_of_time,
                upsets: found.upsets,
                errors: found.errors,
            })
            .collect(),
        assumptions: view.assumptions,
        setting: &view.setting,
        sources: view.sources,
        warnings: view.warnings,
        limits: methods::limits(),
    };
    let text =
        serde_json::to_string_pretty(&data).map_err(|error| Error::Form(error.to_string()))?;
    Ok(writeln!(out, "{}", crate::words::json(&text))?)
}
