//! Workloads as users meet them: the folders of `kernels/` load, and a file with something wrong is
//! refused with the place, what was expected and what was found.

mod message;

use beamline::op::{self, OPS};
use beamline::place;
use beamline::workload::{
    Decision, Error, NanRank, NanRule, Overrides, Role, ValueId, Workload, load,
};
use safetensors::{Dtype, tensor::TensorView};
use std::fs;
use std::path::{Path, PathBuf};

fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn kernel(name: &str, overrides: &Overrides) -> Workload {
    load(&repository("kernels").join(name), overrides).expect("a workload of this repository")
}

fn shapes(workload: &Workload) -> Vec<(&str, &[usize])> {
    let of_inferences = workload.values.iter().filter(|v| !matches!(v.role, Role::Stored(_)));
    of_inferences.map(|value| (value.name.as_str(), value.shape.as_slice())).collect()
}

#[test]
fn digits_mlp_loads() {
    let mlp = kernel("digits-mlp", &Overrides::default());
    assert_eq!(mlp.stored_words(), 17_226);
    assert_eq!(mlp.stored_image().len(), 17_226);
    let names: Vec<_> = mlp.tensors.iter().map(|t| (t.name.as_str(), t.offset)).collect();
    assert_eq!(
        names,
        [
            ("fc1.weight", 0),
            ("fc1.bias", 8192),
            ("fc2.weight", 8320),
            ("fc2.bias", 16_512),
            ("fc3.weight", 16_576),
            ("fc3.bias", 17_216),
        ]
    );
    assert_eq!((mlp.inputs.count, mlp.inputs.features), (512, 64));
    assert_eq!(mlp.inputs.words.len(), 512 * 64);
    assert_eq!(mlp.inputs.labels.as_ref().map(Vec::len), Some(512));
    assert_eq!(
        shapes(&mlp),
        [
            ("input", &[64][..]),
            ("fc1", &[128]),
            ("relu1", &[128]),
            ("fc2", &[64]),
            ("relu2", &[64]),
            ("fc3", &[10]),
        ]
    );
    let axes = |name: &str| &mlp.values.iter().find(|v| v.name == name).expect("a value").axes;
    assert_eq!((axes("fc1.weight"), axes("fc1.bias")), (&vec!["output", "input"], &vec!["output"]));
    assert_eq!((axes("input"), axes("relu1")), (&vec!["feature"], &vec!["feature"]));
    assert_eq!(mlp.output_features(), 10);
    assert_eq!(mlp.decision, Decision::ArgMax { nan: NanRank::Differs });
    assert_eq!(mlp.relu_nan, NanRule::Propagate);
    let expected = mlp.expected.expect("golden logits");
    assert_eq!((expected.outputs.len(), expected.correct), (5120, Some(499)));

    let zero = Overrides { relu_nan: Some(NanRule::Zero), size: None };
    assert_eq!(kernel("digits-mlp", &zero).relu_nan, NanRule::Zero);
}

#[test]
fn digits_cnn_loads() {
    let cnn = kernel("digits-cnn", &Overrides::default());
    assert_eq!(cnn.stored_words(), 46_650);
    assert_eq!((cnn.inputs.count, cnn.inputs.features), (512, 64));
    assert_eq!(
        shapes(&cnn),
        [
            ("input", &[1, 8, 8][..]),
            ("conv1", &[16, 8, 8]),
            ("relu1", &[16, 8, 8]),
            ("conv2", &[32, 8, 8]),
            ("relu2", &[32, 8, 8]),
            ("pool", &[32, 4, 4]),
            ("flatten", &[512]),
            ("fc1", &[80]),
            ("relu3", &[80]),
            ("fc2", &[10]),
        ]
    );
    let conv1 = cnn.op("conv1").expect("an op named conv1");
    assert_eq!(cnn.ops[conv1].kind.name(), "conv2d");
    assert_eq!(cnn.ops[conv1].settings, [1, 1, 1, 1, 1, 1, 1, 1, 1]);
    let tensors = [Role::Stored(0), Role::Stored(1)];
    assert_eq!([1, 2].map(|at| cnn.values[cnn.ops[conv1].inputs[at].0].role), tensors);
    assert_eq!(cnn.sites().count(), 8, "flatten is no site");
    assert_eq!(cnn.expected.and_then(|expected| expected.correct), Some(503));
}

#[test]
fn gemm_is_generated_at_any_size() {
    let gemm = kernel("gemm", &Overrides::default());
    assert_eq!((gemm.stored_words(), gemm.inputs.count), (256 * 256, 256));
    assert_eq!(gemm.decision, Decision::Tolerance { relative: 1e-5 });
    assert_ne!(gemm.tensors[0].words, gemm.inputs.words);
    assert_eq!(gemm, kernel("gemm", &Overrides::default()));

    let small = kernel("gemm", &Overrides { relu_nan: None, size: Some(8) });
    assert_eq!((small.inputs.count, small.inputs.features), (8, 8));
    assert_eq!(small.tensors[0].shape, [8, 8]);

    let refused = |name: &str, size| {
        let overrides = Overrides { relu_nan: None, size: Some(size) };
        let error = load(&repository("kernels").join(name), &overrides).expect_err("a bad size");
        message::by_line(&error.to_string())
    };
    assert!(refused("gemm", 0).ends_with("expected a size of at least 1, found 0"));
    assert!(refused("digits-mlp", 8).ends_with(
        "workload.toml:1: expected a `size` that 8 can replace, found a workload of fixed size"
    ));
}

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).expect("a short header").to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn safetensors(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        let view = TensorView::new(*dtype, shape.to_vec(), data).expect("data of this shape");
        (*name, view)
    });
    safetensors::serialize(views, None).expect("tensors that serialize")
}

/// A folder with the data files that the workloads of the corpus name.
fn folder(parent: &Path, name: &str, toml: &str) -> PathBuf {
    let dir = parent.join(name);
    fs::create_dir(&dir).expect("a new folder");
    let write = |name: &str, data: &[u8]| fs::write(dir.join(name), data).expect("a new file");
    let floats = |count: usize| vec![0_u8; 4 * count];
    let x = npy("<f4", "(4, 16)", &floats(64));
    let labels = [0_i64, 1, 2, 0].map(i64::to_le_bytes).concat();
    let nan = [f32::NAN.to_le_bytes().to_vec(), floats(17)].concat();
    let weights = safetensors(&[
        ("conv1.weight", Dtype::F32, &[2, 1, 3, 3], nan),
        ("conv1.bias", Dtype::F32, &[2], floats(2)),
        ("fc1.weight", Dtype::F32, &[3, 8], floats(24)),
        ("fc1.bias", Dtype::F32, &[3], floats(3)),
    ]);
    write("workload.toml", toml.as_bytes());
    write("weights.safetensors", &weights);
    write("truncated.safetensors", &weights[..400]);
    write("header.safetensors", &weights[..60]);
    write("double.safetensors", &safetensors(&[("fc1.weight", Dtype::F64, &[1], floats(2))]));
    write(
        "data.safetensors",
        &safetensors(&[("x", Dtype::F32, &[2, 6], floats(12)), ("y", Dtype::U8, &[2], vec![5, 0])]),
    );
    write("x.npy", &x);
    write("truncated.npy", &x[..x.len() - 1]);
    write("wide.npy", &npy("<f4", "(4, 17)", &floats(68)));
    write("double.npy", &npy("<f8", "(4, 16)", &floats(128)));
    write("big.npy", &npy(">f4", "(4, 16)", &floats(64)));
    write("object.npy", &npy("|O", "(4, 16)", &floats(128)));
    let fortran = String::from_utf8_lossy(&x[10..]).replace("False", "True ");
    write("fortran.npy", &[&x[..10], fortran.as_bytes()].concat());
    write("y.npy", &npy("<i8", "(4,)", &labels));
    write("three.npy", &npy("|u1", "(3,)", &[0; 3]));
    write("nines.npy", &npy("|u1", "(4,)", &[9; 4]));
    write("negative.npy", &npy("<i4", "(4,)", &[255; 16]));
    write("golden.npy", &npy("<f4", "(4, 3)", &floats(12)));
    write("table.safetensors", &safetensors(&[("table", Dtype::F32, &[9, 2], floats(18))]));
    write("tokens.npy", &npy("<i8", "(2, 2)", &[0_i64, 8, 3, 3].map(i64::to_le_bytes).concat()));
    write("past.npy", &npy("<u2", "(2, 2)", &[0_u16, 8, 3, 9].map(u16::to_le_bytes).concat()));
    dir
}

#[test]
fn accepted_files_load() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let read = |name: &str| {
        let file = repository("tests/accepted/workload").join(name).with_extension("toml");
        let toml = fs::read_to_string(file).expect("a file of the corpus");
        load(&folder(parent.path(), name, &toml), &Overrides::default()).expect("a workload")
    };
    let tiny = read("tiny");
    assert_eq!((tiny.stored_words(), tiny.relu_nan), (18 + 2 + 24 + 3, NanRule::Zero));
    assert!(f32::from_bits(tiny.stored_image()[0]).is_nan(), "a NaN weight is a weight");

    let tokens = read("tokens");
    assert_eq!(tokens.values[0].dtype, op::Dtype::U32);
    assert_eq!(tokens.values[1].dtype, op::Dtype::F32);
    assert_eq!((tokens.inputs.words.as_slice(), tokens.output_features()), (&[0, 8, 3, 3][..], 4));

    let residual = read("residual");
    let names: Vec<_> = residual.tensors.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["weight", "bias"], "in the order of use, each once");
    assert_eq!(residual.stored_words(), 36 + 6);
    assert_eq!(residual.inputs.labels, Some(vec![5, 0]));
    let sum = residual.op("sum").expect("an op named sum");
    assert_eq!(residual.ops[sum].inputs, [ValueId(2), ValueId(0)]);
    assert_eq!(residual.decision, Decision::ArgMax { nan: NanRank::Highest });
}

#[test]
fn refused_files_say_where_and_why() {
    let mut wrong = vec![];
    let mut count = 0;
    for file in fs::read_dir(repository("tests/refused/workload")).expect("the corpus") {
        let file = file.expect("a file of the corpus").path();
        let toml = fs::read_to_string(&file).expect("a file of the corpus");
        let first = toml.lines().next().and_then(|line| line.strip_prefix("# refused: "));
        let message = first.expect("the message in the first line");
        let parent = tempfile::tempdir().expect("a temporary folder");
        let dir = folder(parent.path(), "tiny", &toml);
        let found = match load(&dir, &Overrides::default()) {
            Ok(_) => "accepted".into(),
            Err(error) => message::by_line(&error.to_string()),
        };
        if !found.starts_with(&dir.join(message).display().to_string()) {
            wrong.push(format!("{}\n    expected {message}\n    found    {found}", file.display()));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "the corpus has {count} files");
}

#[test]
fn a_folder_without_a_workload_is_named() {
    let error = load(Path::new("kernels/absent"), &Overrides::default());
    let Err(Error::File(place::Error::Read { path, .. })) = error else {
        panic!("an absent folder was read")
    };
    assert_eq!(path, Path::new("kernels/absent/workload.toml"));
}

#[test]
fn the_page_of_file_formats_has_every_op_with_its_fields() {
    let page = fs::read_to_string(repository("docs/file-formats.md")).expect("a page");
    for kind in OPS {
        let start = format!("| `{}` |", kind.name());
        let mut rows = page.lines().filter(|line| line.starts_with(&start));
        let whole = |row: &str| {
            kind.fields().iter().all(|field| row.contains(&format!("`{}`", field.name)))
        };
        assert!(rows.any(whole), "{kind:?}: no row with its fields");
    }
}

#[test]
fn fields_of_ops_take_numbers_and_lists() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let toml = fs::read_to_string(repository("tests/accepted/workload/tiny.toml")).expect("a file");
    let read = |name: &str, padding: &str| {
        let toml = toml.replace("name = \"tiny\"", &format!("name = \"{name}\""));
        let toml = toml.replace("padding = 1", padding);
        load(&folder(parent.path(), name, &toml), &Overrides::default())
    };
    let settings =
        |padding: &str, name: &str| read(name, padding).expect(padding).ops[0].settings.clone();
    let whole = settings("padding = 1", "whole");
    assert_eq!(whole, [1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(settings("padding = [1, 1]", "pair"), whole);
    assert_eq!(settings("padding = [1, 1, 1, 1]\ndilation = [1, 1]\ngroups = 1", "sides"), whole);
    let wrong = ["padding = [1, 1, 1]", "padding = -1", "padding = 1.0", "padding = []"];
    for (name, wrong) in ["three", "negative", "float", "none"].into_iter().zip(wrong) {
        let error = read(name, wrong).expect_err(wrong).to_string();
        assert!(error.contains("expected a whole number, [rows, columns] or"), "{error}");
    }
}
