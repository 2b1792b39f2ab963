//! How often upsets strike: as a campaign gives it, or as a device suffers them on an orbit.

use super::file::{Campaign, CourseChoice, DeviceChoice, Mode, RateChoice};
use super::plan::Error;
use crate::device::{Assumption, Device, Kind, Level, Mark, Mode as DeviceMode, ObservedAt};
use crate::rate::{self, Assessment, Band, Environment, Timeline};
use crate::units::DAY_S;
use serde::Serialize;
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
#[derive(Clone, Debug, PartialEq)]
pub struct Relative {
    /// One a step.
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

/// A mode of a device that a campaign does not inject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotInjected {
    /// The mode.
    pub mode: String,
    /// What an event does.
    pub kind: String,
    /// Where the events were counted.
    pub observed_at: String,
    /// Why it is not injected.
    pub reason: String,
    /// Events a day of the device; none in a beam.
    pub per_device_day: Option<Band>,
    /// Where its cross-section comes from.
    pub source: String,
}

impl UpsetRate {
    /// The rate of a campaign; `None` where its mode has none. Files are relative to `folder`.
    pub(super) fn of(campaign: &Campaign, folder: &Path) -> Result<Option<Self>, Error> {
        if let Mode::Beam { device, beam, .. } = &campaign.faults {
            return beam.rate(device, folder).map(Some);
        }
        let Mode::Accumulation { rate, .. } = &campaign.faults else { return Ok(None) };
        match (rate, &campaign.environment) {
            (RateChoice::Given { upsets_per_bit_day, rate_source }, _) => Ok(Some(Self {
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
            })),
            (RateChoice::Device { device, course }, Some(environment)) => {
                on_orbit(device, *course, environment, folder).map(Some)
            }
            (RateChoice::Device { .. }, None) => {
                Err(Error::value("faults.device", "[environment]", "none"))
            }
        }
    }
}

/// A device with the modes that strike, as places among its modes.
pub(super) struct Struck {
    pub(super) device: Device,
    pub(super) modes: Vec<usize>,
}

impl Struck {
    /// The device of a campaign, from what is built in or from `folder`.
    pub(super) fn load(choice: &DeviceChoice, folder: &Path) -> Result<Self, Error> {
        let name = choice.device.as_str();
        let is_path = name.ends_with(".toml") || Path::new(name).components().count() > 1;
        let at = if is_path && !Device::names().contains(&name) {
            folder.join(name).to_string_lossy().into_owned()
        } else {
            name.to_owned()
        };
        let (device, _) = Device::load(&at).map_err(|error| Error::said("faults.device", error))?;
        let modes = match &choice.device_modes {
            Some(names) => named(&device, names)?,
            None => usual(&device)?,
        };
        Ok(Self { device, modes })
    }

    /// The modes that strike.
    pub(super) fn modes(&self) -> impl Iterator<Item = &DeviceMode> {
        self.modes.iter().map(|mode| &self.device.modes[*mode])
    }

    /// The modes that do not, each with the reason; `has_data` where the environment can cause one.
    fn others(
        &self,
        has_data: impl Fn(&DeviceMode) -> bool,
    ) -> impl Iterator<Item = (usize, &DeviceMode, &'static str)> {
        let others = self.device.modes.iter().enumerate();
        let others = others.filter(|(index, _)| !self.modes.contains(index));
        let raw = self.modes().any(|mode| mode.observed_at == ObservedAt::Raw);
        others.map(move |(index, mode)| {
            let reason = match mode.observed_at {
                ObservedAt::AfterWorkload => "enter after the workload",
                _ if mode.kind == Kind::StuckBit => "stuck bits are not injected",
                _ if !strikes_memory(mode) => "strikes no memory bits",
                _ if !has_data(mode) => "no data for this particle",
                ObservedAt::AfterEcc if raw => "part of the raw events, seen behind the ECC",
                _ => "not chosen",
            };
            (index, mode, reason)
        })
    }

    /// The figures behind a rate of all modes together: low, as used, high.
    pub(super) fn assumptions(
        &self,
        level: Level,
        rate: [f64; 3],
        unit: &str,
        source: &str,
    ) -> Vec<Assumption> {
        let name = &self.device.name;
        let weakest = self.modes().flat_map(DeviceMode::figures).map(|(_, figure)| figure.mark);
        let mark = weakest.fold(Mark::Derived, Mark::max);
        let mut all = vec![Assumption {
            subject: name.clone(),
            figure: "rate".into(),
            values: rate,
            unit: unit.into(),
            mark: mark.name().into(),
            source: source.into(),
        }];
        let of = |mode| Assumption::of_mode(name, mode, level, mode.pattern.as_ref());
        all.extend(self.modes().flat_map(of));
        Assumption::once(all)
    }

    /// What the modes are, in words, with their sources.
    pub(super) fn describe(&self) -> String {
        let words = self.modes().map(|mode| {
            let flips = mode.flips_per_event().map_or_else(
                || "counted as 1 bit an event, as nobody says how many".to_owned(),
                |flips| format!("{flips:.3} bits an event"),
            );
            format!("mode {} ({}, {flips}; {})", mode.name, mode.observed_at.name(), mode.source)
        });
        let words: Vec<String> = words.collect();
        let words = words.join("; ");
        format!("device {} ({}): {words}; {CORRECTION}", self.device.name, self.device.title)
    }

    /// What is not injected; `has_data` says whether a mode has data for the particles, `rates`
    /// gives its events a day of the device.
    pub(super) fn not_injected(
        &self,
        has_data: impl Fn(&DeviceMode) -> bool,
        rates: impl Fn(usize) -> Option<Band>,
    ) -> Vec<NotInjected> {
        let row = |(index, mode, reason): (usize, &DeviceMode, &str)| NotInjected {
            mode: mode.name.clone(),
            kind: mode.kind.name().to_owned(),
            observed_at: mode.observed_at.name().to_owned(),
            reason: reason.to_owned(),
            per_device_day: rates(index),
            source: mode.source.clone(),
        };
        self.others(has_data).map(row).collect()
    }
}

/// What becomes of the device's own error correction, for the source of a rate.
const CORRECTION: &str = "raw modes are injected as if the memory had no ECC of its own, after-ecc \
                          events unannounced";

/// The bits that an event flips: each is one fault.
pub(super) fn flips(mode: &DeviceMode) -> f64 {
    mode.flips_per_event().unwrap_or(1.0)
}

fn strikes_memory(mode: &DeviceMode) -> bool {
    mode.per.is_bit()
        && mode.kind.changes_bits()
        && mode.kind != Kind::StuckBit
        && mode.observed_at != ObservedAt::AfterWorkload
}

/// The modes in the cells, or else those behind the ECC: both would count the same events twice.
fn usual(device: &Device) -> Result<Vec<usize>, Error> {
    for observed in [ObservedAt::Raw, ObservedAt::AfterEcc] {
        let modes = device.modes.iter().enumerate();
        let modes = modes.filter(|(_, m)| strikes_memory(m) && m.observed_at == observed);
        let modes: Vec<usize> = modes.map(|(index, _)| index).collect();
        if !modes.is_empty() {
            return Ok(modes);
        }
    }
    let expected = "a device with a mode per bit that flips bits of memory";
    let found = device.modes.iter().map(words).collect::<Vec<_>>().join(", ");
    Err(Error::value("faults.device", expected, format!("{} with {found}", device.name)))
}

fn words(mode: &DeviceMode) -> String {
    let (kind, per, at) = (mode.kind.name(), mode.per.name(), mode.observed_at.name());
    format!("\"{}\" ({kind} per {per}, {at})", mode.name)
}

fn named(device: &Device, names: &[String]) -> Result<Vec<usize>, Error> {
    let mut modes = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let key = format!("faults.device_modes.{at}");
        let Some(index) = device.modes.iter().position(|mode| mode.name == *name) else {
            let known: Vec<&str> = device.modes.iter().map(|mode| mode.name.as_str()).collect();
            let expected = format!("modes of device {} among {}", device.name, known.join(", "));
            let meant = crate::words::meant(name, known);
            return Err(Error::value(&key, expected, format!("\"{name}\"{meant}")));
        };
        let mode = &device.modes[index];
        if mode.observed_at == ObservedAt::AfterWorkload {
            let expected = "modes that strike memory: one observed after-workload is an outcome \
                            already, and enters after the workload";
            return Err(Error::value(&key, expected, words(mode)));
        }
        if !strikes_memory(mode) {
            let expected = "modes per bit that flip bits of memory";
            return Err(Error::value(&key, expected, words(mode)));
        }
        let first = modes.first().map(|first: &usize| &device.modes[*first]);
        if let Some(first) = first.filter(|first| first.observed_at != mode.observed_at) {
            let expected = "modes observed at one place: behind the ECC the same events would be \
                            counted twice";
            let found = format!("{} and {}", words(first), words(mode));
            return Err(Error::value(&key, expected, found));
        }
        modes.push(index);
    }
    Ok(modes)
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
