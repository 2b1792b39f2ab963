//! `beamline mission`: years on an orbit, several protections, one list of events.

mod conduct;
mod prepare;

use super::engines::{Chosen, EngineName, boxed, say_engine};
use super::live::{Earlier, Live, Watching, earlier, reopen, say_results};
use super::prepare::open_gpu;
use super::report::{mission_table, write_mission};
use super::{Failure, be_quiet, note};
use crate::archive::mission::{
    Closing, Histories, MissionArchive, MissionExisting, MissionHeader, MissionWriter,
};
use crate::command::part::PartOf;
use crate::engine::Reopening;
use crate::gpu::Gpu;
use crate::mission::SchemeHistory;
use crate::mission::figures::{SchemeFigures, Tally};
use crate::mission::live::{MissionEnd, Started};
use crate::mission::sweep::Sweep;
use crate::stats::Decision;
use crate::{report, tui};
use anyhow::anyhow;
use conduct::Conduct;
pub use prepare::MissionFiles;
pub(super) use prepare::Prepared;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Mission {
    /// The mission file.
    mission: PathBuf,
    /// Go on where an earlier run of the same mission ended.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    watching: Watching,
    /// Where results land.
    #[arg(long, default_value = "results")]
    results: PathBuf,
    /// Periods of scrubbing to compare: `scrub_period=1s,10s,1min,10min,1h,off`.
    #[arg(long)]
    sweep: Option<Sweep>,
    /// Single events drawn of each kind for the expected rates; 0 for none.
    #[arg(long, default_value_t = 2000)]
    singles: u64,
    /// What runs the faulty states.
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// A part of the histories, such as 2/4, for `beamline merge` to join with the others.
    #[arg(long, value_name = "K/N")]
    part: Option<PartOf>,
    /// States run at once; measured where not given.
    #[arg(long)]
    lanes: Option<std::num::NonZeroU16>,
}

/// The archive of a mission that is written, and the histories that it has, by scheme.
type Begun = (MissionWriter, Vec<Vec<SchemeHistory>>);

impl Mission {
    /// Runs the mission.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        if self.watching.is_json() {
            be_quiet();
        }
        let mut prepared = Prepared::load(&self.mission)?;
        note(&prepared.estimate(&self.mission, self.singles)?)?;
        prepared.plan.ground.keep_changes = true;
        let (name, histories) = (&prepared.plan.mission.name, prepared.plan.mission.histories);
        let share = self.part.map(|part| part.share(histories.into(), 1)).transpose()?;
        let folder = match self.part {
            Some(part) => part.folder(&self.results, name),
            None => self.results.join(name),
        };
        let gpu = open_gpu(adapter)?;
        note(&format!("adapter: {}", gpu.adapter().line()))?;
        let engine = prepared.engine(&gpu, self.engine, self.lanes())?;
        prepared.check_golden(&engine)?;
        say_engine(std::slice::from_ref(&engine))?;
        let header = prepared.header(&gpu, engine.golden_outputs());
        let Some((mut writer, done)) = self.archive(&prepared, &header, &folder, share)? else {
            return self.heal(&folder);
        };
        let golden = [engine.golden_outputs().to_vec()];
        let prepared = &prepared;
        let open = || {
            let engines =
                |gpu: &Arc<Gpu>| Ok(vec![prepared.engine(gpu, self.engine, self.lanes())?]);
            reopen(&gpu, &golden, engines, Chosen::golden_outputs)
        };
        let started = Arc::new(Started::new(&prepared.plan, gpu.adapter().line()));
        let live = Live::new(self.watching)?;
        let stopped = live.run::<tui::mission::App, _>(|snapshots, steering| {
            snapshots.send_modify(|snapshot| snapshot.started = Some(started));
            let mut tally = Tally::new(&prepared.plan.facts());
            done.iter().for_each(|schemes| tally.add(schemes));
            let mut conduct = Conduct {
                plan: &prepared.plan,
                header: &header,
                share: share.unwrap_or((0, histories.into())),
                engines: Reopening::new(boxed(vec![engine]), open),
                writer: &mut writer,
                tally,
                first: done.into_iter().next(),
                snapshots,
                steering,
                singles: self.singles,
                sweep: self.sweep.as_ref(),
            };
            let closing = conduct.run();
            let done = conduct.tally.histories();
            drop(conduct);
            let ended = close(writer, closing, &folder);
            snapshots.send_modify(|snapshot| match &ended {
                Ok(true) => {
                    let report = folder.join("report.html");
                    snapshot.ended = Some(MissionEnd::Done { report });
                }
                Ok(false) => snapshot.ended = Some(MissionEnd::Stopped),
                Err(failure) => snapshot.failed = Some(failure.to_string()),
            });
            Ok((!ended?).then_some(done))
        });
        let stopped = stopped.map_err(|failure| Live::resumable(failure, &folder, adapter))?;
        let archive = MissionArchive::read(&folder)?;
        match stopped {
            None => finish(&folder, &archive, self.watching),
            Some(done) => {
                // A terminal that hung up shows no table: the stop is what the exit code tells.
                let _ = note(&mission_table(&archive));
                let done = format!(
                    "history {done} of {}",
                    share.map_or(histories.into(), |(_, count)| count)
                );
                Err(live.stopped(&done, adapter))
            }
        }
    }

    fn lanes(&self) -> Option<usize> {
        self.lanes.map(|lanes| usize::from(lanes.get()))
    }

    /// Opens the archive: a new one (an old one is set aside), or the one to go on with; `None`
    /// where an earlier run finished it.
    fn archive(
        &self,
        prepared: &Prepared,
        header: &MissionHeader,
        folder: &Path,
        share: Option<(u64, u64)>,
    ) -> Result<Option<Begun>, Failure> {
        let mission = &prepared.plan.mission;
        let mut done = Vec::new();
        let mut keep = |segment: &Histories| {
            done.extend(segment.runs.iter().map(|(run, _)| run.schemes.clone()));
        };
        let open = || MissionExisting::open_part(folder, &header.fingerprint, share, &mut keep);
        let name = (folder, mission.name.as_str());
        match earlier(self.resume, name, open, |existing| existing.finished)? {
            Earlier::All => Ok(None),
            Earlier::Nothing => {
                let writer = MissionWriter::start_part(folder, header.clone(), share);
                let writer = writer.map_err(Failure::environment)?;
                Ok(Some((writer, Vec::new())))
            }
            Earlier::Part(existing) => {
                let next = existing.next;
                note(&format!("going on from history {next} of {}", mission.histories))?;
                Ok(Some((MissionWriter::resume(existing, header.clone())?, done)))
            }
        }
    }

    /// Ends a mission that an earlier run finished: prints the table, and writes the reports where
    /// any of them is missing.
    fn heal(&self, folder: &Path) -> Result<(), Failure> {
        let archive = MissionArchive::read(folder)?;
        if self.sweep.is_some() && archive.closing.sweep.is_empty() {
            return Err(Failure::input(anyhow!(
                "--sweep: expected a mission to go on with, found {} finished without a sweep; \
                 run it without --resume",
                folder.display()
            )));
        }
        if !report::mission::is_complete(folder) {
            write_mission(folder, &archive)?;
        }
        finish(folder, &archive, self.watching)
    }
}

/// Prints the table and where the files lie; fails where the requirement is refuted.
fn finish(folder: &Path, archive: &MissionArchive, watching: Watching) -> Result<(), Failure> {
    say_results(folder, &mission_table(archive), watching)?;
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

/// Stores what is left to store and writes the reports; `false` where the user stopped it.
fn close(
    writer: MissionWriter,
    closing: Result<Option<Closing>, Failure>,
    folder: &Path,
) -> Result<bool, Failure> {
    let stored = match closing {
        Ok(Some(closing)) => writer.finish(closing).map(|_| true),
        Ok(None) => writer.stop().map(|()| false),
        Err(failure) => {
            // The first failure is the one to tell; the histories are safe either way.
            let _ = writer.stop();
            return Err(failure);
        }
    };
    let finished = stored.map_err(Failure::environment)?;
    if finished {
        write_mission(folder, &MissionArchive::read(folder)?)?;
    }
    Ok(finished)
}
