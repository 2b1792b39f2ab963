//! Accumulation: upsets that arrive as a Poisson process over a trial's time.
//!
//! Every copy of a stored word and every execution of a transient word has draws of its own, keyed
//! by its number, so that each scheme sees its part of one stream of events. The rate may follow a
//! course, as along an orbit: a trial then begins at a place of it that its seed draws.

use super::{Course, Fault, FaultKind, Region, Replica, Sites};
use crate::seed::{Domain, below, stream, unit};
use rand_distr::{Distribution, Poisson};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::sync::Arc;

/// What a trial exposes, and to what.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// The struck regions' sites.
    pub regions: Vec<Sites>,
    /// Steps in a trial.
    pub steps: u32,
    /// Inferences in a step.
    pub inputs_per_step: u32,
    /// Seconds between inferences (declared).
    pub inference_period_s: f64,
    /// Seconds that the transient words of one execution are exposed (declared).
    pub execution_time_s: f64,
    /// Upsets per bit and second, any acceleration included; the mean of the course.
    pub upsets_per_bit_s: f64,
    /// How the rate follows time, relative to its mean; constant where there is none.
    pub course: Option<Arc<Course>>,
    /// The most stored copies that any scheme keeps.
    pub copies_max: u32,
    /// The most executions that any scheme runs of an inference, its retry included.
    pub executions_max: u32,
}

impl Exposure {
    /// Seconds in a step.
    pub fn step_s(&self) -> f64 {
        f64::from(self.inputs_per_step) * self.inference_period_s
    }

    /// Seconds in a trial.
    pub fn trial_s(&self) -> f64 {
        f64::from(self.steps) * self.step_s()
    }

    /// The most that a trial's mean number of upsets can exceed that of the mean rate.
    pub fn most_over_mean(&self) -> f64 {
        self.course.as_ref().map_or(1.0, |course| course.most(self.trial_s()) / self.trial_s())
    }

    /// The mean number of upsets in a step, of a scheme with so many copies (of weights, of inputs:
    /// not whole where only some bits have replicas) and executions.
    pub fn upsets_per_step(&self, (weights, inputs): (f64, f64), executions: u32) -> f64 {
        let inferences = f64::from(self.inputs_per_step);
        let mean = |sites: &Sites| match sites.region() {
            Region::Weights | Region::Check => self.mean(sites, self.step_s()) * weights,
            Region::Input => self.mean(sites, self.execution_time_s) * inferences * inputs,
            Region::Activations | Region::Voted => {
                self.mean(sites, self.execution_time_s) * inferences * f64::from(executions)
            }
        };
        self.regions.iter().map(mean).sum()
    }

    /// The mean number of upsets that strike `sites` in `seconds`.
    fn mean(&self, sites: &Sites, seconds: f64) -> f64 {
        sites.bits() as f64 * self.upsets_per_bit_s * seconds
    }
}

/// The clock of one trial: how much of the rate each of its seconds has.
struct Clock<'e> {
    course: Option<&'e Course>,
    start_s: f64,
}

/// A span of a trial's time.
struct Span {
    from_s: f64,
    seconds: f64,
    /// The integral of the relative rate before the span, and over it.
    before: f64,
    weight: f64,
}

impl<'e> Clock<'e> {
    fn new(seed: u64, trial: u64, exposure: &'e Exposure) -> Self {
        let course = exposure.course.as_deref();
        let start_s = course.map_or(0.0, |course| {
            let mut draws = stream(seed, Domain::OrbitStart, &[trial]);
            below(&mut draws, course.places() as u64) as f64 * course.step_s()
        });
        Self { course, start_s }
    }

    fn span(&self, from_s: f64, seconds: f64) -> Span {
        let (before, weight) = self.course.map_or((0.0, seconds), |course| {
            let before = course.expected(self.start_s + from_s);
            (before, course.expected(self.start_s + from_s + seconds) - before)
        });
        Span { from_s, seconds, before, weight }
    }

    /// The time within the span by which this share of its events is expected.
    fn when(&self, span: &Span, share: f64) -> f64 {
        self.course.map_or_else(
            || share * span.seconds,
            |course| {
                let (time_s, _) = course.when(span.before + share * span.weight);
                (time_s - self.start_s - span.from_s).clamp(0.0, span.seconds)
            },
        )
    }
}

/// The upsets of a trial, in the order they strike.
pub fn accumulate(seed: u64, trial: u64, exposure: &Exposure) -> Vec<Fault> {
    let mut faults = Vec::new();
    let clock = Clock::new(seed, trial, exposure);
    for sites in &exposure.regions {
        match sites.region() {
            Region::Weights | Region::Check => {
                stored(seed, trial, exposure, &clock, sites, &mut faults);
            }
            Region::Input | Region::Activations | Region::Voted => {
                transient(seed, trial, exposure, &clock, sites, &mut faults);
            }
        }
    }
    faults.sort_by(|a, b| {
        let place = |fault: &Fault| match fault.place {
            Replica::At(at) => at,
            Replica::Share(_) => 0,
        };
        let key = |f: &Fault| (f.region, f.tensor, f.index, f.row, f.mask, place(f));
        a.step.cmp(&b.step).then(a.time_s.total_cmp(&b.time_s)).then_with(|| key(a).cmp(&key(b)))
    });
    faults
}

/// Upsets of stored words, at any time of the trial.
fn stored(
    seed: u64,
    trial: u64,
    exposure: &Exposure,
    clock: &Clock<'_>,
    sites: &Sites,
    faults: &mut Vec<Fault>,
) {
    let span = clock.span(0.0, exposure.trial_s());
    let mean = exposure.mean(sites, span.weight);
    for replica in 0..exposure.copies_max {
        let key = [trial, sites.region() as u64, u64::from(replica)];
        let mut draws = stream(seed, Domain::Stored, &key);
        for _ in 0..count(&mut draws, mean) {
            let time_s = clock.when(&span, unit(&mut draws));
            let site = sites.at(below(&mut draws, sites.bits()));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below the steps"
            )]
            let step = ((time_s / exposure.step_s()) as u32).min(exposure.steps - 1);
            let upset = sites.fault(site, FaultKind::Xor, Replica::At(replica));
            faults.push(Fault { step, time_s, ..upset });
        }
    }
}

/// Upsets of words that live as long as one execution of one inference.
///
/// Copies of an input wait side by side; executions follow one another.
fn transient(
    seed: u64,
    trial: u64,
    exposure: &Exposure,
    clock: &Clock<'_>,
    sites: &Sites,
    faults: &mut Vec<Fault>,
) {
    let seconds = exposure.execution_time_s;
    let in_turn = sites.region() != Region::Input;
    let places = if in_turn { exposure.executions_max } else { exposure.copies_max };
    for step in 0..exposure.steps {
        for row in 0..exposure.inputs_per_step {
            let inference = u64::from(step) * u64::from(exposure.inputs_per_step) + u64::from(row);
            let start_s = inference as f64 * exposure.inference_period_s;
            for place in 0..places {
                let key = [trial, sites.region() as u64, inference, u64::from(place)];
                let mut draws = stream(seed, Domain::Transient, &key);
                let earlier = if in_turn { f64::from(place) } else { 0.0 };
                let span = clock.span(start_s + earlier * seconds, seconds);
                for _ in 0..count(&mut draws, exposure.mean(sites, span.weight)) {
                    let share = unit(&mut draws);
                    let within_s = match clock.course {
                        None => (earlier + share) * seconds,
                        Some(_) => earlier * seconds + clock.when(&span, share),
                    };
                    let site = sites.at(below(&mut draws, sites.bits()));
                    let upset = sites.fault(site, FaultKind::Xor, Replica::At(place));
                    faults.push(Fault { step, row, time_s: start_s + within_s, ..upset });
                }
            }
        }
    }
}

/// How many upsets arrive where `mean` are expected; a mean of zero takes no draw.
///
/// # Panics
/// Where the mean is not finite: a plan refuses such a rate.
#[expect(clippy::expect_used, reason = "the plan bounds the mean")]
pub(crate) fn count(draws: &mut Xoshiro256PlusPlus, mean: f64) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    let upsets: f64 = Poisson::new(mean).expect("a mean that the plan has bounded").sample(draws);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    {
        upsets as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::bench::mlp;

    const EXPOSED: [Region; 3] = [Region::Weights, Region::Input, Region::Activations];

    fn exposure(region: Region, mean_per_trial: f64) -> Exposure {
        let workload = mlp(&[8, 6, 4], 5);
        let sites = Sites::new(&workload, region, None, None).expect("no restriction");
        let seconds = match region {
            Region::Weights | Region::Check => 6.0 * 4.0 * 2.0,
            Region::Input | Region::Activations | Region::Voted => 6.0 * 4.0 * 0.5,
        };
        Exposure {
            upsets_per_bit_s: mean_per_trial / (sites.bits() as f64 * seconds),
            regions: vec![sites],
            steps: 6,
            inputs_per_step: 4,
            inference_period_s: 2.0,
            execution_time_s: 0.5,
            course: None,
            copies_max: 1,
            executions_max: 1,
        }
    }

    /// A peak of 60 times the mean over a hundredth of a lap of five trials, little elsewhere.
    fn peaked(region: Region, mean_per_trial: f64) -> Exposure {
        let mut exposure = exposure(region, mean_per_trial);
        let rates = (0..500).map(|place| if place < 5 { 60.0 } else { 40.0 / 99.0 });
        let course = Course::new(rates, exposure.trial_s() / 100.0);
        assert!((course.lap() / course.lap_s() - 1.0).abs() < 1e-12);
        exposure.course = Some(Arc::new(course));
        exposure
    }

    #[test]
    fn a_flat_course_draws_what_no_course_draws() {
        for region in EXPOSED {
            let plain = exposure(region, 6.0);
            let course = Course::new(vec![1.0; 37], 7.0);
            let flat = Exposure { course: Some(Arc::new(course)), ..plain.clone() };
            for trial in 0..200 {
                let [plain, flat] = [&plain, &flat].map(|e| accumulate(5, trial, e));
                assert_eq!(plain.len(), flat.len());
                for (plain, flat) in plain.iter().zip(&flat) {
                    assert!((plain.time_s - flat.time_s).abs() < 1e-9);
                    assert_eq!(Fault { time_s: plain.time_s, ..*flat }, *plain);
                }
            }
        }
    }

    #[test]
    fn a_peaked_course_keeps_the_mean_and_spreads_the_trials() {
        for region in EXPOSED {
            let mean = 5.0;
            let exposure = peaked(region, mean);
            let course = exposure.course.clone().expect("a course");
            // The mean of a trial given its start, over all starts.
            let windows: Vec<(f64, f64)> = match region {
                Region::Weights => vec![(0.0, exposure.trial_s())],
                _ => (0..24).map(|n| (2.0 * f64::from(n), 0.5)).collect(),
            };
            let exposed: f64 = windows.iter().map(|(_, seconds)| seconds).sum();
            let over = |from: f64, s: f64| course.expected(from + s) - course.expected(from);
            let given: Vec<f64> = (0..course.places())
                .map(|place| place as f64 * course.step_s())
                .map(|at| windows.iter().map(|(from, s)| over(at + from, *s)).sum::<f64>())
                .map(|weight| mean * weight / exposed)
                .collect();
            let starts = given.len() as f64;
            assert!((given.iter().sum::<f64>() / starts - mean).abs() < 1e-9);
            let spread = given.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / starts;
            let trials = 4000;
            let counts: Vec<f64> =
                (0..trials).map(|trial| accumulate(17, trial, &exposure).len() as f64).collect();
            let n = f64::from(u32::try_from(trials).expect("a small number"));
            let found = counts.iter().sum::<f64>() / n;
            let variance = counts.iter().map(|c| (c - found).powi(2)).sum::<f64>() / n;
            let expected = mean + spread;
            let name = region.name();
            assert!((found - mean).abs() < 4.0 * (expected / n).sqrt(), "{name}: mean {found}");
            assert!(variance > 3.0 * mean, "{name}: {variance} is that of a constant rate");
            let off = (variance / expected - 1.0).abs();
            assert!(off < 0.15, "{name}: variance {variance}, {expected} expected");
            assert!(exposure.most_over_mean() > 3.0);
        }
    }

    #[test]
    fn schemes_share_a_course_and_events_strike_where_it_peaks() {
        let one = peaked(Region::Weights, 5.0);
        let three = Exposure { copies_max: 3, ..one.clone() };
        let mut in_peak = 0;
        let mut all = 0;
        for trial in 0..500 {
            let mut seen = accumulate(8, trial, &three);
            seen.retain(|fault| fault.place == Replica::At(0));
            assert_eq!(seen, accumulate(8, trial, &one));
            let course = one.course.as_deref().expect("a course");
            let clock = Clock::new(8, trial, &one);
            all += seen.len();
            let lap = |fault: &&Fault| (clock.start_s + fault.time_s) % course.lap_s();
            in_peak += seen.iter().filter(|f| lap(f) < 5.0 * course.step_s()).count();
        }
        let share = in_peak as f64 / all as f64;
        assert!((share - 0.6).abs() < 0.1, "{share} of the events within the peak");
    }

    fn mean_of(exposure: &Exposure, trials: u32) -> f64 {
        let total: usize =
            (0..trials).map(|trial| accumulate(3, u64::from(trial), exposure).len()).sum();
        total as f64 / f64::from(trials)
    }

    #[test]
    fn the_mean_count_follows_the_rate() {
        for region in EXPOSED {
            for mean in [0.5, 3.0, 6.0, 40.0] {
                let found = mean_of(&exposure(region, mean), 2000);
                let bound = 4.0 * (mean / 2000.0).sqrt();
                assert!(
                    (found - mean).abs() < bound,
                    "{}: {mean} expected, {found}",
                    region.name()
                );
            }
        }
    }

    #[test]
    fn three_copies_are_hit_three_times_as_often() {
        let mut thrice = exposure(Region::Weights, 4.0);
        thrice.copies_max = 3;
        assert!((mean_of(&thrice, 2000) - 12.0).abs() < 4.0 * (12.0_f64 / 2000.0).sqrt());
        assert!((thrice.upsets_per_step((3.0, 3.0), 1) - 12.0 / 6.0).abs() < 1e-9);
        let mut executed = exposure(Region::Activations, 4.0);
        executed.executions_max = 3;
        assert!((mean_of(&executed, 2000) - 12.0).abs() < 4.0 * (12.0_f64 / 2000.0).sqrt());
        assert!((executed.upsets_per_step((1.0, 1.0), 3) - 12.0 / 6.0).abs() < 1e-9);
    }

    #[test]
    fn every_scheme_sees_its_part_of_one_stream() {
        for region in EXPOSED {
            let one = exposure(region, 5.0);
            let three = Exposure { copies_max: 3, executions_max: 4, ..one.clone() };
            for trial in 0..50 {
                let mut seen = accumulate(8, trial, &three);
                seen.retain(|fault| fault.place == Replica::At(0));
                assert_eq!(seen, accumulate(8, trial, &one));
            }
        }
    }

    #[test]
    fn upsets_are_ordered_and_within_their_step() {
        let mut exposure = exposure(Region::Weights, 20.0);
        let workload = mlp(&[8, 6, 4], 5);
        for region in [Region::Input, Region::Activations] {
            exposure
                .regions
                .push(Sites::new(&workload, region, None, None).expect("no restriction"));
        }
        exposure.copies_max = 3;
        exposure.executions_max = 3;
        for trial in 0..50 {
            let faults = accumulate(4, trial, &exposure);
            assert!(faults.is_sorted_by(|a, b| (a.step, a.time_s) <= (b.step, b.time_s)));
            for fault in &faults {
                let start_s = f64::from(fault.step) * exposure.step_s();
                assert!((start_s..start_s + exposure.step_s()).contains(&fault.time_s));
                assert_eq!(fault.mask.count_ones(), 1);
                assert!(fault.row < 4 && (fault.region != Region::Weights || fault.row == 0));
            }
            assert_eq!(faults, accumulate(4, trial, &exposure));
        }
    }

    #[test]
    fn times_are_uniform_over_the_steps() {
        let exposure = exposure(Region::Weights, 20.0);
        let mut by_step = [0_u32; 6];
        for trial in 0..600 {
            for fault in accumulate(21, trial, &exposure) {
                by_step[fault.step as usize] += 1;
            }
        }
        let mean = 2000.0;
        let chi2: f64 = by_step.iter().map(|c| (f64::from(*c) - mean).powi(2) / mean).sum();
        assert!(chi2 < 22.5, "chi² {chi2}: p < 0.001");
    }

    #[test]
    fn a_rate_of_zero_strikes_nothing() {
        assert!(EXPOSED.iter().all(|region| accumulate(1, 0, &exposure(*region, 0.0)).is_empty()));
    }
}
