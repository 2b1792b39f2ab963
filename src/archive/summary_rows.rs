//! A summary's tables in HDF5. What does not apply is −1 in an index and NaN in a figure.

use super::beam::BeamFigures;
use super::file::{group, put_table, set, set_names, set_text};
use super::schema::SUMMARY;
use super::summary::{AVF_NAME, Breakdown, Comparison, Figures, FitFigures, Summary};
use crate::campaign::event::SIMULATED_BEAM;
use crate::outcome::Outcome;
use crate::stats::Interval;
use hdf5::{File, H5Type};

/// A row of `/summary/schemes`, `single_fault`, `regions`, `tensors` and `bits`.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct FigureRow {
    scheme: u16,
    stratum: u16,
    region: i32,
    tensor: i32,
    bit: i32,
    trials: u64,
    wrong_trials: u64,
    wrong_probability: f64,
    clopper_pearson_low: f64,
    clopper_pearson_high: f64,
    wilson_low: f64,
    wilson_high: f64,
    wrong_share: f64,
    wrong_share_low: f64,
    wrong_share_high: f64,
    inferences: u64,
    masked: u64,
    corrected: u64,
    due_recovered: u64,
    tolerable_sdc: u64,
    critical_sdc: u64,
    due: u64,
    hang: u64,
    alarm_raised: u64,
    averted: u64,
    non_finite: u64,
    label_correct: u64,
    retries: u64,
    reloads: u64,
    scrub_repaired: u64,
    scrub_uncorrectable: u64,
    faults: u64,
    censored: u64,
    time_to_critical_s: f64,
    time_to_critical_low_s: f64,
    time_to_critical_high_s: f64,
    needed_1_event: u64,
    needed_2_events: u64,
    needed_3_or_more: u64,
}

impl From<&Figures> for FigureRow {
    fn from(row: &Figures) -> Self {
        let [cp, wilson] = [row.clopper_pearson, row.wilson].map(ends);
        let [share, time] = [row.wrong_share_interval, row.time_interval_s].map(ends);
        let [masked, corrected, due_recovered, tolerable_sdc, critical_sdc, due, hang] =
            row.outcomes;
        Self {
            scheme: index(row.scheme),
            stratum: index(row.stratum),
            region: row.region.map_or(-1, |region| i32::from(region as u8)),
            tensor: code(row.tensor),
            bit: code(row.bit),
            trials: row.trials,
            wrong_trials: row.wrong_trials,
            wrong_probability: row.wrong_probability,
            clopper_pearson_low: cp.0,
            clopper_pearson_high: cp.1,
            wilson_low: wilson.0,
            wilson_high: wilson.1,
            wrong_share: row.wrong_share,
            wrong_share_low: share.0,
            wrong_share_high: share.1,
            inferences: row.inferences,
            masked,
            corrected,
            due_recovered,
            tolerable_sdc,
            critical_sdc,
            due,
            hang,
            alarm_raised: row.alarms,
            averted: row.averted,
            non_finite: row.non_finite,
            label_correct: row.label_correct,
            retries: row.retries,
            reloads: row.reloads,
            scrub_repaired: row.scrub_repaired,
            scrub_uncorrectable: row.scrub_uncorrectable,
            faults: row.faults,
            censored: row.censored,
            time_to_critical_s: row.time_to_critical_s,
            time_to_critical_low_s: time.0,
            time_to_critical_high_s: time.1,
            needed_1_event: row.events_needed[0],
            needed_2_events: row.events_needed[1],
            needed_3_or_more: row.events_needed[2],
        }
    }
}

/// A row of `/summary/comparisons`.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct ComparisonRow {
    stratum: u16,
    scheme: u16,
    baseline: u32,
    trials: u64,
    only_scheme_wrong: u64,
    only_baseline_wrong: u64,
    both_wrong: u64,
    fewer: f64,
    fewer_low: f64,
    fewer_high: f64,
    p: f64,
    p_holm: f64,
}

impl From<&Comparison> for ComparisonRow {
    fn from(row: &Comparison) -> Self {
        Self {
            stratum: index(row.stratum),
            scheme: index(row.scheme),
            baseline: u32::from(index(row.baseline)),
            trials: row.trials,
            only_scheme_wrong: row.only_scheme_wrong,
            only_baseline_wrong: row.only_baseline_wrong,
            both_wrong: row.both_wrong,
            fewer: row.fewer.and_then(|ratio| ratio.estimate).unwrap_or(f64::NAN),
            fewer_low: row.fewer.map_or(f64::NAN, |ratio| ratio.low),
            fewer_high: row.fewer.and_then(|ratio| ratio.high).unwrap_or(f64::NAN),
            p: row.p.unwrap_or(f64::NAN),
            p_holm: row.p_holm.unwrap_or(f64::NAN),
        }
    }
}

/// A row of `/summary/fit`.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct FitRow {
    stratum: u32,
    scheme: u32,
    bits: f64,
    trials: u64,
    avf: f64,
    fit: f64,
    fit_low: f64,
    fit_high: f64,
}

impl From<&FitFigures> for FitRow {
    fn from(row: &FitFigures) -> Self {
        Self {
            stratum: u32::from(index(row.stratum)),
            scheme: u32::from(index(row.scheme)),
            bits: row.bits,
            trials: row.trials,
            avf: row.avf,
            fit: row.fit.nominal,
            fit_low: row.fit.low,
            fit_high: row.fit.high,
        }
    }
}

/// A row of `/summary/beam`.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct BeamRow {
    stratum: u32,
    scheme: u32,
    runs: u64,
    upsets: u64,
    armed_s: f64,
    armed_fluence_per_cm2: f64,
    dead_s: f64,
    events: u64,
    cm2: f64,
    cm2_low: f64,
    cm2_high: f64,
    sdc: u64,
    sdc_cm2: f64,
    sdc_cm2_low: f64,
    sdc_cm2_high: f64,
    due: u64,
    due_cm2: f64,
    due_cm2_low: f64,
    due_cm2_high: f64,
}

impl From<&BeamFigures> for BeamRow {
    fn from(row: &BeamFigures) -> Self {
        Self {
            stratum: u32::from(index(row.stratum)),
            scheme: u32::from(index(row.scheme)),
            runs: row.runs,
            upsets: row.upsets,
            armed_s: row.armed_s,
            armed_fluence_per_cm2: row.armed_fluence_per_cm2,
            dead_s: row.dead_s,
            events: row.all.events,
            cm2: row.all.cm2,
            cm2_low: row.all.interval.low,
            cm2_high: row.all.interval.high,
            sdc: row.sdc.events,
            sdc_cm2: row.sdc.cm2,
            sdc_cm2_low: row.sdc.interval.low,
            sdc_cm2_high: row.sdc.interval.high,
            due: row.due.events,
            due_cm2: row.due.cm2,
            due_cm2_low: row.due.interval.low,
            due_cm2_high: row.due.interval.high,
        }
    }
}

// Rows go to the file as they stand in memory, and must have no holes.
const _: () = assert!(size_of::<FigureRow>() == 16 + 34 * 8);
const _: () = assert!(size_of::<ComparisonRow>() == 8 + 9 * 8);
const _: () = assert!(size_of::<FitRow>() == 8 + 6 * 8);
const _: () = assert!(size_of::<BeamRow>() == 8 + 17 * 8);

/// Writes `/summary`.
pub(super) fn write(to: &File, summary: &Summary) -> hdf5::Result<()> {
    let at = group(to, SUMMARY)?;
    set(&at, "alpha", &summary.alpha)?;
    set(&at, "census", &summary.census)?;
    set(&at, "resamples", &summary.resamples)?;
    for breakdown in Breakdown::ALL {
        let rows: Vec<_> = summary.by(breakdown).map(FigureRow::from).collect();
        put_table(&at, breakdown.table(), &rows)?;
    }
    let comparisons: Vec<_> = summary.comparisons.iter().map(ComparisonRow::from).collect();
    put_table(&at, "comparisons", &comparisons)?;
    let fit: Vec<_> = summary.fit.iter().map(FitRow::from).collect();
    put_table(&at, "fit", &fit)?;
    let fit = at.dataset("fit")?;
    set_text(&fit, "unit", "failures in 1e9 device-hours, at the rate before acceleration")?;
    set_text(&fit, "avf", AVF_NAME)?;
    if !summary.beam.is_empty() {
        let rows: Vec<_> = summary.beam.iter().map(BeamRow::from).collect();
        put_table(&at, "beam", &rows)?;
        let beam = at.dataset("beam")?;
        set_text(&beam, "what", SIMULATED_BEAM)?;
    }
    set_names(&at, "outcome_names", &Outcome::ALL.map(Outcome::name))
}

fn ends(interval: Option<Interval>) -> (f64, f64) {
    interval.map_or((f64::NAN, f64::NAN), |interval| (interval.low, interval.high))
}

fn code(code: Option<u32>) -> i32 {
    code.map_or(-1, |code| i32::try_from(code).unwrap_or(i32::MAX))
}

fn index(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
