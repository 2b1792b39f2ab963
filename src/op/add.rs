//! The elementwise sum of two values of one shape.

use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Shape};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Add;

impl Operator for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn formula(&self) -> &'static str {
        "two values of one shape → the same: their elementwise sum"
    }

    fn arity(&self) -> usize {
        2
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        if inputs[0] != inputs[1] {
            let expected = format!("two inputs of one shape, the first is {}", Shape(inputs[0]));
            return Err(Mismatch::new(expected, Shape(inputs[1]).to_string()));
        }
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let quads = call.output_words() / 4;
        let [a, b] = [call.inputs[0], call.inputs[1]];
        let params = vec![
            ("quads", quads),
            ("blocks", call.blocks),
            ("a_base", a.base / 4),
            ("a_stride", a.stride / 4),
            ("b_base", b.base / 4),
            ("b_stride", b.stride / 4),
        ];
        let invocations = u64::from(quads) * u64::from(call.blocks);
        Some(KernelSpec::flat("add", 2, params, invocations))
    }

    fn reference(&self, _: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let sum = |(a, b): (&u32, &u32)| (f32::from_bits(*a) + f32::from_bits(*b)).to_bits();
        inputs[0].iter().zip(inputs[1]).map(sum).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape = vec![draws.random_range(1..200)];
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape.clone(), shape],
            exactness: Exactness::Floats,
            any_bits: false,
        }
    }
}
