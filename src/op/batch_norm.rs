//! Batch normalisation of inference: (x − mean) · weight / √(variance + ε) + bias, channel by channel.

use super::field::{Field, Holds};
use super::kernel::strip;
use super::shape::{check_per_channel, input_mismatch, narrow, words};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

const fn tensor(name: &'static str, meaning: &'static str) -> Field {
    Field { name, holds: Holds::Tensor { required: true, axes: &["channel"] }, meaning }
}

/// The op.
pub(super) struct BatchNorm;

impl Operator for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn formula(&self) -> &'static str {
        "(C, …) → the same: (x − mean) · weight / √(variance + epsilon) + bias, by channel"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                tensor("weight", "shape (channels)"),
                tensor("bias", "shape (channels)"),
                tensor("mean", "shape (channels)"),
                tensor("variance", "shape (channels)"),
                Field {
                    name: "epsilon",
                    holds: Holds::Float(1e-5),
                    meaning: "added to the variance, 1e-5 by default",
                },
            ]
        }
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let Some(channels) = inputs[0].first() else {
            return Err(input_mismatch("(channels, …)", inputs[0]));
        };
        let names = ["weight", "bias", "mean", "variance"];
        for (name, tensor) in names.into_iter().zip(&inputs[1..]) {
            check_per_channel(name, Some(tensor), *channels)?;
        }
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let strip = strip(call);
        let strips = call.output_words() / 4 / strip;
        let [x, weight, bias, mean, variance] = [0, 1, 2, 3, 4].map(|at| call.inputs[at]);
        let params = vec![
            ("strips", strips),
            ("blocks", call.blocks),
            ("cells", strips / narrow(call.output[0])),
            ("x_base", x.base / 4),
            ("x_stride", x.stride / 4),
            ("w_base", weight.base),
            ("b_base", bias.base),
            ("m_base", mean.base),
            ("v_base", variance.base),
            ("w_stride", weight.stride),
            ("epsilon", call.settings[0]),
            ("zero", 0),
        ];
        let invocations = u64::from(strips) * u64::from(call.blocks);
        // All stored tensors lie in one buffer.
        let bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        let mut spec = KernelSpec::flat("batch_norm", 2, params, invocations);
        spec.constants.push(("STRIP", strip));
        Some(KernelSpec { bindings, ..spec })
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let channels = call.output[0];
        let cells = words(call.output) as usize * call.rows as usize / channels;
        let epsilon = f32::from_bits(call.settings[0]);
        let value = |at: usize, channel: usize| f32::from_bits(inputs[at][channel]);
        let normal = |(at, word): (usize, &u32)| {
            let channel = at / cells;
            let factor = value(1, channel) / (value(4, channel) + epsilon).sqrt();
            let from_mean = f32::from_bits(*word) - value(3, channel);
            arithmetic.fma(from_mean, factor, value(2, channel)).to_bits()
        };
        inputs[0].iter().enumerate().map(normal).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let channels = draws.random_range(1..9);
        let image = vec![channels, draws.random_range(1..5), draws.random_range(1..5)];
        let shape = if draws.random_bool(0.3) { vec![channels] } else { image };
        let mut shapes = vec![shape];
        shapes.resize(5, vec![channels]);
        Problem {
            settings: vec![draws.random_range(1e-6f32..1e-2).to_bits()],
            rows: 4 * draws.random_range(1..6),
            shapes,
            stored: 4,
            dtypes: Vec::new(),
            exactness: Exactness::Near(8),
            any_bits: false,
        }
    }
}
