//! Intervals for a proportion and for a Poisson mean, and the sample that a width needs.

use super::tail;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

/// The smallest α that a file may ask for: the ends of all intervals are tested down to it, and to a
/// tenth of it for the looks of a campaign.
pub const ALPHA_MIN: f64 = 1e-12;

/// An estimate with its interval, as an object of archives and exports.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Estimate {
    /// The estimate.
    value: f64,
    /// The lower end of its interval.
    low: f64,
    /// The upper end of its interval.
    high: f64,
}

/// Serde: an estimate and its interval as one object.
pub(crate) mod estimate {
    use super::{Estimate, Interval};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        (value, interval): &(f64, Interval),
        to: S,
    ) -> Result<S::Ok, S::Error> {
        Estimate { value: *value, low: interval.low, high: interval.high }.serialize(to)
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<(f64, Interval), D::Error> {
        let Estimate { value, low, high } = Estimate::deserialize(from)?;
        Ok((value, Interval { low, high }))
    }
}

/// A two-sided interval, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// What is known of a proportion without a single trial.
    pub const UNIT: Self = Self { low: 0.0, high: 1.0 };

    /// Half the distance between the ends.
    pub const fn half_width(self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Whether `value` lies between the ends.
    pub const fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The Clopper–Pearson interval for a proportion, from `k` of `n` trials.
///
/// `[B⁻¹(α/2; k, n−k+1), B⁻¹(1−α/2; k+1, n−k)]` with B⁻¹ the quantile of the Beta distribution
/// (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404). It covers the true proportion with
/// probability 1 − α or more, whatever the proportion is. Without trials it is `[0, 1]`.
///
/// # Panics
/// If `k` exceeds `n`, or `alpha` is not between 0 and 1.
pub fn clopper_pearson(k: u64, n: u64, alpha: f64) -> Interval {
    assert_level(alpha);
    assert!(k <= n, "{k} of {n} trials");
    if n == 0 {
        return Interval::UNIT;
    }
    let start = wilson(k, n, alpha);
    let (hits, misses) = (k as f64, (n - k) as f64);
    let inside = |start: f64| (start.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON), 1.0);
    let (low_tails, high_tails) =
        (|x| tail::beta(hits, misses + 1.0, x), |x| tail::beta(hits + 1.0, misses, x));
    Interval {
        low: match k {
            0 => 0.0,
            _ => tail::lower_quantile(0.5 * alpha, inside(start.low), low_tails),
        },
        high: match n - k {
            0 => 1.0,
            _ => tail::upper_quantile(0.5 * alpha, inside(start.high), high_tails),
        },
    }
}

/// The Wilson score interval for a proportion, from `k` of `n` trials.
///
/// `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)` with p = k/n and z the normal quantile of
/// 1 − α/2 (Wilson 1927, doi 10.1080/01621459.1927.10502953). It covers the true proportion with
/// probability near 1 − α on average over proportions, and is narrower than Clopper–Pearson's.
/// Without trials it is `[0, 1]`.
///
/// # Panics
/// If `k` exceeds `n`, or `alpha` is not between 0 and 1.
pub fn wilson(k: u64, n: u64, alpha: f64) -> Interval {
    assert_level(alpha);
    assert!(k <= n, "{k} of {n} trials");
    if n == 0 {
        return Interval::UNIT;
    }
    let square = normal_quantile(alpha).powi(2) / n as f64;
    let high = |share: f64| {
        let spread = square * (share * (1.0 - share) + 0.25 * square);
        (share + 0.5 * square + spread.sqrt()) / (1.0 + square)
    };
    // The ends are the roots of (1 + s)x² − (2p + s)x + p², s = z²/n: from their product the lower
    // one has all its digits where the formula would subtract near equals.
    let share = |hits: u64| hits as f64 / n as f64;
    let low = share(k) * (share(k) / (high(share(k)) * (1.0 + square)));
    Interval { low, high: if k == n { 1.0 } else { high(share(k)).min(1.0) } }
}

/// Garwood's interval for the mean of a Poisson count.
///
/// `[χ²⁻¹(α/2; 2k)/2, χ²⁻¹(1−α/2; 2k+2)/2]` for the count k (Garwood 1936,
/// doi 10.1093/biomet/28.3-4.437). Divided by an exposure it is an interval for a rate; a
/// cross-section is such a rate, per fluence.
///
/// # Panics
/// If `alpha` is not between 0 and 1.
pub fn garwood(count: u64, alpha: f64) -> Interval {
    assert_level(alpha);
    let count = count as f64;
    Interval { low: gamma_low(count, alpha), high: gamma_high(count + 1.0, alpha) }
}

/// The lower end at α/2 of Gamma(a, 1); 0 where a is.
fn gamma_low(a: f64, alpha: f64) -> f64 {
    if a <= 0.0 {
        return 0.0;
    }
    // What x^a / a! alone would give, and the cube root that is nearly normal.
    let small = (((0.5 * alpha).ln() + ln_gamma(a + 1.0)) / a).exp();
    let start = small.max(nearly_gamma(a, -normal_quantile(alpha)));
    tail::lower_quantile(0.5 * alpha, (start, f64::INFINITY), |x| tail::gamma(a, x))
}

/// The upper end at α/2 of Gamma(a, 1).
fn gamma_high(a: f64, alpha: f64) -> f64 {
    let start = nearly_gamma(a, normal_quantile(alpha));
    tail::upper_quantile(0.5 * alpha, (start, f64::INFINITY), |x| tail::gamma(a, x))
}

/// Where Gamma(a, 1) is z standard deviations from its middle, nearly (Wilson and Hilferty 1931, doi
/// 10.1073/pnas.17.12.684).
fn nearly_gamma(a: f64, z: f64) -> f64 {
    a * (1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt())).max(0.0).powi(3)
}

/// The gamma interval for the mean of a sum of weighted events that come independently.
///
/// `sum` is that of the weights of the events seen, `squares` that of their squares, `largest` the
/// most that one event can weigh: `[v χ²⁻¹(α/2; 2y²/v) / 2y,
/// (v+w²) χ²⁻¹(1−α/2; 2(y+w)²/(v+w²)) / 2(y+w)]` with y, v and w in their place (Fay and Feuer 1997,
/// Statistics in Medicine 16:791). It covers the mean with probability 1 − α or more in all that was
/// tried; with equal weights it is Garwood's times the weight, and without an event it ends at what
/// one of the largest weight may hide. Of n trials that all came true it is too wide, since their
/// number does not vary as a Poisson count does.
///
/// # Panics
/// If `alpha` is not between 0 and 1.
pub fn weighted_poisson(sum: f64, squares: f64, largest: f64, alpha: f64) -> Interval {
    assert_level(alpha);
    let end = |sum: f64, squares: f64, of: fn(f64, f64) -> f64| match squares > 0.0 && sum > 0.0 {
        true => squares / sum * of(sum / squares * sum, alpha),
        false => 0.0,
    };
    let (above, beyond) = (sum + largest, squares + largest * largest);
    Interval { low: end(sum, squares, gamma_low), high: end(above, beyond, gamma_high) }
}

/// How many of `population` faults to inject so that an estimated proportion near `p` is within
/// `error` of the truth at confidence 1 − α.
///
/// `N / (1 + e²(N−1) / (t² p(1−p)))`, rounded up, with t the normal quantile of 1 − α/2
/// (Leveugle et al. 2009, doi 10.1109/DATE.2009.5090716). p = 0.5 is the cautious choice. For a
/// population without end give `u64::MAX`.
///
/// # Panics
/// If `alpha` or `p` is not between 0 and 1, or `error` is not positive.
#[expect(clippy::cast_possible_truncation, reason = "rounded up, and at most the population")]
pub fn sample_size(population: u64, error: f64, alpha: f64, p: f64) -> u64 {
    assert_level(alpha);
    assert!(0.0 < p && p < 1.0, "a proportion of {p} needs no sample");
    assert!(error > 0.0, "an error of {error}");
    if population == 0 {
        return 0;
    }
    let t = normal_quantile(alpha);
    let all = population as f64;
    (all / (1.0 + error * error * (all - 1.0) / (t * t * p * (1.0 - p)))).ceil() as u64
}

fn assert_level(alpha: f64) {
    assert!(0.0 < alpha && alpha < 1.0, "a level of {alpha}");
}

/// The confidence 1 − α in words, "99.5 %": with as many digits as tell it from 100 %.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 300")]
pub fn confidence(alpha: f64) -> String {
    assert_level(alpha);
    let percent = 100.0 * alpha;
    // Two significant digits of what is missing.
    let decimals = (1.0 - percent.log10().floor()).max(0.0) as usize;
    let text = format!("{:.decimals$}", 100.0 - percent);
    let text = if text.contains('.') { text.trim_end_matches('0') } else { &text };
    format!("{} %", text.trim_end_matches('.'))
}

/// The normal quantile of 1 − α/2.
pub(crate) fn normal_quantile(alpha: f64) -> f64 {
    -Normal::standard().inverse_cdf(0.5 * alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(interval: Interval, decimals: usize) -> (String, String) {
        (format!("{:.decimals$}", interval.low), format!("{:.decimals$}", interval.high))
    }

    fn assert_near(interval: Interval, low: f64, high: f64, relative: f64) {
        assert!(
            (interval.low - low).abs() <= relative * low,
            "low {:e}, not {low:e}",
            interval.low
        );
        assert!(
            (interval.high - high).abs() <= relative * high,
            "high {:e}, not {high:e}",
            interval.high
        );
    }

    #[test]
    fn proportions_equal_the_printed_vectors() {
        let zero = "0.000000";
        let vectors = [
            (0, 100, (zero, "0.036993"), (zero, "0.036217")),
            (1, 100, ("0.001767", "0.054486"), ("0.000253", "0.054459")),
            (5, 100, ("0.021544", "0.111750"), ("0.016432", "0.112835")),
            (10, 1000, ("0.005441", "0.018309"), ("0.004806", "0.018313")),
            (50, 100, ("0.403832", "0.596168"), ("0.398321", "0.601679")),
        ];
        for (k, n, score, exact) in vectors {
            let score = (score.0.to_owned(), score.1.to_owned());
            let exact = (exact.0.to_owned(), exact.1.to_owned());
            assert_eq!(digits(wilson(k, n, 0.05), 6), score, "Wilson {k}/{n}");
            assert_eq!(digits(clopper_pearson(k, n, 0.05), 6), exact, "Clopper-Pearson {k}/{n}");
        }
    }

    #[test]
    fn poisson_means_equal_the_printed_vectors() {
        let vectors = [
            (0, "0", 0, "3.689", 3),
            (1, "0.0253", 4, "5.572", 3),
            (2, "0.2422", 4, "7.225", 3),
            (5, "1.623", 3, "11.668", 3),
            (10, "4.795", 3, "18.390", 3),
            (100, "81.36", 2, "121.63", 2),
            (203, "176.03", 2, "232.93", 2),
        ];
        for (count, low, low_decimals, high, high_decimals) in vectors {
            let interval = garwood(count, 0.05);
            assert_eq!(digits(interval, low_decimals).0, low, "low end of {count}");
            assert_eq!(digits(interval, high_decimals).1, high, "high end of {count}");
        }
    }

    #[test]
    fn equal_weights_give_garwoods_interval() {
        for (count, weight) in [(0, 1.0), (1, 1.0), (7, 0.25), (200, 1e4)] {
            let exact = garwood(count, 0.05);
            let (sum, squares) = (count as f64 * weight, count as f64 * weight * weight);
            let found = weighted_poisson(sum, squares, weight, 0.05);
            assert_near(found, exact.low * weight, exact.high * weight, 1e-9);
        }
        let nothing = weighted_poisson(0.0, 0.0, 0.0, 0.05);
        assert_eq!((nothing.low, nothing.high), (0.0, 0.0), "no event weighs anything");
    }

    #[test]
    fn sample_sizes_equal_leveugles() {
        assert_eq!(sample_size(u64::MAX, 0.05, 0.05, 0.5), 385);
        assert_eq!(sample_size(u64::MAX, 0.01, 0.05, 0.5), 9_604);
        assert_eq!(sample_size(1_000_000, 0.01, 0.05, 0.5), 9_513);
        assert_eq!(sample_size(10_000, 0.01, 0.05, 0.5), 4_900);
        assert_eq!(sample_size(u64::MAX, 0.01, 0.01, 0.5), 16_588);
        let strict = sample_size(1_000_000_000_000, 0.001, 0.002, 0.5);
        assert_eq!(format!("{:.2}", strict as f64 / 1e6), "2.39");
        assert_eq!(sample_size(1, 0.01, 0.05, 0.5), 1);
        assert_eq!(sample_size(0, 0.01, 0.05, 0.5), 0);
    }

    #[test]
    fn no_failures_give_the_rule_of_three() {
        let one_sided = clopper_pearson(0, 1000, 0.10).high;
        assert!((one_sided * 1000.0 - 2.996).abs() < 5e-3, "{one_sided}");
        let two_sided = clopper_pearson(0, 100_000, 0.05).high;
        assert!((two_sided * 1e5 - 3.689).abs() < 5e-4, "{two_sided}");
        for n in [1, 10, 1_000_000] {
            let closed_form = -((0.025_f64).ln() / n as f64).exp_m1();
            assert_near(clopper_pearson(0, n, 0.05), 0.0, closed_form, 1e-9);
        }
    }

    #[test]
    fn large_campaigns_keep_their_digits() {
        // SciPy 1.17, stats.beta.ppf; stats.chi2.ppf.
        let near = |k, n, alpha, low, high| {
            assert_near(clopper_pearson(k, n, alpha), low, high, 1e-7);
        };
        near(3, 600_000, 0.005, 4.3880810185515757e-7, 1.981191520372246e-5);
        near(60_000, 600_000, 0.005, 0.09891573585617773, 0.10109172054220429);
        near(300_000, 600_000, 0.005, 0.4981872408719583, 0.5018127591280417);
        near(2, 100_000_000, 0.005, 7.243343302563737e-10, 1.0124700612416434e-7);
        near(5_000_000, 10_000_000, 0.005, 0.4995561190897036, 0.5004438809102965);
        assert_near(
            clopper_pearson(7, 1_000_000_000, 0.05),
            2.8143630560026354e-9,
            1.4422675364088619e-8,
            1e-6,
        );
        near(500_000_000, 1_000_000_000, 0.05, 0.4999690097484223, 0.5000309902515777);
        assert_near(garwood(1_000_000, 0.05), 998_040.9833402939, 1_001_961.9119454322, 1e-9);
    }

    #[test]
    fn a_confidence_is_never_written_as_certainty() {
        let texts = [0.5, 0.2, 0.05, 0.005, 1e-4, 2.5e-5, 1e-6, 1e-12, 1e-13].map(confidence);
        let expected = [
            "50 %",
            "80 %",
            "95 %",
            "99.5 %",
            "99.99 %",
            "99.9975 %",
            "99.9999 %",
            "99.9999999999 %",
            "99.99999999999 %",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn without_trials_nothing_is_known() {
        assert_eq!(clopper_pearson(0, 0, 0.05), Interval::UNIT);
        assert_eq!(wilson(0, 0, 0.05), Interval::UNIT);
        assert!((Interval::UNIT.half_width() - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn exact_intervals_hold_their_estimate_and_mirror() {
        for n in [1_u64, 2, 3, 17, 128, 1000] {
            for k in (0..=n).step_by(if n > 100 { 37 } else { 1 }) {
                for alpha in [0.05, 0.005] {
                    let interval = clopper_pearson(k, n, alpha);
                    assert!(interval.contains(k as f64 / n as f64), "{k}/{n}: {interval:?}");
                    let mirror = clopper_pearson(n - k, n, alpha);
                    assert!((interval.low - (1.0 - mirror.high)).abs() < 1e-11, "{k}/{n}");
                    assert!((interval.high - (1.0 - mirror.low)).abs() < 1e-11, "{k}/{n}");
                    let score = wilson(k, n, alpha);
                    assert!(score.contains(k as f64 / n as f64), "{k}/{n}: {score:?}");
                }
            }
        }
    }
}
