//! One op on the GPU for any operands: whole or some of its output units, few rows or many.

use crate::gpu::{Buffer, Gpu, Operands, Pass};
use crate::op::{Call, Place, Products, Reach};
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

/// One run of an op.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    /// The op.
    pub op: usize,
    /// Rows of a block, padded to quads.
    pub rows: u32,
    /// Blocks.
    pub blocks: u32,
    /// Output units (features of a linear op, channels of the others), where not all of them: an op that
    /// keeps units apart reads as many, one that makes them of stored tensors reads as many of their rows.
    pub units: Option<u32>,
    /// Which products it adds.
    pub products: Products,
    /// What it reads, in the order of its inputs; stored tensors lie in one buffer.
    pub inputs: &'a [Operand<'a>],
    /// Its output, `[block, feature, row]`.
    pub y: &'a Buffer<u32>,
}

/// Records a run of an op of `workload`; one that only renames its input is none.
pub(super) fn encode(gpu: &Gpu, workload: &Workload, pass: &mut Pass<'_>, run: &Run<'_>) {
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
    let place = |(operand, shape): (&Operand<'_>, _)| (operand.base, operand.stride, shape);
    let places: Vec<Place<'_>> = (run.inputs.iter().zip(&shapes).map(place))
        .map(|(base, stride, shape)| Place { shape, base, stride })
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
        blocks: run.blocks,
        products: run.products,
        software: gpu.adapter().software,
        ..workload.call(op, &places, run.rows)
    };
    if let Some(spec) = op.kind.kernel(&call) {
        let inputs: Vec<_> = run.inputs.iter().map(|input| (input.buffer, input.slots)).collect();
        gpu.encode(pass, &spec, Operands { inputs: &inputs, output: run.y, traps: None });
    }
}
