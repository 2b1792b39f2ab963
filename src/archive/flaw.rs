//! What cannot be in an archive: values that no run gives are refused before statistics see them.
//!
//! A file's rows are a stranger's. Every index must point into the table that it names, every
//! number must be one that a run can give, and rows must lie in the order of the archive.

use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::{Header, RateInfo, WorkloadInfo};
use super::segment::Segment;
use crate::fault::Region;
use crate::outcome::Outcome;
use crate::stats::{ALPHA_MIN, looks};
use std::fmt::Display;
use std::ops::Range;

/// The most bytes of a name.
const NAME_MAX: usize = super::file::NAME;
/// Schemes and strata are counted in 16 bits.
const SHORT_MAX: usize = u16::MAX as usize;
/// Words of a workload are counted in 32 bits.
const WORDS_MAX: u64 = u32::MAX as u64;

/// What would have been right, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What would have been right.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl Flaw {
    pub(super) fn new(expected: impl Into<String>, found: impl Display) -> Self {
        Self { expected: expected.into(), found: found.to_string() }
    }
}

/// A column: its name, what its values are, whether this value is one, and the value.
pub(super) type Check = (&'static str, &'static str, bool, f64);

/// The first column whose value cannot be; `place` says in which row.
pub(super) fn all(checks: &[Check], place: impl FnOnce() -> String) -> Result<(), Flaw> {
    let Some((column, expected, _, found)) = checks.iter().find(|(.., holds, _)| !holds) else {
        return Ok(());
    };
    Err(Flaw::new(format!("{column} {expected} in {}", place()), found))
}

/// A number that is neither infinite nor NaN nor below zero.
pub(super) fn counts(value: f64) -> bool {
    value.is_finite() && value.is_sign_positive()
}

/// A number above zero.
pub(super) fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

pub(super) const NOT_NEGATIVE: &str = "finite and not negative";
pub(super) const POSITIVE: &str = "finite and above 0";
pub(super) const FLAG: &str = "0 or 1";

/// Refuses a name that names nothing. What stands in a name is its writer's affair: outputs print
/// names through `words`.
pub(super) fn name(what: &str, name: &str) -> Result<(), Flaw> {
    if !name.trim().is_empty() && name.len() <= NAME_MAX {
        return Ok(());
    }
    let expected = format!("a name of 1 to {NAME_MAX} bytes for {what}");
    Err(Flaw::new(expected, format!("{name:?}")))
}

/// Likewise, of a name that a folder has.
pub(super) fn folder_name(what: &str, of: &str) -> Result<(), Flaw> {
    if of.chars().any(char::is_control) {
        return Err(Flaw::new(
            format!("a name of printable characters for {what}"),
            format!("{of:?}"),
        ));
    }
    name(what, of)
}

/// What cannot be in the header of a campaign.
pub(super) fn header(header: &Header) -> Result<(), Flaw> {
    let campaign = &header.campaign;
    folder_name("the campaign", &campaign.name)?;
    let (schemes, strata) = (header.schemes.len(), header.strata.len());
    let inferences = header.strata.iter().map(|stratum| u64::from(stratum.inferences_per_trial));
    all(
        &[
            ("schemes", "1 to 65,535", (1..=SHORT_MAX).contains(&schemes), schemes as f64),
            ("strata", "1 to 65,535", (1..=SHORT_MAX).contains(&strata), strata as f64),
            (
                "alpha",
                "at least 1e-13 and below 1",
                campaign.alpha >= looks::level(ALPHA_MIN) && campaign.alpha < 1.0,
                campaign.alpha,
            ),
            ("looks", "1 or more", campaign.looks > 0, campaign.looks.into()),
            ("steps", "1 or more", campaign.steps > 0, campaign.steps.into()),
            (
                "inferences_per_trial",
                "1 or more",
                inferences.min().is_some_and(|least| least > 0),
                0.0,
            ),
        ],
        || "the campaign".into(),
    )?;
    header.strata.iter().try_for_each(|stratum| name("a stratum", &stratum.name))?;
    let planned = header.strata.iter().try_fold(0_u64, |sum, of| sum.checked_add(of.trials));
    if planned.is_none() {
        return Err(Flaw::new("trials of all strata below 2^64", "more"));
    }
    for scheme in &header.schemes {
        name("a scheme", scheme.name())?;
        let cost = &scheme.cost;
        let bits = scheme.exposed_bits.unwrap_or(0.0);
        all(
            &[
                (
                    "bytes_read_per_inference",
                    NOT_NEGATIVE,
                    counts(cost.bytes_read_per_inference),
                    cost.bytes_read_per_inference,
                ),
                (
                    "scrub_bytes_per_inference",
                    NOT_NEGATIVE,
                    counts(cost.scrub_bytes_per_inference),
                    cost.scrub_bytes_per_inference,
                ),
                ("exposed_bits", NOT_NEGATIVE, counts(bits), bits),
            ],
            || format!("scheme {}", scheme.name()),
        )?;
    }
    header.rate.iter().try_for_each(rate)?;
    if let Some(beam) = &header.beam {
        let (energy, let_) =
            (beam.energy_mev.unwrap_or(1.0), beam.let_mev_cm2_per_mg.unwrap_or(1.0));
        all(
            &[
                ("energy_mev", POSITIVE, positive(energy), energy),
                ("let_mev_cm2_per_mg", POSITIVE, positive(let_), let_),
                ("flux_per_cm2_s", POSITIVE, positive(beam.flux_per_cm2_s), beam.flux_per_cm2_s),
                ("fluence_per_cm2", POSITIVE, positive(beam.fluence_per_cm2), beam.fluence_per_cm2),
                ("reset_time_s", NOT_NEGATIVE, counts(beam.reset_time_s), beam.reset_time_s),
                ("reload_time_s", NOT_NEGATIVE, counts(beam.reload_time_s), beam.reload_time_s),
                (
                    "dosimetry_error",
                    NOT_NEGATIVE,
                    counts(beam.dosimetry_error),
                    beam.dosimetry_error,
                ),
            ],
            || "the beam".into(),
        )?;
        if header.rate.is_none() {
            return Err(Flaw::new("the rate of upsets of a beam", "none"));
        }
    }
    for mode in &header.not_injected {
        name("a mode", &mode.mode)?;
        let band = mode.per_device_day.map_or([0.0; 3], |band| [band.low, band.nominal, band.high]);
        let odd = band.into_iter().find(|rate| !counts(*rate));
        if let Some(rate) = odd {
            return Err(Flaw::new(format!("a rate of {} {NOT_NEGATIVE}", mode.mode), rate));
        }
    }
    workload(&header.workload)
}

/// What cannot be a workload.
pub(super) fn workload(info: &WorkloadInfo) -> Result<(), Flaw> {
    name("the workload", &info.name)?;
    for tensor in &info.tensors {
        name("a tensor", &tensor.name)?;
        let end = tensor.offset.checked_add(tensor.words);
        if end.is_none_or(|end| end > WORDS_MAX) {
            let expected = format!("tensor {} within {WORDS_MAX} words", tensor.name);
            return Err(Flaw::new(
                expected,
                format!("{} words from {}", tensor.words, tensor.offset),
            ));
        }
    }
    let words = info.tensors.iter().try_fold(0_u64, |sum, of| sum.checked_add(of.words));
    if words.is_none_or(|words| words > WORDS_MAX) {
        return Err(Flaw::new(format!("tensors of at most {WORDS_MAX} words in all"), "more"));
    }
    info.ops
        .iter()
        .try_for_each(|op| name("an op", &op.name).and_then(|()| name("a kind of op", &op.kind)))
}

fn rate(rate: &RateInfo) -> Result<(), Flaw> {
    all(
        &[
            (
                "upsets_per_bit_day",
                NOT_NEGATIVE,
                counts(rate.upsets_per_bit_day),
                rate.upsets_per_bit_day,
            ),
            ("acceleration", POSITIVE, positive(rate.acceleration), rate.acceleration),
            (
                "inference_period_s",
                NOT_NEGATIVE,
                counts(rate.inference_period_s),
                rate.inference_period_s,
            ),
            (
                "execution_time_s",
                NOT_NEGATIVE,
                counts(rate.execution_time_s),
                rate.execution_time_s,
            ),
            ("trial_s", NOT_NEGATIVE, counts(rate.trial_s), rate.trial_s),
            ("peak_over_mean", NOT_NEGATIVE, counts(rate.peak_over_mean), rate.peak_over_mean),
        ],
        || "the rate".into(),
    )?;
    let Some(course) = &rate.course else { return Ok(()) };
    let odd = course.rates.iter().find(|rate| !counts(f64::from(**rate)));
    all(
        &[
            ("course_step_s", POSITIVE, positive(course.step_s), course.step_s),
            ("course", "one place or more", !course.rates.is_empty(), 0.0),
            ("course", NOT_NEGATIVE, odd.is_none(), odd.map_or(0.0, |rate| f64::from(*rate))),
        ],
        || "the rate".into(),
    )
}

/// What cannot be in rows: each trial of the range has one outcome under each scheme, with the
/// faults that it counts, all in the order of the archive.
pub(super) fn rows(segment: &Segment, header: &Header) -> Result<(), Flaw> {
    let Segment { first_trial, trials, faults, outcomes, timing } = segment;
    let schemes = header.schemes.len() as u64;
    let Some(end) = first_trial.checked_add(*trials) else {
        return Err(Flaw::new("trials below 2^64", format!("{trials} from {first_trial}")));
    };
    let range = *first_trial..end;
    if trials.checked_mul(schemes) != Some(outcomes.len() as u64) {
        let expected = format!("one outcome for each of {schemes} schemes in trials {range:?}");
        return Err(Flaw::new(expected, format!("{} rows", outcomes.len())));
    }
    let places = range.clone().flat_map(|trial| (0..schemes).map(move |scheme| (trial, scheme)));
    let mut left = faults.as_slice();
    for ((trial, scheme), row) in places.zip(outcomes) {
        if (row.trial, u64::from(row.scheme)) != (trial, scheme) {
            let expected = format!(
                "the outcome of trial {trial} under scheme {scheme}: one for each of {schemes} \
                 schemes, in order"
            );
            return Err(Flaw::new(
                expected,
                format!("that of trial {} under scheme {}", row.trial, row.scheme),
            ));
        }
        outcome(row, header)?;
        let count = left
            .iter()
            .take_while(|fault| (fault.trial, fault.scheme) == (row.trial, row.scheme))
            .count();
        if count as u64 != u64::from(row.faults) {
            let expected = format!("{} faults of trial {trial} under scheme {scheme}", row.faults);
            return Err(Flaw::new(expected, count));
        }
        let (struck, rest) = left.split_at(count);
        (0..).zip(struck).try_for_each(|(order, row)| fault(row, order, header))?;
        left = rest;
    }
    if let Some(row) = left.first() {
        let found = format!("one of trial {} under scheme {}", row.trial, row.scheme);
        return Err(Flaw::new(format!("no more faults than trials {range:?} count"), found));
    }
    timing.iter().try_for_each(|row| time(row, &range, header))
}

fn outcome(row: &OutcomeRow, header: &Header) -> Result<(), Flaw> {
    const SHARE: &str = "at most its inferences";
    let stratum = header.strata.get(usize::from(row.stratum));
    let most = stratum.map_or(0, |stratum| stratum.inferences_per_trial);
    let share = |count: u32| count <= row.inferences;
    let code = |code: u32| code as usize <= Outcome::ALL.len();
    let OutcomeRow { trial, scheme, inferences, .. } = *row;
    if row.sum() != u64::from(inferences) {
        let expected =
            format!("outcomes of trial {trial} under scheme {scheme} that sum to {inferences}");
        return Err(Flaw::new(expected, row.sum()));
    }
    all(
        &[
            ("stratum", "an index of one", stratum.is_some(), row.stratum.into()),
            (
                "inferences",
                "at most those of its stratum",
                row.inferences <= most,
                row.inferences.into(),
            ),
            ("worst", "that of its outcomes", row.worst == row.worst() as u8, row.worst.into()),
            ("censored", FLAG, row.censored <= 1, row.censored.into()),
            (
                "wrong",
                "1 with a critical SDC, else 0",
                row.wrong == u8::from(row.critical_sdc > 0),
                row.wrong.into(),
            ),
            ("events_needed", "0 to 3", row.events_needed <= 3, row.events_needed.into()),
            (
                "time_to_critical_s",
                NOT_NEGATIVE,
                counts(row.time_to_critical_s),
                row.time_to_critical_s,
            ),
            ("alarm_raised", SHARE, share(row.alarm_raised), row.alarm_raised.into()),
            ("non_finite", SHARE, share(row.non_finite), row.non_finite.into()),
            ("label_correct", SHARE, share(row.label_correct), row.label_correct.into()),
            ("averted", SHARE, share(row.averted), row.averted.into()),
            ("listed", "0 to 7", code(row.listed.into()), row.listed.into()),
            ("decided", FLAG, row.decided <= 1, row.decided.into()),
            ("first_error", "0 to 7", code(row.first_error), row.first_error.into()),
            (
                "armed_steps",
                "at most those of the trial",
                row.armed_steps <= header.campaign.steps,
                row.armed_steps.into(),
            ),
        ],
        || format!("the outcome of trial {} under scheme {}", row.trial, row.scheme),
    )
}

fn fault(row: &FaultRow, order: u64, header: &Header) -> Result<(), Flaw> {
    let (workload, campaign) = (&header.workload, &header.campaign);
    let at = row.tensor as usize;
    let region = Region::ALL.into_iter().find(|region| *region as u8 == row.region);
    let words = match region {
        Some(Region::Weights | Region::Voted) => {
            let elements =
                |tensor: &super::schema::TensorInfo| tensor.shape.iter().product::<usize>() as u64;
            workload.tensors.get(at).map(elements)
        }
        Some(Region::Activations) => workload.ops.get(at).map(|op| u64::from(op.features)),
        Some(Region::Input | Region::Check) => Some(u64::MAX),
        None => None,
    };
    all(
        &[
            (
                "order",
                "its place among the faults of the trial",
                u64::from(row.order) == order,
                row.order.into(),
            ),
            ("region", "0 to 4", region.is_some(), row.region.into()),
            ("kind", "0 to 2", row.kind <= 2, row.kind.into()),
            ("tensor", "an index of one", words.is_some(), row.tensor.into()),
            (
                "index",
                "an element of its tensor",
                words.is_some_and(|words| row.index < words),
                row.index as f64,
            ),
            ("time_s", NOT_NEGATIVE, counts(row.time_s), row.time_s),
            ("step", "below the steps of a trial", row.step < campaign.steps, row.step.into()),
            (
                "inference",
                "one of the campaign's inputs",
                row.inference < workload.inputs,
                row.inference.into(),
            ),
        ],
        || format!("fault {order} of trial {} under scheme {}", row.trial, row.scheme),
    )
}

fn time(row: &TimingRow, range: &Range<u64>, header: &Header) -> Result<(), Flaw> {
    let end = row.first_trial.checked_add(row.trials);
    let most = header.strata.iter().map(|stratum| stratum.inferences_per_trial).max().unwrap_or(0);
    let most = u128::from(row.trials) * u128::from(most);
    all(
        &[
            (
                "scheme",
                "an index of one",
                (row.scheme as usize) < header.schemes.len(),
                row.scheme.into(),
            ),
            (
                "trials",
                "trials of the archive",
                range.contains(&row.first_trial) && end.is_some_and(|end| end <= range.end),
                row.trials as f64,
            ),
            (
                "inferences",
                "at most those of its trials",
                u128::from(row.inferences) <= most,
                row.inferences as f64,
            ),
            ("seconds", NOT_NEGATIVE, counts(row.seconds), row.seconds),
        ],
        || format!("the times from trial {} on", row.first_trial),
    )
}
