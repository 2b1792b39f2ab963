//! Whatever number stands in a campaign or a mission, it is planned or refused: nothing panics,
//! hangs or takes memory without an end.

use beamline::campaign::{self, Campaign};
use beamline::mission::{self, Mission, State, StateRows, simulate, upset};
use beamline::outcome::{InferenceRow, Outcome};
use beamline::seed::{Domain, below, stream, unit};
use beamline::workload::{self, Overrides, Workload};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

/// A campaign of accumulation, each number a key of its own.
const CAMPAIGN: [(&str, &str); 12] = [
    ("seed", "1"),
    ("workload.inputs", "16"),
    ("faults.steps", "4"),
    ("faults.inputs_per_step", "4"),
    ("faults.inference_period_s", "10.0"),
    ("faults.execution_time_s", "1.0"),
    ("faults.upsets_per_bit_day", "1e-3"),
    ("faults.acceleration", "1.0"),
    ("faults.attribution_sample", "16"),
    ("stop.trials", "100"),
    ("stop.segment_trials", "50"),
    ("stop.seconds", "60.0"),
];
const CONDITIONAL: [(&str, &str); 5] = [
    ("faults.count", "1"),
    ("stop.trials", "100"),
    ("stop.segment_trials", "50"),
    ("stop.half_width", "0.01"),
    ("workload.inputs", "16"),
];
const BEAM: [(&str, &str); 8] = [
    ("faults.steps", "4"),
    ("faults.inference_period_s", "10.0"),
    ("faults.energy_mev", "200.0"),
    ("faults.flux_per_cm2_s", "1e8"),
    ("faults.fluence_per_cm2", "1e12"),
    ("faults.reset_time_s", "60.0"),
    ("faults.reload_time_s", "10.0"),
    ("faults.dosimetry_error", "0.1"),
];
/// A mission; numbers in quotes have the unit that follows.
const MISSION: [(&str, &str); 18] = [
    ("seed", "1"),
    ("lasts", "30d"),
    ("acceleration", "1.0"),
    ("histories", "2"),
    ("fleet", "3"),
    ("environment.design_margin", "1.0"),
    ("environment.shielding_mm_al", "10.0"),
    ("memory.weights", "1073741824"),
    ("memory.kv_cache", "0"),
    ("memory.activations", "4096"),
    ("workload.inputs", "4"),
    ("service.inferences_per_s", "1.0"),
    ("service.duty", "0.25"),
    ("hardened.upsets_per_bit_day", "1e-6"),
    ("scrubber.buffer_bytes", "4096"),
    ("requirement.probability", "0.9"),
    ("scrub.every", "1h"),
    ("service.reset", "1min"),
];

/// What a rate asks the wall clock for, at most, of one case.
const SECONDS: u64 = 100;
/// Upsets of a history that a case flies, at most.
const FLOWN: f64 = 2e4;

static WORKLOAD: LazyLock<Arc<Workload>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-mlp");
    Arc::new(workload::load(&folder, &Overrides::default()).expect("shipped"))
});

/// The text of a file: its tables with the values of their keys, then what has no numbers.
fn text(values: &[(&str, String)], rest: &str) -> String {
    let of = |table: &str| -> String {
        let inside = values.iter().filter_map(|(key, value)| {
            let (name, key) = key.split_once('.').unwrap_or(("", key));
            (name == table).then(|| format!("{key} = {value}\n"))
        });
        inside.collect()
    };
    let scrub = values.iter().find(|(key, _)| *key == "scrub.every");
    let scrub = scrub.map_or("\"1h\"", |(_, value)| value);
    let mut text = String::new();
    let rest = rest.replace("EVERY", scrub);
    for part in rest.split("\n[") {
        let name = part.split(']').next().unwrap_or("");
        if text.is_empty() {
            text.push_str(&of(""));
            text.push_str(part);
        } else {
            let name = if name.starts_with('[') { "-" } else { name };
            text.push_str(&format!("\n[{part}\n{}", of(name)));
        }
    }
    text
}

/// Values of all sizes: what has no place in any range, what barely has, and draws over all bits.
fn values(key: &str, draws: &mut impl rand::Rng) -> Vec<String> {
    let usual = [
        "0",
        "1",
        "2",
        "-1",
        "255",
        "65535",
        "65536",
        "4294967295",
        "4294967296",
        "9007199254740993",
        "9223372036854775807",
        "18446744073709551615",
        "0.0",
        "-0.0",
        "5e-324",
        "1e-300",
        "1e-12",
        "0.5",
        "0.9999999999999999",
        "1e6",
        "1e9",
        "1e12",
        "1e15",
        "1e18",
        "1e19",
        "1e30",
        "1e300",
        "1.7976931348623157e308",
        "inf",
        "-inf",
        "nan",
    ];
    let mut all: Vec<String> = usual.iter().map(ToString::to_string).collect();
    for _ in 0..3 {
        all.push(format!("{:e}", f64::from_bits(below(draws, u64::MAX))));
        all.push(format!("{:e}", 10.0_f64.powf(60.0 * unit(draws) - 30.0)));
        all.push((below(draws, u64::MAX) >> below(draws, 64)).to_string());
    }
    let is_time = ["lasts", "scrub.every", "service.reset"].contains(&key);
    if is_time {
        let units = ["s", "y", "ms"];
        let of = |(at, value): (usize, String)| format!("\"{value}{}\"", units[at % 3]);
        all = all.into_iter().enumerate().map(of).collect();
    }
    all
}

/// Runs a case in time, or says which did not end. A panic is one of the test.
fn in_time(said: String, case: impl FnOnce() -> bool + Send + 'static) -> bool {
    let (done, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let planned = case();
        let _ = done.send(planned);
    });
    match ended.recv_timeout(Duration::from_secs(SECONDS)) {
        Ok(planned) => planned,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            panic!("after {SECONDS} s still not planned: {said}")
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let _ = thread.join();
            panic!("a panic (above) of {said}")
        }
    }
}

/// Each key with each value, the others as they are; how many of them were planned.
fn all(
    keys: &[(&'static str, &'static str)],
    rest: &'static str,
    plans: fn(&str) -> bool,
) -> (usize, usize) {
    let mut draws = stream(2026, Domain::Generate, &[keys.len() as u64]);
    let (mut planned, mut refused) = (0, 0);
    for (at, (key, _)) in keys.iter().enumerate() {
        for value in values(key, &mut draws) {
            let with = keys.iter().enumerate().map(|(k, (key, usual))| {
                let quoted = usual.ends_with(|c: char| c.is_ascii_alphabetic());
                let usual = if quoted { format!("\"{usual}\"") } else { (*usual).to_owned() };
                (*key, if k == at { value.clone() } else { usual })
            });
            let text = text(&with.collect::<Vec<_>>(), rest);
            let said = format!("{key} = {value}");
            let counted =
                if in_time(said, move || plans(&text)) { &mut planned } else { &mut refused };
            *counted += 1;
        }
    }
    (planned, refused)
}

/// Plans a campaign and draws its first and its last trial.
fn plans_campaign(text: &str) -> bool {
    let path = PathBuf::from("bounds.toml");
    let Ok(campaign) = Campaign::parse(&path, text) else { return false };
    let Ok(plan) = campaign::Plan::new(&campaign, &WORKLOAD, Path::new(".")) else { return false };
    assert!(plan.estimate().line().starts_with("expected: "));
    for trial in [0, plan.trials_max() / 2, plan.trials_max() - 1] {
        assert!(plan.job(trial).faults.len() < 65_536);
    }
    true
}

/// Says of every state that differs that it answers wrongly.
struct Wrong(usize);

impl StateRows for Wrong {
    fn rows(&mut self, _: usize, _: &State) -> Option<Arc<[InferenceRow]>> {
        Some(vec![InferenceRow(Outcome::CriticalSdc as u32); self.0].into())
    }
}

/// Plans a mission, and flies a history that is short.
fn plans_mission(text: &str) -> bool {
    let path = PathBuf::from("bounds.toml");
    let Ok(mission) = Mission::parse(&path, text) else { return false };
    let Ok(plan) = mission::Plan::new(&mission, Arc::clone(&WORKLOAD), Path::new(".")) else {
        return false;
    };
    let estimate = plan.estimate(100);
    assert!(estimate.line().starts_with("expected: "));
    if estimate.refusal().is_some() || plan.events_of_a_history() > FLOWN {
        return true;
    }
    let upsets = upset::history(&plan, 0);
    for terms in &plan.terms {
        let start_s = upset::start_s(&plan, 0);
        let inputs = usize::try_from(plan.ground.reads.inputs).expect("small");
        let history = simulate(&plan.ground, terms, (start_s, &upsets), &mut Wrong(inputs));
        assert_eq!(history.outcomes.iter().sum::<u64>() + history.unavailable, history.inferences);
    }
    true
}

/// The most memory that this process has had, in bytes.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?)
}

fn held(counts: (usize, usize), least: usize) {
    let (planned, refused) = counts;
    assert!(planned >= least && refused >= least, "{planned} planned, {refused} refused");
    let limit = 4 << 30;
    assert!(peak_bytes().is_none_or(|bytes| bytes < limit), "{:?} bytes", peak_bytes());
}

#[test]
fn an_accumulation_of_any_numbers_is_planned_or_refused() {
    let rest = "name = \"bounds\"\n[workload]\nname = \"digits-mlp\"\n[faults]\n\
        mode = \"accumulation\"\nregions = [\"weights\", \"activations\"]\nrate_source = \"a test\"\n\
        [stop]\n[[scheme]]\nname = \"none\"\nprotection = \"none\"\n[[scheme]]\nname = \"TMR\"\n\
        protection = \"tmr-storage\"\n";
    held(all(&CAMPAIGN, rest, plans_campaign), 50);
}

#[test]
fn a_conditional_campaign_of_any_numbers_is_planned_or_refused() {
    let rest = "name = \"bounds\"\nseed = 1\n[workload]\nname = \"digits-mlp\"\n[faults]\n\
        mode = \"conditional\"\nregions = [\"weights\", \"input\"]\n[stop]\n[[scheme]]\n\
        name = \"none\"\nprotection = \"none\"\n";
    held(all(&CONDITIONAL, rest, plans_campaign), 10);
}

#[test]
fn a_beam_of_any_numbers_is_planned_or_refused() {
    let rest = "name = \"bounds\"\nseed = 1\n[workload]\nname = \"digits-mlp\"\n[faults]\n\
        mode = \"beam\"\nregions = [\"weights\"]\ndevice = \"trillium-hbm\"\n[stop]\ntrials = 10\n\
        [[scheme]]\nname = \"none\"\nprotection = \"none\"\n";
    held(all(&BEAM, rest, plans_campaign), 10);
}

/// What of the mission has no numbers.
const MISSION_REST: &str = "name = \"bounds\"\n[environment]\norbit = \"deep-space\"\n[memory]\n\
    preset = \"h100-80gb\"\n[workload]\nname = \"digits-mlp\"\n[service]\n[hardened]\n\
    source = \"a test\"\n[scrubber]\n[requirement]\nno_critical_sdc_for = \"1s\"\n[[device]]\n\
    name = \"trillium-hbm\"\nmodes = [\"upset\"]\n[[device]]\nname = \"trillium-tpu\"\n\
    modes = [\"sefi\", \"sdc\"]\n[[scheme]]\nname = \"TMR\"\nprotection = \"tmr-storage\"\n\
    scrub = { every = EVERY, by = \"vote\" }\n[[scheme]]\nname = \"reload\"\n\
    protection = \"none\"\ncode = \"hsiao-72-64\"\non_due = \"reset\"\n\
    scrub = { every = EVERY, by = \"reload\", random = true }\n";

#[test]
fn a_mission_of_any_numbers_is_planned_or_refused() {
    held(all(&MISSION, MISSION_REST, plans_mission), 50);
}

#[test]
fn single_events_are_bounded_and_their_flag_has_no_line() {
    let usual = MISSION.iter().map(|(key, usual)| {
        let quoted = usual.ends_with(|c: char| c.is_ascii_alphabetic());
        (*key, if quoted { format!("\"{usual}\"") } else { (*usual).to_owned() })
    });
    let text = text(&usual.collect::<Vec<_>>(), MISSION_REST);
    let path = PathBuf::from("bounds.toml");
    let mission = Mission::parse(&path, &text).expect("a mission");
    let plan = mission::Plan::new(&mission, Arc::clone(&WORKLOAD), Path::new(".")).expect("a plan");
    let usual = plan.estimate(2000);
    assert_eq!(usual.refusal(), None);
    for part in ["events", "single events", "in the archive", "in memory"] {
        assert!(usual.line().contains(part), "{}", usual.line());
    }
    for singles in [u64::MAX, 1 << 40, 100_000_000] {
        let refusal = plan.estimate(singles).refusal().expect("more than can be had");
        let message = mission::Error::from(refusal).placed(&path, &text).to_string();
        assert!(message.starts_with("--singles: expected "), "{message}");
    }
}
