//! Every column of a row holds what its name says: small campaigns of each mode and a mission, whose
//! columns vary, and equal what the workload's files and the other columns say.
#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

use beamline::archive::mission::{Made, MissionHeader, MissionRun};
use beamline::archive::{FaultRow, OutcomeRow, Segment};
use beamline::campaign::runner::{Completed, Links, Runner, Totals};
use beamline::campaign::{Campaign, Plan};
use beamline::engine::reference::Reference;
use beamline::engine::{self, Course, Engine, Engines, Job, Reopening, TrialResult};
use beamline::fault::{FaultKind, Region};
use beamline::gpu::Arithmetic;
use beamline::mission::run::HistoryRun;
use beamline::mission::{self, Mission, upset};
use beamline::outcome::Outcome;
use beamline::scheme::Scheme;
use beamline::workload::{self, Overrides, Workload};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

static WORKLOAD: LazyLock<Arc<Workload>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-mlp");
    Arc::new(workload::load(&folder, &Overrides::default()).expect("shipped"))
});

/// One mode with its schemes.
struct Case {
    name: &'static str,
    plan: Plan,
    segment: Segment,
}

const SCHEMES: &str = "[[scheme]]\nname = \"none\"\nprotection = \"none\"\n\
    [[scheme]]\nname = \"dmr\"\nprotection = \"dmr\"\nguard = \"non-finite\"\n\
    [[scheme]]\nname = \"tmr\"\nprotection = \"tmr-output\"\n\
    [[scheme]]\nname = \"voted\"\nprotection = \"tmr-storage\"\n";
const CODED: &str = "[[scheme]]\nname = \"secded\"\nprotection = \"none\"\n\
    code = \"hsiao-72-64\"\nscrub = { every_steps = 1, by = \"ecc\" }\n";
const SEQUENCE: &str = "steps = 3\ninputs_per_step = 4\ninference_period_s = 1.0\nexecution_time_s = 0.2\n\
    attribution_sample = 60\n";

/// An engine that tells what an inference takes in full where trials are conditional: a quarter of a second.
struct Told(Reference);

impl Engine for Told {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, engine::Error> {
        self.0.run(scheme, course, jobs)
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    fn inference_s(&mut self, _: &Scheme, course: Course) -> Result<Option<f64>, engine::Error> {
        Ok(course.conditional.then_some(0.25))
    }
}

fn case(name: &'static str, faults: &str, schemes: &str, stop: &str, folder: &Path) -> Case {
    let text = format!(
        "name = \"t\"\nseed = 3\n[workload]\nname = \"digits-mlp\"\ninputs = 6\n[faults]\n{faults}\n\
         {schemes}[stop]\nsegment_trials = 7\n{stop}"
    );
    let campaign = Campaign::parse(Path::new("t.toml"), &text).expect("a campaign");
    let plan = Plan::new(&campaign, &WORKLOAD, folder).expect("a plan");
    let engines = || -> Engines<'_> {
        let engine = |windows| -> Box<dyn Engine> {
            let engine = Reference::new(Arc::clone(&WORKLOAD), windows, Arithmetic::default());
            Box::new(Told(engine))
        };
        plan.strata().iter().map(|stratum| engine(stratum.windows.clone())).collect()
    };
    let totals = Totals::new(campaign.scheme.len(), plan.strata().len());
    let workload = Arc::clone(&WORKLOAD);
    let engines = Reopening::new(engines(), || Ok(Vec::new()));
    let mut runner = Runner::new(&campaign, &plan, workload, totals, engines);
    let mut segment = Segment::default();
    let mut store = |completed: Completed| {
        let more = Segment::completed(&completed, &plan);
        segment.trials += more.trials;
        segment.faults.extend(more.faults);
        segment.outcomes.extend(more.outcomes);
        segment.timing.extend(more.timing);
        Ok(())
    };
    let mut links = Links { emit: &mut |_| {}, store: &mut store, control: &mut || None };
    runner.run(0, &mut links).expect("an end");
    drop(runner);
    Case { name, plan, segment }
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let folder = tempfile::TempDir::new().expect("a folder");
    let list = "trial,input,tensor,layer,index,bit,kind,replica,outcome\n\
        0,,fc1.weight,,7,30,xor,0,tolerable-sdc\n\
        0,,fc2.weight,,9,29,stuck-at-1,0,tolerable-sdc\n\
        1,4,,fc1,3,30,stuck-at-0,1,masked\n\
        2,5,fc2.weight,,11,31,xor,,\n\
        3,2,,input,9,30,xor,,critical-sdc\n";
    std::fs::write(folder.path().join("faults.csv"), list).expect("a written list");
    let nowhere = Path::new(".");
    let conditional = "mode = \"conditional\"\ncount = 2\n\
        regions = [\"weights\", \"input\", \"activations\", \"voted\"]\n";
    let exhaustive = "mode = \"exhaustive\"\nregions = [\"weights\", \"activations\"]\n\
        tensors = [\"fc3.bias\", \"fc3\"]\nbits = [30, 31]\n";
    let upsets = |regions: &str, rate: &str| {
        format!(
            "mode = \"accumulation\"\nregions = [{regions}]\n{SEQUENCE}\
             upsets_per_bit_day = {rate}\nrate_source = \"this test\"\n"
        )
    };
    let transient = upsets("\"input\", \"activations\"", "20.0");
    let stored = upsets("\"weights\"", "0.05");
    let coded = upsets("\"weights\"", "5.0");
    let beam = format!(
        "mode = \"beam\"\nregions = [\"weights\"]\n{SEQUENCE}device = \"trillium-hbm\"\n\
         device_modes = [\"upset\"]\nflux_per_cm2_s = 1e8\nfluence_per_cm2 = 1e12\n"
    );
    let with_code = format!("{SCHEMES}{CODED}");
    vec![
        case("conditional", conditional, SCHEMES, "trials = 64\n", nowhere),
        case("exhaustive", exhaustive, SCHEMES, "", nowhere),
        case("list", "mode = \"list\"\nfile = \"faults.csv\"\n", SCHEMES, "", folder.path()),
        case("transient", &transient, SCHEMES, "trials = 30\n", nowhere),
        case("stored", &stored, SCHEMES, "trials = 30\n", nowhere),
        case("coded", &coded, &with_code, "trials = 14\n", nowhere),
        case("beam", &beam, SCHEMES, "trials = 14\n", nowhere),
    ]
});

/// The columns of a row by name, as text.
fn columns(row: &impl std::fmt::Debug) -> Vec<(String, String)> {
    let text = format!("{row:?}");
    let fields = text.split_once("{ ").and_then(|(_, rest)| rest.strip_suffix(" }"));
    let column = |field: &str| {
        let (name, value) = field.split_once(": ").expect("a field");
        (name.to_owned(), value.to_owned())
    };
    fields.expect("a struct").split(", ").map(column).collect()
}

/// The columns that have one value only over these rows.
fn constant<T: std::fmt::Debug>(rows: impl Iterator<Item = T>) -> Vec<String> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in rows.flat_map(|row| columns(&row)) {
        values.entry(name).or_default().insert(value);
    }
    values.into_iter().filter(|(_, values)| values.len() < 2).map(|(name, _)| name).collect()
}

#[test]
fn every_column_varies() {
    let segments = || CASES.iter().map(|case| &case.segment);
    let faults = constant(segments().flat_map(|segment| &segment.faults));
    assert!(faults.is_empty(), "{faults:?}");
    let outcomes = constant(segments().flat_map(|segment| &segment.outcomes));
    let expected = ["decided", "hang"];
    assert_eq!(outcomes, expected, "the reference runs every trial, and no op has an endless loop");
    let timing = constant(segments().flat_map(|segment| &segment.timing));
    assert_eq!(timing, ["lanes"], "the reference runs one trial at once");
}

fn region(row: &FaultRow) -> Region {
    Region::ALL[usize::from(row.region)]
}

/// The word of fault-free memory that a fault strikes, as the workload's files have it; computed in
/// f64 for the first layer's outputs, `None` for what the files do not hold.
fn stored(row: &FaultRow) -> Option<f64> {
    let workload = &*WORKLOAD;
    let (tensor, index) = (row.tensor as usize, row.index as usize);
    let value = |word: u32| f64::from(f32::from_bits(word));
    let features = workload.inputs.features;
    let input = || &workload.inputs.words[row.inference as usize * features..][..features];
    match region(row) {
        Region::Weights | Region::Voted => Some(value(workload.tensors[tensor].words[index])),
        Region::Input => Some(value(input()[index])),
        Region::Activations if workload.ops[tensor].name == "fc1" => {
            let named = |name: &str| {
                workload.tensors.iter().find(|tensor| tensor.name == name).expect("a tensor")
            };
            let weights = &named("fc1.weight").words[index * features..][..features];
            let sum: f64 = weights.iter().zip(input()).map(|(w, x)| value(*w) * value(*x)).sum();
            Some(sum + value(named("fc1.bias").words[index]))
        }
        Region::Activations | Region::Check => None,
    }
}

#[test]
fn a_fault_names_the_word_and_the_inference_that_it_struck() {
    for case in
        CASES.iter().filter(|case| ["conditional", "exhaustive", "list"].contains(&case.name))
    {
        let mut seen = BTreeSet::new();
        for row in &case.segment.faults {
            let before = f64::from(f32::from_bits(row.word_before));
            // What an earlier fault of the trial left is not golden.
            if let Some(want) = stored(row).filter(|_| row.order == 0) {
                assert!((before - want).abs() <= 1e-4, "{}: {row:?} instead of {want}", case.name);
            }
            let kind = FaultKind::ALL[usize::from(row.kind)];
            assert_eq!(row.word_after, kind.apply(row.word_before, row.mask), "{row:?}");
            assert_eq!((row.step, row.time_s), (0, 0.0), "{row:?}");
            if region(row).is_of_one_inference() {
                seen.insert(row.inference);
            }
        }
        let inputs: &[u32] = if case.name == "list" { &[2, 4] } else { &[0, 1, 2, 3, 4, 5] };
        assert_eq!(seen, inputs.iter().copied().collect(), "{}", case.name);
    }
    let list = CASES.iter().find(|case| case.name == "list").expect("a case");
    let alone = list.segment.faults.iter().find(|row| row.trial == 2).expect("a fault");
    assert_eq!(alone.inference, 5, "a weight that one input alone reads");
}

#[test]
fn in_time_a_fault_names_its_step_and_the_input_that_was_read_then() {
    for case in CASES.iter().filter(|case| ["transient", "stored", "beam"].contains(&case.name)) {
        let exposure = case.plan.exposure().expect("an exposure");
        let mut struck = 0;
        for row in &case.segment.faults {
            let inference = (row.time_s / exposure.inference_period_s) as u32;
            assert_eq!(row.step, inference / exposure.inputs_per_step, "{row:?}");
            if region(row) == Region::Input {
                // Six inputs, read around and around.
                assert_eq!(row.inference, inference % 6, "{row:?}");
                struck += 1;
            }
        }
        assert!(struck > 0 || case.name != "transient", "no input was struck");
    }
}

#[test]
fn counts_times_and_flags_of_a_trial_agree() {
    for case in CASES.iter() {
        let end_s = case.plan.exposure().map_or(0.0, beamline::fault::Exposure::trial_s);
        for row in &case.segment.outcomes {
            let name = format!("{}: {row:?}", case.name);
            let OutcomeRow { trial, scheme, .. } = *row;
            let of_trial = |fault: &&FaultRow| (fault.trial, fault.scheme) == (trial, scheme);
            let orders: Vec<u16> =
                case.segment.faults.iter().filter(of_trial).map(|fault| fault.order).collect();
            assert_eq!(orders, (0..row.faults as u16).collect::<Vec<_>>(), "{name}");
            let stratum = case.plan.stratum_of(trial);
            assert_eq!(usize::from(row.stratum), stratum, "{name}");
            assert_eq!(row.inferences, case.plan.strata()[stratum].inferences, "{name}");
            assert_eq!(row.sum(), u64::from(row.inferences), "{name}");
            assert_eq!(row.worst, row.worst() as u8, "{name}");
            let critical = row.critical_sdc > 0;
            assert_eq!((row.wrong, row.censored), (critical.into(), (!critical).into()), "{name}");
            if !critical || end_s == 0.0 {
                assert_eq!(row.time_to_critical_s, end_s, "{name}");
            } else {
                assert!((0.0..=end_s).contains(&row.time_to_critical_s), "{name}");
                assert!(row.time_to_critical_s > 0.0, "{name}");
            }
            let errors = row.tolerable_sdc + row.critical_sdc + row.due + row.hang;
            assert_eq!(row.first_error == 0, errors == 0, "{name}");
            let steps = case.plan.course().end_step;
            assert!((1..=steps).contains(&row.armed_steps), "{name}");
            assert!(errors > 0 || row.armed_steps == steps, "{name}");
            assert!(row.events_needed == 0 || critical, "{name}");
            assert!(u64::from(row.events_needed) <= u64::from(row.faults), "{name}");
            let delivered = row.inferences - row.due - row.hang;
            assert!(row.label_correct <= delivered, "{name}");
            let averted = row.masked + row.corrected + row.due_recovered;
            assert!(row.averted <= averted && (scheme > 0 || row.averted == 0), "{name}");
            let listed = case.plan.listed(trial).map_or(0, |outcome| 1 + outcome as u16);
            assert_eq!(row.listed, listed, "{name}");
        }
        for row in &case.segment.timing {
            let mine = case.segment.outcomes.iter().filter(|outcome| {
                u32::from(outcome.scheme) == row.scheme
                    && (row.first_trial..row.first_trial + row.trials).contains(&outcome.trial)
            });
            let inferences: Vec<u64> = mine.map(|outcome| outcome.inferences.into()).collect();
            assert_eq!(inferences.len() as u64, row.trials, "{row:?}");
            assert_eq!(inferences.iter().sum::<u64>(), row.inferences, "{row:?}");
            assert!(row.seconds > 0.0, "{row:?}");
        }
    }
}

#[test]
fn what_a_list_says_is_what_its_columns_say() {
    let list = CASES.iter().find(|case| case.name == "list").expect("a case");
    let listed = |trial| list.plan.listed(trial);
    assert_eq!(listed(0), Some(Outcome::TolerableSdc));
    assert_eq!((listed(1), listed(2)), (Some(Outcome::Masked), None));
    let first = &list.segment.faults[0];
    assert_eq!((first.index, first.mask, first.kind), (7, 1 << 30, 0));
}

const MISSION: &str = r#"
name = "columns"
seed = 5
lasts = "8y"
histories = 2
[environment]
orbit = "suncatcher"
days = 1
[memory]
preset = "h100-80gb"
weights = "20GiB"
[[device]]
name = "trillium-hbm"
modes = ["upset"]
[[device]]
name = "trillium-tpu"
modes = ["sdc", "sefi"]
[hardened]
upsets_per_bit_day = 1e-7
source = "an invented rate of this test"
[scrubber]
buffer_bytes = 65536
[workload]
name = "digits-mlp"
inputs = 4
[[scheme]]
name = "none"
protection = "none"
[[scheme]]
name = "tmr"
protection = "tmr-storage"
placement = "device"
scrub = { every = "1h", by = "vote" }
"#;

#[test]
fn every_column_of_a_missions_events_varies_and_says_where_they_fell() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mission = Mission::parse(Path::new("columns.toml"), MISSION).expect("a mission");
    let plan = mission::Plan::new(&mission, Arc::clone(&WORKLOAD), root).expect("a plan");
    let header = MissionHeader::of(&plan, MISSION, &Made::default());
    let rows = |history| {
        let (start_s, upsets) = (upset::start_s(&plan, history), upset::history(&plan, history));
        let run = HistoryRun { history, start_s, upsets, schemes: Vec::new() };
        MissionRun::of(&header, &plan, &run)
    };
    let runs = [rows(0), rows(1)];
    let constants = constant(runs.iter().flat_map(|run| &run.upsets));
    assert!(constants.is_empty(), "{constants:?}");
    let memory = &plan.ground.memory;
    let lap_s = plan.timeline.step_s() * plan.timeline.places.len() as f64;
    for run in &runs {
        for row in &run.upsets {
            let place =
                ((run.start_s + row.time_s).rem_euclid(lap_s) / plan.timeline.step_s()) as u32;
            assert!(place.abs_diff(row.place) <= 1, "{row:?} instead of place {place}");
            assert_eq!(row.in_saa == 1, plan.timeline.places[row.place as usize].in_saa());
            if row.what() == "memory" {
                let at = memory.locate(row.first_entry, plan.ground.map).expect("a place");
                assert_eq!((u64::from(row.bank), row.row), (memory.bank_index(&at), at.row));
                assert!(row.flipped_bits >= row.entries && row.entries > 0, "{row:?}");
                assert!(row.first_bit < 288, "{row:?}");
            }
        }
    }
}

#[test]
fn the_time_of_a_scheme_is_what_its_inferences_take_in_full() {
    for case in CASES.iter() {
        let conditional = case.plan.course().conditional;
        for row in &case.segment.timing {
            let in_full = 0.25 * row.inferences as f64;
            assert_eq!(row.seconds == in_full, conditional, "{}: {row:?}", case.name);
        }
    }
}
