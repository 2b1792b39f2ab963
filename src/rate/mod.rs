//! Event rates: spectra × cross-sections, over time.
//!
//! [`Conditions`] say where, when and behind what; [`Timeline::new`] walks the orbit in steps and
//! folds the particles of each place with a device; [`Timeline::assessment`] sums it up, and
//! [`Timeline::arrivals`] draws events from it.

mod arrival;
pub mod assessment;
mod choice;
mod cosmic;
mod ground;
mod let_spectrum;
pub mod response;
mod timeline;
mod validity;

use crate::environment::cosmic::{W_MAX, W_MIN};
use crate::environment::cutoff::{Magnetosphere, Model as CutoffModel};
use crate::environment::epoch::Epoch;
use crate::environment::exchange::Import;
use crate::environment::orbit::{self, Orbit};
use crate::environment::shield::Shield;
use crate::environment::solar::Scenario;
use crate::environment::trapped::{Interpolation, MapField};
pub use arrival::{Arrival, ScheduledEvent};
pub use assessment::{Assessment, Band, ModeRate};
pub use choice::{AltitudeAbove, Environment, OrbitChoice, SatelliteName, SolarPhase};
pub use ground::GroundGrid;
pub use let_spectrum::LetSpectrum;
pub use timeline::{Levels, ModeTimeline, SAA_PER_CM2_S, THRESHOLDS_MEV, Timeline, TrackPoint};
pub use validity::DOSE_LABEL;

/// Where, when and behind what.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The orbit.
    pub orbit: Orbit,
    /// When it begins.
    pub start: Epoch,
    /// How long it is followed, in days.
    pub days: f64,
    /// Seconds between places, at most 60.
    pub step_s: f64,
    /// Phase of the solar cycle: 0 is minimum, 1 is maximum.
    pub solar_phase: f64,
    /// The modulation W of cosmic rays, where it does not follow the phase.
    pub modulation_w: Option<f64>,
    /// The shield.
    pub shield: Shield,
    /// How the maps of trapped protons are read.
    pub interpolation: Interpolation,
    /// Which field the maps are read with.
    pub map_field: MapField,
    /// How geomagnetic cutoffs are found.
    pub cutoff: CutoffModel,
    /// How the magnetosphere is.
    pub magnetosphere: Magnetosphere,
    /// A solar particle event that lasts all the time.
    pub event: Scenario,
    /// A factor on all rates, fluxes behind the shield and doses that leave.
    pub design_margin: f64,
    /// Spectra made elsewhere, in place of beamline's own.
    pub given: GivenSpectra,
}

/// Spectra made by other tools: means over an orbit, so that rates from them have no course in
/// time.
#[derive(Clone, Debug, Default)]
pub struct GivenSpectra {
    /// Trapped protons before the shield: (MeV, integral omnidirectional flux in cm⁻² s⁻¹). Where
    /// they hold the protons of cosmic rays too, beamline's own are left out.
    pub protons: Option<Import>,
    /// Ions behind the shield: (LET in MeV cm²/mg, omnidirectional differential flux in
    /// cm⁻² s⁻¹ (MeV cm²/mg)⁻¹).
    pub ions: Option<Import>,
}

impl GivenSpectra {
    /// Whether a file holds the protons of cosmic rays, so that they must not be added.
    fn has_cosmic_protons(&self) -> bool {
        self.protons.as_ref().is_some_and(Import::has_cosmic)
    }
}

impl Conditions {
    /// The modulation W of cosmic rays: as given, or linear in the phase of the solar cycle.
    pub fn w(&self) -> f64 {
        self.modulation_w.unwrap_or(W_MIN + (W_MAX - W_MIN) * self.solar_phase)
    }
}

/// What cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value outside what can be meant, or what follows from it.
    #[error("{key}: expected {expected}, found {found}")]
    Value {
        /// Its key in `[environment]`, or a number of its orbit.
        key: &'static str,
        /// What would have been right.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] crate::place::Error),
    /// A spectrum of another tool that cannot be used.
    #[error("{error}")]
    Spectrum {
        /// Its key in `[environment]`.
        key: &'static str,
        /// What is wrong with it.
        error: crate::place::Error,
    },
}

impl From<orbit::Error> for Error {
    fn from(error: orbit::Error) -> Self {
        match error {
            orbit::Error::Value { quantity, expected, found } => {
                Self::Value { key: quantity, expected, found }
            }
            orbit::Error::File(error) => Self::File(error),
        }
    }
}

impl Error {
    /// The key of `[environment]` that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Value { key, .. } if KEYS.contains(key) => key,
            Self::Spectrum { key, .. } => key,
            _ => "orbit",
        }
    }
}

/// The keys of `[environment]` that an error can name.
const KEYS: [&str; 7] =
    ["start", "days", "step_s", "shielding_mm_al", "solar", "modulation_w", "design_margin"];

/// The smallest and the largest factor that a design margin can be: beyond them it is none.
const MARGINS: std::ops::RangeInclusive<f64> = 1e-3..=1e3;

impl Conditions {
    /// Refuses values that cannot be meant.
    ///
    /// # Errors
    /// [`Error::Value`].
    pub fn check(&self) -> Result<(), Error> {
        self.orbit.places(self.days, self.step_s)?;
        let thickness = self.shield.thickness_mm;
        let w = self.modulation_w.unwrap_or(0.0);
        let numbers = [
            (
                "shielding_mm_al",
                "a shielding of 0 to 1000 mm of aluminium",
                thickness,
                (0.0..=1000.0).contains(&thickness),
            ),
            (
                "solar",
                "min, max or a number from 0 (min) to 1 (max)",
                self.solar_phase,
                (0.0..=1.0).contains(&self.solar_phase),
            ),
            ("modulation_w", "0 to 200", w, (0.0..=200.0).contains(&w)),
            (
                "design_margin",
                "a factor from 0.001 to 1000",
                self.design_margin,
                MARGINS.contains(&self.design_margin),
            ),
        ];
        if let Some(&(key, expected, found, _)) = numbers.iter().find(|(.., fits)| !fits) {
            let (expected, found) = (expected.to_owned(), found.to_string());
            return Err(Error::Value { key, expected, found });
        }
        if self.orbit.is_deep_space() && self.given.protons.is_some() {
            return Err(Error::Value {
                key: "orbit",
                expected: "an orbit about the Earth, whose trapped protons a file gives".to_owned(),
                found: "deep space".to_owned(),
            });
        }
        Ok(())
    }
}
