//! From the runner's trials to the archive's rows.

use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::Header;
use super::segment::Segment;
use crate::campaign::Plan;
use crate::campaign::event::{Progress, RECENT_MAX, Recent};
use crate::campaign::runner::{Completed, Totals, Trial, struck_bits};
use crate::engine::Windows;
use crate::fault::{Exposure, Region};
use crate::outcome::Outcome;

impl Segment {
    /// The rows of a completed segment of this plan.
    pub fn completed(completed: &Completed, plan: &Plan) -> Self {
        // The time at which a trial is censored.
        let trial_s = plan.exposure().map_or(0.0, Exposure::trial_s);
        let mut segment = Self {
            first_trial: completed.first_trial,
            trials: completed.trials,
            ..Self::default()
        };
        for (index, trials) in completed.schemes.iter().enumerate() {
            let scheme = short(index);
            for trial in trials {
                let windows = &plan.strata()[trial.stratum].windows;
                segment.faults.extend(fault_rows(scheme, trial, (plan, windows)));
                segment.outcomes.push(outcome_row(scheme, trial, trial_s));
            }
            segment.timing.push(TimingRow {
                first_trial: completed.first_trial,
                trials: completed.trials,
                inferences: trials.iter().map(|t| u64::from(t.result.tally.inferences())).sum(),
                seconds: completed.seconds[index],
                scheme: u32::from(scheme),
                lanes: u32::try_from(completed.lanes).unwrap_or(u32::MAX),
            });
        }
        segment
    }

    /// Counts its trials as the run counted them.
    pub fn count_into(&self, totals: &mut Totals) {
        for row in &self.outcomes {
            let (scheme, stratum) = (usize::from(row.scheme), usize::from(row.stratum));
            totals.count(scheme, stratum, row.counts(), row.alarm_raised, row.armed_steps);
        }
    }
}

/// Where a campaign stands whose segments are read one after another.
#[derive(Clone, Debug)]
pub struct CampaignProgress {
    header: Header,
    totals: Totals,
    trials: u64,
    recent: Vec<Recent>,
}

impl CampaignProgress {
    /// Before the first segment.
    pub fn new(header: &Header) -> Self {
        let totals = Totals::new(header.schemes.len(), header.strata.len());
        Self { header: header.clone(), totals, trials: 0, recent: Vec::new() }
    }

    /// Counts the next segment.
    pub fn add(&mut self, segment: &Segment) {
        segment.count_into(&mut self.totals);
        self.trials += segment.trials;
        for row in &segment.timing {
            // The latest segment's figure stands for the scheme, as in a live run.
            if let Some(scheme) = self.totals.schemes.get_mut(row.scheme as usize) {
                scheme.seconds_per_inference = row.seconds / row.inferences.max(1) as f64;
            }
        }
        let striking = segment.outcomes.iter().rev().filter_map(|row| {
            let outcome = Outcome::from_code(row.worst.into()).filter(|of| of.is_striking())?;
            Some(self.recent_of(segment, row, outcome))
        });
        let mut recent: Vec<Recent> = striking.take(RECENT_MAX).collect();
        recent.reverse();
        self.recent.append(&mut recent);
        let old = self.recent.len().saturating_sub(RECENT_MAX);
        self.recent.drain(..old);
    }

    fn recent_of(&self, segment: &Segment, row: &OutcomeRow, outcome: Outcome) -> Recent {
        let place = (row.trial, row.scheme);
        let first = segment.faults.partition_point(|fault| (fault.trial, fault.scheme) < place);
        let struck = segment.faults.get(first).filter(|fault| (fault.trial, fault.scheme) == place);
        let fault = struck.map_or_else(String::new, |fault| {
            let region = Region::ALL.into_iter().find(|region| *region as u8 == fault.region);
            let name = region.map_or("?", |region| self.header.site(region, fault.tensor));
            format!("{}, replica {}", struck_bits(name, fault.index, fault.mask), fault.replica)
        });
        Recent { trial: row.trial, scheme: usize::from(row.scheme), outcome, fault }
    }

    /// For screens, so many seconds after the start of the run.
    pub fn after(&self, elapsed_s: f64) -> Progress {
        let all: u64 = self.totals.schemes.iter().map(|scheme| scheme.trials).sum();
        Progress {
            trials: self.trials,
            elapsed_s,
            trials_per_s: if elapsed_s > 0.0 { all as f64 / elapsed_s } else { 0.0 },
            schemes: self.totals.schemes.clone(),
            recent: self.recent.clone(),
        }
    }
}

fn fault_rows<'t>(
    scheme: u16,
    trial: &'t Trial,
    (plan, windows): (&'t Plan, &'t Windows),
) -> impl Iterator<Item = FaultRow> + 't {
    trial.result.landings.iter().enumerate().map(move |(order, landing)| {
        let fault = &trial.job.faults[landing.fault as usize];
        let dtype = plan.dtype(fault);
        let (index, mask) = dtype.element(fault.index, fault.mask);
        FaultRow {
            trial: trial.job.trial,
            time_s: fault.time_s,
            scheme,
            order: short(order),
            region: fault.region as u8,
            kind: fault.kind as u8,
            replica: u16::try_from(landing.replica).unwrap_or(u16::MAX),
            tensor: fault.tensor,
            inference: windows.struck(&trial.job, fault).unwrap_or(0),
            index: u64::from(index),
            step: fault.step,
            mask,
            word_before: dtype.bits_of(index, landing.before),
            word_after: dtype.bits_of(index, landing.after),
        }
    })
}

fn outcome_row(scheme: u16, trial: &Trial, trial_s: f64) -> OutcomeRow {
    let result = &trial.result;
    let tally = &result.tally;
    let count = |outcome| tally.count(outcome);
    OutcomeRow {
        trial: trial.job.trial,
        time_to_critical_s: trial.time_to_critical_s.unwrap_or(trial_s),
        scheme,
        stratum: short(trial.stratum),
        worst: tally.worst() as u8,
        censored: u8::from(trial.time_to_critical_s.is_none()),
        wrong: u8::from(tally.wrong()),
        events_needed: trial.events_needed,
        faults: u32::try_from(result.landings.len()).unwrap_or(u32::MAX),
        inferences: tally.inferences(),
        masked: count(Outcome::Masked),
        corrected: count(Outcome::Corrected),
        due_recovered: count(Outcome::DueRecovered),
        tolerable_sdc: count(Outcome::TolerableSdc),
        critical_sdc: count(Outcome::CriticalSdc),
        due: count(Outcome::Due),
        hang: count(Outcome::Hang),
        alarm_raised: tally.alarms,
        non_finite: tally.non_finite,
        label_correct: tally.label_correct,
        averted: trial.averted,
        retries: result.retries,
        reloads: result.reloads,
        scrub_repaired: u32::try_from(result.scrub_repaired).unwrap_or(u32::MAX),
        scrub_uncorrectable: u32::try_from(result.scrub_uncorrectable).unwrap_or(u32::MAX),
        listed: trial.listed.map_or(0, |outcome| 1 + outcome as u16),
        decided: result.decided as u16,
        armed_steps: trial.first_error.armed_steps,
        first_error: trial.first_error.outcome.map_or(0, |outcome| 1 + outcome as u32),
    }
}

/// An index of schemes, strata or a trial's faults, which campaigns keep below 65,536.
#[expect(clippy::cast_possible_truncation, reason = "campaign files refuse more")]
const fn short(index: usize) -> u16 {
    index as u16
}
