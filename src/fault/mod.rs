//! Faults: struck words, and how a trial's faults are drawn.

#[cfg(test)]
pub(crate) mod bench;
mod course;
mod list;
mod poisson;
mod sample;

pub use course::Course;
pub use list::{Error as ListError, Listed, ListedFault, read_list};
pub(crate) use poisson::count as poisson_count;
pub use poisson::{Exposure, accumulate};
pub use sample::{Draw, Site, Sites, UnknownName, draw};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A range of words of one kind.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Region {
    /// Stored weights and biases.
    Weights = 0,
    /// The input of an inference.
    Input = 1,
    /// The output of an op, before the next op reads it.
    Activations = 2,
    /// A stored weight or bias as a storage voter or a decoder delivered it, before the workload
    /// reads it: for the inferences of one step, in schemes that have such a voter or decoder.
    Voted = 3,
    /// A check word of a stored copy, in schemes whose code has it.
    #[serde(rename = "check-bits")]
    Check = 4,
}

impl Region {
    /// All regions.
    pub const ALL: [Self; 5] =
        [Self::Weights, Self::Input, Self::Activations, Self::Voted, Self::Check];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Input => "input",
            Self::Activations => "activations",
            Self::Voted => "voted",
            Self::Check => "check-bits",
        }
    }

    /// Whether its words belong to one inference, so that a fault names the inference it strikes.
    pub const fn is_of_one_inference(self) -> bool {
        matches!(self, Self::Input | Self::Activations)
    }
}

/// What a fault does to its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[repr(u8)]
pub enum FaultKind {
    /// The masked bits toggle once.
    #[default]
    #[serde(rename = "xor")]
    Xor = 0,
    /// The masked bits are 0 from now on, whatever is written.
    #[serde(rename = "stuck-at-0")]
    StuckAt0 = 1,
    /// The masked bits are 1 from now on, whatever is written.
    #[serde(rename = "stuck-at-1")]
    StuckAt1 = 2,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Xor, Self::StuckAt0, Self::StuckAt1];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xor => "xor",
            Self::StuckAt0 => "stuck-at-0",
            Self::StuckAt1 => "stuck-at-1",
        }
    }

    /// The word after this fault strikes `before` with `mask`.
    pub const fn apply(self, before: u32, mask: u32) -> u32 {
        match self {
            Self::Xor => before ^ mask,
            Self::StuckAt0 => before & !mask,
            Self::StuckAt1 => before | mask,
        }
    }
}

/// One struck word, before any scheme maps it to a replica of its own.
///
/// `tensor` is a stored tensor for weights and voted words, an op for activations, and 0 for the
/// input and check words; `index` is the word within it (for input and activations: the feature).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// The step of the trial before whose inferences it strikes; 0 in a conditional campaign.
    pub step: u32,
    /// When it strikes, in seconds since the trial began; 0 in a conditional campaign.
    pub time_s: f64,
    /// The region.
    pub region: Region,
    /// The tensor or op.
    pub tensor: u32,
    /// The word within the tensor.
    pub index: u32,
    /// The inference within the step that it strikes (input and activations); else 0.
    pub row: u32,
    /// What it does.
    pub kind: FaultKind,
    /// The struck bits.
    pub mask: u32,
    /// Which replica or execution it strikes.
    pub place: Replica,
}

/// Which replica (weights, check words, input) or execution (activations, voted words) a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Replica {
    /// floor(u·R) of the scheme's R: every scheme gets the fault.
    Share(f64),
    /// This one: schemes with fewer do not see the fault.
    At(u32),
}

impl Replica {
    /// The replica or execution struck in a scheme that has `count`, or `None` where the scheme's
    /// footprint does not reach it.
    pub fn of(self, count: u32) -> Option<u32> {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "u is in [0, 1) and the count is small"
            )]
            Self::Share(u) => Some(((u * f64::from(count)) as u32).min(count - 1)),
            Self::At(at) => (at < count).then_some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_screens_use_the_same_names() {
        let quoted = |name: &str| format!("\"{name}\"");
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_string(&kind).expect("a name"), quoted(kind.name()));
        }
        for region in Region::ALL {
            assert_eq!(serde_json::to_string(&region).expect("a name"), quoted(region.name()));
        }
    }

    #[test]
    fn a_share_reaches_every_scheme_and_a_replica_only_those_that_have_it() {
        assert_eq!(
            [1, 2, 3].map(|count| Replica::Share(0.5).of(count)),
            [Some(0), Some(1), Some(1)]
        );
        assert_eq!([1, 2, 3].map(|count| Replica::At(1).of(count)), [None, Some(1), Some(1)]);
    }
}
