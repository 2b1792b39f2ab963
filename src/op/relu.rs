//! ReLU on bits: a set sign gives +0; a NaN propagates or becomes +0.

use super::bits::is_nan;
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Relu;

impl Operator for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn formula(&self) -> &'static str {
        "any shape → the same: the positive part, on bits"
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let quads = call.output_words() / 4;
        let params = vec![
            ("quads", quads),
            ("blocks", call.blocks),
            ("x_base", call.inputs[0].base / 4),
            ("x_stride", call.inputs[0].stride / 4),
            ("nan_is_zero", u32::from(call.nan_is_zero)),
        ];
        let invocations = u64::from(quads) * u64::from(call.blocks);
        Some(KernelSpec::flat("relu", 1, params, invocations))
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let relu = |word: &u32| match (is_nan(*word), word >> 31) {
            (true, _) if call.nan_is_zero => 0,
            (false, 1) => 0,
            _ => *word,
        };
        inputs[0].iter().map(relu).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape = vec![draws.random_range(1..300)];
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            stored: 0,
            dtypes: Vec::new(),
            exactness: Exactness::Bits,
            any_bits: true,
        }
    }

    fn reach(&self, _: &[u32]) -> Reach {
        Reach::Apart
    }
}
