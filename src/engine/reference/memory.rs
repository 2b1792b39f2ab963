//! Stored memory of a trial: what its reads deliver, and what scrubs and reloads make of it.

use super::Reference;
use crate::engine::footprint::{Received, Target};
use crate::engine::{Layout, TrialResult};
use crate::scheme::memory::{Block, Blocks, Reader};
use crate::scheme::{Scheme, ScrubBy};
use std::collections::BTreeSet;

/// A scheme with what it makes of the workload's memory.
pub(super) struct SchemeMemory<'a> {
    pub engine: &'a Reference,
    pub scheme: &'a Scheme,
    pub layout: Layout,
    reader: Reader,
    /// The check words of golden.
    checks: Vec<u32>,
}

/// The stored memory of one trial.
pub(super) struct StoredMemory {
    /// What is right: the image with the inputs at hand.
    golden: Vec<u32>,
    /// What differs from it.
    blocks: Blocks,
    pub stuck: Vec<Received>,
}

/// What the reads of one step deliver.
pub(super) struct Delivery {
    /// The image of each copy, or of all where a vote stands between.
    pub images: Vec<Vec<u32>>,
    /// Whether a decoder met what it cannot correct.
    pub uncorrectable: bool,
}

impl<'a> SchemeMemory<'a> {
    pub(super) fn new(engine: &'a Reference, scheme: &'a Scheme) -> Self {
        let layout = engine.layout.with_code(scheme.code);
        let reader = Reader {
            scheme: scheme.clone(),
            protected: layout.protected(scheme, &engine.workload),
            image_words: layout.check_base(),
            coded_words: layout.stored,
        };
        let checks = layout.golden_checks(&engine.golden[..layout.stored as usize]);
        Self { engine, scheme, layout, reader, checks }
    }

    /// Golden memory over the inputs of a window.
    pub(super) fn memory(&self, window: usize) -> StoredMemory {
        let mut golden = self.engine.image(window);
        golden.extend(&self.checks);
        StoredMemory { golden, blocks: Blocks::new(), stuck: Vec::new() }
    }

    /// The inputs of another window, in every copy.
    pub(super) fn load_inputs(&self, memory: &mut StoredMemory, window: usize) {
        memory.golden = self.memory(window).golden;
        for ((_, at), block) in &mut memory.blocks {
            let words = block.words();
            for (offset, mask) in (0..).zip(&mut block.0) {
                if self.layout.is_input(self.word(*at, words, offset)) {
                    *mask = 0;
                }
            }
        }
        memory.stuck.retain(|fault| fault.row.is_none());
    }

    /// The word of the image at a place of a block.
    const fn word(&self, at: u32, words: u32, offset: u32) -> u32 {
        if offset == words { self.layout.check_base() + at } else { at * words + offset }
    }

    /// Strikes a stored word: what it was before, and what it is.
    pub(super) fn strike(&self, memory: &mut StoredMemory, fault: &Received) -> (u32, u32) {
        let Target::Image { copy } = fault.target else { return (0, 0) };
        let words = self.scheme.block_words();
        let (at, offset) = match fault.word.checked_sub(self.layout.check_base()) {
            Some(at) => (at, words),
            None => (fault.word / words, fault.word % words),
        };
        let key = (u8::try_from(copy).unwrap_or(u8::MAX), at);
        let block = memory.blocks.entry(key).or_insert_with(|| Block::clean(words));
        let (golden, mask) = (memory.golden[fault.word as usize], &mut block.0[offset as usize]);
        let before = golden ^ *mask;
        let after = fault.kind.apply(before, fault.mask);
        *mask = golden ^ after;
        (before, after)
    }

    /// Stuck bits assert themselves after a write.
    fn assert_stuck(&self, memory: &mut StoredMemory) {
        for fault in memory.stuck.clone() {
            self.strike(memory, &fault);
        }
    }

    /// Reads every copy; what the scheme notices counts into `alarms`, by row, then stored words.
    pub(super) fn deliver(&self, memory: &mut StoredMemory, alarms: &mut [u32]) -> Delivery {
        let rows = self.layout.rows;
        let mut read = memory.blocks.clone();
        let (corrected, uncorrectable) = self.reader.decode(&mut read, None);
        alarms[rows as usize] += corrected + uncorrectable;
        let mut copies = self.scheme.copies();
        if self.scheme.votes_reads() {
            copies = 1;
            self.reader.vote(&mut read, None, |at, words, offset| {
                let word = self.word(at, words, offset);
                let of_row = self.layout.is_input(word);
                alarms[if of_row { (word - self.layout.weights) % rows } else { rows } as usize] +=
                    1;
            });
        }
        let mut images = vec![memory.golden.clone(); copies as usize];
        for ((copy, at), block) in &read {
            let Some(image) = images.get_mut(usize::from(*copy)) else { continue };
            for (offset, mask) in block.differing() {
                image[self.word(*at, block.words(), offset) as usize] ^= mask;
            }
        }
        if self.scheme.writes_back() {
            memory.blocks = read;
            self.assert_stuck(memory);
        }
        Delivery { images, uncorrectable: uncorrectable > 0 }
    }

    /// Golden over every copy.
    pub(super) fn reload(&self, memory: &mut StoredMemory) {
        memory.blocks.clear();
        self.assert_stuck(memory);
    }

    pub(super) fn scrub(&self, by: ScrubBy, memory: &mut StoredMemory, result: &mut TrialResult) {
        let before = self.wrong(memory);
        match by {
            ScrubBy::Reload => memory.blocks.clear(),
            ScrubBy::Ecc => {
                self.reader.decode(&mut memory.blocks, None);
            }
            ScrubBy::Vote => {
                self.reader.vote(&mut memory.blocks, None, |_, _, _| ());
            }
        }
        self.assert_stuck(memory);
        let after = self.wrong(memory);
        result.scrub_repaired += before.difference(&after).count() as u64;
        result.scrub_uncorrectable += after.len() as u64;
    }

    /// Stored words that differ from golden in some copy, inputs not counted.
    fn wrong(&self, memory: &StoredMemory) -> BTreeSet<u32> {
        let words = memory.blocks.iter().flat_map(|((_, at), block)| {
            block.differing().map(|(offset, _)| self.word(*at, block.words(), offset))
        });
        words.filter(|word| !self.layout.is_input(*word)).collect()
    }
}
