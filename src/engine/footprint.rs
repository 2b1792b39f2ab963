//! Which of a trial's faults a scheme receives, and where they strike it.

use super::{Course, Job, Layout};
use crate::fault::{Fault, FaultKind, Region, Replica};
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
    /// A word of the weights as it is delivered to one execution.
    Delivered {
        /// The execution; a retry's follow those of the first pass.
        execution: u32,
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
            Target::Delivered { execution } | Target::Activation { execution, .. } => execution,
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
/// Upsets of weights and check words from before the course strike at its first step.
pub(super) fn received(
    job: &Job,
    scheme: &Scheme,
    course: Course,
    layout: &Layout,
    workload: &Workload,
) -> Vec<Received> {
    let executions = if course.conditional { scheme.executions() } else { scheme.executions_max() };
    let mut received = Vec::new();
    for (index, fault) in (0u32..).zip(&job.faults) {
        let stored = matches!(fault.region, Region::Weights | Region::Check);
        if fault.step >= course.end_step || (!stored && fault.step < course.first_step) {
            continue;
        }
        let tensor = |at: u32| workload.tensors[at as usize].offset;
        let place = match fault.region {
            Region::Weights => {
                let name = &workload.tensors[fault.tensor as usize].name;
                copy_of(fault, scheme, Some(name)).map(|(copy, mask)| {
                    (Target::Image { copy }, tensor(fault.tensor) + fault.index, mask)
                })
            }
            Region::Input => copy_of(fault, scheme, None).map(|(copy, mask)| {
                (Target::Image { copy }, layout.input_word(fault.index, fault.row), mask)
            }),
            Region::Check => check_of(fault, scheme, layout).map(|(copy, mask)| {
                (Target::Image { copy }, layout.check_base() + fault.index, mask)
            }),
            Region::Voted => {
                let execution = fault.place.of(executions).filter(|_| scheme.delivers());
                execution.map(|execution| {
                    let word = tensor(fault.tensor) + fault.index;
                    (Target::Delivered { execution }, word, fault.mask)
                })
            }
            Region::Activations => fault.place.of(executions).map(|execution| {
                let op = fault.tensor as usize;
                let word = layout.value_word(fault.index, fault.row);
                (Target::Activation { execution, op }, word, fault.mask)
            }),
        };
        if let Some((target, word, mask)) = place {
            received.push(Received {
                fault: index,
                step: fault.step.max(course.first_step),
                row: fault.region.is_of_one_inference().then_some(fault.row),
                target,
                word,
                kind: fault.kind,
                mask,
            });
        }
    }
    received
}

/// The copy that a fault on a word of the tensor `name` (none: an input) strikes, and with which
/// bits. Bits that a vote does not protect are stored once, in copy 0.
fn copy_of(fault: &Fault, scheme: &Scheme, name: Option<&str>) -> Option<(u32, u32)> {
    let copy = fault.place.of(scheme.copies())?;
    let protected = scheme.protect.as_ref().map_or(u32::MAX, |protect| protect.mask(name));
    if copy == 0 || fault.mask & !protected == 0 {
        return Some((copy, fault.mask));
    }
    match fault.place {
        Replica::Share(_) => Some((0, fault.mask)),
        Replica::At(_) => Some((copy, fault.mask & protected)).filter(|(_, mask)| *mask != 0),
    }
}

/// The copy that a fault on a check word strikes, and with which bits: those that are stored.
fn check_of(fault: &Fault, scheme: &Scheme, layout: &Layout) -> Option<(u32, u32)> {
    let copy = fault.place.of(scheme.copies())?;
    let mask = fault.mask & scheme.code?.check_mask();
    let exists = fault.index < layout.checks() && (mask != 0 || fault.mask == 0);
    exists.then_some((copy, mask))
}
