//! `beamline run`: a campaign from its file to its archive and report.

use super::engines::{Chosen, EngineName, boxed, say_engine};
use super::live::{Earlier, Live, Steering, earlier, reopen, say_results};
use super::prepare::{Planned, open_gpu};
use super::report::campaign_table;
use super::{Failure, say};
use crate::archive::{Archive, Existing, Header, Segment, Writer};
use crate::campaign::event::{Control, Ended, Event, Snapshot, Started};
use crate::campaign::runner::{Completed, Links, Runner, Totals};
use crate::engine::Reopening;
use crate::gpu::Gpu;
use crate::{output, report, tui};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch::Sender;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The campaign file.
    campaign: PathBuf,
    /// Go on where an earlier run of the same campaign ended.
    #[arg(long)]
    resume: bool,
    /// Progress as plain lines, also on a terminal.
    #[arg(long)]
    no_tui: bool,
    /// Where results land.
    #[arg(long, default_value = "results")]
    results: PathBuf,
    /// What runs the trials.
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// Trials run at once; measured where not given.
    #[arg(long)]
    lanes: Option<std::num::NonZeroU16>,
}

impl Run {
    /// Runs the campaign.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        let planned = Planned::load(&self.campaign)?;
        let folder = self.results.join(&planned.campaign.name);
        say(&planned.plan.estimate().line())?;
        let gpu = open_gpu(adapter)?;
        say(&format!("adapter: {}", gpu.adapter().line()))?;
        let engines = planned.engines(&gpu, self.engine, self.lanes())?;
        planned.check_golden(&engines)?;
        say_engine(&engines)?;
        let header = planned.header(&gpu, engines[0].golden_outputs());
        let Some((writer, totals, next)) = self.archive(&planned, &header, &folder)? else {
            return finish(&folder);
        };
        let golden: Vec<Vec<u32>> = engines.iter().map(|e| e.golden_outputs().to_vec()).collect();
        let open = || {
            let engines = |gpu: &Arc<Gpu>| planned.engines(gpu, self.engine, self.lanes());
            reopen(&gpu, &golden, engines, Chosen::golden_outputs)
        };
        let started = header.started(next);
        let live = Live::new(self.no_tui)?;
        let ended = live.run::<tui::App, _>(|snapshots, steering| {
            let engines = Reopening::new(boxed(engines), open);
            conduct(&planned, engines, writer, totals, (next, started), snapshots, steering)
        });
        let ended = ended.map_err(|failure| Live::resumable(failure, &folder, adapter))?;
        match ended {
            (Ended::Stopped, done) => {
                let table = campaign_table(&Archive::open(&folder)?)?;
                // A terminal that hung up shows no table: the stop is what the exit code tells.
                let _ = say(&table);
                let done = format!("trial {done} of {}", planned.plan.trials_max());
                Err(live.stopped(&done, adapter))
            }
            _ => finish(&folder),
        }
    }

    fn lanes(&self) -> Option<usize> {
        self.lanes.map(|lanes| usize::from(lanes.get()))
    }

    /// Opens the archive: a new one (an old one is set aside), or the one to go on with; `None`
    /// where an earlier run finished it.
    fn archive(
        &self,
        planned: &Planned,
        header: &Header,
        folder: &Path,
    ) -> Result<Option<(Writer, Totals, u64)>, Failure> {
        let mut totals = Totals::new(header.schemes.len(), header.strata.len());
        let mut count = |segment: &Segment| segment.count_into(&mut totals);
        let open = || Existing::open(folder, &header.fingerprint, &mut count);
        let name = (folder, planned.campaign.name.as_str());
        let existing = match earlier(self.resume, name, open, |existing| existing.finished)? {
            Earlier::All => return Ok(None),
            Earlier::Nothing => {
                let writer = Writer::start(folder, header.clone()).map_err(Failure::environment)?;
                return Ok(Some((writer, totals, 0)));
            }
            Earlier::Part(existing) => existing,
        };
        let next = existing.next;
        say(&format!("going on from trial {next} of {}", planned.plan.trials_max()))?;
        Ok(Some((Writer::resume(existing, header.clone())?, totals, next)))
    }
}

/// Runs the trials that are left; gives how that ended, and the trials done in all.
fn conduct(
    planned: &Planned,
    engines: Reopening<'_>,
    mut writer: Writer,
    totals: Totals,
    (next, started): (u64, Started),
    snapshots: &Sender<Snapshot>,
    mut steering: Steering,
) -> Result<(Ended, u64), Failure> {
    let Planned { campaign, plan, workload, .. } = planned;
    let mut runner = Runner::new(campaign, plan, Arc::clone(workload), totals, engines);
    let mut emit = |event: Event| snapshots.send_modify(|snapshot| snapshot.apply(event));
    emit(Event::Started(Box::new(started)));
    let mut done = next;
    let mut store = |completed: Completed| {
        done = completed.first_trial + completed.trials;
        writer.send(Segment::completed(&completed, plan)).map_err(|error| error.to_string())
    };
    let mut control = || {
        let asked = steering.next()?;
        snapshots.send_modify(|snapshot| snapshot.paused = asked == Control::Pause);
        Some(asked)
    };
    let mut links = Links { emit: &mut emit, store: &mut store, control: &mut control };
    let ended = runner.run(next, &mut links).map_err(Failure::environment);
    let stored = match ended {
        Ok(Ended::Stopped) => writer.stop().map(|()| Ended::Stopped),
        Ok(ended) => writer.finish(()).map(|_| ended),
        Err(failure) => {
            snapshots.send_modify(|snapshot| snapshot.failed = Some(failure.to_string()));
            // The first failure is the one to tell; the segments are safe either way.
            let _ = writer.stop();
            return Err(failure);
        }
    };
    stored.map(|ended| (ended, done)).map_err(Failure::environment)
}

/// Prints the table and where the files lie; writes the report where it is missing.
fn finish(folder: &Path) -> Result<(), Failure> {
    let archive = Archive::open(folder)?;
    let page = folder.join("report.html");
    if !page.is_file() {
        let mut html = Vec::new();
        report::write(&archive, report::Format::Html, &mut html).map_err(Failure::environment)?;
        output::write(&page, &html)?;
    }
    say_results(folder, &campaign_table(&archive)?)
}
