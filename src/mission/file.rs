//! Mission files: the TOML, read strictly, with the line of everything that is wrong.
//!
//! `docs/file-formats.md` describes the format. What depends on the workload, the memory or the
//! devices is checked by [`super::Plan`].

use crate::campaign::file::WorkloadChoice;
use crate::campaign::{PER_BIT_DAY, PER_BIT_DAY_WHY};
use crate::device::{AddressMap, Device, Level, Memory};
use crate::environment::solar::Scenario;
use crate::name;
use crate::place::{self, Error, Place};
use crate::ranges::number;
use crate::rate::{Environment, OrbitChoice};
use crate::scheme::{self, Period, Placement, Scheme};
pub use crate::units::Duration;
use crate::units::YEAR_S;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// The most histories a mission draws one by one; more is a fleet.
const HISTORIES_MAX: u32 = 10_000;
/// The longest flight: in seconds of an `f64` a moment is known to 4 ms.
const FLIGHT_S_MAX: f64 = 1e6 * YEAR_S;
/// Satellites of a fleet, at most.
const FLEET_MAX: u64 = 1_000_000_000;
/// Solar events, and devices: more are a mistake. Modes of all devices are numbered in 16 bits.
const SOLAR_EVENTS_MAX: usize = 1000;
const DEVICES_MAX: usize = 100;

/// A mission file, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mission {
    /// Its name; results land in `results/NAME/`.
    pub name: String,
    /// The seed of every draw.
    pub seed: u64,
    /// How long it lasts.
    pub lasts: Duration,
    /// How many times as fast as in flight everything happens: upsets, orbit, scrubs, inferences.
    #[serde(default = "one")]
    pub acceleration: f64,
    /// Independent missions of one satellite.
    #[serde(default = "ten")]
    pub histories: u32,
    /// A fleet of so many satellites beside the histories, by its events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<u64>,
    /// Where it flies, and behind what.
    pub environment: Environment,
    /// Solar particle events at times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub solar_event: Vec<SolarEvent>,
    /// The memory, and what lies in it.
    pub memory: MemoryChoice,
    /// What fails, and how often.
    pub device: Vec<DeviceModes>,
    /// The computation.
    pub workload: WorkloadChoice,
    /// How the computation is asked for, and what a recovery takes.
    #[serde(default)]
    pub service: Service,
    /// The storage that reloads come from; perfect where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardened: Option<Hardened>,
    /// The buffer of the scrubber; never struck where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrubber: Option<Scrubber>,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<Requirement>,
    /// The protections to compare.
    pub scheme: Vec<Scheme>,
}

const fn one() -> f64 {
    1.0
}

const fn ten() -> u32 {
    10
}

/// A size of memory, in TOML a text such as `"16GiB"` or a number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "u64")]
pub struct Bytes(pub u64);

/// What a size looks like.
const SIZE_FORMS: &str = "a size such as \"64MiB\" or \"16GiB\", or a number of bytes";

impl From<Bytes> for u64 {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": format!("{SIZE_FORMS}."),
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+\\s*(KiB|MiB|GiB)$" }
            ]
        })
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Size;
        impl Visitor<'_> for Size {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SIZE_FORMS)
            }

            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<Bytes, E> {
                let refusal = |_| E::invalid_value(Unexpected::Signed(bytes), &self);
                u64::try_from(bytes).map(Bytes).map_err(refusal)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
                let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
                let of = |(name, shift): &(&str, u32)| {
                    let number: u64 = text.strip_suffix(name)?.trim().parse().ok()?;
                    number.checked_mul(1 << shift).map(Bytes)
                };
                let refusal = || E::custom(format!("expected {SIZE_FORMS}, found {text:?}"));
                units.iter().find_map(of).ok_or_else(refusal)
            }
        }
        deserializer.deserialize_any(Size)
    }
}

/// A solar particle event at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SolarEvent {
    /// Time in flight from the start to its beginning.
    pub after: Duration,
    /// Which.
    pub event: Scenario,
}

/// The memory, and its tenants: what they do not fill is unused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryChoice {
    /// A memory that is built in, or the path of its file.
    pub preset: String,
    /// How addresses map to places; as the memory has it where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<AddressMap>,
    /// Bytes that the weights fill, in each replica: the workload's image is tiled to them, and
    /// inference i reads copy i mod copies. One image where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Bytes>,
    /// Bytes of key-value cache.
    #[serde(default)]
    pub kv_cache: Bytes,
    /// Bytes of activations: the workload's values stand for all of them.
    #[serde(default)]
    pub activations: Bytes,
}

/// A device of `fault-models/devices`, and what of it happens on the mission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceModes {
    /// A device that is built in, or the path of its file, relative to the mission.
    pub name: String,
    /// The modes that happen; all where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<Vec<String>>,
    /// Which value of each figure's band.
    #[serde(default)]
    pub level: Level,
}

/// How inferences are asked for, and what recoveries take, in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// Inferences a second.
    pub inferences_per_s: f64,
    /// The share of the time from one inference to the next that one execution takes.
    pub duty: f64,
    /// How long a reset of the device takes, its reload included; the memory's own figure where
    /// not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<Duration>,
    /// How long a restart of the host takes.
    pub host_reset: Duration,
}

impl Default for Service {
    fn default() -> Self {
        Self { inferences_per_s: 1.0, duty: 0.25, reset: None, host_reset: Duration(600.0) }
    }
}

/// Storage that golden weights are reloaded from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hardened {
    /// Upsets per bit and day of flight.
    pub upsets_per_bit_day: f64,
    /// Where that rate comes from.
    pub source: String,
}

/// The scrubber's own buffer, struck at the rate per bit of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrubber {
    /// Its size: what it holds on its way from memory to memory.
    pub buffer_bytes: u64,
}

/// P(no critical SDC for so long) must be this much, at 90 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// For how long in flight.
    pub no_critical_sdc_for: Duration,
    /// With which probability.
    pub probability: f64,
}

impl Mission {
    /// A file that it names, if any: a device, a memory, elements or a spectrum.
    pub fn names_file(&self) -> Option<String> {
        let shown = |path: &Path| path.display().to_string();
        let device = self.device.iter().map(|device| device.name.as_str());
        let device = device.into_iter().find(|name| !Device::names().contains(name));
        let memory =
            Some(self.memory.preset.as_str()).filter(|name| !Memory::names().contains(name));
        let elements = match &self.environment.orbit {
            OrbitChoice::Elements { elements, .. } => Some(shown(elements)),
            OrbitChoice::Preset(_) | OrbitChoice::Shape(_) => None,
        };
        let spectra = [&self.environment.proton_spectrum, &self.environment.let_spectrum];
        let spectrum = spectra.into_iter().flatten().next().map(|choice| shown(&choice.file));
        device.or(memory).map(str::to_owned).or(elements).or(spectrum)
    }

    /// Reads and checks the mission at `path`; the text is the file's, verbatim.
    ///
    /// # Errors
    /// Where the file cannot be read, or anything in it cannot be meant.
    pub fn load(path: &Path) -> Result<(Self, String), Error> {
        let text = place::read(path)?;
        Ok((Self::parse(path, &text)?, text))
    }

    /// Checks the text of a mission; `path` is what messages call it.
    ///
    /// # Errors
    /// Where anything in it cannot be meant.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let place = Place::parse(path, text)?;
        if place.has("faults") && !place.has("memory") {
            let found = format!("a campaign; `beamline run {}` runs it", path.display());
            return Err(place.value(&["faults"], "a mission", found));
        }
        crate::ranges::lengths(&place)?;
        let mission: Self = place.read()?;
        mission.check(&place)?;
        mission.check_ranges(&place)?;
        Ok(mission)
    }

    fn check(&self, place: &Place) -> Result<(), Error> {
        if let Some(flaw) = name::folder_flaw(&self.name) {
            return Err(place.value(&["name"], flaw.expected, flaw.found));
        }
        self.workload.check(place)?;
        if !(self.acceleration > 0.0 && self.acceleration.is_finite()) {
            return Err(place.value(&["acceleration"], "a factor above 0", self.acceleration));
        }
        if !(1..=HISTORIES_MAX).contains(&self.histories) {
            let expected = format!("1 to {HISTORIES_MAX} histories; more satellites are a fleet");
            return Err(place.value(&["histories"], expected, self.histories));
        }
        if self.fleet == Some(0) {
            return Err(place.value(&["fleet"], "1 satellite or more", 0));
        }
        if self.fleet.is_some() && !self.solar_event.is_empty() {
            let expected = "no fleet beside [[solar_event]]: a fleet's events come one by one";
            return Err(place.value(&["fleet"], expected, "both"));
        }
        self.check_service(place)?;
        for (at, event) in self.solar_event.iter().enumerate() {
            let at = at.to_string();
            if event.event == Scenario::None {
                let keys = ["solar_event", &at, "event"];
                return Err(place.value(&keys, "worst-day or worst-week", "none"));
            }
        }
        if self.device.is_empty() {
            return Err(place.value(&["device"], "one [[device]] or more", "none"));
        }
        self.check_schemes(place)
    }

    /// Refuses numbers that nothing has.
    fn check_ranges(&self, place: &Place) -> Result<(), Error> {
        let factor = "a factor on all periods";
        number(place, &["acceleration"], self.acceleration, &(1e-9..=1e9), factor)?;
        let flight_s = self.lasts.0 * self.acceleration;
        let key = if self.acceleration > 1.0 { "acceleration" } else { "lasts" };
        let why = "years of flight, lasts × acceleration, in which seconds can be told apart";
        number(place, &[key], flight_s / YEAR_S, &(0.0..=FLIGHT_S_MAX / YEAR_S), why)?;
        if let Some(fleet) = self.fleet.filter(|fleet| *fleet > FLEET_MAX) {
            return Err(place.value(&["fleet"], format!("{FLEET_MAX} satellites at most"), fleet));
        }
        if let Some(hardened) = &self.hardened {
            let keys = ["hardened", "upsets_per_bit_day"];
            number(place, &keys, hardened.upsets_per_bit_day, &PER_BIT_DAY, PER_BIT_DAY_WHY)?;
        }
        for (at, event) in self.solar_event.iter().enumerate() {
            let at = at.to_string();
            let why = "seconds of flight, before its end";
            number(place, &["solar_event", &at, "after"], event.after.0, &(0.0..=flight_s), why)?;
        }
        let tables = [
            ("solar_event", self.solar_event.len(), SOLAR_EVENTS_MAX),
            ("device", self.device.len(), DEVICES_MAX),
        ];
        match tables.into_iter().find(|(_, count, most)| count > most) {
            Some((key, count, most)) => {
                Err(place.value(&[key], format!("{most} [[{key}]] at most"), count))
            }
            None => Ok(()),
        }
    }

    fn check_service(&self, place: &Place) -> Result<(), Error> {
        let Service { inferences_per_s, duty, .. } = self.service;
        if !(inferences_per_s > 0.0 && inferences_per_s <= 1e6) {
            let keys = ["service", "inferences_per_s"];
            return Err(place.value(&keys, "above 0 and at most 1e6", inferences_per_s));
        }
        if !(duty > 0.0 && duty <= 1.0) {
            return Err(place.value(&["service", "duty"], "a share above 0 and at most 1", duty));
        }
        if let Some(hardened) = &self.hardened {
            let rate = hardened.upsets_per_bit_day;
            if !(rate >= 0.0 && rate.is_finite()) {
                let keys = ["hardened", "upsets_per_bit_day"];
                return Err(place.value(&keys, "a rate of 0 or more", rate));
            }
            if hardened.source.trim().is_empty() {
                let expected = "where the rate comes from";
                return Err(place.value(&["hardened", "source"], expected, "nothing"));
            }
        }
        if let Some(requirement) = &self.requirement {
            let probability = requirement.probability;
            if !(probability > 0.0 && probability < 1.0) {
                let keys = ["requirement", "probability"];
                return Err(place.value(&keys, "a probability between 0 and 1", probability));
            }
        }
        Ok(())
    }

    fn check_schemes(&self, place: &Place) -> Result<(), Error> {
        scheme::check(&self.scheme, place)?;
        for (at, scheme) in self.scheme.iter().enumerate() {
            let at = at.to_string();
            if scheme.scrub.as_ref().is_some_and(|scrub| matches!(scrub.every, Period::Steps(_))) {
                let expected = "a period of time, such as every = \"1h\": a mission has no steps";
                return Err(place.value(&["scheme", &at, "scrub"], expected, "every_steps"));
            }
            let running = f64::from(scheme.executions_max()) * self.service.duty;
            if running > 1.0 && scheme.placement != Placement::Device {
                let expected = format!(
                    "executions that fit between two inferences: {} × service.duty of at most 1",
                    scheme.executions_max()
                );
                return Err(place.value(&["scheme", &at, "protection"], expected, running));
            }
        }
        Ok(())
    }
}
