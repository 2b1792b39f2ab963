//! Accumulation: upsets that arrive as a Poisson process over a trial's time.
//!
//! Every copy of a stored word and every execution of a transient word has draws of its own, keyed
//! by its number, so that each scheme sees its part of one stream of events.

use super::{Fault, FaultKind, Place, Region, Sites};
use crate::seed::{Domain, below, stream, unit};
use rand_distr::{Distribution, Poisson};
use rand_xoshiro::Xoshiro256PlusPlus;

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
    /// Upsets per bit and second, any acceleration included.
    pub upsets_per_bit_s: f64,
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

    /// The mean number of upsets in a step, of a scheme with so many copies and executions.
    pub fn upsets_per_step(&self, copies: u32, executions: u32) -> f64 {
        let inferences = f64::from(self.inputs_per_step);
        let mean = |sites: &Sites| match sites.region() {
            Region::Weights => self.mean(sites, self.step_s()) * f64::from(copies),
            Region::Input => {
                self.mean(sites, self.execution_time_s) * inferences * f64::from(copies)
            }
            Region::Activations => {
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

/// The upsets of a trial, in the order they strike.
pub fn accumulate(seed: u64, trial: u64, exposure: &Exposure) -> Vec<Fault> {
    let mut faults = Vec::new();
    for sites in &exposure.regions {
        match sites.region() {
            Region::Weights => stored(seed, trial, exposure, sites, &mut faults),
            Region::Input => {
                transient(seed, trial, exposure, sites, exposure.copies_max, &mut faults);
            }
            Region::Activations => {
                transient(seed, trial, exposure, sites, exposure.executions_max, &mut faults);
            }
        }
    }
    faults.sort_by(|a, b| {
        let place = |fault: &Fault| match fault.place {
            Place::At(at) => at,
            Place::Share(_) => 0,
        };
        let key = |f: &Fault| (f.region, f.tensor, f.index, f.row, f.mask, place(f));
        a.step.cmp(&b.step).then(a.time_s.total_cmp(&b.time_s)).then_with(|| key(a).cmp(&key(b)))
    });
    faults
}

/// Upsets of stored words, at any time of the trial.
fn stored(seed: u64, trial: u64, exposure: &Exposure, sites: &Sites, faults: &mut Vec<Fault>) {
    let seconds = exposure.trial_s();
    let mean = exposure.mean(sites, seconds);
    for replica in 0..exposure.copies_max {
        let key = [trial, sites.region() as u64, u64::from(replica)];
        let mut draws = stream(seed, Domain::Stored, &key);
        for _ in 0..count(&mut draws, mean) {
            let time_s = unit(&mut draws) * seconds;
            let site = sites.at(below(&mut draws, sites.bits()));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below the steps"
            )]
            let step = ((time_s / exposure.step_s()) as u32).min(exposure.steps - 1);
            let upset =
                Fault::conditional(sites.region(), site, FaultKind::Xor, Place::At(replica));
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
    sites: &Sites,
    places: u32,
    faults: &mut Vec<Fault>,
) {
    let seconds = exposure.execution_time_s;
    let mean = exposure.mean(sites, seconds);
    for step in 0..exposure.steps {
        for row in 0..exposure.inputs_per_step {
            let inference = u64::from(step) * u64::from(exposure.inputs_per_step) + u64::from(row);
            for place in 0..places {
                let key = [trial, sites.region() as u64, inference, u64::from(place)];
                let mut draws = stream(seed, Domain::Transient, &key);
                let earlier =
                    if sites.region() == Region::Activations { f64::from(place) } else { 0.0 };
                for _ in 0..count(&mut draws, mean) {
                    let within_s = (earlier + unit(&mut draws)) * seconds;
                    let time_s = inference as f64 * exposure.inference_period_s + within_s;
                    let site = sites.at(below(&mut draws, sites.bits()));
                    let upset =
                        Fault::conditional(sites.region(), site, FaultKind::Xor, Place::At(place));
                    faults.push(Fault { step, row, time_s, ..upset });
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
/// A Poisson count of a mean; 0 where the mean is not above 0.
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

    fn exposure(region: Region, mean_per_trial: f64) -> Exposure {
        let workload = mlp(&[8, 6, 4], 5);
        let sites = Sites::new(&workload, region, None, None).expect("no restriction");
        let seconds = match region {
            Region::Weights => 6.0 * 4.0 * 2.0,
            Region::Input | Region::Activations => 6.0 * 4.0 * 0.5,
        };
        Exposure {
            upsets_per_bit_s: mean_per_trial / (sites.bits() as f64 * seconds),
            regions: vec![sites],
            steps: 6,
            inputs_per_step: 4,
            inference_period_s: 2.0,
            execution_time_s: 0.5,
            copies_max: 1,
            executions_max: 1,
        }
    }

    fn mean_of(exposure: &Exposure, trials: u32) -> f64 {
        let total: usize =
            (0..trials).map(|trial| accumulate(3, u64::from(trial), exposure).len()).sum();
        total as f64 / f64::from(trials)
    }

    #[test]
    fn the_mean_count_follows_the_rate() {
        for region in Region::ALL {
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
        assert!((thrice.upsets_per_step(3, 1) - 12.0 / 6.0).abs() < 1e-9);
        let mut executed = exposure(Region::Activations, 4.0);
        executed.executions_max = 3;
        assert!((mean_of(&executed, 2000) - 12.0).abs() < 4.0 * (12.0_f64 / 2000.0).sqrt());
        assert!((executed.upsets_per_step(1, 3) - 12.0 / 6.0).abs() < 1e-9);
    }

    #[test]
    fn every_scheme_sees_its_part_of_one_stream() {
        for region in Region::ALL {
            let one = exposure(region, 5.0);
            let three = Exposure { copies_max: 3, executions_max: 4, ..one.clone() };
            for trial in 0..50 {
                let mut seen = accumulate(8, trial, &three);
                seen.retain(|fault| fault.place == Place::At(0));
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
        assert!(
            Region::ALL.iter().all(|region| accumulate(1, 0, &exposure(*region, 0.0)).is_empty())
        );
    }
}
