//! Event rates: spectra × cross-sections, over time.
//!
//! [`Conditions`] say where, when and behind what; [`Timeline::new`] walks the orbit in steps and
//! folds the particles of each place with a device; [`Timeline::assessment`] sums it up, and
//! [`Timeline::arrivals`] draws events from it.

mod arrival;
pub mod assessment;
mod choice;
mod cosmic;
mod let_spectrum;
pub mod response;
mod timeline;
mod validity;

use crate::environment::cosmic::{Magnetosphere, W_MAX, W_MIN};
use crate::environment::epoch::Epoch;
use crate::environment::exchange::Import;
use crate::environment::orbit::Orbit;
use crate::environment::shield::Shield;
use crate::environment::solar::Scenario;
use crate::environment::trapped::Interpolation;
pub use arrival::{Arrival, ScheduledEvent};
pub use assessment::{Assessment, Band, ModeRate};
pub use choice::{AltitudeAbove, Environment, OrbitChoice, SolarPhase};
pub use let_spectrum::LetSpectrum;
pub use timeline::{Levels, ModeTimeline, Place, SAA_PER_CM2_S, THRESHOLDS_MEV, Timeline};
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
    /// How the magnetosphere is.
    pub magnetosphere: Magnetosphere,
    /// A solar particle event that lasts all the time.
    pub event: Scenario,
    /// A factor on all rates, fluxes behind the shield and doses that leave.
    pub design_margin: f64,
    /// Spectra made elsewhere, in place of beamline's own.
    pub given: Given,
}

/// Spectra made by other tools: means over an orbit, so that rates from them have no course in
/// time.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Trapped protons before the shield: (MeV, integral omnidirectional flux in cm⁻² s⁻¹). Where
    /// they hold the protons of cosmic rays too, beamline's own are left out.
    pub protons: Option<Import>,
    /// Ions behind the shield: (LET in MeV cm²/mg, omnidirectional differential flux in
    /// cm⁻² s⁻¹ (MeV cm²/mg)⁻¹).
    pub ions: Option<Import>,
}

impl Given {
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
    /// The orbit, or the track on it.
    #[error(transparent)]
    Orbit(#[from] crate::environment::orbit::Error),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] crate::place::Error),
    /// A value outside what can be meant.
    #[error("{quantity}: expected {expected}, found {found}")]
    Value {
        /// Which value.
        quantity: &'static str,
        /// What would have been right.
        expected: &'static str,
        /// What was given.
        found: String,
    },
}

impl Error {
    /// The key of `[environment]` that it is about, its parts joined by dots.
    pub fn key(&self) -> &'static str {
        use crate::environment::orbit;
        match self {
            Self::Value { quantity, .. } => match *quantity {
                "shielding" => "shielding_mm_al",
                "solar phase" => "solar",
                "modulation W" => "modulation_w",
                "design margin" => "design_margin",
                other => other,
            },
            Self::Orbit(orbit::Error::Value { quantity, .. }) => match *quantity {
                "step_s" | "days" => quantity,
                _ => "orbit",
            },
            Self::Orbit(_) => "orbit",
            Self::File(_) => "orbit.tle",
        }
    }
}

impl Conditions {
    /// Refuses values that cannot be meant.
    ///
    /// # Errors
    /// [`Error::Value`].
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |quantity, expected, found: f64| {
            Err(Error::Value { quantity, expected, found: found.to_string() })
        };
        if !(self.days > 0.0 && self.days.is_finite()) {
            return refuse("days", "a number above 0", self.days);
        }
        if !(self.step_s > 0.0 && self.step_s <= 60.0) {
            return refuse("step_s", "above 0 and at most 60", self.step_s);
        }
        if self.orbit.is_deep_space() && self.given.protons.is_some() {
            return Err(Error::Value {
                quantity: "trapped protons from a file",
                expected: "an orbit about the Earth",
                found: "deep space".to_owned(),
            });
        }
        let thickness = self.shield.thickness_mm;
        if !(0.0..=1000.0).contains(&thickness) {
            return refuse("shielding", "a thickness of 0 to 1000 mm of aluminium", thickness);
        }
        if !(0.0..=1.0).contains(&self.solar_phase) {
            return refuse(
                "solar phase",
                "min, max or a number from 0 (min) to 1 (max)",
                self.solar_phase,
            );
        }
        if let Some(w) = self.modulation_w.filter(|w| !(0.0..=200.0).contains(w)) {
            return refuse("modulation W", "0 to 200", w);
        }
        if !(self.design_margin > 0.0 && self.design_margin.is_finite()) {
            return refuse("design margin", "a number above 0", self.design_margin);
        }
        Ok(())
    }
}
