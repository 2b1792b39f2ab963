//! Golden partial sums: what an op has added up before the first unit of its input that differs.
//!
//! The rows that a struck unit changes differ from golden in that unit's features alone. The op that reads
//! them takes up golden sums there, in place of adding the products of all units before it once more.

use super::super::forward::encode_with;
use super::golden::{Goldens, Shared};
use super::{Core, reach};
use crate::gpu::{Buffer, Error};
use crate::op::Products;
use crate::workload::{ValueId, Workload};

/// The most parts into which the units of an input are divided. An op then adds 9/16 of its products in the
/// mean, more where parts of few lanes are joined.
const PARTS: u32 = 8;
/// The fewest products an inference of an op for which sums are kept.
const PRODUCTS_MIN: u64 = 512;
/// The most bytes of the partial sums of all ops.
const BYTES_MAX: u64 = 256 << 20;

/// The golden partial sums of one op.
#[derive(Debug)]
pub(super) struct Partial {
    /// The op.
    pub op: usize,
    /// Units (features, channels) of its input from one part to the next.
    step: u32,
    /// Features of a unit.
    width: u32,
    /// By part, from the second on: what the units before it add up to, `[window, feature, row]`.
    sums: Vec<Buffer<u32>>,
}

/// Where the rows of a part begin to differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume<'a> {
    /// The op that takes up golden sums.
    pub op: usize,
    /// The unit of its input that it adds first.
    pub unit: u32,
    /// The first feature of that unit.
    pub feature: u32,
    /// The sums before it, `[window, feature, row]`.
    pub sums: &'a Buffer<u32>,
}

impl Partial {
    /// Adds up the golden sums of an op part by part; `None` where they do not pay, or an op cannot.
    pub(super) fn new(
        shared: &Shared<'_>,
        goldens: &Goldens,
        op: usize,
        bytes: &mut u64,
    ) -> Result<Option<Self>, Error> {
        let Shared { gpu, workload, store, .. } = *shared;
        let rows = u64::from(goldens.rows(shared));
        let Some(Division { step, parts, width }) = division(workload, op, rows, bytes) else {
            return Ok(None);
        };
        let output = &goldens.values[workload.ops[op].output.0];
        let mut sums = Vec::new();
        for part in 1..parts {
            let y = gpu.zeroed("golden partial sums", output.len());
            let inputs = goldens.operands(shared, op);
            let run = goldens.run(shared, (op, Products::Before(part * step)), &inputs, &y);
            gpu.submit(|pass| encode_with(gpu, workload, pass, &run, (store, &goldens.zero)))?;
            sums.push(y);
        }
        Ok(Some(Self { op, step, width, sums }))
    }

    /// The part of the unit that has this feature.
    pub(super) const fn part(&self, feature: u32) -> u32 {
        feature / self.width / self.step
    }

    /// Where the rows of a part begin to differ; `None` for the first one.
    pub(super) fn resume(&self, part: u32) -> Option<Resume<'_>> {
        let sums = self.sums.get(part.checked_sub(1)? as usize)?;
        let unit = part * self.step;
        Some(Resume { op: self.op, unit, feature: unit * self.width, sums })
    }
}

/// How the units of an op's input are divided.
struct Division {
    /// Units of a part.
    step: u32,
    parts: u32,
    /// Features of a unit.
    width: u32,
}

/// How the units of the input of an op are divided whose output has so many rows in all, where that pays and
/// `bytes`, those of the partial sums so far, leave room; adds the op's own to them.
fn division(workload: &Workload, op: usize, rows: u64, bytes: &mut u64) -> Option<Division> {
    let (units, width) = units(workload, op)?;
    let step = units.div_ceil(PARTS);
    let parts = units.div_ceil(step);
    let needed =
        u64::from(parts - 1) * 4 * u64::from(workload.features(workload.ops[op].output)) * rows;
    if parts < 2 || *bytes + needed > BYTES_MAX {
        return None;
    }
    *bytes += needed;
    Some(Division { step, parts, width })
}

/// Bytes of the partial sums of these ops, whose outputs have so many rows in all.
pub(super) fn planned(workload: &Workload, ops: impl IntoIterator<Item = usize>, rows: u64) -> u64 {
    let mut bytes = 0;
    for op in ops {
        let _ = division(workload, op, rows, &mut bytes);
    }
    bytes
}

/// The units of the one value that an op reads and the features of each, where it can leave its sums and has
/// many products to add.
fn units(workload: &Workload, op: usize) -> Option<(u32, u32)> {
    let of = &workload.ops[op];
    let mut values = of.inputs.iter().filter(|value| !workload.is_stored(**value));
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let weight = &workload.values[of.inputs.get(1)?.0];
    let outputs = u64::from(workload.features(of.output));
    let taps = weight.shape[1..].iter().product::<usize>() as u64;
    let splits = of.kind.splits_sums(&of.settings) && outputs * taps >= PRODUCTS_MIN;
    let units = u32::try_from(workload.values[value.0].shape[0]).ok().filter(|_| splits)?;
    Some((units, workload.features(*value) / units))
}

impl Core {
    /// The partial sums of the one op that reads a value.
    pub(super) fn partial(&self, value: ValueId) -> Option<&Partial> {
        let reader = reach::reader(&self.workload, value)?;
        self.golden.partials.iter().find(|partial| partial.op == reader)
    }
}
