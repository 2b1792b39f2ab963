//! Whole campaigns: against outcomes that PyTorch gave, against themselves in other batches, and
//! the runner's promises.
#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

mod support;

use beamline::campaign::event::{Control, Ended, Event};
use beamline::campaign::runner::{Completed, Error, Links, Runner, Totals};
use beamline::campaign::{Campaign, Mode, Plan};
use beamline::engine::direct::{Direct, Kernels};
use beamline::engine::wavefront::Wavefront;
use beamline::engine::{self, Course, Engine, Engines, Job, Reopening, TrialResult, Windows};
use beamline::gpu;
use beamline::outcome::{InferenceRow, Outcome, Tally};
use beamline::scheme::Scheme;
use beamline::stage::decision::arg_max;
use beamline::workload::{self, NanRank, Overrides, Workload};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::gpu;

fn kernel(name: &str, relu_nan: Option<workload::NanRule>) -> Arc<Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(name);
    let overrides = Overrides { relu_nan, ..Overrides::default() };
    Arc::new(workload::load(&folder, &overrides).expect("a workload of this project"))
}

fn parse(text: &str) -> Campaign {
    Campaign::parse(Path::new("test.toml"), text).expect("a campaign of this test")
}

/// Runs a whole plan under its first scheme on the direct engine.
fn run(
    campaign: &Campaign,
    plan: &Plan,
    workload: &Arc<Workload>,
    lanes: usize,
) -> Vec<TrialResult> {
    let mut results = Vec::new();
    for (index, stratum) in plan.strata().iter().enumerate() {
        let windows = stratum.windows.clone();
        let mut engine =
            Direct::new(gpu(), Arc::clone(workload), windows, lanes, 3).expect("an engine");
        let jobs: Vec<Job> = (0..plan.trials_max())
            .filter(|trial| plan.stratum_of(*trial) == index)
            .map(|trial| plan.job(trial))
            .collect();
        results.extend(engine.run(&campaign.scheme[0], plan.course(), &jobs).expect("results"));
    }
    results
}

/// The 4,000 faults of a reference list: wrong answers and DUEs exactly, 97 % of all trials alike.
fn holds_to_the_list(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns").join(name);
    let (campaign, _) = Campaign::load(&path).expect("a campaign of this project");
    let workload = kernel("digits-mlp", campaign.workload.relu_nan);
    let plan = Plan::new(&campaign, &workload, path.parent().expect("a folder")).expect("a plan");
    let results = run(&campaign, &plan, &workload, 64);
    assert_eq!(results.len(), 4000);
    let mut same = 0;
    for result in &results {
        let want = plan.listed(result.trial).expect("the list says");
        let got = result.tally.worst();
        same += u32::from(got == want);
        if got >= Outcome::CriticalSdc || want >= Outcome::CriticalSdc {
            assert_eq!(got, want, "trial {} of {name}", result.trial);
        }
    }
    assert!(same >= 3880, "{same} of 4,000 trials of {name} have the listed outcome");
}

#[test]
fn weight_faults_come_to_what_pytorch_gave() {
    holds_to_the_list("mlp-weights-listed.toml");
}

#[test]
fn neuron_faults_come_to_what_pytorch_gave() {
    holds_to_the_list("mlp-neurons-listed.toml");
}

/// A trial of a list with the counts of critical and of non-finite answers: those found, and those listed.
type Counted = (u64, [u32; 2], [u32; 2]);

/// Runs some trials of a list that names such counts in these columns: `chosen` gets whether each trial
/// strikes an answer.
fn counted(
    campaign: &str,
    columns: [&str; 2],
    chosen: impl Fn(&[bool]) -> Vec<u64>,
) -> Vec<Counted> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns").join(campaign);
    let (campaign, _) = Campaign::load(&path).expect("a campaign of this project");
    let workload = kernel(&campaign.workload.name, None);
    let folder = path.parent().expect("a folder");
    let plan = Plan::new(&campaign, &workload, folder).expect("a plan");
    let Mode::List(list) = &campaign.faults else { panic!("a list") };
    let list = fs::read_to_string(folder.join(&list.file)).expect("the list");
    let mut rows = list.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let header = rows.next().expect("a header");
    let places = columns.map(|name| header.iter().position(|of| *of == name).expect("a column"));
    let listed: Vec<[u32; 2]> =
        rows.map(|row| places.map(|at| row[at].parse().expect("a count"))).collect();
    let strikes: Vec<bool> = listed.iter().map(|counts| *counts != [0, 0]).collect();
    let mut found = Vec::new();
    for stratum in 0..plan.strata().len() {
        let of = |trial: &u64| plan.stratum_of(*trial) == stratum;
        let jobs: Vec<Job> =
            chosen(&strikes).iter().filter(|t| of(t)).map(|t| plan.job(*t)).collect();
        let windows = plan.strata()[stratum].windows.clone();
        let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
        let mut engine =
            Wavefront::new(kernels, gpu(), Arc::clone(&workload), windows, 1).expect("an engine");
        let results = engine.run(&campaign.scheme[0], plan.course(), &jobs).expect("results");
        assert_eq!(results.len(), jobs.len());
        found.extend(results.iter().map(|result| {
            let counts = [result.tally.count(Outcome::CriticalSdc), result.tally.non_finite];
            (result.trial, counts, listed[result.trial as usize])
        }));
    }
    found
}

/// Some of those that strike answers, and of those that do not.
fn some_of_both(strikes: &[bool], every: [usize; 2]) -> Vec<u64> {
    let (some, none): (Vec<u64>, Vec<u64>) =
        (0..strikes.len() as u64).partition(|trial| strikes[*trial as usize]);
    some.into_iter().step_by(every[0]).chain(none.into_iter().step_by(every[1])).collect()
}

/// Of 800 weight faults in a network of 53 convolutions as many as the time of a test allows: critical and
/// non-finite answers are onnxruntime's, trial by trial. The whole list agrees too (results/committed).
#[test]
fn weight_faults_of_an_onnx_network_come_to_what_onnxruntime_gave() {
    let columns = ["n_inputs_top1_changed_finite", "n_inputs_nonfinite"];
    let counts =
        counted("text-direction-listed.toml", columns, |strikes| some_of_both(strikes, [2, 40]));
    assert_eq!(counts.len(), 39);
    for (trial, found, listed) in counts {
        assert_eq!(found, listed, "trial {trial}");
    }
}

/// Faults in a language model: as many of its answers are wrong as in transformers, trial by trial. Numbers
/// that are not finite behind the first wrong token are those of golden's continuation here and of the faulty
/// network's own there, so that they are compared where no answer is wrong.
fn holds_to_transformers(campaign: &str, columns: [&str; 2], every: [usize; 2]) -> usize {
    let counts = counted(campaign, columns, |strikes| some_of_both(strikes, every));
    for (trial, found, listed) in &counts {
        assert_eq!(found[0], listed[0], "wrong answers of trial {trial} of {campaign}");
        if listed[0] == 0 {
            assert_eq!(found, listed, "trial {trial} of {campaign}");
        }
    }
    counts.iter().filter(|(_, found, _)| found[0] > 0).count()
}

#[test]
fn weight_faults_of_a_language_model_come_to_what_transformers_gave() {
    let columns = ["n_answers_wrong", "n_answers_nonfinite"];
    assert_eq!(holds_to_transformers("qwen3-adder-weights.toml", columns, [1, 12]), 60);
}

#[test]
fn cache_faults_of_a_language_model_come_to_what_transformers_gave() {
    let columns = ["wrong_answer", "non_finite"];
    assert_eq!(holds_to_transformers("qwen3-adder-cache.toml", columns, [1, 1]), 50);
}

/// Rows of the exhaustive neuron table (PyTorch on the CPU, NaN → 0): every neuron × 128 inputs.
#[test]
fn exhaustive_neurons_come_to_what_pytorch_gave() {
    let workload = kernel("digits-mlp", Some(workload::NanRule::Zero));
    for (layer, bit, trials, critical, due) in NEURONS {
        let campaign = parse(&format!(
            "name = \"neurons\"\nseed = 1\n[workload]\nname = \"digits-mlp\"\nrelu_nan = \"zero\"\n\
             [faults]\nmode = \"exhaustive\"\nregions = [\"activations\"]\ntensors = [\"{layer}\"]\n\
             bits = [{bit}]\n[[scheme]]\nname = \"none\"\nprotection = \"none\"\nguard = \"non-finite\"\n"
        ));
        let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
        let results = run(&campaign, &plan, &workload, 512);
        let count = |outcome| results.iter().filter(|r| r.tally.worst() == outcome).count();
        let found = (results.len(), count(Outcome::CriticalSdc), count(Outcome::Due));
        assert_eq!(found, (trials, critical, due), "{layer} bit {bit}");
    }
}

#[test]
fn golden_is_what_pytorch_computed_and_as_accurate() {
    for (name, right) in [("digits-mlp", 499), ("digits-cnn", 503)] {
        let workload = kernel(name, None);
        let count = workload.inputs.count as u32;
        let windows = Windows::new(16, (0..count).collect());
        let engine = Direct::new(gpu(), Arc::clone(&workload), windows, 16, 1).expect("an engine");
        let expected = workload.expected.as_ref().expect("golden logits");
        let labels = workload.inputs.labels.as_ref().expect("labels");
        let features = workload.output_features() as usize;
        let mut correct = 0;
        for (input, label) in labels.iter().enumerate() {
            let word =
                |f: usize| engine.golden_outputs()[((input / 16) * features + f) * 16 + input % 16];
            for f in 0..features {
                let difference =
                    (f32::from_bits(word(f)) - expected.outputs[input * features + f]).abs();
                assert!(
                    difference <= 1e-4,
                    "{name}: input {input} output {f} is off by {difference}"
                );
            }
            correct += u32::from(arg_max((0..features).map(word), NanRank::Differs) == *label);
        }
        assert_eq!(correct, right, "{name}");
    }
}

#[test]
fn a_trial_is_its_seed_whatever_the_batch_and_order() {
    let accumulation = "[faults]\nmode = \"accumulation\"\nregions = [\"weights\", \"activations\"]\n\
        steps = 4\ninputs_per_step = 6\ninference_period_s = 1.0\nexecution_time_s = 0.5\n\
        upsets_per_bit_day = 0.02\nrate_source = \"this test\"\n";
    let conditional =
        "[faults]\nmode = \"conditional\"\ncount = 2\nregions = [\"weights\", \"activations\"]\n";
    for faults in [accumulation, conditional] {
        for scheme in ["none", "dmr", "tmr-output"] {
            let campaign = parse(&format!(
                "name = \"t\"\nseed = 9\n[workload]\nname = \"digits-mlp\"\ninputs = 12\n{faults}\
                 [[scheme]]\nname = \"s\"\nprotection = \"{scheme}\"\n[stop]\ntrials = 24\n"
            ));
            let workload = kernel("digits-mlp", None);
            let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
            let want = run(&campaign, &plan, &workload, 33);
            assert!(want.iter().any(|r| !r.landings.is_empty()));
            for lanes in [2, 6] {
                assert_eq!(
                    run(&campaign, &plan, &workload, lanes),
                    want,
                    "{scheme}, {lanes} lanes"
                );
            }
            let stratum = &plan.strata()[0];
            let windows = stratum.windows.clone();
            let mut engine =
                Direct::new(gpu(), Arc::clone(&workload), windows, 6, 3).expect("an engine");
            let mut jobs: Vec<Job> = (0..plan.trials_max())
                .filter(|trial| plan.stratum_of(*trial) == 0)
                .map(|trial| plan.job(trial))
                .collect();
            jobs.reverse();
            for result in engine.run(&campaign.scheme[0], plan.course(), &jobs).expect("results") {
                assert_eq!(Some(&result), want.iter().find(|r| r.trial == result.trial));
            }
        }
    }
}

#[test]
fn a_rate_of_zero_changes_nothing() {
    let campaign = parse(
        "name = \"t\"\nseed = 9\n[workload]\nname = \"digits-mlp\"\n[faults]\nmode = \"accumulation\"\n\
         regions = [\"weights\"]\nsteps = 3\ninference_period_s = 1.0\nupsets_per_bit_day = 0.0\n\
         rate_source = \"this test\"\n[[scheme]]\nname = \"s\"\nprotection = \"tmr-storage\"\n\
         scrub = { every_steps = 2, by = \"vote\" }\n[stop]\ntrials = 3\n",
    );
    let workload = kernel("digits-mlp", None);
    let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
    for result in run(&campaign, &plan, &workload, 4) {
        assert!(result.landings.is_empty());
        assert_eq!(result.tally.count(Outcome::Masked), 48);
        assert_eq!((result.tally.alarms, result.scrub_repaired), (0, 0));
    }
}

/// An engine that answers at once: every trial is wrong where `wrong` says so, and the call
/// numbered `lost` loses the device.
struct Fake {
    wrong: fn(u64) -> bool,
    lost: Option<u32>,
    calls: u32,
}

impl Engine for Fake {
    fn run(
        &mut self,
        _: &Scheme,
        _: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, engine::Error> {
        self.calls += 1;
        if self.lost == Some(self.calls) {
            return Err(gpu::Error::Lost("this test".into()).into());
        }
        let result = |job: &Job| {
            let row = if (self.wrong)(job.trial) { Outcome::CriticalSdc } else { Outcome::Masked };
            let mut tally = Tally::default();
            tally.add(InferenceRow(row as u32));
            TrialResult {
                rows: vec![InferenceRow(row as u32)],
                tally,
                ..TrialResult::new(job.trial)
            }
        };
        Ok(jobs.iter().map(result).collect())
    }

    fn lanes(&self) -> usize {
        10
    }
}

/// Runs a conditional campaign on a fake; gives how it ended and the completed segments.
fn fake(
    text: &str,
    wrong: fn(u64) -> bool,
    lost: Option<u32>,
    mut control: impl FnMut(usize) -> Option<Control>,
) -> (Result<Ended, Error>, Vec<Completed>, Vec<Event>) {
    let campaign = parse(&format!(
        "name = \"t\"\nseed = 9\n[workload]\nname = \"digits-mlp\"\n{text}\n[[scheme]]\nname = \"s\"\n\
         protection = \"none\"\n"
    ));
    let workload = kernel("digits-mlp", None);
    let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
    let engines = |lost| -> Engines<'_> { vec![Box::new(Fake { wrong, lost, calls: 0 })] };
    let totals = Totals::new(1, 1);
    let engines = Reopening::new(engines(lost), move || Ok(engines(None)));
    let mut runner = Runner::new(&campaign, &plan, workload, totals, engines);
    let (mut segments, mut events) = (Vec::new(), Vec::new());
    let mut asked = 0;
    let ended = runner.run(
        0,
        &mut Links {
            emit: &mut |event| events.push(event),
            store: &mut |completed| {
                segments.push(completed);
                Ok(())
            },
            control: &mut || {
                asked += 1;
                control(asked)
            },
        },
    );
    (ended, segments, events)
}

const CONDITIONAL: &str = "dummy = false\n[faults]\nmode = \"conditional\"\ncount = 1\n\
    regions = [\"weights\"]\n[stop]\ntrials = 200\nsegment_trials = 25\n";

fn conditional(stop: &str) -> String {
    CONDITIONAL.replace("dummy = false\n", "") + stop
}

#[test]
fn a_lost_device_is_opened_again_and_the_batch_redone() {
    let wrong = |trial| trial % 7 == 0;
    let (ended, undisturbed, _) = fake(&conditional(""), wrong, None, |_| None);
    assert_eq!(ended.expect("an end"), Ended::Trials);
    let (ended, redone, events) = fake(&conditional(""), wrong, Some(5), |_| None);
    assert_eq!(ended.expect("an end"), Ended::Trials);
    let rows = |segments: &[Completed]| -> Vec<TrialResult> {
        segments.iter().flat_map(|s| s.schemes[0].iter().map(|t| t.result.clone())).collect()
    };
    assert_eq!(rows(&undisturbed), rows(&redone));
    assert_eq!(rows(&redone).len(), 200);
    assert!(events.iter().any(|e| matches!(e, Event::Notice(text) if text.contains("again"))));
}

#[test]
fn a_stop_ends_after_the_segment_in_flight() {
    let stop = |asked| (asked == 6).then_some(Control::Stop);
    let (ended, segments, _) = fake(&conditional(""), |_| false, None, stop);
    assert_eq!(ended.expect("an end"), Ended::Stopped);
    let done: u64 = segments.iter().map(|s| s.trials).sum();
    assert!((25..200).contains(&done) && done.is_multiple_of(25), "{done} trials");
}

#[test]
fn the_half_width_is_looked_at_on_schedule_only() {
    let stop = conditional("half_width = 0.08\n");
    let (ended, segments, events) = fake(&stop, |_| false, None, |_| None);
    assert_eq!(ended.expect("an end"), Ended::HalfWidth);
    let done: u64 = segments.iter().map(|s| s.trials).sum();
    assert!(beamline::stats::looks::schedule(200, 25).contains(&done));
    assert!(done < 200);
    let looks = events.iter().filter(|e| matches!(e, Event::Notice(text) if text.contains("look")));
    assert!(looks.count() <= 10);
}

#[test]
fn a_run_that_resumes_takes_the_look_it_owes() {
    let text = conditional("half_width = 0.08\n");
    let campaign = parse(&format!(
        "name = \"t\"\nseed = 9\n[workload]\nname = \"digits-mlp\"\n{text}\n[[scheme]]\n\
         name = \"s\"\nprotection = \"none\"\n"
    ));
    let (_, segments, _) = fake(&text, |_| false, None, |_| None);
    let done: u64 = segments.iter().map(|s| s.trials).sum();
    let workload = kernel("digits-mlp", None);
    let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
    let mut totals = Totals::new(1, 1);
    for _ in 0..done {
        totals.count(0, 0, [1, 0, 0, 0, 0, 0, 0], 0, 1);
    }
    let engines: Engines<'_> = vec![Box::new(Fake { wrong: |_| false, lost: None, calls: 0 })];
    let engines = Reopening::new(engines, || Ok(Vec::new()));
    let mut runner = Runner::new(&campaign, &plan, workload, totals, engines);
    let mut more = 0;
    let mut store = |completed: Completed| {
        more += completed.trials;
        Ok(())
    };
    let mut links = Links { emit: &mut |_| {}, store: &mut store, control: &mut || None };
    assert_eq!(runner.run(done, &mut links).expect("an end"), Ended::HalfWidth);
    assert_eq!(more, 0, "trials past the look");
}

#[test]
fn a_dummy_that_shows_something_is_an_error() {
    let campaign = "name = \"t\"\nseed = 9\ndummy = true\n[workload]\nname = \"digits-mlp\"\n";
    let text = conditional("");
    let campaign =
        parse(&format!("{campaign}{text}[[scheme]]\nname = \"s\"\nprotection = \"none\"\n"));
    let workload = kernel("digits-mlp", None);
    let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
    assert!(plan.job(3).faults.iter().all(|fault| fault.mask == 0));
    let run = |wrong| {
        let open = || -> Engines<'_> { vec![Box::new(Fake { wrong, lost: None, calls: 0 })] };
        let totals = Totals::new(1, 1);
        let workload = Arc::clone(&workload);
        let engines = Reopening::new(open(), || Ok(Vec::new()));
        let mut runner = Runner::new(&campaign, &plan, workload, totals, engines);
        let mut links = Links { emit: &mut |_| {}, store: &mut |_| Ok(()), control: &mut || None };
        runner.run(0, &mut links)
    };
    assert!(matches!(run(|_| false), Ok(Ended::Trials)));
    assert!(matches!(run(|trial| trial == 60), Err(Error::Dummy { trial: 60, .. })));
    let real = self::run(&campaign, &plan, &workload, 32);
    assert!(real.iter().all(|r| r.tally.worst() == Outcome::Masked && !r.landings.is_empty()));
}

#[test]
fn failures_are_traced_to_the_events_they_needed() {
    let campaign = parse(
        "name = \"t\"\nseed = 4\n[workload]\nname = \"digits-mlp\"\n[faults]\nmode = \"accumulation\"\n\
         regions = [\"weights\"]\nsteps = 4\ninference_period_s = 1.0\nupsets_per_bit_day = 0.02\n\
         rate_source = \"this test\"\nattribution_sample = 40\n[[scheme]]\nname = \"none\"\n\
         protection = \"none\"\n[[scheme]]\nname = \"tmr\"\nprotection = \"tmr-output\"\n\
         [stop]\ntrials = 40\n",
    );
    let workload = kernel("digits-mlp", None);
    let plan = Plan::new(&campaign, &workload, Path::new(".")).expect("a plan");
    let windows = plan.strata()[0].windows.clone();
    let engine = Direct::new(gpu(), Arc::clone(&workload), windows, 32, 3).expect("an engine");
    let engines = Reopening::new(vec![Box::new(engine)], || Ok(Vec::new()));
    let mut runner = Runner::new(&campaign, &plan, workload, Totals::new(2, 1), engines);
    let mut trials = Vec::new();
    let mut store = |completed: Completed| {
        trials.extend(completed.schemes);
        Ok(())
    };
    let mut links = Links { emit: &mut |_| {}, store: &mut store, control: &mut || None };
    runner.run(0, &mut links).expect("an end");
    let needed = |scheme: usize| -> Vec<u8> {
        trials[scheme].iter().filter(|t| t.result.tally.wrong()).map(|t| t.events_needed).collect()
    };
    assert!(needed(0).len() > 3 && needed(0).iter().all(|k| (1..=3).contains(k)));
    assert!(needed(0).contains(&1), "one upset is enough without protection");
    assert!(!needed(1).contains(&1), "one upset of three images never is: {:?}", needed(1));
    let averted: u32 = trials[1].iter().map(|t| t.averted).sum();
    assert!(averted > 0);
}

/// (layer, bit, trials, critical, DUE).
const NEURONS: [(&str, u32, usize, usize, usize); 4] = [
    ("fc1", 30, 16_384, 8890, 34),
    ("fc2", 30, 8192, 771, 0),
    ("fc3", 30, 1280, 144, 84),
    ("fc3", 31, 1280, 433, 0),
];

#[test]
fn bits_that_no_struck_element_has_are_refused() {
    let whole = fs::read_to_string("campaigns/digits-types.toml").expect("a campaign");
    let text =
        |tensors: &str| whole.replace("\nregions", &format!("\nbits = [8]\n{tensors}\nregions"));
    let workload = kernel("digits-mlp-i8", None);
    let folder = tempfile::tempdir().expect("a folder");
    let planned = |tensors: &str| {
        let path = folder.path().join("c.toml");
        fs::write(&path, text(tensors)).expect("a file");
        let (campaign, _) = Campaign::load(&path).expect("a campaign");
        let plan = Plan::new(&campaign, &workload, folder.path());
        plan.map(|plan| plan.trials_max()).map_err(|error| error.to_string())
    };
    let refused = planned("tensors = [\"fc1.weight\"]").expect_err("a refusal");
    assert!(refused.starts_with("faults.bits: expected a bit that elements"), "{refused}");
    assert_eq!(planned("tensors = [\"fc1.weight\", \"fc1.bias\"]"), Ok(128), "a bit of each bias");
}
