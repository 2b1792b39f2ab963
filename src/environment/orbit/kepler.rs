//! Motion on an ellipse that the Earth's oblateness turns.
//!
//! Only the secular effect of J2 is here: the elements change at constant rates (Kozai 1959, doi
//! 10.1086/107957; Vallado 2013, Fundamentals of Astrodynamics, 4th ed., section 9.6). Left out
//! are the periodic effect of J2, about 12 km in place for the ISS; drag; the Moon and the Sun.

use super::position::{Position, longitude_deg};
use crate::environment::epoch::Epoch;
use crate::units::{DAY_S, EQUATOR_KM};
use std::f64::consts::TAU;

/// Gravitational parameter of the Earth in km³/s² (WGS 84).
pub(super) const MU_KM3_S2: f64 = 398_600.441_8;

/// The Earth's second zonal harmonic (EGM-96).
const J2: f64 = 1.082_626_68e-3;

/// Rate of the mean sun in right ascension, in rad/s: a turn in a tropical year of 365.2422 days.
const SUN_RAD_S: f64 = TAU / (365.2422 * DAY_S);

/// Where the ascending node stands at the start of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    /// Right ascension, in rad.
    RightAscension(f64),
    /// Mean local solar time, in hours.
    LocalTime(f64),
}

impl Node {
    /// Its right ascension in rad at `start`: that of the mean sun, and a turn for 24 h after noon.
    fn right_ascension_rad(self, start: Epoch) -> f64 {
        match self {
            Self::RightAscension(angle) => angle,
            Self::LocalTime(hours) => {
                start.mean_sun_right_ascension_rad() + (hours - 12.0) / 24.0 * TAU
            }
        }
    }
}

/// Orbital elements at the start of a track; angles in rad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Elements {
    /// Semi-major axis a in km.
    pub(super) semi_major_axis_km: f64,
    /// Eccentricity e, in [0, 1).
    pub(super) eccentricity: f64,
    /// Inclination i.
    pub(super) inclination: f64,
    /// Argument of perigee ω at the start.
    pub(super) perigee: f64,
    /// The node at the start.
    pub(super) node: Node,
    /// Mean anomaly M at the start.
    pub(super) mean_anomaly: f64,
}

/// Secular rates of the angles, in rad/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// Of the right ascension of the ascending node Ω.
    pub(super) node: f64,
    /// Of the argument of perigee ω.
    pub(super) perigee: f64,
    /// Of the mean anomaly M.
    pub(super) mean_anomaly: f64,
}

/// Mean motion of a two-body orbit in rad/s: n = √(μ/a³).
pub(super) fn mean_motion_rad_s(semi_major_axis_km: f64) -> f64 {
    (MU_KM3_S2 / semi_major_axis_km.powi(3)).sqrt()
}

impl Elements {
    /// The secular rates that J2 gives, with p = a (1 − e²) and n = √(μ/a³):
    ///
    /// - dΩ/dt = −3/2 n J2 (R/p)² cos i
    /// - dω/dt = 3/4 n J2 (R/p)² (5 cos² i − 1)
    /// - dM/dt = n + 3/4 n J2 (R/p)² √(1 − e²) (3 cos² i − 1)
    ///
    /// Kozai 1959; Vallado 2013, section 9.6.
    pub(super) fn rates(&self) -> Rates {
        let n = mean_motion_rad_s(self.semi_major_axis_km);
        let shape = 1.0 - self.eccentricity * self.eccentricity;
        let p = self.semi_major_axis_km * shape;
        let oblate = 0.75 * n * J2 * (EQUATOR_KM / p).powi(2);
        let cos = self.inclination.cos();
        Rates {
            node: -2.0 * oblate * cos,
            perigee: oblate * (5.0 * cos * cos - 1.0),
            mean_anomaly: n + oblate * shape.sqrt() * (3.0 * cos * cos - 1.0),
        }
    }

    /// The positions at `start` + k `step_s` for k below `count`.
    pub(super) fn track(&self, start: Epoch, step_s: f64, count: u32) -> Vec<Position> {
        let rates = self.rates();
        let node = self.node.right_ascension_rad(start);
        let (sin_i, cos_i) = self.inclination.sin_cos();
        let e = self.eccentricity;
        let tangent = ((1.0 + e) / (1.0 - e)).sqrt();
        let position = |k| {
            let time_s = f64::from(k) * step_s;
            let mean_anomaly = self.mean_anomaly + rates.mean_anomaly * time_s;
            let (true_anomaly, radius_km) = if e == 0.0 {
                (mean_anomaly, self.semi_major_axis_km)
            } else {
                let anomaly = eccentric_anomaly(mean_anomaly, e);
                let half = (0.5 * anomaly).sin_cos();
                let true_anomaly = 2.0 * (tangent * half.0).atan2(half.1);
                (true_anomaly, self.semi_major_axis_km * (1.0 - e * anomaly.cos()))
            };
            let (sin_u, cos_u) = (self.perigee + rates.perigee * time_s + true_anomaly).sin_cos();
            let from_node = (cos_i * sin_u).atan2(cos_u);
            let right_ascension = node + rates.node * time_s + from_node;
            Position {
                time_s,
                latitude_deg: (sin_i * sin_u).asin().to_degrees(),
                longitude_deg: longitude_deg(
                    right_ascension - start.plus_seconds(time_s).gmst_rad(),
                ),
                radius_km,
            }
        };
        (0..count).map(position).collect()
    }
}

/// The eccentric anomaly E in rad of Kepler's equation M = E − e sin E, by Newton's method.
///
/// E ← E − (E − e sin E − M) / (1 − e cos E), from E = M + e sin M, with M in [−π, π]; where e is
/// large, from E = ±π, from which Newton's method converges (Vallado 2013, section 2.2.5).
pub(super) fn eccentric_anomaly(mean_anomaly: f64, e: f64) -> f64 {
    let m = mean_anomaly - TAU * (mean_anomaly / TAU).round();
    let mut anomaly = if e < 0.8 { m + e * m.sin() } else { std::f64::consts::PI.copysign(m) };
    for _ in 0..50 {
        let (sin, cos) = anomaly.sin_cos();
        let step = (anomaly - e * sin - m) / (1.0 - e * cos);
        anomaly -= step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    anomaly
}

/// The cosine of the inclination at which the node of a circular orbit follows the mean sun; its
/// magnitude is above 1 where there is no such inclination.
///
/// cos i = −(dΩ/dt) / (3/2 n J2 (R/a)²), with dΩ/dt = 360° / 365.2422 d: [`Elements::rates`]
/// solved for i.
pub(super) fn sun_synchronous_cos(semi_major_axis_km: f64) -> f64 {
    let n = mean_motion_rad_s(semi_major_axis_km);
    -SUN_RAD_S / (1.5 * n * J2 * (EQUATOR_KM / semi_major_axis_km).powi(2))
}

/// The semi-major axis in km of the highest circular sun-synchronous orbit: there cos i = −1.
pub(super) fn sun_synchronous_limit_km() -> f64 {
    (1.5 * J2 * EQUATOR_KM.powi(2) * MU_KM3_S2.sqrt() / SUN_RAD_S).powf(2.0 / 7.0)
}
