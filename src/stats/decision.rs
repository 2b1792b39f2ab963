//! Whether a probability is at least what is asked for: shown, refuted, or undecided.

use super::{Interval, clopper_pearson, tail};
use schemars::JsonSchema;
use serde::Serialize;

/// Trials up to which [`Verdict::of`] looks for a number that would decide.
const TRIALS_MAX: u64 = 1 << 40;

/// What trials say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Decision {
    /// It holds, at the confidence asked for.
    Shown = 0,
    /// It does not hold, at the same confidence.
    Refuted = 1,
    /// Neither.
    Undecided = 2,
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Shown, Self::Refuted, Self::Undecided];

    /// The name used in HDF5, JSON, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
        }
    }
}

/// The claim that a probability is at least `wanted`, held against independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    /// What the trials say.
    pub decision: Decision,
    /// The probability asked for.
    pub wanted: f64,
    /// The risk of a wrong verdict, on each side: 1 − the confidence.
    pub alpha: f64,
    /// Trials that held.
    pub held: u64,
    /// All trials.
    pub trials: u64,
    /// The one-sided Clopper–Pearson ends of the probability, each at confidence 1 − α.
    pub interval: Interval,
    /// Trials in all that would decide at the observed share; `None` where they have decided, where
    /// there are none, and where the observed share is so near to the wanted one that 2⁴⁰ would not.
    pub trials_needed: Option<u64>,
}

impl Verdict {
    /// From `held` of `trials`.
    ///
    /// Shown where the lower end reaches `wanted`: P(X ≥ held) ≤ α of X ~ Bin(trials, wanted).
    /// Refuted where the upper end lies below it: P(X ≤ held) ≤ α. Whatever the probability is,
    /// either wrong verdict comes with a chance of α at most. Between the two nothing is decided; a
    /// share that is high or low says nothing by itself.
    ///
    /// # Panics
    /// If `held` exceeds `trials`, `wanted` is not between 0 and 1, or `alpha` not between 0 and ½.
    pub fn of(held: u64, trials: u64, wanted: f64, alpha: f64) -> Self {
        assert!(0.0 < wanted && wanted < 1.0, "a probability of {wanted}");
        assert!(0.0 < alpha && alpha < 0.5, "a risk of {alpha}");
        // The one-sided ends at α are the two-sided ones at 2α.
        let interval = clopper_pearson(held, trials, 2.0 * alpha);
        let decide = |held: f64, trials: f64| decide(held, trials, wanted, alpha);
        let decision = decide(held as f64, trials as f64);
        let trials_needed = (decision == Decision::Undecided && trials > 0)
            .then(|| needed(held, trials, decide))
            .flatten();
        Self { decision, wanted, alpha, held, trials, interval, trials_needed }
    }

    /// The observed share; 0 without trials.
    pub fn share(&self) -> f64 {
        self.held as f64 / self.trials.max(1) as f64
    }
}

/// The decision of real numbers of trials, which smooths what whole ones jump over.
fn decide(held: f64, trials: f64, wanted: f64, alpha: f64) -> Decision {
    let missed = trials - held;
    if held > 0.0 && tail::beta(held, missed + 1.0, wanted).below <= alpha {
        Decision::Shown
    } else if missed > 0.0 && tail::beta(held + 1.0, missed, wanted).above <= alpha {
        Decision::Refuted
    } else {
        Decision::Undecided
    }
}

/// The fewest trials above those seen that decide at the same share.
fn needed(held: u64, trials: u64, decide: impl Fn(f64, f64) -> Decision) -> Option<u64> {
    let share = held as f64 / trials as f64;
    let decides = |trials: u64| {
        let trials = trials as f64;
        decide(share * trials, trials) != Decision::Undecided
    };
    let mut enough = trials.saturating_mul(2);
    while !decides(enough) {
        if enough > TRIALS_MAX {
            return None;
        }
        enough *= 2;
    }
    let mut few = trials;
    while few + 1 < enough {
        let middle = few + (enough - few) / 2;
        if decides(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    Some(enough)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Decision::{Refuted, Shown, Undecided};

    #[test]
    fn a_share_alone_is_no_verdict() {
        let of = |held, trials, wanted| Verdict::of(held, trials, wanted, 0.1);
        // What the demonstration once called a failure: 34.5 % to 85 %.
        let demonstration = of(5, 8, 0.5);
        assert_eq!(demonstration.decision, Undecided);
        assert!((demonstration.interval.low - 0.345).abs() < 5e-4, "{demonstration:?}");
        assert!((demonstration.interval.high - 0.853).abs() < 5e-4, "{demonstration:?}");
        assert_eq!(of(3, 8, 0.5).decision, Undecided);
        assert_eq!(of(1, 8, 0.5).decision, Refuted);
        assert_eq!(of(7, 8, 0.5).decision, Shown);
        assert_eq!(of(0, 0, 0.5).decision, Undecided);
        assert_eq!(of(0, 0, 0.5).trials_needed, None);
        assert_eq!(of(0, 100, 0.5).decision, Refuted);
        assert_eq!(of(100, 100, 0.5).decision, Shown);
    }

    #[test]
    fn verdicts_agree_with_the_ends_and_err_as_seldom_as_they_say() {
        for (trials, wanted, alpha) in [(40_u64, 0.8, 0.1), (200, 0.99, 0.1), (60, 0.5, 0.01)] {
            let mut risk = [0.0, 0.0];
            for held in 0..=trials {
                let verdict = Verdict::of(held, trials, wanted, alpha);
                let expected = match verdict.interval {
                    Interval { low, .. } if low >= wanted => Shown,
                    Interval { high, .. } if high < wanted => Refuted,
                    _ => Undecided,
                };
                assert_eq!(verdict.decision, expected, "{verdict:?}");
                // The chance of this count where the truth is what is asked for.
                let chance = tail::binomial_mass(held as f64, (trials - held) as f64, wanted);
                match verdict.decision {
                    Shown => risk[0] += chance,
                    Refuted => risk[1] += chance,
                    Undecided => {}
                }
            }
            assert!(risk.iter().all(|risk| *risk <= alpha), "{trials}, {wanted}: {risk:?}");
        }
    }

    #[test]
    fn the_number_that_would_decide_does_and_one_fewer_does_not() {
        // Without a failure: ln 0.1 / ln 0.99 trials.
        assert_eq!(Verdict::of(10, 10, 0.99, 0.1).trials_needed, Some(230));
        assert_eq!(Verdict::of(230, 230, 0.99, 0.1).decision, Shown);
        assert_eq!(Verdict::of(229, 229, 0.99, 0.1).decision, Undecided);
        for (held, trials, wanted) in [(5, 8, 0.5), (3, 8, 0.5), (95, 100, 0.94), (9, 12, 0.9)] {
            let verdict = Verdict::of(held, trials, wanted, 0.1);
            let needed = verdict.trials_needed.expect("undecided");
            let at =
                |trials: u64| decide(verdict.share() * trials as f64, trials as f64, wanted, 0.1);
            let expected = if verdict.share() > wanted { Shown } else { Refuted };
            assert!(needed > trials);
            assert_eq!((at(needed), at(needed - 1)), (expected, Undecided), "{verdict:?}");
        }
        assert_eq!(Verdict::of(5, 10, 0.5, 0.1).trials_needed, None, "no number decides that");
    }
}
