//! `beamline mission`: years on an orbit, several protections, one list of events.

mod prepare;

use super::prepare::open_gpu;
use super::{Failure, say};
use crate::mission::figures::{SchemeFigures, figures};
use crate::mission::run::{self, Event, HistoryRun};
use crate::mission::sweep::{self, Sweep};
use crate::mission::{Verdicts, strata};
use prepare::Prepared;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Mission {
    /// The mission file.
    mission: PathBuf,
    /// Go on where an earlier run of the same mission ended.
    #[arg(long)]
    resume: bool,
    /// Progress as plain lines, also on a terminal.
    #[arg(long)]
    no_tui: bool,
    /// Where results land.
    #[arg(long, default_value = "results")]
    results: PathBuf,
    /// Periods of scrubbing to compare: scrub_period=1s,10s,1min,10min,1h,off.
    #[arg(long)]
    sweep: Option<Sweep>,
    /// Single events drawn of each kind for the expected rates; 0 for none.
    #[arg(long, default_value_t = 200)]
    singles: u64,
    /// States run at once; measured where not given.
    #[arg(long)]
    lanes: Option<std::num::NonZeroU16>,
}

impl Mission {
    /// Runs the mission.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        let prepared = Prepared::load(&self.mission)?;
        let plan = &prepared.plan;
        let gpu = open_gpu(adapter)?;
        say(&format!("adapter: {}", gpu.adapter().line()));
        let mut engine = prepared.engine(&gpu, self.lanes.map(|lanes| usize::from(lanes.get())))?;
        let mut verdicts = Verdicts::new(prepared.workload.clone(), &plan.mission.scheme);
        let mut runs: Vec<HistoryRun> = Vec::new();
        let all = (0, u64::from(plan.mission.histories));
        let started = std::time::Instant::now();
        run::histories(plan, &mut engine, &mut verdicts, all, &mut |event| {
            if let Event::History(run) = event {
                runs.push(run.clone());
            }
            ControlFlow::Continue(())
        })?;
        say(&format!("{} states, {:.1} s", verdicts.run(), started.elapsed().as_secs_f64()));
        let schemes: Vec<_> = runs.iter().map(|run| run.schemes.clone()).collect();
        for figure in figures(&plan.facts(), &schemes) {
            say(&line(&figure));
        }
        let upsets: usize = runs.iter().map(|run| run.upsets.len()).sum();
        say(&format!("{upsets} upsets in {} histories", runs.len()));
        if self.singles > 0 {
            let strata = strata::strata(plan, &mut engine, &mut verdicts, self.singles)?;
            for expected in strata::expected(plan, &strata) {
                say(&format!("expected {expected:?}"));
            }
        }
        if let Some(sweep) = &self.sweep {
            for point in sweep::sweep(plan, sweep, &mut engine, &mut verdicts)? {
                say(&format!("{point:?}"));
            }
        }
        say(&format!("{} states, {:.1} s", verdicts.run(), started.elapsed().as_secs_f64()));
        Ok(())
    }
}

fn line(figures: &SchemeFigures) -> String {
    format!(
        "{}: {:?} wrong/yr {:?} errors {:?} critical {:?} avail {:.6} mttr {:?} inc {:?}",
        figures.name,
        figures.outcomes,
        figures.wrong_per_year,
        figures.error_episodes,
        figures.critical_by_cause,
        figures.availability,
        figures.mean_time_to_repair_s,
        figures.restricted_mean_years,
    )
}
