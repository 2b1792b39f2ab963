//! ONNX models held to the outputs that the ONNX project publishes, and files that are refused.

#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

mod support;

use beamline::engine::direct::{Direct, Kernels};
use beamline::engine::reference::Reference;
use beamline::engine::{Layout, Windows};
use beamline::workload::import::{Beside, Reading, load, write};
use beamline::workload::onnx::operators;
use beamline::workload::{Error, Overrides, Workload, read_npy};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::gpu;
use support::onnx::{Graph, node};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx")
}

/// Outputs `[input, feature]` of golden on the GPU and on the CPU.
fn golden(kernels: &Arc<Kernels>, workload: Workload) -> [Vec<u32>; 2] {
    let count = workload.inputs.count as u32;
    let workload = Arc::new(workload);
    let windows = Windows::new(count, (0..count).collect());
    let of = || (Arc::clone(&workload), windows.clone());
    let (network, inputs) = of();
    let direct =
        Direct::with(Arc::clone(kernels), gpu(), network, inputs, 1, 1).expect("an engine");
    let (network, inputs) = of();
    let reference = Reference::new(network, inputs, gpu().adapter().arithmetic);
    let rows = Layout::new(&workload, &windows).rows as usize;
    let features = workload.output_features() as usize;
    [direct.golden_outputs(), reference.golden_outputs()].map(|words| {
        let places = (0..count as usize).flat_map(|row| (0..features).map(move |f| f * rows + row));
        places.map(|at| words[at]).collect()
    })
}

/// The folder of a model whose inputs stay what they are.
fn import_as_it_is(model: &Path, beside: &Beside, folder: &Path) -> Result<Workload, Error> {
    write(model, beside, folder, Ok)
}

#[test]
fn outputs_are_those_that_the_project_publishes() {
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let mut held = 0;
    for case in fs::read_dir(cases()).expect("cases") {
        let case = case.expect("a case").path();
        if !case.is_dir() {
            continue;
        }
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        let input = Some(case.join("input.npy"));
        let reading = Reading { input, ..Reading::default() };
        let workload = load(&case.join("model.onnx"), &reading, &Overrides::default());
        let workload = workload.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (shape, want) = read_npy(&case.join("output.npy")).expect("outputs");
        let delivered = workload.delivered.clone().expect("a delivered shape");
        let mut found = delivered.shape.clone();
        assert!(
            delivered.along.is_none_or(|along| along == 0),
            "{name}: inputs along {delivered:?}"
        );
        if delivered.along.is_some() {
            found[0] *= workload.inputs.count;
        }
        assert_eq!(found, shape, "{name}");
        let [outputs, reference] = golden(&kernels, workload);
        assert_eq!(outputs, reference, "{name}: the GPU and its reference");
        let floats = |words: &[u32]| words.iter().map(|w| f32::from_bits(*w)).collect::<Vec<f32>>();
        let (outputs, want) = (floats(&outputs), floats(&want));
        assert_eq!(outputs.len(), want.len(), "{name}");
        let largest = want.iter().filter(|w| w.is_finite()).fold(0f32, |most, w| most.max(w.abs()));
        for (at, (found, want)) in outputs.iter().zip(&want).enumerate() {
            let same = found.to_bits() == want.to_bits() || found.is_nan() && want.is_nan();
            let near = (found - want).abs() <= 1e-4 * largest;
            assert!(same || near, "{name}: output {at} is {found}, expected {want}");
        }
        held += 1;
    }
    assert_eq!(held, 58);
}

#[test]
fn a_model_becomes_a_folder_that_is_the_same_workload() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("conv");
    let case = cases().join("Conv1d_groups");
    let reading = Reading { input: Some(case.join("input.npy")), ..Reading::default() };
    let model = case.join("model.onnx");
    let expected = Some(case.join("output.npy"));
    let source = "The ONNX project, Apache-2.0.".to_owned();
    let tolerance = 1e-4;
    let beside =
        Beside { reading: reading.clone(), expected, tolerance, source, ..Beside::default() };
    let written = import_as_it_is(&model, &beside, &folder).expect("a folder");
    let read = load(&model, &reading, &Overrides::default()).expect("a workload");
    assert_eq!(written.tensors, read.tensors);
    assert_eq!((&written.values, &written.ops), (&read.values, &read.ops));
    assert_eq!(written.inputs, read.inputs);
    assert_eq!(written.expected.as_ref().map(|expected| expected.outputs.len()), Some(2 * 6 * 4));
    let again = import_as_it_is(&model, &beside, &folder).expect_err("a folder that is there");
    assert!(
        again
            .to_string()
            .ends_with("expected a folder that does not exist yet, found one that does"),
        "{again}"
    );
    let left: Vec<_> = fs::read_dir(parent.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn folded_normalisations_change_words_and_not_answers() {
    // Conv → BatchNormalization over one channel: (x · 2 − 1) · 3 / √(4 − ε + ε) + 0.5.
    let mut graph = Graph::new(&[1, 1, 2, 2]);
    graph.floats("w", &[1, 1, 1, 1], &[2.0]);
    graph.floats("scale", &[1], &[3.0]).floats("shift", &[1], &[0.5]);
    graph.floats("mean", &[1], &[1.0]).floats("variance", &[1], &[4.0]);
    graph.node(node("Conv", &["x", "w"], "c"));
    graph.node(node("BatchNormalization", &["c", "scale", "shift", "mean", "variance"], "y"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.onnx");
    fs::write(&path, graph.bytes("y")).expect("a model");
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let read = |fold| {
        let reading = Reading { fold, ..Reading::default() };
        load(&path, &reading, &Overrides::default()).expect("a workload")
    };
    let (plain, folded) = (read(false), read(true));
    assert_eq!((plain.ops.len(), folded.ops.len()), (2, 1));
    assert_eq!(plain.tensors[0].words, [2f32.to_bits()], "the words of the file");
    assert_eq!(folded.tensors.len(), 2, "weights and biases");
    assert!(folded.source.contains("1 batch normalisations are folded"), "{}", folded.source);
    let [plain, folded] = [plain, folded].map(|workload| golden(&kernels, workload)[0].clone());
    for (plain, folded) in plain.iter().zip(&folded) {
        let (plain, folded) = (f32::from_bits(*plain), f32::from_bits(*folded));
        assert!((plain - folded).abs() < 1e-5, "{plain} and {folded}");
    }
}

#[test]
fn folded_constants_are_quantised_where_their_readers_take_such() {
    let model = |reader: &str, shape: &[i64]| {
        let mut graph = Graph::new(&[1, 1, 2, 2]);
        graph.floats("w", shape, &[1.1, -0.6]).floats("s", &[1], &[0.5]);
        graph.node(node("QuantizeLinear", &["w", "s"], "q"));
        graph.node(node("DequantizeLinear", &["q", "s"], "d"));
        graph.node(node(reader, &["x", "d"], "y"));
        graph.bytes("y")
    };
    let conv = model("Conv", &[2, 1, 1, 1]);
    let said = refused(&conv, &Reading::default());
    assert!(
        said.ends_with(
            "found computed ones (`--fold` computes those that are constants, quantised)"
        )
    );
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folded = |bytes: &[u8]| {
        let path = folder.path().join("model.onnx");
        fs::write(&path, bytes).expect("a model");
        let reading = Reading { fold: true, ..Reading::default() };
        load(&path, &reading, &Overrides::default()).expect("a workload")
    };
    // 1.1 / 0.5 is 2 in whole numbers, and −0.6 / 0.5 is less than 0, the least of u8.
    let workload = folded(&conv);
    assert!(workload.source.contains(" 1 constants are quantised"), "{}", workload.source);
    let weight = &workload.tensors[workload.tensor("q").expect("numbers of the constant")];
    assert_eq!((weight.dtype.name(), &weight.words[..]), ("u8", &[2][..]));
    let input = workload.inputs.words[..4].to_vec();
    let outputs = golden(&kernels, workload)[0].clone();
    assert_eq!(outputs[..4], input, "a weight of 1");
    assert!(outputs[4..8].iter().all(|word| f32::from_bits(*word) == 0.0), "and one of 0");
    // An addition takes no quantised weights: they become floats.
    let workload = folded(&model("Add", &[2]));
    let weight = &workload.tensors[workload.tensor("d").expect("floats of the constant")];
    assert_eq!((weight.dtype.name(), &weight.words[..]), ("f32", &[1f32.to_bits(), 0][..]));
}

/// What is said of a model of these bytes.
fn refused(bytes: &[u8], reading: &Reading) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.onnx");
    fs::write(&path, bytes).expect("a model");
    let error = load(&path, reading, &Overrides::default()).expect_err("a refusal").to_string();
    let start = format!("{}: expected ", path.display());
    assert!(error.starts_with(&start), "{error}");
    error[start.len()..].to_owned()
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_reason() {
    let plain = Reading::default();
    let of = |graph: &Graph| refused(&graph.bytes("y"), &plain);

    let mut graph = Graph::new(&[1, 4]);
    graph.node(node("Atan", &["x"], "y"));
    let said = of(&graph);
    let start = "an operator that is supported at node `y`, found `Atan`";
    assert!(said.starts_with(start), "{said}");
    assert!(said.contains("; supported are Constant, Abs, Add, "), "{said}");

    let mut graph = Graph::new(&[1, 4]);
    graph.node(node("Loop", &["x"], "y"));
    assert!(of(&graph).contains("found `Loop`: control flow is not supported"));

    let mut graph = Graph::new(&[1, 4]);
    graph.node(node("Relu", &["b"], "a")).node(node("Relu", &["a"], "b"));
    graph.node(node("Add", &["x", "a"], "y"));
    assert_eq!(of(&graph), "a graph without circles, found one at node `a` (Relu)");

    let mut graph = Graph::new(&[1, 4]);
    graph.node(node("Relu", &["nobody"], "y"));
    let said = of(&graph);
    let want = "node `y` (Relu) with a node, a tensor or an input that gives `nobody`, found none";
    assert_eq!(said, want);

    let mut graph = Graph::new(&[1, 4]);
    graph.node(node("Relu", &["x"], "y").int("twist", 1));
    let want = "node `y` (Relu) without attribute `twist`, found it, which is not supported";
    assert_eq!(of(&graph), want);

    let mut graph = Graph::new(&[1, 4]);
    graph.floats("w", &[3, 2], &[0.0; 6]).node(node("MatMul", &["x", "w"], "y"));
    let said = of(&graph);
    assert!(said.ends_with("found (1, 4) and (3, 2)"), "{said}");

    let mut graph = Graph::new(&[0, 0]);
    graph.node(node("Relu", &["x"], "y"));
    let want = "a shape for input `x`, which the file leaves open (`--shape`, or a file of inputs), \
                found (?, ?)";
    assert_eq!(of(&graph), want);
    let reading = Reading { shape: Some(vec![1, 4]), ..Reading::default() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.onnx");
    fs::write(&path, graph.bytes("y")).expect("a model");
    let workload = load(&path, &reading, &Overrides::default()).expect("a workload");
    assert_eq!((workload.values[0].shape.clone(), workload.inputs.count), (vec![4], 16));

    let mut graph = Graph::new(&[1, 4]);
    graph.input("z", &[1, 4]).node(node("Add", &["x", "z"], "y"));
    assert_eq!(of(&graph), "a model of one input, found 2: `x`, `z`");
}

#[test]
fn damaged_files_are_refused() {
    let plain = Reading::default();
    let mut graph = Graph::new(&[1, 4]);
    graph.floats("w", &[4], &[1.0; 4]).node(node("Mul", &["x", "w"], "y"));
    let whole = graph.bytes("y");
    assert!(refused(&[], &plain).starts_with("an ONNX file"), "an empty file");
    assert!(refused(b"PK\x03\x04 an archive", &plain).starts_with("an ONNX file"));
    for length in 1..whole.len() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model.onnx");
        fs::write(&path, &whole[..length]).expect("a model");
        // Cut between two fields, it may still be a model.
        let _ = load(&path, &plain, &Overrides::default()).map_err(|error| error.to_string());
    }
    let said = refused(&whole[..whole.len() / 2], &plain);
    assert!(said.contains("truncated?"), "{said}");

    // 2 GiB of elements claimed in a file of a few bytes.
    let mut graph = Graph::new(&[1, 4]);
    graph.claimed("w", &[1 << 29], &[0; 16]).node(node("Mul", &["x", "w"], "y"));
    let said = refused(&graph.bytes("y"), &plain);
    assert_eq!(said, "2147483648 bytes of `w` of shape (536870912), found 16");
    let mut graph = Graph::new(&[1, 4]);
    graph.claimed("w", &[i64::MAX, 4], &[0; 16]).node(node("Mul", &["x", "w"], "y"));
    assert!(refused(&graph.bytes("y"), &plain).starts_with("a shape of fewer than 2³² elements"));
    let mut graph = Graph::new(&[1, 1 << 40]);
    graph.node(node("Relu", &["x"], "y"));
    assert!(refused(&graph.bytes("y"), &plain).starts_with("inputs of 1 to 268435456 elements"));
}

#[test]
fn tensors_beside_a_model_lie_in_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a folder");
    let words: Vec<u8> =
        [1f32, 2.0, 3.0, 4.0].iter().flat_map(|float| float.to_le_bytes()).collect();
    fs::write(home.join("w.bin"), [&[0; 8], &words[..]].concat()).expect("data");
    fs::write(folder.path().join("w.bin"), &words).expect("data");
    std::os::unix::fs::symlink("../w.bin", home.join("link.bin")).expect("a link");
    let read = |location: &str, offset: &str| {
        let mut graph = Graph::new(&[1, 4]);
        graph.external("w", &[4], &[("location", location), ("offset", offset)]);
        graph.node(node("Mul", &["x", "w"], "y"));
        let path = home.join("model.onnx");
        fs::write(&path, graph.bytes("y")).expect("a model");
        load(&path, &Reading::default(), &Overrides::default()).map_err(|error| error.to_string())
    };
    let found = read("w.bin", "8").expect("a workload");
    assert_eq!(found.tensors[0].words, [1f32, 2.0, 3.0, 4.0].map(f32::to_bits));
    for outside in ["../w.bin", "link.bin", "/etc/passwd", ""] {
        let said = read(outside, "0").expect_err("a refusal");
        assert!(said.contains("the data of `w` in the folder of the model"), "{outside}: {said}");
    }
    let said = read("w.bin", "16").expect_err("a refusal");
    assert!(said.contains("16 bytes of `w`, found 8 of them from byte 16"), "{said}");
}

#[test]
fn the_page_lists_every_operator() {
    let page = include_str!("../docs/file-formats.md");
    let at = page.find("Operators, of sets 6 to 23: ").expect("a list of operators");
    let list = page[at..].split("An operator that is none").next().expect("its end");
    for operator in operators() {
        assert!(list.contains(&format!("`{operator}`")), "{operator}");
    }
    assert_eq!(list.matches('`').count(), 2 * operators().count());
}

/// A model of this graph for inputs of a shape.
fn read(graph: &Graph, shape: &[usize]) -> Result<Workload, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.onnx");
    fs::write(&path, graph.bytes("y")).expect("a model");
    let reading = Reading { shape: Some(shape.to_vec()), ..Reading::default() };
    load(&path, &reading, &Overrides::default()).map_err(|error| error.to_string())
}

#[test]
fn a_model_that_mixes_inputs_is_one_inference() {
    let delivered = |graph: &Graph, shape: &[usize]| {
        let delivered = read(graph, shape).expect("a workload").delivered.expect("a shape");
        (delivered.shape, delivered.along)
    };
    // The open dimension takes what is left, which is not where inputs lie.
    let mut graph = Graph::new(&[0, 4, 6]);
    graph.ints("shape", &[4, -1, 6]).node(node("Reshape", &["x", "shape"], "y"));
    assert_eq!(delivered(&graph, &[3, 4, 6]), (vec![4, 3, 6], None));
    let mut graph = Graph::new(&[0, 4, 6]);
    graph.ints("shape", &[-1, 24]).node(node("Reshape", &["x", "shape"], "y"));
    assert_eq!(delivered(&graph, &[3, 4, 6]), (vec![1, 24], Some(0)));

    // A tensor that is made as large as the batch, and then summed over it.
    let mut graph = Graph::new(&[0, 5]);
    graph.floats("c", &[1, 5], &[1.0; 5]).ints("first", &[0]);
    graph.node(node("Shape", &["x"], "s")).node(node("Expand", &["c", "s"], "e"));
    graph.node(node("ReduceSum", &["e", "first"], "r")).node(node("Add", &["x", "r"], "y"));
    assert_eq!(delivered(&graph, &[3, 5]), (vec![3, 5], None));

    // The same added as it is: each input has its own.
    let mut graph = Graph::new(&[0, 5]);
    graph.floats("c", &[1, 5], &[1.0; 5]);
    graph.node(node("Shape", &["x"], "s")).node(node("Expand", &["c", "s"], "e"));
    graph.node(node("Add", &["x", "e"], "y"));
    assert_eq!(delivered(&graph, &[3, 5]), (vec![1, 5], Some(0)));
}

#[test]
fn a_tensor_is_read_as_each_of_its_readers_sees_it() {
    // (x + c) + (c as (3, 2))ᵀ.
    let mut graph = Graph::new(&[1, 2, 3]);
    graph.floats("c", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).ints("s", &[3, 2]);
    graph.node(node("Add", &["x", "c"], "a")).node(node("Reshape", &["c", "s"], "d"));
    graph.node(node("Transpose", &["d"], "e")).node(node("Add", &["a", "e"], "y"));
    let mut workload = read(&graph, &[1, 2, 3]).expect("a workload");
    workload.inputs.words.fill(0);
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let [outputs, _] = golden(&kernels, workload);
    let sums: Vec<f32> = outputs[..6].iter().map(|word| f32::from_bits(*word)).collect();
    assert_eq!(sums, [2.0, 5.0, 8.0, 6.0, 9.0, 12.0]);
}

#[test]
fn absurd_sizes_are_refused() {
    let said = |graph: &Graph| read(graph, &[1, 4]).expect_err("a refusal");
    let mut graph = Graph::new(&[1, 4]);
    graph.ints("big", &[1, i64::MAX]).node(node("Tile", &["x", "big"], "y"));
    assert!(said(&graph).contains("elements at most"));
    let mut graph = Graph::new(&[1, 4]);
    graph.ints("big", &[i64::MAX, i64::MAX, 1, 4]).node(node("Expand", &["x", "big"], "y"));
    assert!(said(&graph).contains("elements at most"));
    // Numbers that are computed of shapes: 65,536 copies along each of three axes.
    let mut graph = Graph::new(&[1, 4]);
    graph.ints("three", &[1, 1, 2]).ints("often", &[65_536; 3]);
    graph.node(node("Shape", &["x"], "s")).node(node("Reshape", &["s", "three"], "r"));
    graph.node(node("Tile", &["r", "often"], "t")).node(node("Reshape", &["x", "t"], "y"));
    assert!(said(&graph).contains("elements"), "{}", said(&graph));
    // Places of an empty list, from its end.
    let mut graph = Graph::new(&[1, 4]);
    graph.ints("one", &[1]).ints("least", &[-9]).ints("axis", &[0]).ints("back", &[-1]);
    graph.node(node("Shape", &["x"], "s").int("start", 1).int("end", 1));
    graph.node(node("Slice", &["s", "one", "least", "axis", "back"], "t"));
    graph.node(node("Reshape", &["x", "t"], "y"));
    assert!(said(&graph).contains("a shape of 4 elements"), "{}", said(&graph));
}
