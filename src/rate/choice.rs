//! How a user names an environment: the table `[environment]` of a campaign, and the flags of
//! `beamline orbit`.

use super::{Conditions, Error, GivenSpectra};
use crate::environment::cutoff::{Magnetosphere, Model as CutoffModel};
use crate::environment::epoch::Epoch;
use crate::environment::exchange::{self, SpectrumChoice};
use crate::environment::orbit::{self, Orbit, OrbitShape};
use crate::environment::shield::{Geometry, Shield};
use crate::environment::solar::Scenario;
use crate::environment::trapped::{Interpolation, MapField};
use crate::place;
use crate::units::{EARTH_RADIUS_KM, EQUATOR_KM};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Bytes of a file of elements, at most: one of all satellites has some ten million.
const ELEMENTS_BYTES_MAX: u64 = 1 << 26;

/// An environment as a user names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The orbit.
    pub orbit: OrbitChoice,
    /// What the altitudes of a shape are counted from.
    #[serde(default)]
    pub altitude_above: AltitudeAbove,
    /// Aluminium around the device, in millimetres.
    #[serde(default = "ten")]
    pub shielding_mm_al: f64,
    /// Its shape.
    #[serde(default)]
    pub geometry: Geometry,
    /// Phase of the solar cycle.
    #[serde(default)]
    pub solar: SolarPhase,
    /// A solar particle event that lasts all the time.
    #[serde(default)]
    pub event: Scenario,
    /// When the track begins, as a date or a date and time in UTC; the epoch of the elements
    /// or 2026-01-01 where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Days that the orbit is followed.
    #[serde(default = "ten")]
    pub days: f64,
    /// Seconds between places.
    #[serde(default = "sixty")]
    pub step_s: f64,
    /// How the maps of trapped protons are read.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// Which field the maps of trapped protons are read with.
    #[serde(default)]
    pub map_field: MapField,
    /// How geomagnetic cutoffs are found.
    #[serde(default)]
    pub cutoff: CutoffModel,
    /// How the magnetosphere is.
    #[serde(default)]
    pub magnetosphere: Magnetosphere,
    /// The modulation W of cosmic rays, in place of that of the phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulation_w: Option<f64>,
    /// A factor on all that leaves.
    #[serde(default = "one")]
    pub design_margin: f64,
    /// Trapped protons of another tool in place of the maps; the file is relative to that which
    /// names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proton_spectrum: Option<SpectrumChoice>,
    /// Ions by LET of another tool in place of cosmic ions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub let_spectrum: Option<SpectrumChoice>,
}

const fn ten() -> f64 {
    10.0
}

const fn sixty() -> f64 {
    60.0
}

const fn one() -> f64 {
    1.0
}

/// An orbit: the name of a preset, a satellite of a file of elements, or a shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected the name of a preset, { elements = \"FILE\" }, or a shape such as \
                 { kind = \"circular\", altitude_km = 650, inclination_deg = 98 }"
)]
#[schemars(transform = earlier_keys)]
pub enum OrbitChoice {
    /// The name of a preset.
    Preset(String),
    /// `{ elements = "FILE", satellite = "NAME" }`: two-line elements or orbit mean-elements
    /// messages. Earlier files call the first key `tle`.
    Elements {
        /// The file, relative to the file that names it.
        #[serde(alias = "tle", alias = "omm")]
        elements: PathBuf,
        /// Which satellite of the file, by name or catalogue number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        satellite: Option<SatelliteName>,
    },
    /// A shape: `{ kind = "circular", altitude_km = 650, inclination_deg = 98 }` and so on.
    Shape(OrbitShape),
}

/// Gives a JSON Schema of [`OrbitChoice`] the keys that earlier files have in place of `elements`.
fn earlier_keys(schema: &mut schemars::Schema) {
    let Some(forms) = schema.get_mut("anyOf").and_then(Value::as_array_mut) else { return };
    let known = forms.iter().find(|form| form.pointer("/properties/elements").is_some()).cloned();
    let Some(elements) = known else { return };
    for key in ["tle", "omm"] {
        let mut form = elements.clone();
        if let Some(fields) = form["properties"].as_object_mut()
            && let Some(field) = fields.remove("elements")
        {
            fields.insert(key.into(), field);
        }
        form["required"] = [key].as_slice().into();
        forms.push(form);
    }
}

/// The name or the catalogue number of a satellite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SatelliteName {
    /// Its catalogue number.
    Number(u64),
    /// Its name, or its number as text.
    Text(String),
}

impl std::fmt::Display for SatelliteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What altitudes are counted from: the choice moves fluxes in low orbits by 3 to 4 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AltitudeAbove {
    /// The sphere of 6371.2 km, as in SPENVIS.
    #[default]
    Sphere,
    /// The Earth's radius at the equator, 6378.137 km, as in CREME96.
    Equator,
}

impl AltitudeAbove {
    /// The name used in TOML and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sphere => "sphere",
            Self::Equator => "equator",
        }
    }

    /// What to add to an altitude to count it from the sphere, in km.
    const fn offset_km(self) -> f64 {
        match self {
            Self::Sphere => 0.0,
            Self::Equator => EQUATOR_KM - EARTH_RADIUS_KM,
        }
    }

    /// The orbit of a shape whose altitudes are counted from here; a refusal says how they are
    /// counted.
    fn orbit(self, shape: OrbitShape) -> Result<Orbit, orbit::Error> {
        let offset_km = self.offset_km();
        shape.raised(offset_km).orbit().map_err(|error| match error {
            orbit::Error::Value { quantity, expected, found }
                if offset_km != 0.0 && quantity.ends_with("_km") =>
            {
                let counted = format!(
                    "{expected}, above the sphere of {EARTH_RADIUS_KM} km: {offset_km:.3} km more \
                     than above the equator"
                );
                orbit::Error::Value { quantity, expected: counted, found }
            }
            error => error,
        })
    }
}

/// Phase of the solar cycle: `min`, `max`, or a number from 0 (minimum) to 1 (maximum).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "PhaseText", into = "f64")]
pub struct SolarPhase(pub f64);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum PhaseText {
    Number(f64),
    Text(String),
}

impl From<SolarPhase> for f64 {
    fn from(phase: SolarPhase) -> Self {
        phase.0
    }
}

impl TryFrom<PhaseText> for SolarPhase {
    type Error = String;

    fn try_from(text: PhaseText) -> Result<Self, String> {
        match text {
            PhaseText::Number(phase) => Self::checked(phase),
            PhaseText::Text(text) => text.parse(),
        }
    }
}

impl std::str::FromStr for SolarPhase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "min" => Ok(Self(0.0)),
            "max" => Ok(Self(1.0)),
            text => match text.parse() {
                Ok(phase) => Self::checked(phase),
                Err(_) => Err(expected(text)),
            },
        }
    }
}

impl SolarPhase {
    fn checked(phase: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&phase) {
            Ok(Self(phase))
        } else {
            Err(expected(&phase.to_string()))
        }
    }
}

fn expected(found: &str) -> String {
    format!("expected min, max or a phase from 0 (minimum) to 1 (maximum), found {found}")
}

impl Environment {
    /// The environment of an orbit at solar minimum behind a sphere of 10 mm of aluminium.
    pub fn new(orbit: OrbitChoice) -> Self {
        Self {
            orbit,
            altitude_above: AltitudeAbove::default(),
            shielding_mm_al: ten(),
            geometry: Geometry::default(),
            solar: SolarPhase::default(),
            event: Scenario::None,
            start: None,
            days: ten(),
            step_s: sixty(),
            interpolation: Interpolation::default(),
            map_field: MapField::default(),
            cutoff: CutoffModel::default(),
            magnetosphere: Magnetosphere::default(),
            modulation_w: None,
            design_margin: one(),
            proton_spectrum: None,
            let_spectrum: None,
        }
    }

    /// The conditions; files are relative to `folder`.
    ///
    /// # Errors
    /// An orbit that does not exist, a file that cannot be read, a date that is none.
    pub fn conditions(&self, folder: &Path) -> Result<Conditions, Error> {
        let orbit = match &self.orbit {
            OrbitChoice::Preset(name) => Orbit::preset(name)?,
            OrbitChoice::Elements { elements, satellite } => {
                let path = folder.join(elements);
                let text = place::read_text(&path, "a text of elements", ELEMENTS_BYTES_MAX)?;
                let satellite = satellite.as_ref().map(ToString::to_string);
                Orbit::of_elements(&path, &text, satellite.as_deref())?
            }
            OrbitChoice::Shape(shape) => self.altitude_above.orbit(*shape)?,
        };
        let start = match &self.start {
            Some(text) => text.parse::<Epoch>().map_err(|error| Error::Value {
                key: "start",
                expected: error.expected,
                found: format!("{:?}", error.found),
            })?,
            None => orbit.default_start(),
        };
        let conditions = Conditions {
            start,
            days: self.days,
            step_s: self.step_s,
            solar_phase: self.solar.0,
            modulation_w: self.modulation_w,
            shield: Shield { thickness_mm: self.shielding_mm_al, geometry: self.geometry },
            interpolation: self.interpolation,
            map_field: self.map_field,
            cutoff: self.cutoff,
            magnetosphere: self.magnetosphere,
            event: self.event,
            design_margin: self.design_margin,
            given: self.given(folder)?,
            orbit,
        };
        conditions.check()?;
        Ok(conditions)
    }

    fn given(&self, folder: &Path) -> Result<GivenSpectra, Error> {
        let protons = self.proton_spectrum.as_ref();
        let protons = protons.map(|named| exchange::protons(&folder.join(&named.file), &named.is));
        let shield = self.shielding_mm_al;
        let ions = self.let_spectrum.as_ref();
        let ions = ions.map(|named| exchange::ions(&folder.join(&named.file), &named.is, shield));
        let of = |key: &'static str| move |error| Error::Spectrum { key, error };
        Ok(GivenSpectra {
            protons: protons.transpose().map_err(of("proton_spectrum"))?,
            ions: ions.transpose().map_err(of("let_spectrum"))?,
        })
    }
}
