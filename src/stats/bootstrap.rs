//! The mean share of wrong inferences, resampled by trial.

use rand::Rng;
use rand_distr::{Binomial, Distribution};

use super::{Interval, clopper_pearson};

/// Resamples of a bootstrap, at least: the ends at α = 0.05 are the 50th mean from either side, at
/// α = 0.005 the 5th.
const RESAMPLES: usize = 1999;
/// The ends of a bootstrap interval are at least so many means from either side.
const RANK_MIN: f64 = 5.0;
/// The smallest α for which means are resampled: it takes 99,999 of them.
const RESAMPLED_ALPHA_MIN: f64 = 1e-4;

/// How many resamples place the ends of an interval at level `alpha`: 1,999, or as many as put the
/// ends at the fifth mean from either side; `None` below α = 10⁻⁴, where no affordable number does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 99,999")]
pub fn resamples(alpha: f64) -> Option<usize> {
    // A hair below, so that a quotient that rounds just above a whole number keeps it.
    let needed = (2.0 * RANK_MIN / alpha - 1.0 - 1e-6).ceil();
    (alpha >= RESAMPLED_ALPHA_MIN).then_some((needed as usize).max(RESAMPLES))
}

/// The percentile bootstrap interval for the mean of a share over trials; `None` where no number of
/// [`resamples`] serves the level.
///
/// `shares` holds pairs of a share in `[0, 1]` and the number of trials that have it; their order
/// and repetitions do not matter. Each of B resamples draws as many trials as there are, with
/// replacement; the ends are the ⌊(B+1)α/2⌋-th smallest and largest of the means (Davison and
/// Hinkley 1997, section 5.3, doi 10.1017/CBO9780511802843). A share of 128 inferences takes few
/// distinct values, so a resample is one multinomial draw of their counts, made of binomials.
///
/// `draws` is [`crate::seed::stream`] of [`crate::seed::Domain::Bootstrap`], keyed by the
/// statistic.
///
/// Where every trial has the same share v, resamples cannot differ, and a width of zero would be a
/// false promise. What is known then: with u the upper Clopper–Pearson end of 0 in n, no more than
/// u of all trials have another share, and any share is in [0, 1]: the mean lies in
/// [v(1−u), v + u(1−v)]. Without trials that is `[0, 1]`.
///
/// # Panics
/// If a share is outside `[0, 1]`, or `alpha` is not between 0 and 1.
pub fn mean_interval(shares: &[(f64, u64)], alpha: f64, draws: &mut impl Rng) -> Option<Interval> {
    assert!(0.0 < alpha && alpha < 1.0, "a level of {alpha}");
    let counts = distinct(shares);
    if counts.len() < 2 {
        let trials: u64 = counts.iter().map(|(_, count)| count).sum();
        let share = counts.first().map_or(0.0, |(share, _)| *share);
        let others = clopper_pearson(0, trials, alpha).high;
        let (low, high) = (share * (1.0 - others), share + others * (1.0 - share));
        return Some(Interval { low, high });
    }
    Some(percentiles(&counts, alpha, resamples(alpha)?, draws))
}

fn percentiles(
    counts: &[(f64, u64)],
    alpha: f64,
    resamples: usize,
    draws: &mut impl Rng,
) -> Interval {
    let mut means: Vec<f64> = (0..resamples).map(|_| resampled_mean(counts, draws)).collect();
    means.sort_unstable_by(f64::total_cmp);
    let rank = rank(alpha, resamples);
    Interval { low: means[rank - 1], high: means[resamples - rank] }
}

/// The distinct shares with their counts, the most frequent first.
fn distinct(shares: &[(f64, u64)]) -> Vec<(f64, u64)> {
    let mut sorted: Vec<(f64, u64)> = shares.iter().copied().filter(|(_, n)| *n > 0).collect();
    for (share, _) in &sorted {
        assert!((0.0..=1.0).contains(share), "a share of {share}");
    }
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut counts: Vec<(f64, u64)> = Vec::new();
    for (share, count) in sorted {
        match counts.last_mut() {
            Some((last, sum)) if *last == share => *sum += count,
            _ => counts.push((share, count)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The mean of one resample.
fn resampled_mean(counts: &[(f64, u64)], draws: &mut impl Rng) -> f64 {
    let trials: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut sum = 0.0;
    resample(counts, draws, |share, drawn| sum += share * drawn as f64);
    sum / trials as f64
}

/// Draws as many values as there are, with replacement, and tells how often each was drawn: the
/// counts are multinomial, each binomial in what those before left.
pub(super) fn resample<V: Copy>(
    counts: &[(V, u64)],
    draws: &mut impl Rng,
    mut tell: impl FnMut(V, u64),
) {
    let mut drawn_left: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut trials_left = drawn_left;
    for &(value, count) in counts {
        if drawn_left == 0 {
            break;
        }
        // The last value takes the rest: its proportion is exactly 1.
        let proportion = count as f64 / trials_left as f64;
        let binomial = Binomial::new(drawn_left, proportion).expect("a proportion in [0, 1]");
        let drawn = binomial.sample(draws);
        tell(value, drawn);
        drawn_left -= drawn;
        trials_left -= count;
    }
}

/// ⌊(B+1)α/2⌋, at least 1.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and half the resamples")]
pub(super) fn rank(alpha: f64, resamples: usize) -> usize {
    // A hair above, so that a product that rounds just below a whole number keeps it.
    let exact = (resamples + 1) as f64 * 0.5 * alpha;
    ((exact + 1e-9).floor() as usize).clamp(1, resamples.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};

    fn interval(shares: &[(f64, u64)], alpha: f64, key: u64) -> Interval {
        mean_interval(shares, alpha, &mut stream(7, Domain::Bootstrap, &[key])).expect("resampled")
    }

    #[test]
    fn ranks_are_those_of_the_percentile_method() {
        assert_eq!(rank(0.05, RESAMPLES), 50);
        assert_eq!(rank(0.005, RESAMPLES), 5);
        assert_eq!(rank(0.05, 10), 1);
        assert_eq!(rank(0.99, 1), 1);
    }

    #[test]
    fn a_smaller_alpha_takes_more_resamples_or_has_no_interval() {
        let needed = [0.2, 0.05, 0.005, 0.001, 1e-4].map(|alpha| resamples(alpha).unwrap_or(0));
        assert_eq!(needed, [1999, 1999, 1999, 9999, 99_999]);
        for (alpha, needed) in [0.005, 0.001, 1e-4].into_iter().zip(&needed[2..]) {
            assert_eq!(rank(alpha, *needed), 5, "the end at {alpha}");
        }
        assert_eq!(resamples(9e-5), None);
        let mut draws = stream(7, Domain::Bootstrap, &[1]);
        let wide = [(0.0, 500), (1.0, 500)];
        assert_eq!(mean_interval(&wide, 1e-6, &mut draws), None);
        let equal = mean_interval(&[(0.0, 500)], 1e-6, &mut draws);
        assert_eq!(equal, Some(clopper_pearson(0, 500, 1e-6)), "nothing is resampled there");
        let [strict, usual] = [1e-4, 0.05].map(|alpha| interval(&wide, alpha, 2).half_width());
        let ratio = strict / usual;
        assert!((ratio - 3.8906 / 1.95996).abs() < 0.15, "{ratio} as wide");
    }

    #[test]
    fn a_stream_and_a_multiset_name_one_interval() {
        let shares = [(0.0, 900), (0.25, 60), (0.5, 30), (1.0, 10)];
        let shuffled = [(1.0, 4), (0.5, 30), (0.0, 900), (1.0, 6), (0.25, 60), (0.75, 0)];
        assert_eq!(interval(&shares, 0.05, 1), interval(&shuffled, 0.05, 1));
        assert_ne!(interval(&shares, 0.05, 1), interval(&shares, 0.05, 2));
    }

    #[test]
    fn large_samples_agree_with_the_normal_limit() {
        let shares: Vec<(f64, u64)> = (0..=128)
            .map(|wrong| (f64::from(wrong) / 128.0, 600_000 / (1 + wrong as u64)))
            .collect();
        let trials: f64 = shares.iter().map(|(_, n)| *n as f64).sum();
        let mean = shares.iter().map(|(v, n)| v * *n as f64).sum::<f64>() / trials;
        let variance =
            shares.iter().map(|(v, n)| (v - mean).powi(2) * *n as f64).sum::<f64>() / trials;
        let half_width = 1.959964 * (variance / trials).sqrt();
        let interval = interval(&shares, 0.05, 1);
        assert!(interval.contains(mean));
        assert!((interval.half_width() / half_width - 1.0).abs() < 0.08, "{interval:?}");
    }

    #[test]
    fn the_interval_covers_at_about_its_level() {
        let (campaigns, trials) = (1000, 400);
        let values = [(0.0, 0.8), (0.25, 0.1), (0.5, 0.05), (1.0, 0.05)];
        let truth: f64 = values.iter().map(|(share, p)| share * p).sum();
        let mut covered = 0;
        for campaign in 0..campaigns {
            let mut draws = stream(11, Domain::Bootstrap, &[campaign]);
            let mut left: (u64, f64) = (trials, 1.0);
            let sample = values.map(|(share, p)| {
                let odds = (p / left.1).min(1.0);
                let count = Binomial::new(left.0, odds).expect("valid").sample(&mut draws);
                left = (left.0 - count, left.1 - p);
                (share, count)
            });
            covered += {
                let counts = distinct(&sample);
                u64::from(percentiles(&counts, 0.05, 399, &mut draws).contains(truth))
            };
        }
        assert!((925..=975).contains(&covered), "{covered} of {campaigns}");
    }

    #[test]
    fn equal_shares_do_not_promise_a_width_of_zero() {
        let none_wrong = interval(&[(0.0, 1000)], 0.05, 1);
        assert_eq!(none_wrong, clopper_pearson(0, 1000, 0.05));
        let half_wrong = interval(&[(0.5, 1000)], 0.05, 1);
        assert!(half_wrong.contains(0.5) && half_wrong.half_width() > 1e-3);
        assert_eq!(interval(&[], 0.05, 1), Interval::UNIT);
    }
}
