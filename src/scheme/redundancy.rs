//! What a scheme keeps and runs more than once, and where it compares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a redundancy, as a file states it. What it means is in [`Protection::redundancy`]
/// alone; all code asks the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
    /// One image, three executions one after another, outputs voted: the execution is protected, the
    /// storage is not.
    TmrTemporal,
    /// Three images, three executions; every op's output is voted and all three go on with the
    /// majority.
    TmrLayer,
}

/// Where copies or executions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VotePoint {
    /// Stored copies, on every read.
    Read,
    /// Executions, after every op; all go on with the majority.
    Op,
    /// Executions, once each has its output.
    Output,
}

/// What a scheme keeps and runs more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redundancy {
    /// Stored copies of weights and inputs.
    pub copies: u32,
    /// Executions of each inference, a retry not counted.
    pub executions: u32,
    /// Where they are compared, if they are.
    pub votes: Option<VotePoint>,
    /// Whether a mismatch has golden reloaded and the inference run once more.
    pub retries: bool,
}

impl Protection {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Dmr,
        Self::TmrStorage,
        Self::TmrOutput,
        Self::TmrTemporal,
        Self::TmrLayer,
    ];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dmr => "dmr",
            Self::TmrStorage => "tmr-storage",
            Self::TmrOutput => "tmr-output",
            Self::TmrTemporal => "tmr-temporal",
            Self::TmrLayer => "tmr-layer",
        }
    }

    /// The parts that the name stands for.
    pub const fn redundancy(self) -> Redundancy {
        let (copies, executions, votes) = match self {
            Self::None => (1, 1, None),
            Self::Dmr => (2, 2, Some(VotePoint::Output)),
            Self::TmrStorage => (3, 1, Some(VotePoint::Read)),
            Self::TmrOutput => (3, 3, Some(VotePoint::Output)),
            Self::TmrTemporal => (1, 3, Some(VotePoint::Output)),
            Self::TmrLayer => (3, 3, Some(VotePoint::Op)),
        };
        // Two that differ have no majority.
        Redundancy { copies, executions, votes, retries: executions == 2 }
    }
}
