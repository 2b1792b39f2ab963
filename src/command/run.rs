//! `beamline run`: a campaign from its file to its archive and report.

use super::engines::{Chosen, EngineName, boxed, say_engine};
use super::live::{Earlier, Live, Steering, Watching, earlier, reopen, say_results};
use super::part::PartOf;
use super::prepare::{Planned, open_gpu};
use super::report::{campaign_table, write_campaign};
use super::{Failure, be_quiet, note};
use crate::archive::{Archive, Existing, Header, Segment, Writer};
use crate::campaign::event::{Control, Ended, Event, Snapshot, Started};
use crate::campaign::runner::{Completed, Links, Runner, Totals};
use crate::engine::Reopening;
use crate::gpu::Gpu;
use crate::tui;
use anyhow::anyhow;
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
    #[command(flatten)]
    watching: Watching,
    /// Where results land.
    #[arg(long, default_value = "results")]
    results: PathBuf,
    /// What runs the trials.
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// A part of the trials, such as 2/4, for `beamline merge` to join with the others.
    #[arg(long, value_name = "K/N")]
    part: Option<PartOf>,
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
        if self.watching.is_json() {
            be_quiet();
        }
        let planned = Planned::load(&self.campaign)?;
        let name = &planned.campaign.name;
        let share = self.share(&planned)?;
        let folder = match self.part {
            Some(part) => part.folder(&self.results, name),
            None => self.results.join(name),
        };
        note(&planned.plan.estimate().line())?;
        let gpu = open_gpu(adapter)?;
        note(&format!("adapter: {}", gpu.adapter().line()))?;
        let engines = planned.engines(&gpu, self.engine, self.lanes())?;
        planned.check_golden(&engines)?;
        say_engine(&engines)?;
        let header = planned.header(&gpu, engines[0].golden_outputs());
        let Some((writer, totals, next)) = self.archive(&planned, &header, &folder, share)? else {
            return finish(&folder, self.watching);
        };
        let golden: Vec<Vec<u32>> = engines.iter().map(|e| e.golden_outputs().to_vec()).collect();
        let open = || {
            let engines = |gpu: &Arc<Gpu>| planned.engines(gpu, self.engine, self.lanes());
            reopen(&gpu, &golden, engines, Chosen::golden_outputs)
        };
        let (first, count) = share.unwrap_or((0, planned.plan.trials_max()));
        let started = Started { trials_max: count, ..header.started(next - first) };
        let live = Live::new(self.watching)?;
        let ended = live.run::<tui::App, _>(|snapshots, steering| {
            let engines = Reopening::new(boxed(engines), open);
            conduct(
                &planned,
                engines,
                (writer, totals),
                (next, first + count),
                started,
                snapshots,
                steering,
            )
        });
        let ended = ended.map_err(|failure| Live::resumable(failure, &folder, adapter))?;
        match ended {
            (Ended::Stopped, done) => {
                let table = campaign_table(&Archive::open(&folder)?)?;
                // A terminal that hung up shows no table: the stop is what the exit code tells.
                let _ = note(&table);
                let done = format!("trial {done} of {}", first + count);
                Err(live.stopped(&done, adapter))
            }
            _ => finish(&folder, self.watching),
        }
    }

    fn lanes(&self) -> Option<usize> {
        self.lanes.map(|lanes| usize::from(lanes.get()))
    }

    /// The stretch of trials of a part: the first, and how many.
    fn share(&self, planned: &Planned) -> Result<Option<(u64, u64)>, Failure> {
        let Some(part) = self.part else { return Ok(None) };
        let Planned { campaign, plan, .. } = planned;
        let stop = &campaign.stop;
        let other = match () {
            () if stop.half_width.is_some() => Some("stop.half_width"),
            () if stop.seconds.is_some() => Some("stop.seconds"),
            () if campaign.faults.beam().is_some() => Some("a fluence"),
            () => None,
        };
        if let Some(other) = other {
            return Err(Failure::input(anyhow!(
                "--part: expected a campaign that ends with its last trial, found one that {other} ends"
            )));
        }
        part.share(plan.trials_max(), plan.segment_trials()).map(Some)
    }

    /// Opens the archive: a new one (an old one is set aside), or the one to go on with; `None`
    /// where an earlier run finished it.
    fn archive(
        &self,
        planned: &Planned,
        header: &Header,
        folder: &Path,
        share: Option<(u64, u64)>,
    ) -> Result<Option<(Writer, Totals, u64)>, Failure> {
        let mut totals = Totals::new(header.schemes.len(), header.strata.len());
        let mut count = |segment: &Segment| segment.count_into(&mut totals);
        let open = || Existing::open_part(folder, &header.fingerprint, share, &mut count);
        let name = (folder, planned.campaign.name.as_str());
        let existing = match earlier(self.resume, name, open, |existing| existing.finished)? {
            Earlier::All => return Ok(None),
            Earlier::Nothing => {
                let writer = Writer::start_part(folder, header.clone(), share);
                let first = share.map_or(0, |(first, _)| first);
                return Ok(Some((writer.map_err(Failure::environment)?, totals, first)));
            }
            Earlier::Part(existing) => existing,
        };
        let next = existing.next;
        note(&format!("going on from trial {next} of {}", planned.plan.trials_max()))?;
        Ok(Some((Writer::resume(existing, header.clone())?, totals, next)))
    }
}

/// Runs the trials that are left; gives how that ended, and the trials done in all.
fn conduct(
    planned: &Planned,
    engines: Reopening<'_>,
    (mut writer, totals): (Writer, Totals),
    (next, end): (u64, u64),
    started: Started,
    snapshots: &Sender<Snapshot>,
    mut steering: Steering,
) -> Result<(Ended, u64), Failure> {
    let Planned { campaign, plan, workload, .. } = planned;
    let mut runner =
        Runner::new(campaign, plan, Arc::clone(workload), totals, engines).with_end(end);
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
fn finish(folder: &Path, watching: Watching) -> Result<(), Failure> {
    let archive = Archive::open(folder)?;
    write_campaign(folder, &archive)?;
    say_results(folder, &campaign_table(&archive)?, watching)
}
