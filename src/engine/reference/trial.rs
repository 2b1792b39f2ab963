//! One trial, step by step.

use super::memory::{Delivery, SchemeMemory, StoredMemory};
use crate::engine::footprint::{Received, Target, received};
use crate::engine::{Course, Job, Landing, TrialResult};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::memory::voted;
use crate::scheme::{Guard, OnDue};
use crate::stage::classify::{self, ClassifyInputs, ClassifyParams};
use crate::stage::decision::Rule;
use crate::stage::inject;
use crate::stage::output_vote::{self, OutputVoteParams};

/// What the executions of a step give.
struct Executed {
    outputs: Vec<Vec<u32>>,
    /// Whether a decoder met what it cannot correct.
    uncorrectable: bool,
    /// The rows that an index out of range ended.
    trapped: Vec<bool>,
}

/// A step's faults and which of them strike: those of the first pass, or of a retry.
struct Pass<'f> {
    now: &'f [Received],
    /// The number of the first execution in the trial.
    first: u32,
    /// The rows that run.
    rows: Vec<bool>,
}

impl Pass<'_> {
    /// The faults that strike `execution` (counted from the pass's first): in a retry also those
    /// that are stuck since the first pass.
    fn strikes(&self, execution: u32) -> impl Iterator<Item = (&Received, bool)> {
        let named = self.first + execution;
        let runs = |f: &&Received| f.row.is_none_or(|row| self.rows[row as usize]);
        self.now.iter().filter(runs).filter_map(move |fault| match fault.target {
            Target::Image { .. } => None,
            Target::Delivered { execution: struck }
            | Target::Activation { execution: struck, .. } => {
                let again = self.first > 0 && fault.is_stuck() && struck == execution;
                (struck == named || again).then_some((fault, struck == named))
            }
        })
    }
}

/// Strikes a word; a strike that is not a repeated one is kept as a landing.
fn strike(words: &mut [u32], fault: &Received, is_new: bool, landings: &mut Vec<Landing>) {
    let word = &mut words[fault.word as usize];
    let before = *word;
    *word = fault.kind.apply(before, fault.mask);
    if is_new {
        let (fault, replica) = (fault.fault, fault.replica());
        landings.push(Landing { fault, replica, before, after: *word });
    }
}

impl SchemeMemory<'_> {
    pub(super) fn trial(&self, course: Course, job: &Job) -> TrialResult {
        let (engine, scheme) = (self.engine, self.scheme);
        let faults = received(job, scheme, course, &self.layout, &engine.workload);
        let mut result = TrialResult::new(job.trial);
        let mut memory = self.memory(0);
        for step in course.first_step..course.end_step {
            let window = (job.first_window + step) as usize % engine.windows.count();
            self.load_inputs(&mut memory, window);
            let now: Vec<Received> = faults.iter().filter(|f| f.step == step).copied().collect();
            for fault in now.iter().filter(|f| matches!(f.target, Target::Image { .. })) {
                let (before, after) = self.strike(&mut memory, fault);
                let (fault_index, replica) = (fault.fault, fault.replica());
                result.landings.push(Landing { fault: fault_index, replica, before, after });
                if fault.is_stuck() {
                    memory.stuck.push(*fault);
                }
            }
            let rows = self.step(&mut memory, window, &now, &mut result);
            rows.iter().for_each(|row| result.tally.add(*row));
            let due = rows.iter().any(|row| row.outcome() == Outcome::Due);
            result.rows.extend(rows);
            if due && scheme.on_due == OnDue::Reload && !course.conditional {
                self.reload(&mut memory);
                result.reloads += 1;
            }
            let is_due = |every| (step + 1) % every == 0;
            if let Some(scrub) =
                scheme.scrub.as_ref().filter(|s| s.every_steps().is_some_and(is_due))
            {
                self.scrub(scrub.by, &mut memory, &mut result);
            }
        }
        result
    }

    /// One step's inferences over the memory as it is.
    fn step(
        &self,
        memory: &mut StoredMemory,
        window: usize,
        now: &[Received],
        result: &mut TrialResult,
    ) -> Vec<InferenceRow> {
        let layout = &self.layout;
        let rows = layout.rows as usize;
        let mut alarms = vec![0; rows + 1];
        let mut verdicts = vec![0; rows];
        let landings = &mut result.landings;
        let first = Pass { now, first: 0, rows: vec![true; rows] };
        let mut executed = self.execute(memory, &first, &mut alarms, landings);
        let mut trapped = executed.trapped.clone();
        let mut delivered = executed.outputs[0].clone();
        if self.scheme.votes_outputs() {
            self.vote_outputs(0, &executed.outputs, &mut delivered, &mut verdicts);
        }
        if self.scheme.retries() {
            if executed.uncorrectable {
                let mismatch = output_vote::MISMATCH | output_vote::ALARM;
                verdicts.iter_mut().for_each(|verdict| *verdict |= mismatch);
            }
            let split: Vec<bool> =
                verdicts.iter().map(|v| v & output_vote::MISMATCH != 0).collect();
            let retried = split[..layout.counted as usize].iter().filter(|s| **s).count();
            if retried > 0 {
                self.reload(memory);
                result.reloads += 1;
                result.retries += u32::try_from(retried).unwrap_or(u32::MAX);
                let again = Pass { now, first: self.scheme.executions(), rows: split };
                executed = self.execute(memory, &again, &mut alarms, landings);
                trapped.iter_mut().zip(&executed.trapped).for_each(|(row, again)| *row |= again);
                self.vote_outputs(1, &executed.outputs, &mut delivered, &mut verdicts);
            }
        }
        let mut traps: Vec<u32> =
            trapped.iter().map(|row| if *row { inject::TRAP_INDEX } else { 0 }).collect();
        let lost = executed.uncorrectable && self.scheme.copies() < 3;
        traps.push(if lost { inject::TRAP_ECC } else { 0 });
        self.classify(window, &delivered, &alarms, &verdicts, &traps)
    }

    /// Reads memory and runs every execution, strikes on delivered words and on ops' outputs
    /// included. Executions that vote op by op give what they agreed on.
    fn execute(
        &self,
        memory: &mut StoredMemory,
        pass: &Pass<'_>,
        alarms: &mut [u32],
        landings: &mut Vec<Landing>,
    ) -> Executed {
        let executions = self.scheme.executions();
        let mut delivery = self.deliver(memory, alarms);
        if self.scheme.votes_ops() {
            return self.execute_together(delivery, pass, alarms, landings);
        }
        let mut outputs = Vec::new();
        let mut uncorrectable = delivery.uncorrectable;
        let mut trapped = vec![false; self.layout.rows as usize];
        for execution in 0..executions {
            // An execution without a copy of its own reads memory anew.
            if execution >= self.scheme.copies() && self.scheme.delivers() {
                delivery = self.deliver(memory, alarms);
                uncorrectable |= delivery.uncorrectable;
            }
            let image = self.delivered(&delivery, pass, execution, landings);
            let (output, ended) = self.engine.forward(&[&image], |index, outputs| {
                for (fault, is_new) in pass.strikes(execution) {
                    if matches!(fault.target, Target::Activation { op, .. } if op == index) {
                        strike(&mut outputs[0], fault, is_new, landings);
                    }
                }
            });
            outputs.extend(output);
            trapped.iter_mut().zip(ended).for_each(|(row, ended)| *row |= ended);
        }
        Executed { outputs, uncorrectable, trapped }
    }

    /// The image that an execution reads, struck on its way.
    fn delivered(
        &self,
        delivery: &Delivery,
        pass: &Pass<'_>,
        execution: u32,
        landings: &mut Vec<Landing>,
    ) -> Vec<u32> {
        let copy = (execution as usize).min(delivery.images.len() - 1);
        let mut image = delivery.images[copy].clone();
        for (fault, is_new) in pass.strikes(execution) {
            if matches!(fault.target, Target::Delivered { .. }) {
                strike(&mut image, fault, is_new, landings);
            }
        }
        image
    }

    /// Three executions op by op: each op's outputs are struck, then voted, and all three go on
    /// with the majority; bits that are stuck stay so.
    fn execute_together(
        &self,
        delivery: Delivery,
        pass: &Pass<'_>,
        alarms: &mut [u32],
        landings: &mut Vec<Landing>,
    ) -> Executed {
        let images: Vec<Vec<u32>> =
            (0..3).map(|execution| self.delivered(&delivery, pass, execution, landings)).collect();
        let images: Vec<&[u32]> = images.iter().map(Vec::as_slice).collect();
        let rows = self.layout.rows as usize;
        let mut agreed = Vec::new();
        let (_, trapped) = self.engine.forward(&images, |index, outputs| {
            if self.engine.workload.ops[index].kind.is_view() {
                return;
            }
            let struck = |execution: u32| {
                pass.strikes(execution).filter(|(fault, _)| {
                    matches!(fault.target, Target::Activation { op, .. } if op == index)
                })
            };
            for (execution, output) in (0u32..).zip(outputs.iter_mut()) {
                struck(execution)
                    .for_each(|(fault, is_new)| strike(output, fault, is_new, landings));
            }
            agreed = outputs[0].clone();
            for (word, agreed) in agreed.iter_mut().enumerate() {
                let words = [0, 1, 2].map(|execution| outputs[execution][word]);
                let voted = voted(words, u32::MAX, self.scheme.voter);
                *agreed = voted.words[0];
                outputs
                    .iter_mut()
                    .zip(voted.words)
                    .for_each(|(output, voted)| output[word] = voted);
                alarms[word % rows] += u32::from(voted.differ != 0);
            }
            for (execution, output) in (0u32..).zip(outputs.iter_mut()) {
                let stuck = struck(execution).filter(|(fault, _)| fault.is_stuck());
                stuck.for_each(|(fault, _)| strike(output, fault, false, landings));
            }
        });
        Executed { outputs: vec![agreed], uncorrectable: delivery.uncorrectable, trapped }
    }

    fn vote_outputs(
        &self,
        retry: u32,
        outputs: &[Vec<u32>],
        delivered: &mut [u32],
        verdicts: &mut [u32],
    ) {
        let workload = &self.engine.workload;
        let rule = Rule::new(workload.decision);
        let params = OutputVoteParams {
            rows: self.layout.rows,
            features: workload.output_features(),
            blocks: 1,
            executions: self.scheme.executions(),
            retry,
            rule,
            voter: output_vote::voter(self.scheme.voter),
            pad: [0; 2],
        };
        let last = &outputs[outputs.len() - 1];
        let outputs = [&outputs[0][..], &outputs[1], last];
        output_vote::reference(&params, &[0], outputs, delivered, verdicts);
    }

    fn classify(
        &self,
        window: usize,
        delivered: &[u32],
        alarms: &[u32],
        verdicts: &[u32],
        traps: &[u32],
    ) -> Vec<InferenceRow> {
        let engine = self.engine;
        let rule = Rule::new(engine.workload.decision);
        let params = ClassifyParams {
            rows: self.layout.rows,
            features: engine.workload.output_features(),
            lanes: 1,
            guard: u32::from(self.scheme.guard == Some(Guard::NonFinite)),
            rule,
        };
        let inputs = ClassifyInputs {
            windows: &[u32::try_from(window).unwrap_or(u32::MAX)][..],
            delivered,
            golden: &engine.golden_outputs,
            labels: &engine.labels,
            alarms,
            verdicts,
            traps,
        };
        let codes = classify::reference(&params, inputs);
        codes[..self.layout.counted as usize].iter().map(|code| InferenceRow(*code)).collect()
    }
}
