//! What several test binaries share: the adapter under test and workloads built in code.
#![allow(dead_code, reason = "each binary uses its own part")]

pub(crate) mod onnx;
pub(crate) mod trials;

use beamline::engine::agreement::Network;
use beamline::gpu::{AdapterChoice, Gpu};
use beamline::op::Given;
use beamline::seed::{Domain, stream};
use beamline::workload::{Decision, Inputs, NanRank, NanRule, Workload};
use rand::RngExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The adapter under test: the one that `BEAMLINE_ADAPTER` names, else software where there is
/// such an adapter, else the best there is.
pub(crate) fn adapter() -> String {
    std::env::var("BEAMLINE_ADAPTER").unwrap_or_else(|_| {
        let software = beamline::gpu::list().iter().any(|adapter| adapter.software);
        if software { "software".into() } else { "any".into() }
    })
}

/// The open adapter. No adapter is a failure, never a skip.
pub(crate) fn gpu() -> Arc<Gpu> {
    static GPU: OnceLock<Arc<Gpu>> = OnceLock::new();
    let open = || {
        Arc::new(
            Gpu::open(&AdapterChoice::parse(Some(&adapter()))).expect("an adapter for the tests"),
        )
    };
    Arc::clone(GPU.get_or_init(open))
}

/// Copies the digits MLP and its data beside a file of a test, which may then change them.
pub(crate) fn copy_digits(folder: &Path) {
    for kernel in ["digits-mlp", "digits-data"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(kernel);
        let to = folder.join(kernel);
        std::fs::create_dir(&to).expect("a new folder");
        for entry in std::fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}

/// Makes the last weight of a copied digits MLP a NaN.
pub(crate) fn spoil_digits(folder: &Path) {
    let path = folder.join("digits-mlp/weights.safetensors");
    let mut bytes = std::fs::read(&path).expect("weights");
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).expect("written weights");
}

/// A small workload with every op: conv2d → batch-norm → relu → max-pool → conv2d of groups → flatten →
/// linear → linear, sigmoid → add → softmax or logits, shapes, windows and rules drawn from the seed.
pub(crate) fn random_workload(seed: u64) -> Workload {
    let mut rng = stream(seed, Domain::Generate, &[99]);
    let channels = rng.random_range(1..3usize);
    let side = rng.random_range(4..7usize);
    let outputs = 2 * rng.random_range(1..5usize);
    let classes = rng.random_range(2..12usize);
    let mut network = Network::new(&[channels, side, side]);
    let kernel = [3, rng.random_range(1..4usize)];
    let mut weights = |shape: &[usize]| {
        (0..shape.iter().product::<usize>())
            .map(|_| rng.random_range(-1.0f32..1.0).to_bits())
            .collect()
    };
    let conv =
        network.stored("conv.weight", &[outputs, channels, kernel[0], kernel[1]], &mut weights);
    let bias = network.stored("conv.bias", &[outputs], &mut weights);
    let stride = [("stride", Given::List(vec![1, 1])), ("padding", Given::List(vec![1, 0]))];
    let x = network.op("conv", "conv2d", &stride, &[Network::INPUT, conv, bias]);
    let scale = network.stored("norm.weight", &[outputs], &mut weights);
    let shift = network.stored("norm.bias", &[outputs], &mut weights);
    let mean = network.stored("norm.mean", &[outputs], &mut weights);
    let one = |shape: &[usize]| vec![1.25f32.to_bits(); shape.iter().product()];
    let variance = network.stored("norm.variance", &[outputs], one);
    let x = network.op("norm", "batch-norm", &[], &[x, scale, shift, mean, variance]);
    let x = network.op("relu", "relu", &[], &[x]);
    let window = [("size", Given::Number(2)), ("padding", Given::List(vec![1, 0, 0, 1]))];
    let x = network.op("pool", "max-pool", &window, &[x]);
    let parts = network.stored("parts.weight", &[outputs, outputs / 2, 2, 1], &mut weights);
    let groups = [("groups", Given::Number(2)), ("padding", Given::List(vec![1, 0, 0, 0]))];
    let x = network.op("parts", "conv2d", &groups, &[x, parts]);
    let x = network.op("flatten", "flatten", &[], &[x]);
    let flat = network.shape(x)[0];
    let fc1 = network.stored("fc1.weight", &[classes, flat], &mut weights);
    let bias = network.stored("fc1.bias", &[classes], &mut weights);
    let fc1 = network.op("fc1", "linear", &[], &[x, fc1, bias]);
    let fc2 = network.stored("fc2.weight", &[classes, classes], &mut weights);
    let fc2 = network.op("fc2", "linear", &[], &[fc1, fc2]);
    let sigmoid = network.op("sigmoid", "sigmoid", &[], &[fc2]);
    let sum = network.op("add", "add", &[], &[fc1, sigmoid]);
    if rng.random_bool(0.5) {
        network.op("softmax", "softmax", &[], &[sum]);
    }
    let features = channels * side * side;
    let count = 9;
    let words = (0..count * features).map(|_| rng.random_range(-1.0f32..1.0).to_bits()).collect();
    let labels = (0..count).map(|i| u32::try_from(i % classes).expect("a class")).collect();
    let decision = if rng.random_bool(0.3) {
        Decision::Tolerance { relative: 0.01 }
    } else {
        let ranks = [NanRank::Differs, NanRank::Highest, NanRank::Lowest];
        Decision::ArgMax { nan: ranks[rng.random_range(0..3)] }
    };
    let relu_nan = if rng.random_bool(0.5) { NanRule::Propagate } else { NanRule::Zero };
    let inputs = Inputs { count, features, words, labels: Some(labels) };
    network.workload(inputs, decision, relu_nan)
}

/// A linear op of `side` inputs and as many outputs, then one of ten outputs.
pub(crate) fn wide_workload(side: usize) -> Workload {
    let mut draws = stream(1, Domain::Generate, &[100]);
    let mut weights = |shape: &[usize]| {
        let word = |_| draws.random_range(-0.1f32..0.1).to_bits();
        (0..shape.iter().product::<usize>()).map(word).collect()
    };
    let mut network = Network::new(&[side]);
    let weight = network.stored("wide.weight", &[side, side], &mut weights);
    let bias = network.stored("wide.bias", &[side], &mut weights);
    let x = network.op("wide", "linear", &[], &[Network::INPUT, weight, bias]);
    let x = network.op("relu", "relu", &[], &[x]);
    let weight = network.stored("head.weight", &[10, side], &mut weights);
    network.op("head", "linear", &[], &[x, weight]);
    let words = weights(&[2, side]);
    let inputs = Inputs { count: 2, features: side, words, labels: None };
    network.workload(inputs, Decision::ArgMax { nan: NanRank::Differs }, NanRule::Propagate)
}
