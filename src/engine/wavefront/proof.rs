//! Trials that are decided by proof: a struck weight that meets only +0 and keeps its sign changes no sum.
//!
//! A product of +0 and a finite weight is a zero with the sign of the weight, and adding it to a sum gives
//! the same bits for every finite weight of that sign. A share of these trials runs all the same.

use super::super::Error;
use super::super::footprint::Received;
use super::reach::{PageWord, WordReach};
use super::{Core, reach};
use crate::gpu::{Buffer, Gpu};
use crate::op::Dtype;
use crate::stage::inject::Strike;
use crate::workload::Workload;

/// Which features of an op's first input are +0 in all inferences of a window.
#[derive(Debug)]
pub(super) struct Zeros {
    /// By op, `[window, feature]`; empty where no weight of the op has features of its own.
    ops: Vec<Vec<bool>>,
}

/// Of the trials that a proof decides, one in so many runs.
const RUN_ONE_IN: u64 = 64;

/// A multiplier that spreads numbers of trials over all bits (Knuth, TAOCP 6.4: 2⁶⁴ over the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whether a trial runs though a proof decides it.
pub(super) const fn runs_anyway(trial: u64) -> bool {
    trial.wrapping_mul(SPREAD) >> 32 & (RUN_ONE_IN - 1) == 0
}

impl Zeros {
    /// Reads golden values (`[window, feature, row]`, `counted` of so many rows) for the ops that need them.
    pub(super) fn new(
        gpu: &Gpu,
        workload: &Workload,
        reach: &WordReach,
        values: &[Buffer<u32>],
        (rows, counted): (u32, u32),
    ) -> Result<Self, Error> {
        let mut ops = vec![Vec::new(); workload.ops.len()];
        for (index, op) in workload.ops.iter().enumerate() {
            let read = op.inputs.first().filter(|_| reach.op(index).is_some());
            let Some(input) = read.filter(|_| meets(workload, index, 0).is_some()) else {
                continue;
            };
            let words = gpu.read(&values[reach::home(workload, *input).0])?;
            let zero = |feature: &[u32]| feature[..counted as usize].iter().all(|word| *word == 0);
            ops[index] = words.chunks(rows as usize).map(zero).collect();
        }
        Ok(Self { ops })
    }
}

/// The features of its first input that weight `tap` of each unit of an op meets.
fn meets(workload: &Workload, op: usize, tap: u32) -> Option<std::ops::Range<u32>> {
    let op = &workload.ops[op];
    let shape = |at: usize| workload.values[op.inputs[at].0].shape.as_slice();
    op.kind.meets(&op.settings, [shape(0), shape(1)], tap)
}

impl Core {
    /// Words before and after, where the one fault strikes a stored word and that changes no output.
    pub(super) fn proof(&self, faults: &[Received], window: u32) -> Option<(u32, u32)> {
        let [fault] = faults else { return None };
        let tensor = self.workload.tensors.partition_point(|tensor| tensor.offset <= fault.word);
        if self.workload.tensors.get(tensor.checked_sub(1)?)?.dtype != Dtype::F32 {
            return None;
        }
        let (op, _, PageWord::Weight(tap)) = self.reach.of(fault.word)? else { return None };
        let features = meets(&self.workload, op, tap)?;
        let all = self.workload.features(self.workload.ops[op].inputs[0]);
        let zeros = self.golden.zeros.ops[op].get((window * all) as usize..)?;
        if !features.into_iter().all(|feature| zeros[feature as usize]) {
            return None;
        }
        let before = self.workload.stored_word(fault.word);
        let after = Strike::new(0, fault.word, fault.kind, fault.mask).apply(before);
        let finite = |word| f32::from_bits(word).is_finite();
        let same_sign = (before ^ after) >> 31 == 0;
        (finite(before) && finite(after) && same_sign).then_some((before, after))
    }
}
