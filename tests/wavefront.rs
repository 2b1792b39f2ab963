//! The wavefront engine held to the direct one, trial by trial: random workloads, faults and schemes, and
//! the digit readers.

#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

mod support;

use beamline::engine::agreement::{Agreement, Network, Node, Problem};
use beamline::engine::direct::{Direct, Kernels};
use beamline::engine::reference::Reference;
use beamline::engine::wavefront::{NonFinite, Wavefront};
use beamline::engine::{Course, Engine, Error, Job, Layout, Windows};
use beamline::fault::{Fault, FaultKind, Region, Replica, Sites, draw};
use beamline::op::OPS;
use beamline::outcome::Outcome;
use beamline::scheme::{Code, Protection, Scheme};
use beamline::workload::{Decision, Inputs, NanRank, NanRule, Overrides, Workload, load};
use std::path::Path;
use std::sync::Arc;
use support::gpu;
use support::trials::{coded, same, scheme, stored_fault};

/// One step of which every inference starts from golden memory.
const ONCE: Course = Course { first_step: 0, end_step: 1, conditional: true };

fn engines(workload: &Arc<Workload>, windows: &Windows, lanes: usize) -> (Direct, Wavefront) {
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let of = || (Arc::clone(&kernels), gpu(), Arc::clone(workload), windows.clone());
    let (kernels, gpu, workload, windows) = of();
    let direct = Direct::with(kernels, gpu, workload, windows, lanes, 3).expect("an engine");
    let (kernels, gpu, workload, windows) = of();
    let wavefront = Wavefront::new(kernels, gpu, workload, windows, 3).expect("an engine");
    (direct, wavefront)
}

/// The wavefront engine with golden weights in buffers of so many bytes at most.
fn in_banks(bytes: u64, workload: &Arc<Workload>, windows: &Windows) -> Result<Wavefront, Error> {
    let kernels = Arc::new(Kernels::new(&gpu())?);
    Wavefront::in_banks(bytes, kernels, gpu(), Arc::clone(workload), windows.clone(), 3)
}

fn hold(direct: &mut Direct, wavefront: &mut Wavefront, scheme: &Scheme, jobs: &[Job]) {
    let want = direct.run(scheme, ONCE, jobs).expect("direct");
    let got = wavefront.run(scheme, ONCE, jobs).expect("wavefront");
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(&want) {
        same(got, want, &format!("wavefront against direct: {scheme:?}"));
    }
}

#[test]
fn engines_agree_on_random_networks_schemes_and_faults() {
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let mut found = Agreement::default();
    for seed in 1.. {
        // Past the cases that the test asks for, networks with an op that no network had.
        let every_path = found.paths.contains_key("reference");
        let enough =
            found.paths.get("wavefront").is_some_and(|cases| *cases >= 10_000) && every_path;
        let new = |name: &str| !found.ops.contains_key(name);
        if enough && !Problem::new(seed).workload.ops.iter().any(|op| new(op.kind.name())) {
            continue;
        }
        found.hold(&gpu(), &kernels, seed).expect("results");
        if let Some(disagreement) = &found.disagreement {
            panic!("{disagreement}");
        }
        let of = |path| found.paths.get(path).copied().unwrap_or(0);
        let cases = of("wavefront") + of("proof");
        let every_path = found.paths.contains_key("reference");
        if cases >= 10_000 && every_path && (found.ops.len() == OPS.len() || seed >= 3000) {
            break;
        }
    }
    assert_eq!(found.ops.len(), OPS.len(), "{:?}", found.ops);
    assert_eq!(found.presets.len(), Protection::ALL.len(), "{:?}", found.presets);
    assert_eq!(found.codes.len(), 1 + Code::ALL.len(), "{:?}", found.codes);
    assert_eq!(found.regions.len(), Region::ALL.len(), "{:?}", found.regions);
    assert_eq!(found.kinds.len(), FaultKind::ALL.len(), "{:?}", found.kinds);
    assert_eq!(found.faults.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(found.paths["reference"] > 0, "{:?}", found.paths);
    assert!(found.paths["in place"] > 1000, "{:?}", found.paths);
}

fn digits(name: &str) -> Arc<Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(name);
    Arc::new(load(&folder, &Overrides::default()).expect("a workload"))
}

#[test]
fn a_golden_that_overflows_names_the_first_op_that_does() {
    let words = |floats: &[f32]| floats.iter().map(|float| float.to_bits()).collect::<Vec<u32>>();
    let network = |inputs: &[f32], weight: f32| {
        let mut network = Network::new(&[2]);
        let shape = |_: &[usize]| words(&[weight, 1.0, 1.0, 1.0]);
        let weight = network.stored("weight", &[2, 2], shape);
        let sums = network.op("sums", "linear", &[], &[Network::INPUT, weight]);
        let large = network.op("large", "exp", &[], &[sums]);
        network.op("root", "sqrt", &[], &[large]);
        let inputs = Inputs { count: 3, features: 2, words: words(inputs), labels: None };
        let workload =
            network.workload(inputs, Decision::Tolerance { relative: 0.1 }, NanRule::Propagate);
        let engine = in_banks(1 << 20, &Arc::new(workload), &Windows::new(3, vec![0, 1, 2]));
        engine.expect("an engine").non_finite().expect("golden")
    };
    let found = |name: &str, infinite, nan| Some(NonFinite { name: name.into(), infinite, nan });
    assert_eq!(network(&[1.0; 6], 1.0), None, "rows that only fill up a quad do not count");
    assert_eq!(network(&[1.0, 1.0, 1.0, 100.0, 1.0, 1.0], 1.0), found("large", 2, 0));
    assert_eq!(network(&[1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0], 1.0), found("sums", 0, 2));
    assert_eq!(network(&[1.0; 6], f32::INFINITY), found("weight", 1, 0));
}

fn drawn(workload: &Workload, region: Region, rows: u32, count: u32, trials: u64) -> Vec<Job> {
    let sites = Sites::new(workload, region, None, None).expect("sites");
    let job = |trial| {
        let faults = draw(11, trial, &sites, count, FaultKind::Xor, rows).faults;
        Job { trial, first_window: trial as u32 % 2, faults }
    };
    (0..trials).map(job).collect()
}

#[test]
fn the_digit_readers_are_as_under_the_direct_engine() {
    for name in ["digits-mlp", "digits-cnn"] {
        let workload = digits(name);
        let windows = Windows::new(6, (0..12).collect());
        let (mut direct, mut wavefront) = engines(&workload, &windows, 32);
        for region in [Region::Weights, Region::Input, Region::Activations] {
            for count in [1, 2] {
                let jobs = drawn(&workload, region, 6, count, 30);
                for protection in [Protection::None, Protection::TmrStorage, Protection::Dmr] {
                    hold(&mut direct, &mut wavefront, &scheme(protection), &jobs);
                }
            }
        }
    }
}

#[test]
fn kernels_of_space_benchmarks_are_what_they_should_be_and_as_under_the_direct_engine() {
    let mut names = Vec::new();
    for suite in ["gpu4s", "obpmark"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(suite);
        for entry in folder.read_dir().expect("kernels").flatten() {
            names.push(format!("{suite}/{}", entry.file_name().to_string_lossy()));
        }
    }
    assert_eq!(names.len(), 19);
    for name in names {
        let workload = digits(&name);
        let count = workload.inputs.count as u32;
        let windows = Windows::new(count, (0..count).collect());
        let (mut direct, mut wavefront) = engines(&workload, &windows, 8);
        let expected = workload.expected.as_ref().expect("expected outputs");
        let rows = Layout::new(&workload, &windows).rows as usize;
        let golden = wavefront.golden_outputs();
        for (at, want) in expected.outputs.iter().enumerate() {
            let features = workload.output_features() as usize;
            let found = f32::from_bits(golden[at % features * rows + at / features]);
            let near = (found - want).abs() <= expected.tolerance;
            assert!(near, "{name}, output {at}: expected {want}, found {found}");
        }
        for region in [Region::Weights, Region::Input, Region::Activations] {
            if Sites::new(&workload, region, None, None).expect("sites").bits() == 0 {
                continue;
            }
            let jobs: Vec<Job> = drawn(&workload, region, count, 1, 8)
                .into_iter()
                .map(|job| Job { first_window: 0, ..job })
                .collect();
            for protection in [Protection::None, Protection::Dmr] {
                hold(&mut direct, &mut wavefront, &scheme(protection), &jobs);
            }
        }
    }
}

/// The bits of values, any NaN the same one.
fn bits(words: &[u32]) -> Vec<u32> {
    let same = |word: &u32| if f32::from_bits(*word).is_nan() { 0x7fc0_0000 } else { *word };
    words.iter().map(same).collect()
}

#[test]
fn tensors_larger_than_a_binding_are_split_by_rows() {
    for (name, bytes) in [("digits-mlp", 20_000), ("digits-cnn", 6_000)] {
        let workload = digits(name);
        let windows = Windows::new(6, (0..18).collect());
        let (mut direct, _) = engines(&workload, &windows, 32);
        let mut wavefront = in_banks(bytes, &workload, &windows).expect("an engine").with_lanes(64);
        assert_eq!(bits(wavefront.golden_outputs()), bits(direct.golden_outputs()));
        for region in [Region::Weights, Region::Activations] {
            let jobs = drawn(&workload, region, 6, 1, 200);
            for scheme in [scheme(Protection::None), coded(Code::Hsiao72, Protection::None)] {
                hold(&mut direct, &mut wavefront, &scheme, &jobs);
            }
        }
        assert_eq!(wavefront.paths().direct, 0, "{name}");
    }
}

#[test]
fn trials_that_no_lane_holds_run_in_place() {
    // Two lanes of this image are more than the adapter binds.
    let side = (gpu().binding_bytes_max() as f64 / 8.0).sqrt() as usize + 100;
    if side > 6000 {
        return;
    }
    let workload = Arc::new(support::wide_workload(side));
    let windows = Windows::new(2, (0..2).collect());
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let engine = Wavefront::new(kernels, gpu(), Arc::clone(&workload), windows.clone(), 3);
    let mut wavefront = engine.expect("an engine");
    let refused = Direct::new(gpu(), Arc::clone(&workload), windows.clone(), 2, 1);
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
    let arithmetic = gpu().adapter().arithmetic;
    let mut reference = Reference::new(Arc::clone(&workload), windows, arithmetic);
    assert_eq!(bits(wavefront.golden_outputs()), bits(reference.golden_outputs()));
    for (count, paths) in [(1, [3, 0, 0]), (2, [0, 3, 0])] {
        let jobs = drawn(&workload, Region::Weights, 2, count, 3);
        let before = wavefront.paths();
        for scheme in [scheme(Protection::None), coded(Code::Hsiao72, Protection::None)] {
            let seconds = wavefront.inference_s(&scheme, ONCE).expect("a measurement");
            assert!(seconds.is_some_and(|seconds| seconds > 0.0));
            let want = reference.run(&scheme, ONCE, &jobs).expect("reference");
            let got = wavefront.run(&scheme, ONCE, &jobs).expect("wavefront");
            for (got, want) in got.iter().zip(&want) {
                same(got, want, &format!("wavefront against the reference: {scheme:?}"));
            }
            if scheme.code.is_none() {
                let after = wavefront.paths();
                let taken = [
                    after.wavefront - before.wavefront,
                    after.in_place - before.in_place,
                    after.reference - before.reference,
                ];
                assert_eq!(taken, paths);
            }
        }
    }
}

#[test]
fn weights_that_meet_only_zeros_are_decided_by_proof() {
    let workload = digits("digits-mlp");
    let windows = Windows::new(16, (0..32).collect());
    let (mut direct, mut wavefront) = engines(&workload, &windows, 64);
    let tensor = workload.tensor("fc1.weight").expect("a tensor");
    // Pixel 0 is blank in every image, pixel 20 is not.
    for (pixel, blank) in [(0, true), (20, false)] {
        let struck = stored_fault(&workload, true, 1, [0; 5]);
        let job = |trial: u64| {
            let (index, mask) = (64 * (trial as u32 % 64) + pixel, 1 << (trial % 32));
            let fault =
                Fault { tensor: tensor as u32, index, mask, kind: FaultKind::Xor, ..struck };
            Job { trial, first_window: trial as u32 % 2, faults: vec![fault] }
        };
        let jobs: Vec<Job> = (0..640).map(job).collect();
        let before = wavefront.paths();
        hold(&mut direct, &mut wavefront, &scheme(Protection::None), &jobs);
        let after = wavefront.paths();
        let proved = after.by_proof - before.by_proof;
        // Signs are never decided by proof, nor is a share of the others.
        let most = jobs.len() as u64 * 31 / 32;
        if blank {
            assert!(proved > most * 9 / 10 && proved < most, "{proved} of {most}");
        } else {
            assert_eq!(proved, 0);
        }
    }
}

#[test]
fn what_cannot_be_split_is_refused_with_its_bytes() {
    let workload = digits("digits-cnn");
    let windows = Windows::new(4, (0..4).collect());
    let refused = in_banks(500, &workload, &windows).expect_err("rows of 576 bytes and more");
    let Error::TooLarge { what, needed, limit: 500 } = refused else { panic!("{refused}") };
    assert_eq!((what.as_str(), needed), ("a row of conv2.weight and conv2.bias", 4 * (144 + 1)));
}

#[test]
fn ops_take_up_golden_sums_where_rows_begin_to_differ() {
    let of = [
        ("digits-mlp", "fc1.weight"),
        ("digits-cnn", "conv1.weight"),
        ("digits-cnn", "conv2.weight"),
    ];
    for (name, tensor) in of {
        let workload = digits(name);
        let windows = Windows::new(8, (0..16).collect());
        let (mut direct, wavefront) = engines(&workload, &windows, 64);
        let mut wavefront = wavefront.with_lanes(512);
        let at = workload.tensors.iter().position(|t| t.name == tensor).expect("a tensor");
        let shape = &workload.tensors[at].shape;
        let (units, taps) = (shape[0], shape[1..].iter().product::<usize>());
        // All units, then the last half, none of whose rows begin in the first part.
        for first in [0, units / 2] {
            let job = |trial: usize| {
                let unit = first + trial % (units - first);
                let index = (unit * taps + 7 * trial % taps) as u32;
                let mask = [1 << 30, 1 << 31, 1 << 20, 0x7f80_0000][trial % 4];
                let struck = stored_fault(&workload, true, 1, [0; 5]);
                let fault =
                    Fault { tensor: at as u32, index, mask, kind: FaultKind::Xor, ..struck };
                Job { trial: trial as u64, first_window: trial as u32 / 3 % 2, faults: vec![fault] }
            };
            let jobs: Vec<Job> = (0..160).map(job).collect();
            let before = wavefront.paths();
            hold(&mut direct, &mut wavefront, &scheme(Protection::None), &jobs);
            let after = wavefront.paths();
            assert_eq!(after.direct, before.direct, "{name}");
            assert!(first == 0 || after.resumed > before.resumed, "{name} {tensor}");
        }
    }
}

#[test]
fn single_faults_run_only_what_they_change() {
    for name in ["digits-mlp", "digits-cnn"] {
        let workload = digits(name);
        let windows = Windows::new(8, (0..16).collect());
        let (_, mut wavefront) = engines(&workload, &windows, 8);
        for region in [Region::Weights, Region::Input, Region::Activations] {
            let jobs = drawn(&workload, region, 8, 1, 50);
            let mut all = Protection::ALL.map(scheme).to_vec();
            all.push(coded(Code::Hsiao72, Protection::None));
            if region != Region::Weights {
                all.retain(|scheme| scheme.protection != Protection::TmrLayer);
            }
            for scheme in all {
                let before = wavefront.paths();
                wavefront.run(&scheme, ONCE, &jobs).expect("results");
                let after = wavefront.paths();
                let not_in_full = [after, before].map(|paths| paths.wavefront + paths.by_proof);
                assert_eq!(not_in_full[0] - not_in_full[1], 50, "{name}, {region:?}, {scheme:?}");
                assert_eq!(after.direct, before.direct, "{name}, {region:?}, {scheme:?}");
            }
        }
    }
}

#[test]
fn an_index_past_its_table_ends_its_inference_and_no_other() {
    let mut network = Network::of_indices(&[3]);
    let weight = |shape: &[usize]| {
        let words = shape.iter().product::<usize>();
        (0..words).map(|at| (at as f32 - 4.0).to_bits()).collect()
    };
    let table = network.stored("table", &[5, 2], weight);
    let embedded = network.op("embedded", "embedding", &[], &[Node::Value(0), table]);
    network.op("flat", "flatten", &[], &[embedded]);
    let inputs =
        Inputs { count: 4, features: 3, words: (0..12).map(|at| at % 5).collect(), labels: None };
    let decision = Decision::ArgMax { nan: NanRank::Differs };
    let workload = Arc::new(network.workload(inputs, decision, NanRule::Propagate));
    let windows = Windows::new(4, (0..4).collect());
    let (mut direct, mut wavefront) = engines(&workload, &windows, 8);
    let mut reference = Reference::new(Arc::clone(&workload), windows, gpu().adapter().arithmetic);
    let strike = |bit: u32| Fault {
        step: 0,
        time_s: 0.0,
        region: Region::Input,
        tensor: 0,
        index: 1,
        row: 2,
        kind: FaultKind::Xor,
        mask: 1 << bit,
        place: Replica::At(0),
    };
    let jobs: Vec<Job> = (0..32)
        .map(|bit| Job { trial: bit.into(), first_window: 0, faults: vec![strike(bit)] })
        .collect();
    for protection in Protection::ALL {
        let scheme = scheme(protection);
        let want = reference.run(&scheme, ONCE, &jobs).expect("reference");
        for result in &want {
            let outcomes: Vec<Outcome> = result.rows.iter().map(|row| row.outcome()).collect();
            // Row 2 reads 1 + 2 × 3 = 7, which is 2 of the table of 5.
            let struck = 2 ^ 1u32 << result.trial;
            let trapped = struck >= 5 && !scheme.votes_reads();
            assert_eq!(outcomes[2] == Outcome::Due, trapped, "{}, {result:?}", scheme.name);
            assert!([0, 1, 3].iter().all(|row| outcomes[*row] == Outcome::Masked), "{outcomes:?}");
        }
        for engine in [&mut direct as &mut dyn Engine, &mut wavefront] {
            let found = engine.run(&scheme, ONCE, &jobs).expect("results");
            found.iter().zip(&want).for_each(|(found, want)| same(found, want, &scheme.name));
        }
    }
    assert!(wavefront.paths().wavefront > 0);
}
