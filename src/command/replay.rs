//! `beamline replay`: one trial again, alone, with its faults and where its divergence went; or one event
//! of a mission.

use super::mission::MissionFiles;
use super::prepare::{Planned, ReplayFiles, open_gpu};
use super::replay_event::{self, EventOf};
use super::{Failure, TableFormat, say, say_json};
use crate::archive::{Archive, ArchiveKind};
use crate::campaign::event::SIMULATED_BEAM;
use crate::campaign::runner::describe;
use crate::engine::direct::{Direct, OpTrace};
use crate::engine::{Engine, Job, TrialResult};
use crate::fault::{Fault, Region};
use crate::outcome::Outcome;
use crate::scheme::Scheme;
use crate::words::meant;
use crate::workload::{Role, Workload};
use anyhow::anyhow;
use std::path::PathBuf;
use std::sync::Arc;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// A results folder or an archive file.
    archive: PathBuf,
    /// The trial of a campaign.
    #[arg(long)]
    trial: Option<u64>,
    /// The scheme's name, of a campaign; the first one where not given.
    #[arg(long)]
    scheme: Option<String>,
    /// The event of a mission, by its number in its history.
    #[arg(long)]
    event: Option<u32>,
    /// The history of a mission.
    #[arg(long)]
    history: Option<u64>,
    #[command(flatten)]
    files: MissionFiles,
    /// The fault list of a campaign that has one.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// One struck word.
#[derive(serde::Serialize)]
struct Struck {
    place: String,
    /// Where the word lies along each axis of its value.
    at: Vec<(&'static str, usize)>,
    kind: &'static str,
    step: u32,
    /// The input of the inference struck; none where a stored word is read by several.
    inference: Option<u32>,
    replica: u32,
    before: String,
    after: String,
}

/// Where a struck word lies along the axes of its value; a check word has none.
fn coordinates(workload: &Workload, fault: &Fault) -> Vec<(&'static str, usize)> {
    let tensor = fault.tensor as usize;
    let value = match fault.region {
        Region::Weights | Region::Voted => {
            workload.values.iter().find(|value| value.role == Role::Stored(tensor))
        }
        Region::Input => workload.values.first(),
        Region::Activations => Some(&workload.values[workload.ops[tensor].output.0]),
        Region::Check => None,
    };
    value
        .map(|value| value.coordinates(value.lies().element(fault.index, fault.mask).0))
        .unwrap_or_default()
}

impl Replay {
    /// Runs the trial again and prints what happened.
    ///
    /// # Errors
    /// Where the archive, the trial or the scheme does not exist, or the outcome is not the
    /// archived one.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        super::check_archive(&self.archive)?;
        let kind = ArchiveKind::of(&self.archive)?;
        let of_campaigns = [
            ("--trial", self.trial.is_some()),
            ("--scheme", self.scheme.is_some()),
            ("--list", self.list.is_some()),
        ];
        let of_missions = [
            ("--event", self.event.is_some()),
            ("--history", self.history.is_some()),
            ("--mission", self.files.mission.is_some()),
        ];
        let (of_others, number) = match kind {
            ArchiveKind::Campaign => (of_missions, "--trial"),
            ArchiveKind::Mission => (of_campaigns, "--event"),
        };
        let name = kind.name();
        if let Some((flag, _)) = of_others.into_iter().find(|(_, given)| *given) {
            return Err(Failure::input(anyhow!("{flag}: expected no such flag for a {name}")));
        }
        match (kind, self.trial, self.event) {
            (ArchiveKind::Campaign, Some(trial), _) => self.replay_trial(trial, adapter),
            (ArchiveKind::Mission, _, Some(event)) => {
                let of = EventOf { history: self.history.unwrap_or(0), event };
                replay_event::replay(&self.archive, &self.files, of, self.format, adapter)
            }
            _ => {
                Err(Failure::input(anyhow!("{number}: expected a number for a {name}, found none")))
            }
        }
    }

    fn replay_trial(&self, trial: u64, adapter: Option<&str>) -> Result<(), Failure> {
        let archive = Archive::open(&self.archive)?;
        super::note_unverified(&self.archive, archive.verified());
        let workload = self.files.workload.as_deref();
        let given = ReplayFiles { workload, list: self.list.as_deref() };
        let planned = Planned::archived(archive.header(), given)?;
        let schemes = &planned.campaign.scheme;
        let index = match &self.scheme {
            None => 0,
            Some(name) => schemes.iter().position(|s| s.name == *name).ok_or_else(|| {
                let names: Vec<_> = schemes.iter().map(|s| s.name.as_str()).collect();
                let (known, meant) = (names.join(", "), meant(name, names));
                Failure::input(anyhow!("--scheme: expected one of {known}, found {name}{meant}"))
            })?,
        };
        if trial >= planned.plan.trials_max() {
            return Err(Failure::input(anyhow!(
                "--trial: expected a number below {}, found {}",
                planned.plan.trials_max(),
                trial
            )));
        }
        let gpu = open_gpu(adapter)?;
        let stratum = planned.plan.stratum_of(trial);
        let windows = planned.plan.strata()[stratum].windows.clone();
        let workload = Arc::clone(&planned.workload);
        let mut engine = Direct::new(Arc::clone(&gpu), workload, windows, 2, planned.copies())?;
        let job = planned.plan.job(trial);
        let scheme = &schemes[index];
        let course = planned.plan.course();
        let mut results = engine.run(scheme, course, std::slice::from_ref(&job))?;
        let result = results.pop().ok_or_else(|| Failure::environment(anyhow!("no result")))?;
        let worst = result.tally.worst();
        let first = result.rows.iter().position(|row| row.outcome() == worst).unwrap_or(0);
        let per_step = result.rows.len() / (course.end_step - course.first_step) as usize;
        let step = u32::try_from(first / per_step.max(1)).map_err(Failure::environment)?;
        let trace = engine.trace(scheme, course, &job, step)?;
        let archived = archive
            .outcomes()
            .iter()
            .find(|row| row.trial == trial && usize::from(row.scheme) == index);
        self.print(&planned, scheme, &job, &result, &trace, &gpu)?;
        let same =
            archived.is_none_or(|row| row.outcomes() == result.tally.outcomes.map(u64::from));
        if !same {
            return Err(Failure::Criterion(format!(
                "the archive has another outcome for trial {trial}: it ran on {}",
                archive.header().adapter.name
            )));
        }
        Ok(())
    }

    fn print(
        &self,
        planned: &Planned,
        scheme: &Scheme,
        job: &Job,
        result: &TrialResult,
        trace: &[OpTrace],
        gpu: &crate::gpu::Gpu,
    ) -> Result<(), Failure> {
        let windows = &planned.plan.strata()[planned.plan.stratum_of(job.trial)].windows;
        let struck: Vec<Struck> = result
            .landings
            .iter()
            .map(|landing| {
                let fault = &job.faults[landing.fault as usize];
                let dtype = planned.plan.dtype(fault);
                let (element, _) = dtype.element(fault.index, fault.mask);
                let digits = 2 + dtype.bits() as usize / 4;
                let bits = |word| format!("{:#0digits$x}", dtype.bits_of(element, word));
                Struck {
                    place: describe(&planned.workload, fault),
                    at: coordinates(&planned.workload, fault),
                    kind: fault.kind.name(),
                    step: fault.step,
                    inference: windows.struck(job, fault),
                    replica: landing.replica,
                    before: bits(landing.before),
                    after: bits(landing.after),
                }
            })
            .collect();
        let worst = result.tally.worst();
        let is_beam = planned.campaign.faults.beam().is_some();
        let first = trace.iter().find(|op| op.words_differ > 0);
        if self.format == TableFormat::Json {
            let outcomes: serde_json::Map<String, serde_json::Value> = Outcome::ALL
                .iter()
                .map(|outcome| (outcome.name().to_owned(), result.tally.count(*outcome).into()))
                .collect();
            let mut value = serde_json::json!({
                "trial": job.trial,
                "scheme": scheme.name,
                "adapter": gpu.adapter(),
                "faults": struck,
                "ops": trace,
                "first_op_that_differs": first.map(|op| op.op.clone()),
                "outcome": worst.name(),
                "inferences": outcomes,
                "retries": result.retries,
                "reloads": result.reloads,
            });
            if is_beam {
                value["test"] = SIMULATED_BEAM.into();
            }
            say_json(&value)?;
            return Ok(());
        }
        say(&format!("trial {} of {}, scheme {}", job.trial, planned.campaign.name, scheme.name))?;
        say(&format!("adapter: {}", gpu.adapter().line()))?;
        say(&format!("faults: {} received", struck.len()))?;
        for fault in &struck {
            let Struck { place, at, kind, step, inference, replica, before, after } = fault;
            let at: Vec<String> = at.iter().map(|(axis, at)| format!("{axis} {at}")).collect();
            let at = if at.is_empty() { String::new() } else { format!(" ({})", at.join(", ")) };
            let inference = inference.map_or_else(|| "all".to_owned(), |input| input.to_string());
            say(&format!(
                "  {place}{at} {kind}, step {step}, inference {inference}, replica {replica}: \
                 {before} -> {after} (read back)"
            ))?;
        }
        if !trace.is_empty() {
            say(&format!("words that differ from golden after each op of step {}", trace[0].step))?;
            for op in trace {
                let OpTrace { execution, op, words_differ, words, .. } = op;
                say(&format!("  execution {execution}  {op:<12} {words_differ:>8} of {words}"))?;
            }
            say(&match first {
                Some(op) => {
                    format!("first op that differs: {} (execution {})", op.op, op.execution)
                }
                None => "no op's output differs from golden".to_owned(),
            })?;
        }
        let counts: Vec<String> = Outcome::ALL
            .iter()
            .filter(|outcome| result.tally.count(**outcome) > 0)
            .map(|outcome| format!("{} {}", result.tally.count(*outcome), outcome.name()))
            .collect();
        say(&format!("inferences: {}", counts.join(", ")))?;
        let test = if is_beam { format!(" ({SIMULATED_BEAM})") } else { String::new() };
        say(&format!("outcome: {}{test}", worst.name()))?;
        Ok(())
    }
}
