//! Memories: how a part is organised, which bits share what, and what it does about its errors.
//!
//! An entry is 32 bytes, what one access moves. A memory is a file, like a device: every figure
//! has its mark and its source. `docs/file-formats.md` describes the format, `docs/model.md` the
//! maps.

mod file;
mod map;
mod ras;

pub use map::{AddressMap, Location};
pub use ras::{Ras, RasAction, RasPolicy, RasState, Scrub};

use super::figure::Figure;
use super::{Error, text_of};
use crate::place;
use std::path::Path;

/// Bytes of an entry.
pub const ENTRY_BYTES: u64 = 32;
/// Data bits of an entry.
pub const DATA_BITS: u32 = 256;
/// Words of 32 bits of an entry.
const ENTRY_WORDS: u64 = ENTRY_BYTES / 4;

/// A memory and its organisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// The name by which it is chosen.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Where its figures come from.
    pub source: String,
    /// The standard of its parts.
    pub standard: String,
    /// Where its error-correcting code keeps the check bits.
    pub ecc: String,
    /// What else is worth knowing.
    pub note: Option<String>,
    /// Stacks, or devices side by side.
    pub stacks: u32,
    /// Channels of a stack.
    pub channels: u32,
    /// Pseudo-channels of a channel.
    pub pseudo_channels: u32,
    /// Ranks of a pseudo-channel: groups of dies that share its pins.
    pub sids: u32,
    /// Bank groups of a rank.
    pub bank_groups: u32,
    /// Banks of a group.
    pub banks: u32,
    /// Rows of a bank.
    pub rows: u32,
    /// Entries of a row.
    pub columns: u32,
    /// Beats in which an entry passes the pins.
    pub beats: u32,
    /// Data pins of a pseudo-channel.
    pub pins: u32,
    /// Stored redundant bits of an entry that can be struck; 0 where the ECC is inline.
    pub sideband_bits: u32,
    /// Bytes a second, all channels together.
    pub bandwidth_bytes_s: f64,
    /// How its addresses are spread, unless a campaign says otherwise.
    pub map: AddressMap,
    /// What it does about its errors.
    pub ras: Ras,
    /// Every figure by its key, with its mark and source.
    pub figures: Vec<(String, Figure)>,
}

include!(concat!(env!("OUT_DIR"), "/memories.rs"));

impl Memory {
    /// The names of the memories that are built in.
    pub fn names() -> Vec<&'static str> {
        SHIPPED.iter().map(|(name, _)| *name).collect()
    }

    /// A memory that is built in, or else that of the file at a path; with its text, verbatim.
    ///
    /// # Errors
    /// Where it is neither, the file cannot be read, or anything in it cannot be meant.
    pub fn load(name_or_path: &str) -> Result<(Self, String), Error> {
        let (path, text) = text_of("memory", &SHIPPED, name_or_path)?;
        Ok((Self::parse(&path, &text)?, text))
    }

    /// The JSON Schema of its file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(file::MemoryTable)
    }

    /// Checks the text of a memory; `path` is what messages call it.
    ///
    /// # Errors
    /// Where anything in it cannot be meant.
    pub fn parse(path: &Path, text: &str) -> Result<Self, place::Error> {
        file::parse(path, text)
    }

    /// Entries of the whole memory.
    pub fn entries(&self) -> u64 {
        self.banks_total() * u64::from(self.rows) * u64::from(self.columns)
    }

    /// Bytes of data that it holds.
    pub fn capacity_bytes(&self) -> u64 {
        self.entries() * ENTRY_BYTES
    }

    /// Bits of data that it holds.
    pub fn capacity_bits(&self) -> u64 {
        self.capacity_bytes() * 8
    }

    /// Check bits that it holds in the sideband of its entries.
    pub fn check_bits(&self) -> u64 {
        self.entries() * u64::from(self.sideband_bits)
    }

    /// Bytes of data of a row.
    pub fn row_bytes(&self) -> u64 {
        u64::from(self.columns) * ENTRY_BYTES
    }

    /// Banks of the whole memory, each with its own rows.
    pub fn banks_total(&self) -> u64 {
        let above = [self.channels, self.pseudo_channels, self.sids, self.bank_groups, self.banks];
        above.into_iter().map(u64::from).fold(u64::from(self.stacks), |all, size| all * size)
    }

    /// The number of a place's bank, from 0 to [`Self::banks_total`]: stacks first, banks last.
    pub fn bank_index(&self, at: &Location) -> u64 {
        let path = [
            (at.stack, self.stacks),
            (at.channel, self.channels),
            (at.pseudo_channel, self.pseudo_channels),
            (at.sid, self.sids),
            (at.bank_group, self.bank_groups),
            (at.bank, self.banks),
        ];
        path.into_iter().fold(0, |index, (digit, size)| index * u64::from(size) + u64::from(digit))
    }

    /// The place of a word of 32 bits: its entry's place, and which of the entry's words it is.
    ///
    /// # Errors
    /// Where the memory has no such word; names its address and the capacity.
    pub fn locate_word(&self, word: u64, map: AddressMap) -> Result<(Location, u32), Error> {
        let beyond = || Error::Beyond {
            memory: self.name.clone(),
            capacity: self.capacity_bytes(),
            address: word.saturating_mul(4),
        };
        let part = u32::try_from(word % ENTRY_WORDS).ok();
        self.locate(word / ENTRY_WORDS, map).zip(part).ok_or_else(beyond)
    }

    /// Bits of an entry that can be struck: data, and the sideband above.
    pub const fn entry_bits(&self) -> u32 {
        DATA_BITS + self.sideband_bits
    }

    /// Pins that an entry passes: data, and the sideband above.
    pub const fn entry_pins(&self) -> u32 {
        self.pins + self.sideband_pins()
    }

    const fn sideband_pins(&self) -> u32 {
        self.sideband_bits / self.beats
    }

    /// The bit of an entry that passes a pin in a beat; pins from [`Self::pins`] are the sideband.
    ///
    /// Bit b below 256 is bit b mod 32 of word b / 32; those above are the bits of word 8.
    ///
    /// # Panics
    /// Where there is no such beat or pin.
    pub fn bit(&self, beat: u32, pin: u32) -> u32 {
        let (beats, pins) = (self.beats, self.entry_pins());
        assert!(beat < beats && pin < pins, "beat {beat} of {beats}, pin {pin} of {pins}");
        if pin < self.pins {
            beat * self.pins + pin
        } else {
            DATA_BITS + beat * self.sideband_pins() + pin - self.pins
        }
    }

    /// The beat and the pin of a bit: the inverse of [`Self::bit`].
    ///
    /// # Panics
    /// Where an entry has no such bit.
    pub fn beat_and_pin(&self, bit: u32) -> (u32, u32) {
        assert!(bit < self.entry_bits(), "bit {bit} of {}", self.entry_bits());
        match bit.checked_sub(DATA_BITS) {
            None => (bit / self.pins, bit % self.pins),
            Some(extra) => (extra / self.sideband_pins(), self.pins + extra % self.sideband_pins()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, below, stream};

    fn shipped() -> impl Iterator<Item = Memory> {
        Memory::names().into_iter().map(|name| Memory::load(name).expect("well-formed").0)
    }

    #[test]
    fn shipped_memories_have_the_capacity_that_is_sold() {
        const GIB: u64 = 1 << 30;
        let sold = [
            ("a100-40gb", 40),
            ("a100-80gb", 80),
            ("ddr4", 16),
            ("ddr5", 16),
            ("gddr6", 16),
            ("h100-80gb", 80),
            ("tpu-v6e-32gb", 32),
            ("v100-32gb", 32),
        ];
        assert_eq!(Memory::names(), sold.map(|(name, _)| name));
        for (memory, (name, gib)) in shipped().zip(sold) {
            assert_eq!(memory.name, name);
            assert_eq!(memory.capacity_bytes(), gib * GIB, "{name}");
            assert_eq!(
                memory.capacity_bytes(),
                memory.banks_total() * u64::from(memory.rows) * memory.row_bytes()
            );
            assert_eq!(memory.capacity_bits(), gib * GIB * 8);
        }
    }

    #[test]
    fn shipped_memories_are_the_files_of_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fault-models/memories");
        let files = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|file| file.expect("a file").file_name().into_string().expect("a name in UTF-8"));
        let mut files: Vec<String> = files.collect();
        files.sort_unstable();
        let names: Vec<String> =
            Memory::names().into_iter().map(|name| format!("{name}.toml")).collect();
        assert_eq!(files, names);
    }

    #[test]
    fn bits_of_an_entry_have_each_their_beat_and_pin() {
        for memory in shipped() {
            let mut seen = vec![false; usize::try_from(memory.entry_bits()).expect("small")];
            for beat in 0..memory.beats {
                for pin in 0..memory.entry_pins() {
                    let bit = memory.bit(beat, pin);
                    assert_eq!(memory.beat_and_pin(bit), (beat, pin), "{}", memory.name);
                    seen[usize::try_from(bit).expect("small")] = true;
                }
            }
            assert!(seen.into_iter().all(|seen| seen), "{}", memory.name);
        }
        let hbm2 = Memory::load("v100-32gb").expect("shipped").0;
        assert_eq!(hbm2.bit(3, 35), 7 * 32 + 3, "beat 3, pin 35: word 2·3 + 1, bit 3");
        assert_eq!(hbm2.bit(2, 64), 256 + 16, "sideband: a byte a beat");
        let hbm3 = Memory::load("h100-80gb").expect("shipped").0;
        assert_eq!(hbm3.bit(5, 31), 5 * 32 + 31, "beat 5: word 5");
        assert_eq!(hbm3.bit(7, 35), 256 + 31, "sideband: a nibble a beat");
    }

    #[test]
    fn banks_are_numbered_without_gaps() {
        let memory = Memory { rows: 1, columns: 1, ..Memory::load("h100-80gb").expect("ok").0 };
        let banks = memory.banks_total();
        assert_eq!(banks, 5 * 16 * 2 * 2 * 16);
        for entry in 0..banks {
            let at = memory.locate(entry, AddressMap::Linear).expect("inside");
            assert_eq!(memory.bank_index(&at), entry);
        }
    }

    #[test]
    fn a_word_beyond_the_memory_is_refused_with_its_address_and_the_capacity() {
        let memory = Memory::load("h100-80gb").expect("shipped").0;
        let words = memory.capacity_bytes() / 4;
        for map in AddressMap::ALL {
            let (last, word) = memory.locate_word(words - 1, map).expect("inside");
            assert_eq!((word, last.row), (7, memory.rows - 1));
            for beyond in [words, words + 1, u64::MAX] {
                let error = memory.locate_word(beyond, map).expect_err("outside").to_string();
                let address = beyond.saturating_mul(4).to_string();
                assert!(error.contains("below 85899345920 (0x1400000000, "), "{error}");
                assert!(error.contains("h100-80gb") && error.contains(&address), "{error}");
            }
        }
    }

    #[test]
    fn random_words_of_shipped_memories_are_inside_and_word_by_word_consistent() {
        let mut draws = stream(5, Domain::Generate, &[0]);
        for memory in shipped() {
            let words = memory.capacity_bytes() / 4;
            for _ in 0..1000 {
                let word = below(&mut draws, words);
                let (at, part) = memory.locate_word(word, memory.map).expect("inside");
                let entry = memory.entry_of(&at, memory.map).expect("inside");
                assert_eq!(entry * ENTRY_WORDS + u64::from(part), word);
                assert!(memory.bank_index(&at) < memory.banks_total());
            }
        }
    }
}
