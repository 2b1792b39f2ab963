//! One batch: a control lane and a lane a trial, step by step.

use super::super::footprint::{Received, Target, received};
use super::super::{Course, Error, Job, TrialResult};
use super::Direct;
use super::proof::{Owner, Strikes, landings};
use crate::gpu::{Binding, Buffer, Pass};
use crate::outcome::{InferenceRow, Outcome, Tally};
use crate::scheme::{Guard, Protection, Scheme};
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::decision;
use crate::stage::inject::Strike;
use crate::stage::output_vote::{MISMATCH, OutputVoteParams};
use crate::stage::tally::TallyParams;
use crate::stage::vote::VoteParams;
use std::collections::{BTreeMap, BTreeSet};

/// A trial in its lane.
pub(super) struct Lane {
    pub faults: Vec<Received>,
    pub first_window: u32,
    /// Words of the image that may differ from golden in some copy.
    pub touched: BTreeSet<u32>,
    /// Faults that assert themselves after every write.
    pub stuck: Vec<Received>,
    pub result: TrialResult,
}

/// The strikes of a step: on images, and on the output of an op in an execution.
pub(super) struct StepStrikes {
    image: Option<Strikes>,
    activations: BTreeMap<(u32, usize), Strikes>,
}

impl StepStrikes {
    pub(super) fn activation(&self, execution: u32, op: usize) -> Option<&Strikes> {
        self.activations.get(&(execution, op))
    }
}

impl Direct {
    pub(super) fn batch(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        let mut lanes = self.lanes_of(scheme, course, jobs);
        let run = self.run_lanes(scheme, course, &mut lanes);
        if run.is_err() {
            self.memory.loaded.clear();
        }
        run?;
        Ok(lanes.into_iter().skip(1).map(|lane| lane.result).collect())
    }

    /// The control lane, then a lane a job.
    pub(super) fn lanes_of(&self, scheme: &Scheme, course: Course, jobs: &[Job]) -> Vec<Lane> {
        let control = Job { trial: u64::MAX, first_window: 0, faults: Vec::new() };
        let lane = |job: &Job| Lane {
            faults: received(job, scheme, course, &self.layout, &self.workload),
            first_window: job.first_window,
            touched: BTreeSet::new(),
            stuck: Vec::new(),
            result: TrialResult::new(job.trial),
        };
        std::iter::once(&control).chain(jobs).map(lane).collect()
    }

    fn run_lanes(
        &mut self,
        scheme: &Scheme,
        course: Course,
        lanes: &mut [Lane],
    ) -> Result<(), Error> {
        for step in course.first_step..course.end_step {
            self.step(scheme, course, step, lanes)?;
        }
        if !course.conditional {
            let sums = self.restore(scheme, lanes)?;
            self.prove_golden(scheme, lanes.len(), &sums)?;
        }
        Ok(())
    }

    pub(super) fn step(
        &mut self,
        scheme: &Scheme,
        course: Course,
        step: u32,
        lanes: &mut [Lane],
    ) -> Result<(), Error> {
        let copies = scheme.protection.copies();
        self.load_step(copies, step, lanes)?;
        let strikes = self.prepare(scheme, step, lanes);
        let dmr = scheme.protection == Protection::Dmr;
        let merged = course.conditional && !dmr;
        let restoration = merged.then(|| self.restoration(copies, lanes));
        let count = lanes.len();
        let all_lanes: Vec<usize> = (0..count).collect();
        self.gpu.submit(|pass| self.encode_stored(pass, scheme, count, &strikes))?;
        self.executions(scheme, &all_lanes, 0, &strikes)?;
        self.gpu.submit(|pass| {
            self.encode_output_vote(pass, scheme, &all_lanes, 0);
            self.encode_result(pass, scheme, count);
            if let Some(list) = &restoration {
                self.encode_restore(pass, copies, count, list);
            }
        })?;
        let mut all = vec![strikes];
        if dmr {
            all.extend(self.retry(scheme, step, lanes)?);
        }
        let sums = self.collect(scheme, lanes, &all, merged)?;
        match sums {
            Some(sums) => {
                lanes.iter_mut().for_each(|lane| lane.touched.clear());
                self.prove_golden(scheme, count, &sums)
            }
            None if course.conditional => {
                let sums = self.restore(scheme, lanes)?;
                self.prove_golden(scheme, count, &sums)
            }
            None => self.maintain(scheme, step, lanes),
        }
    }

    /// Uploads the strikes of a step and notes which words they touch.
    pub(super) fn prepare(&self, scheme: &Scheme, step: u32, lanes: &mut [Lane]) -> StepStrikes {
        let copies = scheme.protection.copies();
        let mut image = vec![Vec::new(); lanes.len()];
        for (index, lane) in lanes.iter_mut().enumerate() {
            for fault in lane.faults.iter().filter(|f| f.step == step) {
                let Target::Image { copy } = fault.target else { continue };
                let slot = narrow(index) * copies + copy;
                image[index].push((fault.strike(slot), Some((index, fault.fault, copy))));
                lane.touched.insert(fault.word);
                if fault.is_stuck() {
                    lane.stuck.push(*fault);
                }
            }
        }
        let executions = 0..scheme.protection.executions();
        let subset: Vec<usize> = (0..lanes.len()).collect();
        let activations = executions
            .flat_map(|e| {
                self.activation_strikes(lanes, &subset, step, e, |_, f, struck| {
                    (struck == e).then_some(Some((f.fault, e)))
                })
            })
            .collect();
        StepStrikes { image: self.strikes(self.layout.image(), image), activations }
    }

    /// The strikes on ops' outputs in `execution`, by op; block i is lane `subset[i]`. `choose`
    /// says whether a fault strikes, and with which (fault, replica) it is recorded.
    fn activation_strikes(
        &self,
        lanes: &[Lane],
        subset: &[usize],
        step: u32,
        execution: u32,
        choose: impl Fn(usize, &Received, u32) -> Option<Option<(u32, u32)>>,
    ) -> Vec<((u32, usize), Strikes)> {
        let mut by_op: BTreeMap<usize, Vec<Vec<(Strike, Owner)>>> = BTreeMap::new();
        for (block, lane) in subset.iter().enumerate() {
            for fault in lanes[*lane].faults.iter().filter(|f| f.step == step) {
                let Target::Activation { execution: struck, op } = fault.target else { continue };
                if let Some(recorded) = choose(*lane, fault, struck) {
                    let owner = recorded.map(|(fault, replica)| (*lane, fault, replica));
                    let blocks = by_op.entry(op).or_insert_with(|| vec![Vec::new(); subset.len()]);
                    blocks[block].push((fault.strike(narrow(block)), owner));
                }
            }
        }
        let stride =
            |op: usize| self.workload.features(self.workload.ops[op].output) * self.layout.rows;
        let strikes = |(op, blocks)| Some(((execution, op), self.strikes(stride(op), blocks)?));
        by_op.into_iter().filter_map(strikes).collect()
    }

    /// Records what happens to stored memory before a step's inferences: strikes and the vote.
    pub(super) fn encode_stored(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        strikes: &StepStrikes,
    ) {
        let memory = &self.memory;
        pass.clear(&memory.alarms);
        pass.clear(&memory.verdicts);
        pass.clear(&memory.traps);
        if let Some(image) = &strikes.image {
            self.encode_strikes(pass, image, &memory.image);
        }
        self.encode_vote(pass, scheme, count, false, &memory.alarms);
    }

    /// Runs every execution of these lanes, a submission each, so that none takes longer than the
    /// lane count was measured for. The strikes of execution e are known as `named + e`.
    fn executions(
        &self,
        scheme: &Scheme,
        lanes: &[usize],
        named: u32,
        strikes: &StepStrikes,
    ) -> Result<(), Error> {
        for execution in 0..scheme.protection.executions() {
            let name = named + execution;
            self.gpu.submit(|pass| {
                let strikes = &strikes.activations;
                self.encode_execution(pass, scheme, lanes, execution, name, strikes);
            })?;
        }
        Ok(())
    }

    /// Records the storage vote, where the scheme has one (or the scrub asks for it).
    pub(super) fn encode_vote(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        repair: bool,
        alarms: &Buffer<u32>,
    ) {
        if scheme.protection != Protection::TmrStorage && !repair {
            return;
        }
        let words = if repair { self.layout.weights } else { self.layout.image() };
        let params = VoteParams {
            quads: words / 4,
            stride: self.layout.image() / 4,
            lanes: narrow(count),
            repair: u32::from(repair),
            input_base: self.layout.weights / 4,
            row_quads: self.layout.quads(),
            pad: [0; 2],
        };
        let uniform = self.gpu.uniform("vote", &params);
        let memory = &self.memory;
        let kernel = &self.kernels.vote;
        kernel.encode(
            pass,
            (&params, &uniform),
            &memory.image,
            &memory.voted,
            &memory.dissent,
            alarms,
        );
    }

    /// Records the workload over the images of copy `execution` of the given lanes; `named` is the
    /// execution's number in the trial, by which its strikes are known.
    pub(super) fn encode_execution(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        lanes: &[usize],
        execution: u32,
        named: u32,
        strikes: &BTreeMap<(u32, usize), Strikes>,
    ) {
        let (image, slots) = self.image_of(scheme, lanes, execution);
        for op in 0..self.workload.ops.len() {
            self.encode_op(pass, op, image, &slots, narrow(lanes.len()), execution);
            if let Some(strikes) = strikes.get(&(named, op)) {
                let value = self.workload.ops[op].output;
                self.encode_strikes(pass, strikes, self.home(value, image, execution));
            }
        }
    }

    /// The images that an execution reads, and the slot of each lane's.
    pub(super) fn image_of(
        &self,
        scheme: &Scheme,
        lanes: &[usize],
        execution: u32,
    ) -> (&Buffer<u32>, Buffer<u32>) {
        let voted = scheme.protection == Protection::TmrStorage;
        let copies = scheme.protection.copies();
        let slot =
            |lane: &usize| if voted { narrow(*lane) } else { narrow(*lane) * copies + execution };
        let slots: Vec<u32> = lanes.iter().map(slot).collect();
        let image = if voted { &self.memory.voted } else { &self.memory.image };
        (image, self.gpu.upload("slots", &slots))
    }

    fn encode_output_vote(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        lanes: &[usize],
        retry: u32,
    ) {
        let executions = scheme.protection.executions();
        if executions < 2 {
            return;
        }
        let (decision, nan, relative) = decision::encode(self.workload.decision);
        let params = OutputVoteParams {
            rows: self.layout.rows,
            features: self.workload.output_features(),
            blocks: narrow(lanes.len()),
            executions,
            retry,
            decision,
            nan,
            relative,
        };
        let memory = &self.memory;
        let [a, b, c] = &memory.outputs;
        let outputs = if executions == 2 { [a, b, b] } else { [a, b, c] };
        let lane_of: Vec<u32> = lanes.iter().map(|lane| narrow(*lane)).collect();
        let lane_of = self.gpu.upload("lanes", &lane_of);
        let uniform = self.gpu.uniform("output vote", &params);
        let (delivered, verdicts) = (&memory.delivered, &memory.verdicts);
        self.kernels.output_vote.encode(
            pass,
            (&params, &uniform),
            &lane_of,
            outputs,
            delivered,
            verdicts,
        );
    }

    /// Records classification and tally.
    fn encode_result(&self, pass: &mut Pass<'_>, scheme: &Scheme, count: usize) {
        let memory = &self.memory;
        let (decision, nan, relative) = decision::encode(self.workload.decision);
        let params = ClassifyParams {
            rows: self.layout.rows,
            features: self.workload.output_features(),
            lanes: narrow(count),
            guard: u32::from(scheme.guard == Some(Guard::NonFinite)),
            decision,
            nan,
            relative,
            pad: 0,
        };
        let windows = self.gpu.upload("windows", &memory.loaded[..count]);
        let single = scheme.protection.executions() == 1;
        let inputs = ClassifyInputs {
            windows: &windows,
            delivered: if single { &memory.outputs[0] } else { &memory.delivered },
            golden: &memory.golden_outputs,
            labels: &memory.labels,
            alarms: &memory.alarms,
            verdicts: &memory.verdicts,
            traps: &memory.traps,
        };
        let uniform = self.gpu.uniform("classify", &params);
        self.kernels.classify.encode(pass, (&params, &uniform), inputs, &memory.outcomes);
        pass.clear(&memory.tallies);
        let params = TallyParams::new(self.layout.rows, self.layout.counted, narrow(count));
        let uniform = self.gpu.uniform("tally", &params);
        self.kernels.tally.encode(pass, (&params, &uniform), &memory.outcomes, &memory.tallies);
    }

    /// Reloads the lanes in which two executions differ and runs those inferences once more.
    fn retry(
        &self,
        scheme: &Scheme,
        step: u32,
        lanes: &mut [Lane],
    ) -> Result<Option<StepStrikes>, Error> {
        let rows = self.layout.rows as usize;
        let verdicts =
            self.gpu.read_words(&[(&self.memory.verdicts, lanes.len() * rows)])?.remove(0);
        let split = |lane: usize, row: u32| verdicts[lane * rows + row as usize] & MISMATCH != 0;
        let splits = |lane: &usize| (0..self.layout.counted).any(|row| split(*lane, row));
        let subset: Vec<usize> = (0..lanes.len()).filter(splits).collect();
        if subset.is_empty() {
            return Ok(None);
        }
        self.reload(scheme, lanes, &subset)?;
        for lane in &subset {
            let retried = (0..self.layout.counted).filter(|row| split(*lane, *row)).count();
            lanes[*lane].result.retries += narrow(retried);
        }
        let executions = scheme.protection.executions();
        let mut strikes = StepStrikes { image: None, activations: BTreeMap::new() };
        for execution in 0..executions {
            let named = executions + execution;
            let choose = |lane: usize, fault: &Received, struck: u32| {
                if !fault.row.is_some_and(|row| split(lane, row)) {
                    None
                } else if struck == named {
                    Some(Some((fault.fault, named)))
                } else {
                    (fault.is_stuck() && struck == execution).then_some(None)
                }
            };
            strikes
                .activations
                .extend(self.activation_strikes(lanes, &subset, step, named, choose));
        }
        let count = lanes.len();
        self.executions(scheme, &subset, executions, &strikes)?;
        self.gpu.submit(|pass| {
            self.encode_output_vote(pass, scheme, &subset, 1);
            self.encode_result(pass, scheme, count);
        })?;
        Ok(Some(strikes))
    }

    /// Reads outcomes, tallies and proofs back and adds them to the lanes' results.
    fn collect(
        &self,
        scheme: &Scheme,
        lanes: &mut [Lane],
        strikes: &[StepStrikes],
        with_sums: bool,
    ) -> Result<Option<Vec<u32>>, Error> {
        let memory = &self.memory;
        let rows = self.layout.rows as usize;
        let counted = self.layout.counted as usize;
        let count = lanes.len();
        let all: Vec<&Strikes> =
            strikes.iter().flat_map(|s| s.image.iter().chain(s.activations.values())).collect();
        let tally_words = size_of::<Tally>() / 4;
        let copies = scheme.protection.copies() as usize;
        let mut parts: Vec<(&dyn Binding, usize)> =
            vec![(&memory.outcomes, count * rows), (&memory.tallies, count * tally_words)];
        for strikes in &all {
            parts.push((&strikes.before, strikes.count()));
            parts.push((&strikes.after, strikes.count()));
        }
        if with_sums {
            parts.push((&memory.sums, count * copies));
        }
        let mut read = self.gpu.read_words(&parts)?;
        let sums = with_sums.then(|| read.pop()).flatten();
        for (index, strikes) in all.iter().enumerate() {
            let (before, after) = (&read[2 + 2 * index], &read[3 + 2 * index]);
            let trials: Vec<u64> = lanes.iter().map(|lane| lane.result.trial).collect();
            for (lane, landing) in landings(strikes, before, after, |lane| trials[lane])? {
                lanes[lane].result.landings.push(landing);
            }
        }
        let tallies: &[Tally] = bytemuck::cast_slice(&read[1]);
        for (index, lane) in lanes.iter_mut().enumerate() {
            let codes = &read[0][index * rows..][..counted];
            let codes: Vec<InferenceRow> = codes.iter().map(|code| InferenceRow(*code)).collect();
            if tallies[index].inferences() as usize != counted {
                return Err(Error::Tally { trial: lane.result.trial });
            }
            lane.result.tally.merge(&tallies[index]);
            lane.result.rows.extend(codes);
        }
        let control = &lanes[0].result;
        let good =
            |row: &InferenceRow| row.outcome() == Outcome::Masked && !row.has(InferenceRow::ALARM);
        if let Some(row) = control.rows.iter().position(|row| !good(row)) {
            return Err(Error::ControlLane { row: narrow(row) });
        }
        Ok(sums)
    }
}

/// A count of lanes, rows or slots, all far below 2³².
#[expect(
    clippy::cast_possible_truncation,
    reason = "lanes and rows are bounded by the adapter's limits"
)]
pub(super) const fn narrow(count: usize) -> u32 {
    count as u32
}
