//! The workload on the GPU: one dispatch an op.

use super::Direct;
use super::memory::Home;
use crate::gpu::{Buffer, Error, Gpu, Operands, Pass};
use crate::op::{Call, Place};
use crate::stage::checksum::Checksum;
use crate::stage::classify::Classify;
use crate::stage::findings::Findings;
use crate::stage::gather::Gather;
use crate::stage::inject::Inject;
use crate::stage::load::Load;
use crate::stage::output_vote::OutputVote;
use crate::stage::restore::Restore;
use crate::stage::tally::TallyStage;
use crate::stage::vote::Vote;
use crate::workload::ValueId;

/// The kernels of stages, built once for all engines of a campaign. Those of ops are built as they are used.
#[derive(Debug)]
pub struct Kernels {
    pub(super) load: Load,
    pub(super) inject: Inject,
    pub(super) gather: Gather,
    pub(super) restore: Restore,
    pub(super) checksum: Checksum,
    pub(super) vote: Vote,
    pub(super) findings: Findings,
    pub(super) output_vote: OutputVote,
    pub(super) classify: Classify,
    pub(super) tally: TallyStage,
}

impl Kernels {
    /// Builds every pipeline.
    ///
    /// # Errors
    /// Where a shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Ok(Self {
            load: Load::new(gpu)?,
            inject: Inject::new(gpu)?,
            gather: Gather::new(gpu)?,
            restore: Restore::new(gpu)?,
            checksum: Checksum::new(gpu)?,
            vote: Vote::new(gpu)?,
            findings: Findings::new(gpu)?,
            output_vote: OutputVote::new(gpu)?,
            classify: Classify::new(gpu)?,
            tally: TallyStage::new(gpu)?,
        })
    }
}

/// An operand: its buffer, its slots by block, and its place there.
struct Operand<'a> {
    buffer: &'a Buffer<u32>,
    slots: &'a Buffer<u32>,
    place: Place<'a>,
}

impl Direct {
    /// The buffer that holds `value` in this execution.
    pub(super) fn home<'a>(
        &'a self,
        value: ValueId,
        image: &'a Buffer<u32>,
        execution: u32,
    ) -> &'a Buffer<u32> {
        match self.memory.homes[value.0] {
            Home::Image(_) => image,
            Home::Values(index) => &self.memory.values[index],
            Home::Output => &self.memory.outputs[execution as usize],
        }
    }

    fn operand<'a>(
        &'a self,
        value: ValueId,
        image: &'a Buffer<u32>,
        slots: &'a Buffer<u32>,
        execution: u32,
    ) -> Operand<'a> {
        let buffer = self.home(value, image, execution);
        let shape = &self.workload.values[value.0].shape[..];
        match self.memory.homes[value.0] {
            Home::Image(base) => {
                let place = Place { shape, base, stride: self.layout.image() };
                Operand { buffer, slots, place }
            }
            Home::Values(_) | Home::Output => {
                let stride = self.workload.features(value) * self.layout.rows;
                let place = Place { shape, base: 0, stride };
                Operand { buffer, slots: &self.memory.identity, place }
            }
        }
    }

    /// Records op `index` for `blocks` blocks that read the images at `slots`.
    pub(super) fn encode_op(
        &self,
        pass: &mut Pass<'_>,
        index: usize,
        image: &Buffer<u32>,
        slots: &Buffer<u32>,
        blocks: u32,
        execution: u32,
    ) {
        let op = &self.workload.ops[index];
        let operand = |value: &ValueId| self.operand(*value, image, slots, execution);
        let operands: Vec<Operand<'_>> = op.inputs.iter().map(operand).collect();
        let places: Vec<Place<'_>> = operands.iter().map(|operand| operand.place).collect();
        let call = Call {
            blocks,
            software: self.gpu.adapter().software,
            ..self.workload.call(op, &places, self.layout.rows)
        };
        let Some(spec) = op.kind.kernel(&call) else { return };
        let inputs: Vec<_> =
            operands.iter().map(|operand| (operand.buffer, operand.slots)).collect();
        let output = self.home(op.output, image, execution);
        self.gpu.encode(pass, &spec, Operands { inputs: &inputs, output, traps: None });
    }
}
