//! What differs from golden in one copy, and what a read delivers of it.
//!
//! Differences are XOR masks against golden. Every code is linear over bits (CRC-32 up to a
//! constant), so that what a decoder does depends on the mask alone.

use crate::outcome::Outcome;
use crate::scheme::{Code, Decoded, Scheme, Voter};
use crate::stage::vote::{majority3, votes};
use std::collections::BTreeMap;

/// Where a flipped word lies within a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// A word of the image.
    Data(u32),
    /// The check word of a block.
    Check(u32),
}

/// A word that differs from golden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flip {
    /// The replica.
    pub replica: u8,
    /// The word.
    pub word: Word,
    /// The bits that differ.
    pub mask: u32,
}

/// A struck word of an op's output, in one execution of one inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueFlip {
    /// The op.
    pub op: u32,
    /// The feature of its output.
    pub index: u32,
    /// The input, as a row of the inference set.
    pub row: u32,
    /// The execution.
    pub execution: u32,
    /// The bits that flip.
    pub mask: u32,
}

/// A faulty state: what an inference meets, in the order of replicas and words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// Stored words that differ from golden.
    pub flips: Vec<Flip>,
    /// A struck value, where there is one.
    pub value: Vec<ValueFlip>,
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

fn state(blocks: &Blocks, image_words: u32) -> State {
    let mut flips = Vec::new();
    for ((replica, at), block) in blocks {
        let words = block.0.len() - 1;
        if at * count(words) >= image_words {
            continue;
        }
        for (offset, mask) in (0u32..).zip(&block.0).filter(|(_, mask)| **mask != 0) {
            let word = if offset as usize == words {
                Word::Check(*at)
            } else {
                Word::Data(at * count(words) + offset)
            };
            if word < Word::Data(image_words) || matches!(word, Word::Check(_)) {
                flips.push(Flip { replica: *replica, word, mask: *mask });
            }
        }
    }
    flips.sort_unstable();
    State { flips, value: Vec::new() }
}

#[expect(clippy::cast_possible_truncation, reason = "at most 64 words")]
const fn count(words: usize) -> u32 {
    words as u32
}

/// What a read makes of a copy, before the workload runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Whether a word that the workload reads differs from golden.
    pub differs: bool,
    /// Whether a decoder or a storage voter noticed.
    pub alarm: bool,
    /// Whether an only copy holds a block that cannot be corrected.
    pub uncorrectable: bool,
    /// Blocks that a decoder could not correct, in all replicas.
    pub uncorrectable_blocks: u32,
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
}

impl Reader {
    fn mask(&self, word: u32) -> u32 {
        self.protected.as_ref().map_or(u32::MAX, |masks| masks.get(word as usize).map_or(0, |m| *m))
    }

    /// The state that these blocks are, within the words of the image: what lies behind them, up
    /// to the next copy, is read by nobody.
    pub fn state(&self, blocks: &Blocks) -> State {
        state(blocks, self.image_words)
    }

    /// What a read finds.
    pub fn read(&self, blocks: &Blocks) -> Read {
        let mut read = Read::default();
        let mut words: BTreeMap<u32, [u32; 3]> = BTreeMap::new();
        for ((replica, at), block) in blocks {
            let mut block = block.clone();
            let length = count(block.0.len() - 1);
            if at * length >= self.image_words {
                continue;
            }
            if let Some(code) = self.scheme.code {
                match block.decode(code) {
                    Decoded::Clean => {}
                    Decoded::Corrected => read.alarm = true,
                    Decoded::Uncorrectable => {
                        read.alarm = true;
                        read.uncorrectable_blocks += 1;
                    }
                }
            }
            for (offset, mask) in (0..length).zip(&block.0).filter(|(_, mask)| **mask != 0) {
                let word = at * length + offset;
                if word < self.image_words {
                    words.entry(word).or_default()[usize::from(*replica).min(2)] = *mask;
                }
            }
        }
        read.uncorrectable = read.uncorrectable_blocks > 0 && self.scheme.copies() == 1;
        let voted = self.scheme.votes_reads();
        for (word, masks) in words {
            if voted {
                let protected = self.mask(word);
                let differs = (masks[0] ^ masks[1]) | (masks[0] ^ masks[2]);
                read.alarm |= differs & protected != 0;
                let (decided, majority) = self.vote(masks, protected);
                let delivered = majority & decided | masks[0] & !decided;
                read.differs |= delivered != 0;
            } else {
                read.differs = true;
            }
        }
        read
    }

    /// The bits of a word that a vote decides, and their majority, as the vote stage has them.
    fn vote(&self, masks @ [a, b, c]: [u32; 3], protected: u32) -> (u32, u32) {
        let decided = votes(masks, protected, self.scheme.voter == Voter::Word);
        (decided, majority3(a, b, c))
    }

    /// Decodes the blocks in place, as a scrub by ECC or a read with write-back does; gives the
    /// blocks put right and those that cannot be.
    pub fn repair_by_code(&self, blocks: &mut Blocks, only: Option<(u8, u32)>) -> (u64, u64) {
        let (mut repaired, mut uncorrectable) = (0, 0);
        let Some(code) = self.scheme.code else { return (0, 0) };
        for (_, block) in blocks.iter_mut().filter(|(key, _)| only.is_none_or(|o| o == **key)) {
            match block.decode(code) {
                Decoded::Clean => {}
                Decoded::Corrected => repaired += 1,
                Decoded::Uncorrectable => uncorrectable += 1,
            }
        }
        (repaired, uncorrectable)
    }

    /// Writes the majority of three replicas over all of them, in one block place or in all.
    pub fn repair_by_vote(&self, blocks: &mut Blocks, only: Option<u32>) -> u64 {
        let mut places: Vec<u32> = blocks.keys().map(|(_, at)| *at).collect();
        places.sort_unstable();
        places.dedup();
        let mut repaired = 0;
        for at in places.into_iter().filter(|at| only.is_none_or(|only| only == *at)) {
            let Some(length) = (0..3).find_map(|r| blocks.get(&(r, at))).map(|b| b.0.len()) else {
                continue;
            };
            let mut voted: [Vec<u32>; 3] = std::array::from_fn(|r| {
                let replica = u8::try_from(r).unwrap_or(0);
                blocks.get(&(replica, at)).map_or_else(|| vec![0; length], |b| b.0.clone())
            });
            let before = voted.clone();
            for word in 0..length {
                let masks = [0, 1, 2].map(|r| before[r][word]);
                let data = word + 1 < length;
                let protected =
                    if data { self.mask(at * count(length - 1) + count(word)) } else { u32::MAX };
                let (decided, majority) = self.vote(masks, protected);
                for (replica, mask) in voted.iter_mut().zip(masks) {
                    replica[word] = majority & decided | mask & !decided;
                }
            }
            repaired += u64::from(voted != before);
            for (replica, masks) in (0u8..).zip(voted) {
                blocks.insert((replica, at), Block(masks));
            }
        }
        repaired
    }
}

/// Drops blocks that are golden again.
pub(super) fn forget_clean(blocks: &mut Blocks) {
    blocks.retain(|_, block| !block.is_clean());
}
