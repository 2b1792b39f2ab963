//! Aluminium between the sky and the device, crossed straight ahead while slowing down.

use crate::units::G_PER_CM2_OF_MM_AL;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shape of the shield.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Geometry {
    /// The centre of a sphere: the same path from all directions.
    #[default]
    Sphere,
    /// Behind a plane slab, with nothing arriving from behind.
    Slab,
    /// Between two plane slabs.
    DoubleSlab,
}

impl Geometry {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sphere, Self::Slab, Self::DoubleSlab];

    /// The name used in TOML, JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sphere => "sphere",
            Self::Slab => "slab",
            Self::DoubleSlab => "double-slab",
        }
    }
}

/// A shield of aluminium.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shield {
    /// Thickness in millimetres, 0 or more.
    pub thickness_mm: f64,
    /// Shape.
    pub geometry: Geometry,
}

/// One of the straight ways through a shield.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// The share of an omnidirectional flux that comes this way.
    pub share: f64,
    /// The way's length in aluminium, in g/cm².
    pub g_per_cm2: f64,
}

/// Nodes in the cosine of the angle, for slabs.
const ANGLES: usize = 24;

impl Shield {
    /// Thickness in g/cm².
    pub fn g_per_cm2(&self) -> f64 {
        self.thickness_mm * G_PER_CM2_OF_MM_AL
    }

    /// The ways through it.
    ///
    /// An isotropic flux meets a slab of T at the cosine μ with the path T' = T / μ, and the share
    /// dμ / 2 of each face: the kernel T / (2 T'²) of the paths beyond T.
    pub fn paths(&self) -> Vec<Path> {
        let thickness = self.g_per_cm2();
        let faces = match self.geometry {
            Geometry::Sphere => return vec![Path { share: 1.0, g_per_cm2: thickness }],
            Geometry::Slab => 1.0,
            Geometry::DoubleSlab => 2.0,
        };
        gauss_legendre(ANGLES)
            .into_iter()
            .map(|(x, weight)| (0.5 * (1.0 + x), 0.5 * weight))
            .map(|(cosine, weight)| Path {
                share: 0.5 * faces * weight,
                g_per_cm2: thickness / cosine,
            })
            .collect()
    }
}

/// Nodes and weights of Gauss and Legendre on −1 to 1, by Newton's method.
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let node = |k: usize| {
        let mut x = (std::f64::consts::PI * (k as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut value) = (1.0, x);
            for j in 2..=count {
                let j = j as f64;
                (before, value) = (value, ((2.0 * j - 1.0) * x * value - (j - 1.0) * before) / j);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_the_ways_add_up() {
        for (geometry, whole) in
            [(Geometry::Sphere, 1.0), (Geometry::Slab, 0.5), (Geometry::DoubleSlab, 1.0)]
        {
            let paths = Shield { thickness_mm: 3.0, geometry }.paths();
            let sum: f64 = paths.iter().map(|path| path.share).sum();
            assert!((sum - whole).abs() < 1e-12, "{geometry:?}: {sum}");
            assert!(paths.iter().all(|path| path.g_per_cm2 >= 3.0 * G_PER_CM2_OF_MM_AL * 0.999));
        }
    }

    #[test]
    fn a_slab_of_exponential_loss_gives_the_exponential_integral() {
        // ∫₀¹ exp(−t/μ) dμ = E₂(t); E₂(1) = 0.148496 (Abramowitz and Stegun, table 5.4).
        let shield =
            Shield { thickness_mm: 1.0 / G_PER_CM2_OF_MM_AL, geometry: Geometry::DoubleSlab };
        let sum: f64 = shield.paths().iter().map(|p| p.share * (-p.g_per_cm2).exp()).sum();
        assert!((sum - 0.148_496).abs() < 1e-6, "{sum}");
    }
}
