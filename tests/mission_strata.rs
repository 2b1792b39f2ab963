//! Expected rates are what the mean of many histories comes to.

mod support;

use beamline::engine::direct::{Direct, Kernels};
use beamline::mission::figures::{PerYear, figures};
use beamline::mission::strata::{Expected, expected, strata};
use beamline::mission::{Mission, Plan, SchemeHistory, Upset, Verdicts, run, upset};
use beamline::stats::Interval;
use beamline::workload::{self, Overrides};
use std::path::Path;
use std::sync::Arc;
use support::gpu;

/// Three devices, of which the schemes use one or all; a vote that protects nothing of weight leaves
/// what is read of the first device as it is.
const MISSION: &str = r#"
name = "spread"
seed = 5
lasts = "8y"
[environment]
orbit = "suncatcher"
days = 1
[memory]
preset = "h100-80gb"
weights = "60GiB"
[[device]]
name = "trillium-hbm"
modes = ["upset"]
[[device]]
name = "trillium-tpu"
modes = ["host-ram"]
[workload]
name = "digits-mlp"
inputs = 8
[service]
inferences_per_s = 1.0
[[scheme]]
name = "none"
protection = "none"
[[scheme]]
name = "spread"
protection = "tmr-storage"
placement = "device"
protect = { bits = [0] }
[[scheme]]
name = "dmr"
protection = "dmr"
placement = "device"
[[scheme]]
name = "code"
protection = "none"
code = "hsiao-72-64"
"#;

fn overlap(a: Interval, b: Interval) -> bool {
    a.low <= b.high && b.low <= a.high
}

#[test]
fn expected_rates_are_the_mean_of_histories_also_on_several_devices() {
    let mission = Mission::parse(Path::new("spread.toml"), MISSION).expect("a mission");
    let workload = workload::load(Path::new("kernels/digits-mlp"), &Overrides::default());
    let workload = Arc::new(workload.expect("shipped"));
    let plan = Plan::new(&mission, Arc::clone(&workload), Path::new(".")).expect("a plan");
    assert_eq!(plan.devices(), 3);
    let stored: Vec<f64> = plan.facts().schemes.iter().map(|s| s.stored_bytes as f64).collect();
    assert!((stored[1] / stored[0] - (1.0 + 2.0 / 32.0)).abs() < 1e-6, "one bit in three replicas");
    assert_eq!(stored[2], 2.0 * stored[0]);
    let gpu = gpu();
    let kernels = Arc::new(Kernels::new(&gpu).expect("kernels"));
    let (windows, copies) = (plan.windows.clone(), plan.copies());
    let engine = Direct::with(kernels, gpu, Arc::clone(&plan.workload), windows, 64, copies);
    let mut engine = engine.expect("an engine");
    let mut verdicts = Verdicts::new(workload, &plan.mission.scheme);
    let histories: Vec<Vec<Upset>> = (0..10).map(|at| upset::history(&plan, at)).collect();
    let runs: Vec<Vec<SchemeHistory>> =
        run::settled(&plan, &mut engine, &mut verdicts, &histories, &mut |_| {}).expect("runs");
    let realised = figures(&plan.facts(), &runs);
    let single = strata(&plan, &mut engine, &mut verdicts, 1500).expect("strata");
    let expected = expected(&plan, &single);
    for (realised, expected) in realised.iter().zip(&expected) {
        let pairs: [(&PerYear, (f64, Interval)); 2] = [
            (&realised.critical_episodes, expected.critical),
            (&realised.due_episodes, expected.due),
        ];
        for (realised, (rate, interval)) in pairs {
            let name = &expected.scheme;
            assert!(
                overlap(realised.interval, interval),
                "{name}: {realised:?}, {rate} {interval:?}"
            );
        }
        let wrong = realised.wrong_per_year;
        assert!(overlap(wrong.1, expected.wrong.1), "{wrong:?} {expected:?}");
    }
    let critical = |at: usize| -> f64 { Expected::of("", at, &single).critical.0 };
    let (none, spread, dmr) = (critical(0), critical(1), critical(2));
    assert!(realised[0].critical_episodes.count > 15, "{:?}", realised[0].critical_episodes);
    assert!(none > 0.0 && (0.5..2.0).contains(&(spread / none)), "{none} and {spread}");
    assert_eq!(dmr, 0.0);
    let nothing = Interval { low: 0.0, high: 0.0 };
    assert_eq!(realised[2].wrong_per_year, (0.0, nothing), "no resample has a wrong answer");
    assert!(realised[3].due_episodes.count > 15, "{:?}", realised[3].due_episodes);
}
