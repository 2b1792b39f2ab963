//! One op on the GPU for any operands: whole or some of its output units, few rows or many.

use super::store::{self, Store};
use crate::gpu::{Buffer, Gpu, Operands, Pass};
use crate::op::{Bind, Call, InputPlace, Part, Products, Reach};
use crate::workload::{Role, Workload};

/// An operand: its buffer, its slots by block, and its base and stride in words. A stride of 0 is
/// shared by all blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand<'a> {
    pub buffer: &'a Buffer<u32>,
    pub slots: &'a Buffer<u32>,
    pub base: u32,
    pub stride: u32,
}

/// Where inferences trap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traps<'a> {
    /// Trap words, `[lane, rows + 1]`.
    pub words: &'a Buffer<u32>,
    /// The lane of each block.
    pub lanes: &'a Buffer<u32>,
}

/// One run of an op.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpRun<'a> {
    /// The op.
    pub op: usize,
    /// Rows of a block, padded to quads.
    pub rows: u32,
    /// Blocks.
    pub blocks: u32,
    /// Output units (features of a linear op, channels of the others), where not all of them: an op that
    /// keeps units apart reads as many, one that makes them of stored tensors reads as many of their rows.
    pub units: Option<u32>,
    /// Where those units lie in its output, where that holds all of them.
    pub part: Option<Part>,
    /// Which products it adds.
    pub products: Products,
    /// What it reads, in the order of its inputs; stored tensors lie in one buffer.
    pub inputs: &'a [Operand<'a>],
    /// Its output, `[block, feature, row]`.
    pub y: &'a Buffer<u32>,
    /// Entries of a table that its stored tensor holds, where not all: the first, and how many.
    pub entries: Option<[u32; 2]>,
    /// Where its inferences trap; golden ones do not.
    pub traps: Option<Traps<'a>>,
}

/// Records a run of an op of `workload`; one that only renames its input is none.
pub(super) fn encode(gpu: &Gpu, workload: &Workload, pass: &mut Pass<'_>, run: &OpRun<'_>) {
    let op = &workload.ops[run.op];
    let parts = op.kind.reach(&op.settings);
    let shapes: Vec<Vec<usize>> = (op.inputs.iter())
        .map(|id| {
            let value = &workload.values[id.0];
            let in_part = match value.role {
                Role::Stored(_) => parts == Reach::Units,
                Role::Input | Role::Activation => parts == Reach::Apart,
            };
            let mut shape = value.shape.clone();
            if let (Some(units), true) = (run.units, in_part) {
                shape[0] = units as usize;
            }
            shape
        })
        .collect();
    let places: Vec<InputPlace<'_>> = (run.inputs.iter().zip(&shapes).zip(&op.inputs))
        .map(|((operand, shape), value)| InputPlace {
            shape,
            base: operand.base,
            stride: operand.stride,
            stored: workload.is_stored(*value),
            dtype: workload.values[value.0].dtype,
        })
        .collect();
    let whole = &workload.values[op.output.0].shape;
    let output = match run.units {
        Some(_) => {
            let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
            op.kind.output(&op.settings, &shapes).unwrap_or_else(|_| whole.clone())
        }
        None => whole.clone(),
    };
    let call = Call {
        output: &output,
        part: run.part,
        entries: run.entries,
        blocks: run.blocks,
        products: run.products,
        software: gpu.adapter().software,
        ..workload.call(op, &places, run.rows)
    };
    if let Some(spec) = op.kind.kernel(&call) {
        let inputs: Vec<_> = run.inputs.iter().map(|input| (input.buffer, input.slots)).collect();
        let output = run.y;
        if !spec.bindings.contains(&Bind::Traps) {
            gpu.encode(pass, &spec, Operands { inputs: &inputs, output, traps: None, lanes: None });
            return;
        }
        let (words, lanes);
        let traps = match run.traps {
            Some(traps) => traps,
            None => {
                words = gpu.zeroed("traps", (run.blocks * (run.rows + 1)) as usize);
                lanes = gpu.upload("lanes", &(0..run.blocks).collect::<Vec<u32>>());
                Traps { words: &words, lanes: &lanes }
            }
        };
        let (traps, lanes) = (Some(traps.words), Some(traps.lanes));
        gpu.encode(pass, &spec, Operands { inputs: &inputs, output, traps, lanes });
    }
}

/// Records a run of an op with golden stored tensors, `run.inputs` holding its other operands: piece by piece
/// where the tensors are split. `zero` holds slot 0 for every block.
pub(super) fn encode_with(
    gpu: &Gpu,
    workload: &Workload,
    pass: &mut Pass<'_>,
    run: &OpRun<'_>,
    (store, zero): (&Store, &Buffer<u32>),
) {
    let op = &workload.ops[run.op];
    let tensors: Vec<usize> = store::reads(workload, op).collect();
    let pieces = tensors.first().map_or(1, |tensor| store.pieces(*tensor).len());
    for at in 0..pieces {
        let stored = tensors.iter().map(|tensor| {
            let piece = store.pieces(*tensor)[at];
            Operand { buffer: store.bank(piece.bank), slots: zero, base: piece.base, stride: 0 }
        });
        let inputs: Vec<Operand<'_>> = run.inputs.iter().copied().chain(stored).collect();
        let whole = OpRun { inputs: &inputs, ..*run };
        if pieces == 1 {
            encode(gpu, workload, pass, &whole);
            continue;
        }
        let piece = store.pieces(tensors[0])[at];
        if op.kind.splits_entries() {
            let entries = Some([piece.first, piece.units]);
            encode(gpu, workload, pass, &OpRun { entries, ..whole });
            continue;
        }
        let stride = workload.features(op.output) * run.rows;
        let all = workload.values[op.output.0].shape[0];
        let unit = stride / u32::try_from(all).unwrap_or(u32::MAX).max(1);
        let part = Some(Part { base: piece.first * unit, stride });
        encode(gpu, workload, pass, &OpRun { units: Some(piece.units), part, ..whole });
    }
}
