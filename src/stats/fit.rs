//! From a conditional result to a failure rate.

use schemars::JsonSchema;
use serde::Serialize;

use super::Interval;

/// A failure rate in failures per 10⁹ device-hours, with the ends that the AVF's interval gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fit {
    /// At the lower end of the AVF.
    pub low: f64,
    /// At the estimated AVF.
    pub nominal: f64,
    /// At the upper end of the AVF.
    pub high: f64,
}

/// The failure rate of a memory of `bits` bits under `upsets_per_bit_day`.
///
/// `FIT = rate per bit-hour × bits × AVF × 10⁹`, with AVF, the architectural vulnerability factor,
/// the probability that one upset among these bits makes the trial's answers wrong (Mukherjee et
/// al. 2003, doi 10.1109/MICRO.2003.1253181). Which failures and which bits the AVF counts is the
/// caller's to name. The interval carries the uncertainty of the AVF alone: the rate has a source,
/// not an interval. A rate observed after ECC or after a workload already holds that masking and
/// does not belong here. Give a census the interval of its own value.
///
/// # Panics
/// If the rate is negative or not finite.
pub fn fit(upsets_per_bit_day: f64, bits: u64, avf: f64, avf_interval: Interval) -> Fit {
    assert!(
        upsets_per_bit_day.is_finite() && upsets_per_bit_day >= 0.0,
        "a rate of {upsets_per_bit_day} upsets per bit-day"
    );
    const HOURS_PER_DAY: f64 = 24.0;
    const HOURS_PER_FIT: f64 = 1e9;
    let raw = upsets_per_bit_day / HOURS_PER_DAY * bits as f64 * HOURS_PER_FIT;
    Fit { low: raw * avf_interval.low, nominal: raw * avf, high: raw * avf_interval.high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::clopper_pearson;

    #[test]
    fn one_failure_a_day_is_its_hours_by_a_thousand_million() {
        let point = Interval { low: 1.0, high: 1.0 };
        let every_day = fit(1.0, 1, 1.0, point);
        assert!((every_day.nominal - 1e9 / 24.0).abs() < 1e-3);
        assert_eq!(every_day.low, every_day.high);
    }

    #[test]
    fn the_ends_follow_the_avf() {
        let avf_interval = clopper_pearson(10, 1000, 0.05);
        let rate = fit(2.4e-10, 551_232, 0.01, avf_interval);
        assert!((rate.nominal - 1e-11 * 551_232.0 * 0.01 * 1e9).abs() < 1e-9);
        assert!((rate.low / rate.nominal - avf_interval.low / 0.01).abs() < 1e-12);
        assert!((rate.high / rate.nominal - avf_interval.high / 0.01).abs() < 1e-12);
        assert_eq!(fit(0.0, 551_232, 0.01, avf_interval).high, 0.0);
    }
}
