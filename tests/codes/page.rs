//! How figures are written.

use crate::classes::Tally;
use beamline::stats::clopper_pearson;

/// Four digits, without an exponent where that is short.
pub(crate) fn figure(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    for places in 0..6_usize {
        let least = 1000.0 / 10_f64.powf(places as f64);
        if value >= least * 0.99995 {
            let text = format!("{value:.places$}");
            return if places == 0 {
                text
            } else {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            };
        }
    }
    format!("{value:.2e}")
}

/// The share of one outcome in percent, with the 95 % interval where the errors were drawn.
pub(crate) fn interval(tally: &Tally, outcome: usize) -> String {
    let share = figure(100.0 * tally.shares()[outcome]);
    if tally.all {
        return share;
    }
    let between = clopper_pearson(tally.counts[outcome], tally.errors(), 0.05);
    format!("{share} ({}–{})", figure(100.0 * between.low), figure(100.0 * between.high))
}

/// Three shares in percent.
pub(crate) fn triple(shares: [f64; 3]) -> String {
    shares.map(|share| figure(100.0 * share)).join(" / ")
}
