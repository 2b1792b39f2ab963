//! Schemes to compare: redundancy, storage code, recovery and checks.
//!
//! A scheme is data; the stages and engines act on it. What it costs is derived here, from the
//! workload alone, so that the same figures stand in every report.

mod check;
pub mod code;
mod cost;
pub mod memory;
mod protect;
mod redundancy;
mod refusal;
mod scrub;

pub use check::check;
pub use code::{Code, Decoded};
pub use cost::Cost;
pub use protect::{Choice, ChosenBy, Found, Protect};
pub use redundancy::{Protection, Redundancy, VotePoint};
pub use refusal::Refusal;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a scrub makes memory right again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScrubBy {
    /// The majority of three copies is written back to all of them.
    Vote,
    /// Golden is written over every copy: an ideal source, charged in bytes and time.
    Reload,
    /// Every block is decoded and what the code corrects is written back.
    Ecc,
}

impl ScrubBy {
    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vote => "vote",
            Self::Reload => "reload",
            Self::Ecc => "ecc",
        }
    }
}

/// A periodic scrub. A campaign counts in steps, a mission in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "scrub::ScrubTable", into = "scrub::ScrubTable")]
pub struct Scrub {
    /// Time from one visit of a word to the next.
    pub every: Period,
    /// What the scrub does.
    pub by: ScrubBy,
    /// Another period while the satellite is inside the South Atlantic Anomaly (missions).
    pub in_saa_s: Option<f64>,
    /// Whether visits of a word come at random, exponentially distributed intervals with this
    /// mean, as Saleh et al. 1990 also have it (missions).
    pub random: bool,
    /// The patrol of the mission's memory that gives the period, by its name there.
    pub patrol: Option<String>,
}

impl Scrub {
    /// A scrub every `steps` steps of a campaign.
    pub const fn steps(steps: u32, by: ScrubBy) -> Self {
        Self { every: Period::Steps(steps), by, in_saa_s: None, random: false, patrol: None }
    }

    /// A scrub that passes once every `period_s` seconds of a mission.
    pub const fn seconds(period_s: f64, by: ScrubBy) -> Self {
        let every = Period::Seconds(period_s);
        Self { every, by, in_saa_s: None, random: false, patrol: None }
    }

    /// Steps between scrubs; `None` where the period is one of time.
    pub const fn every_steps(&self) -> Option<u32> {
        match self.every {
            Period::Steps(steps) => Some(steps),
            Period::Seconds(_) | Period::OfPatrol => None,
        }
    }
}

/// How often a scrub comes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Period {
    /// After this many steps of a campaign; the scrub follows the step's inferences.
    Steps(u32),
    /// Seconds of a mission in which a patrol passes the whole memory once.
    Seconds(f64),
    /// That of the patrol which the scrub names: seconds, once the mission's memory is known.
    OfPatrol,
}

/// How voters compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Voter {
    /// Each bit by majority.
    #[default]
    Bitwise,
    /// Each word by majority; where all three differ an output is not delivered, and of stored words
    /// copy 0 is read.
    Word,
    /// The decisions (labels) by majority; the lowest agreeing replica is delivered whole.
    Label,
    /// Outputs that lie within the workload's tolerance of one another agree; the lowest agreeing
    /// replica is delivered whole.
    Tolerance,
}

impl Voter {
    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitwise => "bitwise",
            Self::Word => "word",
            Self::Label => "label",
            Self::Tolerance => "tolerance",
        }
    }
}

/// What a read that found an error does to stored memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnRead {
    /// Nothing: the next read finds it again.
    #[default]
    Keep,
    /// What was corrected or voted is written back.
    WriteBack,
}

/// How far apart the replicas of stored memory lie (missions).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// In other banks of the same channel.
    #[default]
    Bank,
    /// In other channels of the same stack.
    Channel,
    /// In other stacks of the same device.
    Stack,
    /// In other devices.
    Device,
}

impl Placement {
    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Channel => "channel",
            Self::Stack => "stack",
            Self::Device => "device",
        }
    }
}

/// A software check of the delivered output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// A NaN or an infinity in the output is a DUE.
    NonFinite,
}

/// What a DUE does to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDue {
    /// Memory stays as it is.
    #[default]
    Keep,
    /// Golden is reloaded after the step.
    Reload,
    /// The device is reset, and the service is away for so long (missions).
    Reset,
}

/// One protection to compare, in parts: redundancy (`protection`, `voter`, `placement`, `protect`), a
/// storage code, recovery (`on_read`, `on_due`, `scrub`) and checks (`guard`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// The name in tables, unique in the campaign.
    pub name: String,
    /// The preset of its redundancy.
    pub protection: Protection,
    /// The storage code of the weights, in every replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// How voters compare.
    #[serde(default, skip_serializing_if = "is_default")]
    pub voter: Voter,
    /// What a read that found an error does to stored memory.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_read: OnRead,
    /// How far apart the replicas lie.
    #[serde(default, skip_serializing_if = "is_default")]
    pub placement: Placement,
    /// Which stored words are protected; all where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protect: Option<Protect>,
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Scheme {
    /// A scheme of this name with a protection and nothing else.
    pub fn bare(name: &str, protection: Protection) -> Self {
        Self {
            name: name.into(),
            protection,
            code: None,
            voter: Voter::default(),
            on_read: OnRead::default(),
            placement: Placement::default(),
            protect: None,
            scrub: None,
            guard: None,
            on_due: OnDue::default(),
        }
    }

    /// What it keeps and runs more than once.
    pub const fn redundancy(&self) -> Redundancy {
        self.protection.redundancy()
    }

    /// Stored copies of weights and inputs.
    pub const fn copies(&self) -> u32 {
        self.redundancy().copies
    }

    /// Executions of each inference, a retry not counted.
    pub const fn executions(&self) -> u32 {
        self.redundancy().executions
    }

    /// Executions of each inference with its retry, where the scheme has one.
    pub const fn executions_max(&self) -> u32 {
        self.executions() * if self.retries() { 2 } else { 1 }
    }

    /// Whether a mismatch has golden reloaded and the inference run once more.
    pub const fn retries(&self) -> bool {
        self.redundancy().retries
    }

    /// Whether stored copies are voted on every read.
    pub const fn votes_reads(&self) -> bool {
        matches!(self.redundancy().votes, Some(VotePoint::Read))
    }

    /// Whether executions are voted after every op.
    pub const fn votes_ops(&self) -> bool {
        matches!(self.redundancy().votes, Some(VotePoint::Op))
    }

    /// Whether the outputs of whole executions are compared or voted.
    pub const fn votes_outputs(&self) -> bool {
        matches!(self.redundancy().votes, Some(VotePoint::Output))
    }

    /// Whether a voter or a decoder stands between stored words and the workload, so that what it
    /// delivers is a site of its own.
    pub const fn delivers(&self) -> bool {
        self.votes_reads() || self.code.is_some()
    }

    /// Data words of a block of memory: those of the code, or of an entry.
    pub const fn block_words(&self) -> u32 {
        match self.code {
            Some(code) => code.block_words(),
            None => 8,
        }
    }

    /// Whether a read writes back what it put right.
    pub fn writes_back(&self) -> bool {
        self.on_read == OnRead::WriteBack
    }
}

/// The scheme that the others are compared with: no redundancy, and the fewest codes, checks and
/// scrubs.
pub fn baseline(schemes: &[Scheme]) -> Option<usize> {
    let bare = schemes.iter().enumerate().filter(|(_, s)| s.redundancy().votes.is_none());
    let parts = |s: &Scheme| (s.code.is_some(), s.scrub.is_some(), s.guard.is_some());
    bare.min_by_key(|(_, s)| parts(s)).map(|(index, _)| index)
}
