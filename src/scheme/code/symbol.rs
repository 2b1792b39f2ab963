//! Reed–Solomon codes: symbols of 16 bits or of bytes, one of which can be put right.
//!
//! A block's symbols are the coefficients of a polynomial over GF(2ᵐ): the check symbols come first
//! (degrees 0 up), the data symbols follow in the order of the words, low bits first. A codeword is
//! a multiple of (x − 1)(x − α)… with one factor a check symbol, α being x of the field (Reed and
//! Solomon 1960, doi 10.1137/0108018). The syndromes are the values Sⱼ of what was read at αʲ; an
//! error of value e in the symbol of degree i gives Sⱼ = e·αⁱʲ. The decoder walks the degrees of the
//! codeword and corrects where all of the syndromes fit; where none fits it leaves the block alone.
//! Shortened codes have degrees that no symbol has, so that many wide errors fit nowhere.

use super::Decoded;

/// A Reed–Solomon code and how its symbols lie in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols {
    /// Bits of a symbol; a divisor of 32.
    pub bits: u32,
    /// The field's polynomial, with its leading term.
    pub field: u32,
    /// Data symbols of a block.
    pub data: u32,
    /// Check symbols of a block: at most three.
    pub checks: u32,
}

/// [18, 16] over GF(2¹⁶), x¹⁶ + x¹² + x³ + x + 1, roots 1 and α: distance 3, corrects one symbol.
pub const RS18: Symbols = Symbols { bits: 16, field: 0x1_100b, data: 16, checks: 2 };

/// [39, 36] over GF(2⁸), x⁸ + x⁴ + x³ + x² + 1, roots 1, α and α²: distance 4, corrects one symbol
/// and detects two.
pub const RS39: Symbols = Symbols { bits: 8, field: 0x11d, data: 36, checks: 3 };

impl Symbols {
    /// Data words of a block.
    pub const fn block_words(self) -> u32 {
        self.data * self.bits / 32
    }

    /// The symbol times α.
    const fn double(self, symbol: u32) -> u32 {
        let shifted = symbol << 1;
        shifted ^ ((shifted >> self.bits) * self.field)
    }

    /// The symbol times α².
    const fn quadruple(self, symbol: u32) -> u32 {
        self.double(self.double(symbol))
    }

    /// Symbol `index` of words that hold symbols low bits first.
    fn of(self, words: &[u32], index: u32) -> u32 {
        let per_word = 32 / self.bits;
        let word = words[(index / per_word) as usize];
        word >> (self.bits * (index % per_word)) & ((1 << self.bits) - 1)
    }

    /// S₀, S₁ and S₂ by Horner's rule. A code of two check symbols has no S₂: it comes out as 0.
    fn syndromes(self, block: &[u32], check: u32) -> [u32; 3] {
        let [mut s0, mut s1, mut s2] = [0; 3];
        let mut take = |symbol: u32| {
            s0 ^= symbol;
            s1 = self.double(s1) ^ symbol;
            s2 = if self.checks == 3 { self.quadruple(s2) ^ symbol } else { 0 };
        };
        (0..self.data).rev().for_each(|index| take(self.of(block, index)));
        (0..self.checks).rev().for_each(|index| take(self.of(&[check], index)));
        [s0, s1, s2]
    }

    /// The check word of a block.
    pub fn encode(self, block: &[u32]) -> u32 {
        // The remainder of the data, moved up, by the generator g: each symbol in turn comes in from
        // above. With two roots g = x² + (1 + α)x + α; with three
        // g = x³ + (1 + α + α²)x² + (α + α² + α³)x + α³.
        let [mut r0, mut r1, mut r2] = [0; 3];
        for index in (0..self.data).rev() {
            let symbol = self.of(block, index);
            if self.checks == 3 {
                let out = symbol ^ r2;
                let one = self.double(out);
                let two = self.double(one);
                let three = self.double(two);
                [r0, r1, r2] = [three, r0 ^ one ^ two ^ three, r1 ^ out ^ one ^ two];
            } else {
                let out = symbol ^ r1;
                let one = self.double(out);
                [r0, r1] = [one, r0 ^ out ^ one];
            }
        }
        r0 | r1 << self.bits | if self.checks == 3 { r2 << (2 * self.bits) } else { 0 }
    }

    /// Puts the block and its check word right as far as the syndromes say how.
    pub fn decode(self, block: &mut [u32], check: &mut u32) -> Decoded {
        let [value, s1, s2] = self.syndromes(block, *check);
        if [value, s1, s2] == [0; 3] {
            return Decoded::Clean;
        }
        let three = self.checks == 3;
        let [mut t1, mut t2] = [value, if three { value } else { 0 }];
        for degree in 0..self.checks + self.data {
            if value != 0 && [t1, t2] == [s1, s2] {
                let (words, index) = if degree < self.checks {
                    (std::slice::from_mut(check), degree)
                } else {
                    (&mut *block, degree - self.checks)
                };
                let per_word = 32 / self.bits;
                words[(index / per_word) as usize] ^= value << (self.bits * (index % per_word));
                return Decoded::Corrected;
            }
            t1 = self.double(t1);
            t2 = self.quadruple(t2);
        }
        Decoded::Uncorrectable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};
    use rand::Rng;

    fn block(code: Symbols, key: u64) -> Vec<u32> {
        let mut draws = stream(3, Domain::Generate, &[key]);
        (0..code.data * code.bits / 32).map(|_| draws.next_u32()).collect()
    }

    /// Products by schoolbook multiplication and division by the field's polynomial.
    fn times(code: Symbols, a: u32, b: u32) -> u32 {
        let mut product = (0..code.bits).fold(0_u64, |sum, bit| {
            if b >> bit & 1 == 1 { sum ^ u64::from(a) << bit } else { sum }
        });
        for bit in (code.bits..2 * code.bits).rev() {
            if product >> bit & 1 == 1 {
                product ^= u64::from(code.field) << (bit - code.bits);
            }
        }
        u32::try_from(product).expect("reduced")
    }

    #[test]
    fn alpha_generates_the_field() {
        for code in [RS18, RS39] {
            let (mut power, mut order) = (code.double(1), 1);
            while power != 1 {
                assert_eq!(code.double(power), times(code, power, 2));
                power = code.double(power);
                order += 1;
            }
            assert_eq!(order, (1_u32 << code.bits) - 1, "{code:?}");
        }
    }

    #[test]
    fn a_codeword_is_zero_at_every_root() {
        for code in [RS18, RS39] {
            for key in 0..50 {
                let block = block(code, key);
                let check = code.encode(&block);
                for power in 0..code.checks {
                    let root = (0..power).fold(1, |root, _| times(code, root, 2));
                    let all = (0..code.data).map(|i| code.of(&block, i)).rev();
                    let value = all
                        .chain((0..code.checks).rev().map(|i| code.of(&[check], i)))
                        .fold(0, |value, symbol| times(code, value, root) ^ symbol);
                    assert_eq!(value, 0, "{code:?}, root α^{power}");
                }
            }
        }
    }

    /// `error` laid on the symbol of degree `degree`.
    fn strike(code: Symbols, (block, check): (&mut [u32], &mut u32), degree: u32, error: u32) {
        let per_word = 32 / code.bits;
        let (word, index) = if degree < code.checks {
            (check, degree)
        } else {
            let index = degree - code.checks;
            (&mut block[(index / per_word) as usize], index)
        };
        *word ^= error << (code.bits * (index % per_word));
    }

    #[test]
    fn every_error_of_one_symbol_is_put_right() {
        for code in [RS18, RS39] {
            let block = block(code, 7);
            let check = code.encode(&block);
            assert_eq!(code.decode(&mut block.clone(), &mut check.clone()), Decoded::Clean);
            for degree in 0..code.data + code.checks {
                for error in 1..1 << code.bits {
                    let (mut read, mut read_check) = (block.clone(), check);
                    strike(code, (&mut read, &mut read_check), degree, error);
                    let decoded = code.decode(&mut read, &mut read_check);
                    assert_eq!(decoded, Decoded::Corrected, "{code:?} {degree} {error:#x}");
                    assert_eq!((&read, read_check), (&block, check), "{code:?} {degree}");
                }
            }
        }
    }

    #[test]
    fn two_wrong_bytes_are_detected_and_left_alone() {
        let block = block(RS39, 8);
        let check = RS39.encode(&block);
        for first in 0..39 {
            for second in 0..first {
                for error in [(1, 1), (0x80, 1), (0xff, 0xff), (0x1d, 0xa7), (3, 0x5a)] {
                    let (mut read, mut read_check) = (block.clone(), check);
                    strike(RS39, (&mut read, &mut read_check), first, error.0);
                    strike(RS39, (&mut read, &mut read_check), second, error.1);
                    let struck = (read.clone(), read_check);
                    let decoded = RS39.decode(&mut read, &mut read_check);
                    assert_eq!(decoded, Decoded::Uncorrectable, "{first} {second}");
                    assert_eq!((read, read_check), struck);
                }
            }
        }
    }

    #[test]
    fn two_wrong_symbols_of_16_bits_can_pass_for_one() {
        let (mut silent, mut detected) = (0, 0);
        let block = block(RS18, 9);
        let check = RS18.encode(&block);
        for error in 1..1 << 16 {
            let (mut read, mut read_check) = (block.clone(), check);
            strike(RS18, (&mut read, &mut read_check), 5, error);
            strike(RS18, (&mut read, &mut read_check), 11, 1);
            match RS18.decode(&mut read, &mut read_check) {
                Decoded::Uncorrectable => detected += 1,
                _ => silent += u32::from(read != block),
            }
        }
        // For each of the other 16 degrees d one value fits: e(α⁵ − αᵈ) = α¹¹ − αᵈ.
        assert_eq!((silent, detected), (16, 65_535 - 16));
    }
}
