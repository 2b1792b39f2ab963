//! Rows that differ from golden, packed into one block, through the rest of the workload.

use super::super::Error;
use super::super::forward::{OpRun, Operand, Traps, encode_with};
use super::partial::Resume;
use super::wave::WaveSetting;
use super::{Core, reach};
use crate::gpu::{Buffer, Gpu, Pass};
use crate::op::Products;
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::decision::Rule;
use crate::stage::output_vote::{self, OutputVoteParams};
use crate::stage::spread::{SpreadParams, Spreads};
use crate::workload::ValueId;

/// Words of the largest packed value: what a cache holds beside the weights.
pub(super) const VALUE_WORDS: u32 = 1 << 19;
/// The fewest and the most rows of a run.
pub(super) const ROWS: [u32; 2] = [32, 16384];

/// Listed rows and where they begin to differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedRows<'a> {
    /// The value where they do.
    pub entry: ValueId,
    /// The lists, and the slices of slots.
    pub from: Spreads<'a>,
    /// Features of a slice; 0 where the rows are golden so far.
    pub cells: u32,
    /// Where the op that reads the value takes up golden sums, if it does.
    pub resume: Option<Resume<'a>>,
    /// The first of the listed rows.
    pub first: u32,
    /// How many of them.
    pub count: u32,
    /// How what they come to is judged.
    pub setting: &'a WaveSetting<'a>,
}

impl ListedRows<'_> {
    /// Rows of the block: those listed, padded so that wide tiles have no remainder.
    pub(super) const fn padded(&self) -> u32 {
        padded(self.count)
    }
}

/// The rows of a block that holds `count` rows.
pub(super) const fn padded(count: u32) -> u32 {
    count.next_multiple_of(if count > 16 { 32 } else { 4 })
}

/// What follows from a value: the ops that read what changed, and golden that they read beside it.
#[derive(Debug)]
pub(super) struct Downstream {
    ops: Vec<usize>,
    beside: Vec<ValueId>,
    /// Whether an op among them reads indices, which may be out of range.
    traps: bool,
    /// Rows that a run takes.
    pub rows_max: u32,
}

/// Buffers of packed values.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// By value, `[feature, row]`.
    values: Vec<Buffer<u32>>,
    golden: Option<Buffer<u32>>,
    delivered: Option<Buffer<u32>>,
    labels: Option<Buffer<u32>>,
    zeros: Option<Buffer<u32>>,
    /// Runs that took up golden partial sums.
    pub resumed: u64,
}

/// What rows came to, `[row]`.
#[derive(Debug)]
pub(super) struct Judged {
    /// As the classify stage has it.
    pub outcomes: Buffer<u32>,
    /// As the output vote has it, where there is one.
    pub verdicts: Option<Buffer<u32>>,
}

/// A buffer that is at least so long.
pub(super) fn grown<'b, T: bytemuck::Pod>(
    gpu: &Gpu,
    buffer: &'b mut Option<Buffer<T>>,
    label: &'static str,
    len: usize,
) -> &'b Buffer<T> {
    if buffer.as_ref().is_none_or(|buffer| buffer.len() < len) {
        *buffer = None;
    }
    buffer.get_or_insert_with(|| gpu.zeroed(label, len))
}

impl Core {
    /// The value whose buffer holds this one.
    pub(super) fn home(&self, value: ValueId) -> ValueId {
        reach::home(&self.workload, value)
    }

    /// What follows from a value where they differ, and from others that are struck.
    pub(super) fn downstream(&self, entry: ValueId, struck: &[ValueId]) -> Downstream {
        let mut changed = vec![false; self.workload.values.len()];
        changed[self.home(entry).0] = true;
        let (mut ops, mut beside) = (Vec::new(), Vec::new());
        for (index, op) in self.workload.ops.iter().enumerate() {
            let of_rows = |value: &&ValueId| !self.workload.is_stored(**value);
            let inputs = op.inputs.iter().filter(of_rows).map(|value| self.home(*value));
            if op.kind.is_view() || changed[op.output.0] {
                continue;
            }
            if inputs.clone().any(|value| changed[value.0]) {
                beside.extend(inputs.filter(|value| !changed[value.0]));
                ops.push(index);
            } else if struck.contains(&op.output) {
                beside.push(op.output);
            } else {
                continue;
            }
            changed[op.output.0] = true;
        }
        beside.sort_unstable_by_key(|value| value.0);
        beside.dedup();
        let held = |value: &usize| changed[*value] || beside.contains(&ValueId(*value));
        let values = (0..changed.len()).filter(held);
        let widest = values.map(|value| self.workload.features(ValueId(value))).max();
        let rows_max = (VALUE_WORDS / widest.unwrap_or(1)).clamp(ROWS[0], ROWS[1]) / 32 * 32;
        let traps = ops.iter().any(|op| self.workload.reads_indices(*op));
        Downstream { ops, beside, traps, rows_max }
    }

    /// Runs listed rows from where they differ to their outcomes, `[row]`. `strike` records what strikes
    /// a packed value `[feature, row]` before an op reads it.
    pub(super) fn run_rows(
        &self,
        packed: &mut Packed,
        then: &Downstream,
        rows: &ListedRows<'_>,
        strike: impl Fn(&mut Pass<'_>, ValueId, &Buffer<u32>),
    ) -> Result<Judged, Error> {
        let n = rows.padded();
        packed.resumed += u64::from(rows.resume.is_some());
        packed.fit(self, then, rows.entry, n);
        let zeroed = |label| self.gpu.zeroed(label, n as usize);
        let verdicts = rows.setting.vote.is_some().then(|| zeroed("verdicts"));
        let judged = Judged { outcomes: zeroed("outcomes"), verdicts };
        // Of inferences that an index ends.
        let traps = then.traps.then(|| self.gpu.zeroed("traps", n as usize + 1));
        let submission = self.gpu.submit(|pass| {
            let entry = self.home(rows.entry);
            let from = rows.resume.map_or(0, |resume| resume.feature);
            self.encode_spread(pass, rows, (entry, rows.cells, from), &packed.values[entry.0]);
            strike(pass, entry, &packed.values[entry.0]);
            for value in &then.beside {
                self.encode_spread(pass, rows, (*value, 0, 0), &packed.values[value.0]);
                strike(pass, *value, &packed.values[value.0]);
            }
            for op in &then.ops {
                let value = self.workload.ops[*op].output;
                let resume = rows.resume.filter(|resume| resume.op == *op);
                if let Some(Resume { sums, .. }) = resume {
                    let sums = (sums, self.workload.features(value), 0, 0);
                    self.encode_spread_of(pass, rows, sums, &packed.values[value.0]);
                }
                let products = resume.map_or(Products::All, |resume| Products::From(resume.unit));
                self.encode_packed(pass, packed, *op, (n, products, traps.as_ref()));
                strike(pass, value, &packed.values[value.0]);
            }
            self.encode_outcomes(pass, packed, rows, traps.as_ref(), &judged);
        })?;
        // All rows of a wave together may take longer than a submission may.
        self.gpu.wait_for(submission)?;
        Ok(judged)
    }

    /// Records the packing of a value from a feature on: golden, and slices of so many features in place.
    fn encode_spread(
        &self,
        pass: &mut Pass<'_>,
        rows: &ListedRows<'_>,
        (value, cells, from): (ValueId, u32, u32),
        y: &Buffer<u32>,
    ) {
        let golden = (&self.golden.values[value.0], self.workload.features(value), cells, from);
        self.encode_spread_of(pass, rows, golden, y);
    }

    fn encode_spread_of(
        &self,
        pass: &mut Pass<'_>,
        rows: &ListedRows<'_>,
        (golden, features, cells, from): (&Buffer<u32>, u32, u32, u32),
        y: &Buffer<u32>,
    ) {
        let params = SpreadParams {
            quads: rows.padded() / 4,
            features,
            rows: self.layout.rows,
            cells,
            first: rows.first,
            count: rows.count,
            begin: from,
            pad: 0,
        };
        let uniform = self.gpu.uniform("spread", &params);
        let from = Spreads { golden, ..rows.from };
        self.stages.spread.encode(pass, (&params, &uniform), from, y);
    }

    fn encode_packed(
        &self,
        pass: &mut Pass<'_>,
        packed: &Packed,
        index: usize,
        (rows, products, traps): (u32, Products, Option<&Buffer<u32>>),
    ) {
        let op = &self.workload.ops[index];
        let zero = &self.golden.zero;
        let of_rows = op.inputs.iter().filter(|value| !self.workload.is_stored(**value));
        let operand = |value: &ValueId| {
            let buffer = &packed.values[self.home(*value).0];
            Operand { buffer, slots: zero, base: 0, stride: 0 }
        };
        let inputs: Vec<Operand<'_>> = of_rows.map(operand).collect();
        let (inputs, y) = (&inputs[..], &packed.values[op.output.0]);
        let (units, part) = (None, None);
        let traps = traps.map(|words| Traps { words, lanes: zero });
        let run = OpRun {
            op: index,
            rows,
            blocks: 1,
            units,
            part,
            products,
            inputs,
            y,
            entries: None,
            traps,
        };
        encode_with(&self.gpu, &self.workload, pass, &run, (&self.store, zero));
    }

    /// Records what became of each packed row: where executions vote, of the struck one beside golden ones.
    fn encode_outcomes(
        &self,
        pass: &mut Pass<'_>,
        packed: &Packed,
        rows: &ListedRows<'_>,
        traps: Option<&Buffer<u32>>,
        judged: &Judged,
    ) {
        let Packed {
            values,
            golden: Some(golden),
            delivered: Some(delivered),
            labels: Some(labels),
            zeros: Some(zeros),
            ..
        } = packed
        else {
            return;
        };
        let output = self.home(self.workload.output);
        self.encode_spread(pass, rows, (output, 0, 0), golden);
        self.encode_spread_of(pass, rows, (&self.golden.labels, 1, 0, 0), labels);
        let rule = Rule::new(self.workload.decision);
        let (n, features) = (rows.padded(), self.workload.output_features());
        let struck = &values[output.0];
        if let (Some(vote), Some(verdicts)) = (&rows.setting.vote, &judged.verdicts) {
            let params = OutputVoteParams {
                rows: n,
                features,
                blocks: 1,
                executions: vote.executions,
                retry: 0,
                rule,
                voter: output_vote::voter(vote.voter),
                pad: [0; 2],
            };
            let mut outputs = [golden; 3];
            outputs[vote.execution as usize] = struck;
            if vote.executions == 2 {
                outputs[2] = outputs[1];
            }
            let uniform = self.gpu.uniform("output vote", &params);
            let (params, zero) = ((&params, &uniform), &self.golden.zero);
            self.kernels.output_vote.encode(pass, params, zero, outputs, delivered, verdicts);
        }
        let params = ClassifyParams {
            rows: n,
            features,
            lanes: 1,
            guard: rows.setting.guarded.into(),
            rule,
        };
        let uniform = self.gpu.uniform("classify", &params);
        let inputs = ClassifyInputs {
            windows: &self.golden.zero,
            delivered: if judged.verdicts.is_some() { delivered } else { struck },
            golden,
            labels,
            alarms: zeros,
            verdicts: judged.verdicts.as_ref().unwrap_or(zeros),
            traps: traps.unwrap_or(zeros),
        };
        self.kernels.classify.encode(pass, (&params, &uniform), inputs, &judged.outcomes);
    }
}

impl Packed {
    /// Makes room for `rows` rows of all that is packed.
    fn fit(&mut self, core: &Core, then: &Downstream, entry: ValueId, rows: u32) {
        let gpu = &core.gpu;
        let words = |value: ValueId| (core.workload.features(value) * rows) as usize;
        while self.values.len() < core.workload.values.len() {
            self.values.push(gpu.zeroed("packed", 1));
        }
        let outputs = then.ops.iter().map(|op| core.workload.ops[*op].output);
        for value in outputs.chain(then.beside.iter().copied()).chain([core.home(entry)]) {
            if self.values[value.0].len() < words(value) {
                self.values[value.0] = gpu.zeroed("packed", words(value));
            }
        }
        grown(gpu, &mut self.golden, "packed golden", words(core.workload.output));
        grown(gpu, &mut self.delivered, "packed delivered", words(core.workload.output));
        grown(gpu, &mut self.labels, "packed labels", rows as usize);
        grown(gpu, &mut self.zeros, "nothing", rows as usize + 1);
    }
}
