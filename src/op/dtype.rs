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
    /// IEEE 754 binary16, of stored tensors: ops compute with it as F32.
    F16,
    /// bfloat16, the upper half of an F32; likewise.
    Bf16,
    /// Whole numbers from −2³¹ to 2³¹ − 1: sums of products of quantised numbers.
    I32,
    /// Whole numbers from −128 to 127: quantised numbers.
    I8,
    /// Whole numbers from 0 to 255; likewise.
    U8,
    /// Whole numbers from 0 to 65,535: pixels of a sensor.
    U16,
}

impl Dtype {
    /// Every type.
    pub const ALL: [Self; 8] =
        [Self::F32, Self::U32, Self::F16, Self::Bf16, Self::I32, Self::I8, Self::U8, Self::U16];

    /// The type with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// The word for it in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::U32 => "u32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::I32 => "i32",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::U16 => "u16",
        }
    }

    /// Whether its elements are floats.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::Bf16)
    }

    /// How the elements of a value of inferences lie, each in a word of its own, of which they take the
    /// lower bits; those of a stored tensor lie packed.
    pub const fn of_rows(self) -> Self {
        match self.bits() {
            WORD_BITS => self,
            _ => Self::U32,
        }
    }

    /// Bits of an element.
    pub const fn bits(self) -> u32 {
        match self {
            Self::F32 | Self::U32 | Self::I32 => 32,
            Self::F16 | Self::Bf16 | Self::U16 => 16,
            Self::I8 | Self::U8 => 8,
        }
    }

    /// Ranges of bits that mean one thing, from the least significant on.
    pub const fn fields(self) -> &'static [(Range<u32>, &'static str)] {
        match self {
            Self::F32 => &[(0..23, "mantissa"), (23..31, "exponent"), (31..32, "sign")],
            Self::U32 => &[(0..32, "number")],
            Self::F16 => &[(0..10, "mantissa"), (10..15, "exponent"), (15..16, "sign")],
            Self::Bf16 => &[(0..7, "mantissa"), (7..15, "exponent"), (15..16, "sign")],
            Self::I32 => &[(0..31, "number"), (31..32, "sign")],
            Self::I8 => &[(0..7, "number"), (7..8, "sign")],
            Self::U8 => &[(0..8, "number")],
            Self::U16 => &[(0..16, "number")],
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

    /// Elements that a word holds.
    pub const fn in_word(self) -> u32 {
        WORD_BITS / self.bits()
    }

    /// Words that so many elements take, the last of them perhaps not full.
    pub const fn words(self, elements: u32) -> u32 {
        elements.div_ceil(self.in_word())
    }

    /// The element that the lowest struck bit of a word lies in, and the struck bits from its bit 0 on.
    pub const fn element(self, word: u32, mask: u32) -> (u32, u32) {
        let part = if mask == 0 { 0 } else { mask.trailing_zeros() / self.bits() };
        (word * self.in_word() + part, mask >> (part * self.bits()))
    }

    /// The bits of an element within its word.
    pub const fn bits_of(self, element: u32, word: u32) -> u32 {
        let shift = element % self.in_word() * self.bits();
        word >> shift & u32::MAX >> (WORD_BITS - self.bits())
    }

    /// The word of 32 bits that equals element `element` of these words: an F32 of a float, a number with
    /// its sign of a whole one. A NaN keeps its sign and the upper bits of its payload.
    pub fn widened(self, words: &[u32], element: u32) -> u32 {
        let (at, _) = self.place(element, 0);
        self.word_of(self.bits_of(element, words[at as usize]))
    }

    /// The word of 32 bits that equals an element of these bits; bits past the element's do not count.
    pub(super) fn word_of(self, bits: u32) -> u32 {
        let bits = bits & u32::MAX >> (WORD_BITS - self.bits());
        match self {
            Self::F32 | Self::U32 | Self::I32 | Self::U8 | Self::U16 => bits,
            Self::I8 => ((bits << 24).cast_signed() >> 24).cast_unsigned(),
            Self::Bf16 => bits << 16,
            Self::F16 => {
                let (sign, size) = ((bits & 0x8000) << 16, bits & 0x7fff);
                let magnitude = match size {
                    // A subnormal is a whole number of 2⁻²⁴, which F32 holds exactly.
                    #[expect(clippy::cast_precision_loss, reason = "below 2¹⁰")]
                    0..0x0400 => (size as f32 * (1.0 / 16_777_216.0)).to_bits(),
                    0x0400..0x7c00 => (size << 13) + (112 << 23),
                    _ => size << 13 | 0x7f80_0000,
                };
                sign | magnitude
            }
        }
    }

    /// Its number in shaders.
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::F32 | Self::U32 | Self::I32 => 0,
            Self::F16 => 1,
            Self::Bf16 => 2,
            Self::I8 => 3,
            Self::U8 => 4,
            Self::U16 => 5,
        }
    }
}

/// The type of an op's output that reads values of F32 and stored tensors of floats of one type, and makes
/// F32. `values` is how many of its inputs are values.
///
/// # Errors
/// Where an input has another type.
pub(super) fn stored_floats(inputs: &[Dtype], values: usize) -> Result<Dtype, Mismatch> {
    let (values, tensors) = inputs.split_at(values.min(inputs.len()));
    let unfit = |found: &&Dtype| !found.is_float() || **found != tensors[0];
    if let Some(other) = tensors.iter().find(unfit) {
        let expected = "stored tensors of f32, f16 or bf16, all of one type";
        return Err(Mismatch::new(expected, other.name()));
    }
    all_floats(values)
}

/// The type of an op's output that reads floats alone and makes floats.
///
/// # Errors
/// Where an input has another type.
pub(super) fn all_floats(inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
    inputs.iter().try_for_each(|found| found.expect(Dtype::F32))?;
    Ok(Dtype::F32)
}

/// Refuses an input that is no quantised number.
///
/// # Errors
/// Where it is another.
pub(super) fn quantised(found: Dtype) -> Result<Dtype, Mismatch> {
    match found {
        Dtype::I8 | Dtype::U8 => Ok(found),
        other => Err(Mismatch::new("an input of i8 or u8", other.name())),
    }
}

/// The float nearest to a whole number with a sign.
#[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
pub(super) const fn float(number: u32) -> f32 {
    number.cast_signed() as f32
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
    fn every_pattern_of_16_bits_widens_as_half_has_it() {
        for bits in 0..=u16::MAX {
            let words = [u32::from(bits) << 16 | 0x1234];
            let widened = |dtype: Dtype| dtype.widened(&words, 1);
            let quiet = |word: u32, of: u32| {
                if f32::from_bits(of).is_nan() { word | 0x40_0000 } else { word }
            };
            let f16 = half::f16::from_bits(bits).to_f32().to_bits();
            assert_eq!(quiet(widened(Dtype::F16), f16), f16, "f16 {bits:#06x}");
            let bf16 = half::bf16::from_bits(bits).to_f32().to_bits();
            assert_eq!(quiet(widened(Dtype::Bf16), bf16), bf16, "bf16 {bits:#06x}");
        }
    }

    #[test]
    fn bytes_widen_with_their_sign() {
        let words = [0x80ff_7f01];
        let all = |dtype: Dtype| (0..4).map(move |at| dtype.widened(&words, at).cast_signed());
        assert_eq!(all(Dtype::I8).collect::<Vec<i32>>(), [1, 127, -1, -128]);
        assert_eq!(all(Dtype::U8).collect::<Vec<i32>>(), [1, 127, 255, 128]);
    }

    #[test]
    fn an_element_is_found_by_its_struck_bits() {
        assert_eq!(Dtype::F16.element(3, 1 << 20), (7, 1 << 4));
        assert_eq!(Dtype::F16.element(3, 1 << 4), (6, 1 << 4));
        assert_eq!(Dtype::F32.element(3, 1 << 20), (3, 1 << 20));
        assert_eq!(Dtype::Bf16.bits_of(7, 0xabcd_0000), 0xabcd);
        assert_eq!((Dtype::F16.words(5), Dtype::F32.words(5)), (3, 5));
    }

    #[test]
    fn fields_cover_all_bits_once() {
        for dtype in Dtype::ALL {
            assert_eq!(Dtype::named(dtype.name()), Some(dtype));
            let covered: Vec<u32> =
                dtype.fields().iter().flat_map(|(range, _)| range.clone()).collect();
            assert_eq!(covered, (0..dtype.bits()).collect::<Vec<_>>(), "{}", dtype.name());
        }
    }
}
