//! Which trials the engine represents, and where in the workload each of them begins to differ.

use super::super::footprint::{Received, Target, received};
use super::super::{Course, Decided, Error, Job, Landing, TrialResult};
use super::pages::{PageLane, narrow};
use super::proof::runs_anyway;
use super::stored::Found;
use super::wave::{ValueLane, Vote, Wave, WaveMemory, WaveSetting, judged, retried};
use super::{Core, WAVE_BYTES_MAX};
use crate::op::Dtype;
use crate::outcome::InferenceRow;
use crate::scheme::{Guard, Scheme, VotePoint};
use crate::workload::ValueId;
use std::collections::BTreeMap;

/// Where the faults of a trial strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    /// Words that one output unit of an op reads.
    Unit { op: usize, unit: u32 },
    /// Words of this value, and of later ones.
    Value(ValueId),
}

impl Site {
    /// Both as one, where that is one.
    fn with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Value(ValueId(a)), Self::Value(ValueId(b))) => {
                Some(Self::Value(ValueId(a.min(b))))
            }
            _ => (self == other).then_some(self),
        }
    }
}

/// What a lane comes to before it runs.
enum LaneSite {
    /// Every execution reads golden.
    Golden,
    /// One site, in one execution where executions differ.
    At(Site, Option<u32>),
    /// More than this engine represents.
    Several,
}

/// The most faults of a trial: more are hardly ever within one unit or value.
const FAULTS_MAX: usize = 64;

/// The most images of struck blocks, which are one dimension of a dispatch.
const IMAGES_MAX: usize = 65_535;

/// How many of these trials can be one chunk of so many at most.
pub(super) fn chunk(jobs: &[Job], lanes: usize) -> usize {
    let faults = jobs.iter().map(|job| job.faults.len()).filter(|faults| *faults <= FAULTS_MAX);
    lanes.min(IMAGES_MAX / (3 * faults.max().unwrap_or(1).max(1)))
}

/// Whether this engine has trials of this scheme and course.
pub(super) fn represents(scheme: &Scheme, course: Course) -> bool {
    let once = course.conditional && course.end_step == course.first_step + 1;
    // A word that is written back between executions may be decoded to another one by the next.
    let rereads =
        scheme.executions() > scheme.copies() && scheme.code.is_some() && scheme.writes_back();
    once && scheme.protect.is_none() && !rereads
}

impl Core {
    /// What one fault strikes; nothing where several ops read its word.
    fn site(&self, fault: &Received) -> Option<Site> {
        match fault.target {
            Target::Activation { op, .. } => Some(Site::Value(self.workload.ops[op].output)),
            Target::Image { .. } | Target::Delivered { .. } => self.site_of_word(fault.word),
        }
    }

    fn site_of_word(&self, word: u32) -> Option<Site> {
        if self.layout.is_input(word) {
            return Some(Site::Value(ValueId(0)));
        }
        self.reach.of(word).map(|(op, unit, _)| Site::Unit { op, unit })
    }

    /// Whether this engine represents a fault under a scheme.
    fn represents(&self, scheme: &Scheme, fault: &Received) -> bool {
        let of_input = matches!(fault.target, Target::Image { .. })
            && self.layout.with_code(scheme.code).is_input(fault.word);
        let activation = matches!(fault.target, Target::Activation { .. });
        // A retry does not bring back an inference that an index ended.
        let indices = self.workload.values[0].dtype == Dtype::U32;
        if indices && scheme.retries() && self.struck_value(fault) == ValueId(0) {
            return false;
        }
        match scheme.redundancy().votes {
            // A bit that is stuck is stuck in the retry too.
            Some(VotePoint::Output) => !(scheme.retries() && fault.is_stuck()),
            // Only what an op reads of stored memory is followed here.
            Some(VotePoint::Op) => !of_input && !activation,
            Some(VotePoint::Read) => !(of_input && scheme.code.is_some()),
            None => true,
        }
    }

    /// (trial, window, faults) of jobs; no faults where there are more or others than this engine represents.
    pub(super) fn read(
        &self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Vec<(u64, u32, Option<Vec<Received>>)> {
        let windows = narrow(self.windows.count());
        let layout = self.layout.with_code(scheme.code);
        let read = |job: &Job| {
            let faults = received(job, scheme, course, &layout, &self.workload);
            let all = job.faults.len() <= FAULTS_MAX
                && faults.iter().all(|fault| self.represents(scheme, fault));
            let window = (job.first_window + course.first_step) % windows;
            (job.trial, window, all.then_some(faults))
        };
        jobs.iter().map(read).collect()
    }

    /// Where a lane differs, from what its memory delivers and what strikes it after that.
    fn lane(&self, scheme: &Scheme, faults: &[Received], found: &Found) -> LaneSite {
        let several = scheme.executions() > 1;
        // All executions read an only copy.
        let copy = |at: u32| Some(at).filter(|_| several && scheme.copies() > 1);
        let execution = |fault: &Received| match fault.target {
            Target::Image { copy: at } => copy(at),
            Target::Delivered { execution } | Target::Activation { execution, .. } => {
                Some(execution).filter(|_| several)
            }
        };
        let struck = faults.iter().map(|fault| (self.site(fault), execution(fault)));
        let patches = found.patches.iter();
        let patched = patches.map(|patch| (self.site_of_word(patch.word), copy(patch.copy)));
        let mut all = struck.chain(patched);
        let Some((Some(first), execution)) = all.next() else {
            let nothing = faults.is_empty() && found.patches.is_empty();
            return if nothing { LaneSite::Golden } else { LaneSite::Several };
        };
        let alike = |site: Site, (next, at): (Option<Site>, Option<u32>)| {
            site.with(next?).filter(|_| at == execution)
        };
        let Some(site) = all.try_fold(first, alike) else { return LaneSite::Several };
        LaneSite::At(site, execution)
    }
}

impl Core {
    /// Runs trials of a scheme that is taken up; `None` for those that must run in full.
    pub(super) fn run_chunk(
        &self,
        memory: &mut WaveMemory,
        (scheme, course): (&Scheme, Course),
        jobs: &[Job],
    ) -> Result<Vec<Option<TrialResult>>, Error> {
        let guarded = scheme.guard == Some(Guard::NonFinite);
        let mut all = self.read(scheme, course, jobs);
        let (found, delivered) = self.deliver(scheme, &all)?;
        let mut results: Vec<Option<TrialResult>> = vec![None; jobs.len()];
        let mut waves: BTreeMap<Option<u32>, Wave> = BTreeMap::new();
        let mut run_anyway = Vec::new();
        let setting = |execution: Option<u32>| WaveSetting {
            guarded,
            vote: execution.filter(|_| scheme.votes_outputs()).map(|execution| Vote {
                executions: scheme.executions(),
                execution,
                voter: scheme.voter,
            }),
            votes_ops: scheme.votes_ops(),
            delivered: &delivered,
        };
        for (job, ((trial, window, faults), found)) in all.iter_mut().zip(&found).enumerate() {
            let (window, Some(mut faults)) = (*window, faults.take()) else { continue };
            faults.retain(|fault| self.delivers(scheme, fault).is_none());
            let lost = found.uncorrectable && scheme.retries();
            let (site, execution) = match self.lane(scheme, &faults, found) {
                LaneSite::Several => continue,
                LaneSite::At(site, execution) if !lost || !faults.is_empty() => {
                    (Some(site), execution)
                }
                _ => (None, None),
            };
            let rows = self.golden.outcomes(guarded, &self.layout, window).to_vec();
            let landings = found.landings.clone();
            let mut result = TrialResult { rows, landings, ..TrialResult::new(*trial) };
            let of_unit = matches!(site, Some(Site::Unit { .. })) && found.patches.is_empty();
            let proof = Some(&faults).filter(|_| of_unit).and_then(|f| self.proof(f, window));
            if let Some((before, after)) = proof.filter(|_| !runs_anyway(*trial)) {
                let (fault, replica) = (faults[0].fault, faults[0].replica());
                result.landings.push(Landing { fault, replica, before, after });
                result.decided = Decided::ByProof;
                results[job] = Some(result);
                continue;
            }
            if proof.is_some() {
                run_anyway.push((job, result.rows.clone()));
            }
            results[job] = Some(result);
            let wave = waves.entry(execution).or_default();
            let patches = found.patches.clone();
            match site {
                None => {}
                Some(Site::Unit { op, unit }) => {
                    wave.push_page(self, op, PageLane { job, window, unit, patches, faults });
                }
                Some(Site::Value(value)) => {
                    wave.push_value(value, ValueLane { job, window, patches, faults });
                }
            }
            if wave.is_full() {
                self.surge(wave, memory, &setting(execution), jobs, &mut results)?;
                *wave = Wave::default();
            }
        }
        for (execution, wave) in &waves {
            self.surge(wave, memory, &setting(*execution), jobs, &mut results)?;
        }
        memory.trim(WAVE_BYTES_MAX);
        for (job, golden) in run_anyway {
            if results[job].as_ref().is_some_and(|result| result.rows != golden) {
                return Err(Error::Proof { trial: jobs[job].trial });
            }
        }
        for (at, found) in found.iter().enumerate() {
            let golden = self.golden.outcomes(guarded, &self.layout, all[at].1);
            if let Some(result) = &mut results[at] {
                settle(scheme, found, golden, result);
            }
        }
        Ok(results)
    }
}

/// Judges the inferences of a trial by what its decoders and voters found, and counts them.
pub(super) fn settle(
    scheme: &Scheme,
    found: &Found,
    golden: &[InferenceRow],
    result: &mut TrialResult,
) {
    let lost = found.uncorrectable;
    if lost && scheme.retries() {
        result.retries = 0;
        (0..golden.len()).for_each(|row| retried(result, row, golden[row]));
    }
    let trap = lost && scheme.copies() == 1;
    if found.alarm || trap || !found.rows.is_empty() {
        for (row, outcome) in (0u32..).zip(&mut result.rows) {
            *outcome = judged(*outcome, found.alarm || found.rows.contains(&row), trap);
        }
    }
    result.rows.iter().for_each(|row| result.tally.add(*row));
}
