//! Softmax: exp(x − max) / Σ exp(x − max) over all features of a row, features ascending.

use super::bits::largest;
use super::shape::words;
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, exp};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Softmax;

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn formula(&self) -> &'static str {
        "any shape → the same: exp(x − max) / Σ exp(x − max) over all features"
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let params = vec![
            ("rows", call.rows),
            ("features", words(call.output)),
            ("blocks", call.blocks),
            ("x_base", call.inputs[0].base),
            ("x_stride", call.inputs[0].stride),
            ("zero", 0),
        ];
        let invocations = u64::from(call.rows) * u64::from(call.blocks);
        Some(KernelSpec::flat("softmax", 1, params, invocations))
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let (rows, features) = (call.rows as usize, words(call.output) as usize);
        let mut y = vec![0; rows * features];
        for row in 0..rows {
            let word = |feature: usize| inputs[0][feature * rows + row];
            let largest = f32::from_bits(largest((0..features).map(word), true));
            let exps: Vec<f32> = (0..features)
                .map(|feature| exp(arithmetic, f32::from_bits(word(feature)) - largest))
                .collect();
            let sum = exps.iter().fold(0.0, |sum, e| sum + e);
            for (feature, e) in exps.iter().enumerate() {
                y[feature * rows + row] = (e / sum).to_bits();
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape = vec![draws.random_range(1..30)];
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..20),
            shapes: vec![shape],
            exactness: Exactness::Near(3),
            any_bits: false,
        }
    }
}
