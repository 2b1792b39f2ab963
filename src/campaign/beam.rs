//! A simulated accelerator test: a device in a beam of one kind of particle.

use super::file::{DeviceChoice, Error as FileError};
use super::plan::Error;
use super::upsets::{Struck, UpsetRate, flips};
use crate::device::{Level, Mode as DeviceMode};
use crate::place::Place;
use crate::units::DAY_S;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a beam is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Particle {
    /// Protons of one energy.
    #[default]
    Proton,
    /// Ions of one LET.
    Ion,
}

impl Particle {
    /// The name used in TOML, HDF5 and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proton => "proton",
            Self::Ion => "ion",
        }
    }
}

/// A beam and how the test is run in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beam {
    /// What it is made of.
    pub particle: Particle,
    /// The energy of its protons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_mev: Option<f64>,
    /// The LET of its ions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub let_mev_cm2_per_mg: Option<f64>,
    /// Particles per cm² and second.
    pub flux_per_cm2_s: f64,
    /// Particles per cm² that each scheme is to receive while armed.
    pub fluence_per_cm2: f64,
    /// Seconds from a DUE or a hang to the next run.
    pub reset_time_s: f64,
    /// Seconds from an SDC to the next run.
    pub reload_time_s: f64,
    /// The relative error of the fluence, one standard deviation.
    pub dosimetry_error: f64,
}

/// The energy of a proton beam that names none, in MeV.
pub(super) const ENERGY_MEV: f64 = 67.0;

impl Beam {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self, place: &Place) -> Result<(), FileError> {
        let refuse = |key: &str, expected: &str, found: String| {
            Err(place.value(&["faults", key], expected, found))
        };
        match (self.particle, self.energy_mev, self.let_mev_cm2_per_mg) {
            (Particle::Ion, _, None) => {
                let expected = "`let_mev_cm2_per_mg` in [faults] of a beam of ions";
                return refuse("particle", expected, "none".into());
            }
            (Particle::Ion, Some(_), _) => {
                let expected = "no energy_mev: ions are told apart by their LET";
                return refuse("energy_mev", expected, "one".into());
            }
            (Particle::Proton, _, Some(_)) => {
                let expected = "no let_mev_cm2_per_mg: protons are told apart by their energy";
                return refuse("let_mev_cm2_per_mg", expected, "one".into());
            }
            _ => {}
        }
        let above_zero = [
            ("energy_mev", self.energy_mev),
            ("let_mev_cm2_per_mg", self.let_mev_cm2_per_mg),
            ("flux_per_cm2_s", Some(self.flux_per_cm2_s)),
            ("fluence_per_cm2", Some(self.fluence_per_cm2)),
        ];
        for (key, value) in above_zero {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
                return refuse(key, "a number above 0", value.to_string());
            }
        }
        for (key, seconds) in
            [("reset_time_s", self.reset_time_s), ("reload_time_s", self.reload_time_s)]
        {
            if !(seconds.is_finite() && seconds >= 0.0) {
                return refuse(key, "seconds of 0 or more", seconds.to_string());
            }
        }
        if !(0.0..1.0).contains(&self.dosimetry_error) {
            let expected = "a relative error from 0 to below 1";
            return refuse("dosimetry_error", expected, self.dosimetry_error.to_string());
        }
        Ok(())
    }

    /// What it is, in words.
    pub fn describe(&self) -> String {
        match (self.energy_mev, self.let_mev_cm2_per_mg) {
            (Some(energy), _) => format!("protons of {energy} MeV"),
            (_, Some(let_)) => format!("ions of {let_} MeV cm²/mg"),
            _ => self.particle.name().to_owned(),
        }
    }

    /// The cross-section of a mode in this beam, in cm²; `None` without data.
    fn cm2(&self, mode: &DeviceMode, level: Level) -> Option<f64> {
        match (self.particle, self.energy_mev, self.let_mev_cm2_per_mg) {
            (Particle::Proton, Some(energy), _) if mode.has_proton() => {
                Some(mode.proton_cm2(energy, level))
            }
            (Particle::Ion, _, Some(let_)) => mode.ion_normal_cm2(let_, level),
            _ => None,
        }
    }

    /// The rate of upsets in this beam.
    pub(super) fn rate(&self, choice: &DeviceChoice, folder: &Path) -> Result<UpsetRate, Error> {
        let mut struck = Struck::load(choice, folder)?;
        let has = |mode: &DeviceMode| match self.particle {
            Particle::Proton => mode.has_proton(),
            Particle::Ion => mode.has_ion(),
        };
        let particle = self.particle.name();
        let lacking = struck.modes().find(|mode| !has(mode)).map(|mode| mode.name.clone());
        if let Some(mode) = lacking.filter(|_| choice.device_modes.is_some()) {
            let expected = format!("modes of {} with {particle} data", struck.device.name);
            return Err(Error::value("faults.device_modes", expected, format!("\"{mode}\"")));
        }
        let device = struck.device.clone();
        struck.modes.retain(|mode| has(&device.modes[*mode]));
        if struck.modes.is_empty() {
            let expected = format!("a device with {particle} data for its bits");
            return Err(Error::value("faults.device", expected, device.name));
        }
        let cm2 = |level: Level| -> f64 {
            struck.modes().map(|mode| flips(mode) * self.cm2(mode, level).unwrap_or(0.0)).sum()
        };
        let [low, here, high] = [Level::Low, choice.level, Level::High].map(cm2);
        let directions = match self.particle {
            Particle::Proton => "",
            Particle::Ion => ", at normal incidence",
        };
        let source = format!(
            "simulated beam: {} at {:.3e} per cm² and second; {}; flipped bits, each a fault of one \
             bit, at level {} {here:.3e} cm² a bit (band {low:.3e} to {high:.3e}){directions}; \
             device: {}",
            self.describe(),
            self.flux_per_cm2_s,
            struck.describe(),
            choice.level.name(),
            device.source,
        );
        Ok(UpsetRate {
            upsets_per_bit_day: here * self.flux_per_cm2_s * DAY_S,
            source,
            course: None,
            not_injected: struck.not_injected(has, |_| None),
            assumptions: struck.assumptions(
                choice.level,
                [low, here, high],
                "cm²/bit",
                "flipped bits: cross-sections of the modes in this beam",
            ),
        })
    }
}
