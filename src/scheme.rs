//! Protections to compare: storage copies, redundant execution, repair and software checks.
//!
//! A scheme is data; the stages and engines act on it. What it costs is derived here, from the
//! workload alone, so that the same figures stand in every report.

use serde::{Deserialize, Serialize};

/// How a scheme protects the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// One image, one execution, nothing compared.
    None,
    /// Two images, two executions; outputs compared bitwise, golden reloaded and the inference
    /// retried once on a mismatch.
    Dmr,
    /// Three stored copies with a bitwise vote on every read, one execution.
    TmrStorage,
    /// Three images, three executions; each output word by bitwise majority. Where a word has
    /// three distinct values the decisions vote and the lowest agreeing replica is delivered whole.
    TmrOutput,
}

impl Protection {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Dmr, Self::TmrStorage, Self::TmrOutput];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dmr => "dmr",
            Self::TmrStorage => "tmr-storage",
            Self::TmrOutput => "tmr-output",
        }
    }

    /// Stored copies of weights and inputs.
    pub const fn copies(self) -> u32 {
        match self {
            Self::None => 1,
            Self::Dmr => 2,
            Self::TmrStorage | Self::TmrOutput => 3,
        }
    }

    /// Executions of each inference, a retry not counted.
    pub const fn executions(self) -> u32 {
        match self {
            Self::None | Self::TmrStorage => 1,
            Self::Dmr => 2,
            Self::TmrOutput => 3,
        }
    }

    /// Executions of each inference with its retry, where the scheme has one.
    pub const fn executions_max(self) -> u32 {
        match self {
            Self::Dmr => 2 * self.executions(),
            _ => self.executions(),
        }
    }
}

/// How a scrub makes memory right again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScrubBy {
    /// The bitwise majority of three copies is written back to all of them.
    Vote,
    /// Golden is written over every copy: an ideal source, charged in bytes and time.
    Reload,
}

impl ScrubBy {
    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vote => "vote",
            Self::Reload => "reload",
        }
    }
}

/// A periodic scrub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scrub {
    /// Steps between scrubs; the scrub follows the step's inferences.
    pub every_steps: u32,
    /// What the scrub does.
    pub by: ScrubBy,
}

/// A software check of the delivered output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// A NaN or an infinity in the output is a DUE.
    NonFinite,
}

/// What a DUE does to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDue {
    /// Memory stays as it is.
    #[default]
    Keep,
    /// Golden is reloaded after the step.
    Reload,
}

/// One protection to compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// The name in tables, unique in the campaign.
    pub name: String,
    /// Storage copies and redundant execution.
    pub protection: Protection,
    /// Periodic scrubbing, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub: Option<Scrub>,
    /// A software check, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// What a DUE does to memory.
    #[serde(default)]
    pub on_due: OnDue,
}

impl Scheme {
    /// Why this combination cannot exist, if it cannot.
    pub fn refusal(&self) -> Option<String> {
        let scrub = self.scrub?;
        if scrub.every_steps == 0 {
            return Some("scrub.every_steps must be 1 or more".into());
        }
        if scrub.by == ScrubBy::Vote && self.protection.copies() < 3 {
            return Some(format!(
                "scrub by vote needs three stored copies, {} has {}; by = \"reload\" works with any",
                self.protection.name(),
                self.protection.copies()
            ));
        }
        None
    }
}

/// What a scheme costs per inference, from its definition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Bytes kept in memory for weights and the inputs of one step, all copies.
    pub bytes_stored: u64,
    /// Bytes of stored memory read per inference, all copies, retries not counted.
    pub bytes_read_per_inference: f64,
    /// Bytes read and written by periodic scrubs per inference.
    pub scrub_bytes_per_inference: f64,
}

impl Scheme {
    /// The cost of this scheme for a workload with `stored_words` words of weights and
    /// `input_words` words an input, run `inferences_per_step` at a time.
    ///
    /// Weights are read once an execution (each copy of a voted read counts); inputs likewise. A
    /// scrub by vote reads and writes every copy of the weights; a reload reads golden once and
    /// writes every copy.
    pub fn cost(&self, stored_words: u32, input_words: u32, inferences_per_step: u32) -> Cost {
        let copies = u64::from(self.protection.copies());
        let image = 4 * u64::from(stored_words);
        let input = 4 * u64::from(input_words);
        let step = f64::from(inferences_per_step);
        let scrub = self.scrub.map_or(0.0, |scrub| {
            let passes = match scrub.by {
                ScrubBy::Vote => 2 * copies,
                ScrubBy::Reload => 1 + copies,
            };
            (passes * image) as f64 / (f64::from(scrub.every_steps) * step)
        });
        Cost {
            bytes_stored: copies * (image + input * u64::from(inferences_per_step)),
            bytes_read_per_inference: (copies * (image + input)) as f64,
            scrub_bytes_per_inference: scrub,
        }
    }
}

/// The scheme that the others are compared with: no redundancy, and the fewest checks and scrubs.
pub fn baseline(schemes: &[Scheme]) -> Option<usize> {
    let bare = schemes.iter().enumerate().filter(|(_, s)| s.protection == Protection::None);
    bare.min_by_key(|(_, s)| (s.scrub.is_some(), s.guard.is_some())).map(|(index, _)| index)
}
