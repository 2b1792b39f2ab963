//! The workload on the GPU: one dispatch an op.

use super::super::forward::{OpRun, Operand, Traps, encode};
use super::Direct;
use super::memory::Home;
use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::op::Products;
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
    pub(in crate::engine) load: Load,
    pub(in crate::engine) inject: Inject,
    pub(in crate::engine) gather: Gather,
    pub(in crate::engine) restore: Restore,
    pub(in crate::engine) checksum: Checksum,
    pub(in crate::engine) vote: Vote,
    pub(in crate::engine) findings: Findings,
    pub(in crate::engine) output_vote: OutputVote,
    pub(in crate::engine) classify: Classify,
    pub(in crate::engine) tally: TallyStage,
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
            output_vote: OutputVote,
            classify: Classify,
            tally: TallyStage::new(gpu)?,
        })
    }
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
        match self.memory.homes[value.0] {
            Home::Image(base) => Operand { buffer, slots, base, stride: self.layout.image() },
            Home::Values(_) | Home::Output => {
                let stride = self.workload.features(value) * self.layout.rows;
                Operand { buffer, slots: &self.memory.identity, base: 0, stride }
            }
        }
    }

    /// Records op `index` for `blocks` blocks that read the images at `slots`; `lanes` has the lane of each,
    /// where one may trap.
    pub(super) fn encode_op(
        &self,
        pass: &mut Pass<'_>,
        index: usize,
        image: &Buffer<u32>,
        slots: &Buffer<u32>,
        (blocks, lanes): (u32, Option<&Buffer<u32>>),
        execution: u32,
    ) {
        let op = &self.workload.ops[index];
        let operand = |value: &ValueId| self.operand(*value, image, slots, execution);
        let inputs: Vec<Operand<'_>> = op.inputs.iter().map(operand).collect();
        let y = self.home(op.output, image, execution);
        let rows = self.layout.rows;
        let products = Products::All;
        let (units, part) = (None, None);
        let inputs = &inputs[..];
        let traps = lanes.map(|lanes| Traps { words: &self.memory.traps, lanes });
        let run = OpRun {
            op: index,
            rows,
            blocks,
            units,
            part,
            products,
            inputs,
            y,
            entries: None,
            traps,
        };
        encode(&self.gpu, &self.workload, pass, &run);
    }
}
