//! The run of a campaign: segments of trials through the engines, scheme by scheme on the same
//! faults, until the plan, the stopping rule, the clock or the user says stop.
//!
//! The runner emits [`Event`]s and hands each [`Completed`] segment to whoever stores it; it knows
//! neither screens nor files.

use super::attribute::events_needed;
use super::event::{Control, Ended, Event, Progress, RECENT_MAX, Recent, SchemeProgress, heed};
pub use super::trial::{FirstError, Trial};
use super::{Campaign, Plan};
use crate::engine::{Engine, Job, Reopening, TrialResult};
use crate::fault::{Fault, Region};
use crate::op::Dtype;
use crate::outcome::Outcome;
use crate::scheme::{self, Scheme};
use crate::stats::looks;
use crate::workload::Workload;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A segment done: every scheme's trials, and the time they took.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The first trial.
    pub first_trial: u64,
    /// Trials of each scheme.
    pub trials: u64,
    /// `[scheme]``[trial]`.
    pub schemes: Vec<Vec<Trial>>,
    /// Seconds that each scheme costs: measured, or what the inferences take in full where the engine
    /// computes only a part of them.
    pub seconds: Vec<f64>,
    /// Trials run at once.
    pub lanes: usize,
}

/// What is counted over the whole campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Each scheme, for screens.
    pub schemes: Vec<SchemeProgress>,
    /// (trials with a wrong answer, trials), `[scheme]``[stratum]`, for the stopping rule.
    pub wrong: Vec<Vec<(u64, u64)>>,
    /// Steps before and with the first error of each trial, by scheme.
    pub armed_steps: Vec<u64>,
}

impl Totals {
    /// Nothing counted yet.
    pub fn new(schemes: usize, strata: usize) -> Self {
        Self {
            schemes: vec![SchemeProgress::default(); schemes],
            wrong: vec![vec![(0, 0); strata]; schemes],
            armed_steps: vec![0; schemes],
        }
    }

    /// Counts one trial: its inferences by outcome, those with an alarm, and its armed steps.
    pub fn count(
        &mut self,
        scheme: usize,
        stratum: usize,
        outcomes: [u32; 7],
        alarms: u32,
        armed_steps: u32,
    ) {
        self.armed_steps[scheme] += u64::from(armed_steps);
        let wrong = u64::from(outcomes[Outcome::CriticalSdc as usize] > 0);
        let total = &mut self.schemes[scheme];
        total.trials += 1;
        total.wrong_trials += wrong;
        total.alarms += u64::from(alarms);
        for (sum, count) in total.outcomes.iter_mut().zip(outcomes) {
            *sum += u64::from(count);
        }
        let pair = &mut self.wrong[scheme][stratum];
        pair.0 += wrong;
        pair.1 += 1;
    }
}

/// What goes wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An engine failed.
    #[error(transparent)]
    Engine(#[from] crate::engine::Error),
    /// A dummy campaign showed something.
    #[error(
        "trial {trial} of scheme {scheme} is {outcome} in a dummy campaign, where every mask is zero"
    )]
    Dummy {
        /// The trial.
        trial: u64,
        /// The scheme's name.
        scheme: String,
        /// What it came to.
        outcome: &'static str,
    },
    /// Whoever stores segments has failed.
    #[error("{0}")]
    Store(String),
}

/// Who listens, stores and steers.
pub struct Links<'a> {
    /// Takes events.
    pub emit: &'a mut dyn FnMut(Event),
    /// Takes segments; waits while storage is behind.
    pub store: &'a mut dyn FnMut(Completed) -> Result<(), String>,
    /// What the user asked for since the last call.
    pub control: &'a mut dyn FnMut() -> Option<Control>,
}

/// A campaign about to run.
pub struct Runner<'a, 'o> {
    campaign: &'a Campaign,
    plan: &'a Plan,
    workload: Arc<Workload>,
    /// One a stratum.
    engines: Reopening<'o>,
    totals: Totals,
    measured: Vec<(f64, u64)>,
    recent: Vec<Recent>,
    trials_run: u64,
    running: Duration,
    stop: bool,
    end: u64,
}

impl<'a, 'o> Runner<'a, 'o> {
    /// A runner of these engines, one a stratum.
    pub fn new(
        campaign: &'a Campaign,
        plan: &'a Plan,
        workload: Arc<Workload>,
        totals: Totals,
        engines: Reopening<'o>,
    ) -> Self {
        Self {
            campaign,
            plan,
            workload,
            engines,
            measured: vec![(0.0, 0); campaign.scheme.len()],
            totals,
            recent: Vec::new(),
            trials_run: 0,
            running: Duration::ZERO,
            stop: false,
            end: plan.trials_max(),
        }
    }

    /// The same, which ends before this trial: a part of the campaign.
    #[must_use]
    pub fn with_end(self, end: u64) -> Self {
        Self { end: end.min(self.end), ..self }
    }

    /// Runs from trial `next` to the end of the campaign.
    ///
    /// # Errors
    /// Where an engine, the store or a dummy campaign fails.
    pub fn run(&mut self, mut next: u64, links: &mut Links<'_>) -> Result<Ended, Error> {
        let stop = &self.campaign.stop;
        let looks = stop.half_width.map_or_else(Vec::new, |_| {
            looks::schedule(self.plan.trials_max(), self.plan.segment_trials())
        });
        while next < self.end {
            // A run that resumes may owe the look at which the earlier one was killed.
            if let Some(half_width) = stop.half_width.filter(|_| looks.contains(&next)) {
                let counts: Vec<(u64, u64)> = self.totals.wrong.iter().flatten().copied().collect();
                let reached = looks::reached(&counts, half_width, stop.alpha);
                (links.emit)(Event::Notice(format!(
                    "look at {next} trials: half-width {half_width} {}",
                    if reached { "reached" } else { "not yet reached" }
                )));
                if reached {
                    return Ok(self.ended(Ended::HalfWidth, links));
                }
            }
            let received = |steps: &u64| *steps as f64 >= self.plan.armed_steps_wanted();
            if self.totals.armed_steps.iter().all(received) {
                return Ok(self.ended(Ended::Fluence, links));
            }
            if self.stop {
                return Ok(self.ended(Ended::Stopped, links));
            }
            if stop.seconds.is_some_and(|limit| self.running.as_secs_f64() >= limit) {
                return Ok(self.ended(Ended::TimeLimit, links));
            }
            let end = (next + self.plan.segment_trials()).min(self.end);
            tracing::debug!(first = next, end, "segment of trials");
            let completed = self.segment(next, end, links)?;
            (links.store)(completed).map_err(Error::Store)?;
            next = end;
        }
        Ok(self.ended(Ended::Trials, links))
    }

    fn ended(&self, ended: Ended, links: &mut Links<'_>) -> Ended {
        (links.emit)(self.progress());
        (links.emit)(Event::Finished(ended));
        ended
    }

    fn segment(&mut self, first: u64, end: u64, links: &mut Links<'_>) -> Result<Completed, Error> {
        let jobs: Vec<(usize, Job)> =
            (first..end).map(|trial| (self.plan.stratum_of(trial), self.plan.job(trial))).collect();
        let campaign = self.campaign;
        let mut schemes = Vec::new();
        let mut seconds = Vec::new();
        for (index, scheme) in campaign.scheme.iter().enumerate() {
            let mut results: Vec<Option<TrialResult>> = vec![None; jobs.len()];
            let mut taken = 0.0;
            for stratum in 0..self.plan.strata().len() {
                let members: Vec<usize> =
                    (0..jobs.len()).filter(|at| jobs[*at].0 == stratum).collect();
                let known = self.inference_s(stratum, scheme, links)?;
                for chunk in members.chunks(self.engines.lanes(stratum).max(1)) {
                    self.heed(links);
                    let batch: Vec<Job> = chunk.iter().map(|at| jobs[*at].1.clone()).collect();
                    let started = Instant::now();
                    let done = self.batch(stratum, scheme, &batch, links)?;
                    let spent = started.elapsed();
                    self.running += spent;
                    let inferences: u32 = done.iter().map(|r| r.tally.inferences()).sum();
                    let cost_s = known.map_or(spent.as_secs_f64(), |s| s * f64::from(inferences));
                    taken += cost_s;
                    for (at, result) in chunk.iter().zip(done) {
                        self.count(
                            index,
                            stratum,
                            &jobs[*at].1,
                            &result,
                            cost_s / batch.len() as f64,
                        )?;
                        results[*at] = Some(result);
                    }
                    (links.emit)(self.progress());
                }
            }
            seconds.push(taken);
            schemes.push(self.trials(&jobs, results));
        }
        self.pair(&mut schemes);
        self.attribute(&mut schemes, links)?;
        Ok(Completed {
            first_trial: first,
            trials: end - first,
            schemes,
            seconds,
            lanes: self.engines.lanes_max(),
        })
    }

    /// Runs one batch.
    fn batch(
        &mut self,
        stratum: usize,
        scheme: &Scheme,
        jobs: &[Job],
        links: &mut Links<'_>,
    ) -> Result<Vec<TrialResult>, Error> {
        let course = self.plan.course();
        let mut tell = |notice| (links.emit)(Event::Notice(notice));
        Ok(self.engines.member(stratum, &mut tell).run(scheme, course, jobs)?)
    }

    /// Seconds that an inference costs under a scheme, where the engine knows it better than the clock.
    fn inference_s(
        &mut self,
        stratum: usize,
        scheme: &Scheme,
        links: &mut Links<'_>,
    ) -> Result<Option<f64>, Error> {
        let course = self.plan.course();
        let mut tell = |notice| (links.emit)(Event::Notice(notice));
        Ok(self.engines.member(stratum, &mut tell).inference_s(scheme, course)?)
    }

    /// Counts a trial and notes it where it is striking; refuses anything but masked in a dummy.
    fn count(
        &mut self,
        scheme: usize,
        stratum: usize,
        job: &Job,
        result: &TrialResult,
        cost_s: f64,
    ) -> Result<(), Error> {
        let worst = result.tally.worst();
        if self.campaign.dummy && (worst != Outcome::Masked || result.tally.alarms > 0) {
            let scheme = self.campaign.scheme[scheme].name.clone();
            return Err(Error::Dummy { trial: result.trial, scheme, outcome: worst.name() });
        }
        let armed = FirstError::of(result, self.plan.course().end_step).armed_steps;
        let tally = &result.tally;
        self.totals.count(scheme, stratum, tally.outcomes, tally.alarms, armed);
        let measured = &mut self.measured[scheme];
        measured.0 += cost_s;
        measured.1 += u64::from(result.tally.inferences());
        self.totals.schemes[scheme].seconds_per_inference = measured.0 / measured.1 as f64;
        self.trials_run += 1;
        if worst.is_striking() {
            let struck = result.landings.first().and_then(|l| job.faults.get(l.fault as usize));
            let fault = struck.map_or_else(String::new, |fault| {
                let place = describe(&self.workload, fault);
                format!("{place}, replica {}", result.landings[0].replica)
            });
            if self.recent.len() == RECENT_MAX {
                self.recent.remove(0);
            }
            self.recent.push(Recent { trial: result.trial, scheme, outcome: worst, fault });
        }
        Ok(())
    }

    fn trials(&self, jobs: &[(usize, Job)], results: Vec<Option<TrialResult>>) -> Vec<Trial> {
        let period = self.plan.exposure().map_or(0.0, |exposure| exposure.inference_period_s);
        let trial = |((stratum, job), result): (&(usize, Job), Option<TrialResult>)| {
            let result = result?;
            let first = result.rows.iter().position(|row| row.outcome() == Outcome::CriticalSdc);
            Some(Trial {
                stratum: *stratum,
                job: job.clone(),
                averted: 0,
                events_needed: 0,
                time_to_critical_s: first.map(|inference| (inference + 1) as f64 * period),
                listed: self.plan.listed(result.trial),
                first_error: FirstError::of(&result, self.plan.course().end_step),
                result,
            })
        };
        jobs.iter().zip(results).filter_map(trial).collect()
    }

    /// Counts the inferences that a scheme delivered right where the baseline's were wrong.
    fn pair(&self, schemes: &mut [Vec<Trial>]) {
        let Some(baseline) = scheme::baseline(&self.campaign.scheme) else { return };
        let bare = schemes[baseline].clone();
        for trials in schemes.iter_mut() {
            for (trial, bare) in trials.iter_mut().zip(&bare) {
                let pairs = trial.result.rows.iter().zip(&bare.result.rows);
                let averted = pairs.filter(|(ours, theirs)| {
                    ours.outcome() <= Outcome::DueRecovered
                        && theirs.outcome() == Outcome::CriticalSdc
                });
                trial.averted = narrow(averted.count());
            }
        }
    }

    /// Finds by replay how many events the failures of a sample needed.
    fn attribute(
        &mut self,
        schemes: &mut [Vec<Trial>],
        links: &mut Links<'_>,
    ) -> Result<(), Error> {
        let sample = self.campaign.faults.attribution_sample();
        let segments = self.plan.trials_max().div_ceil(self.plan.segment_trials());
        let each = u64::from(sample).div_ceil(segments);
        for (index, trials) in schemes.iter_mut().enumerate() {
            let scheme = &self.campaign.scheme[index];
            let failed = trials.iter_mut().filter(|trial| trial.result.tally.wrong());
            for trial in failed.take(usize::try_from(each).unwrap_or(usize::MAX)) {
                self.heed(links);
                let course = self.plan.course();
                let mut tell = |notice| (links.emit)(Event::Notice(notice));
                let mut engine = self.engines.member(trial.stratum, &mut tell);
                trial.events_needed = events_needed(&mut engine, scheme, course, trial)?;
            }
        }
        Ok(())
    }

    /// Does what the user asked for; a pause waits here.
    fn heed(&mut self, links: &mut Links<'_>) {
        self.stop |= heed(links.control);
    }

    fn progress(&self) -> Event {
        let elapsed_s = self.running.as_secs_f64();
        Event::Progress(Box::new(Progress {
            trials: self.totals.schemes.iter().map(|s| s.trials).min().unwrap_or(0),
            elapsed_s,
            trials_per_s: if elapsed_s > 0.0 { self.trials_run as f64 / elapsed_s } else { 0.0 },
            schemes: self.totals.schemes.clone(),
            recent: self.recent.clone(),
        }))
    }
}

/// A fault in words: `fc1.weight[7701] bit 29`.
pub fn describe(workload: &Workload, fault: &Fault) -> String {
    let at = fault.tensor as usize;
    let name = match fault.region {
        Region::Weights | Region::Voted => workload.tensors[at].name.as_str(),
        Region::Input => "input",
        Region::Check => "check words",
        Region::Activations => workload.ops[at].name.as_str(),
    };
    let dtype = match fault.region {
        Region::Weights | Region::Voted => workload.tensors[at].dtype,
        _ => Dtype::F32,
    };
    let (element, mask) = dtype.element(fault.index, fault.mask);
    struck_bits(name, element.into(), mask)
}

/// Struck bits of a word of a tensor or an op's output: `fc1.weight[7701] bit 29`.
pub fn struck_bits(name: &str, index: u64, mask: u32) -> String {
    let bits: Vec<String> =
        (0..32).filter(|bit| mask >> bit & 1 == 1).map(|bit| bit.to_string()).collect();
    let bits = if bits.is_empty() { "none".into() } else { bits.join("+") };
    format!("{name}[{index}] bit {bits}")
}

/// A count of trials or inferences in a batch.
#[expect(clippy::cast_possible_truncation, reason = "a batch holds far fewer than 2³²")]
const fn narrow(count: usize) -> u32 {
    count as u32
}
