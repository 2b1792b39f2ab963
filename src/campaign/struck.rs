//! The device of a campaign: which of its modes strike memory, and what becomes of the others.

use super::error::Error;
use super::faults::DeviceChoice;
use crate::device::{Assumption, Device, EventKind, Level, Mark, Mode as DeviceMode, ObservedAt};
use crate::rate::Band;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A mode of a device that a campaign does not inject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
                _ if mode.kind == EventKind::StuckBit => "stuck bits are not injected",
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
        && mode.kind != EventKind::StuckBit
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
