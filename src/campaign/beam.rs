//! The rate of upsets of a device in a simulated beam of one kind of particle.

use super::error::Error;
use super::faults::{Beam, DeviceChoice, Particle};
use super::struck::{Struck, flips};
use super::upsets::UpsetRate;
use crate::device::{Level, Mode as DeviceMode};
use crate::units::DAY_S;
use std::path::Path;

impl Beam {
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
}

/// The rate of upsets of a device in a beam.
pub(super) fn rate(beam: &Beam, choice: &DeviceChoice, folder: &Path) -> Result<UpsetRate, Error> {
    let mut struck = Struck::load(choice, folder)?;
    let has = |mode: &DeviceMode| match beam.particle {
        Particle::Proton => mode.has_proton(),
        Particle::Ion => mode.has_ion(),
    };
    let particle = beam.particle.name();
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
        struck.modes().map(|mode| flips(mode) * beam.cm2(mode, level).unwrap_or(0.0)).sum()
    };
    let [low, here, high] = [Level::Low, choice.level, Level::High].map(cm2);
    let directions = match beam.particle {
        Particle::Proton => "",
        Particle::Ion => ", at normal incidence",
    };
    let source = format!(
        "simulated beam: {} at {:.3e} per cm² and second; {}; flipped bits, each a fault of one \
         bit, at level {} {here:.3e} cm² a bit (band {low:.3e} to {high:.3e}){directions}; \
         device: {}",
        beam.describe(),
        beam.flux_per_cm2_s,
        struck.describe(),
        choice.level.name(),
        device.source,
    );
    Ok(UpsetRate {
        upsets_per_bit_day: here * beam.flux_per_cm2_s * DAY_S,
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
