//! The logistic sigmoid: 1 / (1 + exp(−x)) for x ≥ 0, exp(x) / (1 + exp(x)) below; a NaN stays one.

use super::bits::is_nan;
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach, exp};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Sigmoid;

impl Operator for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn formula(&self) -> &'static str {
        "any shape → the same: 1 / (1 + exp(−x))"
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let words = call.output_words();
        let params = vec![
            ("words", words),
            ("blocks", call.blocks),
            ("x_base", call.inputs[0].base),
            ("x_stride", call.inputs[0].stride),
            ("zero", 0),
        ];
        let invocations = u64::from(words) * u64::from(call.blocks);
        Some(KernelSpec::flat("sigmoid", 1, params, invocations))
    }

    fn reference(&self, _: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let sigmoid = |word: &u32| {
            if is_nan(*word) {
                return *word;
            }
            let e = exp(arithmetic, f32::from_bits(word | 1 << 31));
            let above = if word >> 31 == 0 { 1.0 } else { e };
            (above / (1.0 + e)).to_bits()
        };
        inputs[0].iter().map(sigmoid).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape = vec![draws.random_range(1..200)];
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            exactness: Exactness::Near(3),
            any_bits: draws.random_bool(0.5),
        }
    }

    fn reach(&self, _: &[u32]) -> Reach {
        Reach::Apart
    }
}
