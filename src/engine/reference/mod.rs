//! The reference engine: the same trial in plain Rust, one inference's worth of memory at a time.
//!
//! It is the oracle of [`super::direct`]. It follows the words of the experiment in order: faults
//! strike, memory is decoded and voted, the workload runs, outputs are voted, the result is
//! classified, memory is scrubbed. It takes nothing from the direct engine but the layout of an
//! image.

mod memory;
mod trial;

use super::{Course, Engine, Error, Job, Layout, TrialResult, Windows};
use crate::op::bits::is_nan;
use crate::op::{Arithmetic, InputPlace};
use crate::scheme::Scheme;
use crate::workload::{Op, Role, ValueId, Workload};
use memory::SchemeMemory;
use std::sync::Arc;

/// Bits in which NaNs may differ: the sign, and the mantissa but for its first bit, which marks quiet ones.
const NAN_BITS: u32 = 0x803f_ffff;

/// The engine: a workload, its windows and the arithmetic it imitates.
#[derive(Debug)]
pub struct Reference {
    workload: Arc<Workload>,
    windows: Windows,
    layout: Layout,
    arithmetic: Arithmetic,
    /// What the bits are made of in which NaNs that ops give differ; 0 where they are as they come.
    nan_bits: u32,
    golden: Vec<u32>,
    golden_outputs: Vec<u32>,
    /// Whether an op of golden reads an index that is out of range.
    golden_traps: bool,
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
            nan_bits: 0,
            golden,
            golden_outputs: Vec::new(),
            golden_traps: false,
            labels,
        };
        for window in 0..engine.windows.count() {
            let (output, trapped) = engine.forward(&[&engine.image(window)], |_, _| {});
            engine.golden_outputs.extend(output.into_iter().flatten());
            engine.golden_traps |= trapped.contains(&true);
        }
        engine
    }

    /// The same where ops give other NaNs: which one an op gives is the adapter's affair.
    #[must_use]
    pub(super) fn with_nans(self, nan_bits: u32) -> Self {
        Self { nan_bits, ..self }
    }

    /// Golden outputs, `[window, feature, row]`.
    pub fn golden_outputs(&self) -> &[u32] {
        &self.golden_outputs
    }

    /// Whether an op of golden reads an index that is out of range: nothing can be told from such inferences.
    pub(super) fn traps(&self) -> bool {
        self.golden_traps
    }

    /// Whether golden has a NaN anywhere: in a weight, an input, or what an op gives.
    pub(super) fn has_nan(&self) -> bool {
        let any_nan = |words: &[u32]| words.iter().any(|word| f32::from_bits(*word).is_nan());
        (0..self.windows.count()).any(|window| {
            let image = self.image(window);
            let mut found = any_nan(&image);
            let _ = self.forward(&[&image], |_, outputs| found |= any_nan(&outputs[0]));
            found
        })
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

    /// Runs the workload over each image, all of them op by op, and says which rows an index out of range
    /// ended, of any image; `after` may change an op's outputs, one an image, before the next op reads them.
    fn forward(
        &self,
        images: &[&[u32]],
        mut after: impl FnMut(usize, &mut [Vec<u32>]),
    ) -> (Vec<Vec<u32>>, Vec<bool>) {
        let inputs = self.layout.weights as usize..self.layout.check_base() as usize;
        let mut values: Vec<Vec<Vec<u32>>> = vec![Vec::new(); self.workload.values.len()];
        values[0] = images.iter().map(|image| image[inputs.clone()].to_vec()).collect();
        let mut trapped = vec![false; self.layout.rows as usize];
        for (index, op) in self.workload.ops.iter().enumerate() {
            if let Some(below) = self.workload.indices_below(op) {
                let rows = trapped.len();
                for words in values[op.inputs[0].0].iter().flat_map(|words| words.chunks(rows)) {
                    trapped.iter_mut().zip(words).for_each(|(row, word)| *row |= *word >= below);
                }
            }
            let of_image = |(at, image): (usize, &&[u32])| self.op(op, image, at, &values);
            let mut outputs: Vec<Vec<u32>> = images.iter().enumerate().map(of_image).collect();
            after(index, &mut outputs);
            values[op.output.0] = outputs;
        }
        (std::mem::take(&mut values[self.workload.output.0]), trapped)
    }

    /// What an op gives for one image.
    fn op(&self, op: &Op, image: &[u32], at: usize, values: &[Vec<Vec<u32>>]) -> Vec<u32> {
        let workload = &self.workload;
        let of = |value: &ValueId| &workload.values[value.0];
        let words = |value: &ValueId| match of(value).role {
            Role::Stored(tensor) => {
                let from = workload.tensors[tensor].offset as usize;
                &image[from..from + of(value).features() as usize]
            }
            Role::Input | Role::Activation => &values[value.0][at][..],
        };
        let inputs: Vec<&[u32]> = op.inputs.iter().map(words).collect();
        let place = |value: &ValueId| InputPlace {
            shape: &of(value).shape,
            base: 0,
            stride: 0,
            stored: workload.is_stored(*value),
            dtype: of(value).dtype,
        };
        let places: Vec<InputPlace<'_>> = op.inputs.iter().map(place).collect();
        let call = workload.call(op, &places, self.layout.rows);
        let mut outputs = op.kind.computed(&call, self.arithmetic, &inputs);
        // Each op gives other ones in each execution, so that a NaN that passes several is not what it was.
        let place = u32::try_from(3 * op.output.0 + at).unwrap_or(0);
        let bits = self.nan_bits.wrapping_mul(2 * place + 1) & NAN_BITS;
        for word in outputs.iter_mut().filter(|word| is_nan(**word) && is_nan(**word ^ bits)) {
            *word ^= bits;
        }
        outputs
    }
}

impl Engine for Reference {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        let setting = SchemeMemory::new(self, scheme);
        Ok(jobs.iter().map(|job| setting.trial(course, job)).collect())
    }

    fn lanes(&self) -> usize {
        1
    }
}
