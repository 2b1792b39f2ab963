//! The reference engine: the same trial in plain Rust, one inference's worth of memory at a time.
//!
//! It is the oracle of [`super::direct`]. It follows the words of the experiment in order: faults
//! strike, memory is decoded and voted, the workload runs, outputs are voted, the result is
//! classified, memory is scrubbed. It takes nothing from the direct engine but the layout of an
//! image.

mod memory;
mod trial;

use super::shapes::Shapes;
use super::{Course, Engine, Error, Job, Layout, TrialResult, Windows};
use crate::gpu::Arithmetic;
use crate::scheme::Scheme;
use crate::stage::{add, conv2d, linear, max_pool, relu, softmax};
use crate::workload::{NanRule, OpKind, ValueId, Workload};
use memory::Setting;
use std::sync::Arc;

/// The engine: a workload, its windows and the arithmetic it imitates.
#[derive(Debug)]
pub struct Reference {
    workload: Arc<Workload>,
    windows: Windows,
    layout: Layout,
    arithmetic: Arithmetic,
    golden: Vec<u32>,
    golden_outputs: Vec<u32>,
    labels: Vec<u32>,
}

impl Reference {
    /// The engine for `workload` over `windows`, rounding as `arithmetic` does.
    pub fn new(workload: Arc<Workload>, windows: Windows, arithmetic: Arithmetic) -> Self {
        let layout = Layout::new(&workload, &windows);
        let golden = layout.golden(&workload, &windows);
        let labels = layout.labels(&workload, &windows);
        let mut engine = Self {
            workload,
            windows,
            layout,
            arithmetic,
            golden,
            golden_outputs: Vec::new(),
            labels,
        };
        for window in 0..engine.windows.count() {
            let output = engine.forward(&[&engine.image(window)], |_, _| {});
            engine.golden_outputs.extend(output.into_iter().flatten());
        }
        engine
    }

    /// Golden outputs, `[window, feature, row]`.
    pub fn golden_outputs(&self) -> &[u32] {
        &self.golden_outputs
    }

    fn image(&self, window: usize) -> Vec<u32> {
        let mut image = self.golden[..self.layout.weights as usize].to_vec();
        image.extend(self.input(window));
        image
    }

    fn input(&self, window: usize) -> &[u32] {
        let words = self.layout.inputs as usize;
        &self.golden[self.layout.weights as usize + window * words..][..words]
    }

    /// Runs the workload over each image, all of them op by op; `after` may change an op's outputs,
    /// one an image, before the next op reads them.
    fn forward(
        &self,
        images: &[&[u32]],
        mut after: impl FnMut(usize, &mut [Vec<u32>]),
    ) -> Vec<Vec<u32>> {
        let inputs = self.layout.weights as usize..self.layout.check_base() as usize;
        let mut values: Vec<Vec<Vec<u32>>> = vec![Vec::new(); self.workload.values.len()];
        values[0] = images.iter().map(|image| image[inputs.clone()].to_vec()).collect();
        for (index, op) in self.workload.ops.iter().enumerate() {
            let mut outputs: Vec<Vec<u32>> = (images.iter().enumerate())
                .map(|(at, image)| {
                    let x = &values[op.inputs[0].0][at];
                    let second = op.inputs.get(1).map(|v| values[v.0][at].as_slice());
                    self.op(op.kind, image, op.inputs[0], x, second)
                })
                .collect();
            after(index, &mut outputs);
            values[op.output.0] = outputs;
        }
        std::mem::take(&mut values[self.workload.output.0])
    }

    fn op(
        &self,
        kind: OpKind,
        image: &[u32],
        input: ValueId,
        x: &[u32],
        second: Option<&[u32]>,
    ) -> Vec<u32> {
        let shapes = Shapes { workload: &self.workload, layout: &self.layout };
        match kind {
            OpKind::Linear { weight, bias } => {
                let params = shapes.linear(input, weight, bias, (0, 0), 0);
                linear::reference(&params, self.arithmetic, (x, &[0]), (image, &[0]))
            }
            OpKind::Conv2d { weight, bias, stride, padding } => {
                let params = shapes.conv2d(input, (weight, bias), (stride, padding), (0, 0), 0);
                conv2d::reference(&params, self.arithmetic, (x, &[0]), (image, &[0]))
            }
            OpKind::Relu => {
                let zero = self.workload.relu_nan == NanRule::Zero;
                x.iter().map(|word| relu::relu(*word, zero)).collect()
            }
            OpKind::MaxPool { size, stride } => {
                max_pool::reference(&shapes.max_pool(input, (size, stride), 0, 0, 1), (x, &[0]))
            }
            OpKind::Flatten => x.to_vec(),
            OpKind::Softmax => {
                softmax::reference(&shapes.softmax(input, 0, 0, 1), self.arithmetic, (x, &[0]))
            }
            OpKind::Add => {
                let params = shapes.add(input, (0, 0), (0, 0), 1);
                add::reference(&params, (x, &[0]), (second.unwrap_or(x), &[0]))
            }
        }
    }
}

impl Engine for Reference {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        let setting = Setting::new(self, scheme);
        Ok(jobs.iter().map(|job| setting.trial(course, job)).collect())
    }

    fn lanes(&self) -> usize {
        1
    }
}
