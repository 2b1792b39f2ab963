//! Which of a trial's faults a scheme receives, and where they strike it.

use super::{Course, Job, Layout};
use crate::fault::{FaultKind, Region};
use crate::scheme::Scheme;
use crate::stage::inject::Strike;
use crate::workload::Workload;

/// What a fault strikes in a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A word of the image of one copy.
    Image {
        /// The copy.
        copy: u32,
    },
    /// A word of an op's output in one execution.
    Activation {
        /// The execution; a retry's follow those of the first pass.
        execution: u32,
        /// The op.
        op: usize,
    },
}

/// A fault as a scheme receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Index into the job's faults.
    pub fault: u32,
    /// The step.
    pub step: u32,
    /// The inference it strikes, where it strikes one.
    pub row: Option<u32>,
    /// Where.
    pub target: Target,
    /// The word of the image or the block's value.
    pub word: u32,
    /// What it does.
    pub kind: FaultKind,
    /// The bits.
    pub mask: u32,
}

impl Received {
    /// The replica or execution, for the archive.
    pub(super) const fn replica(&self) -> u32 {
        match self.target {
            Target::Image { copy } => copy,
            Target::Activation { execution, .. } => execution,
        }
    }

    /// The strike on `slot` of the struck memory.
    pub(super) const fn strike(&self, slot: u32) -> Strike {
        Strike::new(slot, self.word, self.kind, self.mask)
    }

    /// Whether it asserts itself again after every write to its word.
    pub(super) fn is_stuck(&self) -> bool {
        self.kind != FaultKind::Xor
    }
}

/// The faults of `job` within the scheme's footprint and the course, in the order they strike.
/// Upsets of weights from before the course strike at its first step.
pub(super) fn received(
    job: &Job,
    scheme: &Scheme,
    course: Course,
    layout: &Layout,
    workload: &Workload,
) -> Vec<Received> {
    let copies = scheme.protection.copies();
    let executions = if course.conditional {
        scheme.protection.executions()
    } else {
        scheme.protection.executions_max()
    };
    let mut received = Vec::new();
    for (index, fault) in (0u32..).zip(&job.faults) {
        let stored = fault.region == Region::Weights;
        if fault.step >= course.end_step || (!stored && fault.step < course.first_step) {
            continue;
        }
        let place = match fault.region {
            Region::Weights => fault.place.of(copies).map(|copy| {
                (
                    Target::Image { copy },
                    workload.tensors[fault.tensor as usize].offset + fault.index,
                )
            }),
            Region::Input => fault
                .place
                .of(copies)
                .map(|copy| (Target::Image { copy }, layout.input_word(fault.index, fault.row))),
            Region::Activations => fault.place.of(executions).map(|execution| {
                let op = fault.tensor as usize;
                (Target::Activation { execution, op }, layout.value_word(fault.index, fault.row))
            }),
        };
        if let Some((target, word)) = place {
            received.push(Received {
                fault: index,
                step: fault.step.max(course.first_step),
                row: (!stored).then_some(fault.row),
                target,
                word,
                kind: fault.kind,
                mask: fault.mask,
            });
        }
    }
    received
}
