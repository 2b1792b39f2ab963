//! Golden of every value, on the GPU, and what becomes of an inference that nothing changes.

use super::super::direct::Kernels;
use super::super::forward::{OpRun, Operand, encode_with};
use super::super::store::Store;
use super::super::{Error, Layout, Windows};
use super::pages::narrow;
use super::partial::Partial;
use super::proof::Zeros;
use super::reach::WordReach;
use super::rows::ROWS;
use crate::gpu::{Buffer, Gpu};
use crate::op::{Dtype, Products};
use crate::outcome::InferenceRow;
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::decision::Rule;
use crate::workload::{ValueId, Workload};

/// What golden is made of.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub gpu: &'a Gpu,
    pub kernels: &'a Kernels,
    pub workload: &'a Workload,
    pub windows: &'a Windows,
    pub layout: &'a Layout,
    pub store: &'a Store,
}

/// Golden values of all windows.
#[derive(Debug)]
pub(super) struct Goldens {
    /// By value, `[window, feature, row]`; none of stored tensors. What is only flattened is the same buffer.
    pub values: Vec<Buffer<u32>>,
    /// The windows, as slots.
    windows: Buffer<u32>,
    /// One slot, number 0.
    pub zero: Buffer<u32>,
}

/// Golden values and outcomes of all windows.
#[derive(Debug)]
pub(super) struct Golden {
    /// By value, `[window, feature, row]`. What is only flattened is the same buffer.
    pub values: Vec<Buffer<u32>>,
    /// `[window, row]`.
    pub labels: Buffer<u32>,
    /// One slot, number 0.
    pub zero: Buffer<u32>,
    /// Outputs, `[window, feature, row]`, rows padded.
    pub outputs: Vec<u32>,
    /// Of the ops for which they are kept.
    pub partials: Vec<Partial>,
    /// Features that are +0.
    pub zeros: Zeros,
    /// By guard, `[window, row]`, rows padded.
    outcomes: [Vec<InferenceRow>; 2],
}

impl Golden {
    /// Bytes of golden values of all windows; refuses what one binding does not reach.
    pub(super) fn values_bytes(
        gpu: &Gpu,
        workload: &Workload,
        windows: &Windows,
    ) -> Result<u64, Error> {
        let layout = Layout::new(workload, windows);
        let rows = u64::from(layout.rows) * windows.count() as u64;
        let limit = gpu.binding_bytes_max();
        let mut sum = 0;
        for value in workload.values.iter().filter(|value| value.is_of_rows()) {
            let features = 4 * u64::from(value.features());
            let needed = features * rows.max(u64::from(ROWS[0]));
            if needed > limit {
                let what = format!("golden {} of {} inputs", value.name, windows.inputs.len());
                return Err(Error::TooLarge { what, needed, limit });
            }
            sum += features * rows;
        }
        Ok(sum)
    }

    /// Runs every window once without faults, all as blocks of one run, with the kernels of the faulty
    /// runs.
    pub(super) fn new(shared: &Shared<'_>, reach: &WordReach) -> Result<Self, Error> {
        let Shared { gpu, workload, windows, layout, store, .. } = *shared;
        let count = narrow(windows.count());
        let words = |value: ValueId| (workload.features(value) * layout.rows * count) as usize;
        let inputs = (0..count).flat_map(|window| layout.golden_inputs(workload, windows, window));
        let input = gpu.upload("golden input", &inputs.collect::<Vec<u32>>());
        let mut goldens = Goldens::of(shared, &[input]);
        for (index, op) in workload.ops.iter().enumerate() {
            if op.kind.is_view() {
                goldens.values.push(goldens.values[op.inputs[0].0].clone());
                continue;
            }
            let y = gpu.zeroed("golden value", words(op.output));
            let inputs = goldens.operands(shared, index);
            let run = goldens.run(shared, (index, Products::All), &inputs, &y);
            gpu.submit(|pass| encode_with(gpu, workload, pass, &run, (store, &goldens.zero)))?;
            goldens.values.push(y);
        }
        let labels = gpu.upload("labels", &layout.labels(workload, windows));
        let outputs = &goldens.values[workload.output.0];
        let outcomes = [0, 1].map(|guard| outcomes(shared, outputs, &labels, guard));
        let [bare, guarded] = outcomes;
        let (mut partials, mut bytes) = (Vec::new(), 0);
        for op in reach.readers(workload) {
            partials.extend(Partial::new(shared, &goldens, op, &mut bytes)?);
        }
        let zeros =
            Zeros::new(gpu, workload, reach, &goldens.values, (layout.rows, layout.counted))?;
        let outputs = gpu.read(outputs)?;
        let Goldens { values, zero, .. } = goldens;
        let outcomes = [bare?, guarded?];
        Ok(Self { values, labels, zero, outputs, partials, zeros, outcomes })
    }

    /// Outcomes of the inferences of a window that nothing changes, padded rows left out.
    pub(super) fn outcomes(&self, guarded: bool, layout: &Layout, window: u32) -> &[InferenceRow] {
        let rows = layout.rows as usize;
        &self.outcomes[usize::from(guarded)][window as usize * rows..][..layout.counted as usize]
    }
}

/// Numbers of golden that are no finite floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// The stored tensor or the op that first has such.
    pub name: String,
    /// Infinite ones.
    pub infinite: usize,
    /// NaN.
    pub nan: usize,
}

impl NonFinite {
    /// Those among words of F32.
    pub fn among(name: &str, words: impl Iterator<Item = u32>) -> Option<Self> {
        let mut found = Self { name: name.into(), infinite: 0, nan: 0 };
        for size in words.map(|word| word & 0x7fff_ffff) {
            found.infinite += usize::from(size == 0x7f80_0000);
            found.nan += usize::from(size > 0x7f80_0000);
        }
        (found.infinite + found.nan > 0).then_some(found)
    }
}

impl Golden {
    /// The first stored tensor or op that has numbers which are not finite: the type overflows, or the
    /// network makes such on purpose.
    pub(super) fn non_finite(
        &self,
        gpu: &Gpu,
        workload: &Workload,
        layout: &Layout,
    ) -> Result<Option<NonFinite>, Error> {
        for tensor in workload.tensors.iter().filter(|tensor| tensor.dtype.is_float()) {
            let elements = tensor.shape.iter().product::<usize>();
            let words = (0u32..).take(elements).map(|at| tensor.dtype.widened(&tensor.words, at));
            if let Some(found) = NonFinite::among(&tensor.name, words) {
                return Ok(Some(found));
            }
        }
        let (rows, counted) = (layout.rows as usize, layout.counted as usize);
        for op in workload.ops.iter().filter(|op| !op.kind.is_view()) {
            if workload.values[op.output.0].dtype != Dtype::F32 {
                continue;
            }
            let words = gpu.read(&self.values[op.output.0])?;
            let words = words.into_iter().enumerate().filter(|(at, _)| at % rows < counted);
            if let Some(found) = NonFinite::among(&op.name, words.map(|(_, word)| word)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Goldens {
    /// These values of all windows.
    pub(super) fn of(shared: &Shared<'_>, values: &[Buffer<u32>]) -> Self {
        let Shared { gpu, windows, .. } = *shared;
        let slots: Vec<u32> = (0..narrow(windows.count())).collect();
        Self {
            values: values.to_vec(),
            windows: gpu.upload("windows", &slots),
            zero: gpu.upload("slot 0", &[0u32]),
        }
    }

    /// Golden of what an op reads beside stored tensors, a block a window.
    pub(super) fn operands(&self, shared: &Shared<'_>, op: usize) -> Vec<Operand<'_>> {
        let Shared { workload, layout, .. } = *shared;
        let of_rows = workload.ops[op].inputs.iter().filter(|value| !workload.is_stored(**value));
        let operand = |value: &ValueId| {
            let stride = workload.features(*value) * layout.rows;
            Operand { buffer: &self.values[value.0], slots: &self.windows, base: 0, stride }
        };
        of_rows.map(operand).collect()
    }

    /// Rows of all windows, padded.
    pub(super) fn rows(&self, shared: &Shared<'_>) -> u32 {
        shared.layout.rows * narrow(self.windows.len())
    }

    /// The run of an op over these inputs, a block a window.
    pub(super) fn run<'r>(
        &self,
        shared: &Shared<'_>,
        (op, products): (usize, Products),
        inputs: &'r [Operand<'r>],
        y: &'r Buffer<u32>,
    ) -> OpRun<'r> {
        let (rows, blocks) = (shared.layout.rows, narrow(self.windows.len()));
        OpRun {
            op,
            rows,
            blocks,
            units: None,
            part: None,
            products,
            inputs,
            y,
            entries: None,
            traps: None,
        }
    }
}

/// Golden outputs judged by themselves.
fn outcomes(
    shared: &Shared<'_>,
    outputs: &Buffer<u32>,
    labels: &Buffer<u32>,
    guard: u32,
) -> Result<Vec<InferenceRow>, Error> {
    let Shared { gpu, kernels, workload, windows, layout, .. } = *shared;
    let lanes = narrow(windows.count());
    let rule = Rule::new(workload.decision);
    let (rows, features) = (layout.rows, workload.output_features());
    let params = ClassifyParams { rows, features, lanes, guard, rule };
    let zeroed = |words: u32| gpu.zeroed("nothing", words as usize);
    let (alarms, verdicts, traps) =
        (zeroed(lanes * (rows + 1)), zeroed(lanes * rows), zeroed(lanes * (rows + 1)));
    let windows = gpu.upload("windows", &(0..lanes).collect::<Vec<u32>>());
    let codes = zeroed(lanes * rows);
    let uniform = gpu.uniform("classify", &params);
    let inputs = ClassifyInputs {
        windows: &windows,
        delivered: outputs,
        golden: outputs,
        labels,
        alarms: &alarms,
        verdicts: &verdicts,
        traps: &traps,
    };
    gpu.submit(|pass| kernels.classify.encode(pass, (&params, &uniform), inputs, &codes))?;
    Ok(gpu.read(&codes)?.into_iter().map(InferenceRow).collect())
}
