//! The eccentric dipole of a field.

use super::{Field, model};

/// A dipole beside the Earth's centre (Fraser-Smith 1987, doi 10.1029/RG025i001p00001).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dipole {
    /// Its moment, in gauss × (Earth radius)³.
    pub moment: f64,
    /// Its place, in Earth radii, Earth-fixed Cartesian.
    pub centre: [f64; 3],
    /// The direction of its northern pole.
    pub axis: [f64; 3],
}

impl Dipole {
    /// The distance of a place from the dipole, in Earth radii, and the sine of its latitude.
    pub fn coordinates(&self, place: [f64; 3]) -> (f64, f64) {
        let from: [f64; 3] = std::array::from_fn(|i| place[i] - self.centre[i]);
        let distance = from.iter().map(|x| x * x).sum::<f64>().sqrt();
        let along: f64 = from.iter().zip(self.axis).map(|(x, axis)| x * axis).sum();
        (distance, along / distance)
    }
}

impl Field {
    /// The dipole that the terms of degree 1 and 2 make, displaced so that those of degree 2 are
    /// least (Fraser-Smith 1987, equations 16 to 24).
    pub fn dipole(&self) -> Dipole {
        let g = |n: usize, m: usize| self.cos[n][m] / model::schmidt(n, m);
        let h = |n: usize, m: usize| self.sin[n][m] / model::schmidt(n, m);
        let (g10, g11, h11) = (g(1, 0), g(1, 1), h(1, 1));
        let square = g10 * g10 + g11 * g11 + h11 * h11;
        let root = 3.0_f64.sqrt();
        let l0 = 2.0 * g10 * g(2, 0) + root * (g11 * g(2, 1) + h11 * h(2, 1));
        let l1 = -g11 * g(2, 0) + root * (g10 * g(2, 1) + g11 * g(2, 2) + h11 * h(2, 2));
        let l2 = -h11 * g(2, 0) + root * (g10 * h(2, 1) + g11 * h(2, 2) - h11 * g(2, 2));
        let e = (l0 * g10 + l1 * g11 + l2 * h11) / (4.0 * square);
        let moment = square.sqrt();
        Dipole {
            moment,
            centre: [(l1, g11), (l2, h11), (l0, g10)].map(|(l, g)| (l - g * e) / (3.0 * square)),
            axis: [g11, h11, g10].map(|g| -g / moment),
        }
    }
}
