//! Tracked copies: those that differ from the cohort. Each is followed by itself, from the upset that
//! struck it until it holds again what the cohort holds.

use super::super::layout::Site;
use super::super::record::{Cause, Change, Episode, Restored, Upset};
use super::super::state::State;
use super::{Action, Simulation};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::OnDue;
use crate::scheme::memory::{Block, Blocks, Read, forget_clean};
use std::sync::Arc;

/// A copy that differs from the cohort.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) blocks: Blocks,
    read: Read,
    pub(super) rows: Option<Arc<[InferenceRow]>>,
    /// Inferences up to here are counted.
    pub(super) since: f64,
    pub(super) version: u32,
    /// Blocks whose correctable error memory has counted, as they were.
    pub(super) noted: Blocks,
    pub(super) episode: Episode,
}

impl Simulation<'_> {
    /// The numbers of the tracked copies.
    pub(super) fn tracked_copies(&self) -> Vec<u64> {
        self.tracked.keys().copied().collect()
    }

    /// The replica, block and word of the block of a site of weights.
    pub(super) fn place(&self, site: Site) -> (u8, u32, usize) {
        let words = self.terms.layout.block_words;
        match site {
            Site::Data { replica, word, .. } => (replica, word / words, (word % words) as usize),
            Site::Check { replica, block, .. } => (replica, block, words as usize),
            _ => (0, 0, 0),
        }
    }

    pub(super) fn golden(&self, block: u32, word: usize) -> u32 {
        let words = self.terms.layout.block_words as usize;
        if word == words {
            self.terms.checks.get(block as usize).copied().unwrap_or(0)
        } else {
            self.ground.golden[block as usize * words + word]
        }
    }

    pub(super) fn present(&self, copy: u64, replica: u8, block: u32, word: usize) -> u32 {
        let differs = self
            .tracked
            .get(&copy)
            .and_then(|copy| copy.blocks.get(&(replica, block)))
            .map_or(0, |block| block.0[word]);
        self.golden(block, word) ^ differs
    }

    pub(super) fn flip(&mut self, copy: u64, replica: u8, block: u32, word: usize, mask: u32) {
        let words = self.terms.layout.block_words;
        if let Some(copy) = self.tracked.get_mut(&copy) {
            let block = copy.blocks.entry((replica, block)).or_insert_with(|| Block::clean(words));
            block.0[word] ^= mask;
        }
    }

    /// Tracks a copy that is about to change, and counts an upset to its episode.
    pub(super) fn track(&mut self, copy: u64, upset: &Upset) {
        self.settle(copy, upset.time_s);
        let since = upset.time_s.max(self.uncounted_s());
        let (new, known) = (!self.tracked.contains_key(&copy), self.cohort_errors());
        let blocks = if new { self.cohort.blocks.clone() } else { Blocks::new() };
        let entry = self.tracked.entry(copy).or_insert_with(|| Tracked {
            blocks,
            read: Read::default(),
            rows: None,
            since,
            version: 0,
            noted: Blocks::new(),
            episode: Episode::new(Cause::Memory, upset.id, copy, upset.time_s),
        });
        entry.episode.upsets += 1;
        if new {
            self.plan_spread(copy, upset.time_s, known);
            let held: Vec<(u8, u32)> = self.cohort.blocks.keys().copied().collect();
            self.plan_visits(copy, upset.time_s, &held);
        }
    }

    /// Notes a new state of a tracked copy: what its reads come to from now on, and the read that acts.
    /// A copy that is as the cohort again joins it.
    pub(super) fn changed(&mut self, at: u64, time_s: f64, upset: u32, ended: Restored) {
        let Some(copy) = self.tracked.get_mut(&at) else { return };
        forget_clean(&mut copy.blocks);
        self.versions += 1;
        copy.noted.retain(|key, _| copy.blocks.contains_key(key));
        copy.version = self.versions;
        let version = copy.version;
        let words = copy.blocks.values().flat_map(|block| &block.0).filter(|mask| **mask != 0);
        let words = u32::try_from(words.count()).unwrap_or(u32::MAX);
        let joins = copy.blocks == self.cohort.blocks;
        if self.ground.keep_changes {
            let ended = (joins || copy.blocks.is_empty()).then_some(ended);
            self.result.changes.push(Change { time_s, copy: at, upset, ended, words });
        }
        if joins {
            self.release(at, time_s, ended);
            return;
        }
        copy.read = self.terms.reader.read(&copy.blocks);
        let (read, blocks) = (copy.read, copy.blocks.clone());
        let rows = self.rows_of(read, &blocks);
        if let Some(copy) = self.tracked.get_mut(&at) {
            copy.rows = rows;
        }
        self.plan_read(at, version);
    }

    /// What every input comes to where blocks differ like this.
    pub(super) fn rows_of(&mut self, read: Read, blocks: &Blocks) -> Option<Arc<[InferenceRow]>> {
        match read.outcome() {
            Some(outcome) => {
                let alarm = if read.alarm { InferenceRow::ALARM } else { 0 };
                let row = InferenceRow(outcome as u32 | alarm);
                Some(vec![row; usize::try_from(self.ground.reads.inputs).unwrap_or(0)].into())
            }
            None => self.ask(&State::of(blocks, self.terms.reader.image_words)),
        }
    }

    /// Asks for the first read that changes memory.
    pub(super) fn plan_read(&mut self, at: u64, version: u32) {
        let Some(copy) = self.tracked.get(&at) else { return };
        let Some(rows) = &copy.rows else { return };
        let reads = self.ground.reads;
        let run = reads.within(at, copy.since, self.ground.horizon_s);
        let scheme = &self.terms.reader.scheme;
        let writes_back = scheme.writes_back() && copy.read.alarm;
        let acts = |row: InferenceRow| match row.outcome() {
            Outcome::DueRecovered => true,
            Outcome::Due | Outcome::Hang => scheme.on_due != OnDue::Keep,
            _ => writes_back,
        };
        if let Some(k) = reads.find(run, rows, acts) {
            let inference = run.first + k * reads.copies;
            self.at(reads.time_s(inference), at, Action::Read { version, inference });
        }
    }

    /// Counts the inferences of a tracked copy up to `time_s`, but for the pending one.
    pub(super) fn settle(&mut self, at: u64, time_s: f64) {
        let latest = self.pending_at(time_s);
        self.count_before(latest);
        let Some(copy) = self.tracked.get_mut(&at) else { return };
        if time_s <= copy.since {
            return;
        }
        let reads = self.ground.reads;
        let mut run = reads.within(at, copy.since, time_s);
        copy.since = time_s;
        if run.count == 0 {
            return;
        }
        self.read_corrected(at, reads.time_s(run.first));
        let Some(copy) = self.tracked.get_mut(&at) else { return };
        let Some(rows) = &copy.rows else { return };
        let (all, last) = (run, run.count - 1);
        let pending =
            (run.first + last * reads.copies == latest).then(|| reads.outcome(run, last, rows));
        run.count -= u64::from(pending.is_some());
        let episode = &mut copy.episode;
        episode.note_firsts(|is| {
            let k = reads.find(run, rows, |row| is(row.outcome()))?;
            Some(reads.time_s(run.first + k * reads.copies))
        });
        reads.tally(run, rows, &mut episode.outcomes);
        self.take_from_cohort(all);
        if let Some(outcome) = pending {
            self.pend(latest).state = Some(outcome);
        }
    }

    /// Ends the episode of a tracked copy, which joins the cohort or is there at the end of the mission.
    pub(super) fn release(&mut self, at: u64, time_s: f64, ended: Restored) {
        let Some(mut copy) = self.tracked.remove(&at) else { return };
        copy.episode.end_s = time_s;
        copy.episode.ended = ended;
        if ended != Restored::Mission && self.cohort.blocks.is_empty() {
            self.result.repairs.0 += 1;
            self.result.repairs.1 += time_s - copy.episode.start_s;
        }
        self.finish_episode(copy.episode);
    }

    /// Keeps an episode and adds it to the sums.
    pub(super) fn keep(&mut self, episode: Episode) {
        for (sum, count) in self.result.outcomes.iter_mut().zip(episode.outcomes) {
            *sum += count;
        }
        if let Some(time_s) = episode.first_critical_s {
            let first = self.result.first_critical_s.get_or_insert(time_s);
            *first = first.min(time_s);
        }
        if episode.worst() > Outcome::Masked {
            self.result.episodes.push(episode);
        }
    }
}
