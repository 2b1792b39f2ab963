//! When a campaign may stop early: a few looks, declared before the first trial.
//!
//! A campaign that stops whenever its interval happens to be narrow reports intervals that cover
//! too seldom. Here it looks at no more than [`LOOKS`] trial counts, all known from the plan, and
//! every look and the final report use confidence 1 − α/10. By Bonferroni's inequality all of
//! the looked-at intervals hold the truth together with probability 1 − α or more, so the reported
//! one does, wherever the campaign stopped. A time limit or an operator may stop it between two
//! looks, if they do so without regard to outcomes: at most nine looks lie before the last, so
//! that stop is at most the tenth.

use super::{Interval, clopper_pearson};

/// The most looks that a campaign takes, the last of them at its last trial.
pub const LOOKS: u32 = 10;

/// The level of one look, and of the final report, of a campaign at level `alpha`: α/10
/// (Bonferroni's inequality).
pub const fn level(alpha: f64) -> f64 {
    alpha / LOOKS as f64
}

/// The trial counts at which a campaign of `trials_max` trials looks at its intervals.
///
/// Look i of L falls at the end of segment `max(i, ⌈S / 2^(L−i)⌉)` of the S segments of
/// `segment_trials` trials, L = min(10, S): doubling, because the trials that a width needs vary
/// with p(1−p) over orders of magnitude. The last look is at `trials_max`. The counts increase
/// strictly and depend on nothing measured.
///
/// # Panics
/// If a segment has no trials.
pub fn schedule(trials_max: u64, segment_trials: u64) -> Vec<u64> {
    assert!(segment_trials > 0, "a segment without trials");
    let segments = trials_max.div_ceil(segment_trials);
    let looks = segments.min(u64::from(LOOKS));
    (1..=looks)
        .map(|look| {
            let segment = look.max(segments.div_ceil(1 << (looks - look)));
            segment.saturating_mul(segment_trials).min(trials_max)
        })
        .collect()
}

/// The interval of a look and of the final report: Clopper–Pearson at confidence 1 − α/10, from
/// `k` wrong of `n` trials.
pub fn interval(k: u64, n: u64, alpha: f64) -> Interval {
    clopper_pearson(k, n, level(alpha))
}

/// Whether a look finds the campaign precise enough: half the width of [`interval`] is at most
/// `half_width` for every scheme, given as pairs of wrong trials and trials. The widest decides.
pub fn reached(counts: &[(u64, u64)], half_width: f64, alpha: f64) -> bool {
    counts.iter().all(|&(k, n)| n > 0 && interval(k, n, alpha).half_width() <= half_width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};
    use rand_distr::{Binomial, Distribution};

    #[test]
    fn looks_are_few_increasing_and_end_at_the_last_trial() {
        for trials_max in [1, 2, 9, 10, 11, 64, 999, 1000, 4000, 551_232, 10_000_000] {
            for segment_trials in [1, 7, 64, 500, 4096, 20_000_000] {
                let looks = schedule(trials_max, segment_trials);
                assert!((1..=LOOKS as usize).contains(&looks.len()));
                assert!(looks.is_sorted_by(|a, b| a < b), "{looks:?}");
                assert_eq!(looks.last(), Some(&trials_max));
                let ends = &looks[..looks.len() - 1];
                assert!(ends.iter().all(|look| look % segment_trials == 0), "{looks:?}");
            }
        }
        assert_eq!(
            schedule(102_400, 100),
            [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 102_400]
        );
        assert_eq!(schedule(2000, 100), [100, 200, 300, 400, 500, 600, 700, 800, 1000, 2000]);
        assert_eq!(schedule(250, 100), [100, 200, 250]);
        assert!(schedule(0, 100).is_empty());
    }

    #[test]
    fn the_widest_scheme_decides() {
        assert!(reached(&[(0, 1000)], 0.005, 0.05));
        assert!(!reached(&[(500, 1000)], 0.005, 0.05));
        assert!(!reached(&[(0, 1000), (500, 1000)], 0.005, 0.05));
        assert!(!reached(&[(0, 0)], 0.9, 0.05), "no trial is no precision");
        let look = interval(500, 1000, 0.05);
        assert!(look.half_width() > clopper_pearson(500, 1000, 0.05).half_width());
    }

    /// What one simulated campaign reports of each of its schemes.
    fn campaign(truths: &[f64], looks: &[u64], half_width: f64, key: u64) -> (u64, Vec<Interval>) {
        let alpha = 0.05;
        let mut draws = stream(5, Domain::Bootstrap, &[key]);
        let mut counts = vec![(0, 0); truths.len()];
        for &look in looks {
            for ((k, n), p) in counts.iter_mut().zip(truths) {
                *k += Binomial::new(look - *n, *p).expect("valid").sample(&mut draws);
                *n = look;
            }
            if reached(&counts, half_width, alpha) {
                break;
            }
        }
        (counts[0].1, counts.iter().map(|&(k, n)| interval(k, n, alpha)).collect())
    }

    #[test]
    fn the_interval_at_stopping_covers() {
        const CAMPAIGNS: u64 = 2000;
        let looks = schedule(51_200, 100);
        // Widths chosen so that where a campaign stops depends on what it saw.
        for (case, (truths, half_width)) in [
            (&[0.0005][..], 0.002),
            (&[0.004][..], 0.004),
            (&[0.03][..], 0.013),
            (&[0.2][..], 0.02),
            (&[0.4][..], 0.0245),
            (&[0.01, 0.002][..], 0.007),
        ]
        .into_iter()
        .enumerate()
        {
            let mut covered = vec![0; truths.len()];
            let mut stops = std::collections::BTreeSet::new();
            for key in 0..CAMPAIGNS {
                let key = case as u64 * CAMPAIGNS + key;
                let (stop, intervals) = campaign(truths, &looks, half_width, key);
                stops.insert(stop);
                for ((count, interval), p) in covered.iter_mut().zip(intervals).zip(truths) {
                    *count += u64::from(interval.contains(*p));
                }
            }
            assert!(stops.len() > 1, "{truths:?} always stops at {stops:?}");
            for count in covered {
                let share = count as f64 / CAMPAIGNS as f64;
                assert!(share >= 0.95, "{truths:?}: {share} of the reports cover");
            }
        }
    }
}
