//! What memory reports of its errors, and the rows and pages that it replaces for them.

use super::super::layout::Site;
use super::super::loss::Replaced;
use super::super::record::{Cause, Upset};
use super::{Action, Due, InferenceStrike, Simulation};
use crate::device::{RasAction, RasPolicy};
use crate::outcome::Outcome;
use crate::scheme::Decoded;
use crate::scheme::memory::Block;

impl Simulation<'_> {
    /// Asks for the read that meets an error which memory reports of an entry.
    pub(super) fn report(&mut self, upset: &Upset, entry: u64, inference: u64, outcome: Outcome) {
        let Upset { id: upset, time_s: struck_s, device, .. } = *upset;
        let reads = self.ground.reads;
        let at = (device, entry);
        let action = Action::Reported { inference, upset, struck_s, at, outcome };
        self.at(reads.time_s(inference), inference % reads.copies, action);
    }

    /// A read meets an error which memory reports, unless a reset has loaded memory anew.
    pub(super) fn meet(
        &mut self,
        due: Due,
        inference: u64,
        (upset, start_s): (u32, f64),
        at: (u32, u64),
        outcome: Outcome,
    ) {
        let (time_s, cause) = (due.time_s, Cause::Uncorrectable);
        if self.away_until <= start_s {
            self.strike(InferenceStrike { upset, start_s, time_s, inference, cause, outcome });
            self.ras(time_s, at, false);
        }
    }

    /// A block holds an error that its code cannot correct.
    pub(super) fn ras_uncorrectable(
        &mut self,
        time_s: f64,
        copy: u64,
        (replica, block): (u8, u32),
    ) {
        self.ras(time_s, self.terms.layout.home(replica, copy, block), false);
    }

    /// What memory does about an error of an entry of a device.
    fn ras(&mut self, time_s: f64, (device, entry): (u32, u64), correctable: bool) {
        let memory = &self.ground.memory;
        let Some(location) = memory.locate(entry, self.ground.map) else { return };
        let bank = memory.bank_index(&location);
        let Some(ras) = self.ras.get_mut(device as usize) else { return };
        let action = if correctable {
            ras.on_correctable(entry)
        } else {
            ras.on_uncorrectable(bank, location.row, entry)
        };
        match action {
            RasAction::Nothing => {}
            RasAction::Exhausted => self.result.exhausted += 1,
            RasAction::RowRemapped | RasAction::PageRetired => {
                let page = ras.page(entry).filter(|_| action == RasAction::PageRetired);
                self.result.replaced.push(Replaced { time_s, device, entry, at: location, page });
                let site = self.terms.layout.site(device, entry, 0);
                let Some(site @ (Site::Data { copy, .. } | Site::Check { copy, .. })) = site else {
                    return;
                };
                let (replica, block, _) = self.place(site);
                // The others keep their places, which the queue knows them by.
                let hard = self.hard.get_mut(&copy).into_iter().flatten();
                for hard in hard.filter(|h| (h.replica, h.block) == (replica, block)) {
                    hard.mask = 0;
                }
            }
        }
    }

    /// Whether memory counts the errors that it corrects.
    fn counts_correctable(&self) -> bool {
        matches!(self.ground.memory.ras.policy, RasPolicy::PageRetire { .. })
            && self.terms.reader.scheme.code.is_some()
    }

    /// Reads from `time_s` on correct what they can of a copy: each error counts once, however
    /// often it is read.
    pub(super) fn read_corrected(&mut self, at: u64, time_s: f64) {
        let Some(code) = self.terms.reader.scheme.code.filter(|_| self.counts_correctable()) else {
            return;
        };
        let (words, image) = (self.terms.layout.block_words, self.terms.reader.image_words);
        let Some(copy) = self.tracked.get_mut(&at) else { return };
        let mut found = Vec::new();
        for (key, block) in copy.blocks.iter().filter(|((_, block), _)| block * words < image) {
            let known = copy.noted.get(key) == Some(block);
            if !known && block.clone().decode(code) == Decoded::Corrected {
                found.push(*key);
            }
        }
        for key in found {
            if let Some(copy) = self.tracked.get_mut(&at)
                && let Some(block) = copy.blocks.get(&key)
            {
                copy.noted.insert(key, block.clone());
            }
            self.ras(time_s, self.terms.layout.home(key.0, at, key.1), true);
        }
    }

    /// A scrub has corrected a block, which was like this before; what is wrong there later is
    /// another error.
    pub(super) fn scrub_corrected(&mut self, due: Due, key: (u8, u32), before: Option<&Block>) {
        if !self.counts_correctable() {
            return;
        }
        let Some(copy) = self.tracked.get_mut(&due.copy) else { return };
        let known = copy.noted.remove(&key);
        if known.as_ref() != before {
            self.ras(due.time_s, self.terms.layout.home(key.0, due.copy, key.1), true);
        }
    }
}
