//! The run itself: histories, expected rates, sweep, fleet, each told as it goes.

use crate::archive::mission::{Closing, MissionRun, MissionWriter};
use crate::command::Failure;
use crate::engine::direct::Direct;
use crate::mission::figures::{Tally, is_due};
use crate::mission::live::{Control, Phase, Snapshot};
use crate::mission::run::{self, Event, HistoryRun};
use crate::mission::sweep::{self, Sweep};
use crate::mission::{Plan, SchemeHistory, Verdicts, fleet, strata};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch::Sender;

/// Satellites of the fleets that are flown on the way to the one asked for.
const FLEET_STEPS: [u64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

/// Everything a run joins.
pub(super) struct Conduct<'c> {
    pub plan: &'c Plan,
    pub engine: Direct,
    pub writer: MissionWriter,
    /// The sums of the histories done.
    pub tally: Tally,
    /// The first of them, where an earlier run left it.
    pub first: Option<Vec<SchemeHistory>>,
    pub snapshots: &'c Sender<Snapshot>,
    pub controls: UnboundedReceiver<Control>,
    pub singles: u64,
    pub sweep: Option<&'c Sweep>,
}

impl Conduct<'_> {
    /// Runs everything; `None` where the user stopped it.
    pub(super) fn run(&mut self) -> Result<Option<Closing>, Failure> {
        let plan = self.plan;
        let mut verdicts = Verdicts::new(Arc::clone(&plan.workload), &plan.mission.scheme);
        if !self.histories(&mut verdicts)? {
            return Ok(None);
        }
        let mut quiet = plan.clone();
        quiet.ground.keep_changes = false;
        let mut closing = Closing { figures: self.tally.figures(), ..Closing::default() };
        if self.singles > 0 {
            self.phase(Phase::Strata);
            closing.strata = strata::strata(&quiet, &mut self.engine, &mut verdicts, self.singles)?;
            closing.expected = strata::expected(&quiet, &closing.strata);
        }
        if let Some(sweep) = self.sweep {
            self.phase(Phase::Sweep);
            closing.sweep = sweep::sweep(&quiet, sweep, &mut self.engine, &mut verdicts)?;
            let points: Arc<[sweep::Point]> = closing.sweep.clone().into();
            self.snapshots.send_modify(|snapshot| snapshot.sweep = points);
        }
        if let Some(most) = plan.mission.fleet {
            self.phase(Phase::Fleet);
            let below = FLEET_STEPS.into_iter().filter(|satellites| *satellites < most);
            for satellites in below.chain([most]) {
                let flown = fleet::fleet(&quiet, satellites, &mut self.engine, &mut verdicts)?;
                closing.fleet.extend(flown);
            }
        }
        Ok(Some(closing))
    }

    /// `false` where the user stopped it.
    fn histories(&mut self, verdicts: &mut Verdicts) -> Result<bool, Failure> {
        self.phase(Phase::Histories);
        let plan = self.plan;
        let (first, end) = (self.tally.histories(), u64::from(plan.mission.histories));
        let Self { engine, writer, first: known, tally, snapshots, controls, .. } = self;
        if let Some(schemes) = known.take() {
            // What a screen plays is the first history: it is the same again.
            let start_s = crate::mission::upset::start_s(plan, 0);
            let upsets = crate::mission::upset::history(plan, 0);
            let run = HistoryRun { history: 0, start_s, upsets, schemes };
            let figures: Arc<[_]> = tally.figures().into();
            snapshots.send_modify(|snapshot| {
                snapshot.first = Some(Arc::new(run));
                snapshot.histories = first;
                snapshot.figures = figures;
            });
        }
        let header = writer.header().clone();
        let mut failed = None;
        run::histories(plan, engine, verdicts, (first, end), &mut |event| {
            match event {
                Event::States(states) => snapshots.send_modify(|s| s.states = states),
                Event::History(run) => {
                    if let Err(error) = writer.append(&MissionRun::of(&header, plan, run)) {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                    tally.add(&run.schemes);
                    let done = tally.histories();
                    let figures = (done == end || is_due(done)).then(|| tally.figures().into());
                    snapshots.send_modify(|snapshot| {
                        snapshot.histories = done;
                        if let Some(figures) = figures {
                            snapshot.figures = figures;
                        }
                        if snapshot.first.is_none() {
                            snapshot.first = Some(Arc::new(run.clone()));
                        }
                    });
                }
            }
            asked(snapshots, controls)
        })?;
        match failed {
            Some(error) => Err(Failure::environment(error)),
            None => Ok(self.tally.histories() == end),
        }
    }

    fn phase(&self, phase: Phase) {
        self.snapshots.send_modify(|snapshot| snapshot.phase = phase);
    }
}

/// Does what the user asks: waits while paused, breaks off on a stop.
fn asked(
    snapshots: &Sender<Snapshot>,
    controls: &mut UnboundedReceiver<Control>,
) -> ControlFlow<()> {
    let mut paused = false;
    loop {
        match controls.try_recv() {
            Ok(Control::Stop) => return ControlFlow::Break(()),
            Ok(Control::Pause) => paused = true,
            Ok(Control::Resume) => paused = false,
            Err(_) if !paused => break,
            Err(_) if controls.is_closed() => break,
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
        snapshots.send_modify(|snapshot| snapshot.paused = paused);
    }
    ControlFlow::Continue(())
}
