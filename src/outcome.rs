//! The vocabulary of results: what became of an inference, and of a trial.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of one inference. Outcomes are exclusive; the order is that of severity, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Outcome {
    /// Delivered bits equal golden; the scheme raised no alarm.
    Masked = 0,
    /// Delivered bits equal golden with no re-run; the scheme raised an alarm.
    Corrected = 1,
    /// Delivered bits equal golden after a retry, reload or reset.
    DueRecovered = 2,
    /// Delivered bits differ from golden, the decision does not.
    TolerableSdc = 3,
    /// Delivered bits and decision differ from golden: a wrong answer.
    CriticalSdc = 4,
    /// Nothing delivered: uncorrectable, trap, guard, or no two voters agree.
    Due = 5,
    /// Nothing delivered: the iteration budget was spent.
    Hang = 6,
}

/// Inferences by outcome, as an object of archives and exports.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OutcomeCounts {
    /// Inferences masked.
    masked: u64,
    /// Inferences corrected.
    corrected: u64,
    /// Inferences recovered from a DUE.
    due_recovered: u64,
    /// Inferences with a tolerable SDC.
    tolerable_sdc: u64,
    /// Inferences with a critical SDC: wrong answers.
    critical_sdc: u64,
    /// Inferences that ended in a DUE.
    due: u64,
    /// Inferences that hung.
    hang: u64,
}

/// Serde: counts by outcome, indexed by [`Outcome`], as an object.
pub(crate) mod by_name {
    use super::OutcomeCounts;
    use serde::{Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(counts: &[u64; 7], to: S) -> Result<S::Ok, S::Error> {
        let [masked, corrected, due_recovered, tolerable_sdc, critical_sdc, due, hang] = *counts;
        OutcomeCounts { masked, corrected, due_recovered, tolerable_sdc, critical_sdc, due, hang }
            .serialize(to)
    }
}

impl Outcome {
    /// All outcomes, in order of severity.
    pub const ALL: [Self; 7] = [
        Self::Masked,
        Self::Corrected,
        Self::DueRecovered,
        Self::TolerableSdc,
        Self::CriticalSdc,
        Self::Due,
        Self::Hang,
    ];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Masked => "masked",
            Self::Corrected => "corrected",
            Self::DueRecovered => "due-recovered",
            Self::TolerableSdc => "tolerable-sdc",
            Self::CriticalSdc => "critical-sdc",
            Self::Due => "due",
            Self::Hang => "hang",
        }
    }

    /// Whether a screen shows it among the latest events: something went wrong, or was put right.
    pub const fn is_striking(self) -> bool {
        matches!(self, Self::CriticalSdc | Self::Due | Self::DueRecovered | Self::Corrected)
    }

    /// The outcome with this code, or `None` past the last one.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.get(code as usize).copied()
    }
}

/// What became of one inference, as the classify stage packs it into one word.
///
/// Bits 0..=2 hold the outcome; the flags follow. `shaders/lib/outcome.wgsl` has the same layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InferenceRow(pub u32);

impl InferenceRow {
    /// The mask of the outcome's code.
    pub const OUTCOME: u32 = 0x7;
    /// The scheme noticed something: dissent, mismatch, guard or trap.
    pub const ALARM: u32 = 1 << 3;
    /// The output before the guard held a NaN or an infinity.
    pub const NON_FINITE: u32 = 1 << 4;
    /// An output was delivered and its decision equals the label of the input.
    pub const LABEL_CORRECT: u32 = 1 << 5;

    /// The outcome.
    ///
    /// # Panics
    /// On a code that no stage writes.
    #[expect(clippy::expect_used, reason = "a row comes from classify, which writes seven codes")]
    pub fn outcome(self) -> Outcome {
        Outcome::from_code(self.0 & Self::OUTCOME).expect("an outcome code below 7")
    }

    /// Whether any of the given flags is set.
    pub const fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

/// How many inferences of a trial came to each outcome, and the flags beside them.
///
/// The words are those of the tally stage: seven outcome counts, then the flag counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Tally {
    /// Inferences by outcome, indexed by [`Outcome`].
    pub outcomes: [u32; 7],
    /// Inferences with an alarm raised by the scheme.
    pub alarms: u32,
    /// Inferences whose output before the guard held a NaN or an infinity.
    pub non_finite: u32,
    /// Inferences whose delivered decision equals the label.
    pub label_correct: u32,
    /// Padding to three words of four.
    pub reserved: [u32; 2],
}

impl Tally {
    /// Counts one inference.
    pub fn add(&mut self, row: InferenceRow) {
        self.outcomes[row.outcome() as usize] += 1;
        self.alarms += u32::from(row.has(InferenceRow::ALARM));
        self.non_finite += u32::from(row.has(InferenceRow::NON_FINITE));
        self.label_correct += u32::from(row.has(InferenceRow::LABEL_CORRECT));
    }

    /// Adds the counts of another part of the same trial.
    pub fn merge(&mut self, other: &Self) {
        for (sum, part) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += part;
        }
        self.alarms += other.alarms;
        self.non_finite += other.non_finite;
        self.label_correct += other.label_correct;
    }

    /// How many inferences came to `outcome`.
    pub const fn count(&self, outcome: Outcome) -> u32 {
        self.outcomes[outcome as usize]
    }

    /// The number of inferences.
    pub fn inferences(&self) -> u32 {
        self.outcomes.iter().sum()
    }

    /// The worst outcome of any inference; masked where there is none.
    pub fn worst(&self) -> Outcome {
        Outcome::ALL.into_iter().rev().find(|o| self.count(*o) > 0).unwrap_or(Outcome::Masked)
    }

    /// Whether any inference delivered a wrong answer, whatever the trial's worst outcome.
    pub const fn wrong(&self) -> bool {
        self.count(Outcome::CriticalSdc) > 0
    }
}
