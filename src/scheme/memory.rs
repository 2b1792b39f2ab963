//! Stored memory under a scheme: what reads deliver of it, and what repairs make of it.
//!
//! Memory is held as XOR masks against golden, block by block; what is not there equals golden. Every
//! code is linear over bits (CRC-32 up to a constant), and a vote on masks gives the mask of the vote. So
//! what decoders and voters do depends on the masks alone. Missions and the reference engine both read
//! memory with what is here.

use super::{Code, Decoded, Scheme, Voter};
use crate::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// The bitwise majority of three words.
pub const fn majority3(a: u32, b: u32, c: u32) -> u32 {
    (a & b) | (a & c) | (b & c)
}

/// Three words after a vote on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voted {
    /// The words with the majority written to them; the first is what is read.
    pub words: [u32; 3],
    /// The bits that vote and in which the words differed.
    pub differ: u32,
}

/// Votes on the bits of `mask`: each by itself, or with [`Voter::Word`] all together, which decides
/// nothing where all three differ. The other bits stay as they are.
pub fn voted(words @ [a, b, c]: [u32; 3], mask: u32, voter: Voter) -> Voted {
    let [p, q, r] = words.map(|word| word & mask);
    let undecided = voter == Voter::Word && p != q && p != r && q != r;
    let decided = if undecided { 0 } else { mask };
    let majority = majority3(a, b, c) & decided;
    let words = words.map(|word| word & !decided | majority);
    Voted { words, differ: ((a ^ b) | (a ^ c)) & mask }
}

/// The words of a block that differ from golden: data, then the check word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block(pub Vec<u32>);

impl Block {
    /// A block of `words` data words without a difference.
    pub fn clean(words: u32) -> Self {
        Self(vec![0; words as usize + 1])
    }

    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.0.iter().all(|mask| *mask == 0)
    }

    /// Data words.
    #[expect(clippy::cast_possible_truncation, reason = "at most 64 words")]
    pub const fn words(&self) -> u32 {
        self.0.len() as u32 - 1
    }

    /// Its words that differ, each by its place in the block.
    pub fn differing(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(self.0.iter().copied()).filter(|(_, mask)| *mask != 0)
    }

    /// Makes the check word fit the data words.
    pub fn encode(&mut self, code: Code) {
        let words = self.0.len() - 1;
        let constant = code.encode(&vec![0; words]);
        self.0[words] = code.encode(&self.0[..words]) ^ constant;
    }

    /// Decodes in place, leaving the difference of the decoded block.
    pub fn decode(&mut self, code: Code) -> Decoded {
        let words = self.0.len() - 1;
        let (data, check) = self.0.split_at_mut(words);
        let constant = code.encode(&vec![0; words]);
        let mut word = check[0] ^ constant;
        let decoded = code.decode(data, &mut word);
        check[0] = word ^ constant;
        decoded
    }
}

/// Blocks of one copy that may differ from golden, by replica and place.
pub type Blocks = BTreeMap<(u8, u32), Block>;

/// Drops blocks that are golden again.
pub fn forget_clean(blocks: &mut Blocks) {
    blocks.retain(|_, block| !block.is_clean());
}

/// What a read makes of memory, before the workload runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Whether a word that the workload reads differs from golden.
    pub differs: bool,
    /// Whether a decoder or a storage voter noticed.
    pub alarm: bool,
    /// Whether an only copy holds a block that cannot be corrected.
    pub uncorrectable: bool,
}

impl Read {
    /// The outcome of every inference, where nothing that the workload reads differs or nothing is
    /// delivered.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self { uncorrectable: true, .. } => Some(Outcome::Due),
            Self { differs: true, .. } => None,
            Self { alarm: true, .. } => Some(Outcome::Corrected),
            _ => Some(Outcome::Masked),
        }
    }
}

/// How a scheme reads: its code, its storage vote, and which words they protect.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The scheme.
    pub scheme: Scheme,
    /// The bits of each word that are protected; all where there is none.
    pub protected: Option<Vec<u32>>,
    /// Words of the workload's image: what lies behind is read by nobody.
    pub image_words: u32,
    /// The code covers the words below this one; `u32::MAX` where it covers every block whole.
    pub coded_words: u32,
}

impl Reader {
    /// What a read finds.
    pub fn read(&self, blocks: &Blocks) -> Read {
        let mut blocks = blocks.clone();
        blocks.retain(|(_, at), block| at * block.words() < self.image_words);
        let (corrected, uncorrectable) = self.decode(&mut blocks, None);
        let mut alarm = corrected + uncorrectable > 0;
        let is_read = |at: u32, words: u32, offset: u32| {
            offset < words && at * words + offset < self.image_words
        };
        if self.scheme.votes_reads() {
            self.vote(&mut blocks, None, |at, words, offset| alarm |= is_read(at, words, offset));
            blocks.retain(|(replica, _), _| *replica == 0);
        }
        let differs = blocks.iter().any(|((_, at), block)| {
            block.differing().any(|(offset, _)| is_read(*at, block.words(), offset))
        });
        let uncorrectable = uncorrectable > 0 && self.scheme.copies() == 1;
        Read { differs, alarm, uncorrectable }
    }

    /// Decodes the blocks in place, or `only` one; gives those put right and those that cannot be.
    pub fn decode(&self, blocks: &mut Blocks, only: Option<(u8, u32)>) -> (u32, u32) {
        let (mut corrected, mut uncorrectable) = (0, 0);
        let Some(code) = self.scheme.code else { return (0, 0) };
        for ((_, at), block) in blocks.iter_mut().filter(|(key, _)| only.is_none_or(|o| o == **key))
        {
            let words = block.words();
            let covered = self.coded_words.saturating_sub(at * words).min(words) as usize;
            let beyond = block.0[covered..words as usize].to_vec();
            block.0[covered..words as usize].fill(0);
            match block.decode(code) {
                Decoded::Clean => {}
                Decoded::Corrected => corrected += 1,
                Decoded::Uncorrectable => uncorrectable += 1,
            }
            block.0[covered..words as usize].copy_from_slice(&beyond);
        }
        (corrected, uncorrectable)
    }

    /// Writes the majority of three replicas over all of them, in one block place or in all; gives
    /// how many places changed. `dissents` hears of each word in which replicas differ: its block's
    /// place, that block's data words, and its place among them.
    pub fn vote(
        &self,
        blocks: &mut Blocks,
        only: Option<u32>,
        mut dissents: impl FnMut(u32, u32, u32),
    ) -> u32 {
        let places: BTreeSet<u32> = blocks.keys().map(|(_, at)| *at).collect();
        let mut repaired = 0;
        for at in places.into_iter().filter(|at| only.is_none_or(|only| only == *at)) {
            let Some(words) = (0..3).find_map(|r| blocks.get(&(r, at))).map(Block::words) else {
                continue;
            };
            let mut replicas =
                [0, 1, 2].map(|r| blocks.remove(&(r, at)).unwrap_or_else(|| Block::clean(words)));
            let mut changed = false;
            for offset in 0..=words {
                let masks = [0, 1, 2].map(|r: usize| replicas[r].0[offset as usize]);
                let protected = match &self.protected {
                    Some(bits) if offset < words => {
                        bits.get((at * words + offset) as usize).copied()
                    }
                    _ => Some(u32::MAX),
                };
                let voted = voted(masks, protected.unwrap_or(0), self.scheme.voter);
                if voted.differ != 0 {
                    dissents(at, words, offset);
                }
                changed |= voted.words != masks;
                for (replica, mask) in replicas.iter_mut().zip(voted.words) {
                    replica.0[offset as usize] = mask;
                }
            }
            repaired += u32::from(changed);
            blocks.extend((0..).zip(replicas).map(|(r, block)| ((r, at), block)));
        }
        repaired
    }

    /// Puts right what a read puts right, in every replica; gives how many blocks it was.
    pub fn put_right(&self, blocks: &mut Blocks) -> u32 {
        let (corrected, _) = self.decode(blocks, None);
        if !self.scheme.votes_reads() {
            return corrected;
        }
        corrected + self.vote(blocks, None, |_, _, _| ())
    }
}
