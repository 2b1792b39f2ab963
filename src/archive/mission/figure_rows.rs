//! The figures of each scheme as rows. What does not apply is NaN.

use super::super::file::{Name, put_table, set_names, text};
use super::history_rows::or_nan;
use crate::mission::figures::{AwayFigure, PerYear, SchemeFigures, Spread};
use crate::stats::{Decision, Interval};
use hdf5::{File, H5Type};

/// A figure with its interval.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
pub(super) struct EstimateColumn {
    value: f64,
    low: f64,
    high: f64,
}

impl EstimateColumn {
    pub(super) const fn of((value, interval): (f64, Interval)) -> Self {
        Self { value, low: interval.low, high: interval.high }
    }

    pub(super) const fn estimate(&self) -> (f64, Interval) {
        (self.value, Interval { low: self.low, high: self.high })
    }
}

/// A count as a rate a year of flight.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
pub(super) struct PerYearColumn {
    count: u64,
    rate: f64,
    low: f64,
    high: f64,
}

impl From<&PerYear> for PerYearColumn {
    fn from(of: &PerYear) -> Self {
        let Interval { low, high } = of.interval;
        Self { count: of.count, rate: of.rate, low, high }
    }
}

impl PerYearColumn {
    pub(super) const fn per_year(&self) -> PerYear {
        let interval = Interval { low: self.low, high: self.high };
        PerYear { count: self.count, rate: self.rate, interval }
    }
}

/// The time away for one reason.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct AwayColumn {
    count: u64,
    rate: f64,
    low: f64,
    high: f64,
    dead_s: f64,
    share: f64,
}

impl From<&AwayFigure> for AwayColumn {
    fn from(of: &AwayFigure) -> Self {
        let PerYear { count, rate, interval: Interval { low, high } } = of.times;
        Self { count, rate, low, high, dead_s: of.dead_s, share: of.share }
    }
}

/// The spread of some seconds.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct SpreadColumn {
    count: u64,
    mean: f64,
    median: f64,
    p90: f64,
    max: f64,
}

impl From<&Spread> for SpreadColumn {
    fn from(of: &Spread) -> Self {
        let Spread { count, mean, median, p90, max } = *of;
        Self { count: count as u64, mean, median, p90, max }
    }
}

/// A row of `/figures`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct FigureRow {
    name: Name,
    histories: u64,
    years: f64,
    inferences: u64,
    unavailable: u64,
    masked: u64,
    corrected: u64,
    due_recovered: u64,
    tolerable_sdc: u64,
    critical_sdc: u64,
    due: u64,
    hang: u64,
    error_episodes: PerYearColumn,
    critical_episodes: PerYearColumn,
    due_episodes: PerYearColumn,
    critical_from_memory: u64,
    critical_from_value: u64,
    critical_from_logic: u64,
    critical_from_uncorrectable: u64,
    latency_s: SpreadColumn,
    length_s: SpreadColumn,
    censored: u64,
    wrong_per_year: EstimateColumn,
    wrong_per_million: EstimateColumn,
    mission_s: f64,
    missions: u64,
    mission_wrong_least: f64,
    mission_wrong_most: f64,
    mission_wrong_deviation: f64,
    fewer: EstimateColumn,
    fewer_of_episodes: u64,
    memory_ratio: f64,
    model_band_low: f64,
    model_band_high: f64,
    availability: f64,
    resets: PerYearColumn,
    host_resets: PerYearColumn,
    away_due: AwayColumn,
    away_sefi: AwayColumn,
    away_sel: AwayColumn,
    away_host_sefi: AwayColumn,
    away_host_ram: AwayColumn,
    mean_time_to_repair_s: f64,
    scrub_bytes_s: f64,
    scrub_share: f64,
    scrub_repaired: u64,
    read_repaired: u64,
    scrub_uncorrectable: u64,
    reloads: u64,
    rows_remapped: u64,
    pages_retired: u64,
    exhausted: u64,
    lost_bytes: u64,
    struck: u64,
    common_cause: u64,
    restricted_mean_years: f64,
    requirement: i64,
    requirement_windows: f64,
    requirement_held: f64,
    requirement_low: f64,
    requirement_high: f64,
    requirement_wanted: f64,
    requirement_alpha: f64,
    requirement_histories_needed: f64,
}

/// A row of `/incidence`.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct IncidenceRow {
    scheme: u64,
    years: f64,
    critical: f64,
    away: f64,
}

/// Writes `/figures` and `/incidence`.
pub(super) fn write(to: &File, figures: &[SchemeFigures]) -> hdf5::Result<()> {
    let rows = figures.iter().map(row).collect::<hdf5::Result<Vec<_>>>()?;
    put_table(to, "figures", &rows)?;
    let table = to.dataset("figures")?;
    set_names(&table, "requirement_names", &Decision::ALL.map(Decision::name))?;
    let steps = (0u64..).zip(figures).flat_map(|(scheme, figures)| {
        figures.incidence.iter().map(move |step| IncidenceRow {
            scheme,
            years: step.years,
            critical: step.critical,
            away: step.away,
        })
    });
    put_table(to, "incidence", &steps.collect::<Vec<_>>())
}

fn row(of: &SchemeFigures) -> hdf5::Result<FigureRow> {
    let [masked, corrected, due_recovered, tolerable_sdc, critical_sdc, due, hang] = of.outcomes;
    let [memory, value, logic, uncorrectable] = of.critical_by_cause;
    let [scrub_repaired, read_repaired, scrub_uncorrectable, reloads] = of.repairs;
    let [rows_remapped, pages_retired, exhausted, lost_bytes] = of.lost;
    let away = of.away.each_ref().map(AwayColumn::from);
    let [away_due, away_sefi, away_sel, away_host_sefi, away_host_ram] = away;
    let wanted = of.requirement.map(|of| of.verdict);
    let fewer = of.against.as_ref().and_then(|against| against.fewer);
    Ok(FigureRow {
        name: text(&of.name)?,
        histories: of.histories,
        years: of.years,
        inferences: of.inferences,
        unavailable: of.unavailable,
        masked,
        corrected,
        due_recovered,
        tolerable_sdc,
        critical_sdc,
        due,
        hang,
        error_episodes: PerYearColumn::from(&of.error_episodes),
        critical_episodes: PerYearColumn::from(&of.critical_episodes),
        due_episodes: PerYearColumn::from(&of.due_episodes),
        critical_from_memory: memory,
        critical_from_value: value,
        critical_from_logic: logic,
        critical_from_uncorrectable: uncorrectable,
        latency_s: SpreadColumn::from(&of.latency_s),
        length_s: SpreadColumn::from(&of.length_s),
        censored: of.censored,
        wrong_per_year: EstimateColumn::of(of.wrong_per_year),
        wrong_per_million: EstimateColumn::of(of.wrong_per_million),
        mission_s: of.mission_spread.length_s,
        missions: of.mission_spread.missions,
        mission_wrong_least: of.mission_spread.least,
        mission_wrong_most: of.mission_spread.most,
        mission_wrong_deviation: of.mission_spread.deviation,
        fewer: EstimateColumn {
            value: or_nan(fewer.and_then(|ratio| ratio.estimate)),
            low: or_nan(fewer.map(|ratio| ratio.low)),
            high: or_nan(fewer.and_then(|ratio| ratio.high)),
        },
        fewer_of_episodes: fewer.map_or(0, |ratio| ratio.of_events.into()),
        memory_ratio: or_nan(of.against.as_ref().map(|against| against.memory)),
        model_band_low: of.model_band.0,
        model_band_high: of.model_band.1,
        availability: of.availability,
        resets: PerYearColumn::from(&of.resets),
        host_resets: PerYearColumn::from(&of.host_resets),
        away_due,
        away_sefi,
        away_sel,
        away_host_sefi,
        away_host_ram,
        mean_time_to_repair_s: or_nan(of.mean_time_to_repair_s),
        scrub_bytes_s: of.scrub_traffic.0,
        scrub_share: of.scrub_traffic.1,
        scrub_repaired,
        read_repaired,
        scrub_uncorrectable,
        reloads,
        rows_remapped,
        pages_retired,
        exhausted,
        lost_bytes,
        struck: of.common_cause.0,
        common_cause: of.common_cause.1,
        restricted_mean_years: of.restricted_mean_years,
        requirement: wanted.map_or(-1, |of| of.decision as i64),
        requirement_windows: or_nan(wanted.map(|of| of.trials as f64)),
        requirement_held: or_nan(wanted.map(|of| of.held as f64)),
        requirement_low: or_nan(wanted.map(|of| of.interval.low)),
        requirement_high: or_nan(wanted.map(|of| of.interval.high)),
        requirement_wanted: or_nan(wanted.map(|of| of.wanted)),
        requirement_alpha: or_nan(wanted.map(|of| of.alpha)),
        requirement_histories_needed: or_nan(
            of.requirement.and_then(|of| of.histories_needed).map(|needed| needed as f64),
        ),
    })
}
