//! How often upsets strike: as a campaign gives it, or as a device suffers them on an orbit.

use super::error::Error;
use super::faults::{CourseChoice, DeviceChoice, RateChoice};
use super::struck::{NotInjected, Struck, flips};
use crate::device::Assumption;
use crate::rate::{self, Assessment, Environment, Timeline};
use crate::units::DAY_S;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The unit of rates of upsets.
const PER_BIT_DAY: &str = "1/(bit·day)";

/// How often upsets strike, and what of a device does not come as upsets.
#[derive(Clone, Debug, PartialEq)]
pub struct UpsetRate {
    /// Upsets per bit and day, before acceleration; the mean over time.
    pub upsets_per_bit_day: f64,
    /// Where the rate comes from.
    pub source: String,
    /// How it follows the orbit.
    pub course: Option<Relative>,
    /// The modes of the device that are not in it.
    pub not_injected: Vec<NotInjected>,
    /// The figures that it rests on.
    pub assumptions: Vec<Assumption>,
}

/// A rate along a track, relative to its mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relative {
    /// One a step. Archives keep them in a table of their own.
    #[serde(skip)]
    pub rates: Vec<f32>,
    /// Seconds of a step.
    pub step_s: f64,
}

impl Relative {
    /// The highest of them.
    pub fn peak(&self) -> f64 {
        f64::from(self.rates.iter().copied().fold(0.0, f32::max))
    }
}

/// How often upsets strike: as given, or derived. Files are relative to `folder`.
pub(super) fn rate(
    rate: &RateChoice,
    environment: Option<&Environment>,
    folder: &Path,
) -> Result<UpsetRate, Error> {
    match (rate, environment) {
        (RateChoice::Given { upsets_per_bit_day, rate_source }, _) => Ok(UpsetRate {
            upsets_per_bit_day: *upsets_per_bit_day,
            source: rate_source.clone(),
            course: None,
            not_injected: Vec::new(),
            assumptions: vec![Assumption::stated(
                "upsets",
                "rate",
                *upsets_per_bit_day,
                PER_BIT_DAY,
                rate_source,
            )],
        }),
        (RateChoice::Device { device, course }, Some(environment)) => {
            on_orbit(device, *course, environment, folder)
        }
        (RateChoice::Device { .. }, None) => {
            Err(Error::value("faults.device", "[environment]", "none"))
        }
    }
}

fn on_orbit(
    choice: &DeviceChoice,
    course: CourseChoice,
    environment: &Environment,
    folder: &Path,
) -> Result<UpsetRate, Error> {
    let struck = Struck::load(choice, folder)?;
    let conditions = environment.conditions(folder).map_err(refused)?;
    conditions.check_mean().map_err(refused)?;
    let timeline = Timeline::new(conditions, Some(struck.device.clone())).map_err(refused)?;
    let bits_per_s = |place: usize, level: usize| -> f64 {
        let of = |mode: &usize| {
            flips(&timeline.modes[*mode].mode) * timeline.modes[*mode].rate(place, level)
        };
        struck.modes.iter().map(of).sum()
    };
    let places = timeline.places.len();
    let mean = |level: usize| {
        (0..places).map(|place| bits_per_s(place, level)).sum::<f64>() / places as f64
    };
    let level = choice.level.index();
    let nominal = mean(level);
    let follows = course == CourseChoice::Orbit && places > 1 && nominal > 0.0;
    let course = follows.then(|| Relative {
        rates: (0..places).map(|place| narrow(bits_per_s(place, level) / nominal)).collect(),
        step_s: timeline.step_s(),
    });
    let assessment = timeline.assessment(1.0);
    let band = [mean(0) * DAY_S, nominal * DAY_S, mean(2) * DAY_S];
    let source = source(&struck, choice, &assessment, band, course.as_ref());
    let origin = "flipped bits: cross-sections folded with the spectra of this orbit";
    Ok(UpsetRate {
        upsets_per_bit_day: nominal * DAY_S,
        source,
        course,
        not_injected: struck.not_injected(|_| true, |mode| assessment.rates[mode].per_device_day),
        assumptions: struck.assumptions(choice.level, band, PER_BIT_DAY, origin),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a ratio to the mean, to 7 digits")]
const fn narrow(ratio: f64) -> f32 {
    ratio as f32
}

/// Where a derived rate comes from, in words.
fn source(
    struck: &Struck,
    choice: &DeviceChoice,
    assessment: &Assessment,
    [low, here, high]: [f64; 3],
    course: Option<&Relative>,
) -> String {
    let setting = &assessment.setting;
    let follows = course.map_or_else(
        || "taken as constant at its mean".to_owned(),
        |course| {
            format!(
                "followed along the track from a place that each trial draws, its peak {:.0} \
                 times the mean",
                course.peak()
            )
        },
    );
    let mut text = format!(
        "derived: {}; flipped bits per bit-day, each a fault of one bit, at level {} {here:.3e} \
         (band {low:.3e} to {high:.3e}); {} behind {} mm of aluminium ({}), solar phase {} ({}), \
         event {}, over {} days from {}, {follows}; models: {}; {}; device: {}",
        struck.describe(),
        choice.level.name(),
        setting.orbit,
        setting.shielding_mm_al,
        setting.shielding_geometry,
        setting.solar_phase,
        setting.solar_meaning,
        setting.event,
        setting.days,
        setting.start,
        assessment.trapped_protons.model,
        assessment.gcr.model,
        struck.device.source,
    );
    if setting.design_margin != 1.0 {
        text.push_str(&format!("; times a design margin of {}", setting.design_margin));
    }
    for warning in &assessment.warnings {
        text.push_str(&format!("; {warning}"));
    }
    text
}

/// What an environment cannot be, at its key.
fn refused(error: rate::Error) -> Error {
    Error::said(&format!("environment.{}", error.key()), error)
}
