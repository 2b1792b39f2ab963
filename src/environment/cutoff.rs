//! Geomagnetic cutoffs: which particles from outside the magnetosphere reach a place, and from
//! which directions.

use super::field::Dipole;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cutoff of a vertical particle at L = 1, in GV (Smart and Shea 2005, doi
/// 10.1016/j.asr.2004.09.015, give 14.5 to 16).
pub const VERTICAL_GV: f64 = 14.9;

/// Beyond this L of the dipole the magnetosphere counts as open to all rigidities, as in SPENVIS.
pub const OPEN_L: f64 = 5.0;

/// The rigidity in GV of a particle that a field of 1 gauss bends on a circle of the Earth's
/// radius: c B a.
const GV_PER_GAUSS: f64 = 299_792_458.0 * 1e-4 * crate::units::EARTH_RADIUS_KM * 1e3 * 1e-9;

/// Directions that are told apart, by the cosine of their angle to the east.
const DIRECTIONS: u32 = 8;

/// How the magnetosphere is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Magnetosphere {
    /// Quiet.
    #[default]
    Quiet,
    /// Disturbed: cutoffs are lower.
    Stormy,
}

/// How cutoffs are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Størmer's for each direction of arrival, in the eccentric dipole of the date, with nothing
    /// cut off beyond L = 5: as SPENVIS does for solar particles and cosmic rays.
    #[default]
    Stormer,
    /// The vertical one for all directions, 14.9 GV / L², L by following the field line.
    Vertical,
}

impl Model {
    /// The name in TOML and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stormer => "stormer",
            Self::Vertical => "vertical",
        }
    }

    /// What it is, for the reader of a result.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Stormer => "Størmer's cutoff of each direction, none beyond L = 5",
            Self::Vertical => "vertical cutoff 14.9 / L² GV",
        }
    }
}

/// The cutoffs of one place by direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cutoff {
    /// M cos⁴λ / r², in GV: four times the vertical cutoff.
    scale_gv: f64,
    /// cos³λ, or 0 where all directions have the vertical cutoff.
    slant: f64,
    magnetosphere: Magnetosphere,
}

impl Cutoff {
    /// Nothing is cut off.
    pub const NONE: Self = Self { scale_gv: 0.0, slant: 0.0, magnetosphere: Magnetosphere::Quiet };

    /// 14.9 GV / L² from all directions; none where L is infinite.
    pub fn vertical(l: f64, magnetosphere: Magnetosphere) -> Self {
        let scale_gv = if l.is_finite() { 4.0 * VERTICAL_GV / (l * l) } else { 0.0 };
        Self { scale_gv, slant: 0.0, magnetosphere }
    }

    /// Størmer's at a place in Earth radii, Earth-fixed Cartesian; none beyond [`OPEN_L`].
    pub fn stormer(dipole: &Dipole, place: [f64; 3], magnetosphere: Magnetosphere) -> Self {
        let (distance, sine) = dipole.coordinates(place);
        let cosine = (1.0 - sine * sine).max(0.0).sqrt();
        if distance > OPEN_L * cosine * cosine {
            return Self::NONE;
        }
        let scale_gv = GV_PER_GAUSS * dipole.moment * cosine.powi(4) / (distance * distance);
        Self { scale_gv, slant: cosine.powi(3), magnetosphere }
    }

    /// The rigidity in GV below which no positive particle arrives vertically.
    pub fn vertical_gv(self) -> f64 {
        self.at(0.0)
    }

    /// The cutoff in GV of positive particles whose motion is at an angle of this cosine to the
    /// west: R = M cos⁴λ / r² / (1 + √(1 − cos γ cos³λ))² (Størmer; Smart and Shea 2005).
    ///
    /// In a storm R (1 − 0.54 exp(−R / 2.9)) (Adams 1986, CREME86).
    fn at(self, westward: f64) -> f64 {
        let root = (1.0 - westward * self.slant).max(0.0).sqrt();
        let quiet = self.scale_gv / (1.0 + root).powi(2);
        match self.magnetosphere {
            Magnetosphere::Quiet => quiet,
            Magnetosphere::Stormy => quiet * (1.0 - 0.54 * (-quiet / 2.9).exp()),
        }
    }

    /// Cutoffs in GV, each with its share of all directions.
    pub fn directions(self) -> impl Iterator<Item = (f64, f64)> {
        let count = if self.slant > 0.0 && self.scale_gv > 0.0 { DIRECTIONS } else { 1 };
        let share = 1.0 / f64::from(count);
        // Directions are spread evenly over the cosine of their angle to an axis.
        (0..count).map(move |k| {
            let westward = f64::from(2 * k + 1) * share - 1.0;
            (share, self.at(westward))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIPOLE: Dipole = Dipole { moment: 0.3, centre: [0.0; 3], axis: [0.0, 0.0, 1.0] };

    #[test]
    fn at_the_equator_the_cutoffs_are_stormers() {
        // M / r² / (1 + √(1 − cos γ))²: vertical 1/4, from the east 1, from the west 1/(1 + √2)².
        let cutoff = Cutoff::stormer(&DIPOLE, [2.0, 0.0, 0.0], Magnetosphere::Quiet);
        let whole = 299_792_458.0 * 3e-5 * 6_371_200.0 * 1e-9 / 4.0;
        for (westward, part) in [(1.0, 1.0), (0.0, 0.25), (-1.0, (1.0 + 2_f64.sqrt()).powi(-2))] {
            assert!((cutoff.at(westward) / (whole * part) - 1.0).abs() < 1e-12, "{westward}");
        }
        assert!((cutoff.vertical_gv() - 0.25 * whole).abs() < 1e-12);
        let shares: f64 = cutoff.directions().map(|(share, _)| share).sum();
        assert!((shares - 1.0).abs() < 1e-12);
        let rising: Vec<f64> = cutoff.directions().map(|(_, gv)| gv).collect();
        assert!(rising.is_sorted() && rising.len() > 4, "{rising:?}");
    }

    #[test]
    fn the_magnetosphere_is_open_beyond_l_5_and_a_vertical_cutoff_has_one_direction() {
        for (distance, latitude, open) in
            [(4.9, 0.0_f64, false), (5.1, 0.0, true), (1.1, 61.0, false), (1.1, 63.0, true)]
        {
            let (sin, cos) = latitude.to_radians().sin_cos();
            let place = [0.0, -distance * cos, distance * sin];
            let cutoff = Cutoff::stormer(&DIPOLE, place, Magnetosphere::Quiet);
            assert_eq!(cutoff == Cutoff::NONE, open, "{distance} at {latitude}");
        }
        let vertical = Cutoff::vertical(2.0, Magnetosphere::Quiet);
        assert_eq!(vertical.directions().collect::<Vec<_>>(), [(1.0, VERTICAL_GV / 4.0)]);
        assert_eq!(Cutoff::vertical(f64::INFINITY, Magnetosphere::Quiet).vertical_gv(), 0.0);
    }

    #[test]
    fn a_storm_lowers_every_cutoff() {
        let place = [0.9, 0.9, 0.3];
        let quiet = Cutoff::stormer(&DIPOLE, place, Magnetosphere::Quiet);
        let stormy = Cutoff::stormer(&DIPOLE, place, Magnetosphere::Stormy);
        for ((_, quiet), (_, stormy)) in quiet.directions().zip(stormy.directions()) {
            assert!(stormy < quiet && stormy > 0.46 * quiet);
        }
    }
}
