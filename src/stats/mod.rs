//! Statistics of outcomes: intervals, tests, the stopping rule.
//!
//! The trial is the independent unit: one upset colours all the inferences of its trial, so every
//! count here is of trials, and shares of wrong inferences are resampled by trial. An exhaustive
//! campaign is a census and comes to none of this. Intervals are two-sided at confidence 1 − α.

mod bootstrap;
mod decision;
mod fit;
mod interval;
pub mod looks;
mod mcnemar;
mod ratio;
#[cfg(test)]
mod reference;
mod tail;

pub use bootstrap::{mean_interval, resamples};
pub use decision::{Decision, Verdict};
pub use fit::{Fit, fit};
pub use interval::{
    ALPHA_MIN, Interval, clopper_pearson, confidence, garwood, sample_size, weighted_poisson,
    wilson,
};
pub(crate) use interval::{Estimate, estimate, normal_quantile};
pub use mcnemar::{holm, mcnemar_exact};
pub use ratio::{Ratio, paired_ratio};
