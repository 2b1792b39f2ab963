//! The reference engine: the same trial in plain Rust, one inference's worth of memory at a time.
//!
//! It is the oracle of [`super::direct`]. It follows the words of the experiment in order: faults
//! strike, memory is voted, the workload runs, outputs are voted, the result is classified, memory
//! is scrubbed. It takes nothing from the direct engine but the layout of an image.

use super::footprint::{Received, Target, received};
use super::shapes::Shapes;
use super::{Course, Engine, Error, Job, Landing, Layout, TrialResult, Windows};
use crate::gpu::Arithmetic;
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::{Guard, OnDue, Protection, Scheme, ScrubBy};
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::output_vote::{self, OutputVoteParams};
use crate::stage::{self, add, conv2d, decision, linear, max_pool, relu, softmax, vote};
use crate::workload::{NanRule, OpKind, ValueId, Workload};
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

/// The stored memory of one trial under one scheme.
struct Memory {
    copies: Vec<Vec<u32>>,
    stuck: Vec<Received>,
}

impl Memory {
    fn strike(&mut self, fault: &Received) -> (u32, u32) {
        let Target::Image { copy } = fault.target else { return (0, 0) };
        let word = &mut self.copies[copy as usize][fault.word as usize];
        let before = *word;
        *word = fault.kind.apply(before, fault.mask);
        (before, *word)
    }

    /// Stuck bits assert themselves after a write.
    fn assert_stuck(&mut self) {
        for fault in self.stuck.clone() {
            self.strike(&fault);
        }
    }
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
            let output = engine.forward(&engine.image(window), |_, _| {});
            engine.golden_outputs.extend(output);
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

    /// Runs the workload over one image; `strike` may change each op's output before the next op
    /// reads it.
    fn forward(&self, image: &[u32], mut strike: impl FnMut(usize, &mut [u32])) -> Vec<u32> {
        let layout = &self.layout;
        let mut values: Vec<Vec<u32>> = vec![Vec::new(); self.workload.values.len()];
        values[0] = image[layout.weights as usize..].to_vec();
        for (index, op) in self.workload.ops.iter().enumerate() {
            let x = &values[op.inputs[0].0];
            let mut y = self.op(
                op.kind,
                image,
                op.inputs[0],
                x,
                op.inputs.get(1).map(|v| values[v.0].as_slice()),
            );
            strike(index, &mut y);
            values[op.output.0] = y;
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

    fn trial(&self, scheme: &Scheme, course: Course, job: &Job) -> TrialResult {
        let faults = received(job, scheme, course, &self.layout, &self.workload);
        let mut result = TrialResult::new(job.trial);
        let copies = scheme.protection.copies() as usize;
        let mut memory = Memory { copies: vec![self.image(0); copies], stuck: Vec::new() };
        for step in course.first_step..course.end_step {
            let window = (job.first_window + step) as usize % self.windows.count();
            for copy in &mut memory.copies {
                copy.truncate(self.layout.weights as usize);
                copy.extend(self.input(window));
            }
            memory.stuck.retain(|fault| fault.row.is_none());
            let now: Vec<Received> = faults.iter().filter(|f| f.step == step).copied().collect();
            for fault in now.iter().filter(|f| matches!(f.target, Target::Image { .. })) {
                let (before, after) = memory.strike(fault);
                result.landings.push(Landing {
                    fault: fault.fault,
                    replica: fault.replica(),
                    before,
                    after,
                });
                if fault.is_stuck() {
                    memory.stuck.push(*fault);
                }
            }
            let rows = self.step(scheme, &mut memory, window, &now, &mut result);
            rows.iter().for_each(|row| result.tally.add(*row));
            let due = rows.iter().any(|row| row.outcome() == Outcome::Due);
            result.rows.extend(rows);
            if due && scheme.on_due == OnDue::Reload && !course.conditional {
                self.reload(&mut memory, window);
                result.reloads += 1;
            }
            if let Some(scrub) = scheme
                .scrub
                .filter(|s| s.every_steps().is_some_and(|every| (step + 1) % every == 0))
            {
                self.scrub(scrub.by, &mut memory, window, &mut result);
            }
        }
        result
    }

    /// One step's inferences over the memory as it is.
    fn step(
        &self,
        scheme: &Scheme,
        memory: &mut Memory,
        window: usize,
        now: &[Received],
        result: &mut TrialResult,
    ) -> Vec<InferenceRow> {
        let layout = &self.layout;
        let rows = layout.rows as usize;
        let mut alarms = vec![0; rows + 1];
        let mut verdicts = vec![0; rows];
        let mut landings = Vec::new();
        let mut run = |image: &[u32], execution: u32, wanted: &dyn Fn(&Received) -> bool| {
            self.forward(image, |index, y| {
                for fault in now.iter().filter(|f| wanted(f)) {
                    let Target::Activation { execution: struck, op } = fault.target else {
                        continue;
                    };
                    let again =
                        fault.is_stuck() && struck + scheme.protection.executions() == execution;
                    if op == index && (struck == execution || again) {
                        let word = &mut y[fault.word as usize];
                        let before = *word;
                        *word = fault.kind.apply(before, fault.mask);
                        if struck == execution {
                            let replica = fault.replica();
                            landings.push(Landing {
                                fault: fault.fault,
                                replica,
                                before,
                                after: *word,
                            });
                        }
                    }
                }
            })
        };
        let all = |_: &Received| true;
        let mut delivered = match scheme.protection {
            Protection::None => run(&memory.copies[0], 0, &all),
            Protection::TmrStorage => run(&self.voted(&memory.copies, &mut alarms), 0, &all),
            Protection::Dmr | Protection::TmrOutput => Vec::new(),
        };
        let executions = scheme.protection.executions();
        if executions > 1 {
            let mut outputs: Vec<Vec<u32>> =
                (0..executions).map(|e| run(&memory.copies[e as usize], e, &all)).collect();
            delivered = vec![0; outputs[0].len()];
            let params = self.output_vote(executions, 0);
            vote_outputs(&params, &outputs, &mut delivered, &mut verdicts);
            let split: Vec<bool> =
                verdicts.iter().map(|v| v & output_vote::MISMATCH != 0).collect();
            let retried = split[..layout.counted as usize].iter().filter(|s| **s).count();
            if retried > 0 {
                self.reload(memory, window);
                result.reloads += 1;
                result.retries += u32::try_from(retried).unwrap_or(u32::MAX);
                let again = |f: &Received| f.row.is_none_or(|row| split[row as usize]);
                outputs = (0..executions)
                    .map(|e| run(&memory.copies[e as usize], executions + e, &again))
                    .collect();
                let params = OutputVoteParams { retry: 1, ..params };
                vote_outputs(&params, &outputs, &mut delivered, &mut verdicts);
            }
        }
        result.landings.extend(landings);
        let (kind, nan, relative) = decision::encode(self.workload.decision);
        let params = ClassifyParams {
            rows: layout.rows,
            features: self.workload.output_features(),
            lanes: 1,
            guard: u32::from(scheme.guard == Some(Guard::NonFinite)),
            decision: kind,
            nan,
            relative,
            pad: 0,
        };
        let inputs = ClassifyInputs {
            windows: &[u32::try_from(window).unwrap_or(u32::MAX)][..],
            delivered: &delivered,
            golden: &self.golden_outputs,
            labels: &self.labels,
            alarms: &alarms,
            verdicts: &verdicts,
            traps: &[0],
        };
        let codes = stage::classify::reference(&params, inputs);
        codes[..layout.counted as usize].iter().map(|code| InferenceRow(*code)).collect()
    }

    /// The bitwise majority of three copies; dissent counts into `alarms` by row, then weights.
    fn voted(&self, copies: &[Vec<u32>], alarms: &mut [u32]) -> Vec<u32> {
        let rows = self.layout.rows as usize;
        let weights = self.layout.weights as usize;
        (0..copies[0].len())
            .map(|word| {
                let [a, b, c] = [0, 1, 2].map(|copy| copies[copy][word]);
                if a != b || a != c {
                    alarms[if word < weights { rows } else { (word - weights) % rows }] += 1;
                }
                vote::majority3(a, b, c)
            })
            .collect()
    }

    fn reload(&self, memory: &mut Memory, window: usize) {
        let golden = self.image(window);
        memory.copies.iter_mut().for_each(|copy| copy.clone_from(&golden));
        memory.assert_stuck();
    }

    fn scrub(&self, by: ScrubBy, memory: &mut Memory, window: usize, result: &mut TrialResult) {
        let weights = self.layout.weights as usize;
        let wrong = |memory: &Memory, word: usize| {
            memory.copies.iter().any(|c| c[word] != self.golden[word])
        };
        let before: Vec<bool> = (0..weights).map(|word| wrong(memory, word)).collect();
        match by {
            // A campaign's plan refuses scrubs by ECC.
            ScrubBy::Reload | ScrubBy::Ecc => self.reload(memory, window),
            ScrubBy::Vote => {
                for word in 0..weights {
                    let [a, b, c] = [0, 1, 2].map(|copy| memory.copies[copy][word]);
                    let majority = vote::majority3(a, b, c);
                    memory.copies.iter_mut().for_each(|copy| copy[word] = majority);
                }
                memory.assert_stuck();
            }
        }
        for (word, was) in before.iter().enumerate() {
            let is = wrong(memory, word);
            result.scrub_repaired += u64::from(*was && !is);
            result.scrub_uncorrectable += u64::from(is);
        }
    }

    fn output_vote(&self, executions: u32, retry: u32) -> OutputVoteParams {
        let (decision, nan, relative) = decision::encode(self.workload.decision);
        let (rows, features) = (self.layout.rows, self.workload.output_features());
        OutputVoteParams { rows, features, blocks: 1, executions, retry, decision, nan, relative }
    }
}

fn vote_outputs(
    params: &OutputVoteParams,
    outputs: &[Vec<u32>],
    delivered: &mut [u32],
    verdicts: &mut [u32],
) {
    let last = &outputs[outputs.len() - 1];
    output_vote::reference(params, &[0], [&outputs[0], &outputs[1], last], delivered, verdicts);
}

impl Engine for Reference {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        Ok(jobs.iter().map(|job| self.trial(scheme, course, job)).collect())
    }

    fn lanes(&self) -> usize {
        1
    }
}
