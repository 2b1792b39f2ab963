//! What all copies hold alike: golden words, until a reload from struck hardened storage.
//!
//! A reload scrub and a reset rewrite every word, so that an error in hardened storage comes to every
//! copy. Copies that nothing else struck are then alike, and are followed as one: their inferences
//! are all those asked for, less those of the copies that are followed by themselves.

use super::super::loss::Why;
use super::super::patrol::Patrol;
use super::super::reads::{Reads, Run};
use super::super::record::{Cause, Change, Ended, Episode, Upset, What};
use super::super::state::{self, Block, Blocks, Read};
use super::{Action, Due, Simulation};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::{OnDue, ScrubBy};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A bit that is wrong in hardened storage. Nothing sets it right.
#[derive(Clone, Copy, Debug)]
pub(super) struct HardenedError {
    word: u32,
    mask: u32,
    upset: u32,
    time_s: f64,
}

/// What every copy holds that is not followed by itself.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) blocks: Blocks,
    read: Read,
    rows: Option<Arc<[InferenceRow]>>,
    /// The rows before the latest change, and the first inference after it.
    former: (Option<Arc<[InferenceRow]>>, u64),
    /// Errors of hardened storage that have come to it.
    known: usize,
    /// Inferences up to here are counted.
    since: f64,
    version: u32,
    episode: Option<Episode>,
    /// By copy, the inferences since the latest count that are counted by themselves.
    taken: BTreeMap<u64, Vec<Run>>,
    /// Its inferences by outcome; below 0 while only those that are not its own are counted.
    outcomes: [i64; 7],
}

/// What becomes due for all copies alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Alike {
    /// A reload scrub has brought so many errors of hardened storage.
    Spread { known: usize },
    /// A scrub by vote has passed.
    Visit { version: u32 },
    /// Every copy has been read once.
    Read { version: u32 },
    /// A read is a DUE, and the device is reset after it.
    Due { version: u32, inference: u64 },
}

impl Common {
    fn rows_at(&self, inference: u64) -> Option<&Arc<[InferenceRow]>> {
        if inference < self.former.1 { self.former.0.as_ref() } else { self.rows.as_ref() }
    }
}

impl Simulation<'_> {
    /// All inferences in their order, whatever copy they read.
    fn all_reads(&self) -> Reads {
        Reads { copies: 1, ..self.ground.reads }
    }

    /// A bit of hardened storage flips.
    pub(super) fn hardened_upset(&mut self, upset: &Upset, word: u32, mask: u32) {
        let Upset { id, time_s, .. } = *upset;
        self.hardened.push(HardenedError { word, mask, upset: id, time_s });
        let Some((patrol, ScrubBy::Reload)) = &self.patrol else { return };
        let (when, known) = (mean_next(patrol, time_s), self.hardened.len());
        self.at(when, u64::MAX, Action::Alike(Alike::Spread { known }));
        let open: Vec<u64> = self.copies.keys().copied().collect();
        for copy in open {
            self.plan_spread(copy, time_s, known - 1);
        }
    }

    /// Asks for the passes of a reload scrub that bring a copy the errors of hardened storage from
    /// `first` on.
    pub(super) fn plan_spread(&mut self, copy: u64, time_s: f64, first: usize) {
        if !matches!(self.patrol, Some((_, ScrubBy::Reload))) {
            return;
        }
        let words = self.terms.layout.block_words;
        let blocks = self.hardened[first..].iter().map(|of| of.word / words);
        let places = blocks.flat_map(|block| self.replicas().map(move |replica| (replica, block)));
        let places: Vec<(u8, u32)> = places.collect();
        self.plan_visits(copy, time_s, &places);
    }

    /// Errors of hardened storage that have come to all copies.
    pub(super) const fn known(&self) -> usize {
        self.common.known
    }

    /// Copies that are not followed by themselves.
    fn alike_copies(&self) -> u64 {
        self.ground.reads.copies.saturating_sub(self.copies.len() as u64)
    }

    /// The first error of hardened storage that has not come to all copies.
    pub(super) fn unknown(&self) -> Option<Upset> {
        let of = self.hardened.get(self.common.known)?;
        let what = What::Hardened { word: of.word, mask: of.mask };
        Some(Upset { id: of.upset, time_s: of.time_s, device: 0, mode: u16::MAX, place: 0, what })
    }

    fn replicas(&self) -> std::ops::Range<u8> {
        0..u8::try_from(self.terms.layout.replica_count()).unwrap_or(3)
    }

    /// Blocks as hardened storage has them with its first `known` errors, as valid code words.
    fn stored(&self, known: usize) -> BTreeMap<u32, Block> {
        let mut blocks: BTreeMap<u32, Block> = BTreeMap::new();
        if known == 0 {
            return blocks;
        }
        let words = self.terms.layout.block_words;
        for of in &self.hardened[..known] {
            let block = blocks.entry(of.word / words).or_insert_with(|| Block::clean(words));
            block.0[(of.word % words) as usize] ^= of.mask;
        }
        if let Some(code) = self.terms.layout.code {
            blocks.values_mut().for_each(|block| block.encode(code));
        }
        blocks.retain(|_, block| !block.is_clean());
        blocks
    }

    /// Writes the places that are asked for from hardened storage, over one copy.
    pub(super) fn write_stored(&mut self, at: u64, written: impl Fn(u8, u32) -> bool) {
        let (stored, replicas) = (self.stored(self.hardened.len()), self.replicas());
        let Some(copy) = self.copies.get_mut(&at) else { return };
        copy.blocks.retain(|(replica, block), _| !written(*replica, *block));
        copy.noted.retain(|(replica, block), _| !written(*replica, *block));
        for (block, of) in stored {
            for replica in replicas.clone().filter(|replica| written(*replica, block)) {
                copy.blocks.insert((replica, block), of.clone());
            }
        }
    }

    /// Counts what all copies alike answered up to `time_s`.
    pub(super) fn settle_common(&mut self, time_s: f64) {
        let reads = self.all_reads();
        let common = &mut self.common;
        if time_s <= common.since {
            return;
        }
        let run = reads.within(0, common.since, time_s);
        let taken = std::mem::take(&mut common.taken);
        common.since = time_s;
        let Some(rows) = &common.rows else { return };
        let mut tally = [0; 7];
        reads.tally(run, rows, &mut tally);
        for (sum, count) in common.outcomes.iter_mut().zip(tally) {
            *sum += signed(count);
        }
        let Some(episode) = &mut common.episode else { return };
        let span = (run.first, run.first + run.count);
        let first = |is: &dyn Fn(Outcome) -> bool| {
            let first = self.ground.reads.first_left(span, rows, &taken, |row| is(row.outcome()));
            first.map(|inference| reads.time_s(inference))
        };
        if episode.first_effect_s.is_none() {
            episode.first_effect_s = first(&|o| o >= Outcome::DueRecovered);
        }
        if episode.first_critical_s.is_none() {
            episode.first_critical_s = first(&|o| o == Outcome::CriticalSdc);
        }
    }

    /// Takes inferences that are counted by themselves from those of all copies alike.
    pub(super) fn take_from_common(&mut self, run: Run) {
        let reads = self.ground.reads;
        let Some(rows) = &self.common.rows else { return };
        let mut tally = [0; 7];
        reads.tally(run, rows, &mut tally);
        for (sum, count) in self.common.outcomes.iter_mut().zip(tally) {
            *sum -= signed(count);
        }
        self.common.taken.entry(run.first % reads.copies).or_default().push(run);
    }

    /// What an inference comes to that reads a copy as all are.
    pub(super) fn common_outcome(&self, inference: u64) -> Option<Outcome> {
        let input = usize::try_from(inference % self.ground.reads.inputs).ok()?;
        Some(self.common.rows_at(inference)?.get(input)?.outcome())
    }

    /// Takes an inference from all copies alike that was struck for worse.
    pub(super) fn take_one(&mut self, inference: u64, outcome: Outcome) {
        self.common.outcomes[outcome as usize] -= 1;
        let reads = self.ground.reads;
        let taken = self.common.taken.entry(inference % reads.copies).or_default();
        taken.push(Run { first: inference, count: 1 });
        if let Some(episode) = &mut self.common.episode {
            // It is the latest that was counted: what comes first comes later.
            let other = |first: Option<f64>| first.filter(|at| *at != reads.time_s(inference));
            episode.first_effect_s = other(episode.first_effect_s);
            episode.first_critical_s = other(episode.first_critical_s);
        }
    }

    /// A reset loads all memory, or one replica of it; inferences are counted again from `from_s` on.
    pub(super) fn reset_common(&mut self, time_s: f64, from_s: f64, replica: Option<u8>) {
        let all = self.hardened.len();
        let known = if replica.is_none() { all } else { self.common.known };
        let mut blocks = self.common.blocks.clone();
        blocks.retain(|(of, _), _| replica.is_some_and(|replica| *of != replica));
        for (block, of) in self.stored(all) {
            for of_replica in self.replicas().filter(|of| replica.is_none_or(|r| r == *of)) {
                blocks.insert((of_replica, block), of.clone());
            }
        }
        self.set_common(time_s, from_s, (blocks, known), Ended::Reset);
    }

    /// All copies alike hold these blocks from now on. Everything must be counted up to `time_s`.
    fn set_common(
        &mut self,
        time_s: f64,
        from_s: f64,
        (blocks, known): (Blocks, usize),
        ended: Ended,
    ) {
        self.settle_common(time_s);
        let first = self.hardened.get(self.common.known).or(self.hardened.last()).copied();
        let upsets = u32::try_from(known.saturating_sub(self.common.known)).unwrap_or(u32::MAX);
        self.common.known = known.max(self.common.known);
        self.common.since = self.common.since.max(from_s);
        self.common.version += 1;
        if blocks == self.common.blocks {
            self.plan_common();
            return;
        }
        let rows = if blocks.is_empty() { None } else { Some(self.terms.reader.read(&blocks)) };
        self.common.read = rows.unwrap_or_default();
        let rows = rows.and_then(|read| self.rows_of(read, &blocks));
        let former = std::mem::replace(&mut self.common.rows, rows);
        self.common.former = (former, self.ground.reads.before(time_s));
        self.common.blocks = blocks;
        if let (Some(first), false) = (first, self.common.blocks.is_empty()) {
            let episode = self.common.episode.get_or_insert(Episode {
                cause: Cause::Memory,
                upset: first.upset,
                upsets: 0,
                copy: u64::MAX,
                start_s: first.time_s,
                first_effect_s: None,
                first_critical_s: None,
                end_s: time_s,
                ended: Ended::Mission,
                outcomes: [0; 7],
            });
            episode.upsets = (episode.upsets + upsets).max(1);
        }
        if self.ground.keep_changes {
            let masks = self.common.blocks.values().flat_map(|block| &block.0);
            let words = masks.filter(|mask| **mask != 0).count() as u64 * self.alike_copies();
            self.result.changes.push(Change {
                time_s,
                copy: u64::MAX,
                upset: u32::MAX,
                ended: self.common.blocks.is_empty().then_some(ended),
                words: u32::try_from(words).unwrap_or(u32::MAX),
            });
        }
        if self.common.blocks.is_empty() {
            self.close_common(time_s, ended);
        }
        self.plan_common();
    }

    /// Ends the episode of all copies alike.
    pub(super) fn close_common(&mut self, time_s: f64, ended: Ended) {
        self.settle_common(time_s);
        let Some(mut episode) = self.common.episode.take() else { return };
        let outcomes = std::mem::take(&mut self.common.outcomes);
        episode.outcomes = outcomes.map(|count| u64::try_from(count).unwrap_or(0));
        (episode.end_s, episode.ended) = (time_s, ended);
        let lost = [Outcome::DueRecovered, Outcome::Due, Outcome::Hang];
        if self.terms.reader.scheme.on_due == OnDue::Reload {
            self.result.reloads += lost.map(|outcome| episode.count(outcome)).iter().sum::<u64>();
        }
        self.keep(episode);
    }

    /// Asks for what changes all copies alike.
    fn plan_common(&mut self) {
        let reads = self.all_reads();
        let Some(rows) = &self.common.rows else { return };
        let (version, since) = (self.common.version, self.common.since);
        let scheme = &self.terms.reader.scheme;
        let run = reads.within(0, since, self.ground.horizon_s);
        let lost = |row: InferenceRow| matches!(row.outcome(), Outcome::Due | Outcome::Hang);
        let reset = reads.find(run, rows, lost).filter(|_| scheme.on_due == OnDue::Reset);
        let writes = scheme.writes_back() && self.common.read.alarm;
        let reloads = |row: InferenceRow| {
            row.outcome() == Outcome::DueRecovered || lost(row) && scheme.on_due == OnDue::Reload
        };
        let acts = writes || reads.find(run, rows, reloads).is_some();
        if let Some(k) = reset {
            let inference = run.first + k;
            let action = Action::Alike(Alike::Due { version, inference });
            self.at(reads.time_s(inference), u64::MAX, action);
        } else if acts {
            let round_s = self.ground.reads.copies as f64 / reads.per_s;
            self.at(since + round_s, u64::MAX, Action::Alike(Alike::Read { version }));
        }
        if let Some((patrol, ScrubBy::Vote)) = &self.patrol {
            let when = mean_next(patrol, since);
            self.at(when, u64::MAX, Action::Alike(Alike::Visit { version }));
        }
    }

    /// What is due for all copies alike.
    pub(super) fn alike(&mut self, due: Due, what: Alike) {
        let stale = match what {
            Alike::Spread { known } => known <= self.common.known,
            Alike::Visit { version } | Alike::Read { version } | Alike::Due { version, .. } => {
                version != self.common.version
            }
        };
        if stale {
            return;
        }
        let reader = &self.terms.reader;
        let mut blocks = self.common.blocks.clone();
        let (mut known, mut ended) = (self.common.known, Ended::Scrub);
        match what {
            Alike::Spread { known: more } => {
                known = more;
                blocks = self.everywhere(known);
            }
            Alike::Visit { .. } => {
                let repaired = reader.repair_by_vote(&mut blocks, None);
                self.result.scrub_repaired += repaired * self.alike_copies();
            }
            Alike::Read { .. } if reader.scheme.writes_back() && self.common.read.alarm => {
                let (mut repaired, _) = reader.repair_by_code(&mut blocks, None);
                if reader.scheme.votes_reads() {
                    repaired += reader.repair_by_vote(&mut blocks, None);
                }
                self.result.read_repaired += repaired * self.alike_copies();
                ended = Ended::Read;
            }
            Alike::Read { .. } => {
                known = self.hardened.len();
                blocks = self.everywhere(known);
                ended = Ended::Reload;
            }
            Alike::Due { inference, version } => {
                if !self.copies.contains_key(&(inference % self.ground.reads.copies)) {
                    self.away(self.ground.reads.after_s(inference), Why::Due, None);
                } else if let Some(inference) = self.next_lost(inference) {
                    let action = Action::Alike(Alike::Due { version, inference });
                    self.at(self.ground.reads.time_s(inference), u64::MAX, action);
                }
                return;
            }
        }
        state::forget_clean(&mut blocks);
        if blocks == self.common.blocks {
            self.common.known = known;
            return;
        }
        let open: Vec<u64> = self.copies.keys().copied().collect();
        for at in &open {
            self.settle(*at, due.time_s);
        }
        self.set_common(due.time_s, due.time_s, (blocks, known), ended);
        for at in open {
            self.changed(at, due.time_s, u32::MAX, ended);
        }
    }

    /// The next inference after this one that is a DUE where its copy is as all are.
    fn next_lost(&self, inference: u64) -> Option<u64> {
        let reads = self.all_reads();
        let run = reads.within(0, reads.after_s(inference), self.ground.horizon_s);
        let lost = |row: InferenceRow| matches!(row.outcome(), Outcome::Due | Outcome::Hang);
        Some(run.first + reads.find(run, self.common.rows.as_ref()?, lost)?)
    }

    /// The blocks of hardened storage in every replica.
    fn everywhere(&self, known: usize) -> Blocks {
        let stored = self.stored(known);
        let of = |replica| stored.iter().map(move |(at, of)| ((replica, *at), of.clone()));
        self.replicas().flat_map(of).collect()
    }
}

/// When a patrol that begins to count at `time_s` has passed the blocks, on the mean over memory.
fn mean_next(patrol: &Patrol, time_s: f64) -> f64 {
    match patrol {
        Patrol::Periodic(period_s) => time_s + 0.5 * period_s,
        Patrol::Random(mean_s) => time_s + mean_s,
        Patrol::Adaptive { .. } => patrol.when(patrol.passes(time_s) + 0.5).max(time_s),
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
