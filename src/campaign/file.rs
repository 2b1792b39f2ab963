//! Campaign files: the TOML, read strictly, with the line of everything that is wrong.
//!
//! Reading takes three looks at the text: keys that the mode of `[faults]` does not have, then
//! types and unknown fields, then values that cannot be meant. What depends on the workload is
//! checked by the plan. `docs/file-formats.md` describes the format.

use super::faults::Mode;
use super::{check, keys};
use crate::name;
pub use crate::place::Error;
use crate::place::{self, Place};
use crate::rate::Environment;
use crate::scheme::{self, Scheme};
use crate::stats::ALPHA_MIN;
use crate::workload::NanRule;
use crate::workload::import::is_onnx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A campaign file, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    #[schemars(with = "super::faults::FaultsTable")]
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
        keys::check(&place)?;
        let campaign: Self = place.read()?;
        campaign.check(&place)?;
        Ok(campaign)
    }

    /// Checks what can be checked without the workload.
    fn check(&self, place: &Place) -> Result<(), Error> {
        if let Some(flaw) = name::folder_flaw(&self.name) {
            return Err(place.value(&["name"], flaw.expected, flaw.found));
        }
        self.workload.check(place)?;
        check::check(&self.faults, place)?;
        self.check_environment(place)?;
        self.check_schemes(place)?;
        self.stop.check(&self.faults, place)?;
        check::check_ranges(&self.faults, place)?;
        self.stop.seconds.map_or(Ok(()), |seconds| {
            let why = "seconds, about 30 years";
            crate::ranges::number(place, &["stop", "seconds"], seconds, &(0.0..=1e9), why)
        })
    }

    /// Refuses an orbit without a device on it, and a device without an orbit.
    fn check_environment(&self, place: &Place) -> Result<(), Error> {
        let orbits = self.faults.device().filter(|_| self.faults.beam().is_none());
        match (orbits, &self.environment) {
            (Some(_), None) => {
                let expected = "[environment], as the rate is that of a device on an orbit";
                Err(place.value(&["faults", "device"], expected, "none"))
            }
            (None, Some(_)) => {
                let expected =
                    "no [environment], as [faults] names no `device` that it could act on";
                Err(place.value(&["environment"], expected, "one"))
            }
            _ => Ok(()),
        }
    }

    fn check_schemes(&self, place: &Place) -> Result<(), Error> {
        scheme::check(&self.scheme, place)?;
        let accumulates = self.faults.sequence().is_some();
        for (at, scheme) in self.scheme.iter().enumerate() {
            let at = at.to_string();
            if let Some(refusal) = scheme.campaign_refusal() {
                let keys = ["scheme", &at, refusal.key];
                return Err(place.value(&keys, "a scheme of a campaign", refusal));
            }
            let keys = ["scheme", &at, "scrub"];
            if scheme.scrub.is_some() && !accumulates {
                let mode = self.faults.name();
                let expected =
                    format!("no scrub: in mode {mode} memory is golden before each trial");
                return Err(place.value(
                    &keys,
                    expected,
                    format!("a scrub in scheme \"{}\"", scheme.name),
                ));
            }
        }
        Ok(())
    }
}

/// The computation under test and what a campaign changes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadChoice {
    /// A folder of `kernels/`, a path to such a folder, or an ONNX model.
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
    /// Of an ONNX model: inputs, a `.npy` file beside the model or the campaign. Generated where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<PathBuf>,
    /// Of an ONNX model: the shape of its input, where the file leaves dimensions open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// Of an ONNX model: whether batch normalisations are folded into convolutions; false by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<bool>,
}

impl WorkloadChoice {
    /// A workload as it is.
    pub fn named(name: impl Into<String>) -> Self {
        let (inputs, relu_nan, size) = (None, None, None);
        Self { name: name.into(), inputs, relu_nan, size, input: None, shape: None, fold: None }
    }

    /// Whether it is an ONNX model, by its name.
    pub fn is_model(&self) -> bool {
        is_onnx(Path::new(&self.name))
    }

    /// Refuses a choice of nothing.
    ///
    /// # Errors
    /// With the line of its key.
    pub fn check(&self, place: &Place) -> Result<(), Error> {
        if self.name.trim().is_empty() {
            return Err(place.value(&["workload", "name"], "a workload's name or folder", "\"\""));
        }
        let of_models = [
            ("input", self.input.is_some()),
            ("shape", self.shape.is_some()),
            ("fold", self.fold.is_some()),
        ];
        for (key, given) in of_models {
            if given && !self.is_model() {
                let expected = format!("`{key}` with an ONNX model alone");
                return Err(place.value(
                    &["workload", key],
                    expected,
                    "a workload of another kind",
                ));
            }
        }
        for (key, value) in [("inputs", self.inputs), ("size", self.size)] {
            if value == Some(0) {
                return Err(place.value(&["workload", key], format!("{key} of 1 or more"), "0"));
            }
        }
        Ok(())
    }
}

/// When to stop, whichever comes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Stop {
    /// Refuses what the mode cannot have.
    fn check(&self, mode: &Mode, place: &Place) -> Result<(), Error> {
        let refuse = |key: &str, expected: &str, found: &dyn std::fmt::Display| {
            Err(place.value(&["stop", key], expected, found))
        };
        match (mode, self.trials) {
            (Mode::Conditional(_) | Mode::Accumulation(_) | Mode::Beam(_), None) => {
                let expected =
                    format!("`trials` in [stop], the most that mode {} may run", mode.name());
                return refuse("trials", &expected, &"none");
            }
            (Mode::Exhaustive(_) | Mode::List(_), Some(trials)) => {
                let expected = format!("no trials: mode {} has its own number", mode.name());
                return refuse("trials", &expected, &trials);
            }
            (_, Some(0)) => return refuse("trials", "trials of 1 or more", &0),
            _ => {}
        }
        if let Some(half_width) = self.half_width {
            if matches!(mode, Mode::Exhaustive(_) | Mode::List(_) | Mode::Beam(_)) {
                let expected = format!("no half_width: mode {} runs to its end", mode.name());
                return refuse("half_width", &expected, &half_width);
            }
            if !(half_width > 0.0 && half_width < 0.5) {
                return refuse("half_width", "a half width above 0 and below 0.5", &half_width);
            }
        }
        if !(self.alpha >= ALPHA_MIN && self.alpha < 1.0) {
            let found = format!("{:?}", self.alpha);
            return refuse("alpha", "an alpha of at least 1e-12 and below 1", &found);
        }
        if let (Mode::Exhaustive(_), Some(seconds)) = (mode, self.seconds) {
            let expected = "no seconds: part of a census is no sample, it runs to its end";
            return refuse("seconds", expected, &seconds);
        }
        if let Some(seconds) =
            self.seconds.filter(|seconds| !(seconds.is_finite() && *seconds > 0.0))
        {
            return refuse("seconds", "seconds above 0", &seconds);
        }
        if self.segment_trials == Some(0) {
            return refuse("segment_trials", "segment_trials of 1 or more", &0);
        }
        Ok(())
    }
}
