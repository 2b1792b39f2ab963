//! Random problems that hold an op's shader to its reference.

use super::dtype::{Dtype, WORD_BITS};
use rand::{Rng, RngExt};

/// A problem: shapes, settings and the words of one block or slot of each input.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The numbers of the op's fields.
    pub settings: Vec<u32>,
    /// Rows of a block.
    pub rows: u32,
    /// The shapes of its inputs, stored tensors last.
    pub shapes: Vec<Vec<usize>>,
    /// How many of its inputs are stored tensors.
    pub stored: usize,
    /// The type of each input, where they are not floats and the stored tensors floats of one type.
    pub dtypes: Vec<Dtype>,
    /// How far the shader may be from the reference.
    pub exactness: Exactness,
    /// Whether words are drawn over all bits, many of them NaN, or as floats of ordinary size with a share
    /// of awkward ones.
    pub any_bits: bool,
}

/// How far a shader may be from its reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// Not at all.
    Bits,
    /// Not at all, except that any NaN equals any NaN: their payload is the adapter's.
    Floats,
    /// Likewise in software; on hardware, whose division or root is its own, so many units in the last
    /// place.
    Near(u32),
}

/// Random words.
pub(crate) fn random_words(draws: &mut impl Rng, count: u32) -> Vec<u32> {
    (0..count).map(|_| draws.next_u32()).collect()
}

/// Random floats of ordinary size with a share of the awkward ones: NaN of both signs, infinities,
/// zeros of both signs, the largest and (where the adapter keeps them) subnormals.
pub(crate) fn random_floats(draws: &mut impl Rng, count: u32, subnormals: bool) -> Vec<u32> {
    let awkward = [
        0x7fc0_0000,
        0xffc0_0001,
        0x7f80_0000,
        0xff80_0000,
        0,
        0x8000_0000,
        0x7f7f_ffff,
        0xff7f_ffff,
        0x0080_0000,
        if subnormals { 0x0000_0001 } else { 0 },
    ];
    (0..count)
        .map(|_| {
            if draws.random_bool(0.02) {
                awkward[draws.random_range(0..awkward.len())]
            } else {
                draws.random_range(-4.0f32..4.0).to_bits()
            }
        })
        .collect()
}

impl Problem {
    /// Words of an input that holds numbers up to `below`, a share of them past it.
    pub fn indices(draws: &mut impl Rng, count: u32, below: u32) -> Vec<u32> {
        let index = |_| match draws.random_range(0..16) {
            0 => draws.next_u32(),
            1 => below,
            _ => draws.random_range(0..below),
        };
        (0..count).map(index).collect()
    }

    /// Words of an input of numbers of this type, that of floats as [`Problem::words`] has them. Those of a
    /// stored tensor are full; those of values have the numbers in their lower bits.
    pub fn words_of(
        &self,
        draws: &mut impl Rng,
        (dtype, stored): (Dtype, bool),
        count: u32,
        subnormals: bool,
    ) -> Vec<u32> {
        match (dtype.is_float(), dtype.bits()) {
            (true, _) => self.words(draws, count, subnormals),
            // Sums are seldom large.
            (false, WORD_BITS) => (0..count)
                .map(|_| draws.next_u32().cast_signed() >> draws.random_range(0..24))
                .map(i32::cast_unsigned)
                .collect(),
            (false, bits) => {
                let mask = if stored { u32::MAX } else { u32::MAX >> (WORD_BITS - bits) };
                (0..count).map(|_| draws.next_u32() & mask).collect()
            }
        }
    }

    /// The words of one slot of an input.
    pub fn words(&self, draws: &mut impl Rng, count: u32, subnormals: bool) -> Vec<u32> {
        if !self.any_bits {
            return random_floats(draws, count, subnormals);
        }
        let mut words = random_words(draws, count);
        for word in words.iter_mut().step_by(3) {
            *word |= 0x7f80_0000;
        }
        words
    }
}
