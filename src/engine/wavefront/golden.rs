//! Golden of every value, on the GPU, and what becomes of an inference that nothing changes.

use super::super::direct::Direct;
use super::super::forward::{Operand, Run, encode};
use super::super::{Error, Layout, Windows};
use super::partial::Partial;
use super::reach::Reach;
use super::rows::ROWS;
use crate::gpu::{Buffer, Gpu};
use crate::op::Products;
use crate::outcome::InferenceRow;
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::decision;
use crate::workload::{Role, Value, ValueId, Workload};

/// Golden values and outcomes of all windows.
#[derive(Debug)]
pub(super) struct Golden {
    /// By value, `[window, feature, row]`. What is only flattened is the same buffer.
    pub values: Vec<Buffer<u32>>,
    /// `[window, row]`.
    pub labels: Buffer<u32>,
    /// One slot, number 0.
    pub zero: Buffer<u32>,
    /// Of the ops for which they are kept.
    pub partials: Vec<Partial>,
    /// By guard, `[window, row]`, rows padded.
    outcomes: [Vec<InferenceRow>; 2],
}

/// The most bytes of golden values.
const BYTES_MAX: u64 = 1 << 30;

impl Golden {
    /// Bytes on the GPU.
    pub(super) fn bytes(&self) -> u64 {
        let values = self.values.iter().map(Buffer::bytes).sum::<u64>();
        values + self.partials.iter().map(Partial::bytes).sum::<u64>()
    }

    /// Whether golden values of all windows, and packed values, fit the adapter.
    pub(super) fn fits(direct: &Direct) -> bool {
        let rows = direct.layout.rows as u64 * direct.windows.count() as u64;
        let bytes = |value: &Value, rows: u64| 4 * u64::from(value.features()) * rows;
        let stored = |value: &&Value| matches!(value.role, Role::Stored(_));
        let of_rows = || direct.workload.values.iter().filter(|value| !stored(value));
        let largest = rows.max(u64::from(ROWS[0]));
        let bound = direct.gpu.binding_bytes_max();
        of_rows().all(|value| bytes(value, largest) <= bound)
            && of_rows().map(|value| bytes(value, rows)).sum::<u64>() <= BYTES_MAX
    }

    /// Runs every window once without faults, all as blocks of one run, with the kernels of the faulty
    /// runs.
    pub(super) fn new(direct: &Direct, reach: &Reach) -> Result<Self, Error> {
        let (gpu, workload, windows) = (&*direct.gpu, &*direct.workload, &direct.windows);
        let layout = direct.layout.with_code(None);
        let count = u32::try_from(windows.count()).unwrap_or(u32::MAX);
        let words = |value: ValueId| (workload.features(value) * layout.rows * count) as usize;
        let all = layout.golden(workload, windows);
        let input = &all[layout.weights as usize..][..words(ValueId(0))];
        let mut values = vec![gpu.upload("golden input", input)];
        let zero = gpu.upload("slot 0", &[0u32]);
        let slots = gpu.upload("windows", &(0..count).collect::<Vec<u32>>());
        for (index, op) in workload.ops.iter().enumerate() {
            if op.kind.is_view() {
                values.push(values[op.inputs[0].0].clone());
                continue;
            }
            let y = gpu.zeroed("golden value", words(op.output));
            let of = |value: &ValueId| golden_operand(direct, &values, (&slots, &zero), *value);
            let inputs: Vec<Operand<'_>> = op.inputs.iter().map(of).collect();
            let (rows, blocks, inputs, products) = (layout.rows, count, &inputs[..], Products::All);
            let run = Run { op: index, rows, blocks, units: None, products, inputs, y: &y };
            gpu.submit(|pass| encode(gpu, workload, pass, &run))?;
            values.push(y);
        }
        let labels = gpu.upload("labels", &layout.labels(workload, windows));
        let outputs = &values[workload.output.0];
        if gpu.read(outputs)? != direct.golden_outputs() {
            return Err(Error::ControlLane { row: 0 });
        }
        let outcomes =
            |guard| outcomes((gpu, direct), (workload, windows, &layout), outputs, &labels, guard);
        let outcomes = [outcomes(0)?, outcomes(1)?];
        let (mut partials, mut bytes) = (Vec::new(), 0);
        for op in reach.readers(workload) {
            partials.extend(Partial::new(direct, (&values, &slots, &zero), op, &mut bytes)?);
        }
        Ok(Self { values, labels, zero, partials, outcomes })
    }

    /// Outcomes of the inferences of a window that nothing changes, padded rows left out.
    pub(super) fn outcomes(&self, guarded: bool, layout: &Layout, window: u32) -> &[InferenceRow] {
        let rows = layout.rows as usize;
        &self.outcomes[usize::from(guarded)][window as usize * rows..][..layout.counted as usize]
    }
}

/// Golden of a value in the window of each slot.
pub(super) fn golden_operand<'a>(
    direct: &'a Direct,
    values: &'a [Buffer<u32>],
    (slots, zero): (&'a Buffer<u32>, &'a Buffer<u32>),
    value: ValueId,
) -> Operand<'a> {
    let workload = &direct.workload;
    match workload.values[value.0].role {
        Role::Stored(tensor) => shared(workload, tensor, direct.stored(), zero),
        Role::Input | Role::Activation => {
            let stride = workload.features(value) * direct.layout().rows;
            Operand { buffer: &values[value.0], slots, base: 0, stride }
        }
    }
}

/// A golden stored tensor, which all blocks share.
pub(super) fn shared<'a>(
    workload: &Workload,
    tensor: usize,
    buffer: &'a Buffer<u32>,
    zero: &'a Buffer<u32>,
) -> Operand<'a> {
    Operand { buffer, slots: zero, base: workload.tensors[tensor].offset, stride: 0 }
}

/// Golden outputs judged by themselves.
fn outcomes(
    (gpu, direct): (&Gpu, &Direct),
    (workload, windows, layout): (&Workload, &Windows, &Layout),
    outputs: &Buffer<u32>,
    labels: &Buffer<u32>,
    guard: u32,
) -> Result<Vec<InferenceRow>, Error> {
    let lanes = u32::try_from(windows.count()).unwrap_or(u32::MAX);
    let (decision, nan, relative) = decision::encode(workload.decision);
    let (rows, features) = (layout.rows, workload.output_features());
    let params = ClassifyParams { rows, features, lanes, guard, decision, nan, relative, pad: 0 };
    let zeroed = |words: u32| gpu.zeroed("nothing", words as usize);
    let (alarms, verdicts, traps) =
        (zeroed(lanes * (rows + 1)), zeroed(lanes * rows), zeroed(lanes));
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
    gpu.submit(|pass| direct.kernels.classify.encode(pass, (&params, &uniform), inputs, &codes))?;
    Ok(gpu.read(&codes)?.into_iter().map(InferenceRow).collect())
}
