//! Flatten: the same words as one dimension. No work, no site.

use super::{Arithmetic, Call, Dtype, KernelSpec, Mismatch, Operator, Problem, Reach};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Flatten;

impl Operator for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn formula(&self) -> &'static str {
        "any shape → (the product): the same words, no work and no site for faults"
    }

    fn axes(&self) -> &'static [&'static str] {
        &["feature"]
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Ok(vec![inputs[0].iter().product()])
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

    fn problem(&self, _: &mut Xoshiro256PlusPlus) -> Problem {
        Problem {
            settings: Vec::new(),
            rows: 4,
            shapes: vec![vec![2, 3]],
            stored: 0,
            dtypes: Vec::new(),
            exactness: super::Exactness::Bits,
            any_bits: true,
        }
    }

    fn is_view(&self) -> bool {
        true
    }

    fn reach(&self, _: &[u32]) -> Reach {
        Reach::Apart
    }
}
