//! Linear: `y[o] = Σₖ x[k]·w[o,k] + b[o]`, k ascending from +0 with fma, the bias last; for every place
//! (token) where the input has further dimensions.

use super::dtype::{Dtype, stored_floats};
use super::field::{Field, Holds};
use super::shape::{Shape, check_per_channel, input_mismatch, narrow, words};
use super::tile::Tiles;
use super::weights;
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::ops::Range;

/// The op, of floats or of weights that are quantised numbers.
pub(super) struct Linear {
    quantised: bool,
}

pub(super) static LINEAR: Linear = Linear { quantised: false };
pub(super) static LINEAR_I8: Linear = Linear { quantised: true };

const WEIGHT: Field = Field {
    name: "weight",
    holds: Holds::Tensor { required: true, axes: &["output", "input"] },
    meaning: "shape (outputs, inputs)",
};
const BIAS: Field = Field {
    name: "bias",
    holds: Holds::Tensor { required: false, axes: &["output"] },
    meaning: "shape (outputs)",
};

impl Operator for Linear {
    fn name(&self) -> &'static str {
        if self.quantised { "linear-i8" } else { "linear" }
    }

    fn formula(&self) -> &'static str {
        match self.quantised {
            false => {
                "(in, …) → (out, …): y[o] = Σₖ x[k]·w[o,k] + b[o], for each place of the other \
                 dimensions"
            }
            true => {
                "`linear` of weights (w − zero)·scale, and a bias of floats or b·bias_scale, in f32"
            }
        }
    }

    fn fields(&self) -> &'static [Field] {
        match self.quantised {
            false => &[WEIGHT, BIAS],
            true => const { &[WEIGHT, weights::SCALE, weights::ZERO, BIAS, weights::BIAS_SCALE] },
        }
    }

    fn axes(&self) -> &'static [&'static str] {
        &["feature", "token"]
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [features, ref places @ ..] = *inputs[0] else {
            return Err(input_mismatch("(features, …)", inputs[0]));
        };
        let outputs = match *inputs[1] {
            [outputs, of] if of == features => outputs,
            [_, of] if of == inputs[0].iter().product::<usize>() => {
                return Err(input_mismatch("(features), as flatten gives it", inputs[0]));
            }
            ref other => {
                let expected = format!("weight of shape (out, {features})");
                return Err(Mismatch::new(expected, Shape(other).to_string()));
            }
        };
        match self.quantised {
            true => weights::check(inputs, outputs)?,
            false => check_per_channel("bias", inputs.get(2), outputs)?,
        }
        Ok([&[outputs], places].concat())
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        if self.quantised { weights::dtype(inputs) } else { stored_floats(inputs, 1) }
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let (inputs, outputs) = (narrow(call.inputs[0].shape[0]), narrow(call.output[0]));
        let quads = call.rows.div_ceil(4) * words(&call.output[1..]);
        let tiles = Tiles { quads, cells: 1, outputs, groups: 1, units: inputs };
        let params = vec![("quads", tiles.quads), ("inputs", inputs), ("outputs", outputs)];
        Some(tiles.kernel("linear", call, params))
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        call.inputs[0].shape[0] as u64
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let features = call.inputs[0].shape[0];
        let rows = inputs[0].len() / features;
        let dequantised = self.quantised.then(|| weights::dequantised(call, inputs));
        let (weight, bias) = match &dequantised {
            Some((weight, bias)) => (&weight[..], bias.as_deref()),
            None => (inputs[1], inputs.get(2).copied()),
        };
        let mut y = Vec::with_capacity(call.output[0] * rows);
        for (output, weights) in weight.chunks(features).enumerate() {
            let mut sums = vec![0f32; rows];
            for (x, weight) in inputs[0].chunks(rows).zip(weights) {
                for (sum, word) in sums.iter_mut().zip(x) {
                    *sum = arithmetic.fma(f32::from_bits(*word), f32::from_bits(*weight), *sum);
                }
            }
            if let Some(bias) = bias {
                sums.iter_mut().for_each(|sum| *sum += f32::from_bits(bias[output]));
            }
            y.extend(sums.iter().map(|sum| sum.to_bits()));
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let (inputs, outputs) = (draws.random_range(1..40), draws.random_range(1..20));
        let mut x = vec![inputs];
        x.extend((0..draws.random_range(0..3)).map(|_| draws.random_range(1..5usize)));
        let mut shapes = vec![x, vec![outputs, inputs], vec![outputs]];
        shapes.truncate(draws.random_range(2..4));
        let dtypes = match self.quantised {
            true => weights::draw(draws, &mut shapes),
            false => Vec::new(),
        };
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..40),
            stored: shapes.len() - 1,
            shapes,
            dtypes,
            exactness: Exactness::Floats,
            any_bits: false,
        }
    }

    fn reach(&self, _: &[u32]) -> Reach {
        if self.quantised { Reach::All } else { Reach::Units }
    }

    fn meets(&self, _: &[u32], shapes: [&[usize]; 2], tap: u32) -> Option<Range<u32>> {
        let places = words(&shapes[0][1..]);
        Some(tap * places..(tap + 1) * places)
    }

    fn splits_units(&self, _: &[u32]) -> bool {
        !self.quantised
    }

    fn splits_sums(&self, _: &[u32]) -> bool {
        !self.quantised
    }
}
