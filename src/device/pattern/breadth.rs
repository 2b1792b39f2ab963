//! How many entries one event strikes.

use crate::device::figure::At;
use crate::place::Error;
use crate::seed::unit;
use rand::Rng;
use schemars::JsonSchema;
use serde::Deserialize;

/// The widest event that a pattern may hold, in entries.
const ENTRIES_MAX: u32 = 1 << 20;

/// How many entries one event strikes: a power law from `entries_min` to `entries_max`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breadth {
    /// The fewest entries.
    #[serde(default = "one")]
    pub entries_min: u32,
    /// The most entries.
    pub entries_max: u32,
    /// γ of P(n) ∝ n^−γ.
    pub exponent: f64,
}

const fn one() -> u32 {
    1
}

impl Breadth {
    /// The mean number of entries, Σ n^(1−γ) / Σ n^−γ for n from the fewest to the most.
    pub fn mean_entries(&self) -> f64 {
        let (mut entries, mut all) = (0.0, 0.0);
        for n in (self.entries_min..=self.entries_max).rev().map(f64::from) {
            let share = n.powf(-self.exponent);
            entries += n * share;
            all += share;
        }
        entries / all
    }

    pub(super) fn check(&self, at: &At) -> Result<(), Error> {
        if !(1..=ENTRIES_MAX).contains(&self.entries_max) {
            let expected = format!("1 to {ENTRIES_MAX} entries");
            return Err(at.key("entries_max").value(expected, self.entries_max));
        }
        if !(1..=self.entries_max).contains(&self.entries_min) {
            let expected = format!("1 to {} entries", self.entries_max);
            return Err(at.key("entries_min").value(expected, self.entries_min));
        }
        if !(0.0..=20.0).contains(&self.exponent) {
            return Err(at.key("exponent").value("an exponent from 0 to 20", self.exponent));
        }
        Ok(())
    }

    /// A number of entries, by rejection from x^−γ over the reals.
    ///
    /// The real line gives n the weight ∫ x^−γ from n to n + 1, which falls short of n^−γ the most
    /// at the fewest entries; draws are kept with the chance that makes up for it.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> u64 {
        let (least, most) = (f64::from(self.entries_min), f64::from(self.entries_max));
        let power = 1.0 - self.exponent;
        let is_log = power.abs() < 1e-9;
        let integral = |x: f64| if is_log { x.ln() } else { x.powf(power) / power };
        let inverse = |y: f64| if is_log { y.exp() } else { (y * power).powf(1.0 / power) };
        let excess = |n: f64| n.powf(-self.exponent) / (integral(n + 1.0) - integral(n));
        let (low, high) = (integral(least), integral(most + 1.0));
        loop {
            let n = inverse(low + unit(rng) * (high - low)).floor().clamp(least, most);
            if unit(rng) * excess(least) < excess(n) {
                return whole(n);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of entries, 2^20 at most"
)]
const fn whole(n: f64) -> u64 {
    n as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};

    #[test]
    fn a_power_law_has_its_mean() {
        let two = Breadth { entries_min: 1, entries_max: 2, exponent: 1.0 };
        assert!((two.mean_entries() - 2.0 / 1.5).abs() < 1e-12);
        assert_eq!(Breadth { entries_min: 1, entries_max: 1, exponent: 2.0 }.mean_entries(), 1.0);
        let even = Breadth { entries_min: 1, entries_max: 9, exponent: 0.0 };
        assert!((even.mean_entries() - 5.0).abs() < 1e-12);
        let fixed = Breadth { entries_min: 32, entries_max: 32, exponent: 0.0 };
        assert_eq!(fixed.mean_entries(), 32.0);
    }

    #[test]
    fn breadths_follow_their_power_law() {
        for (key, (entries_min, entries_max, exponent)) in
            (0..).zip([(1, 9, 2.0), (1, 9, 1.0), (3, 9, 0.0), (2, 9, 0.5), (1, 9, 6.0)])
        {
            let breadth = Breadth { entries_min, entries_max, exponent };
            let mut rng = stream(6, Domain::Generate, &[key]);
            let mut counts = [0_u32; 10];
            for _ in 0..50_000 {
                counts[usize::try_from(breadth.draw(&mut rng)).expect("small")] += 1;
            }
            let all: f64 = (entries_min..=entries_max).map(|n| f64::from(n).powf(-exponent)).sum();
            let mut chi2 = 0.0;
            for (n, count) in (0..).zip(counts) {
                if (entries_min..=entries_max).contains(&n) {
                    let expected = 50_000.0 * f64::from(n).powf(-exponent) / all;
                    chi2 += (f64::from(count) - expected).powi(2) / expected;
                } else {
                    assert_eq!(count, 0, "{n} of {breadth:?}");
                }
            }
            assert!(
                chi2 < 26.1,
                "chi² {chi2}, 8 degrees of freedom at most: p < 0.001; {counts:?}"
            );
        }
    }
}
