//! Stored memory under a scheme: what reads deliver, what repairs and scrubs make of it.

use super::Reference;
use crate::engine::footprint::{Received, Target};
use crate::engine::{Layout, TrialResult};
use crate::scheme::{Decoded, Scheme, ScrubBy, Voter};
use crate::stage::vote;

/// A scheme with what it makes of the workload's memory.
pub(super) struct Setting<'a> {
    pub engine: &'a Reference,
    pub scheme: &'a Scheme,
    pub layout: Layout,
    /// The check words of golden.
    checks: Vec<u32>,
    /// The bits of each word that a storage vote protects.
    masks: Vec<u32>,
}

/// The stored memory of one trial.
pub(super) struct Memory {
    pub copies: Vec<Vec<u32>>,
    pub stuck: Vec<Received>,
}

/// What the reads of one step deliver.
pub(super) struct Delivery {
    /// The image of each copy, or of all where a vote stands between.
    pub images: Vec<Vec<u32>>,
    /// Whether a decoder met what it cannot correct.
    pub uncorrectable: bool,
}

impl Memory {
    pub(super) fn strike(&mut self, fault: &Received) -> (u32, u32) {
        let Target::Image { copy } = fault.target else { return (0, 0) };
        let word = &mut self.copies[copy as usize][fault.word as usize];
        let before = *word;
        *word = fault.kind.apply(before, fault.mask);
        (before, *word)
    }

    /// Stuck bits assert themselves after a write.
    fn assert_stuck(&mut self) {
        for fault in self.stuck.clone() {
            self.strike(&fault);
        }
    }
}

impl<'a> Setting<'a> {
    pub(super) fn new(engine: &'a Reference, scheme: &'a Scheme) -> Self {
        let layout = engine.layout.with_code(scheme.code);
        let masks = layout.protected(scheme, &engine.workload);
        let masks = masks.unwrap_or_else(|| vec![u32::MAX; layout.image() as usize]);
        let checks = layout.golden_checks(&engine.golden[..layout.stored as usize]);
        Self { engine, scheme, layout, checks, masks }
    }

    /// Golden memory over the inputs of this window.
    pub(super) fn golden(&self, window: usize) -> Vec<u32> {
        let mut image = self.engine.image(window);
        image.extend(&self.checks);
        image
    }

    pub(super) fn memory(&self, window: usize) -> Memory {
        let copies = self.scheme.copies() as usize;
        Memory { copies: vec![self.golden(window); copies], stuck: Vec::new() }
    }

    /// The inputs of another window, in every copy.
    pub(super) fn load_inputs(&self, memory: &mut Memory, window: usize) {
        let inputs = self.layout.weights as usize..self.layout.check_base() as usize;
        for copy in &mut memory.copies {
            copy[inputs.clone()].copy_from_slice(self.engine.input(window));
        }
        memory.stuck.retain(|fault| fault.row.is_none());
    }

    /// Reads every copy; what the scheme notices counts into `alarms`, by row, then stored words.
    pub(super) fn deliver(&self, memory: &mut Memory, alarms: &mut [u32]) -> Delivery {
        let mut images = memory.copies.clone();
        let mut uncorrectable = false;
        for image in &mut images {
            for found in self.decode(image) {
                alarms[self.layout.rows as usize] += u32::from(found != Decoded::Clean);
                uncorrectable |= found == Decoded::Uncorrectable;
            }
        }
        if self.scheme.votes_reads() {
            let mut voted = Vec::with_capacity(images[0].len());
            let rows = self.layout.rows as usize;
            for word in 0..images[0].len() {
                let (chosen, dissent) = self.vote(&mut images, word);
                voted.push(chosen);
                if dissent {
                    let at = u32::try_from(word).unwrap_or(u32::MAX);
                    let input = self.layout.is_input(at);
                    let row = (word - (self.layout.weights as usize).min(word)) % rows;
                    alarms[if input { row } else { rows }] += 1;
                }
            }
            self.write_back(memory, &images);
            images = vec![voted];
        } else {
            self.write_back(memory, &images);
        }
        Delivery { images, uncorrectable }
    }

    fn write_back(&self, memory: &mut Memory, images: &[Vec<u32>]) {
        if self.scheme.writes_back() {
            memory.copies = images.to_vec();
            memory.assert_stuck();
        }
    }

    /// Decodes every block of an image in place: what the decoder makes of each.
    fn decode(&self, image: &mut [u32]) -> Vec<Decoded> {
        let Some(code) = self.scheme.code else { return Vec::new() };
        let (data, rest) = image.split_at_mut(self.layout.weights as usize);
        let checks = &mut rest[self.layout.inputs as usize..];
        let size = code.block_words() as usize;
        let blocks = data[..self.layout.stored as usize].chunks_mut(size).zip(checks);
        let decoded = blocks.map(|(data, check)| {
            let mut block = data.to_vec();
            block.resize(size, 0);
            let found = code.decode(&mut block, check);
            data.copy_from_slice(&block[..data.len()]);
            found
        });
        decoded.collect()
    }

    /// Votes on one word and puts all copies right: what is read, and whether copies differ.
    fn vote(&self, copies: &mut [Vec<u32>], word: usize) -> (u32, bool) {
        let words = [0, 1, 2].map(|copy| copies[copy][word]);
        let [a, b, c] = words;
        let mask = self.masks[word];
        let votes = vote::votes(words, mask, self.scheme.voter == Voter::Word);
        let majority = vote::majority3(a, b, c) & votes;
        copies.iter_mut().for_each(|copy| copy[word] = (copy[word] & !votes) | majority);
        ((a & !votes) | majority, ((a ^ b) | (a ^ c)) & mask != 0)
    }

    pub(super) fn reload(&self, memory: &mut Memory, window: usize) {
        let golden = self.golden(window);
        memory.copies.iter_mut().for_each(|copy| copy.clone_from(&golden));
        memory.assert_stuck();
    }

    pub(super) fn scrub(
        &self,
        by: ScrubBy,
        memory: &mut Memory,
        window: usize,
        result: &mut TrialResult,
    ) {
        let golden = self.golden(window);
        let stored = |word: &usize| !self.layout.is_input(u32::try_from(*word).unwrap_or(u32::MAX));
        let words: Vec<usize> = (0..golden.len()).filter(stored).collect();
        let wrong = |memory: &Memory, word: usize| {
            memory.copies.iter().any(|copy| copy[word] != golden[word])
        };
        let before: Vec<bool> = words.iter().map(|word| wrong(memory, *word)).collect();
        match by {
            ScrubBy::Reload => self.reload(memory, window),
            ScrubBy::Ecc => {
                memory.copies.iter_mut().for_each(|copy| drop(self.decode(copy)));
                memory.assert_stuck();
            }
            ScrubBy::Vote => {
                for word in 0..golden.len() {
                    self.vote(&mut memory.copies, word);
                }
                memory.assert_stuck();
            }
        }
        for (word, was) in words.iter().zip(before) {
            let is = wrong(memory, *word);
            result.scrub_repaired += u64::from(was && !is);
            result.scrub_uncorrectable += u64::from(is);
        }
    }
}
