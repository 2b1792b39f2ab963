//! One trial at a time over golden itself, where the adapter has no room for lanes of their own.
//!
//! The trial's faults strike the golden buffers, the ops run over all rows of its window, and golden is
//! written back and read as a proof. It takes trials that pages do not represent: several sites, or several
//! executions that differ. Its results are those of the direct engine.

use super::super::direct::{Owner, Strikes, landings};
use super::super::footprint::{Received, Target};
use super::super::forward::{OpRun, Operand, Traps, encode_with};
use super::super::{Course, Error, Job, TrialResult};
use super::Core;
use super::pages::narrow;
use super::stored::Found;
use super::trials::{chunk, settle};
use super::wave::{LANES_MAX, after_mismatch};
use crate::gpu::{Binding, Buffer};
use crate::op::Products;
use crate::outcome::InferenceRow;
use crate::scheme::{Guard, Scheme};
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::decision::Rule;
use crate::stage::inject::Strike;
use crate::stage::output_vote::{self, MISMATCH, OutputVoteParams};
use crate::workload::ValueId;
use std::collections::BTreeMap;
use std::ops::Range;

/// The values of one lane.
#[derive(Debug)]
pub(super) struct InPlace {
    /// By value, `[feature, row]`; none of stored tensors, of the input and of what is only flattened.
    values: Vec<Option<Buffer<u32>>>,
    /// The output of each execution.
    outputs: [Buffer<u32>; 3],
    delivered: Buffer<u32>,
    /// `[row]`, and one more.
    zeros: Buffer<u32>,
}

/// What strikes one golden buffer in an execution.
#[derive(Default)]
struct Struck {
    /// (delivered word, word of the buffer).
    patches: Vec<[u32; 2]>,
    strikes: Vec<(Strike, Owner)>,
    /// Golden of every word that is written.
    golden: BTreeMap<u32, u32>,
}

/// A golden buffer: a bank of stored tensors, or the inputs.
type Home = Option<usize>;

/// A trial as its scheme has read its memory.
struct ReadLane<'l> {
    window: u32,
    /// What strikes after the decoders and the voter of reads.
    faults: &'l [Received],
    found: &'l Found,
    delivered: &'l Buffer<u32>,
}

impl InPlace {
    pub(super) fn new(core: &Core) -> Self {
        let words = |value: ValueId| (core.workload.features(value) * core.layout.rows) as usize;
        let made = |value: usize| {
            let op = core.workload.ops.iter().find(|op| op.output == ValueId(value));
            let op = op.filter(|op| !op.kind.is_view())?;
            Some(core.gpu.zeroed("values of one lane", words(op.output)))
        };
        let output = || core.gpu.zeroed("output", words(core.workload.output));
        Self {
            values: (0..core.workload.values.len()).map(made).collect(),
            outputs: [output(), output(), output()],
            delivered: output(),
            zeros: core.gpu.zeroed("nothing", core.layout.rows as usize + 1),
        }
    }
}

impl Core {
    /// Runs trials of a scheme that is taken up one by one; `None` for those that it does not represent.
    pub(super) fn run_in_place(
        &self,
        memory: &InPlace,
        (scheme, course): (&Scheme, Course),
        jobs: &[Job],
    ) -> Result<Vec<Option<TrialResult>>, Error> {
        if scheme.votes_ops() {
            return Ok(jobs.iter().map(|_| None).collect());
        }
        let mut results = Vec::with_capacity(jobs.len());
        for jobs in jobs.chunks(chunk(jobs, LANES_MAX)) {
            results.extend(self.run_few(memory, (scheme, course), jobs)?);
        }
        Ok(results)
    }

    /// The same for as many trials as are read at once.
    fn run_few(
        &self,
        memory: &InPlace,
        (scheme, course): (&Scheme, Course),
        jobs: &[Job],
    ) -> Result<Vec<Option<TrialResult>>, Error> {
        let guarded = scheme.guard == Some(Guard::NonFinite);
        let all = self.read(scheme, course, jobs);
        let (found, delivered) = self.deliver(scheme, &all)?;
        let mut results = Vec::with_capacity(jobs.len());
        for ((trial, window, faults), found) in all.into_iter().zip(&found) {
            let Some(mut faults) = faults else {
                results.push(None);
                continue;
            };
            faults.retain(|fault| self.delivers(scheme, fault).is_none());
            let golden = self.golden.outcomes(guarded, &self.layout, window);
            let mut result = TrialResult::new(trial);
            result.landings.clone_from(&found.landings);
            let lane = ReadLane { window, faults: &faults, found, delivered: &delivered };
            self.run_lane(memory, (scheme, guarded), &lane, golden, &mut result)?;
            settle(scheme, found, golden, &mut result);
            results.push(Some(result));
        }
        Ok(results)
    }

    /// Runs the executions of a lane and judges its inferences.
    fn run_lane(
        &self,
        memory: &InPlace,
        (scheme, guarded): (&Scheme, bool),
        lane: &ReadLane<'_>,
        golden: &[InferenceRow],
        result: &mut TrialResult,
    ) -> Result<(), Error> {
        let rows = self.layout.rows as usize;
        let traps = self.gpu.zeroed("traps", rows + 1);
        let mut strikes = Vec::new();
        let mut written: Vec<(Home, u32, u32)> = Vec::new();
        for execution in 0..scheme.executions() {
            let struck = self.struck(scheme, lane, execution);
            for (home, struck) in &struck {
                written.extend(struck.golden.iter().map(|(at, golden)| (*home, *at, *golden)));
            }
            strikes.extend(self.execute(memory, lane, execution, (struck, &traps))?);
            for (home, at, golden) in &written {
                self.gpu.write(self.golden_buffer(*home), *at as usize, &[*golden]);
            }
        }
        let (outcomes, verdicts) =
            (self.gpu.zeroed("outcomes", rows), self.gpu.zeroed("verdicts", rows));
        self.judge(memory, (scheme, guarded), lane.window, (&traps, &verdicts, &outcomes))?;
        let mut parts: Vec<(&dyn Binding, Range<usize>)> =
            vec![(&outcomes, 0..golden.len()), (&verdicts, 0..golden.len())];
        for strikes in &strikes {
            parts.push((&strikes.before, 0..strikes.count()));
            parts.push((&strikes.after, 0..strikes.count()));
        }
        for (home, at, _) in &written {
            parts.push((self.golden_buffer(*home), *at as usize..*at as usize + 1));
        }
        let mut read = self.gpu.read_ranges(&parts)?.into_iter();
        let mut next = || read.next().unwrap_or_default();
        let (codes, verdicts) = (next(), next());
        for strikes in &strikes {
            let (before, after) = (next(), next());
            let landed = landings(strikes, &before, &after, |_| result.trial)?;
            result.landings.extend(landed.into_iter().map(|(_, landing)| landing));
        }
        if written.iter().any(|(_, _, golden)| next() != [*golden]) {
            return Err(Error::NotRestored { lane: 0 });
        }
        result.rows = codes.into_iter().map(InferenceRow).collect();
        for (row, verdict) in verdicts.into_iter().enumerate() {
            if verdict & MISMATCH != 0 {
                after_mismatch(result, row, golden[row], guarded);
            }
        }
        Ok(())
    }

    fn golden_buffer(&self, home: Home) -> &Buffer<u32> {
        match home {
            Some(bank) => self.store.bank(bank),
            None => &self.golden.values[0],
        }
    }

    /// Where a word of the image lies in golden buffers, and golden of it.
    fn golden_place(&self, word: u32, window: u32) -> (Home, u32, u32) {
        let golden = self.layout.golden_of(&self.workload, &self.windows, (word, window));
        if self.layout.is_input(word) {
            let block = self.workload.features(ValueId(0)) * self.layout.rows;
            return (None, window * block + word - self.layout.weights, golden);
        }
        let (bank, at) = self.store.place(&self.workload, word);
        (Some(bank), at, golden)
    }

    /// What strikes golden buffers before an execution.
    fn struck(
        &self,
        scheme: &Scheme,
        lane: &ReadLane<'_>,
        execution: u32,
    ) -> BTreeMap<Home, Struck> {
        // All executions read an only copy.
        let own_copies = scheme.executions() > 1 && scheme.copies() > 1;
        let reads = |copy: u32| !own_copies || copy == execution;
        let mut struck: BTreeMap<Home, Struck> = BTreeMap::new();
        for patch in lane.found.patches.iter().filter(|patch| reads(patch.copy)) {
            let (home, at, golden) = self.golden_place(patch.word, lane.window);
            let struck = struck.entry(home).or_default();
            struck.patches.push([patch.source, at]);
            struck.golden.insert(at, golden);
        }
        for fault in lane.faults {
            // A copy that several executions read is struck once.
            let first = match fault.target {
                Target::Image { copy } if reads(copy) => own_copies || execution == 0,
                Target::Delivered { execution: struck } if struck == execution => true,
                _ => continue,
            };
            let (home, at, golden) = self.golden_place(fault.word, lane.window);
            let struck = struck.entry(home).or_default();
            let owner = first.then_some((0, fault.fault, fault.replica()));
            struck.strikes.push((Strike::new(0, at, fault.kind, fault.mask), owner));
            struck.golden.insert(at, golden);
        }
        struck
    }

    /// Runs the workload once over struck golden.
    fn execute(
        &self,
        memory: &InPlace,
        lane: &ReadLane<'_>,
        execution: u32,
        (struck, traps): (BTreeMap<Home, Struck>, &Buffer<u32>),
    ) -> Result<Vec<Strikes>, Error> {
        let (gpu, rows, zero) = (&self.gpu, self.layout.rows, &self.golden.zero);
        let upload = |words: usize, strikes: Vec<(Strike, Owner)>| {
            let offsets = [0, narrow(strikes.len())];
            Strikes::listed(gpu, (narrow(words), 1), &offsets, strikes)
        };
        let window = gpu.upload("window", &[lane.window]);
        let unused = gpu.zeroed("traps of strikes", 1);
        let stored = struck.into_iter().map(|(home, struck)| {
            let buffer = self.golden_buffer(home);
            (buffer, struck.patches, upload(buffer.len(), struck.strikes))
        });
        let stored: Vec<_> = stored.collect();
        let on_op = |index: usize, words: usize| {
            let of_op =
                |fault: &&Received| fault.target == Target::Activation { execution, op: index };
            let strike =
                |fault: &Received| (fault.strike(0), Some((0, fault.fault, fault.replica())));
            upload(words, lane.faults.iter().filter(of_op).map(strike).collect())
        };
        let ops = self.workload.ops.iter().enumerate().filter(|(_, op)| !op.kind.is_view());
        let ops: Vec<_> = ops
            .filter_map(|(index, op)| {
                let y = memory.values[op.output.0].as_ref()?;
                Some((index, y, on_op(index, y.len())))
            })
            .collect();
        let value = |value: ValueId| match &memory.values[self.home(value).0] {
            Some(buffer) => Operand { buffer, slots: zero, base: 0, stride: 0 },
            None => {
                let stride = self.workload.features(ValueId(0)) * rows;
                let buffer = &self.golden.values[0];
                Operand { buffer, slots: &window, base: 0, stride }
            }
        };
        for (at, (index, y, strikes)) in ops.iter().enumerate() {
            // All ops together may take longer than a submission may.
            let submission = gpu.submit(|pass| {
                for (buffer, patches, strikes) in stored.iter().filter(|_| at == 0) {
                    self.encode_spans(pass, patches, 1, lane.delivered, buffer);
                    if let Some(strikes) = strikes {
                        strikes.encode(pass, &self.kernels, buffer, &unused);
                    }
                }
                let op = &self.workload.ops[*index];
                let of_rows = op.inputs.iter().filter(|value| !self.workload.is_stored(**value));
                let inputs: Vec<Operand<'_>> = of_rows.map(|id| value(*id)).collect();
                let run = OpRun {
                    op: *index,
                    rows,
                    blocks: 1,
                    units: None,
                    part: None,
                    products: Products::All,
                    inputs: &inputs,
                    y,
                    entries: None,
                    traps: Some(Traps { words: traps, lanes: zero }),
                };
                encode_with(gpu, &self.workload, pass, &run, (&self.store, zero));
                if let Some(strikes) = strikes {
                    strikes.encode(pass, &self.kernels, y, &unused);
                }
                if at + 1 == ops.len() {
                    let output = value(self.workload.output).buffer;
                    let (to, words) = (&memory.outputs[execution as usize], output.len());
                    pass.copy(output, to, words.min(to.len()));
                }
            })?;
            gpu.wait_for(submission)?;
        }
        let of_stored = stored.into_iter().filter_map(|(_, _, strikes)| strikes);
        Ok(of_stored.chain(ops.into_iter().filter_map(|(_, _, strikes)| strikes)).collect())
    }

    /// Votes on what executions gave, where the scheme does, and judges it.
    fn judge(
        &self,
        memory: &InPlace,
        (scheme, guarded): (&Scheme, bool),
        window: u32,
        (traps, verdicts, outcomes): (&Buffer<u32>, &Buffer<u32>, &Buffer<u32>),
    ) -> Result<(), Error> {
        let (gpu, rows) = (&self.gpu, self.layout.rows);
        let rule = Rule::new(self.workload.decision);
        let features = self.workload.output_features();
        let windows = gpu.upload("window", &[window]);
        let [a, b, c] = &memory.outputs;
        let params = OutputVoteParams {
            rows,
            features,
            blocks: 1,
            executions: scheme.executions(),
            retry: 0,
            rule,
            voter: output_vote::voter(scheme.voter),
            pad: [0; 2],
        };
        let vote = (params, gpu.uniform("output vote", &params));
        let guard = guarded.into();
        let params = ClassifyParams { rows, features, lanes: 1, guard, rule };
        let classify = (params, gpu.uniform("classify", &params));
        let votes = scheme.votes_outputs();
        gpu.submit(|pass| {
            if votes {
                let outputs = if scheme.executions() == 2 { [a, b, b] } else { [a, b, c] };
                let (params, lanes) = ((&vote.0, &vote.1), &self.golden.zero);
                let delivered = &memory.delivered;
                self.kernels.output_vote.encode(pass, params, lanes, outputs, delivered, verdicts);
            }
            let inputs = ClassifyInputs {
                windows: &windows,
                delivered: if votes { &memory.delivered } else { a },
                golden: &self.golden.values[self.home(self.workload.output).0],
                labels: &self.golden.labels,
                alarms: &memory.zeros,
                verdicts,
                traps,
            };
            self.kernels.classify.encode(pass, (&classify.0, &classify.1), inputs, outcomes);
        })?;
        Ok(())
    }
}
