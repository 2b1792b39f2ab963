//! What the trials of an accumulation are exposed to.

use super::strata::{joined, sites};
use super::{Error, Stratum};
use crate::campaign::file::Campaign;
use crate::campaign::upsets::UpsetRate;
use crate::engine::Windows;
use crate::fault::{Course, Exposure, Region, Sites};
use crate::scheme::Scheme;
use crate::units::DAY_S;
use crate::workload::Workload;
use std::sync::Arc;

/// The mean number of upsets that a trial may have; a trial's faults are numbered in 16 bits.
const UPSETS_MAX: f64 = 10_000.0;

/// Inferences of a trial, at most: each has a row that is held until its segment is stored, and draws of
/// its own for every execution.
const INFERENCES_MAX: u32 = 1 << 20;

/// What the trials of an accumulation are exposed to, over the union of the schemes' footprints.
pub(super) fn exposure(
    campaign: &Campaign,
    workload: &Workload,
    rate: &UpsetRate,
) -> Result<Exposure, Error> {
    let Some(sequence) = campaign.faults.sequence() else {
        return Err(Error::value("faults.mode", "accumulation or beam", campaign.faults.name()));
    };
    if sequence.steps.checked_mul(sequence.inputs_per_step).is_none_or(|all| all > INFERENCES_MAX) {
        let expected =
            format!("{INFERENCES_MAX} inferences in a trial at most, steps × inputs_per_step");
        let found = format!("{} × {}", sequence.steps, sequence.inputs_per_step);
        return Err(Error::value("faults.steps", expected, found));
    }
    let acceleration = campaign.faults.acceleration();
    let schemes = || campaign.scheme.iter();
    let exposure = Exposure {
        regions: sites(workload, &sequence.regions, None, None)?,
        steps: sequence.steps,
        inputs_per_step: sequence.inputs_per_step,
        inference_period_s: sequence.inference_period_s,
        execution_time_s: sequence.execution_time_s,
        upsets_per_bit_s: rate.upsets_per_bit_day / DAY_S * acceleration,
        course: rate.course.as_ref().map(|course| {
            Arc::new(Course::new(course.rates.iter().copied().map(f64::from), course.step_s))
        }),
        copies_max: schemes().map(Scheme::copies).max().unwrap_or(1),
        executions_max: schemes().map(Scheme::executions_max).max().unwrap_or(1),
    };
    let copies = f64::from(exposure.copies_max);
    let per_step = exposure.upsets_per_step((copies, copies), exposure.executions_max);
    let mean = per_step * f64::from(sequence.steps) * exposure.most_over_mean();
    if mean > UPSETS_MAX || !mean.is_finite() {
        let is_derived = campaign.faults.device().is_some();
        let (key, value) = match campaign.faults.beam() {
            Some(beam) => ("faults.flux_per_cm2_s", beam.flux_per_cm2_s),
            None if acceleration > 1.0 => ("faults.acceleration", acceleration),
            None if is_derived => ("faults.device", rate.upsets_per_bit_day),
            None => ("faults.upsets_per_bit_day", rate.upsets_per_bit_day),
        };
        let named = if key == "faults.device" { "the derived rate, " } else { "" };
        let expected = format!("a rate that gives a trial {UPSETS_MAX} upsets at most on average");
        return Err(Error::value(
            key,
            expected,
            format!("{named}{value:e}, which gives {mean:.0}"),
        ));
    }
    Ok(exposure)
}

/// Steps read the inputs one window after another, around and around.
#[expect(clippy::cast_possible_truncation, reason = "below the inputs")]
pub(super) fn of_exposure(exposure: &Exposure, inputs: u32, trials_max: u64) -> Stratum {
    let rows = exposure.inputs_per_step;
    let windows = u64::from((inputs / common_divisor(inputs, rows)).min(exposure.steps));
    let input = |at: u64| (at % u64::from(inputs)) as u32;
    let regions: Vec<Region> = exposure.regions.iter().map(Sites::region).collect();
    Stratum {
        name: joined(&regions),
        regions,
        bits: exposure.regions.iter().map(Sites::bits).sum(),
        inferences: exposure.steps * rows,
        windows: Windows::new(rows, (0..windows * u64::from(rows)).map(input).collect()),
        trials_max,
    }
}

const fn common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
