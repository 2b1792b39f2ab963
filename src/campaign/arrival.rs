//! The table `[faults]`: which keys each mode has, and the table as serde reads it.
//!
//! Serde reads all modes through one flat table, because a table with a tag loses the places of
//! its values; keys that the mode does not have, or lacks, are found beforehand.

use super::beam::{Beam, ENERGY_MEV, Particle};
use super::file::{CourseChoice, DeviceChoice, Error, Mode, RateChoice};
use crate::device::Level;
use crate::fault::{FaultKind, Region};
use crate::place::Place;
use crate::words::meant;
use serde::Deserialize;
use std::path::PathBuf;

/// The keys of one mode beside `mode` itself.
struct Keys {
    mode: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

impl Keys {
    fn has(&self, key: &str) -> bool {
        self.required.contains(&key) || self.optional.contains(&key)
    }
}

const MODES: [Keys; 5] = [
    Keys {
        mode: "conditional",
        required: &["count", "regions"],
        optional: &["kind", "tensors", "bits"],
    },
    Keys { mode: "exhaustive", required: &["regions"], optional: &["kind", "tensors", "bits"] },
    Keys { mode: "list", required: &["file"], optional: &[] },
    Keys {
        mode: "accumulation",
        required: &["regions", "steps", "inference_period_s"],
        optional: &[
            "inputs_per_step",
            "execution_time_s",
            "upsets_per_bit_day",
            "rate_source",
            "device",
            "device_modes",
            "level",
            "course",
            "acceleration",
            "attribution_sample",
        ],
    },
    Keys {
        mode: "beam",
        required: &[
            "regions",
            "steps",
            "inference_period_s",
            "device",
            "flux_per_cm2_s",
            "fluence_per_cm2",
        ],
        optional: &[
            "inputs_per_step",
            "execution_time_s",
            "device_modes",
            "level",
            "particle",
            "energy_mev",
            "let_mev_cm2_per_mg",
            "reset_time_s",
            "reload_time_s",
            "dosimetry_error",
            "attribution_sample",
        ],
    },
];

/// Refuses a mode that does not exist, and keys that the mode does not have or lacks.
///
/// What is no table is left to serde's message.
pub(super) fn check_keys(place: &Place) -> Result<(), Error> {
    let Some(table) = place.table("faults") else { return Ok(()) };
    let names = MODES.map(|keys| format!("\"{}\"", keys.mode)).join(", ");
    let Some(mode) = table.get("mode") else {
        return Err(place.value(&["faults"], format!("mode = one of {names} in [faults]"), "none"));
    };
    let refuse = |found| place.value(&["faults", "mode"], format!("a mode among {names}"), found);
    let Some(name) = mode.get_ref().as_str() else {
        return Err(refuse(mode.get_ref().type_str().to_owned()));
    };
    let Some(keys) = MODES.iter().find(|keys| keys.mode == name) else {
        let meant = meant(name, MODES.map(|keys| keys.mode));
        return Err(refuse(format!("\"{name}\"{meant}")));
    };
    for key in table.keys() {
        let key: &str = key.get_ref();
        if key == "mode" || keys.has(key) {
            continue;
        }
        let known = [keys.required, keys.optional].concat().join(", ");
        let others = MODES.iter().filter(|other| other.has(key)).map(|other| other.mode);
        let others = others.collect::<Vec<_>>().join(" or ");
        let hint = if others.is_empty() {
            meant(key, [keys.required, keys.optional].concat())
        } else {
            format!(", which mode {others} has")
        };
        let expected = format!("keys of mode {name} ({known})");
        return Err(place.key(&["faults", key], expected, format!("`{key}`{hint}")));
    }
    for key in keys.required {
        if !table.contains_key(*key) {
            let expected = format!("`{key}` in [faults] of mode {name}");
            return Err(place.value(&["faults"], expected, "none"));
        }
    }
    if name == "accumulation" { check_rate(place, table) } else { Ok(()) }
}

/// Refuses a rate and a device at once, neither, half a rate, and keys of a device without one.
fn check_rate(place: &Place, table: &toml::de::DeTable<'_>) -> Result<(), Error> {
    const GIVEN: [&str; 2] = ["upsets_per_bit_day", "rate_source"];
    let has = |key: &str| table.contains_key(key);
    let either = "`upsets_per_bit_day` with `rate_source`, or `device` with [environment]";
    if let Some(key) = GIVEN.into_iter().find(|key| has("device") && has(key)) {
        let found = format!("`device` and `{key}`");
        return Err(place.value(&["faults", key], format!("{either}, not both"), found));
    }
    if has("device") {
        return Ok(());
    }
    if let Some(key) = ["device_modes", "level", "course"].into_iter().find(|key| has(key)) {
        let expected = format!("`device` in [faults], which `{key}` is about");
        return Err(place.value(&["faults", key], expected, "none"));
    }
    match GIVEN.map(has) {
        [true, true] => Ok(()),
        [false, false] => Err(place.value(&["faults"], format!("{either} in [faults]"), "neither")),
        [rate, _] => {
            let missing = if rate { GIVEN[1] } else { GIVEN[0] };
            let expected = format!("`{missing}` in [faults] of mode accumulation");
            Err(place.value(&["faults"], expected, "none"))
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ModeName {
    Conditional,
    Exhaustive,
    List,
    Accumulation,
    Beam,
}

/// The union of all modes' keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultsTable {
    mode: ModeName,
    count: Option<u32>,
    regions: Option<Vec<Region>>,
    kind: Option<FaultKind>,
    tensors: Option<Vec<String>>,
    bits: Option<Vec<u32>>,
    file: Option<PathBuf>,
    steps: Option<u32>,
    inputs_per_step: Option<u32>,
    inference_period_s: Option<f64>,
    execution_time_s: Option<f64>,
    upsets_per_bit_day: Option<f64>,
    rate_source: Option<String>,
    device: Option<String>,
    device_modes: Option<Vec<String>>,
    level: Option<Level>,
    course: Option<CourseChoice>,
    acceleration: Option<f64>,
    attribution_sample: Option<u32>,
    particle: Option<Particle>,
    energy_mev: Option<f64>,
    let_mev_cm2_per_mg: Option<f64>,
    flux_per_cm2_s: Option<f64>,
    fluence_per_cm2: Option<f64>,
    reset_time_s: Option<f64>,
    reload_time_s: Option<f64>,
    dosimetry_error: Option<f64>,
}

/// A key that the mode requires and the table lacks.
#[derive(Debug, thiserror::Error)]
#[error("missing field `{0}`")]
pub(super) struct Missing(&'static str);

impl TryFrom<FaultsTable> for Mode {
    type Error = Missing;

    fn try_from(table: FaultsTable) -> Result<Self, Missing> {
        let device = table.device.map(|device| DeviceChoice {
            device,
            device_modes: table.device_modes,
            level: table.level.unwrap_or_default(),
        });
        let regions = table.regions.ok_or(Missing("regions"));
        let kind = table.kind.unwrap_or_default();
        let (tensors, bits) = (table.tensors, table.bits);
        Ok(match table.mode {
            ModeName::Conditional => {
                let count = table.count.ok_or(Missing("count"))?;
                Self::Conditional { count, regions: regions?, kind, tensors, bits }
            }
            ModeName::Exhaustive => Self::Exhaustive { regions: regions?, kind, tensors, bits },
            ModeName::List => Self::List { file: table.file.ok_or(Missing("file"))? },
            ModeName::Accumulation => Self::Accumulation {
                regions: regions?,
                steps: table.steps.ok_or(Missing("steps"))?,
                inputs_per_step: table.inputs_per_step.unwrap_or(16),
                inference_period_s: table
                    .inference_period_s
                    .ok_or(Missing("inference_period_s"))?,
                execution_time_s: table.execution_time_s.unwrap_or(0.0),
                rate: match device {
                    Some(device) => {
                        RateChoice::Device { device, course: table.course.unwrap_or_default() }
                    }
                    None => RateChoice::Given {
                        upsets_per_bit_day: table
                            .upsets_per_bit_day
                            .ok_or(Missing("upsets_per_bit_day"))?,
                        rate_source: table.rate_source.ok_or(Missing("rate_source"))?,
                    },
                },
                acceleration: table.acceleration.unwrap_or(1.0),
                attribution_sample: table.attribution_sample.unwrap_or(16),
            },
            ModeName::Beam => {
                let particle = table.particle.unwrap_or_default();
                let usual = (particle == Particle::Proton).then_some(ENERGY_MEV);
                Self::Beam {
                    regions: regions?,
                    steps: table.steps.ok_or(Missing("steps"))?,
                    inputs_per_step: table.inputs_per_step.unwrap_or(16),
                    inference_period_s: table
                        .inference_period_s
                        .ok_or(Missing("inference_period_s"))?,
                    execution_time_s: table.execution_time_s.unwrap_or(0.0),
                    device: device.ok_or(Missing("device"))?,
                    beam: Beam {
                        particle,
                        energy_mev: table.energy_mev.or(usual),
                        let_mev_cm2_per_mg: table.let_mev_cm2_per_mg,
                        flux_per_cm2_s: table.flux_per_cm2_s.ok_or(Missing("flux_per_cm2_s"))?,
                        fluence_per_cm2: table.fluence_per_cm2.ok_or(Missing("fluence_per_cm2"))?,
                        reset_time_s: table.reset_time_s.unwrap_or(60.0),
                        reload_time_s: table.reload_time_s.unwrap_or(10.0),
                        dosimetry_error: table.dosimetry_error.unwrap_or(0.1),
                    },
                    attribution_sample: table.attribution_sample.unwrap_or(16),
                }
            }
        })
    }
}
