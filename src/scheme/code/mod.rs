//! Storage codes: what is kept beside the data so that a read can tell, and mend, what was struck.
//!
//! Every code works on blocks of whole words with one check word a block, so that memory, engines
//! and shaders address all of them alike. Where fewer than 32 check bits are stored the others of
//! the check word do not exist ([`Code::check_mask`]) and can be neither struck nor read.

mod binary;
mod columns;
pub mod crc;
pub mod symbol;

pub use binary::{BinaryCode, NO_ACTION, NO_PLACE};
use symbol::{RS18, RS39, Symbols};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A storage code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// One parity bit a word; detects an odd number of flips.
    Parity,
    /// Extended Hamming over words: single-error-correcting, double-error-detecting.
    #[serde(rename = "hamming-39-32")]
    Hamming39,
    /// Extended Hamming over 64 bits.
    #[serde(rename = "hamming-72-64")]
    Hamming72,
    /// Hsiao's odd-weight-column code over 64 bits, as the sideband of HBM2 holds it.
    #[serde(rename = "hsiao-72-64")]
    Hsiao72,
    /// Hsiao's code over 96 bits.
    #[serde(rename = "hsiao-104-96")]
    Hsiao104,
    /// Four interleaved Hsiao codewords an entry with a check that corrections agree.
    Duet,
    /// Four interleaved codewords an entry that correct single and aligned double errors, with a
    /// check that corrections agree.
    Trio,
    /// Reed–Solomon [18, 16] over GF(2¹⁶): corrects one symbol of 16 bits an entry.
    #[serde(rename = "rs-18-16")]
    Rs18,
    /// Reed–Solomon [39, 36] over GF(2⁸): corrects one symbol, detects two.
    #[serde(rename = "rs-39-36")]
    Rs39,
    /// CRC-32 over a block: detects; what was struck comes back with golden.
    #[serde(rename = "crc-32")]
    Crc32,
}

/// What a decoder made of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Decoded {
    /// Every syndrome is zero.
    Clean = 0,
    /// Bits were put right (or a miscorrection was made: the decoder cannot tell).
    Corrected = 1,
    /// An error that the code detects and cannot correct; those bits are left as they were.
    Uncorrectable = 2,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Parity,
        Self::Hamming39,
        Self::Hamming72,
        Self::Hsiao72,
        Self::Hsiao104,
        Self::Duet,
        Self::Trio,
        Self::Rs18,
        Self::Rs39,
        Self::Crc32,
    ];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parity => "parity",
            Self::Hamming39 => "hamming-39-32",
            Self::Hamming72 => "hamming-72-64",
            Self::Hsiao72 => "hsiao-72-64",
            Self::Hsiao104 => "hsiao-104-96",
            Self::Duet => "duet",
            Self::Trio => "trio",
            Self::Rs18 => "rs-18-16",
            Self::Rs39 => "rs-39-36",
            Self::Crc32 => "crc-32",
        }
    }

    /// Data words of a block.
    pub const fn block_words(self) -> u32 {
        match self {
            Self::Parity => 32,
            Self::Hamming39 => 4,
            Self::Hamming72 | Self::Hsiao72 | Self::Duet | Self::Trio | Self::Rs18 => 8,
            Self::Hsiao104 => 12,
            Self::Rs39 => 9,
            Self::Crc32 => 64,
        }
    }

    /// The bits of a check word that are stored.
    pub const fn check_mask(self) -> u32 {
        match self {
            Self::Hamming39 => 0x7f7f_7f7f,
            Self::Hsiao104 => 0xffff_ffff,
            Self::Rs39 => 0x00ff_ffff,
            _ => u32::MAX,
        }
    }

    /// Whether it can put any error right.
    pub const fn corrects(self) -> bool {
        !matches!(self, Self::Parity | Self::Crc32)
    }

    /// Check words of `words` data words; the last block is filled with zeros.
    pub const fn check_words(self, words: u32) -> u32 {
        words.div_ceil(self.block_words())
    }

    /// The check word of one block of [`Code::block_words`] words.
    ///
    /// # Panics
    /// Where `data` is not one block.
    pub fn encode(self, data: &[u32]) -> u32 {
        assert_eq!(data.len(), self.block_words() as usize, "the words of a block");
        match (self.symbols(), BinaryCode::of(self)) {
            (Some(symbols), _) => symbols.encode(data),
            (None, Some(binary)) => binary.encode(data),
            (None, None) => crc::encode(data),
        }
    }

    /// Decodes one block in place.
    ///
    /// # Panics
    /// Where `data` is not one block.
    pub fn decode(self, data: &mut [u32], check: &mut u32) -> Decoded {
        assert_eq!(data.len(), self.block_words() as usize, "the words of a block");
        match (self.symbols(), BinaryCode::of(self)) {
            (Some(symbols), _) => symbols.decode(data, check),
            (None, Some(binary)) => binary.decode(data, check),
            (None, None) => crc::decode(data, *check),
        }
    }

    /// The description of a code over symbols; none for the others.
    pub const fn symbols(self) -> Option<Symbols> {
        match self {
            Self::Rs18 => Some(RS18),
            Self::Rs39 => Some(RS39),
            _ => None,
        }
    }
}
