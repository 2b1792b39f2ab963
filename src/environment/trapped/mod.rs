//! Trapped protons: the maps AP8MIN and AP8MAX (Sawyer and Vette 1976, NSSDC/WDC-A-R&S 76-06).
//!
//! A map holds, for some energies, strings of constant L: the logarithm of the integral
//! omnidirectional flux at the equator, and the steps of B/B0 over which it falls by a quarter of
//! a decade each. What lies between two strings is interpolated in one of two ways:
//! [`Interpolation::PhiL`] (Daly et al. 1996, doi 10.1109/23.490889), which SPENVIS uses, and
//! [`Interpolation::Classic`], that of NSSDC's program TRARA, which is 9 to 20 % low in low orbits.

mod map;

use super::field::{Equator, Field, Shell};
pub use map::{Map, Spectrum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// How fluxes between two strings of a map are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// In φ and L, triangle by triangle (Daly et al. 1996).
    #[default]
    PhiL,
    /// Along rays of constant slope in B/B0 and log flux, as NSSDC's TRARA.
    Classic,
}

impl Interpolation {
    /// The name on the command line, in JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PhiL => "phi-l",
            Self::Classic => "classic",
        }
    }
}

/// Which geomagnetic field the maps are read with, at the epoch of the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MapField {
    /// The field that the map was made with: Jensen and Cain 1960 for AP8MIN, GSFC 12/66 at 1970
    /// for AP8MAX (ECSS-E-ST-10-04C, I.1.3).
    #[default]
    Native,
    /// IGRF-14 at the map's epoch.
    Igrf,
}

impl MapField {
    /// The name in TOML and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Igrf => "igrf",
        }
    }

    /// What it is, for the reader of a result.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Native => "the field that the map was made with",
            Self::Igrf => "IGRF-14 at its own epoch",
        }
    }
}

/// AP8MIN, with the embedded table read once.
pub static AP8MIN: LazyLock<Map> = LazyLock::new(|| {
    Map::parse(include_str!("../../../fault-models/environments/ap8min.asc"))
        .expect("the embedded AP8MIN is well-formed")
});

/// AP8MAX, with the embedded table read once.
pub static AP8MAX: LazyLock<Map> = LazyLock::new(|| {
    Map::parse(include_str!("../../../fault-models/environments/ap8max.asc"))
        .expect("the embedded AP8MAX is well-formed")
});

/// The year whose field AP8MIN was made with, and must be read with (ECSS-E-ST-10-04C, I.1.3).
pub const EPOCH_MIN: f64 = 1960.0;
/// The year whose field AP8MAX was made with, and must be read with.
pub const EPOCH_MAX: f64 = 1970.0;
/// The highest energy of the maps, in MeV.
pub const TOP_MEV: f64 = 400.0;
/// How far the South Atlantic Anomaly drifts west in a year, in degrees: for maps on the screen
/// only, never for rates.
pub const DRIFT_DEG_PER_YEAR: f64 = 0.3;

/// One of the two maps with the field of its own epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// AP8MIN: solar minimum, when trapped protons in low orbits are most.
    Min,
    /// AP8MAX.
    Max,
}

impl Phase {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Min, Self::Max];

    /// The map.
    pub fn map(self) -> &'static Map {
        match self {
            Self::Min => &AP8MIN,
            Self::Max => &AP8MAX,
        }
    }

    /// The field that the map is read with.
    ///
    /// What counts as the equatorial field B0: with the fields that the maps were made with,
    /// McIlwain's 0.311653 / L³, as the maps were drawn. With the IGRF what agrees best with the
    /// fluxes that these fields give (`docs/validation.md`): for AP8MIN the least field along the
    /// line, for AP8MAX McIlwain's.
    pub fn field(self, field: MapField) -> &'static Field {
        static MIN: LazyLock<Field> = LazyLock::new(|| Field::jensen_cain_1960(Equator::McIlwain));
        static MAX: LazyLock<Field> =
            LazyLock::new(|| Field::gsfc_12_66(EPOCH_MAX, Equator::McIlwain));
        static IGRF_MIN: LazyLock<Field> = LazyLock::new(|| Field::at(EPOCH_MIN, Equator::Least));
        static IGRF_MAX: LazyLock<Field> =
            LazyLock::new(|| Field::at(EPOCH_MAX, Equator::McIlwain));
        match (field, self) {
            (MapField::Native, Self::Min) => &MIN,
            (MapField::Native, Self::Max) => &MAX,
            (MapField::Igrf, Self::Min) => &IGRF_MIN,
            (MapField::Igrf, Self::Max) => &IGRF_MAX,
        }
    }
}

/// Integral omnidirectional flux above one energy, in cm⁻² s⁻¹, at a place in field coordinates.
pub fn flux(phase: Phase, interpolation: Interpolation, shell: Shell, energy_mev: f64) -> f64 {
    phase.map().flux(interpolation, shell, energy_mev)
}
