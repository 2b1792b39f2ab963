//! CRC-32 of IEEE 802.3: detects, corrects nothing.
//!
//! The polynomial is 0x04C11DB7, taken reflected; the register starts at all ones and is inverted
//! at the end; the words come in as their bytes, low byte first (IEEE 802.3-2018, clause 3.2.9). A
//! block of 64 words is 2,048 bits: within 2,974 bits the distance is 5 (Koopman 2002,
//! doi 10.1109/DSN.2002.1028931), so that up to four flips of a block and its check word are always
//! seen, and every error within 32 adjacent bits.

use super::Decoded;

/// The polynomial, reflected.
pub const POLYNOMIAL: u32 = 0xedb8_8320;

/// What four bits leave in the register.
const NIBBLES: [u32; 16] = nibbles();

const fn nibbles() -> [u32; 16] {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < 16 {
        let (mut register, mut bit) = (nibble, 0);
        while bit < 4 {
            register = (register >> 1) ^ ((register & 1) * POLYNOMIAL);
            bit += 1;
        }
        table[nibble as usize] = register;
        nibble += 1;
    }
    table
}

/// The check word of words.
pub fn encode(block: &[u32]) -> u32 {
    !block.iter().fold(u32::MAX, |register, word| {
        (0..8).fold(register ^ word, |r, _| (r >> 4) ^ NIBBLES[(r & 15) as usize])
    })
}

/// Whether the words and their check word agree; both stay as they are.
pub fn decode(block: &[u32], check: u32) -> Decoded {
    if encode(block) == check { Decoded::Clean } else { Decoded::Uncorrectable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_check_value_is_met() {
        // Of the bytes "123456789": 0xcbf43926 (Williams 1993). Nine bytes are no words, so the
        // last goes through the register bit by bit.
        let words = [*b"1234", *b"5678"].map(u32::from_le_bytes);
        let register = (0..8).fold(!encode(&words) ^ u32::from(b'9'), |register, _| {
            (register >> 1) ^ ((register & 1) * POLYNOMIAL)
        });
        assert_eq!(!register, 0xcbf4_3926);
    }

    #[test]
    fn no_error_of_up_to_four_bits_of_a_block_is_missed() {
        // The check is affine: an error is missed where its bits' syndromes add up to 0. All sums of
        // two being distinct, and none of them 0, no four, three, two or one add up to it.
        let clean = encode(&[0; 64]);
        let of_bit = |bit: usize| {
            let mut block = [0_u32; 64];
            block[bit / 32] = 1 << (bit % 32);
            encode(&block) ^ clean
        };
        let mut syndromes: Vec<u32> = (0..32 * 64).map(of_bit).collect();
        syndromes.extend((0..32).map(|bit| 1 << bit));
        let mut sums = vec![0];
        for (i, a) in syndromes.iter().enumerate() {
            sums.push(*a);
            sums.extend(syndromes[..i].iter().map(|b| a ^ b));
        }
        let all = sums.len();
        assert_eq!(all, 1 + 2080 + 2080 * 2079 / 2);
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), all);
    }

    #[test]
    fn all_zeros_are_seen_too() {
        // The inversions tell a block of zeros from one without a word, and from a check word of 0.
        assert_ne!(encode(&[0; 64]), 0);
        assert_ne!(encode(&[0; 64]), encode(&[0; 63]));
        assert_eq!(decode(&[0; 64], 0), Decoded::Uncorrectable);
        assert_eq!(decode(&[0; 64], encode(&[0; 64])), Decoded::Clean);
    }
}
