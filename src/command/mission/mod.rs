//! `beamline mission`: years on an orbit, several protections, one list of events.

mod conduct;
mod prepare;

use super::prepare::open_gpu;
use super::report::write_mission;
use super::{Failure, say};
use crate::archive::mission::{MissionArchive, MissionExisting, MissionHeader, MissionWriter};
use crate::archive::set_aside;
use crate::mission::figures::{SchemeFigures, Tally};
use crate::mission::live::{Control, Ended, Snapshot, Started};
use crate::mission::sweep::Sweep;
use crate::stats::Decision;
use crate::tui;
use conduct::Conduct;
use prepare::Prepared;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

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
    /// Periods of scrubbing to compare: `scrub_period=1s,10s,1min,10min,1h,off`.
    #[arg(long)]
    sweep: Option<Sweep>,
    /// Single events drawn of each kind for the expected rates; 0 for none.
    #[arg(long, default_value_t = 2000)]
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
        let mut prepared = Prepared::load(&self.mission)?;
        say(&prepared.estimate(&self.mission, self.singles)?)?;
        prepared.plan.ground.keep_changes = true;
        let folder = self.results.join(&prepared.plan.mission.name);
        let gpu = open_gpu(adapter)?;
        say(&format!("adapter: {}", gpu.adapter().line()))?;
        let engine = prepared.engine(&gpu, self.lanes.map(|lanes| usize::from(lanes.get())))?;
        let header = prepared.header(&gpu, engine.golden_outputs());
        let (writer, done) = self.archive(&prepared, header, &folder)?;
        let (sender, snapshots) = watch::channel(Snapshot::default());
        let (controls_to, controls) = mpsc::unbounded_channel::<Control>();
        let started = Arc::new(Started::new(&prepared.plan, gpu.adapter().line()));
        sender.send_modify(|snapshot| snapshot.started = Some(started));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Failure::environment)?;
        let screen = std::io::stdout().is_terminal() && !self.no_tui;
        let prepared = &prepared;
        let ended = std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let mut tally = Tally::new(&prepared.plan.facts());
                done.iter().for_each(|schemes| tally.add(schemes));
                let mut conduct = Conduct {
                    plan: &prepared.plan,
                    engine,
                    writer,
                    tally,
                    first: done.into_iter().next(),
                    snapshots: &sender,
                    controls,
                    singles: self.singles,
                    sweep: self.sweep.as_ref(),
                };
                let ended = conduct.run();
                match &ended {
                    Ok(Some(closing)) => {
                        let stored = conduct.writer.finish(closing).map_err(Failure::environment);
                        let report = folder_report(self, &prepared.plan.mission.name);
                        let done = stored.and_then(|_| write_reports(&report));
                        sender.send_modify(|snapshot| match &done {
                            Ok(()) => {
                                let report = report.join("report.html");
                                snapshot.ended = Some(Ended::Done { report });
                            }
                            Err(failure) => snapshot.failed = Some(failure.to_string()),
                        });
                        done.map(|()| true)
                    }
                    Ok(None) => {
                        sender.send_modify(|snapshot| snapshot.ended = Some(Ended::Stopped));
                        Ok(false)
                    }
                    Err(failure) => {
                        sender.send_modify(|snapshot| snapshot.failed = Some(failure.to_string()));
                        ended.map(|_| false)
                    }
                }
            });
            let watched = runtime.block_on(async {
                if screen {
                    tui::mission::run(snapshots, controls_to).await
                } else {
                    tui::mission::progress(snapshots, controls_to).await
                }
            });
            let ended = worker.join().map_err(|_| {
                Failure::environment(anyhow::anyhow!("the mission stopped on an internal error"))
            })?;
            watched.map_err(Failure::environment)?;
            ended
        })?;
        finish(&folder, ended)
    }

    /// Opens the archive: a new one (an old one is set aside), or the one to go on with.
    fn archive(
        &self,
        prepared: &Prepared,
        header: MissionHeader,
        folder: &Path,
    ) -> Result<(MissionWriter, Vec<Vec<crate::mission::SchemeHistory>>), Failure> {
        if self.resume
            && let Some(existing) = MissionExisting::open(folder, &header.fingerprint)?
        {
            if existing.finished {
                return Err(Failure::input(anyhow::anyhow!(
                    "{}: expected a mission to go on with, found a finished one",
                    folder.display()
                )));
            }
            let planned = prepared.plan.mission.histories;
            say(&format!("going on from history {} of {planned}", existing.next_history))?;
            let done = existing.runs.clone();
            return Ok((MissionWriter::resume(existing, header)?, done));
        }
        if !self.resume
            && let Some(aside) = set_aside(folder)?
        {
            let name = &prepared.plan.mission.name;
            say(&format!("earlier results of {name} are now in {}", aside.display()))?;
        }
        let writer = MissionWriter::start(folder, header).map_err(Failure::environment)?;
        Ok((writer, Vec::new()))
    }
}

fn folder_report(mission: &Mission, name: &str) -> PathBuf {
    mission.results.join(name)
}

fn write_reports(folder: &Path) -> Result<(), Failure> {
    let archive = MissionArchive::read(folder)?;
    write_mission(folder, &archive)
}

/// Says how it ended and prints the table.
fn finish(folder: &Path, ended: bool) -> Result<(), Failure> {
    if !ended {
        say(&format!("stopped; `beamline mission --resume` goes on from {}", folder.display()))?;
        return Ok(());
    }
    let archive = MissionArchive::read(folder)?;
    say(&super::report::mission_table(&archive))?;
    say(&format!("archive: {}", folder.join(crate::archive::ARCHIVE_FILE).display()))?;
    say(&format!("report:  {}", folder.join("report.html").display()))?;
    let refuted = |figures: &&SchemeFigures| {
        figures.requirement.is_some_and(|held| held.verdict.decision == Decision::Refuted)
    };
    let refuted: Vec<&str> =
        archive.closing.figures.iter().filter(refuted).map(|figures| &*figures.name).collect();
    if refuted.is_empty() {
        return Ok(());
    }
    Err(Failure::Criterion(format!("the requirement is refuted under {}", refuted.join(", "))))
}
