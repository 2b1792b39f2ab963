//! Numbers of 8 and 16 bits as numbers of 32, of values and of stored tensors.

use super::{Arithmetic, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Widen;

impl Operator for Widen {
    fn name(&self) -> &'static str {
        "widen"
    }

    fn formula(&self) -> &'static str {
        "any shape of u8, u16 or i8, a value or a stored tensor → the same numbers of u32 or i32"
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn takes_packed(&self) -> bool {
        true
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Ok(inputs[0].to_vec())
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        match inputs[0] {
            Dtype::U8 | Dtype::U16 => Ok(Dtype::U32),
            Dtype::I8 => Ok(Dtype::I32),
            other => Err(Mismatch::new("an input of u8, u16 or i8", other.name())),
        }
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let x = call.inputs[0];
        let [x_base, x_stride] = if x.stored { x.in_elements() } else { [x.base, x.stride] };
        let quads = call.output_words() / 4;
        let params = vec![
            ("quads", quads),
            ("blocks", call.blocks),
            ("row_quads", call.rows / 4),
            ("x_base", x_base),
            ("x_stride", x_stride),
        ];
        let invocations = u64::from(quads) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("widen", 1, params, invocations);
        spec.constants.push(("X", x.dtype.code()));
        spec.constants.push(("IN_WORD", if x.stored { x.dtype.in_word() } else { 1 }));
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        if !call.inputs[0].stored {
            return inputs[0].to_vec();
        }
        let rows = call.rows as usize;
        inputs[0].iter().flat_map(|number| std::iter::repeat_n(*number, rows)).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let whole = [Dtype::U8, Dtype::U16, Dtype::I8];
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..4),
            shapes: vec![vec![draws.random_range(1..40)]],
            stored: usize::from(draws.random_bool(0.4)),
            dtypes: vec![whole[draws.random_range(0..whole.len())]],
            exactness: Exactness::Bits,
            any_bits: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_follow_the_type() {
        assert_eq!(Widen.dtype(&[], &[Dtype::I8]), Ok(Dtype::I32));
        assert_eq!(Widen.dtype(&[], &[Dtype::U16]), Ok(Dtype::U32));
        assert!(Widen.dtype(&[], &[Dtype::F16]).is_err());
    }
}
