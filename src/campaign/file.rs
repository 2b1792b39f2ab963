//! Campaign files: the TOML, read strictly, with the line of everything that is wrong.
//!
//! Reading takes three looks at the text: keys that the mode of `[faults]` does not have, then
//! types and unknown fields, then values that cannot be meant. What depends on the workload is
//! checked by the plan. `docs/file-formats.md` describes the format.

use super::arrival::{self, FaultsTable};
use super::beam::Beam;
use super::check::check;
use super::ranges;
use crate::device::Level;
use crate::fault::{FaultKind, Region};
pub use crate::place::Error;
use crate::place::{self, Place};
use crate::rate::Environment;
use crate::scheme::Scheme;
use crate::workload::NanRule;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A campaign file, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its name; results land in `results/NAME/`.
    pub name: String,
    /// The seed of every draw.
    pub seed: u64,
    /// Whether masks are zero: the whole path runs, and anything but masked is an error.
    #[serde(default)]
    pub dummy: bool,
    /// The computation under test.
    pub workload: WorkloadChoice,
    /// How faults arrive.
    pub faults: Mode,
    /// Where the device of `[faults]` flies, and behind what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The protections to compare.
    #[serde(default)]
    pub scheme: Vec<Scheme>,
    /// When to stop.
    #[serde(default)]
    pub stop: Stop,
}

impl Campaign {
    /// Reads and checks the campaign at `path`; the text is the file's, verbatim.
    ///
    /// # Errors
    /// Where the file cannot be read, or anything in it cannot be meant.
    pub fn load(path: &Path) -> Result<(Self, String), Error> {
        let text = place::read(path)?;
        Ok((Self::parse(path, &text)?, text))
    }

    /// Checks the text of a campaign; `path` is what messages call it.
    ///
    /// # Errors
    /// Where anything in it cannot be meant.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let place = Place::parse(path, text)?;
        if let Some(key) = ["memory", "lasts"].into_iter().find(|key| place.has(key))
            && !place.has("faults")
        {
            let found = format!("a mission; `beamline mission {}` flies it", path.display());
            return Err(place.value(&[key], "a campaign", found));
        }
        crate::ranges::lengths(&place)?;
        arrival::check_keys(&place)?;
        let campaign: Self = place.read()?;
        check(&campaign, &place)?;
        ranges::check(&campaign, &place)?;
        Ok(campaign)
    }
}

/// The computation under test and what a campaign changes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadChoice {
    /// A folder of `kernels/`, or a path to such a folder.
    pub name: String,
    /// The first this many inputs are the campaign's; by default 128, or all where there are fewer.
    #[serde(default)]
    pub inputs: Option<u32>,
    /// Replaces the workload's rule.
    #[serde(default)]
    pub relu_nan: Option<NanRule>,
    /// Replaces the size of a generated workload.
    #[serde(default)]
    pub size: Option<u32>,
}

impl WorkloadChoice {
    /// Refuses a choice of nothing.
    ///
    /// # Errors
    /// With the line of its key.
    pub fn check(&self, place: &Place) -> Result<(), Error> {
        if self.name.trim().is_empty() {
            return Err(place.value(&["workload", "name"], "a workload's name or folder", "\"\""));
        }
        for (key, value) in [("inputs", self.inputs), ("size", self.size)] {
            if value == Some(0) {
                return Err(place.value(&["workload", key], format!("{key} of 1 or more"), "0"));
            }
        }
        Ok(())
    }
}

/// How faults arrive: the table `[faults]`, whose key `mode` says which other keys it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", try_from = "FaultsTable")]
pub enum Mode {
    /// Given n upsets, what happens? Drawn uniformly within each region.
    Conditional {
        /// Distinct logical bits a trial.
        count: u32,
        /// The strata.
        regions: Vec<Region>,
        /// What a fault does.
        kind: FaultKind,
        /// Only these tensors (weights) and ops (activations).
        #[serde(skip_serializing_if = "Option::is_none")]
        tensors: Option<Vec<String>>,
        /// Only these bit positions, 0 (least significant) to 31 (sign).
        #[serde(skip_serializing_if = "Option::is_none")]
        bits: Option<Vec<u32>>,
    },
    /// Every bit of the regions once: a census.
    Exhaustive {
        /// The strata.
        regions: Vec<Region>,
        /// What a fault does.
        kind: FaultKind,
        /// Only these tensors (weights) and ops (activations).
        #[serde(skip_serializing_if = "Option::is_none")]
        tensors: Option<Vec<String>>,
        /// Only these bit positions.
        #[serde(skip_serializing_if = "Option::is_none")]
        bits: Option<Vec<u32>>,
    },
    /// The trials of a CSV fault list.
    List {
        /// The file, relative to the campaign file.
        file: PathBuf,
    },
    /// Upsets pile up over a sequence of steps on the same memory.
    Accumulation {
        /// Where upsets strike.
        regions: Vec<Region>,
        /// Steps in a trial.
        steps: u32,
        /// Inferences in a step.
        inputs_per_step: u32,
        /// Seconds between inferences (declared, never measured).
        inference_period_s: f64,
        /// Seconds that transient words of one execution are exposed (declared).
        execution_time_s: f64,
        /// How often upsets strike.
        #[serde(flatten)]
        rate: RateChoice,
        /// What multiplies the rate; 1 is real time.
        acceleration: f64,
        /// How many failures a scheme are replayed to find how many events they needed.
        attribution_sample: u32,
    },
    /// A simulated accelerator test: runs in a beam, each until its first error.
    Beam {
        /// Where upsets strike.
        regions: Vec<Region>,
        /// Steps in a run, at most.
        steps: u32,
        /// Inferences in a step.
        inputs_per_step: u32,
        /// Seconds between inferences (declared, never measured).
        inference_period_s: f64,
        /// Seconds that transient words of one execution are exposed (declared).
        execution_time_s: f64,
        /// The device in the beam.
        #[serde(flatten)]
        device: DeviceChoice,
        /// The beam.
        #[serde(flatten)]
        beam: Beam,
        /// How many failures a scheme are replayed to find how many events they needed.
        attribution_sample: u32,
    },
}

/// Inferences one after another on the same memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequence<'m> {
    /// Where upsets strike.
    pub regions: &'m [Region],
    /// Steps in a trial.
    pub steps: u32,
    /// Inferences in a step.
    pub inputs_per_step: u32,
    /// Seconds between inferences (declared, never measured).
    pub inference_period_s: f64,
    /// Seconds that transient words of one execution are exposed (declared).
    pub execution_time_s: f64,
    /// What multiplies the rate; 1 in a beam, whose flux says it.
    pub acceleration: f64,
    /// How many failures a scheme are replayed to find how many events they needed.
    pub attribution_sample: u32,
}

/// How often upsets strike: as given, or as a device suffers them on the orbit of `[environment]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RateChoice {
    /// A number and its source.
    Given {
        /// Upsets per bit and day.
        upsets_per_bit_day: f64,
        /// Where that rate comes from.
        rate_source: String,
    },
    /// A device on an orbit.
    Device {
        /// The device and what of it strikes.
        #[serde(flatten)]
        device: DeviceChoice,
        /// Whether the rate follows the orbit.
        course: CourseChoice,
    },
}

/// A device, and what of it strikes memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceChoice {
    /// A device that is built in, or the path of its file, relative to the campaign.
    pub device: String,
    /// The modes that strike; where not given, those per bit that flip bits in the cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_modes: Option<Vec<String>>,
    /// Which value of each figure's band.
    pub level: Level,
}

/// How the rate on an orbit follows time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CourseChoice {
    /// It is that of each place; a trial begins at a place drawn uniformly.
    #[default]
    Orbit,
    /// It is the mean over the orbit, all the time.
    Mean,
}

impl CourseChoice {
    /// The name used in TOML, HDF5 and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orbit => "orbit",
            Self::Mean => "mean",
        }
    }
}

impl Mode {
    /// The device that strikes, where the campaign names one.
    pub const fn device(&self) -> Option<&DeviceChoice> {
        match self {
            Self::Accumulation { rate: RateChoice::Device { device, .. }, .. }
            | Self::Beam { device, .. } => Some(device),
            _ => None,
        }
    }

    /// The beam, in a simulated accelerator test.
    pub const fn beam(&self) -> Option<&Beam> {
        match self {
            Self::Beam { beam, .. } => Some(beam),
            _ => None,
        }
    }

    /// The sequence of inferences on the same memory, where upsets pile up.
    pub fn sequence(&self) -> Option<Sequence<'_>> {
        let (Self::Accumulation {
            regions,
            steps,
            inputs_per_step,
            inference_period_s,
            execution_time_s,
            attribution_sample,
            ..
        }
        | Self::Beam {
            regions,
            steps,
            inputs_per_step,
            inference_period_s,
            execution_time_s,
            attribution_sample,
            ..
        }) = self
        else {
            return None;
        };
        Some(Sequence {
            regions,
            steps: *steps,
            inputs_per_step: *inputs_per_step,
            inference_period_s: *inference_period_s,
            execution_time_s: *execution_time_s,
            acceleration: match self {
                Self::Accumulation { acceleration, .. } => *acceleration,
                _ => 1.0,
            },
            attribution_sample: *attribution_sample,
        })
    }

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Conditional { .. } => "conditional",
            Self::Exhaustive { .. } => "exhaustive",
            Self::List { .. } => "list",
            Self::Accumulation { .. } => "accumulation",
            Self::Beam { .. } => "beam",
        }
    }
}

/// When to stop, whichever comes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Trials of each scheme. An exhaustive campaign or a list has its own number.
    #[serde(default)]
    pub trials: Option<u64>,
    /// Half the Clopper–Pearson width on P(a trial has a wrong answer), widest scheme deciding.
    #[serde(default)]
    pub half_width: Option<f64>,
    /// 1 − the confidence of the intervals.
    #[serde(default = "five_percent")]
    pub alpha: f64,
    /// Seconds of running time.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// Trials of each scheme in a segment, the unit of recovery and of the looks.
    #[serde(default)]
    pub segment_trials: Option<u64>,
}

const fn five_percent() -> f64 {
    0.05
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            trials: None,
            half_width: None,
            alpha: five_percent(),
            seconds: None,
            segment_trials: None,
        }
    }
}
