//! `beamline run`: a campaign from its file to its archive and report.

use super::prepare::{Planned, boxed, open_gpu};
use super::{Failure, say};
use crate::archive::{Archive, Existing, Header, Segment, Writer, set_aside};
use crate::campaign::event::{Control, Ended, Event, SIMULATED_BEAM, Snapshot, Started};
use crate::campaign::runner::{Links, Runner, Totals};
use crate::gpu::{AdapterChoice, Gpu};
use crate::{output, report, tui};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

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
        let lanes = self.lanes.map(|lanes| usize::from(lanes.get()));
        let engines = planned.engines(&gpu, lanes)?;
        planned.check_golden(&engines[0])?;
        let bytes: u64 = engines.iter().map(crate::engine::direct::Direct::bytes).sum();
        say(&format!(
            "lanes: {} trials at once, {} MiB on the adapter",
            crate::engine::Engine::lanes(&engines[0]),
            bytes.div_ceil(1 << 20)
        ))?;
        let header = planned.header(&gpu, engines[0].golden_outputs());
        let (writer, totals, next) = self.archive(&planned, &header, &folder)?;
        let started = started(&planned, &header, &gpu, next);
        let ended = self.conduct(&planned, &gpu, engines, writer, totals, next, started)?;
        finish(&folder, ended)
    }

    /// Opens the archive: a new one (an old one is set aside), or the one to go on with.
    fn archive(
        &self,
        planned: &Planned,
        header: &Header,
        folder: &Path,
    ) -> Result<(Writer, Totals, u64), Failure> {
        let mut totals = Totals::new(header.schemes.len(), header.strata.len());
        if !self.resume {
            if let Some(aside) = set_aside(folder)? {
                say(&format!(
                    "earlier results of {} are now in {}",
                    planned.campaign.name,
                    aside.display()
                ))?;
            }
            let writer = Writer::start(folder, header.clone()).map_err(Failure::environment)?;
            return Ok((writer, totals, 0));
        }
        let Some(existing) = Existing::open(folder, &header.fingerprint)? else {
            let writer = Writer::start(folder, header.clone()).map_err(Failure::environment)?;
            return Ok((writer, totals, 0));
        };
        if existing.finished {
            return Err(Failure::input(anyhow::anyhow!(
                "{}: expected a campaign to go on with, found a finished one",
                folder.display()
            )));
        }
        for index in 0..existing.segment_count() {
            for row in existing.segment(index)?.outcomes {
                let outcomes = [
                    row.masked,
                    row.corrected,
                    row.due_recovered,
                    row.tolerable_sdc,
                    row.critical_sdc,
                    row.due,
                    row.hang,
                ];
                totals.count(
                    usize::from(row.scheme),
                    usize::from(row.stratum),
                    outcomes,
                    row.alarm_raised,
                    row.armed_steps,
                );
            }
        }
        let next = existing.next_trial;
        say(&format!("going on from trial {next} of {}", planned.plan.trials_max()))?;
        Ok((Writer::resume(existing, header.clone())?, totals, next))
    }

    #[expect(clippy::too_many_arguments, reason = "everything a run joins")]
    fn conduct(
        &self,
        planned: &Planned,
        gpu: &Arc<Gpu>,
        engines: Vec<crate::engine::direct::Direct>,
        mut writer: Writer,
        totals: Totals,
        next: u64,
        started: Started,
    ) -> Result<Ended, Failure> {
        let (sender, snapshots) = watch::channel(Snapshot::default());
        let (control_sender, mut controls) = mpsc::unbounded_channel::<Control>();
        let trial_s = planned.plan.exposure().map_or(0.0, crate::fault::Exposure::trial_s);
        let lanes = self.lanes.map(|lanes| usize::from(lanes.get()));
        let choice = AdapterChoice::Same(Box::new(gpu.adapter().clone()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Failure::environment)?;
        let screen = std::io::stdout().is_terminal() && !self.no_tui;
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let reopen = || {
                    let gpu = Gpu::open(&choice)?;
                    planned.engines(&Arc::new(gpu), lanes).map(boxed).map_err(|failure| {
                        crate::engine::Error::Gpu(crate::gpu::Error::Device(failure.to_string()))
                    })
                };
                let mut runner = Runner::new(
                    &planned.campaign,
                    &planned.plan,
                    Arc::clone(&planned.workload),
                    totals,
                    boxed(engines),
                    reopen,
                );
                let apply = |event: Event| sender.send_modify(|snapshot| snapshot.apply(event));
                apply(Event::Started(Box::new(started)));
                let mut emit = |event: Event| apply(event);
                let mut store = |completed| {
                    writer
                        .send(Segment::completed(&completed, trial_s))
                        .map_err(|error| error.to_string())
                };
                let paused = &sender;
                let mut abandoned = false;
                let mut control = || {
                    let asked = match controls.try_recv() {
                        Ok(asked) => asked,
                        // Nobody is left to resume a paused run.
                        Err(mpsc::error::TryRecvError::Disconnected) if !abandoned => {
                            abandoned = true;
                            Control::Stop
                        }
                        Err(_) => return None,
                    };
                    match asked {
                        Control::Pause => paused.send_modify(|s| s.paused = true),
                        Control::Resume | Control::Stop => paused.send_modify(|s| s.paused = false),
                    }
                    Some(asked)
                };
                let mut links = Links { emit: &mut emit, store: &mut store, control: &mut control };
                let ended = runner.run(next, &mut links).map_err(Failure::environment);
                if let Err(failure) = &ended {
                    sender.send_modify(|snapshot| snapshot.failed = Some(failure.to_string()));
                }
                let stored = match ended {
                    Ok(Ended::Stopped) => writer.stop().map(|()| Ended::Stopped),
                    Ok(ended) => writer.finish().map(|_| ended),
                    Err(failure) => {
                        // The first failure is the one to tell; the segments are safe either way.
                        let _ = writer.stop();
                        return Err(failure);
                    }
                };
                stored.map_err(Failure::environment)
            });
            let watched = runtime.block_on(async {
                if screen {
                    tui::run(snapshots, control_sender, false).await
                } else {
                    tui::progress(snapshots, control_sender).await
                }
            });
            let ended = worker.join().map_err(|_| {
                Failure::environment(anyhow::anyhow!("the runner stopped on an internal error"))
            })?;
            watched.map_err(Failure::environment)?;
            ended
        })
    }
}

fn started(planned: &Planned, header: &Header, gpu: &Gpu, next: u64) -> Started {
    let live = (0..header.schemes.len())
        .filter_map(|i| header.live_events_per_scrub(i))
        .fold(0.0, f64::max);
    let acceleration = header.rate.as_ref().filter(|rate| rate.acceleration > 1.0).map(|rate| {
        format!("rate × {:.1e}, up to {live:.1} live events between scrubs", rate.acceleration)
    });
    Started {
        campaign: planned.campaign.name.clone(),
        mode: match &header.beam {
            Some(_) => SIMULATED_BEAM.to_owned(),
            None => header.campaign.mode.clone(),
        },
        workload: planned.workload.name.clone(),
        adapter: gpu.adapter().line(),
        schemes: planned.campaign.scheme.iter().map(|scheme| scheme.name.clone()).collect(),
        strata: header.strata.iter().map(|stratum| stratum.name.clone()).collect(),
        trials_max: planned.plan.trials_max(),
        trials_done: next,
        inferences_per_trial: header.strata[0].inferences_per_trial,
        alpha: header.campaign.alpha,
        acceleration,
        census: header.campaign.census,
    }
}

/// Leaves the report beside the archive, prints the table and says how it ended.
fn finish(folder: &Path, ended: Ended) -> Result<(), Failure> {
    let archive = Archive::open(folder)?;
    let page = folder.join("report.html");
    let stopped = ended == Ended::Stopped;
    if !stopped {
        let mut html = Vec::new();
        report::write(&archive, report::Format::Html, &mut html).map_err(Failure::environment)?;
        output::write(&page, &html)?;
    }
    let mut table = Vec::new();
    report::write(&archive, report::Format::Table, &mut table).map_err(Failure::environment)?;
    say(&String::from_utf8_lossy(&table))?;
    if stopped {
        return say(&format!("stopped; `beamline run --resume` goes on from {}", folder.display()));
    }
    say(&format!("archive: {}", folder.join(crate::archive::ARCHIVE_FILE).display()))?;
    say(&format!("report:  {}", page.display()))
}
