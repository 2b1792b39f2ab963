//! Figures that follow from rows and header alone: no clock, no order of work, no adapter.
//!
//! The trial is the independent unit. A census has no intervals and no tests: its figures are those
//! of the whole population.

use super::beam::BeamFigures;
use super::figures::{Counts, Key, Pairs, Sums};
use super::rows::{FaultRow, OutcomeRow};
use super::schema::Header;
use crate::fault::Region;
use crate::outcome::{Outcome, OutcomeCounts, by_name};
use crate::seed::{Domain, stream};
use crate::stats::{
    Fit, Interval, Ratio, clopper_pearson, fit, holm, mcnemar_exact, mean_interval, paired_ratio,
    resamples, wilson,
};
use schemars::JsonSchema;
use serde::Serialize;

pub use super::figures::Breakdown;

/// The AVF in every FIT figure here.
pub const AVF_NAME: &str = "the probability that a trial with exactly one upset in the scheme's \
    footprint has a wrong answer";

/// Everything that a report says of outcomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// α of the intervals, 1 − their confidence.
    pub alpha: f64,
    /// Whether the campaign is a census.
    pub census: bool,
    /// Resamples of each bootstrap; 0 where α is too small for any.
    pub resamples: u32,
    /// By breakdown, stratum, scheme, then place.
    pub figures: Vec<Figures>,
    /// Each scheme with the baseline, by stratum, then scheme.
    pub comparisons: Vec<Comparison>,
    /// Failure rates, where the rate of upsets has a source and is no beam's.
    pub fit: Vec<FitFigures>,
    /// Cross-sections of each scheme in a simulated beam.
    pub beam: Vec<BeamFigures>,
}

/// The figures of a group of trials.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    /// By what the group is told apart.
    pub breakdown: Breakdown,
    /// Index of the scheme.
    pub scheme: usize,
    /// Index of the stratum.
    pub stratum: usize,
    /// The region struck.
    pub region: Option<Region>,
    /// The tensor (weights) or op (activations) struck.
    pub tensor: Option<u32>,
    /// The bit struck, 0 (least significant) to 31 (sign).
    pub bit: Option<u32>,
    /// Trials.
    pub trials: u64,
    /// Trials with a wrong answer.
    pub wrong_trials: u64,
    /// P(a trial has a wrong answer).
    pub wrong_probability: f64,
    /// Its Clopper–Pearson interval.
    pub clopper_pearson: Option<Interval>,
    /// Its Wilson interval.
    pub wilson: Option<Interval>,
    /// The mean over trials of the share of inferences that are wrong.
    pub wrong_share: f64,
    /// Its bootstrap interval.
    pub wrong_share_interval: Option<Interval>,
    /// Inferences.
    pub inferences: u64,
    /// Inferences by outcome, indexed by [`Outcome`].
    #[serde(flatten, with = "by_name")]
    #[schemars(with = "OutcomeCounts")]
    pub outcomes: [u64; 7],
    /// Inferences with an alarm.
    #[serde(rename = "alarm_raised")]
    pub alarms: u64,
    /// Inferences saved: wrong under the baseline, equal to golden here.
    pub averted: u64,
    /// Inferences whose output held a NaN or an infinity.
    pub non_finite: u64,
    /// Inferences whose delivered decision equals the label.
    pub label_correct: u64,
    /// Inferences run again.
    pub retries: u64,
    /// Reloads of golden after a mismatch or a DUE.
    pub reloads: u64,
    /// Words that periodic scrubs put right.
    pub scrub_repaired: u64,
    /// Words that periodic scrubs left wrong.
    pub scrub_uncorrectable: u64,
    /// Faults received.
    pub faults: u64,
    /// Trials without a wrong answer before their end.
    pub censored: u64,
    /// The mean time to the first wrong answer, restricted to the trial's length.
    pub time_to_critical_s: f64,
    /// Its bootstrap interval.
    pub time_interval_s: Option<Interval>,
    /// Wrong trials replayed that needed 1, 2, 3 or more events.
    #[serde(flatten, with = "needed")]
    #[schemars(with = "Needed")]
    pub events_needed: [u64; 3],
}

/// Wrong trials that were replayed, by the events that they needed, as an object of archives and exports.
#[derive(Serialize, JsonSchema)]
struct Needed {
    /// Wrong trials that one event alone makes wrong.
    needed_1_event: u64,
    /// Wrong trials that needed two events.
    needed_2_events: u64,
    /// Wrong trials that needed three events or more.
    needed_3_or_more: u64,
}

/// Serde: [`Needed`].
mod needed {
    use super::Needed;
    use serde::{Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(counts: &[u64; 3], to: S) -> Result<S::Ok, S::Error> {
        let [needed_1_event, needed_2_events, needed_3_or_more] = *counts;
        Needed { needed_1_event, needed_2_events, needed_3_or_more }.serialize(to)
    }
}

impl Figures {
    /// The share of inferences with this outcome.
    pub fn share(&self, outcome: Outcome) -> f64 {
        ratio(self.outcomes[outcome as usize], self.inferences)
    }

    /// The share of inferences with an alarm.
    pub fn alarm_share(&self) -> f64 {
        ratio(self.alarms, self.inferences)
    }
}

/// A scheme against the baseline, on the same trials.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Index of the stratum.
    pub stratum: usize,
    /// Index of the scheme.
    pub scheme: usize,
    /// Index of the baseline.
    pub baseline: usize,
    /// Trials that both ran.
    pub trials: u64,
    /// Trials wrong under the scheme alone.
    pub only_scheme_wrong: u64,
    /// Trials wrong under the baseline alone.
    pub only_baseline_wrong: u64,
    /// Trials wrong under both.
    pub both_wrong: u64,
    /// How many times fewer trials are wrong than under the baseline, with the bootstrap interval
    /// over trials that both met; a census has the ratio and no interval around it.
    pub fewer: Option<Ratio>,
    /// The exact two-sided `McNemar` test.
    pub p: Option<f64>,
    /// Likewise, Holm-corrected over all comparisons here.
    pub p_holm: Option<f64>,
}

/// A failure rate: rate × bits × AVF, the AVF being [`AVF_NAME`].
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FitFigures {
    /// Index of the stratum.
    pub stratum: usize,
    /// Index of the scheme.
    pub scheme: usize,
    /// Exposed bits, all copies and executions.
    pub bits: f64,
    /// Trials with exactly one upset.
    pub trials: u64,
    /// The AVF.
    pub avf: f64,
    /// Failures in 10⁹ device-hours at the rate before acceleration.
    pub fit: Fit,
}

/// The figures of a campaign, from its header and rows in the archive's order.
///
/// # Panics
/// Where rows are not in the archive's order.
pub fn summarise(header: &Header, faults: &[FaultRow], outcomes: &[OutcomeRow]) -> Summary {
    let mut tallies = Tallies::new(header);
    tallies.add(faults, outcomes);
    tallies.finish()
}

/// A summary in the making, segment by segment.
pub struct Tallies<'h> {
    header: &'h Header,
    counts: Counts,
}

impl<'h> Tallies<'h> {
    pub(super) fn new(header: &'h Header) -> Self {
        Self { header, counts: Counts::new(header.baseline()) }
    }

    /// Counts whole trials, in the archive's order.
    pub(super) fn add(&mut self, faults: &[FaultRow], outcomes: &[OutcomeRow]) {
        self.counts.add(faults, outcomes);
    }

    pub(super) fn finish(self) -> Summary {
        let figures: Vec<_> =
            self.counts.sums.iter().map(|(key, sums)| self.figures(key, sums)).collect();
        Summary {
            alpha: self.header.campaign.alpha,
            census: self.header.campaign.census,
            resamples: resamples(self.header.campaign.alpha)
                .map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
            comparisons: self.comparisons(),
            fit: self.fit(&figures),
            beam: self.beam(),
            figures,
        }
    }

    fn figures(&self, key: &Key, sums: &Sums) -> Figures {
        let campaign = &self.header.campaign;
        let alpha = campaign.alpha;
        let sampled = !campaign.census;
        let shares: Vec<(f64, u64)> = sums
            .wrong_shares
            .iter()
            .map(|((wrong, of), trials)| (ratio(u64::from(*wrong), u64::from(*of)), *trials))
            .collect();
        let times: Vec<(f64, u64)> =
            sums.times.iter().map(|(bits, trials)| (f64::from_bits(*bits), *trials)).collect();
        let longest_s = times.last().map_or(0.0, |(time, _)| *time);
        let bootstrap = |statistic: u64, shares: &[(f64, u64)]| {
            let [a, b, c, d, e, f] = key.words();
            let name = [statistic, a, b, c, d, e, f];
            let mut draws = stream(campaign.seed, Domain::Bootstrap, &name);
            mean_interval(shares, alpha, &mut draws)
        };
        Figures {
            breakdown: key.breakdown,
            scheme: usize::from(key.scheme),
            stratum: usize::from(key.stratum),
            region: key.region,
            tensor: key.tensor,
            bit: key.bit,
            trials: sums.trials,
            wrong_trials: sums.wrong_trials,
            wrong_probability: ratio(sums.wrong_trials, sums.trials),
            clopper_pearson: sampled
                .then(|| clopper_pearson(sums.wrong_trials, sums.trials, alpha)),
            wilson: sampled.then(|| wilson(sums.wrong_trials, sums.trials, alpha)),
            wrong_share: mean(&shares),
            wrong_share_interval: sampled.then(|| bootstrap(1, &shares)).flatten(),
            inferences: sums.inferences,
            outcomes: sums.outcomes,
            alarms: sums.alarms,
            averted: sums.averted,
            non_finite: sums.non_finite,
            label_correct: sums.label_correct,
            retries: sums.retries,
            reloads: sums.reloads,
            scrub_repaired: sums.scrub_repaired,
            scrub_uncorrectable: sums.scrub_uncorrectable,
            faults: sums.faults,
            censored: sums.censored,
            time_to_critical_s: mean(&times),
            time_interval_s: (sampled && longest_s > 0.0)
                .then(|| times.iter().map(|(time, n)| (time / longest_s, *n)).collect())
                .and_then(|parts: Vec<_>| bootstrap(2, &parts))
                .map(|of| Interval { low: of.low * longest_s, high: of.high * longest_s }),
            events_needed: sums.events_needed,
        }
    }

    fn comparisons(&self) -> Vec<Comparison> {
        let Some(baseline) = self.header.baseline() else { return Vec::new() };
        let tested = !self.header.campaign.census;
        let pairs = self.counts.pairs.values();
        let p: Vec<f64> =
            pairs.map(|p| mcnemar_exact(p.only_scheme_wrong, p.only_baseline_wrong)).collect();
        let corrected = holm(&p);
        let rows = self.counts.pairs.iter().zip(p.iter().zip(corrected));
        rows.map(|((&(stratum, scheme), pairs), (p, p_holm))| Comparison {
            stratum: usize::from(stratum),
            scheme: usize::from(scheme),
            baseline,
            trials: pairs.trials,
            only_scheme_wrong: pairs.only_scheme_wrong,
            only_baseline_wrong: pairs.only_baseline_wrong,
            both_wrong: pairs.both_wrong,
            fewer: self.fewer((stratum, scheme), pairs),
            p: tested.then_some(*p),
            p_holm: tested.then_some(p_holm),
        })
        .collect()
    }

    fn fewer(&self, (stratum, scheme): (u16, u16), pairs: &Pairs) -> Option<Ratio> {
        let campaign = &self.header.campaign;
        let (first, second) = (
            pairs.both_wrong + pairs.only_baseline_wrong,
            pairs.both_wrong + pairs.only_scheme_wrong,
        );
        if campaign.census {
            let exact = (first > 0 && second > 0).then(|| first as f64 / second as f64)?;
            let ends = (exact, Some(exact));
            return Some(Ratio {
                estimate: Some(exact),
                low: ends.0,
                high: ends.1,
                of_events: false,
            });
        }
        let right = pairs.trials - (first + pairs.only_scheme_wrong);
        let counts = [
            ((0, 0), right),
            ((1, 0), pairs.only_baseline_wrong),
            ((0, 1), pairs.only_scheme_wrong),
            ((1, 1), pairs.both_wrong),
        ];
        let name = [3, stratum.into(), scheme.into()];
        let mut draws = stream(campaign.seed, Domain::Bootstrap, &name);
        paired_ratio(&counts, (first, second), campaign.alpha, &mut draws)
    }

    fn beam(&self) -> Vec<BeamFigures> {
        let (campaign, rate) = (&self.header.campaign, self.header.rate.as_ref());
        let Some((beam, rate)) = self.header.beam.as_ref().zip(rate) else { return Vec::new() };
        let step_s = f64::from(campaign.inferences_per_step) * rate.inference_period_s;
        let sums = self.counts.sums.iter().filter(|(key, _)| key.breakdown == Breakdown::Scheme);
        let figures = sums.map(|(key, sums)| {
            let place = (usize::from(key.stratum), usize::from(key.scheme));
            BeamFigures::of(place, sums, beam, step_s, campaign.alpha)
        });
        figures.collect()
    }

    fn fit(&self, figures: &[Figures]) -> Vec<FitFigures> {
        let Some(rate) = &self.header.rate else { return Vec::new() };
        if rate.source.trim().is_empty() || self.header.beam.is_some() {
            return Vec::new();
        }
        let single = figures.iter().filter(|row| row.breakdown == Breakdown::SingleFault);
        single
            .filter_map(|row| {
                let bits = self.header.schemes.get(row.scheme)?.exposed_bits?;
                let avf = row.wrong_probability;
                let interval = row.clopper_pearson.unwrap_or(Interval { low: avf, high: avf });
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count of bits, rounded"
                )]
                let whole = bits.round() as u64;
                Some(FitFigures {
                    stratum: row.stratum,
                    scheme: row.scheme,
                    bits,
                    trials: row.trials,
                    avf,
                    fit: fit(rate.upsets_per_bit_day, whole, avf, interval),
                })
            })
            .collect()
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(values: &[(f64, u64)]) -> f64 {
    let trials: u64 = values.iter().map(|(_, trials)| trials).sum();
    let sum: f64 = values.iter().map(|(value, trials)| value * *trials as f64).sum();
    if trials == 0 { 0.0 } else { sum / trials as f64 }
}

impl Summary {
    /// The figures of a breakdown.
    pub fn by(&self, breakdown: Breakdown) -> impl Iterator<Item = &Figures> {
        self.figures.iter().filter(move |row| row.breakdown == breakdown)
    }
}
