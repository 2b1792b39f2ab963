//! A lost device ends no mission: it is opened again, and the histories are those of a mission that
//! lost none.

use beamline::engine::reference::Reference;
use beamline::engine::{Course, Engine, Engines, Error, Job, Reopening, TrialResult};
use beamline::gpu::{self, Arithmetic};
use beamline::mission::run::{Event, HistoryRun, histories};
use beamline::mission::{Mission, Plan, Verdicts, strata};
use beamline::scheme::Scheme;
use beamline::workload::{self, Overrides};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

const MISSION: &str = r#"
name = "lost"
seed = 5
lasts = "2y"
histories = 3
[environment]
orbit = "suncatcher"
days = 1
[memory]
preset = "h100-80gb"
weights = "20GiB"
[[device]]
name = "trillium-hbm"
modes = ["upset"]
[workload]
name = "digits-mlp"
inputs = 2
[[scheme]]
name = "none"
protection = "none"
[[scheme]]
name = "tmr"
protection = "tmr-storage"
"#;

/// The reference, on a device that is lost in every third call.
struct Losing<'c> {
    inner: Reference,
    calls: &'c Cell<u32>,
}

impl Engine for Losing<'_> {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        self.calls.set(self.calls.get() + 1);
        if self.calls.get().is_multiple_of(3) {
            return Err(gpu::Error::Lost("this test".into()).into());
        }
        self.inner.run(scheme, course, jobs)
    }

    fn lanes(&self) -> usize {
        4
    }
}

fn reference(plan: &Plan) -> Reference {
    Reference::new(Arc::clone(&plan.workload), plan.windows.clone(), Arithmetic::default())
}

/// What a mission has with an engine: its histories, and its expected rates.
fn flown(plan: &Plan, engine: &mut dyn Engine) -> (Vec<HistoryRun>, Vec<strata::Stratum>) {
    let mut verdicts = Verdicts::new(Arc::clone(&plan.workload), &plan.mission.scheme);
    let mut runs = Vec::new();
    histories(plan, engine, &mut verdicts, (0, 3), &mut |event| {
        if let Event::History(run) = event {
            runs.push(run.clone());
        }
        ControlFlow::Continue(())
    })
    .expect("histories");
    (runs, strata::strata(plan, engine, &mut verdicts, 40).expect("expected rates"))
}

#[test]
fn a_mission_survives_a_lost_device_in_every_phase() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workload = workload::load(&root.join("kernels/digits-mlp"), &Overrides::default());
    let mission = Mission::parse(Path::new("lost.toml"), MISSION).expect("a mission");
    let plan = Plan::new(&mission, Arc::new(workload.expect("shipped")), root).expect("a plan");
    let undisturbed = flown(&plan, &mut reference(&plan));
    let calls = Cell::new(0);
    let opened = Cell::new(0);
    let engines = || -> Engines<'_> {
        opened.set(opened.get() + 1);
        vec![Box::new(Losing { inner: reference(&plan), calls: &calls })]
    };
    let mut notices = Vec::new();
    let mut tell = |notice| notices.push(notice);
    let mut reopening = Reopening::new(engines(), || Ok(engines()));
    let disturbed = flown(&plan, &mut reopening.member(0, &mut tell));
    assert!(opened.get() > 3, "{} openings", opened.get());
    assert!(undisturbed == disturbed, "a lost device shows in the results");
    assert_eq!(notices.len(), opened.get() - 1);
    assert!(notices[0].contains("opening the GPU again"), "{notices:?}");
}

#[test]
fn a_device_that_is_lost_again_and_again_is_an_error() {
    struct Gone;
    impl Engine for Gone {
        fn run(&mut self, _: &Scheme, _: Course, _: &[Job]) -> Result<Vec<TrialResult>, Error> {
            Err(gpu::Error::Lost("this test".into()).into())
        }
        fn lanes(&self) -> usize {
            1
        }
    }
    let open = || -> Engines<'_> { vec![Box::new(Gone)] };
    let mut reopening = Reopening::new(open(), || Ok(open()));
    let (course, mut told) = (Course { first_step: 0, end_step: 1, conditional: true }, 0);
    let mut tell = |_| told += 1;
    let scheme = Scheme::bare("none", beamline::scheme::Protection::None);
    let error = reopening.member(0, &mut tell).run(&scheme, course, &[]).expect_err("gone");
    assert!(error.to_string().contains("the GPU device was lost"), "{error}");
    assert_eq!(told, 3);
}
