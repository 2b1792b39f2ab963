//! The geomagnetic field: IGRF, the fields that AP8 was made with, and McIlwain's L by following a
//! field line.
//!
//! Positions are geocentric and Earth-fixed, in units of the Earth's radius
//! ([`EARTH_RADIUS_KM`]); the field is in gauss, as the maps of trapped particles have it.

mod dipole;
mod model;

use super::orbit::Position;
use crate::units::EARTH_RADIUS_KM;
pub use dipole::Dipole;
use model::Coefficient;
use std::f64::consts::PI;

/// The highest degree of the IGRF since 2000.
const DEGREE: usize = 13;
/// Side of the triangles of the recursion: one degree more than the field, for its gradient.
const SIDE: usize = DEGREE + 2;
/// The step along a field line, as a share of the distance from the Earth's centre.
const STEP: f64 = 0.1;
/// A degree of the field is left out where it is less than this share of the dipole.
const NEGLIGIBLE: f64 = 1e-6;
/// Where a field line counts as open, in Earth radii: beyond the maps of trapped particles, and
/// its cutoff is below 0.06 GV.
const OPEN: f64 = 16.0;
/// Steps after which a line is given up: several times what a line of L = 16 takes.
const STEPS: usize = 400;
/// Points of the quadrature of the second invariant.
const NODES: u32 = 24;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
const fn index(value: f64) -> usize {
    value as usize
}

/// The Earth's internal field at one date.
#[derive(Clone)]
pub struct Field {
    year: f64,
    degree: usize,
    /// Coefficients of the solid harmonics, with Schmidt's normalisation taken into them, in gauss.
    cos: [[f64; SIDE]; SIDE],
    sin: [[f64; SIDE]; SIDE],
    /// The dipole moment, in gauss × (Earth radius)³.
    moment: f64,
    /// What B0 is.
    equator: Equator,
    /// The distance in Earth radii beyond which each degree is negligible.
    reach: [f64; SIDE],
}

/// What counts as the equatorial field B0 of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equator {
    /// The least field along the line.
    Least,
    /// McIlwain's 0.311653 / L³ gauss.
    McIlwain,
}

/// McIlwain's dipole moment, in gauss × (Earth radius)³.
const MCILWAIN: f64 = 0.311_653;

/// L and B/B0 of a place: what the maps of trapped particles are drawn in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shell {
    /// McIlwain's L, in Earth radii; infinite where the field line is open.
    pub l: f64,
    /// The field over that of the line's equator, at least 1.
    pub b_over_b0: f64,
}

impl Field {
    /// The IGRF at a decimal year, linear between the five-year tables.
    ///
    /// Outside 1900 to 2030 the nearest two tables are extended; [`Field::is_extrapolated`] says so.
    pub fn at(year: f64, equator: Equator) -> Self {
        Self::new(year, &model::igrf(year), equator)
    }

    /// Jensen and Cain's field of 1960, which AP8MIN was made with.
    pub fn jensen_cain_1960(equator: Equator) -> Self {
        Self::new(1960.0, &model::jensen_cain_1960(), equator)
    }

    /// GSFC 12/66 at a decimal year; AP8MAX was made with that of 1970.
    pub fn gsfc_12_66(year: f64, equator: Equator) -> Self {
        Self::new(year, &model::gsfc_12_66(year), equator)
    }

    fn new(year: f64, coefficients: &[Coefficient], equator: Equator) -> Self {
        let zero = [[0.0; SIDE]; SIDE];
        let mut powers = [0.0; SIDE];
        let reach = [0.0; SIDE];
        let mut field = Self { year, degree: 1, cos: zero, sin: zero, moment: 0.0, equator, reach };
        for &Coefficient { degree, order, is_sine, value_nt } in coefficients {
            // Gauss from nanotesla.
            let value = 1e-5 * value_nt;
            let side = if is_sine { &mut field.sin } else { &mut field.cos };
            side[degree][order] = model::schmidt(degree, order) * value;
            powers[degree] += value.powi(2);
            if value != 0.0 {
                field.degree = field.degree.max(degree);
            }
        }
        field.moment = powers[1].sqrt();
        for (n, power) in powers.iter().enumerate().skip(2).take(field.degree - 1) {
            let size = power.sqrt() * (n + 1) as f64 / (field.moment * NEGLIGIBLE);
            field.reach[n] = size.powf(1.0 / (n - 1) as f64);
        }
        field
    }

    /// The decimal year it is the field of.
    pub const fn year(&self) -> f64 {
        self.year
    }

    /// Whether the year lies outside the published tables.
    pub fn is_extrapolated(&self) -> bool {
        !(1900.0..=2030.0).contains(&self.year)
    }

    /// The field in gauss at a place in Earth radii, both Earth-fixed Cartesian.
    ///
    /// B = −∇V with V = a Σ (a/r)^(n+1) (g cos mφ + h sin mφ) P (Alken et al. 2021, equation
    /// 1), by the recursion of solid harmonics in Cartesian coordinates (Cunningham 1970, doi
    /// 10.1007/BF01230445; Montenbruck and Gill 2000, section 3.2.4).
    pub fn vector(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        let over = 1.0 / (x * x + y * y + z * z);
        let far = over.sqrt().recip();
        let degree = (2..=self.degree).rev().find(|n| far < self.reach[*n]).unwrap_or(1);
        let (x, y, z) = (x * over, y * over, z * over);
        let top = degree + 1;
        let mut v = [[0.0; SIDE]; SIDE];
        let mut w = [[0.0; SIDE]; SIDE];
        v[0][0] = over.sqrt();
        for m in 0..=top {
            if m > 0 {
                let odd = (2 * m - 1) as f64;
                v[m][m] = odd * (x * v[m - 1][m - 1] - y * w[m - 1][m - 1]);
                w[m][m] = odd * (x * w[m - 1][m - 1] + y * v[m - 1][m - 1]);
            }
            if m < top {
                let odd = (2 * m + 1) as f64;
                v[m + 1][m] = odd * z * v[m][m];
                w[m + 1][m] = odd * z * w[m][m];
            }
            for n in (m + 2)..=top {
                let share = 1.0 / (n - m) as f64;
                let (first, second) =
                    ((2 * n - 1) as f64 * z * share, (n + m - 1) as f64 * over * share);
                v[n][m] = first * v[n - 1][m] - second * v[n - 2][m];
                w[n][m] = first * w[n - 1][m] - second * w[n - 2][m];
            }
        }
        let mut gradient = [0.0; 3];
        for n in 1..=degree {
            let c = self.cos[n][0];
            gradient[0] -= c * v[n + 1][1];
            gradient[1] -= c * w[n + 1][1];
            gradient[2] -= (n + 1) as f64 * c * v[n + 1][0];
            for m in 1..=n {
                let (c, s) = (self.cos[n][m], self.sin[n][m]);
                let lower = ((n - m + 1) * (n - m + 2)) as f64;
                let (vu, wu) = (v[n + 1][m + 1], w[n + 1][m + 1]);
                let (vl, wl) = (v[n + 1][m - 1], w[n + 1][m - 1]);
                gradient[0] += 0.5 * (lower * (c * vl + s * wl) - c * vu - s * wu);
                gradient[1] += 0.5 * (lower * (s * vl - c * wl) - c * wu + s * vu);
                gradient[2] -= (n - m + 1) as f64 * (c * v[n + 1][m] + s * w[n + 1][m]);
            }
        }
        gradient.map(|component| -component)
    }

    /// The field's magnitude in gauss at a place in Earth radii.
    pub fn magnitude(&self, place: [f64; 3]) -> f64 {
        length(self.vector(place))
    }

    /// The dipole moment of the field, in gauss × (Earth radius)³.
    pub const fn moment(&self) -> f64 {
        self.moment
    }

    /// L and B/B0 of a place, by following its field line.
    pub fn shell(&self, place: [f64; 3]) -> Shell {
        let mirror = self.magnitude(place);
        self.line(place, mirror).map_or(Shell::OPEN, |line| line.shell(mirror))
    }

    /// The field line through a place whose field is `mirror`; none where it is open.
    ///
    /// The second invariant is I = ∫ √(1 − B/Bm) ds between the mirror points, in Earth radii.
    /// Steps are a fixed share of the distance r, ds = c r dτ, so that B is known at even τ. With
    /// f = 1 − B/Bm, zero at both ends 0 and T, √f = √(τ (T − τ)) √g with a smooth g: the root is
    /// the weight of a Gauss–Chebyshev quadrature of the second kind.
    pub(super) fn line(&self, place: [f64; 3], mirror: f64) -> Option<Line> {
        let inward = self.downhill(place);
        let mut samples = vec![(0.0, radius(place))];
        let mut at = place;
        let last = loop {
            if samples.len() > STEPS || radius(at) > OPEN {
                return None;
            }
            at = self.advance(at, inward * STEP);
            let f = 1.0 - self.magnitude(at) / mirror;
            samples.push((f, radius(at)));
            if f <= 0.0 {
                break samples.len() - 1;
            }
        };
        // Two more steps, so that the last interval has neighbours to interpolate with.
        for _ in 0..2 {
            at = self.advance(at, inward * STEP);
            samples.push((1.0 - self.magnitude(at) / mirror, radius(at)));
        }
        let f = |tau: f64| lagrange(&samples, tau, |sample| sample.0);
        let (mut low, mut high) = ((last - 1) as f64, last as f64);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if f(middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let end = 0.5 * (low + high);
        let mut sum = 0.0;
        for k in 1..=NODES {
            let angle = PI * f64::from(k) / f64::from(NODES + 1);
            let tau = 0.5 * end * (1.0 + angle.cos());
            let g = f(tau) / (tau * (end - tau));
            let distance = lagrange(&samples, tau, |sample| sample.1);
            sum += angle.sin().powi(2) * g.max(0.0).sqrt() * distance;
        }
        let invariant = STEP * sum * PI / f64::from(NODES + 1) * (0.5 * end).powi(2);
        let invariant = if invariant.is_finite() { invariant } else { 0.0 };
        let least = mirror * (1.0 - peak(&samples, end).max(0.0));
        let l = hilton(invariant, mirror, self.moment);
        let equator = match self.equator {
            Equator::Least => least,
            Equator::McIlwain => MCILWAIN / l.powi(3),
        };
        Some(Line { l, equator })
    }

    /// The sign of the direction along the line in which the field falls.
    fn downhill(&self, place: [f64; 3]) -> f64 {
        let small = 1e-3;
        let [ahead, behind] = [small, -small].map(|step| self.magnitude(self.advance(place, step)));
        if ahead < behind { 1.0 } else { -1.0 }
    }

    /// One Runge–Kutta step along the field line, by a share of the distance from the centre.
    fn advance(&self, place: [f64; 3], step: f64) -> [f64; 3] {
        let slope = |at: [f64; 3]| {
            let b = self.vector(at);
            let factor = step * radius(at) / length(b);
            b.map(|component| component * factor)
        };
        let k1 = slope(place);
        let k2 = slope(along(place, k1, 0.5));
        let k3 = slope(along(place, k2, 0.5));
        let k4 = slope(along(place, k3, 1.0));
        std::array::from_fn(|i| place[i] + (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]) / 6.0)
    }
}

impl Shell {
    /// A place on an open line: nothing is trapped, nothing is cut off.
    pub const OPEN: Self = Self { l: f64::INFINITY, b_over_b0: f64::INFINITY };
}

/// A field line that closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    /// McIlwain's L, in Earth radii.
    pub(super) l: f64,
    /// The field at its equator, in gauss.
    pub(super) equator: f64,
}

impl Line {
    /// L and B/B0 of a place on the line whose field is `magnitude`.
    pub(super) fn shell(self, magnitude: f64) -> Shell {
        Shell { l: self.l, b_over_b0: (magnitude / self.equator).max(1.0) }
    }
}

/// McIlwain's L from the second invariant I, by L³ Bm / M = 1 + 1.35047 X^⅓ + 0.465376 X^⅔ +
/// 0.0475455 X with X = I³ Bm / M (Hilton 1971, doi 10.1029/JA076i028p06952).
///
/// M is the dipole `moment` of the field itself.
fn hilton(invariant: f64, mirror: f64, moment: f64) -> f64 {
    let x = invariant * (mirror / moment).cbrt();
    let cube = 1.0 + x * (1.350_47 + x * (0.465_376 + x * 0.047_545_5));
    (cube * moment / mirror).cbrt()
}

/// The largest f = 1 − B/Bm between 0 and `end`: a golden-section search in the interpolation.
fn peak(samples: &[(f64, f64)], end: f64) -> f64 {
    let f = |tau: f64| lagrange(samples, tau, |sample| sample.0);
    let (mut low, mut high) = (0.0, end);
    for _ in 0..36 {
        let third = (high - low) / 3.0;
        if f(low + third) < f(high - third) {
            low += third;
        } else {
            high -= third;
        }
    }
    f(0.5 * (low + high))
}

fn square(x: f64, y: f64, z: f64) -> f64 {
    x * x + y * y + z * z
}

fn length([x, y, z]: [f64; 3]) -> f64 {
    square(x, y, z).sqrt()
}

fn radius(place: [f64; 3]) -> f64 {
    length(place)
}

fn along(place: [f64; 3], step: [f64; 3], share: f64) -> [f64; 3] {
    std::array::from_fn(|i| place[i] + share * step[i])
}

/// The value at `tau` of samples at 0, 1, 2, …, by the polynomial through the six nearest.
fn lagrange(samples: &[(f64, f64)], tau: f64, value: impl Fn(&(f64, f64)) -> f64) -> f64 {
    let count = samples.len().min(6);
    let start = index((tau - 2.0).max(0.0)).min(samples.len() - count);
    let mut sum = 0.0;
    for i in 0..count {
        let mut weight = 1.0;
        for j in 0..count {
            if i != j {
                weight *= (tau - (start + j) as f64) / (i as f64 - j as f64);
            }
        }
        sum += weight * value(&samples[start + i]);
    }
    sum
}

/// A position as Earth-fixed Cartesian coordinates in Earth radii.
pub fn cartesian(position: &Position) -> [f64; 3] {
    let (lat, lon) = (position.latitude_deg.to_radians(), position.longitude_deg.to_radians());
    let r = position.radius_km / EARTH_RADIUS_KM;
    [r * lat.cos() * lon.cos(), r * lat.cos() * lon.sin(), r * lat.sin()]
}
