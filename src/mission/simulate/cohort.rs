//! The cohort: all copies that are alike, followed as one.
//!
//! The cohort is golden until a reload from struck hardened storage. A reload scrub and a reset
//! rewrite every word, so that an error in hardened storage comes to every copy, and the cohort then
//! holds it. The cohort's inferences are all those asked for, less those of the tracked copies.

use super::super::loss::Why;
use super::super::patrol::Patrol;
use super::super::reads::{InferenceRun, Reads};
use super::super::record::{COHORT, Cause, Change, Episode, Restored, Upset, What};
use super::{Action, Due, Simulation};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::memory::{Block, Blocks, Read, forget_clean};
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

/// All copies that are not tracked.
#[derive(Debug, Default)]
pub(super) struct Cohort {
    /// What differs from golden in each of its copies.
    pub(super) blocks: Blocks,
    read: Read,
    rows: Option<Arc<[InferenceRow]>>,
    /// The rows before the latest change, and the first inference after it.
    former: (Option<Arc<[InferenceRow]>>, u64),
    /// Errors of hardened storage that it holds.
    known: usize,
    /// Inferences up to here are counted.
    since: f64,
    version: u32,
    episode: Option<Episode>,
    /// By copy, the inferences since the latest count that are not the cohort's.
    taken: BTreeMap<u64, Vec<InferenceRun>>,
    /// Its inferences by outcome; below 0 while only those that are not its own have been taken off.
    outcomes: [i64; 7],
}

/// What becomes due for the cohort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CohortChange {
    /// A reload scrub has brought so many errors of hardened storage.
    Spread { known: usize },
    /// A scrub by vote has passed.
    Visit { version: u32 },
    /// Every copy has been read once, and the read changes memory.
    Read { version: u32 },
    /// A read is a DUE, and the device is reset after it.
    Due { version: u32, inference: u64 },
}

impl Cohort {
    fn rows_at(&self, inference: u64) -> Option<&Arc<[InferenceRow]>> {
        if inference < self.former.1 { self.former.0.as_ref() } else { self.rows.as_ref() }
    }
}

impl Simulation<'_> {
    /// All inferences in their order, whichever copy they read.
    fn all_reads(&self) -> Reads {
        Reads { copies: 1, ..self.ground.reads }
    }

    /// A bit of hardened storage flips.
    pub(super) fn hardened_upset(&mut self, upset: &Upset, word: u32, mask: u32) {
        let Upset { id, time_s, .. } = *upset;
        self.hardened.push(HardenedError { word, mask, upset: id, time_s });
        let Some((patrol, ScrubBy::Reload)) = &self.patrol else { return };
        let (when, known) = (mean_next(patrol, time_s), self.hardened.len());
        self.at(when, COHORT, Action::Cohort(CohortChange::Spread { known }));
        for copy in self.tracked_copies() {
            self.plan_spread(copy, time_s, known - 1);
        }
    }

    /// Asks for the passes of a reload scrub that bring a tracked copy the errors of hardened storage
    /// from `first` on.
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

    /// Errors of hardened storage that the cohort holds.
    pub(super) const fn cohort_errors(&self) -> usize {
        self.cohort.known
    }

    /// Copies in the cohort.
    fn cohort_size(&self) -> u64 {
        self.ground.reads.copies.saturating_sub(self.tracked.len() as u64)
    }

    /// The first error of hardened storage that the cohort does not hold yet.
    pub(super) fn error_beyond_cohort(&self) -> Option<Upset> {
        let of = self.hardened.get(self.cohort.known)?;
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

    /// Writes the places that are asked for from hardened storage over a tracked copy.
    pub(super) fn write_stored(&mut self, at: u64, written: impl Fn(u8, u32) -> bool) {
        let (stored, replicas) = (self.stored(self.hardened.len()), self.replicas());
        let Some(copy) = self.tracked.get_mut(&at) else { return };
        copy.blocks.retain(|(replica, block), _| !written(*replica, *block));
        copy.noted.retain(|(replica, block), _| !written(*replica, *block));
        for (block, of) in stored {
            for replica in replicas.clone().filter(|replica| written(*replica, block)) {
                copy.blocks.insert((replica, block), of.clone());
            }
        }
    }

    /// Counts the cohort's inferences up to `time_s`.
    pub(super) fn settle_cohort(&mut self, time_s: f64) {
        let reads = self.all_reads();
        let cohort = &mut self.cohort;
        if time_s <= cohort.since {
            return;
        }
        let run = reads.within(0, cohort.since, time_s);
        let taken = std::mem::take(&mut cohort.taken);
        cohort.since = time_s;
        let Some(rows) = &cohort.rows else { return };
        let mut tally = [0; 7];
        reads.tally(run, rows, &mut tally);
        for (sum, count) in cohort.outcomes.iter_mut().zip(tally) {
            *sum += signed(count);
        }
        let Some(episode) = &mut cohort.episode else { return };
        let span = (run.first, run.first + run.count);
        episode.note_firsts(|is| {
            let first = self.ground.reads.first_left(span, rows, &taken, |row| is(row.outcome()));
            first.map(|inference| reads.time_s(inference))
        });
    }

    /// Takes the inferences of a tracked copy off the cohort's.
    pub(super) fn take_from_cohort(&mut self, run: InferenceRun) {
        let reads = self.ground.reads;
        let Some(rows) = &self.cohort.rows else { return };
        let mut tally = [0; 7];
        reads.tally(run, rows, &mut tally);
        for (sum, count) in self.cohort.outcomes.iter_mut().zip(tally) {
            *sum -= signed(count);
        }
        self.cohort.taken.entry(run.first % reads.copies).or_default().push(run);
    }

    /// What an inference comes to that reads a copy of the cohort.
    pub(super) fn cohort_outcome(&self, inference: u64) -> Option<Outcome> {
        let input = usize::try_from(inference % self.ground.reads.inputs).ok()?;
        Some(self.cohort.rows_at(inference)?.get(input)?.outcome())
    }

    /// Takes one inference off the cohort's: a strike on it alone came to worse.
    pub(super) fn take_one_from_cohort(&mut self, inference: u64, outcome: Outcome) {
        self.cohort.outcomes[outcome as usize] -= 1;
        let reads = self.ground.reads;
        let taken = self.cohort.taken.entry(inference % reads.copies).or_default();
        taken.push(InferenceRun { first: inference, count: 1 });
        if let Some(episode) = &mut self.cohort.episode {
            // It is the latest that was counted: what comes first comes later.
            let other = |first: Option<f64>| first.filter(|at| *at != reads.time_s(inference));
            episode.first_effect_s = other(episode.first_effect_s);
            episode.first_critical_s = other(episode.first_critical_s);
        }
    }

    /// A reset loads the cohort anew, or one replica of it; its inferences count again from `from_s`
    /// on.
    pub(super) fn reset_cohort(&mut self, time_s: f64, from_s: f64, replica: Option<u8>) {
        let all = self.hardened.len();
        let known = if replica.is_none() { all } else { self.cohort.known };
        let mut blocks = self.cohort.blocks.clone();
        blocks.retain(|(of, _), _| replica.is_some_and(|replica| *of != replica));
        for (block, of) in self.stored(all) {
            for of_replica in self.replicas().filter(|of| replica.is_none_or(|r| r == *of)) {
                blocks.insert((of_replica, block), of.clone());
            }
        }
        self.set_cohort(time_s, from_s, (blocks, known), Restored::Reset);
    }

    /// The cohort holds these blocks from now on. Tracked copies must be counted up to `time_s`.
    fn set_cohort(
        &mut self,
        time_s: f64,
        from_s: f64,
        (blocks, known): (Blocks, usize),
        ended: Restored,
    ) {
        self.settle_cohort(time_s);
        let first = self.hardened.get(self.cohort.known).or(self.hardened.last()).copied();
        let upsets = u32::try_from(known.saturating_sub(self.cohort.known)).unwrap_or(u32::MAX);
        self.cohort.known = known.max(self.cohort.known);
        self.cohort.since = self.cohort.since.max(from_s);
        self.cohort.version += 1;
        if blocks == self.cohort.blocks {
            self.plan_cohort();
            return;
        }
        let rows = if blocks.is_empty() { None } else { Some(self.terms.reader.read(&blocks)) };
        self.cohort.read = rows.unwrap_or_default();
        let rows = rows.and_then(|read| self.rows_of(read, &blocks));
        let former = std::mem::replace(&mut self.cohort.rows, rows);
        self.cohort.former = (former, self.ground.reads.before(time_s));
        self.cohort.blocks = blocks;
        if let (Some(first), false) = (first, self.cohort.blocks.is_empty()) {
            let begun = Episode::new(Cause::Memory, first.upset, COHORT, first.time_s);
            let episode = self.cohort.episode.get_or_insert(begun);
            episode.upsets = (episode.upsets + upsets).max(1);
        }
        if self.ground.keep_changes {
            let masks = self.cohort.blocks.values().flat_map(|block| &block.0);
            let words = masks.filter(|mask| **mask != 0).count() as u64 * self.cohort_size();
            self.result.changes.push(Change {
                time_s,
                copy: COHORT,
                upset: u32::MAX,
                ended: self.cohort.blocks.is_empty().then_some(ended),
                words: u32::try_from(words).unwrap_or(u32::MAX),
            });
        }
        if self.cohort.blocks.is_empty() {
            self.close_cohort(time_s, ended);
        }
        self.plan_cohort();
    }

    /// Ends the cohort's episode.
    pub(super) fn close_cohort(&mut self, time_s: f64, ended: Restored) {
        self.settle_cohort(time_s);
        let Some(mut episode) = self.cohort.episode.take() else { return };
        let outcomes = std::mem::take(&mut self.cohort.outcomes);
        episode.outcomes = outcomes.map(|count| u64::try_from(count).unwrap_or(0));
        (episode.end_s, episode.ended) = (time_s, ended);
        let lost = [Outcome::DueRecovered, Outcome::Due, Outcome::Hang];
        if self.terms.reader.scheme.on_due == OnDue::Reload {
            self.result.reloads += lost.map(|outcome| episode.count(outcome)).iter().sum::<u64>();
        }
        self.keep(episode);
    }

    /// Asks for what changes the cohort.
    fn plan_cohort(&mut self) {
        let reads = self.all_reads();
        let Some(rows) = &self.cohort.rows else { return };
        let (version, since) = (self.cohort.version, self.cohort.since);
        let scheme = &self.terms.reader.scheme;
        let run = reads.within(0, since, self.ground.horizon_s);
        let lost = |row: InferenceRow| matches!(row.outcome(), Outcome::Due | Outcome::Hang);
        let reset = reads.find(run, rows, lost).filter(|_| scheme.on_due == OnDue::Reset);
        let writes = scheme.writes_back() && self.cohort.read.alarm;
        let reloads = |row: InferenceRow| {
            row.outcome() == Outcome::DueRecovered || lost(row) && scheme.on_due == OnDue::Reload
        };
        let acts = writes || reads.find(run, rows, reloads).is_some();
        if let Some(k) = reset {
            let inference = run.first + k;
            let action = Action::Cohort(CohortChange::Due { version, inference });
            self.at(reads.time_s(inference), COHORT, action);
        } else if acts {
            let round_s = self.ground.reads.copies as f64 / reads.per_s;
            self.at(since + round_s, COHORT, Action::Cohort(CohortChange::Read { version }));
        }
        if let Some((patrol, ScrubBy::Vote)) = &self.patrol {
            let when = mean_next(patrol, since);
            self.at(when, COHORT, Action::Cohort(CohortChange::Visit { version }));
        }
    }

    /// What is due for the cohort happens.
    pub(super) fn change_cohort(&mut self, due: Due, what: CohortChange) {
        let stale = match what {
            CohortChange::Spread { known } => known <= self.cohort.known,
            CohortChange::Visit { version }
            | CohortChange::Read { version }
            | CohortChange::Due { version, .. } => version != self.cohort.version,
        };
        if stale {
            return;
        }
        let reader = &self.terms.reader;
        let mut blocks = self.cohort.blocks.clone();
        let (mut known, mut ended) = (self.cohort.known, Restored::Scrub);
        match what {
            CohortChange::Spread { known: more } => {
                known = more;
                blocks = self.everywhere(known);
            }
            CohortChange::Visit { .. } => {
                let repaired = u64::from(reader.vote(&mut blocks, None, |_, _, _| ()));
                self.result.scrub_repaired += repaired * self.cohort_size();
            }
            CohortChange::Read { .. } if reader.scheme.writes_back() && self.cohort.read.alarm => {
                let repaired = u64::from(reader.put_right(&mut blocks));
                self.result.read_repaired += repaired * self.cohort_size();
                ended = Restored::Read;
            }
            CohortChange::Read { .. } => {
                known = self.hardened.len();
                blocks = self.everywhere(known);
                ended = Restored::Reload;
            }
            CohortChange::Due { inference, version } => {
                if !self.tracked.contains_key(&(inference % self.ground.reads.copies)) {
                    self.away(self.ground.reads.after_s(inference), Why::Due, None);
                } else if let Some(inference) = self.next_lost(inference) {
                    let action = Action::Cohort(CohortChange::Due { version, inference });
                    self.at(self.ground.reads.time_s(inference), COHORT, action);
                }
                return;
            }
        }
        forget_clean(&mut blocks);
        if blocks == self.cohort.blocks {
            self.cohort.known = known;
            return;
        }
        let tracked = self.tracked_copies();
        for at in &tracked {
            self.settle(*at, due.time_s);
        }
        self.set_cohort(due.time_s, due.time_s, (blocks, known), ended);
        for at in tracked {
            self.changed(at, due.time_s, u32::MAX, ended);
        }
    }

    /// The next inference after this one that is a DUE where it reads the cohort.
    fn next_lost(&self, inference: u64) -> Option<u64> {
        let reads = self.all_reads();
        let run = reads.within(0, reads.after_s(inference), self.ground.horizon_s);
        let lost = |row: InferenceRow| matches!(row.outcome(), Outcome::Due | Outcome::Hang);
        Some(run.first + reads.find(run, self.cohort.rows.as_ref()?, lost)?)
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
