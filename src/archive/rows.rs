//! The rows of an archive, as HDF5 compound types. Field names are those of `docs/archive-format.md`.

use crate::outcome::Outcome;
use bytemuck::NoUninit;
use hdf5::H5Type;
use schemars::JsonSchema;

/// One fault as one scheme received it.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct FaultRow {
    /// The trial.
    pub trial: u64,
    /// Seconds since the trial began; 0 in a conditional campaign.
    pub time_s: f64,
    /// Index into `/schemes`.
    pub scheme: u16,
    /// The place of the fault in its trial, from 0.
    pub order: u16,
    /// 0 weights, 1 input, 2 activations, 3 voted, 4 check-bits.
    pub region: u8,
    /// 0 xor, 1 stuck-at-0, 2 stuck-at-1.
    pub kind: u8,
    /// The replica (weights, check bits, input) or execution (activations, voted) struck.
    pub replica: u16,
    /// Weights and voted: index into `/workload/tensors`; activations: into `/workload/ops`; else 0.
    pub tensor: u32,
    /// The input of the inference struck, as the workload numbers its inputs; 0 where a stored
    /// word is read by several.
    pub inference: u32,
    /// The element within the tensor.
    pub index: u64,
    /// The step before whose inferences it struck.
    pub step: u32,
    /// The struck bits, counted in the element.
    pub mask: u32,
    /// The bits of the element before.
    pub word_before: u32,
    /// Those after.
    pub word_after: u32,
}

/// One trial of one scheme.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct OutcomeRow {
    /// The trial.
    pub trial: u64,
    /// Seconds to the first critical SDC, or to the trial's end where there was none.
    pub time_to_critical_s: f64,
    /// Index into `/schemes`.
    pub scheme: u16,
    /// Index into `/strata`.
    pub stratum: u16,
    /// The worst outcome: 0 masked … 6 hang.
    pub worst: u8,
    /// 1 where the trial had no critical SDC and `time_to_critical_s` is its end.
    pub censored: u8,
    /// 1 where any inference was a wrong answer.
    pub wrong: u8,
    /// The number of events a failure needed: 0 not sought, 1, 2, or 3 for three and more.
    pub events_needed: u8,
    /// Faults that this scheme's footprint received.
    pub faults: u32,
    /// Inferences run.
    pub inferences: u32,
    /// Inferences masked.
    pub masked: u32,
    /// Inferences corrected.
    pub corrected: u32,
    /// Inferences recovered from a DUE.
    pub due_recovered: u32,
    /// Inferences with a tolerable SDC.
    pub tolerable_sdc: u32,
    /// Inferences with a critical SDC.
    pub critical_sdc: u32,
    /// Inferences that ended in a DUE.
    pub due: u32,
    /// Inferences that hung.
    pub hang: u32,
    /// Inferences with an alarm.
    pub alarm_raised: u32,
    /// Inferences whose output held a NaN or an infinity.
    pub non_finite: u32,
    /// Inferences whose delivered decision equals the label.
    pub label_correct: u32,
    /// Inferences whose paired `none` inference is wrong while this one equals golden.
    pub averted: u32,
    /// Inferences run again.
    pub retries: u32,
    /// Reloads of golden after a mismatch or a DUE.
    pub reloads: u32,
    /// Words that periodic scrubs put right.
    pub scrub_repaired: u32,
    /// Words that a periodic scrub left wrong.
    pub scrub_uncorrectable: u32,
    /// What a fault list said of this trial: 0 nothing, else 1 + the outcome's code.
    pub listed: u16,
    /// How it was decided: 0 by a run, 1 by proof: its faults can change no output, and it did not run.
    pub decided: u16,
    /// Steps up to and including that of the first error; all of them where there was none.
    pub armed_steps: u32,
    /// The first error, an SDC, a DUE or a hang: 0 none, else 1 + the outcome's code.
    pub first_error: u32,
}

impl OutcomeRow {
    /// Inferences by outcome, indexed by [`Outcome`].
    pub const fn counts(&self) -> [u32; 7] {
        [
            self.masked,
            self.corrected,
            self.due_recovered,
            self.tolerable_sdc,
            self.critical_sdc,
            self.due,
            self.hang,
        ]
    }

    /// Likewise, for sums.
    pub fn outcomes(&self) -> [u64; 7] {
        self.counts().map(u64::from)
    }

    /// Inferences, counted by outcome.
    pub fn sum(&self) -> u64 {
        self.outcomes().iter().sum()
    }

    /// The worst outcome of any inference; masked where there is none.
    pub fn worst(&self) -> Outcome {
        let present = |outcome: &Outcome| self.outcomes()[*outcome as usize] > 0;
        Outcome::ALL.into_iter().rev().find(present).unwrap_or(Outcome::Masked)
    }
}

/// The measured time of one scheme's trials in one segment. The only table that differs between
/// a resumed run and one never killed.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct TimingRow {
    /// The segment's first trial.
    pub first_trial: u64,
    /// Trials run.
    pub trials: u64,
    /// Inferences run, retries not counted.
    pub inferences: u64,
    /// Seconds that these inferences cost: measured from upload to read-back, retries and scrubs included, or
    /// what fault-free ones take in full where the engine computes only a part of them.
    pub seconds: f64,
    /// Index into `/schemes`.
    pub scheme: u32,
    /// Trials run at once.
    pub lanes: u32,
}
