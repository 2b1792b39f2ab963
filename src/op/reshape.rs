//! Reshape: the same words under another shape. No work, no site.

use super::field::{Default, Field, Holds, lists};
use super::shape::Shape;
use super::{Arithmetic, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Reshape;

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn formula(&self) -> &'static str {
        "any shape → another one of as many elements: the same words, no work and no site for faults"
    }

    fn fields(&self) -> &'static [Field] {
        &[Field {
            name: "shape",
            holds: Holds::List(Default::Required),
            meaning: "that of the output; one dimension may be 0 and is what the others leave",
        }]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let ([given], _) = lists::<1>(settings);
        let mut shape: Vec<usize> = given.iter().map(|size| *size as usize).collect();
        let elements = inputs[0].iter().product::<usize>();
        let others = shape.iter().filter(|size| **size > 0).product::<usize>();
        if let Some(left) = shape.iter_mut().find(|size| **size == 0) {
            *left = elements / others;
        }
        if shape.iter().product::<usize>() != elements {
            let expected = format!("a shape of {elements} elements");
            return Err(Mismatch::new(expected, Shape(&shape).to_string()));
        }
        Ok(shape)
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        Ok(inputs[0])
    }

    fn kernel(&self, _: &Call<'_>) -> Option<KernelSpec> {
        None
    }

    fn reference(&self, _: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        inputs[0].to_vec()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape =
            vec![draws.random_range(1..9), draws.random_range(1..9), draws.random_range(1..9)];
        Problem {
            settings: vec![2, 1, 0],
            rows: 4,
            shapes: vec![shape],
            stored: 0,
            dtypes: Vec::new(),
            exactness: Exactness::Bits,
            any_bits: true,
        }
    }

    fn is_view(&self) -> bool {
        true
    }
}
