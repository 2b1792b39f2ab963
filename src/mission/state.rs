//! What an inference meets: stored words and values that differ from golden, as an engine is asked
//! about them.

use crate::scheme::memory::Blocks;

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

impl State {
    /// The state that these blocks are, within the words of the image: what lies behind them, up to the
    /// next copy, is read by nobody.
    pub fn of(blocks: &Blocks, image_words: u32) -> Self {
        let mut flips = Vec::new();
        for ((replica, at), block) in blocks {
            let words = block.words();
            for (offset, mask) in block.differing().filter(|_| at * words < image_words) {
                let word = at * words + offset;
                let word = if offset == words { Word::Check(*at) } else { Word::Data(word) };
                if word < Word::Data(image_words) || matches!(word, Word::Check(_)) {
                    flips.push(Flip { replica: *replica, word, mask });
                }
            }
        }
        flips.sort_unstable();
        Self { flips, value: Vec::new() }
    }
}
