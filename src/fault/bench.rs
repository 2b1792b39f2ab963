//! A workload for tests: a multilayer perceptron of any widths, made in code.

use crate::op::Dtype;
use crate::seed::mix;
use crate::workload::{
    Decision, Inputs, NanRank, NanRule, Op, Role, Tensor, Value, ValueId, Workload,
};

/// A perceptron of these widths with `inputs` inputs: fc1, relu1, fc2, …, the last without a ReLU.
pub(crate) fn mlp(widths: &[usize], inputs: usize) -> Workload {
    let layers = widths.len() - 1;
    let mut tensors: Vec<Tensor> = Vec::new();
    let mut values = vec![Value::floats("input", &widths[..1], Role::Input)];
    let mut ops = Vec::new();
    let mut offset = 0;
    let mut add_tensor = |name: String, shape: Vec<usize>| {
        let words = words(shape.iter().product(), offset);
        tensors.push(Tensor { name, shape, dtype: Dtype::F32, offset, words });
        offset += u32::try_from(tensors[tensors.len() - 1].words.len()).expect("a small tensor");
        2 * layers + tensors.len() - 1
    };
    let mut add_op = |name: String, kind, stored: &[usize], width| {
        let output = values.len();
        values.push(Value::floats(&name, &[width], Role::Activation));
        let inputs = [&[output - 1], stored].concat();
        ops.push(Op::new(&name, kind, &[], &inputs, output).expect("a known op"));
    };
    for (layer, pair) in widths.windows(2).enumerate() {
        let name = format!("fc{}", layer + 1);
        let weight = add_tensor(format!("{name}.weight"), vec![pair[1], pair[0]]);
        let bias = add_tensor(format!("{name}.bias"), vec![pair[1]]);
        add_op(name, "linear", &[weight, bias], pair[1]);
        if layer + 2 < widths.len() {
            add_op(format!("relu{}", layer + 1), "relu", &[], pair[1]);
        }
    }
    let output = ValueId(values.len() - 1);
    let stored = tensors.iter().enumerate();
    values.extend(stored.map(|(at, t)| Value::floats(&t.name, &t.shape, Role::Stored(at))));
    Workload {
        name: "bench".into(),
        description: "A perceptron for tests.".into(),
        source: "Generated.".into(),
        tensors,
        inputs: Inputs {
            count: inputs,
            features: widths[0],
            words: words(inputs * widths[0], u32::MAX),
            labels: None,
        },
        values,
        ops,
        output,
        decision: Decision::ArgMax { nan: NanRank::Differs },
        relu_nan: NanRule::Propagate,
        expected: None,
        delivered: None,
    }
}

/// Words between ±0.5, told apart by `salt`.
fn words(count: usize, salt: u32) -> Vec<u32> {
    let word = |at: u64| (mix(at ^ (u64::from(salt) << 32)) >> 40) as f32 / 16_777_216.0 - 0.5;
    (0..count as u64).map(|at| word(at).to_bits()).collect()
}
