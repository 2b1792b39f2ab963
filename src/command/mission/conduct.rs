//! The run itself: histories, expected rates, sweep, fleet, each told as it goes.

use crate::archive::mission::{Closing, MissionHeader, MissionRun, MissionWriter};
use crate::campaign::event::{Control, heed};
use crate::command::Failure;
use crate::command::live::Steering;
use crate::engine::{self, Course, Engine, Job, Reopening, TrialResult};
use crate::mission::figures::{Tally, is_due};
use crate::mission::live::{Phase, Snapshot};
use crate::mission::run::{self, Event, HistoryRun};
use crate::mission::sweep::{self, Sweep};
use crate::mission::{Plan, SchemeHistory, Verdicts, fleet, strata};
use crate::scheme::Scheme;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch::Sender;

/// Satellites of the fleets that are flown on the way to the one asked for.
const FLEET_STEPS: [u64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

/// Everything a run joins.
pub(super) struct Conduct<'c, 'o> {
    pub plan: &'c Plan,
    pub header: &'c MissionHeader,
    /// The first history of the run, and how many it has.
    pub share: (u64, u64),
    pub engines: Reopening<'o>,
    pub writer: &'c mut MissionWriter,
    /// The sums of the histories done.
    pub tally: Tally,
    /// The first of them, where an earlier run left it.
    pub first: Option<Vec<SchemeHistory>>,
    pub snapshots: &'c Sender<Snapshot>,
    pub steering: Steering,
    pub singles: u64,
    pub sweep: Option<&'c Sweep>,
}

impl Conduct<'_, '_> {
    /// Runs everything; `None` where the user stopped it.
    pub(super) fn run(&mut self) -> Result<Option<Closing>, Failure> {
        let mut verdicts =
            Verdicts::new(Arc::clone(&self.plan.workload), &self.plan.mission.scheme);
        if !self.histories(&mut verdicts)? {
            return Ok(None);
        }
        match self.closing(&mut verdicts) {
            // The histories are stored; what follows from them is computed again.
            Err(engine::Error::Stopped) => Ok(None),
            closing => Ok(Some(closing?)),
        }
    }

    /// What follows the histories.
    fn closing(&mut self, verdicts: &mut Verdicts) -> Result<Closing, engine::Error> {
        let plan = self.plan;
        let mut quiet = plan.clone();
        quiet.ground.keep_changes = false;
        let mut closing = Closing { figures: self.tally.figures(), ..Closing::default() };
        let Self { engines, snapshots, steering, singles, sweep, .. } = self;
        let phase = |phase| snapshots.send_modify(|snapshot| snapshot.phase = phase);
        let mut tell = |notice| snapshots.send_modify(|snapshot| snapshot.notices.push(notice));
        let mut engine = Steered { engine: engines.member(0, &mut tell), steering, snapshots };
        if *singles > 0 {
            phase(Phase::Strata);
            closing.strata = strata::strata(&quiet, &mut engine, verdicts, *singles)?;
            closing.expected = strata::expected(&quiet, &closing.strata);
        }
        if let Some(sweep) = sweep {
            phase(Phase::Sweep);
            closing.sweep = sweep::sweep(&quiet, sweep, &mut engine, verdicts)?;
            let points: Arc<[sweep::Point]> = closing.sweep.clone().into();
            snapshots.send_modify(|snapshot| snapshot.sweep = points);
        }
        if let Some(most) = plan.mission.fleet {
            phase(Phase::Fleet);
            let below = FLEET_STEPS.into_iter().filter(|satellites| *satellites < most);
            for satellites in below.chain([most]) {
                let flown = fleet::fleet(&quiet, satellites, &mut engine, verdicts)?;
                closing.fleet.extend(flown);
            }
        }
        Ok(closing)
    }

    /// `false` where the user stopped it.
    fn histories(&mut self, verdicts: &mut Verdicts) -> Result<bool, Failure> {
        self.snapshots.send_modify(|snapshot| snapshot.phase = Phase::Histories);
        let plan = self.plan;
        let (begin, count) = self.share;
        let (first, end) = (begin + self.tally.histories(), begin + count);
        let Self { engines, writer, header, first: known, tally, snapshots, steering, .. } = self;
        if let Some(schemes) = known.take() {
            // What a screen plays is the first history: it is the same again.
            let start_s = crate::mission::upset::start_s(plan, begin);
            let upsets = crate::mission::upset::history(plan, begin);
            let run = HistoryRun { history: begin, start_s, upsets, schemes };
            let figures: Arc<[_]> = tally.figures().into();
            let done = tally.histories();
            snapshots.send_modify(|snapshot| {
                snapshot.first = Some(Arc::new(run));
                snapshot.histories = done;
                snapshot.figures = figures;
            });
        }
        let mut since = Instant::now();
        let mut failed = None;
        let mut tell = |notice| snapshots.send_modify(|snapshot| snapshot.notices.push(notice));
        let mut engine = engines.member(0, &mut tell);
        run::histories(plan, &mut engine, verdicts, (first, end), &mut |event| {
            match event {
                Event::States(states) => snapshots.send_modify(|s| s.states = states),
                Event::History(_) if failed.is_some() => return ControlFlow::Break(()),
                Event::History(run) => {
                    let seconds = since.elapsed().as_secs_f64();
                    since = Instant::now();
                    let stored = (MissionRun::of(header, plan, run), seconds);
                    if let Err(error) = writer.send(stored.into()) {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                    tally.add(&run.schemes);
                    let done = tally.histories();
                    let figures = (done == count || is_due(done)).then(|| tally.figures().into());
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
            steer(steering, snapshots)
        })?;
        match failed {
            Some(error) => Err(Failure::environment(error)),
            None => Ok(self.tally.histories() == count),
        }
    }
}

/// Does what the user asks: waits while paused, breaks off on a stop.
fn steer(steering: &mut Steering, snapshots: &Sender<Snapshot>) -> ControlFlow<()> {
    let stop = heed(&mut || {
        let asked = steering.next()?;
        snapshots.send_modify(|snapshot| snapshot.paused = asked == Control::Pause);
        Some(asked)
    });
    if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// An engine that the user steers between its calls: nothing of what it computes is stored before
/// all of it is done.
struct Steered<'s, E> {
    engine: E,
    steering: &'s mut Steering,
    snapshots: &'s Sender<Snapshot>,
}

impl<E: Engine> Engine for Steered<'_, E> {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, engine::Error> {
        match steer(self.steering, self.snapshots) {
            ControlFlow::Continue(()) => self.engine.run(scheme, course, jobs),
            ControlFlow::Break(()) => Err(engine::Error::Stopped),
        }
    }

    fn lanes(&self) -> usize {
        self.engine.lanes()
    }
}
