//! Binary linear codes: one description for encoding, decoding and the tables of the decode shader.
//!
//! A block has a syndrome of 32 bits: eight for each of up to four codewords (codeword j in byte j),
//! or one for each word where the code is a parity bit a word. Every bit of the block, check bits
//! included, adds its column to it. An entry, for `duet` and `trio`, is eight words and one check
//! word: beat b is words 2b and 2b + 1 (pin p is bit p % 32 of word 2b + p / 32) and check byte b
//! (pins 64 to 71). An aligned byte is eight adjacent pins of one beat.

use super::{Code, Decoded, columns};
use std::sync::LazyLock;

/// An action that flips nothing: the error cannot be corrected.
pub const NO_ACTION: u32 = u32::MAX;

/// The half of an action that flips nothing, where the other half does.
pub const NO_PLACE: u32 = 0xffff;

/// A binary code over blocks.
#[derive(Debug)]
pub struct BinaryCode {
    /// Data words of a block.
    pub words: u32,
    /// Bits of a codeword's syndrome: 8, or 1 for parity.
    pub syndrome_bits: u32,
    /// Whether corrections of several codewords must lie in one aligned byte or on one pin.
    pub agree: bool,
    /// What four bits add to the syndrome: `[word, nibble, value]`, the check word last.
    pub sums: Vec<u32>,
    /// What a syndrome flips: `[codeword, syndrome]`, two places of 16 bits or [`NO_ACTION`]. A place
    /// is a bit of the block counted over the data words and then the check word.
    pub actions: Vec<u32>,
    /// The check bit at each syndrome bit: a check word is the syndrome of the data, permuted.
    check_of: [u32; 32],
}

/// The places of a codeword, data bits first, with their columns.
type Codeword = Vec<(u32, u8)>;

impl BinaryCode {
    /// The description of a binary code; none for codes over symbols.
    pub fn of(code: Code) -> Option<&'static Self> {
        static PARITY: LazyLock<BinaryCode> = LazyLock::new(parity);
        static HAMMING_39: LazyLock<BinaryCode> =
            LazyLock::new(|| contiguous(1, &columns::hamming(32, 7)));
        static HAMMING_72: LazyLock<BinaryCode> =
            LazyLock::new(|| contiguous(2, &columns::hamming(64, 8)));
        static HSIAO_72: LazyLock<BinaryCode> =
            LazyLock::new(|| contiguous(2, &columns::hsiao(64)));
        static HSIAO_104: LazyLock<BinaryCode> =
            LazyLock::new(|| contiguous(3, &columns::hsiao(96)));
        static DUET: LazyLock<BinaryCode> =
            LazyLock::new(|| interleaved(&columns::hsiao(64), false));
        static TRIO: LazyLock<BinaryCode> =
            LazyLock::new(|| interleaved(columns::aligned_pairs(), true));
        match code {
            Code::Parity => Some(&PARITY),
            Code::Hamming39 => Some(&HAMMING_39),
            Code::Hamming72 => Some(&HAMMING_72),
            Code::Hsiao72 => Some(&HSIAO_72),
            Code::Hsiao104 => Some(&HSIAO_104),
            Code::Duet => Some(&DUET),
            Code::Trio => Some(&TRIO),
            Code::Rs18 | Code::Rs39 | Code::Crc32 => None,
        }
    }

    fn new(
        words: u32,
        syndrome_bits: u32,
        codewords: &[Codeword],
        pairs: bool,
        agree: bool,
    ) -> Self {
        let mut columns = vec![0u32; 32 * (words as usize + 1)];
        let mut actions = vec![NO_ACTION; codewords.len() << syndrome_bits];
        let mut check_of = [32; 32];
        for (j, codeword) in (0u32..).zip(codewords) {
            let action = |syndrome: u8| (j << syndrome_bits | u32::from(syndrome)) as usize;
            for (place, column) in codeword {
                let sum = u32::from(*column) << (j * syndrome_bits);
                columns[*place as usize] = sum;
                if *place >= 32 * words {
                    check_of[sum.trailing_zeros() as usize] = place % 32;
                }
                if syndrome_bits > 1 {
                    actions[action(*column)] = place | NO_PLACE << 16;
                }
            }
            for pair in codeword.chunks_exact(2).filter(|_| pairs) {
                let [(first, a), (second, b)] = [pair[0], pair[1]];
                actions[action(a ^ b)] = first | second << 16;
            }
        }
        let mut sums = Vec::with_capacity(columns.len() * 4);
        for nibble in columns.chunks_exact(4) {
            for value in 0..16 {
                let of_bits = nibble.iter().enumerate().filter(|(bit, _)| value >> bit & 1 == 1);
                sums.push(of_bits.fold(0, |sum, (_, column)| sum ^ column));
            }
        }
        Self { words, syndrome_bits, agree, sums, actions, check_of }
    }

    /// What a word adds to the syndrome.
    fn sum(&self, index: usize, word: u32) -> u32 {
        (0..8).fold(0, |sum, nibble| {
            let value = (word >> (4 * nibble) & 15) as usize;
            sum ^ self.sums[(8 * index + nibble) * 16 + value]
        })
    }

    fn data_syndrome(&self, data: &[u32]) -> u32 {
        assert_eq!(data.len(), self.words as usize, "the words of a block");
        data.iter().enumerate().fold(0, |sum, (index, word)| sum ^ self.sum(index, *word))
    }

    /// The check word of a block.
    ///
    /// # Panics
    /// Where `data` is not one block.
    pub fn encode(&self, data: &[u32]) -> u32 {
        let syndrome = self.data_syndrome(data);
        let stored = self.check_of.iter().enumerate().filter(|(_, bit)| **bit < 32);
        stored.fold(0, |check, (row, bit)| check | (syndrome >> row & 1) << bit)
    }

    /// Decodes a block in place.
    ///
    /// # Panics
    /// Where `data` is not one block.
    pub fn decode(&self, data: &mut [u32], check: &mut u32) -> Decoded {
        let syndrome = self.data_syndrome(data) ^ self.sum(data.len(), *check);
        if syndrome == 0 {
            return Decoded::Clean;
        }
        let actions = self.wanted(syndrome);
        let known: Vec<u32> = actions.iter().copied().filter(|a| *a != NO_ACTION).collect();
        if self.agree && known.len() > 1 && !agreement(&known) {
            return Decoded::Uncorrectable;
        }
        for place in known.iter().copied().flat_map(places) {
            let word = place as usize / 32;
            let flipped = if word < data.len() { &mut data[word] } else { &mut *check };
            *flipped ^= 1 << (place % 32);
        }
        if known.len() == actions.len() { Decoded::Corrected } else { Decoded::Uncorrectable }
    }

    /// The actions of the codewords whose syndrome is not zero.
    fn wanted(&self, syndrome: u32) -> Vec<u32> {
        let bits = self.syndrome_bits;
        let codewords = (0..32 / bits).map(|j| (j, syndrome >> (j * bits) & ((1 << bits) - 1)));
        codewords
            .filter(|(_, syndrome)| *syndrome != 0)
            .map(|(j, syndrome)| self.actions[(j << bits | syndrome) as usize])
            .collect()
    }
}

/// The places that an action flips.
fn places(action: u32) -> impl Iterator<Item = u32> {
    [action & 0xffff, action >> 16].into_iter().filter(|place| *place != NO_PLACE)
}

/// The beat and the pin of a place of an entry.
const fn pin_of(place: u32) -> (u32, u32) {
    if place < 256 { (place / 64, place % 64) } else { (place % 32 / 8, 64 + place % 8) }
}

/// Whether all corrections lie in one aligned byte or on one pin.
fn agreement(actions: &[u32]) -> bool {
    let pins: Vec<_> = actions.iter().copied().flat_map(places).map(pin_of).collect();
    let byte = |(beat, pin): (u32, u32)| (beat, pin / 8);
    pins.iter().all(|pin| byte(*pin) == byte(pins[0])) || pins.iter().all(|pin| pin.1 == pins[0].1)
}

/// One parity bit a word: even, in bit i of the check word for word i.
fn parity() -> BinaryCode {
    let codeword =
        |j: u32| (0..32).map(|bit| (32 * j + bit, 1)).chain([(32 * 32 + j, 1)]).collect();
    let codewords: Vec<Codeword> = (0..32).map(codeword).collect();
    BinaryCode::new(32, 1, &codewords, false, false)
}

/// Four codewords of `span` adjacent words each; check byte j belongs to codeword j.
fn contiguous(span: u32, columns: &[u8]) -> BinaryCode {
    let codeword = |j: u32| {
        let data = (0..32 * span).map(|bit| 32 * span * j + bit);
        let check = (0..8).map(|bit| 32 * 4 * span + 8 * j + bit);
        data.chain(check).zip(columns.iter().copied()).collect()
    };
    let codewords: Vec<Codeword> = (0..4).map(codeword).collect();
    BinaryCode::new(4 * span, 8, &codewords, false, false)
}

/// Four codewords over an entry: pin p of beat b belongs to codeword (p + b) % 4, so that an aligned
/// byte has two bits in each codeword and a pin one. A codeword takes its bits by beat and then by
/// pin, so that the two bits of a byte are adjacent in it.
fn interleaved(columns: &[u8], pairs: bool) -> BinaryCode {
    let codeword = |j: u32| {
        let pins = |from: u32, end: u32| {
            (0..4).flat_map(move |beat| (from..end).map(move |pin| (beat, pin)))
        };
        let own = move |(beat, pin): &(u32, u32)| (pin + beat) % 4 == j;
        let data = pins(0, 64).filter(own).map(|(beat, pin)| 64 * beat + pin);
        let check = pins(0, 8).filter(own).map(|(beat, pin)| 256 + 8 * beat + pin);
        data.chain(check).zip(columns.iter().copied()).collect()
    };
    let codewords: Vec<Codeword> = (0..4).map(codeword).collect();
    BinaryCode::new(8, 8, &codewords, pairs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};
    use rand::Rng;

    const SEC_DED: [Code; 4] = [Code::Hamming39, Code::Hamming72, Code::Hsiao72, Code::Hsiao104];

    /// A block of random data with its check word last.
    fn block(code: Code) -> Vec<u32> {
        let mut rng = stream(1, Domain::Generate, &[u64::from(code.block_words())]);
        let mut block: Vec<u32> = (0..code.block_words()).map(|_| rng.next_u32()).collect();
        block.push(code.encode(&block));
        block
    }

    /// The stored bits of a block.
    fn stored(code: Code) -> Vec<u32> {
        let data = 32 * code.block_words();
        let check = (0..32).filter(|bit| code.check_mask() >> bit & 1 == 1);
        (0..data).chain(check.map(|bit| data + bit)).collect()
    }

    /// A block after an error, and what the decoder makes of it.
    fn decoded(code: Code, golden: &[u32], flips: &[u32]) -> (Decoded, Vec<u32>) {
        let mut block = golden.to_vec();
        for place in flips {
            block[*place as usize / 32] ^= 1 << (place % 32);
        }
        let (data, check) = block.split_at_mut(golden.len() - 1);
        let verdict = code.decode(data, &mut check[0]);
        (verdict, block)
    }

    /// The codeword of a place of a block with adjacent words in a codeword.
    fn codeword(code: Code, place: u32) -> u32 {
        let data = 32 * code.block_words();
        if place < data { place / (data / 4) } else { place % 32 / 8 }
    }

    /// The place of a pin of a beat.
    fn place(beat: u32, pin: u32) -> u32 {
        if pin < 64 { 64 * beat + pin } else { 256 + 8 * beat + pin - 64 }
    }

    #[test]
    fn what_is_encoded_is_clean_and_within_the_stored_bits() {
        for code in Code::ALL.into_iter().filter(|code| BinaryCode::of(*code).is_some()) {
            let golden = block(code);
            assert_eq!(decoded(code, &golden, &[]), (Decoded::Clean, golden.clone()), "{code:?}");
            assert_eq!(golden[golden.len() - 1] & !code.check_mask(), 0, "{code:?}");
            assert_eq!(code.encode(&vec![0; golden.len() - 1]), 0, "{code:?}");
        }
    }

    #[test]
    fn bits_that_are_not_stored_do_not_count() {
        let golden = block(Code::Hamming39);
        for bit in (0..32).filter(|bit| Code::Hamming39.check_mask() >> bit & 1 == 0) {
            let (verdict, _) = decoded(Code::Hamming39, &golden, &[32 * 4 + bit]);
            assert_eq!(verdict, Decoded::Clean);
        }
    }

    #[test]
    fn every_single_error_is_corrected_and_every_double_error_detected() {
        for code in SEC_DED {
            let golden = block(code);
            let places = stored(code);
            for (index, a) in places.iter().enumerate() {
                let corrected = (Decoded::Corrected, golden.clone());
                assert_eq!(decoded(code, &golden, &[*a]), corrected, "{code:?} {a}");
                for b in &places[..index] {
                    let (verdict, after) = decoded(code, &golden, &[*a, *b]);
                    if codeword(code, *a) == codeword(code, *b) {
                        assert_eq!(verdict, Decoded::Uncorrectable, "{code:?} {a} {b}");
                        let (a_word, b_word) = (*a as usize / 32, *b as usize / 32);
                        let mut struck = golden.clone();
                        struck[a_word] ^= 1 << (a % 32);
                        struck[b_word] ^= 1 << (b % 32);
                        assert_eq!(after, struck, "{code:?} {a} {b}: left as they were");
                    } else {
                        assert_eq!((verdict, &after), (Decoded::Corrected, &golden), "{a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_codeword_is_corrected_beside_one_that_cannot_be() {
        let golden = block(Code::Hsiao72);
        let (verdict, after) = decoded(Code::Hsiao72, &golden, &[0, 1, 64]);
        assert_eq!(verdict, Decoded::Uncorrectable);
        assert_eq!(after[0], golden[0] ^ 3);
        assert_eq!(after[1..], golden[1..]);
    }

    #[test]
    fn parity_detects_odd_numbers_of_flips_in_a_word_and_no_others() {
        let golden = block(Code::Parity);
        for word in 0..32u32 {
            let check = 32 * 32 + word;
            for count in 0..=32 {
                let flips: Vec<u32> = (0..count).map(|bit| 32 * word + bit).collect();
                let seen = [Decoded::Clean, Decoded::Uncorrectable][count as usize % 2];
                let (verdict, after) = decoded(Code::Parity, &golden, &flips);
                assert_eq!(verdict, seen);
                assert_eq!(
                    after[word as usize].count_ones() % 2 == golden[32] >> word & 1,
                    count % 2 == 0
                );
            }
            assert_eq!(decoded(Code::Parity, &golden, &[check]).0, Decoded::Uncorrectable);
        }
    }

    #[test]
    fn every_error_on_one_pin_is_corrected() {
        for code in [Code::Duet, Code::Trio] {
            let golden = block(code);
            for pin in 0..72 {
                for beats in 1u32..16 {
                    let struck = (0..4).filter(|beat| beats >> beat & 1 == 1);
                    let flips: Vec<u32> = struck.map(|beat| place(beat, pin)).collect();
                    let want = (Decoded::Corrected, golden.clone());
                    assert_eq!(decoded(code, &golden, &flips), want, "{code:?} {pin} {beats:04b}");
                }
            }
        }
    }

    /// What becomes of all 255 errors in each of the 36 aligned bytes: corrected to what was
    /// written, detected, miscorrected.
    fn byte_errors(code: Code) -> [u32; 3] {
        let golden = block(code);
        let mut counts = [0; 3];
        for (beat, byte) in (0..4).flat_map(|beat| (0..9).map(move |byte| (beat, byte))) {
            for pattern in 1u32..256 {
                let struck = (0..8).filter(|bit| pattern >> bit & 1 == 1);
                let flips: Vec<u32> = struck.map(|bit| place(beat, 8 * byte + bit)).collect();
                let (verdict, after) = decoded(code, &golden, &flips);
                match verdict {
                    Decoded::Uncorrectable => counts[1] += 1,
                    Decoded::Corrected if after == golden => counts[0] += 1,
                    Decoded::Clean | Decoded::Corrected => counts[2] += 1,
                }
            }
        }
        counts
    }

    #[test]
    fn duet_detects_what_it_does_not_correct_in_a_byte_and_trio_corrects_all() {
        let alone = 3 * 3 * 3 * 3 - 1;
        assert_eq!(byte_errors(Code::Duet), [36 * alone, 36 * (255 - alone), 0]);
        assert_eq!(byte_errors(Code::Trio), [36 * 255, 0, 0]);
    }

    #[test]
    fn corrections_that_lie_in_no_byte_and_on_no_pin_are_refused() {
        for code in [Code::Duet, Code::Trio] {
            let golden = block(code);
            for (a, b) in (0..288).flat_map(|a| (0..a).map(move |b| (a, b))) {
                let [one, other] = [a, b].map(pin_of);
                if (one.0 + one.1) % 4 == (other.0 + other.1) % 4 {
                    continue;
                }
                let near = one.1 == other.1 || (one.0, one.1 / 8) == (other.0, other.1 / 8);
                let mut struck = golden.clone();
                struck[a as usize / 32] ^= 1 << (a % 32);
                struck[b as usize / 32] ^= 1 << (b % 32);
                let want = if near {
                    (Decoded::Corrected, golden.clone())
                } else {
                    (Decoded::Uncorrectable, struck)
                };
                assert_eq!(decoded(code, &golden, &[a, b]), want, "{code:?} {a} {b}");
            }
        }
    }
}
