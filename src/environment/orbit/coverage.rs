//! How long a track must be for its mean to stand for the orbit.
//!
//! From one revolution to the next the ascending node moves in longitude by 360° P / D, with P the
//! time from node to node and D the time in which the Earth turns once beneath the plane of the
//! orbit. A track that stops before the nodes have gone round leaves longitudes out: it may miss
//! the South Atlantic Anomaly, or meet nothing else.

use super::kepler::Elements;
use crate::units::DAY_S;
use std::f64::consts::TAU;

/// The rate of the Earth's rotation in rad/s (IERS Conventions 2010, chapter 1).
const EARTH_RAD_S: f64 = 7.292_115e-5;
/// The widest gap between ascending nodes that a track may leave, as a share of a turn: 36°, with
/// the descending nodes between them. Up to 2,700 km of altitude neighbouring revolutions are closer.
const GAP_MAX: f64 = 0.1;
/// Nodes that come back this close, as a share of a turn, repeat: 0.5°.
const REPEATS: f64 = 0.5 / 360.0;
/// The most revolutions that are looked at.
const REVOLUTIONS_MAX: usize = 1000;

/// The times of an orbit's motion over the Earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Coverage {
    /// Seconds from node to node.
    pub(super) revolution_s: f64,
    /// Seconds in which the Earth turns once beneath the plane of the orbit.
    pub(super) turn_s: f64,
}

impl Coverage {
    pub(super) fn of(elements: &Elements) -> Self {
        let rates = elements.rates();
        Self {
            revolution_s: TAU / (rates.mean_anomaly + rates.perigee),
            turn_s: TAU / (EARTH_RAD_S - rates.node),
        }
    }

    /// The days of one turn of the Earth beneath the orbit, or of a revolution where that is longer.
    pub(super) const fn turn_days(self) -> f64 {
        self.turn_s.max(self.revolution_s) / DAY_S
    }

    /// The days from the first node to the one with which they leave no gap wider than [`GAP_MAX`],
    /// or until they repeat; one turn at the least.
    pub(super) fn mean_days(self) -> f64 {
        let step = self.revolution_s / self.turn_s;
        let mut nodes: Vec<f64> = Vec::new();
        for revolution in 0..REVOLUTIONS_MAX {
            let node = (revolution as f64 * step).rem_euclid(1.0);
            let repeats = revolution > 0 && node.min(1.0 - node) < REPEATS;
            let is_covered = widest_gap(&nodes) <= GAP_MAX;
            if is_covered || repeats {
                let flown = if is_covered { revolution - 1 } else { revolution };
                return (flown as f64 * self.revolution_s / DAY_S).max(self.turn_days());
            }
            let at = nodes.partition_point(|other| *other < node);
            nodes.insert(at, node);
        }
        REVOLUTIONS_MAX as f64 * self.revolution_s / DAY_S
    }
}

/// The widest gap between places on a circle of circumference 1, which are sorted.
fn widest_gap(places: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return 1.0 };
    places.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0 + first - last, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_takes_one_turn_in_a_low_orbit_and_the_repeat_of_a_high_one() {
        let days = |revolution_h: f64, turn_h: f64| {
            Coverage { revolution_s: 3600.0 * revolution_h, turn_s: 3600.0 * turn_h }.mean_days()
        };
        // Sixteen revolutions a day leave gaps of 22.5° after one turn.
        assert!((days(1.5, 24.0) - 1.0).abs() < 1e-9);
        // A geostationary satellite stays; GPS repeats after two revolutions.
        assert!((days(23.934, 23.934) - 23.934 / 24.0).abs() < 1e-9);
        assert!((days(11.967, 23.934) - 23.934 / 24.0).abs() < 1e-9);
        // Nodes that move by 15° a day need 22 steps to come within 36° of the first.
        assert!((days(25.0, 24.0) - 22.0 * 25.0 / 24.0).abs() < 1e-9);
        // Gaps of 77°, five a turn that miss the first by 24°: three turns.
        let three = days(5.12, 24.0);
        assert!((2.0..3.0).contains(&three), "{three}");
    }
}
