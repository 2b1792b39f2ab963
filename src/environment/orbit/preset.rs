//! Orbits by name, from `fault-models/environments/orbits.toml`.

use super::{Error, Orbit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The data, as it is in the repository.
const TEXT: &str = include_str!("../../../fault-models/environments/orbits.toml");

static PRESETS: LazyLock<File> =
    LazyLock::new(|| toml::from_str(TEXT).expect("a test reads the embedded orbits"));

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "source")]
    _source: String,
    orbit: Vec<Preset>,
}

/// How well the numbers of a preset are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Read in the source itself.
    Verified,
    /// Read in a text that cites the source.
    #[serde(rename = "verified-2nd")]
    Verified2nd,
    /// Well known, and not looked up.
    Recalled,
    /// At least one number is a choice of this project.
    Assumed,
}

impl Mark {
    /// The name used in TOML and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Verified2nd => "verified-2nd",
            Self::Recalled => "recalled",
            Self::Assumed => "assumed",
        }
    }
}

/// The numbers that describe an orbit. Altitudes are above a sphere of 6371.2 km.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OrbitShape {
    /// See [`Orbit::circular`].
    Circular {
        /// Altitude in km.
        altitude_km: f64,
        /// Inclination in degrees.
        inclination_deg: f64,
    },
    /// See [`Orbit::elliptic`].
    Elliptic {
        /// Altitude of the perigee in km.
        perigee_km: f64,
        /// Altitude of the apogee in km.
        apogee_km: f64,
        /// Inclination in degrees.
        inclination_deg: f64,
        /// Argument of perigee in degrees.
        argument_of_perigee_deg: f64,
    },
    /// See [`Orbit::sun_synchronous`].
    SunSynchronous {
        /// Altitude in km.
        altitude_km: f64,
        /// Mean local solar time of the ascending node in hours.
        local_time_of_node_h: f64,
    },
    /// See [`Orbit::deep_space`].
    DeepSpace,
}

impl OrbitShape {
    /// The shape with its altitudes raised by some km, to the millimetre.
    #[must_use]
    pub const fn raised(mut self, by_km: f64) -> Self {
        match &mut self {
            Self::Circular { altitude_km, .. } | Self::SunSynchronous { altitude_km, .. } => {
                *altitude_km = ((*altitude_km + by_km) * 1e6).round() / 1e6;
            }
            Self::Elliptic { perigee_km, apogee_km, .. } => {
                *perigee_km = ((*perigee_km + by_km) * 1e6).round() / 1e6;
                *apogee_km = ((*apogee_km + by_km) * 1e6).round() / 1e6;
            }
            Self::DeepSpace => {}
        }
        self
    }

    /// The orbit of these numbers.
    ///
    /// # Errors
    /// [`Error::Value`] with the number that cannot be used.
    pub fn orbit(self) -> Result<Orbit, Error> {
        match self {
            Self::Circular { altitude_km, inclination_deg } => {
                Orbit::circular(altitude_km, inclination_deg)
            }
            Self::Elliptic { perigee_km, apogee_km, inclination_deg, argument_of_perigee_deg } => {
                Orbit::elliptic(perigee_km, apogee_km, inclination_deg, argument_of_perigee_deg)
            }
            Self::SunSynchronous { altitude_km, local_time_of_node_h } => {
                Orbit::sun_synchronous(altitude_km, local_time_of_node_h)
            }
            Self::DeepSpace => Ok(Orbit::deep_space()),
        }
    }
}

/// An orbit that has a name.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The name that a campaign uses.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Where the numbers come from.
    pub source: String,
    /// How well they are known.
    pub mark: Mark,
    /// The numbers.
    pub shape: OrbitShape,
}

/// All presets, in the order of the file.
pub(super) fn all() -> &'static [Preset] {
    &PRESETS.orbit
}
