//! The orbits of SPENVIS: begun at perigee on the ellipse of the figures given and integrated with
//! J2, so that an orbit of "530 km" flies between 517 and 530 km.

use beamline::environment::epoch::Epoch;
use beamline::environment::orbit::Position;
use std::f64::consts::TAU;

/// Radius that SPENVIS adds to altitudes, in km: its report of 530 km has a semi-major axis of
/// 6901.00 km.
const RADIUS_KM: f64 = 6371.0;
/// WGS 84 and EGM-96, in km and s.
const MU: f64 = 398_600.441_8;
const J2: f64 = 1.082_626_68e-3;
const EQUATOR_KM: f64 = 6378.137;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Steps of the integration within a minute.
const STEPS: u32 = 6;

type Vector = [f64; 3];

fn plus(a: Vector, b: Vector, factor: f64) -> Vector {
    std::array::from_fn(|i| a[i] + factor * b[i])
}

fn norm(a: Vector) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn acceleration(place: Vector) -> Vector {
    let [x, y, z] = place;
    let r = norm(place);
    let central = -MU / r.powi(3);
    let oblate = 1.5 * J2 * MU * EQUATOR_KM.powi(2) / r.powi(5);
    let q = 5.0 * z * z / (r * r);
    [
        x * (central + oblate * (q - 1.0)),
        y * (central + oblate * (q - 1.0)),
        z * (central + oblate * (q - 3.0)),
    ]
}

/// One Runge–Kutta step of fourth order.
fn step((place, speed): (Vector, Vector), h: f64) -> (Vector, Vector) {
    let slope = |(place, speed): (Vector, Vector)| (speed, acceleration(place));
    let moved = |by: (Vector, Vector), h: f64| (plus(place, by.0, h), plus(speed, by.1, h));
    let k1 = slope((place, speed));
    let k2 = slope(moved(k1, 0.5 * h));
    let k3 = slope(moved(k2, 0.5 * h));
    let k4 = slope(moved(k3, h));
    let mean = |a: Vector, b: Vector, c: Vector, d: Vector| -> Vector {
        std::array::from_fn(|i| (a[i] + 2.0 * (b[i] + c[i]) + d[i]) / 6.0)
    };
    (plus(place, mean(k1.0, k2.0, k3.0, k4.0), h), plus(speed, mean(k1.1, k2.1, k3.1, k4.1), h))
}

/// The places once a minute of an orbit whose perigee is its ascending node, at 0° of right
/// ascension on 2026-01-01.
pub(crate) fn track(
    [perigee_km, apogee_km]: [f64; 2],
    inclination_deg: f64,
    days: f64,
) -> Vec<Position> {
    let [low, high] = [RADIUS_KM + perigee_km, RADIUS_KM + apogee_km];
    let (sin, cos) = inclination_deg.to_radians().sin_cos();
    let v = (MU * (2.0 / low - 2.0 / (low + high))).sqrt();
    let mut state = ([low, 0.0, 0.0], [0.0, v * cos, v * sin]);
    let mut positions = Vec::new();
    let mut time_s = 0.0;
    while time_s < days * 86_400.0 {
        let [x, y, z] = state.0;
        let turns = (y.atan2(x) - Epoch::default().plus_seconds(time_s).gmst_rad()) / TAU;
        positions.push(Position {
            time_s,
            latitude_deg: z.atan2(x.hypot(y)).to_degrees(),
            longitude_deg: 360.0 * (turns - (turns + 0.5).floor()),
            radius_km: norm(state.0),
        });
        for _ in 0..STEPS {
            state = step(state, 60.0 / f64::from(STEPS));
        }
        time_s += 60.0;
    }
    positions
}

/// Altitude above the ellipsoid of WGS 84, in km.
pub(crate) fn geodetic_altitude_km(position: &Position) -> f64 {
    let squared = FLATTENING * (2.0 - FLATTENING);
    let (sin, cos) = position.latitude_deg.to_radians().sin_cos();
    let (p, z) = (position.radius_km * cos, position.radius_km * sin);
    let mut latitude = z.atan2(p * (1.0 - squared));
    let mut altitude = 0.0;
    for _ in 0..8 {
        let across = EQUATOR_KM / (1.0 - squared * latitude.sin().powi(2)).sqrt();
        altitude = p / latitude.cos() - across;
        latitude = z.atan2(p * (1.0 - squared * across / (across + altitude)));
    }
    altitude
}
