//! What several test binaries share: the adapter under test and workloads built in code.
#![allow(dead_code, reason = "each binary uses its own part")]

use beamline::gpu::{AdapterChoice, Gpu};
use beamline::seed::{Domain, stream};
use beamline::workload::{
    Decision, Inputs, NanRank, NanRule, Op, OpKind, Tensor, Value, ValueId, Workload,
};
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

/// A small workload with every op: conv2d → relu → max-pool → flatten → linear → add → softmax or
/// logits, shapes and rules drawn from the seed.
pub(crate) fn random_workload(seed: u64) -> Workload {
    let mut rng = stream(seed, Domain::Generate, &[99]);
    let channels = rng.random_range(1..3usize);
    let side = rng.random_range(4..7usize);
    let outputs = rng.random_range(1..11usize);
    let pooled = (side - 2) / 2 + 1;
    let flat = outputs * pooled * pooled;
    let classes = rng.random_range(2..12usize);
    let mut offset = 0;
    let mut tensor = |name: &str, shape: &[usize]| {
        let words: Vec<u32> = (0..shape.iter().product::<usize>())
            .map(|_| rng.random_range(-1.0f32..1.0).to_bits())
            .collect();
        let tensor = Tensor { name: name.into(), shape: shape.to_vec(), offset, words };
        offset += u32::try_from(tensor.words.len()).expect("a small tensor");
        tensor
    };
    let tensors = vec![
        tensor("conv.weight", &[outputs, channels, 3, 3]),
        tensor("conv.bias", &[outputs]),
        tensor("fc1.weight", &[classes, flat]),
        tensor("fc1.bias", &[classes]),
        tensor("fc2.weight", &[classes, classes]),
    ];
    let value = |name: &str, shape: &[usize]| Value { name: name.into(), shape: shape.to_vec() };
    let mut values = vec![
        value("input", &[channels, side, side]),
        value("conv", &[outputs, side, side]),
        value("relu", &[outputs, side, side]),
        value("pool", &[outputs, pooled, pooled]),
        value("flatten", &[flat]),
        value("fc1", &[classes]),
        value("fc2", &[classes]),
        value("add", &[classes]),
    ];
    let op = |name: &str, kind: OpKind, inputs: &[usize], output: usize| Op {
        name: name.into(),
        kind,
        inputs: inputs.iter().map(|v| ValueId(*v)).collect(),
        output: ValueId(output),
    };
    let mut ops = vec![
        op("conv", OpKind::Conv2d { weight: 0, bias: Some(1), stride: 1, padding: 1 }, &[0], 1),
        op("relu", OpKind::Relu, &[1], 2),
        op("pool", OpKind::MaxPool { size: 2, stride: 2 }, &[2], 3),
        op("flatten", OpKind::Flatten, &[3], 4),
        op("fc1", OpKind::Linear { weight: 2, bias: Some(3) }, &[4], 5),
        op("fc2", OpKind::Linear { weight: 4, bias: None }, &[5], 6),
        op("add", OpKind::Add, &[5, 6], 7),
    ];
    if rng.random_bool(0.5) {
        values.push(value("softmax", &[classes]));
        ops.push(op("softmax", OpKind::Softmax, &[7], 8));
    }
    let features = channels * side * side;
    let count = 9;
    let decision = if rng.random_bool(0.3) {
        Decision::Tolerance { relative: 0.01 }
    } else {
        let ranks = [NanRank::Differs, NanRank::Highest, NanRank::Lowest];
        Decision::ArgMax { nan: ranks[rng.random_range(0..3)] }
    };
    Workload {
        name: "random".into(),
        description: "drawn from a seed".into(),
        source: "this test".into(),
        inputs: Inputs {
            count,
            features,
            words: (0..count * features)
                .map(|_| rng.random_range(-1.0f32..1.0).to_bits())
                .collect(),
            labels: Some(
                (0..count).map(|i| u32::try_from(i % classes).expect("a class")).collect(),
            ),
        },
        tensors,
        output: ValueId(values.len() - 1),
        values,
        ops,
        decision,
        relu_nan: if rng.random_bool(0.5) { NanRule::Propagate } else { NanRule::Zero },
        expected: None,
    }
}
