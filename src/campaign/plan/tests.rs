//! Tests of plans: what each mode makes of trials, and what a workload cannot be asked for.

use super::*;
use crate::fault::bench::mlp;
use crate::place::by_line;
use std::collections::HashSet;

fn workload() -> Workload {
    mlp(&[8, 6, 4], 10)
}

fn campaign(faults: &str, rest: &str) -> Campaign {
    let text = format!(
        "name = \"a\"\nseed = 3\n{rest}\n[workload]\nname = \"bench\"\n[faults]\n{faults}\n\
         [[scheme]]\nname = \"none\"\nprotection = \"none\"\n\
         [[scheme]]\nname = \"dmr\"\nprotection = \"dmr\"\n\
         [[scheme]]\nname = \"tmr\"\nprotection = \"tmr-storage\"\n"
    );
    Campaign::parse(Path::new("a.toml"), &text).expect("a campaign")
}

fn plan(faults: &str, rest: &str) -> Plan {
    Plan::new(&campaign(faults, rest), &workload(), Path::new("")).expect("a plan")
}

fn refused(faults: &str, rest: &str) -> String {
    let campaign = campaign(faults, rest);
    Plan::new(&campaign, &workload(), Path::new("")).expect_err("a refusal").to_string()
}

const BOTH: &str = "mode = \"conditional\"\ncount = 2\nregions = [\"weights\", \"activations\"]";

#[test]
fn conditional_strata_take_turns() {
    let plan = plan(BOTH, "stop.trials = 1001");
    assert_eq!((plan.trials_max(), plan.segment_trials()), (1001, 64));
    let [weights, activations] = plan.strata() else { panic!("two strata") };
    assert_eq!((weights.trials_max, activations.trials_max), (501, 500));
    assert_eq!((weights.inferences, activations.inferences), (10, 1));
    assert_eq!((weights.windows.count(), activations.windows.count()), (1, 10));
    assert_eq!(activations.windows.inputs(7), [7]);
    assert_eq!(weights.bits, 32 * (8 * 6 + 6 + 6 * 4 + 4));
    let mut windows = HashSet::new();
    for trial in 0..1001 {
        let job = plan.job(trial);
        let region = plan.strata()[plan.stratum_of(trial)].regions[0];
        assert!(job.faults.len() == 2 && job.faults.iter().all(|fault| fault.region == region));
        assert_eq!(job, plan.job(trial));
        if region == Region::Weights {
            assert_eq!(job.first_window, 0);
        } else {
            windows.insert(job.first_window);
        }
    }
    assert_eq!(windows, (0..10).collect());
    let course = Course { first_step: 0, end_step: 1, conditional: true };
    assert_eq!(plan.course(), course);
}

#[test]
fn segments_are_long_enough_and_few() {
    let segment = |trials| plan(BOTH, &format!("stop.trials = {trials}")).segment_trials();
    assert_eq!([segment(1), segment(64), segment(65), segment(4000)], [1, 64, 64, 100]);
    let chosen = "stop.trials = 4000\nstop.segment_trials = 7";
    assert_eq!(plan(BOTH, chosen).segment_trials(), 7);
}

#[test]
fn a_census_strikes_every_site_once() {
    let faults = "mode = \"exhaustive\"\nregions = [\"activations\", \"weights\"]\n\
                  tensors = [\"fc2\", \"fc1.bias\"]\nbits = [0, 31]";
    let plan = plan(faults, "");
    assert!(plan.census());
    assert_eq!(plan.trials_max(), 4 * 2 * 10 + 6 * 2);
    assert_eq!((plan.job(0).first_window, plan.job(1).first_window), (0, 1));
    assert_eq!((plan.job(0).faults[0].mask, plan.job(10).faults[0].mask), (1, 1 << 31));
    assert_eq!((plan.stratum_of(79), plan.stratum_of(80)), (0, 1));
    let struck: HashSet<_> = (0..plan.trials_max())
        .map(|trial| {
            let job = plan.job(trial);
            let fault = job.faults[0];
            (fault.region, fault.tensor, fault.index, fault.mask, job.first_window)
        })
        .collect();
    assert_eq!(struck.len() as u64, plan.trials_max());
}

#[test]
fn a_dummy_strikes_with_masks_of_zero() {
    let stuck = format!("{BOTH}\nkind = \"stuck-at-1\"");
    let dummy = plan(&stuck, "dummy = true\nstop.trials = 20");
    let real = plan(&stuck, "stop.trials = 20");
    for trial in 0..20 {
        let [zero, struck] = [dummy.job(trial), real.job(trial)];
        assert!(zero.faults.iter().all(|f| f.mask == 0 && f.kind == FaultKind::Xor));
        assert!(struck.faults.iter().all(|f| f.mask != 0 && f.kind == FaultKind::StuckAt1));
        assert_eq!(zero.faults.len(), struck.faults.len());
    }
}

const ACCUMULATION: &str = "mode = \"accumulation\"\nregions = [\"weights\", \"activations\"]\n\
     inference_period_s = 10.0\nexecution_time_s = 5.0\nupsets_per_bit_day = 1e-3\n\
     rate_source = \"a test\"\n";

#[test]
fn accumulation_windows_wrap_around_the_inputs() {
    let faults = format!("{ACCUMULATION}steps = 12\ninputs_per_step = 4");
    let plan = plan(&faults, "stop.trials = 30");
    let [stratum] = plan.strata() else { panic!("one stratum") };
    assert_eq!(stratum.windows.count(), 5, "10 inputs by 4 repeat after 5 windows");
    for step in 0..12_u32 {
        let window = stratum.windows.inputs(step as usize % 5);
        let expected: Vec<u32> = (0..4).map(|row| (step * 4 + row) % 10).collect();
        assert_eq!(window, expected);
    }
    assert_eq!(stratum.inferences, 48);
    let exposure = plan.exposure().expect("an exposure");
    assert_eq!((exposure.copies_max, exposure.executions_max), (3, 4));
    assert!((exposure.upsets_per_bit_s - 1e-3 / 86_400.0).abs() < 1e-20);
    assert_eq!(plan.course(), Course { first_step: 0, end_step: 12, conditional: false });
    assert!((0..30).any(|trial| !plan.job(trial).faults.is_empty()));
    assert!(!plan.census() && plan.listed(0).is_none());
}

#[test]
fn lists_of_both_kinds_make_two_strata() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = "tensor,layer,index,bit,input,replica,outcome\n\
                fc1.bias,,1,2,,1,critical\n,relu1,3,4,6,,\nfc1.bias,,1,2,9,,sdc\n";
    std::fs::write(folder.path().join("list.csv"), rows).expect("a list");
    let campaign = campaign("mode = \"list\"\nfile = \"list.csv\"", "");
    let plan = Plan::new(&campaign, &workload(), folder.path()).expect("a plan");
    let strata: Vec<_> =
        plan.strata().iter().map(|s| (s.name.as_str(), s.inferences, s.trials_max)).collect();
    assert_eq!(strata, [("weights", 10, 1), ("weights+activations, one input", 1, 2)]);
    assert_eq!([0, 1, 2].map(|trial| plan.stratum_of(trial)), [0, 1, 1]);
    assert_eq!([0, 1, 2].map(|trial| plan.job(trial).first_window), [0, 6, 9]);
    assert_eq!(plan.job(0).faults[0].place, Replica::At(1));
    assert!(matches!(plan.job(1).faults[0].place, Replica::Share(_)));
    assert_eq!(plan.listed(0), Some(Outcome::CriticalSdc));
    assert_eq!([plan.listed(1), plan.listed(2)], [None, Some(Outcome::TolerableSdc)]);
}

#[test]
fn what_the_workload_lacks_is_refused() {
    let stop = "stop.trials = 10";
    assert_eq!(
        refused(&format!("{BOTH}\ntensors = [\"fc7\"]"), stop),
        "faults.tensors: expected tensors among fc1.weight, fc1.bias, fc2.weight, fc2.bias, fc1, \
         relu1, fc2, found \"fc7\"; did you mean `fc1`?"
    );
    assert_eq!(
        refused(&format!("{BOTH}\ntensors = [\"fc1.bias\"]"), stop),
        "faults.tensors: expected one of fc1, relu1, fc2 for region activations, found none"
    );
    let many = "mode = \"conditional\"\ncount = 300\nregions = [\"input\"]";
    assert!(refused(many, stop).starts_with("faults.count: expected a count up to 256"));
    let hot = format!("{ACCUMULATION}steps = 12\nacceleration = 1e12");
    let hot = refused(&hot, stop);
    assert!(
        hot.starts_with("faults.acceleration: expected a rate that gives a trial 10000"),
        "{hot}"
    );
    assert!(
        refused("mode = \"list\"\nfile = \"none.csv\"", "").starts_with("none.csv: cannot be read")
    );
    let mut many_inputs = campaign(BOTH, stop);
    many_inputs.workload.inputs = Some(11);
    let error = Plan::new(&many_inputs, &workload(), Path::new("")).expect_err("11 of 10 inputs");
    let text = "[workload]\nname = \"bench\"\ninputs = 11\n";
    assert_eq!(
        by_line(&error.placed(Path::new("a.toml"), text).to_string()),
        "a.toml:3: expected inputs up to 10, those of workload bench, found 11"
    );
}

/// A campaign whose device flies.
fn flying(device: &str, environment: &str) -> (Campaign, String) {
    let text = format!(
        "name = \"a\"\nseed = 3\nstop.trials = 20\n[workload]\nname = \"bench\"\n[faults]\n\
         mode = \"accumulation\"\nregions = [\"weights\"]\nsteps = 4\n\
         inference_period_s = 10.0\nacceleration = 1e9\n{device}\n[environment]\n{environment}\n\
         [[scheme]]\nname = \"none\"\nprotection = \"none\"\n"
    );
    (Campaign::parse(Path::new("a.toml"), &text).expect("a campaign"), text)
}

const HBM: &str = "device = \"trillium-hbm\"\ndevice_modes = [\"upset\"]";
const LEO: &str = "orbit = \"suncatcher\"\ndays = 1.0";

fn grounded(device: &str, environment: &str) -> String {
    let (campaign, text) = flying(device, environment);
    let error = Plan::new(&campaign, &workload(), Path::new("")).expect_err("a refusal");
    by_line(&error.placed(Path::new("a.toml"), &text).to_string())
}

#[test]
fn a_device_on_an_orbit_gives_the_rate() {
    let plan = |device: &str| {
        let (campaign, _) = flying(device, LEO);
        let plan = Plan::new(&campaign, &workload(), Path::new("")).expect("a plan");
        let again = Plan::with(&campaign, &workload(), Path::new(""), plan.rate().cloned());
        let again = again.expect("a plan at the same rate");
        assert!((0..20).all(|trial| plan.job(trial) == again.job(trial)));
        plan
    };
    let nominal = plan(HBM);
    let rate = nominal.rate().expect("a rate");
    assert!((1e-13..1e-12).contains(&rate.upsets_per_bit_day), "{}", rate.upsets_per_bit_day);
    let course = rate.course.as_ref().expect("a course");
    let mean = course.rates.iter().copied().map(f64::from).sum::<f64>() / 1440.0;
    assert!((mean - 1.0).abs() < 1e-5 && course.rates.len() == 1440 && course.peak() > 30.0);
    for word in ["suncatcher", "10 mm", "upset", "nominal", "AP8MIN", "2511.19468", "trillium-hbm"]
    {
        assert!(rate.source.contains(word), "{word}: {}", rate.source);
    }
    let others: Vec<&str> = rate.not_injected.iter().map(|mode| mode.mode.as_str()).collect();
    assert_eq!(others, ["uncorrectable", "ion-bits"]);
    assert!(rate.not_injected.iter().all(|mode| mode.per_device_day.is_some()));
    let high = plan(&format!("{HBM}\nlevel = \"high\"\ncourse = \"mean\""));
    let high = high.rate().expect("a rate");
    assert!((high.upsets_per_bit_day / rate.upsets_per_bit_day - 3.0).abs() < 0.01);
    assert!(high.course.is_none());
    let usual = plan("device = \"trillium-hbm\"");
    let usual = usual.rate().expect("a rate");
    assert_eq!(usual.not_injected.len(), 1);
    assert!(usual.upsets_per_bit_day > rate.upsets_per_bit_day);
}

/// The file, its tool and what became of its numbers stand in the source of the rate, and so in the
/// archive.
#[test]
fn a_spectrum_of_another_tool_gives_the_rate_and_its_source() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = "energy_mev,integral_per_m2_sr_s\n10,4e5\n30,3e5\n100,2e5\n400,1e3\n";
    std::fs::write(folder.path().join("ap9.csv"), table).expect("a written file");
    let plan = |spectrum: &str| {
        let (campaign, text) = flying(HBM, &format!("{LEO}\n{spectrum}"));
        let plan = Plan::new(&campaign, &workload(), folder.path());
        plan.map_err(|error| error.placed(Path::new("a.toml"), &text).to_string())
    };
    let said = "proton_spectrum = { file = \"ap9.csv\", is = \"trapped, before-shield, mean\" }";
    let plan_said = plan(said).expect("a plan");
    let rate = plan_said.rate().expect("a rate");
    let source = "file ap9.csv of a CSV table: trapped, before-shield, mean; energy_mev and \
                  integral_per_m2_sr_s, flux times 1.2566e-3; 62 bytes, SHA-256 ";
    assert!(rate.source.contains(source), "{}", rate.source);
    let (usual, _) = flying(HBM, LEO);
    let usual = Plan::new(&usual, &workload(), folder.path()).expect("a plan");
    let usual = usual.rate().expect("a rate").upsets_per_bit_day;
    assert!(rate.upsets_per_bit_day > 3.0 * usual, "{} {usual}", rate.upsets_per_bit_day);
    let unsaid = plan("proton_spectrum = \"ap9.csv\"").expect_err("a refusal");
    let asked =
        "ap9.csv:1: expected in `is` of proton_spectrum (--proton-spectrum-is), if it is true:";
    assert!(unsaid.starts_with("a.toml:17:") && unsaid.contains(asked), "{unsaid}");
    let none = plan("let_spectrum = \"none.dlt\"").expect_err("a refusal");
    assert!(none.contains("none.dlt: cannot be read"), "{none}");
}

#[test]
fn what_no_device_or_orbit_can_be_is_refused_at_its_line() {
    let modes = |names: &str| format!("device = \"trillium-hbm\"\ndevice_modes = [{names}]");
    for (device, environment, expected) in [
        ("device = \"tpu-v9\"", LEO, "a.toml:12: expected a device (creme96"),
        ("device = \"none/such.toml\"", LEO, "a.toml:12: none/such.toml: cannot be read"),
        ("device = \"jetson-tx2\"", LEO, "a.toml:12: expected a device with a mode per bit"),
        (&modes("\"nope\""), LEO, "a.toml:13: expected modes of device trillium-hbm among uncorr"),
        (&modes("\"upset\", \"uncorrectable\""), LEO, "a.toml:13: expected modes observed at one"),
        (
            "device = \"trillium-tpu\"\ndevice_modes = [\"sdc\"]",
            LEO,
            "a.toml:13: expected modes that strike memory: one observed after-workload",
        ),
        (HBM, "orbit = \"moon-base\"", "a.toml:15: orbit: expected one of"),
        (HBM, "orbit = \"suncatcher\"\nshielding_mm_al = -1.0", "a.toml:16: shielding_mm_al: exp"),
        (HBM, "orbit = \"suncatcher\"\ndesign_margin = 0.0", "a.toml:16: design_margin: expect"),
        (HBM, "orbit = \"suncatcher\"\nstart = \"soon\"", "a.toml:16: start: expected a UTC d"),
        (HBM, "orbit = \"iss\"\nstart = \"1949-01-01\"", "a.toml:16: start: expected a year f"),
        (
            HBM,
            "orbit = \"suncatcher\"\n\ndays = 0.5",
            "a.toml:17: days: expected at least 1 day, one turn of the Earth beneath the orbit, as \
             the track stands for a longer flight (the mean over all longitudes takes 1 day), \
             found 0.5",
        ),
        (HBM, "orbit = \"iss\"\nstep_s = 1.0", "a.toml:14: days: expected at most 6.9"),
        (
            HBM,
            "orbit = { kind = \"circular\", altitude_km = 99, inclination_deg = 5 }",
            "a.toml:15: altitude_km: expected 100 or more, below which it decays within an orbit, \
             found 99",
        ),
    ] {
        let found = grounded(device, environment);
        assert!(found.starts_with(expected), "{found}\n  for {expected}");
    }
}
