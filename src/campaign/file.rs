//! Campaign files: the TOML, read strictly, with the line of everything that is wrong.

use crate::fault::{FaultKind, Region};
use crate::scheme::Scheme;
use crate::workload::NanRule;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A campaign file, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
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
    /// The protections to compare.
    pub scheme: Vec<Scheme>,
    /// When to stop.
    pub stop: Stop,
}

/// The computation under test and what a campaign changes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
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

/// How faults arrive. The tag is `mode`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Mode {
    /// Given n upsets, what happens? Drawn uniformly within each region.
    Conditional {
        /// Distinct logical bits a trial.
        count: u32,
        /// The strata.
        regions: Vec<Region>,
        /// What a fault does.
        #[serde(default)]
        kind: FaultKind,
        /// Only these tensors (weights) and ops (activations).
        #[serde(default)]
        tensors: Option<Vec<String>>,
        /// Only these bit positions, 0 (least significant) to 31 (sign).
        #[serde(default)]
        bits: Option<Vec<u32>>,
    },
    /// Every bit of the regions once: a census.
    Exhaustive {
        /// The strata.
        regions: Vec<Region>,
        /// What a fault does.
        #[serde(default)]
        kind: FaultKind,
        /// Only these tensors (weights) and ops (activations).
        #[serde(default)]
        tensors: Option<Vec<String>>,
        /// Only these bit positions.
        #[serde(default)]
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
        #[serde(default = "sixteen")]
        inputs_per_step: u32,
        /// Seconds between inferences (declared, never measured).
        inference_period_s: f64,
        /// Seconds that transient words of one execution are exposed (declared).
        #[serde(default)]
        execution_time_s: f64,
        /// Upsets per bit and day.
        upsets_per_bit_day: f64,
        /// Where that rate comes from.
        rate_source: String,
        /// What multiplies the rate; 1 is real time.
        #[serde(default = "one")]
        acceleration: f64,
        /// How many failures a scheme are replayed to find how many events they needed.
        #[serde(default = "sixteen")]
        attribution_sample: u32,
    },
}

const fn sixteen() -> u32 {
    16
}

const fn one() -> f64 {
    1.0
}

/// When to stop, whichever comes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
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
