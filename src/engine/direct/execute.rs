//! The executions of a step: strikes on what they read and write, votes on what they give, retries.

use super::super::Error;
use super::super::footprint::{Received, Target};
use super::Direct;
use super::batch::{Lane, narrow};
use super::memory::Home;
use super::proof::{Owner, Strikes};
use crate::gpu::{Buffer, Pass};
use crate::scheme::{Scheme, Voter};
use crate::stage::decision::Rule;
use crate::stage::inject::Strike;
use crate::stage::output_vote::{self, MISMATCH, OutputVoteParams};
use crate::stage::vote::{self, VoteParams};
use std::collections::BTreeMap;

/// The strikes of one pass over a step: on stored images, on what is delivered to an execution, and
/// on the output of an op in an execution. Executions that run together are struck as one.
#[derive(Default)]
pub(super) struct StepStrikes {
    image: Option<Strikes>,
    /// Stuck stored bits, which assert themselves after a read that writes back.
    stuck: Option<Strikes>,
    delivered: BTreeMap<u32, Strikes>,
    activations: BTreeMap<(u32, usize), Strikes>,
    /// Stuck bits of an op's output, which assert themselves after the vote on it.
    again: BTreeMap<usize, Strikes>,
}

impl StepStrikes {
    pub(super) fn activation(&self, execution: u32, op: usize) -> Option<&Strikes> {
        self.activations.get(&(execution, op))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Strikes> {
        let values = self.delivered.values().chain(self.activations.values());
        self.image.iter().chain(&self.stuck).chain(values).chain(self.again.values())
    }
}

/// Which faults of a pass strike, and with which (fault, replica) a strike is recorded.
type Choose<'c> = &'c dyn Fn(usize, &Received, u32) -> Option<Option<(u32, u32)>>;

/// Sees an op's outputs before they are voted.
type Look<'l> = &'l mut dyn FnMut(usize, &Buffer<u32>) -> Result<(), Error>;

/// Strikes by block.
type Blocks = Vec<Vec<(Strike, Owner)>>;

impl Direct {
    /// Uploads the strikes of a step and notes which words they touch.
    pub(super) fn prepare(&self, scheme: &Scheme, step: u32, lanes: &mut [Lane]) -> StepStrikes {
        let copies = scheme.copies();
        let mut image = vec![Vec::new(); lanes.len()];
        for (index, lane) in lanes.iter_mut().enumerate() {
            for fault in lane.faults.iter().filter(|f| f.step == step) {
                let Target::Image { copy } = fault.target else { continue };
                let slot = narrow(index) * copies + copy;
                image[index].push((fault.strike(slot), Some((index, fault.fault, copy))));
                lane.touched.extend(self.layout.beside(fault.word));
                if fault.is_stuck() {
                    lane.stuck.push(*fault);
                }
            }
        }
        let all: Vec<usize> = (0..lanes.len()).collect();
        let mut strikes = StepStrikes {
            image: self.strikes(self.layout.image(), image),
            stuck: self.stuck_on_read(scheme, lanes),
            ..StepStrikes::default()
        };
        for execution in 0..scheme.executions() {
            let choose = |_: usize, fault: &Received, struck: u32| {
                (struck == execution).then_some(Some((fault.fault, execution)))
            };
            self.strike_execution(&mut strikes, scheme, (lanes, &all), step, execution, &choose);
        }
        if scheme.votes_ops() {
            let every = |_: usize, fault: &Received, struck: u32| Some(Some((fault.fault, struck)));
            let blocks = self.on_activations(scheme, (lanes, &all), step, &every);
            strikes.activations =
                blocks.into_iter().map(|(op, strikes)| ((0, op), strikes)).collect();
            let stuck = |_: usize, fault: &Received, _: u32| fault.is_stuck().then_some(None);
            strikes.again = self.on_activations(scheme, (lanes, &all), step, &stuck);
        }
        strikes
    }

    /// The stuck bits of all stored images, where reads write back.
    fn stuck_on_read(&self, scheme: &Scheme, lanes: &[Lane]) -> Option<Strikes> {
        let all: Vec<usize> = (0..lanes.len()).collect();
        let writes = scheme.writes_back();
        writes.then(|| self.stuck_strikes(scheme.copies(), lanes, &all)).flatten()
    }

    /// Adds the strikes of the execution that is known as `named`; block i is lane `subset[i]`.
    fn strike_execution(
        &self,
        strikes: &mut StepStrikes,
        scheme: &Scheme,
        (lanes, subset): (&[Lane], &[usize]),
        step: u32,
        named: u32,
        choose: Choose<'_>,
    ) {
        let mut blocks: Blocks = vec![Vec::new(); lanes.len()];
        for lane in subset {
            for fault in lanes[*lane].faults.iter().filter(|f| f.step == step) {
                let Target::Delivered { execution: struck } = fault.target else { continue };
                if let Some(recorded) = choose(*lane, fault, struck) {
                    let execution = named % scheme.executions();
                    let strike = fault.strike(Self::slot(scheme, *lane, execution));
                    let owner = recorded.map(|(fault, replica)| (*lane, fault, replica));
                    blocks[*lane].push((strike, owner));
                }
            }
        }
        let delivered = self.strikes(self.layout.image(), blocks);
        strikes.delivered.extend(delivered.map(|strikes| (named, strikes)));
        if !scheme.votes_ops() {
            let activations = self.on_activations(scheme, (lanes, subset), step, choose);
            let named = activations.into_iter().map(|(op, strikes)| ((named, op), strikes));
            strikes.activations.extend(named);
        }
    }

    /// The strikes on ops' outputs, by op; block i is lane `subset[i]`, three blocks a lane where
    /// executions run together.
    fn on_activations(
        &self,
        scheme: &Scheme,
        (lanes, subset): (&[Lane], &[usize]),
        step: u32,
        choose: Choose<'_>,
    ) -> BTreeMap<usize, Strikes> {
        let together = scheme.votes_ops();
        let mut by_op: BTreeMap<usize, Blocks> = BTreeMap::new();
        for (block, lane) in subset.iter().enumerate() {
            for fault in lanes[*lane].faults.iter().filter(|f| f.step == step) {
                let Target::Activation { execution: struck, op } = fault.target else { continue };
                if let Some(recorded) = choose(*lane, fault, struck) {
                    let owner = recorded.map(|(fault, replica)| (*lane, fault, replica));
                    let blocks = by_op.entry(op).or_insert_with(|| vec![Vec::new(); subset.len()]);
                    let slot = if together { 3 * narrow(block) + struck } else { narrow(block) };
                    blocks[block].push((fault.strike(slot), owner));
                }
            }
        }
        let stride =
            |op: usize| self.workload.features(self.workload.ops[op].output) * self.layout.rows;
        let strikes = |(op, blocks)| Some((op, self.strikes(stride(op), blocks)?));
        by_op.into_iter().filter_map(strikes).collect()
    }

    /// Records what happens to stored memory before a step's inferences: strikes and the read.
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
        pass.clear(&memory.found);
        if let Some(image) = &strikes.image {
            self.encode_strikes(pass, image, &memory.image);
        }
        self.encode_delivery(pass, scheme, count, strikes.stuck.as_ref());
    }

    /// Runs every execution of these lanes of `count`, a submission each, so that none takes longer
    /// than the lane count was measured for. The strikes of execution e are known as `named + e`.
    pub(super) fn executions(
        &self,
        scheme: &Scheme,
        (lanes, count): (&[usize], usize),
        named: u32,
        strikes: &StepStrikes,
    ) -> Result<(), Error> {
        if scheme.votes_ops() {
            return self.execute_together(scheme, count, strikes, &mut |_, _| Ok(()));
        }
        for execution in 0..scheme.executions() {
            self.gpu.submit(|pass| {
                self.encode_read(pass, scheme, count, execution, named + execution, strikes);
                let (image, slots) = self.image_of(scheme, lanes, execution);
                let of_block: Vec<u32> = lanes.iter().map(|lane| narrow(*lane)).collect();
                let of_block = self.gpu.upload("lanes", &of_block);
                for op in 0..self.workload.ops.len() {
                    let blocks = (narrow(lanes.len()), Some(&of_block));
                    self.encode_op(pass, op, image, &slots, blocks, execution);
                    if let Some(strikes) = strikes.activations.get(&(named + execution, op)) {
                        let value = self.workload.ops[op].output;
                        self.encode_strikes(pass, strikes, self.home(value, image, execution));
                    }
                }
            })?;
        }
        Ok(())
    }

    /// Records what an execution reads, where that is its own, and the strikes on it: an execution
    /// without a copy of its own reads memory anew.
    pub(super) fn encode_read(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        execution: u32,
        named: u32,
        strikes: &StepStrikes,
    ) {
        if execution >= scheme.copies() {
            self.encode_delivery(pass, scheme, count, strikes.stuck.as_ref());
        }
        if let Some(strikes) = strikes.delivered.get(&named) {
            self.encode_strikes(pass, strikes, self.delivered(scheme));
        }
    }

    /// Runs the three executions of every lane op by op: each op's outputs are struck, then voted,
    /// and all three go on with the majority; bits that are stuck stay so. `look` sees each op's
    /// outputs before the vote.
    pub(super) fn execute_together(
        &self,
        scheme: &Scheme,
        count: usize,
        strikes: &StepStrikes,
        look: Look<'_>,
    ) -> Result<(), Error> {
        let image = self.delivered(scheme);
        let of_lane = |lane| (0..3).map(move |execution| Self::slot(scheme, lane, execution));
        let slots: Vec<u32> = (0..count).flat_map(of_lane).collect();
        let slots = self.gpu.upload("slots", &slots);
        let lanes: Vec<u32> = (0..3 * narrow(count)).map(|block| block / 3).collect();
        let lanes = self.gpu.upload("lanes", &lanes);
        self.gpu.submit(|pass| {
            for execution in 0..3 {
                self.encode_read(pass, scheme, count, execution, execution, strikes);
            }
        })?;
        for (index, op) in self.workload.ops.iter().enumerate() {
            if op.kind.is_view() {
                continue;
            }
            let home = self.home(op.output, image, 0);
            self.gpu.submit(|pass| {
                let blocks = (3 * narrow(count), Some(&lanes));
                self.encode_op(pass, index, image, &slots, blocks, 0);
                if let Some(strikes) = strikes.activations.get(&(0, index)) {
                    self.encode_strikes(pass, strikes, home);
                }
            })?;
            look(index, home)?;
            self.gpu.submit(|pass| {
                self.encode_op_vote(pass, scheme, count, index, home);
                if let Some(strikes) = strikes.again.get(&index) {
                    self.encode_strikes(pass, strikes, home);
                }
            })?;
        }
        Ok(())
    }

    /// Records the vote over one op's outputs in three executions, which all go on with it.
    fn encode_op_vote(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        index: usize,
        outputs: &Buffer<u32>,
    ) {
        let value = self.workload.ops[index].output;
        let quads = self.workload.features(value) * self.layout.quads();
        let params = VoteParams {
            quads,
            stride: quads,
            lanes: narrow(count),
            repair: 1,
            input_base: 0,
            row_quads: self.layout.quads(),
            word: u32::from(scheme.voter == Voter::Word),
            check_base: quads,
        };
        let memory = &self.memory;
        let last = memory.homes[value.0] == Home::Output;
        let voted = if last { &memory.delivered } else { &memory.voted };
        let uniform = self.gpu.uniform("vote", &params);
        let masks = self.gpu.upload("vote on all", &vote::ALL);
        let found = (voted, &memory.dissent, &memory.alarms);
        self.kernels.vote.encode(pass, (&params, &uniform), (outputs, &masks), found);
    }

    /// The images that an execution reads, and the slot of each lane's.
    pub(super) fn image_of(
        &self,
        scheme: &Scheme,
        lanes: &[usize],
        execution: u32,
    ) -> (&Buffer<u32>, Buffer<u32>) {
        let slots: Vec<u32> =
            lanes.iter().map(|lane| Self::slot(scheme, *lane, execution)).collect();
        (self.delivered(scheme), self.gpu.upload("slots", &slots))
    }

    pub(super) fn encode_output_vote(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        lanes: &[usize],
        retry: u32,
    ) {
        if !scheme.votes_outputs() {
            return;
        }
        let executions = scheme.executions();
        let rule = Rule::new(self.workload.decision);
        let params = OutputVoteParams {
            rows: self.layout.rows,
            features: self.workload.output_features(),
            blocks: narrow(lanes.len()),
            executions,
            retry,
            rule,
            voter: output_vote::voter(scheme.voter),
            pad: [0; 2],
        };
        let memory = &self.memory;
        let [a, b, c] = &memory.outputs;
        let outputs = if executions == 2 { [a, b, b] } else { [a, b, c] };
        let lane_of: Vec<u32> = lanes.iter().map(|lane| narrow(*lane)).collect();
        let lane_of = self.gpu.upload("lanes", &lane_of);
        let uniform = self.gpu.uniform("output vote", &params);
        let (delivered, verdicts) = (&memory.delivered, &memory.verdicts);
        let params = (&params, &uniform);
        self.kernels.output_vote.encode(pass, params, &lane_of, outputs, delivered, verdicts);
    }

    /// Reloads the lanes in which two executions differ and runs those inferences once more.
    pub(super) fn retry(
        &self,
        scheme: &Scheme,
        step: u32,
        lanes: &mut [Lane],
    ) -> Result<Option<StepStrikes>, Error> {
        let rows = self.layout.rows as usize;
        let count = lanes.len();
        let verdicts = self.gpu.read_words(&[(&self.memory.verdicts, count * rows)])?.remove(0);
        let split = |lane: usize, row: u32| verdicts[lane * rows + row as usize] & MISMATCH != 0;
        let splits = |lane: &usize| (0..self.layout.counted).any(|row| split(*lane, row));
        let subset: Vec<usize> = (0..count).filter(splits).collect();
        if subset.is_empty() {
            return Ok(None);
        }
        self.reload(scheme, lanes, &subset)?;
        for lane in &subset {
            let retried = (0..self.layout.counted).filter(|row| split(*lane, *row)).count();
            lanes[*lane].result.retries += narrow(retried);
        }
        let executions = scheme.executions();
        let stuck = self.stuck_on_read(scheme, lanes);
        let mut strikes = StepStrikes { stuck, ..StepStrikes::default() };
        for execution in 0..executions {
            let named = executions + execution;
            let choose = |lane: usize, fault: &Received, struck: u32| {
                if fault.row.is_some_and(|row| !split(lane, row)) {
                    None
                } else if struck == named {
                    Some(Some((fault.fault, named)))
                } else {
                    (fault.is_stuck() && struck == execution).then_some(None)
                }
            };
            self.strike_execution(&mut strikes, scheme, (lanes, &subset), step, named, &choose);
        }
        let others: Vec<usize> = (0..count).filter(|lane| !splits(lane)).collect();
        self.read_again(scheme, lanes, &others, strikes.stuck.as_ref())?;
        self.executions(scheme, (&subset, count), executions, &strikes)?;
        self.gpu.submit(|pass| {
            self.encode_output_vote(pass, scheme, &subset, 1);
            self.encode_findings(pass, scheme, count, true);
            self.encode_result(pass, scheme, count);
        })?;
        Ok(Some(strikes))
    }

    /// Reads memory for a retry. Decoders read every lane: what they write back in the `others`, which are
    /// not retried, is taken back, and what they find there is no finding of the retry.
    fn read_again(
        &self,
        scheme: &Scheme,
        lanes: &[Lane],
        others: &[usize],
        stuck: Option<&Strikes>,
    ) -> Result<(), Error> {
        if !scheme.delivers() {
            return Ok(());
        }
        let (copies, image, memory) = (scheme.copies(), self.layout.image(), &self.memory);
        let slots = |lane: usize| narrow(lane) * copies..(narrow(lane) + 1) * copies;
        let mut written = Vec::new();
        for lane in others.iter().filter(|_| scheme.writes_back()) {
            for word in &lanes[*lane].touched {
                written.extend(slots(*lane).map(|slot| slot * image + word));
            }
        }
        let back: Vec<[u32; 2]> = written.iter().copied().zip(0..).map(<[u32; 2]>::from).collect();
        let counts = others.iter().flat_map(|lane| slots(*lane));
        let counts: Vec<[u32; 2]> =
            counts.flat_map(|slot| [[2 * slot, 0], [2 * slot + 1, 0]]).collect();
        let kept: Buffer<u32> = self.gpu.zeroed("words of lanes without a retry", written.len());
        let zero: Buffer<u32> = self.gpu.zeroed("zero", 1);
        self.gpu.submit(|pass| {
            pass.clear(&memory.found);
            if !written.is_empty() {
                let list = self.gpu.list("words to keep", &written);
                self.kernels.gather.encode(pass, &list, &memory.image, &kept);
            }
            self.encode_delivery(pass, scheme, lanes.len(), stuck);
            for (list, from, to) in [(&back, &kept, &memory.image), (&counts, &zero, &memory.found)]
            {
                if !list.is_empty() {
                    let list = self.gpu.list("words to put back", list);
                    self.kernels.restore.encode(pass, &list, from, to);
                }
            }
        })?;
        Ok(())
    }
}
