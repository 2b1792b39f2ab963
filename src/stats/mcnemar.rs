//! Comparison of schemes on paired trials, and the correction for making several of them.

use super::tail;

/// The exact two-sided p-value of `McNemar`'s test.
///
/// Both schemes meet the same events, so a comparison looks at the discordant trials only: `b`
/// where the first alone was wrong, `c` where the second alone was. Under equality each of them
/// falls either way like a fair coin: `min(1, 2 Σ_{i ≤ min(b,c)} C(b+c, i) / 2^(b+c))`
/// (`McNemar` 1947, doi 10.1007/BF02295996, with the binomial in place of its normal limit).
pub fn mcnemar_exact(b: u64, c: u64) -> f64 {
    if b == c {
        return 1.0;
    }
    tail::twice_fair_tail(b.min(c), b + c)
}

/// Holm's adjustment of p-values, in the order given.
///
/// The i-th smallest of m p-values, from i = 0, becomes the largest of `min(1, (m−j) p_j)` over
/// j ≤ i; comparing the results with α keeps the chance of any false rejection at or below α,
/// however the tests depend on one another (Holm 1979, Scandinavian Journal of Statistics 6:65).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        largest = largest.max((remaining * p_values[i]).min(1.0));
        adjusted[i] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected, "{value:e}, not {expected:e}");
    }

    #[test]
    fn few_discordant_pairs_by_hand() {
        assert_near(mcnemar_exact(0, 0), 1.0, 0.0);
        assert_near(mcnemar_exact(0, 1), 1.0, 0.0);
        assert_near(mcnemar_exact(7, 7), 1.0, 0.0);
        assert_near(mcnemar_exact(0, 5), 2.0 / 32.0, 1e-14);
        assert_near(mcnemar_exact(1, 9), 22.0 / 1024.0, 1e-14);
        assert_near(mcnemar_exact(9, 1), 22.0 / 1024.0, 1e-14);
    }

    #[test]
    fn many_discordant_pairs_keep_their_digits() {
        // SciPy 1.17, stats.binomtest.
        assert_near(mcnemar_exact(12, 30), 0.007915897334896727, 1e-12);
        assert_near(mcnemar_exact(300, 350), 0.05452994175892356, 1e-11);
        assert_near(mcnemar_exact(50_000, 51_000), 0.0016696304559914016, 1e-7);
        assert_near(mcnemar_exact(149_900, 150_100), 0.7163639559748161, 1e-7);
        assert_near(mcnemar_exact(150_000, 150_001), 1.0, 1e-7);
        assert!(mcnemar_exact(0, 600_000) < 1e-300);
    }

    #[test]
    fn holm_steps_down_in_the_order_given() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, expected) in adjusted.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert_near(value, expected, 1e-12);
        }
        assert_eq!(holm(&[0.6, 0.9]), [1.0, 1.0]);
        assert_eq!(holm(&[0.02]), [0.02]);
        assert!(holm(&[]).is_empty());
    }
}
