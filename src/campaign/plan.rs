//! The plan of a campaign: its strata, its trials, and each trial's job.
//!
//! A job is a pure function of the campaign and the trial's number, so that any trial can run
//! alone, in any order, on any engine.

mod estimate;
mod exposed;
mod strata;

use super::beam;
pub use super::error::Error;
use super::faults::{Accumulation, BeamTest, Conditional, List, Mode};
use super::file::Campaign;
use super::upsets::{self, UpsetRate};
use crate::engine::{Course, Job, Windows};
use crate::estimate::Estimate;
use crate::fault::{
    Exposure, Fault, FaultKind, Listed, Region, Replica, Sites, accumulate, draw, read_list,
};
use crate::op::Dtype;
use crate::outcome::Outcome;
use crate::seed::{Domain, stream, unit};
use crate::workload::Workload;
use exposed::{exposure, of_exposure};
use std::path::Path;
use strata::{inputs_struck, of_list, of_sites, sites_of};

/// Inputs of a campaign that names no number.
const INPUTS_DEFAULT: usize = 128;
/// Segments of a campaign that names no length, at most.
const SEGMENTS_MAX: u64 = 40;
/// Trials of such a segment, at least.
const SEGMENT_TRIALS_MIN: u64 = 64;
/// Likewise, at most: what a kill may lose and memory must hold.
const SEGMENT_TRIALS_MAX: u64 = 16_384;

/// Trials that are drawn alike and reported together.
#[derive(Clone, Debug, PartialEq)]
pub struct Stratum {
    /// The name in tables: its regions'.
    pub name: String,
    /// What it strikes.
    pub regions: Vec<Region>,
    /// The logical bits it draws from; 0 for a fault list, which is no sample of anything.
    pub bits: u64,
    /// Inferences in a trial.
    pub inferences: u32,
    /// The inputs of each step.
    pub windows: Windows,
    /// Trials planned at most.
    pub trials_max: u64,
}

/// Where the trials' faults come from.
#[derive(Clone, Debug)]
enum Arrival {
    Conditional { count: u32, kind: FaultKind, sites: Vec<Sites> },
    Exhaustive { kind: FaultKind, sites: Vec<Sites> },
    List { trials: Vec<Listed>, strata: Vec<usize> },
    Accumulation { exposure: Exposure, rate: UpsetRate, armed_steps_wanted: f64 },
}

/// A campaign made ready for one workload.
#[derive(Clone, Debug)]
pub struct Plan {
    seed: u64,
    dummy: bool,
    inputs: u32,
    arrival: Arrival,
    strata: Vec<Stratum>,
    /// Types of the stored tensors.
    stored: Vec<Dtype>,
    trials_max: u64,
    segment_trials: u64,
    estimate: Estimate,
}

impl Plan {
    /// The type of what a fault strikes; check words, inputs and activations are whole words.
    pub fn dtype(&self, fault: &Fault) -> Dtype {
        match fault.region {
            Region::Weights | Region::Voted => {
                self.stored.get(fault.tensor as usize).copied().unwrap_or_default()
            }
            _ => Dtype::F32,
        }
    }

    /// Plans `campaign` on `workload`; a fault list is found from `folder`, the campaign's own.
    ///
    /// # Errors
    /// Where the campaign names what the workload does not have.
    pub fn new(campaign: &Campaign, workload: &Workload, folder: &Path) -> Result<Self, Error> {
        Self::with(campaign, workload, folder, rate(campaign, folder)?)
    }

    /// Plans `campaign` with a rate of upsets that is known: that of an archive, which holds whatever
    /// has become of the device and the models since.
    ///
    /// # Errors
    /// Likewise.
    pub fn with(
        campaign: &Campaign,
        workload: &Workload,
        folder: &Path,
        rate: Option<UpsetRate>,
    ) -> Result<Self, Error> {
        let inputs = inputs(campaign, workload)?;
        check_schemes(campaign, workload)?;
        let trials = campaign.stop.trials.unwrap_or(0);
        let (arrival, strata) = match &campaign.faults {
            Mode::Conditional(Conditional { count, targets }) => {
                let sites = sites_of(workload, targets)?;
                if let Some(few) = sites.iter().find(|sites| sites.bits() < u64::from(*count)) {
                    let (region, bits) = (few.region().name(), few.bits());
                    let expected = format!("a count up to {bits}, the bits of region {region}");
                    return Err(Error::value("faults.count", expected, count));
                }
                let strata = sites.len() as u64;
                let share = |at: usize| trials / strata + u64::from((at as u64) < trials % strata);
                let strata = sites.iter().enumerate().map(|(at, s)| of_sites(s, inputs, share(at)));
                let strata = strata.collect();
                (Arrival::Conditional { count: *count, kind: targets.kind, sites }, strata)
            }
            Mode::Exhaustive(targets) => {
                let sites = sites_of(workload, targets)?;
                let census = |s: &Sites| {
                    s.bits().saturating_mul(u64::from(inputs_struck(s.region(), inputs)))
                };
                let strata = sites.iter().map(|s| of_sites(s, inputs, census(s))).collect();
                (Arrival::Exhaustive { kind: targets.kind, sites }, strata)
            }
            Mode::List(List { file }) => {
                of_list(read_list(&folder.join(file), workload, inputs)?, inputs)
            }
            Mode::Accumulation(_) | Mode::Beam(_) => {
                let none = || Error::value("faults", "a rate of upsets", "none");
                let rate = rate.ok_or_else(none)?;
                let exposure = exposure(campaign, workload, &rate)?;
                let stratum = of_exposure(&exposure, inputs, trials);
                let step_s = exposure.step_s();
                let armed_steps_wanted = campaign.faults.beam().map_or(f64::INFINITY, |beam| {
                    beam.fluence_per_cm2 / (beam.flux_per_cm2_s * step_s)
                });
                (Arrival::Accumulation { exposure, rate, armed_steps_wanted }, vec![stratum])
            }
        };
        let each = strata.iter().map(|stratum: &Stratum| stratum.trials_max);
        // More than 64 bits count is refused below, as more than any archive holds.
        let trials_max = each.fold(0, u64::saturating_add);
        let mut plan = Self {
            seed: campaign.seed,
            dummy: campaign.dummy,
            inputs,
            arrival,
            strata,
            stored: workload.tensors.iter().map(|tensor| tensor.dtype).collect(),
            trials_max,
            segment_trials: 0,
            estimate: Estimate::default(),
        };
        let default = trials_max.div_ceil(SEGMENTS_MAX);
        let default = default.clamp(SEGMENT_TRIALS_MIN, SEGMENT_TRIALS_MAX);
        let default = default.min(plan.segment_room(campaign.scheme.len()));
        plan.segment_trials = campaign.stop.segment_trials.unwrap_or(default).min(trials_max);
        plan.estimate = plan.expected(campaign, workload);
        plan.estimate.refusal().map_or(Ok(plan), |refusal| Err(refusal.into()))
    }

    /// What the campaign takes.
    pub const fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// Trials of each scheme, at most.
    pub const fn trials_max(&self) -> u64 {
        self.trials_max
    }

    /// Trials of each scheme in a segment; the last segment may have fewer.
    pub const fn segment_trials(&self) -> u64 {
        self.segment_trials
    }

    /// How many of the workload's inputs, from the first, are the campaign's.
    pub const fn inputs(&self) -> u32 {
        self.inputs
    }

    /// The strata, one at least.
    pub fn strata(&self) -> &[Stratum] {
        &self.strata
    }

    /// Whether every site is struck once, so that shares have no interval.
    pub const fn census(&self) -> bool {
        matches!(self.arrival, Arrival::Exhaustive { .. })
    }

    /// What an accumulation's trials are exposed to.
    pub const fn exposure(&self) -> Option<&Exposure> {
        match &self.arrival {
            Arrival::Accumulation { exposure, .. } => Some(exposure),
            _ => None,
        }
    }

    /// How often upsets strike in an accumulation, before acceleration.
    pub const fn rate(&self) -> Option<&UpsetRate> {
        match &self.arrival {
            Arrival::Accumulation { rate, .. } => Some(rate),
            _ => None,
        }
    }

    /// Armed steps that each scheme of a beam test is to run; infinitely many elsewhere.
    pub const fn armed_steps_wanted(&self) -> f64 {
        match &self.arrival {
            Arrival::Accumulation { armed_steps_wanted, .. } => *armed_steps_wanted,
            _ => f64::INFINITY,
        }
    }

    /// The stratum of a trial.
    ///
    /// # Panics
    /// Where `trial` is not below [`Plan::trials_max`].
    pub fn stratum_of(&self, trial: u64) -> usize {
        self.placed(trial).0
    }

    /// A trial's stratum and its number within it.
    #[expect(clippy::cast_possible_truncation, reason = "below a length")]
    fn placed(&self, trial: u64) -> (usize, u64) {
        assert!(trial < self.trials_max, "trial {trial} of {}", self.trials_max);
        match &self.arrival {
            Arrival::Conditional { sites, .. } => {
                let strata = sites.len() as u64;
                ((trial % strata) as usize, trial / strata)
            }
            Arrival::Exhaustive { .. } => {
                let mut within = trial;
                let mut at = 0;
                while within >= self.strata[at].trials_max {
                    within -= self.strata[at].trials_max;
                    at += 1;
                }
                (at, within)
            }
            Arrival::List { strata, .. } => (strata[trial as usize], trial),
            Arrival::Accumulation { .. } => (0, trial),
        }
    }

    /// What an engine runs for a trial: the same for every scheme, at any time.
    ///
    /// # Panics
    /// Where `trial` is not below [`Plan::trials_max`].
    #[expect(clippy::cast_possible_truncation, reason = "below a length or a u32")]
    pub fn job(&self, trial: u64) -> Job {
        let (stratum, within) = self.placed(trial);
        let (window, mut faults) = match &self.arrival {
            Arrival::Conditional { count, kind, sites } => {
                let drawn = draw(self.seed, trial, &sites[stratum], *count, *kind, self.inputs);
                (drawn.input, drawn.faults)
            }
            Arrival::Exhaustive { kind, sites } => {
                let sites = &sites[stratum];
                let struck = u64::from(inputs_struck(sites.region(), self.inputs));
                let site = sites.at(within / struck);
                let place = Replica::Share(self.shares(trial, 1)[0]);
                (Some((within % struck) as u32), vec![sites.fault(site, *kind, place)])
            }
            Arrival::List { trials, .. } => {
                let listed = &trials[trial as usize];
                (listed.input, self.listed_faults(trial, listed))
            }
            Arrival::Accumulation { exposure, .. } => {
                (None, accumulate(self.seed, trial, exposure))
            }
        };
        if self.dummy {
            for fault in &mut faults {
                fault.kind = FaultKind::Xor;
                fault.mask = 0;
            }
        }
        Job { trial, first_window: window.unwrap_or(0), faults }
    }

    /// The draws that choose the struck replicas of a trial whose sites are not drawn.
    fn shares(&self, trial: u64, count: usize) -> Vec<f64> {
        let mut draws = stream(self.seed, Domain::Conditional, &[trial]);
        (0..count).map(|_| unit(&mut draws)).collect()
    }

    fn listed_faults(&self, trial: u64, listed: &Listed) -> Vec<Fault> {
        let shares = self.shares(trial, listed.faults.len());
        let fault = |(fault, share): (&crate::fault::ListedFault, f64)| Fault {
            step: 0,
            time_s: 0.0,
            region: fault.region,
            tensor: fault.tensor,
            index: fault.index,
            row: 0,
            kind: fault.kind,
            mask: fault.mask,
            place: fault.replica.map_or(Replica::Share(share), Replica::At),
        };
        listed.faults.iter().zip(shares).map(fault).collect()
    }

    /// How trials run.
    pub const fn course(&self) -> Course {
        match &self.arrival {
            Arrival::Accumulation { exposure, .. } => {
                Course { first_step: 0, end_step: exposure.steps, conditional: false }
            }
            _ => Course { first_step: 0, end_step: 1, conditional: true },
        }
    }

    /// What a fault list says came of a trial.
    pub fn listed(&self, trial: u64) -> Option<Outcome> {
        match &self.arrival {
            Arrival::List { trials, .. } => trials.get(usize::try_from(trial).ok()?)?.outcome,
            _ => None,
        }
    }
}

/// How often upsets strike; `None` where the mode has no rate. Files are relative to `folder`.
fn rate(campaign: &Campaign, folder: &Path) -> Result<Option<UpsetRate>, Error> {
    match &campaign.faults {
        Mode::Beam(BeamTest { beam, device, .. }) => beam::rate(beam, device, folder).map(Some),
        Mode::Accumulation(Accumulation { rate, .. }) => {
            upsets::rate(rate, campaign.environment.as_ref(), folder).map(Some)
        }
        _ => Ok(None),
    }
}

/// How many inputs are the campaign's.
fn inputs(campaign: &Campaign, workload: &Workload) -> Result<u32, Error> {
    let has = workload.inputs.count;
    let inputs = match campaign.workload.inputs {
        Some(asked) if asked as usize > has => {
            let expected = format!("inputs up to {has}, those of workload {}", workload.name);
            return Err(Error::value("workload.inputs", expected, asked));
        }
        Some(asked) => asked as usize,
        None => has.min(INPUTS_DEFAULT),
    };
    match u32::try_from(inputs) {
        Ok(inputs) if inputs > 0 => Ok(inputs),
        _ => Err(Error::value("workload.name", "a workload with inputs", "none")),
    }
}

/// Refuses a scheme that names what the workload does not have.
fn check_schemes(campaign: &Campaign, workload: &Workload) -> Result<(), Error> {
    let tensors: Vec<(&str, Dtype)> = workload.stored_types();
    let by_label = workload.decision.is_of_classes();
    for (at, scheme) in campaign.scheme.iter().enumerate() {
        if let Some(refusal) = scheme.workload_refusal(&tensors, by_label) {
            let key = format!("scheme.{at}.{}", refusal.key);
            return Err(Error::value(&key, "a scheme of this workload", refusal));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
