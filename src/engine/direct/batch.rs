//! One batch: a control lane and a lane a trial, step by step.

use super::super::footprint::{Received, received};
use super::super::{Course, Error, Job, TrialResult};
use super::Direct;
use super::execute::StepStrikes;
use super::proof::{Strikes, landings};
use crate::gpu::{Binding, Pass};
use crate::outcome::{InferenceRow, Outcome, Tally};
use crate::scheme::{Guard, Scheme};
use crate::stage::classify::{ClassifyInputs, ClassifyParams};
use crate::stage::decision::Rule;
use crate::stage::tally::TallyParams;
use std::collections::BTreeSet;

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
        let copies = scheme.copies();
        self.load_step(copies, step, lanes)?;
        let strikes = self.prepare(scheme, step, lanes);
        let dmr = scheme.retries();
        let merged = course.conditional && !dmr;
        let restoration = merged.then(|| self.restoration(copies, lanes));
        let count = lanes.len();
        let all_lanes: Vec<usize> = (0..count).collect();
        self.gpu.submit(|pass| self.encode_stored(pass, scheme, count, &strikes))?;
        self.executions(scheme, (&all_lanes, count), 0, &strikes)?;
        self.gpu.submit(|pass| {
            self.encode_output_vote(pass, scheme, &all_lanes, 0);
            self.encode_findings(pass, scheme, count, false);
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

    /// Records classification and tally.
    pub(super) fn encode_result(&self, pass: &mut Pass<'_>, scheme: &Scheme, count: usize) {
        let memory = &self.memory;
        let rule = Rule::new(self.workload.decision);
        let params = ClassifyParams {
            rows: self.layout.rows,
            features: self.workload.output_features(),
            lanes: narrow(count),
            guard: u32::from(scheme.guard == Some(Guard::NonFinite)),
            rule,
        };
        let windows = self.gpu.upload("windows", &memory.loaded[..count]);
        let single = scheme.executions() == 1;
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
        let all: Vec<&Strikes> = strikes.iter().flat_map(StepStrikes::all).collect();
        let tally_words = size_of::<Tally>() / 4;
        let copies = scheme.copies() as usize;
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
