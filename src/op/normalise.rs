//! Normalisation over part of a value: (x − mean) / √(variance + ε), times a weight, plus a bias. The
//! variance is that of the whole part (divided by its size). The two kinds share one shader,
//! `shaders/normalise.wgsl`.

use super::field::{Default, Field, Holds};
use super::shape::{Shape, input_mismatch, narrow, words};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A kind of normalisation.
pub(super) struct Normalise {
    name: &'static str,
    formula: &'static str,
    fields: &'static [Field],
    /// Whether each part has a weight of its own, or each element of a part.
    by_part: bool,
}

const fn tensor(name: &'static str, required: bool, axes: &'static [&'static str]) -> Field {
    Field { name, holds: Holds::Tensor { required, axes }, meaning: "one a channel" }
}

const EPSILON: Field = Field {
    name: "epsilon",
    holds: Holds::Float(1e-5),
    meaning: "added to the variance, 1e-5 by default",
};

pub(super) static INSTANCE: Normalise = Normalise {
    name: "instance-norm",
    formula: "(C, …) → the same: (x − mean) · weight / √(variance + epsilon) + bias, mean and \
              variance of each channel",
    fields: &[tensor("weight", true, &["channel"]), tensor("bias", false, &["channel"]), EPSILON],
    by_part: true,
};

pub(super) static LAYER: Normalise = Normalise {
    name: "layer-norm",
    formula: "any shape → the same: (x − mean) · weight / √(variance + epsilon) + bias, mean and \
              variance over the dimensions from `axis` on",
    fields: &[
        Field {
            name: "weight",
            holds: Holds::Tensor { required: true, axes: &["feature"] },
            meaning: "one for each place of these dimensions",
        },
        Field {
            name: "bias",
            holds: Holds::Tensor { required: false, axes: &["feature"] },
            meaning: "likewise",
        },
        Field {
            name: "axis",
            holds: Holds::Number(Default::Is(0)),
            meaning: "the first dimension of a part, 0 by default",
        },
        EPSILON,
    ],
    by_part: false,
};

impl Normalise {
    /// Parts of an input, and elements of a part.
    fn parts(&self, settings: &[u32], input: &[usize]) -> [usize; 2] {
        let axis = if self.by_part { 1 } else { settings[0] as usize };
        let (outer, inner) = input.split_at(axis.min(input.len()));
        [outer.iter().product(), inner.iter().product()]
    }
}

fn epsilon(settings: &[u32]) -> f32 {
    f32::from_bits(settings.last().copied().unwrap_or(0))
}

impl Operator for Normalise {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        if inputs[0].is_empty() {
            return Err(input_mismatch("(channels, …)", inputs[0]));
        }
        let [parts, elements] = self.parts(settings, inputs[0]);
        let wanted = if self.by_part { parts } else { elements };
        for tensor in &inputs[1..] {
            if tensor.iter().product::<usize>() != wanted {
                let expected = format!("weight and bias of {wanted} elements");
                return Err(Mismatch::new(expected, Shape(tensor).to_string()));
            }
        }
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [parts, elements] = self.parts(call.settings, call.inputs[0].shape).map(narrow);
        let [x, weight] = [0, 1].map(|at| call.inputs[at]);
        let bias = call.inputs.get(2);
        #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
        let divisor = (elements as f32).to_bits();
        let params = vec![
            ("rows", call.rows),
            ("blocks", call.blocks),
            ("parts", parts),
            ("elements", elements),
            ("x_base", x.base),
            ("x_stride", x.stride),
            ("w_base", weight.base),
            ("w_stride", weight.stride),
            ("b_base", bias.map_or(0, |bias| bias.base)),
            ("has_bias", u32::from(bias.is_some())),
            ("by_part", u32::from(self.by_part)),
            ("divisor", divisor),
            ("epsilon", epsilon(call.settings).to_bits()),
            ("zero", 0),
        ];
        let invocations = u64::from(call.rows) * u64::from(parts) * u64::from(call.blocks);
        // Weight and bias lie in one buffer.
        let bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        Some(KernelSpec { bindings, ..KernelSpec::flat("normalise", 2, params, invocations) })
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        3 * self.parts(call.settings, call.inputs[0].shape)[1] as u64
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let [parts, elements] = self.parts(call.settings, call.inputs[0].shape);
        let (rows, epsilon) = (call.rows as usize, epsilon(call.settings));
        #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
        let divisor = elements as f32;
        let mut y = vec![0; words(call.output) as usize * rows];
        for (part, row) in (0..parts).flat_map(|part| (0..rows).map(move |row| (part, row))) {
            let at = |element: usize| (part * elements + element) * rows + row;
            let x = |element: usize| f32::from_bits(inputs[0][at(element)]);
            let mean = (0..elements).fold(0f32, |sum, element| sum + x(element)) / divisor;
            let square = |sum, element| {
                let away = x(element) - mean;
                arithmetic.fma(away, away, sum)
            };
            let variance = (0..elements).fold(0f32, square) / divisor;
            let factor = 1.0 / (variance + epsilon).sqrt();
            for element in 0..elements {
                let of = if self.by_part { part } else { element };
                let tensor =
                    |at: usize| inputs.get(at).map_or(0.0, |words| f32::from_bits(words[of]));
                let normal = (x(element) - mean) * factor;
                y[at(element)] = arithmetic.fma(normal, tensor(1), tensor(2)).to_bits();
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(1..6)).collect();
        let epsilon = draws.random_range(1e-6f32..1e-2).to_bits();
        let settings = match self.by_part {
            true => vec![epsilon],
            false => vec![draws.random_range(0..narrow(shape.len())), epsilon],
        };
        let [parts, elements] = self.parts(&settings, &shape);
        let tensor = vec![if self.by_part { parts } else { elements }];
        let mut shapes = vec![shape, tensor.clone(), tensor];
        shapes.truncate(draws.random_range(2..4));
        Problem {
            settings,
            rows: 4 * draws.random_range(1..4),
            stored: shapes.len() - 1,
            shapes,
            dtypes: Vec::new(),
            exactness: Exactness::Near(64),
            any_bits: false,
        }
    }
}
