//! The workload on the GPU: one dispatch an op.

use super::super::shapes::Shapes;
use super::Direct;
use super::memory::Home;
use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::stage::add::Add;
use crate::stage::checksum::Checksum;
use crate::stage::classify::Classify;
use crate::stage::conv2d::Conv2d;
use crate::stage::findings::Findings;
use crate::stage::gather::Gather;
use crate::stage::inject::Inject;
use crate::stage::linear::Linear;
use crate::stage::load::Load;
use crate::stage::max_pool::MaxPool;
use crate::stage::output_vote::OutputVote;
use crate::stage::relu::Relu;
use crate::stage::restore::Restore;
use crate::stage::softmax::Softmax;
use crate::stage::tally::TallyStage;
use crate::stage::vote::Vote;
use crate::workload::{OpKind, ValueId};

/// Every kernel, built once for all engines of a campaign.
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
    linear: Linear,
    conv2d: Conv2d,
    relu: Relu,
    max_pool: MaxPool,
    softmax: Softmax,
    add: Add,
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
            linear: Linear::new(gpu)?,
            conv2d: Conv2d::new(gpu)?,
            relu: Relu::new(gpu)?,
            max_pool: MaxPool::new(gpu)?,
            softmax: Softmax::new(gpu)?,
            add: Add::new(gpu)?,
        })
    }
}

/// An operand: its buffer, its slots by block, and its base and stride in words.
struct Operand<'a> {
    buffer: &'a Buffer<u32>,
    slots: &'a Buffer<u32>,
    base: u32,
    stride: u32,
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
            Home::Image => image,
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
        if self.memory.homes[value.0] == Home::Image {
            Operand { buffer, slots, base: self.layout.weights, stride: self.layout.image() }
        } else {
            let stride = self.workload.features(value) * self.layout.rows;
            Operand { buffer, slots: &self.memory.identity, base: 0, stride }
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
        let shapes = Shapes { workload: &self.workload, layout: &self.layout };
        let input = op.inputs[0];
        let x = self.operand(input, image, slots, execution);
        let y = self.home(op.output, image, execution);
        let w_stride = self.layout.image();
        match op.kind {
            OpKind::Flatten => {}
            OpKind::Linear { weight, bias } => {
                let params = shapes.linear(input, weight, bias, (x.base, w_stride), x.stride);
                let uniform = self.gpu.uniform("linear", &params);
                let places = ((x.buffer, x.slots), (image, slots));
                self.kernels.linear.encode(
                    pass,
                    (&params, &uniform),
                    places.0,
                    places.1,
                    y,
                    blocks,
                );
            }
            OpKind::Conv2d { weight, bias, stride, padding } => {
                let (tensors, steps) = ((weight, bias), (stride, padding));
                let params = shapes.conv2d(input, tensors, steps, (x.base, w_stride), x.stride);
                let uniform = self.gpu.uniform("conv2d", &params);
                let places = ((x.buffer, x.slots), (image, slots));
                self.kernels.conv2d.encode(
                    pass,
                    (&params, &uniform),
                    places.0,
                    places.1,
                    y,
                    blocks,
                );
            }
            OpKind::Relu => {
                let params = shapes.relu(input, x.base, x.stride, blocks);
                let uniform = self.gpu.uniform("relu", &params);
                self.kernels.relu.encode(pass, (&params, &uniform), (x.buffer, x.slots), y, blocks);
            }
            OpKind::MaxPool { size, stride } => {
                let params = shapes.max_pool(input, (size, stride), x.base, x.stride, blocks);
                let uniform = self.gpu.uniform("max_pool", &params);
                self.kernels.max_pool.encode(
                    pass,
                    (&params, &uniform),
                    (x.buffer, x.slots),
                    y,
                    blocks,
                );
            }
            OpKind::Softmax => {
                let params = shapes.softmax(input, x.base, x.stride, blocks);
                let uniform = self.gpu.uniform("softmax", &params);
                self.kernels.softmax.encode(
                    pass,
                    (&params, &uniform),
                    (x.buffer, x.slots),
                    y,
                    blocks,
                );
            }
            OpKind::Add => {
                let b = self.operand(op.inputs[1], image, slots, execution);
                let params = shapes.add(input, (x.base, x.stride), (b.base, b.stride), blocks);
                let uniform = self.gpu.uniform("add", &params);
                let places = ((x.buffer, x.slots), (b.buffer, b.slots));
                self.kernels.add.encode(pass, (&params, &uniform), places.0, places.1, y, blocks);
            }
        }
    }
}
