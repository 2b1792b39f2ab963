//! How many times fewer: the ratio of two means over the same trials.

use super::bootstrap::{rank, resample, resamples};
use super::{Interval, clopper_pearson};
use rand::Rng;
use schemars::JsonSchema;
use serde::Serialize;

/// A ratio of counts with its interval. A ratio without a bound above is `None` there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Ratio {
    /// The first count over the second; `None` where the second is 0.
    pub estimate: Option<f64>,
    /// The lower end.
    pub low: f64,
    /// The upper end; `None` where the second may as well be 0.
    pub high: Option<f64>,
    /// Whether the ends are one-sided and of independent events: one of the counts was 0.
    pub of_events: bool,
}

/// The ratio of two counts summed over trials that both met.
///
/// `pairs` holds pairs of the counts of a trial and the number of trials that have it. Trials are
/// resampled, each with both of its counts, so that what the two have in common cancels: percentile
/// bootstrap at `alpha`, as in [`super::mean_interval`].
///
/// Where only one side counted anything, no resample can say more. `events` are then the
/// independent events behind the counts: under equal rates each falls to either side like a coin, and
/// all n of one side bound its share from below at α^(1/n) (Clopper–Pearson, one-sided), its ratio at
/// s / (1 − s).
///
/// `None` where neither counted anything, where one trial has no spread, or α is too small.
pub fn paired_ratio(
    pairs: &[((u64, u64), u64)],
    events: (u64, u64),
    alpha: f64,
    draws: &mut impl Rng,
) -> Option<Ratio> {
    let mut counts: Vec<((u64, u64), u64)> = pairs.iter().copied().filter(|p| p.1 > 0).collect();
    counts.sort_unstable();
    let sum = |of: fn((u64, u64)) -> u64| {
        counts.iter().map(|(pair, trials)| of(*pair) as f64 * *trials as f64).sum::<f64>()
    };
    match (sum(|pair| pair.0), sum(|pair| pair.1)) {
        (0.0, 0.0) => None,
        (_, 0.0) => {
            let low = bound(events.0, alpha);
            Some(Ratio { estimate: None, low, high: None, of_events: true })
        }
        (0.0, _) => {
            let high = Some(1.0 / bound(events.1, alpha)).filter(|high| high.is_finite());
            Some(Ratio { estimate: Some(0.0), low: 0.0, high, of_events: true })
        }
        (first, second) => {
            let trials: u64 = counts.iter().map(|(_, trials)| trials).sum();
            let drawn = resamples(alpha).filter(|_| trials > 1)?;
            let Interval { low, high } = percentiles(&counts, alpha, drawn, draws);
            let high = Some(high).filter(|high| high.is_finite());
            Some(Ratio { estimate: Some(first / second), low, high, of_events: false })
        }
    }
}

/// The ratio that `events` on one side and none on the other reach, one-sided.
fn bound(events: u64, alpha: f64) -> f64 {
    let share = clopper_pearson(events, events, 2.0 * alpha).low;
    share / (1.0 - share)
}

/// The percentiles of the ratios of `drawn` resamples.
fn percentiles(
    counts: &[((u64, u64), u64)],
    alpha: f64,
    drawn: usize,
    draws: &mut impl Rng,
) -> Interval {
    let mut ratios: Vec<f64> = (0..drawn)
        .map(|_| {
            let (mut first, mut second) = (0.0, 0.0);
            resample(counts, draws, |pair, times| {
                first += pair.0 as f64 * times as f64;
                second += pair.1 as f64 * times as f64;
            });
            // A resample in which neither counted anything bounds nothing from either side.
            if first + second > 0.0 { first / second } else { 1.0 }
        })
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let rank = rank(alpha, drawn);
    Interval { low: ratios[rank - 1], high: ratios[drawn - rank] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};
    use rand_distr::{Distribution, Poisson};

    fn ratio(pairs: &[((u64, u64), u64)], events: (u64, u64)) -> Option<Ratio> {
        paired_ratio(pairs, events, 0.05, &mut stream(3, Domain::Bootstrap, &[1]))
    }

    #[test]
    fn what_both_have_in_common_cancels() {
        // Ten times as many in each trial, however much trials differ.
        let pairs: Vec<_> = (1..=20).map(|n| ((10 * n * n, n * n), 1)).collect();
        let found = ratio(&pairs, (20, 20)).expect("a ratio");
        assert_eq!(
            (found.estimate, found.low, found.high, found.of_events),
            (Some(10.0), 10.0, Some(10.0), false)
        );
    }

    #[test]
    fn a_count_of_zero_gives_one_bound() {
        let none = ratio(&[((7, 0), 8)], (56, 0)).expect("a bound");
        let share: f64 = 0.05_f64.powf(1.0 / 56.0);
        assert_eq!((none.estimate, none.high, none.of_events), (None, None, true));
        assert!((none.low - share / (1.0 - share)).abs() < 1e-9, "{none:?}");
        let more = ratio(&[((0, 7), 8)], (0, 56)).expect("a bound");
        assert_eq!((more.estimate, more.low), (Some(0.0), 0.0));
        assert!((more.high.expect("bounded") * none.low - 1.0).abs() < 1e-12);
        assert_eq!(ratio(&[((0, 0), 8)], (0, 0)), None);
        assert_eq!(ratio(&[((3, 1), 1)], (3, 1)), None, "one trial has no spread");
    }

    #[test]
    fn few_counts_have_no_upper_end() {
        let found = ratio(&[((5, 0), 7), ((5, 1), 1)], (40, 1)).expect("a ratio");
        assert_eq!((found.estimate, found.high), (Some(40.0), None), "{found:?}");
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    fn the_interval_covers_at_about_its_level() {
        // Pairs that share most of their events: 12 and 4 a trial, of which 3 are common.
        let mut covered = 0;
        for repeat in 0..1000 {
            let mut draws = stream(17, Domain::Bootstrap, &[repeat]);
            let mut count =
                |mean: f64| Poisson::new(mean).expect("a mean").sample(&mut draws).round() as u64;
            let pairs: Vec<_> = (0..40)
                .map(|_| {
                    let common = count(3.0);
                    ((common + count(9.0), common + count(1.0)), 1)
                })
                .collect();
            covered += u64::from(percentiles(&pairs, 0.05, 399, &mut draws).contains(3.0));
        }
        assert!((920..=975).contains(&covered), "{covered} of 1000");
    }
}
