//! What a struck word reaches: the output unit of the op that reads it, and how far that unit's part of
//! a value stays apart from the others.

use super::super::store::reads;
use crate::op;
use crate::workload::{ValueId, Workload};
use std::collections::BTreeSet;

/// A word that a page holds: a weight of the unit, or its bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageWord {
    /// The weight of this number among the unit's.
    Weight(u32),
    /// The unit's bias.
    Bias,
}

/// An op that reads stored tensors, as pages see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weighted {
    /// Its weight, by number of the tensor.
    pub weight: usize,
    /// Its bias likewise.
    pub bias: Option<usize>,
    /// Weights of an output unit.
    pub taps: u32,
    /// Features of its output that a unit makes.
    pub cells: u32,
    /// The ops after it that keep units apart, and the features of a unit's slice after each.
    pub chain: Vec<(usize, u32)>,
    /// The value that the last of them makes: where what differs from golden is packed.
    pub end: ValueId,
}

/// The reach of every stored word.
#[derive(Clone, Debug)]
pub(super) struct WordReach {
    /// By op; `None` where it reads no stored tensor of its own.
    ops: Vec<Option<Weighted>>,
    /// (first word in the image, op that alone reads it), by number of the tensor.
    tensors: Vec<(u32, Option<usize>)>,
}

impl WordReach {
    pub(super) fn new(workload: &Workload) -> Self {
        let ops: Vec<_> = (0..workload.ops.len()).map(|op| weighted(workload, op)).collect();
        let tensors = workload.tensors.iter().enumerate().map(|(index, tensor)| {
            let reads = |op: &usize| reads(workload, &workload.ops[*op]).any(|read| read == index);
            let mut readers = (0..ops.len()).filter(reads);
            let only = readers.next().filter(|op| readers.next().is_none() && ops[*op].is_some());
            (tensor.offset, only)
        });
        let tensors = tensors.collect();
        Self { ops, tensors }
    }

    /// The ops that alone read the values where rows that a struck unit changes are packed.
    pub(super) fn readers(&self, workload: &Workload) -> BTreeSet<usize> {
        let ends = self.ops.iter().flatten().map(|weighted| weighted.end);
        ends.filter_map(|end| reader(workload, end)).collect()
    }

    pub(super) fn op(&self, op: usize) -> Option<&Weighted> {
        self.ops[op].as_ref()
    }

    /// The op that reads a stored word, the output unit that it feeds, and its place in a page.
    /// `None` where several ops read it.
    pub(super) fn of(&self, word: u32) -> Option<(usize, u32, PageWord)> {
        let at = self.tensors.partition_point(|(first, _)| *first <= word).checked_sub(1)?;
        let (first, op) = self.tensors[at];
        let weighted = self.op(op?)?;
        let index = word - first;
        if weighted.bias == Some(at) {
            return Some((op?, index, PageWord::Bias));
        }
        Some((op?, index / weighted.taps, PageWord::Weight(index % weighted.taps)))
    }
}

/// Which outputs of an op a changed word changes.
fn reach(workload: &Workload, op: usize) -> op::Reach {
    let op = &workload.ops[op];
    op.kind.reach(&op.settings)
}

fn weighted(workload: &Workload, op: usize) -> Option<Weighted> {
    let tensors: Vec<usize> = reads(workload, &workload.ops[op]).collect();
    let (weight, bias) = match tensors[..] {
        [weight] => (weight, None),
        [weight, bias] => (weight, Some(bias)),
        _ => return None,
    };
    if reach(workload, op) != op::Reach::Units {
        return None;
    }
    let tensor = &workload.tensors[weight];
    let units = u32::try_from(tensor.shape[0]).ok()?;
    let taps = u32::try_from(tensor.words.len()).ok()? / units;
    // A page holds whole words: those of a unit, and a bias.
    let in_word = tensor.dtype.in_word();
    let elements = workload.values[workload.ops[op].inputs[1].0].elements();
    if elements != units * taps * in_word || (bias.is_some() && in_word > 1) {
        return None;
    }
    let mut end = workload.ops[op].output;
    let cells = workload.features(end) / units;
    let mut chain = Vec::new();
    // A value that several ops read, or that the workload gives, is needed whole.
    while let Some(next) = only_reader(workload, end) {
        if reach(workload, next) != op::Reach::Apart {
            break;
        }
        end = workload.ops[next].output;
        chain.push((next, workload.features(end) / units));
    }
    Some(Weighted { weight, bias, taps, cells, chain, end })
}

/// The value whose buffer holds this one: what is flattened is the same words.
pub(super) fn home(workload: &Workload, value: ValueId) -> ValueId {
    let made = workload.ops.iter().find(|op| op.output == value);
    match made {
        Some(op) if op.kind.is_view() => home(workload, op.inputs[0]),
        _ => value,
    }
}

/// The op that alone computes with a value, under whatever name.
pub(super) fn reader(workload: &Workload, value: ValueId) -> Option<usize> {
    let held = home(workload, value);
    let mut readers = (0..workload.ops.len()).filter(|op| {
        let op = &workload.ops[*op];
        !op.kind.is_view() && op.inputs.iter().any(|input| home(workload, *input) == held)
    });
    let only = readers.next()?;
    readers.next().is_none().then_some(only)
}

/// The op that alone reads a value which is not the workload's output.
fn only_reader(workload: &Workload, value: ValueId) -> Option<usize> {
    let mut readers =
        (0..workload.ops.len()).filter(|op| workload.ops[*op].inputs.contains(&value));
    let only = readers.next()?;
    (readers.next().is_none() && value != workload.output).then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Overrides, load};
    use std::path::Path;

    #[test]
    fn a_word_reaches_the_unit_that_it_feeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-cnn");
        let workload = load(&folder, &Overrides::default()).expect("the digits CNN");
        let reach = WordReach::new(&workload);
        let place = |name: &str, index: u32| {
            let tensor = workload.tensors.iter().find(|tensor| tensor.name == name);
            let (op, unit, word) =
                reach.of(tensor.expect("a tensor").offset + index).expect("one reader");
            (workload.ops[op].name.as_str(), unit, word)
        };
        assert_eq!(place("conv2.weight", 144 + 5), ("conv2", 1, PageWord::Weight(5)));
        assert_eq!(place("conv2.bias", 31), ("conv2", 31, PageWord::Bias));
        assert_eq!(place("fc1.weight", 0), ("fc1", 0, PageWord::Weight(0)));
        let conv2 = reach.ops.iter().flatten().nth(1).expect("the second op with weights");
        let name = |op: &(usize, u32)| (workload.ops[op.0].name.as_str(), op.1);
        let chain: Vec<_> = conv2.chain.iter().map(name).collect();
        assert_eq!(chain, [("relu2", 64), ("pool", 16), ("flatten", 16)]);
    }
}
