//! Types of elements: how wide they are, what their bits mean, and in which word an element lies.
//!
//! An element is what a user names and strikes: element `index` of a tensor, bit `bit` of its type. A word is
//! the 32 bits where it lies. They are converted here and nowhere else.

use super::Mismatch;
use schemars::JsonSchema;
use std::ops::Range;

/// Bits of a word of memory.
pub const WORD_BITS: u32 = 32;

/// The type of a value's elements.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// IEEE 754 binary32.
    #[default]
    F32,
    /// Whole numbers from 0 to 2³² − 1: token ids, indices of tables.
    U32,
}

impl Dtype {
    /// The word for it in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::U32 => "u32",
        }
    }

    /// Bits of an element.
    pub const fn bits(self) -> u32 {
        match self {
            Self::F32 | Self::U32 => 32,
        }
    }

    /// Ranges of bits that mean one thing, from the least significant on.
    pub const fn fields(self) -> &'static [(Range<u32>, &'static str)] {
        match self {
            Self::F32 => &[(0..23, "mantissa"), (23..31, "exponent"), (31..32, "sign")],
            Self::U32 => &[(0..32, "number")],
        }
    }

    /// The word of an element, and which of its bits is bit `bit` of the element.
    pub const fn place(self, element: u32, bit: u32) -> (u32, u32) {
        place(self.bits(), element, bit)
    }

    /// Refuses an input of this type where an op reads `wanted`.
    ///
    /// # Errors
    /// Where the types differ.
    pub(super) fn expect(self, wanted: Self) -> Result<(), Mismatch> {
        if self == wanted {
            return Ok(());
        }
        Err(Mismatch::new(format!("an input of {}", wanted.name()), self.name()))
    }

    /// Elements in so many words.
    pub const fn elements(self, words: u32) -> u32 {
        words * (WORD_BITS / self.bits())
    }
}

/// The type of an op's output that reads floats alone and makes floats.
///
/// # Errors
/// Where an input has another type.
pub(super) fn all_floats(inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
    inputs.iter().try_for_each(|found| found.expect(Dtype::F32))?;
    Ok(Dtype::F32)
}

/// Elements of one word lie from its least significant bit on.
const fn place(bits: u32, element: u32, bit: u32) -> (u32, u32) {
    let in_word = WORD_BITS / bits;
    (element / in_word, element % in_word * bits + bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_lie_in_words_from_the_least_significant_bit_on() {
        assert_eq!(Dtype::F32.place(7, 31), (7, 31));
        assert_eq!(place(16, 7, 15), (3, 31));
        assert_eq!(place(16, 6, 0), (3, 0));
        assert_eq!(place(8, 7, 1), (1, 25));
    }

    #[test]
    fn fields_cover_all_bits_once() {
        for dtype in [Dtype::F32, Dtype::U32] {
            let covered: Vec<u32> =
                dtype.fields().iter().flat_map(|(range, _)| range.clone()).collect();
            assert_eq!(covered, (0..dtype.bits()).collect::<Vec<_>>(), "{}", dtype.name());
        }
    }
}
