//! One history under one scheme: time jumps from upset to scrub to the next read that acts.
//!
//! Copies that equal golden cost nothing. A copy that differs is read when its state changes: what
//! its inferences come to is asked once for each state and counts for all of them until the next
//! change. What a voter or decoder sees is decided here by the codes' own references
//! ([`super::state`]); what the workload makes of a state comes from [`Rows`], which runs it on the
//! GPU.

use super::layout::{SchemeLayout, Site, Tenant};
use super::patrol::Patrol;
use super::reads::{Reads, Run};
use super::record::{Cause, Change, Ended, Episode, SchemeHistory, Upset, What};
use super::state::{self, Block, Blocks, Read, Reader, State};
use super::value::Values;
use crate::device::{
    AddressMap, AntiRows, Hit, Memory, Persistence, Polarity, RasAction, RasState, apply,
};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::{OnDue, Placement, Protection, ScrubBy};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// What becomes of every input in a faulty state.
pub trait Rows {
    /// The rows of all inputs under a scheme (its place among the schemes); `None` where they are
    /// not known yet, which makes the history provisional.
    fn rows(&mut self, scheme: usize, state: &State) -> Option<Arc<[InferenceRow]>>;
}

/// What all schemes of a mission share.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Seconds of flight.
    pub horizon_s: f64,
    /// The order of inferences.
    pub reads: Reads,
    /// The share of the time between inferences that one execution takes.
    pub duty: f64,
    /// How long a reset of the device takes.
    pub reset_s: f64,
    /// How long a restart of the host takes.
    pub host_reset_s: f64,
    /// The memory of one device.
    pub memory: Arc<Memory>,
    /// How its addresses map.
    pub map: AddressMap,
    /// By mode: which way its strikes change a bit.
    pub polarity: Vec<(Polarity, AntiRows)>,
    /// Golden words of a copy, padded with zeros.
    pub golden: Arc<[u32]>,
    /// The values of the ops.
    pub values: Values,
    /// Whether changes of state are kept.
    pub keep_changes: bool,
}

/// What one scheme needs.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Its place among the schemes.
    pub index: usize,
    /// How it reads.
    pub reader: Reader,
    /// Where its memory lies.
    pub layout: SchemeLayout,
    /// Its scrub.
    pub patrol: Option<(Patrol, ScrubBy)>,
    /// Golden check words of a copy.
    pub checks: Vec<u32>,
}

/// A stuck or weak bit.
#[derive(Clone, Debug)]
struct Hard {
    replica: u8,
    block: u32,
    /// The word of the block.
    word: usize,
    /// The bits.
    mask: u32,
    retention_s: f64,
}

/// A copy that differs from golden.
#[derive(Debug)]
struct Copy {
    blocks: Blocks,
    read: Read,
    rows: Option<Arc<[InferenceRow]>>,
    /// Inferences up to here are counted.
    since: f64,
    version: u32,
    episode: Episode,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    /// The patrol reaches a block.
    Visit { replica: u8, block: u32 },
    /// A read whose outcome changes memory.
    Read { version: u32 },
    /// A weak cell loses its charge again.
    Weak { hard: usize },
}

/// A time in the queue; equal times keep the order in which they were asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Due {
    time_s: f64,
    order: u64,
    copy: u64,
    action: Action,
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.time_s.total_cmp(&other.time_s).then(self.order.cmp(&other.order))
    }
}

/// One history under one scheme as it goes.
pub(super) struct Simulation<'a> {
    pub(super) ground: &'a Ground,
    pub(super) terms: &'a Terms,
    rows: &'a mut dyn Rows,
    copies: BTreeMap<u64, Copy>,
    queue: BinaryHeap<Reverse<Due>>,
    order: u64,
    hard: BTreeMap<u64, Vec<Hard>>,
    hardened: Vec<(u32, u32)>,
    ras: Vec<RasState>,
    /// The service is away until then.
    away_until: f64,
    pub(super) result: SchemeHistory,
}

/// Runs the upsets of a history, in the order of time, under one scheme.
pub fn simulate(
    ground: &Ground,
    terms: &Terms,
    upsets: &[Upset],
    rows: &mut dyn Rows,
) -> SchemeHistory {
    let ras = vec![RasState::new(&ground.memory); terms.layout.devices as usize];
    let mut simulation = Simulation {
        ground,
        terms,
        rows,
        copies: BTreeMap::new(),
        queue: BinaryHeap::new(),
        order: 0,
        hard: BTreeMap::new(),
        hardened: Vec::new(),
        ras,
        away_until: 0.0,
        result: SchemeHistory::default(),
    };
    for upset in upsets.iter().take_while(|upset| upset.time_s < ground.horizon_s) {
        simulation.until(upset.time_s);
        simulation.upset(upset);
    }
    simulation.until(ground.horizon_s);
    simulation.finish()
}

impl Simulation<'_> {
    /// Everything that is due before `time_s`.
    fn until(&mut self, time_s: f64) {
        while let Some(Reverse(due)) = self.queue.peek().copied().filter(|d| d.0.time_s < time_s) {
            self.queue.pop();
            match due.action {
                Action::Visit { replica, block } => self.visit(due, replica, block),
                Action::Read { version } => self.acting_read(due, version),
                Action::Weak { hard } => self.weak(due, hard),
            }
        }
    }

    /// The service is away until then.
    pub(super) const fn away_until(&self) -> f64 {
        self.away_until
    }

    /// Whether a copy differs from golden.
    pub(super) fn is_open(&self, copy: u64) -> bool {
        self.copies.contains_key(&copy)
    }

    /// The rows of a state under this scheme, where they are known.
    pub(super) fn ask(&mut self, state: &State) -> Option<Arc<[InferenceRow]>> {
        self.rows.rows(self.terms.index, state)
    }

    fn at(&mut self, time_s: f64, copy: u64, action: Action) {
        if time_s < self.ground.horizon_s {
            self.order += 1;
            self.queue.push(Reverse(Due { time_s, order: self.order, copy, action }));
        }
    }

    fn upset(&mut self, upset: &Upset) {
        match &upset.what {
            What::Memory(hit) => self.memory_upset(upset, hit),
            What::Uncorrectable { entry } => self.reported(upset, *entry),
            What::LogicSdc => self.logic(upset),
            What::Sefi | What::Sel => self.interrupt(upset),
            What::Host => {
                self.result.host_resets += 1;
                self.away(upset.time_s, self.ground.host_reset_s);
            }
            What::Scrubber { bit } => self.scrubber_upset(upset, *bit),
            What::Hardened { word, mask } => self.hardened.push((*word, *mask)),
        }
    }

    fn memory_upset(&mut self, upset: &Upset, hit: &Hit) {
        let time_s = upset.time_s;
        let polarity = self.ground.polarity.get(usize::from(upset.mode));
        let (polarity, anti_rows) = polarity.copied().unwrap_or_default();
        let mut touched: BTreeMap<u64, Vec<(Site, u32, bool)>> = BTreeMap::new();
        let mut tenants = [false; Tenant::ALL.len()];
        let mut values: BTreeMap<u64, [u32; 9]> = BTreeMap::new();
        for strike in &hit.strikes {
            let layout = &self.terms.layout;
            let row = self.ground.memory.locate(strike.entry, self.ground.map).map(|at| at.row);
            let anti = row.is_some_and(|row| anti_rows.is_anti(row));
            for (word, mask) in strike.mask.iter().enumerate().filter(|(_, mask)| **mask != 0) {
                match layout.site(upset.device, strike.entry, word) {
                    Some(site @ (Site::Data { copy, .. } | Site::Check { copy, .. })) => {
                        touched.entry(copy).or_default().push((site, *mask, anti));
                        tenants[Tenant::Weights as usize] = true;
                    }
                    Some(Site::KvCache) => tenants[Tenant::KvCache as usize] = true,
                    Some(Site::Activations(_)) => {
                        tenants[Tenant::Activations as usize] = true;
                        values.insert(strike.entry, strike.mask);
                    }
                    Some(Site::Unused) => tenants[Tenant::Unused as usize] = true,
                    None => {}
                }
            }
        }
        for (entry, masks) in values {
            self.value_upset(upset, entry, masks);
        }
        self.count_tenants(upset, hit, &touched, tenants);
        for (copy, sites) in touched {
            self.open(copy, upset);
            let mut changed = Vec::new();
            for (site, mask, anti) in sites {
                let (replica, block, word) = self.place(site);
                let present = self.present(copy, replica, block, word);
                let mut after = apply(polarity, anti, present, mask);
                if let Site::Check { .. } = site {
                    let stored = self.terms.layout.code.map_or(0, |code| code.check_mask());
                    after = present ^ ((present ^ after) & stored);
                }
                self.flip(copy, replica, block, word, present ^ after);
                let retention_s = match hit.persistence {
                    Persistence::Transient => None,
                    Persistence::Stuck => Some(0.0),
                    Persistence::Weak { retention_s } => Some(retention_s),
                };
                if let Some(retention_s) = retention_s {
                    let mask = (self.golden(block, word) ^ after) & mask;
                    let hard = Hard { replica, block, word, mask, retention_s };
                    self.hard.entry(copy).or_default().push(hard);
                }
                changed.push((replica, block));
            }
            changed.sort_unstable();
            changed.dedup();
            self.plan_visits(copy, time_s, &changed);
            self.changed(copy, time_s, upset.id, Ended::Upset);
        }
    }

    /// The replica, block and word of the block of a site of weights.
    fn place(&self, site: Site) -> (u8, u32, usize) {
        let words = self.terms.layout.block_words;
        match site {
            Site::Data { replica, word, .. } => (replica, word / words, (word % words) as usize),
            Site::Check { replica, block, .. } => (replica, block, words as usize),
            _ => (0, 0, 0),
        }
    }

    fn golden(&self, block: u32, word: usize) -> u32 {
        let words = self.terms.layout.block_words as usize;
        if word == words {
            self.terms.checks.get(block as usize).copied().unwrap_or(0)
        } else {
            self.ground.golden[block as usize * words + word]
        }
    }

    fn present(&self, copy: u64, replica: u8, block: u32, word: usize) -> u32 {
        let differs = self
            .copies
            .get(&copy)
            .and_then(|copy| copy.blocks.get(&(replica, block)))
            .map_or(0, |block| block.0[word]);
        self.golden(block, word) ^ differs
    }

    fn flip(&mut self, copy: u64, replica: u8, block: u32, word: usize, mask: u32) {
        let words = self.terms.layout.block_words;
        if let Some(copy) = self.copies.get_mut(&copy) {
            let block = copy.blocks.entry((replica, block)).or_insert_with(|| Block::clean(words));
            block.0[word] ^= mask;
        }
    }

    /// Begins an episode of a copy, or counts an upset to the one that lasts.
    fn open(&mut self, copy: u64, upset: &Upset) {
        self.settle(copy, upset.time_s);
        let since = upset.time_s.max(self.away_until);
        let entry = self.copies.entry(copy).or_insert_with(|| Copy {
            blocks: Blocks::new(),
            read: Read::default(),
            rows: None,
            since,
            version: 0,
            episode: Episode {
                cause: Cause::Memory,
                upset: upset.id,
                upsets: 0,
                copy,
                start_s: upset.time_s,
                first_effect_s: None,
                first_critical_s: None,
                end_s: upset.time_s,
                ended: Ended::Mission,
                outcomes: [0; 7],
            },
        });
        entry.episode.upsets += 1;
    }

    /// Asks for the next pass of the patrol over these blocks.
    fn plan_visits(&mut self, copy: u64, time_s: f64, blocks: &[(u8, u32)]) {
        let Some((patrol, by)) = &self.terms.patrol else { return };
        let visits: Vec<(f64, u8, u32)> = blocks
            .iter()
            .map(|(replica, block)| {
                let replica = if *by == ScrubBy::Vote { 0 } else { *replica };
                let share = self.share(*by, replica, copy, *block);
                (patrol.next(time_s, share), replica, *block)
            })
            .collect();
        for (when, replica, block) in visits {
            self.at(when, copy, Action::Visit { replica, block });
        }
    }

    /// Where in its pass the patrol meets a block: a scrub by vote reads all replicas at once, the
    /// others one replica after another.
    fn share(&self, by: ScrubBy, replica: u8, copy: u64, block: u32) -> f64 {
        let layout = &self.terms.layout;
        let words = copy * u64::from(layout.tiling.copy_words)
            + u64::from(block) * u64::from(layout.block_words);
        let within =
            words as f64 / (layout.tiling.copies * u64::from(layout.tiling.copy_words)) as f64;
        match by {
            ScrubBy::Vote => within,
            _ => (f64::from(replica) + within) / layout.replica_count() as f64,
        }
    }

    fn visit(&mut self, due: Due, replica: u8, block: u32) {
        let Some((_, by)) = &self.terms.patrol else { return };
        let by = *by;
        self.settle(due.copy, due.time_s);
        let reader = &self.terms.reader;
        let Some(copy) = self.copies.get_mut(&due.copy) else { return };
        let before = copy.blocks.clone();
        let mut uncorrectable = 0;
        match by {
            ScrubBy::Ecc => {
                let (_, left) = reader.repair_by_code(&mut copy.blocks, Some((replica, block)));
                uncorrectable = left;
            }
            ScrubBy::Vote => {
                reader.repair_by_vote(&mut copy.blocks, Some(block));
            }
            ScrubBy::Reload => {
                copy.blocks.remove(&(replica, block));
            }
        }
        if by == ScrubBy::Reload {
            self.reload_errors(due.copy, Some((replica, block)));
        }
        self.assert_hard(due, replica, block, by);
        let Some(copy) = self.copies.get_mut(&due.copy) else { return };
        state::forget_clean(&mut copy.blocks);
        self.result.scrub_uncorrectable += uncorrectable;
        if copy.blocks == before {
            return;
        }
        self.result.scrub_repaired += 1;
        if uncorrectable > 0 {
            self.ras_uncorrectable(due.copy, replica, block);
        }
        self.changed(due.copy, due.time_s, u32::MAX, Ended::Scrub);
    }

    /// Stuck cells assert themselves after a write; weak ones lose their charge later.
    fn assert_hard(&mut self, due: Due, replica: u8, block: u32, by: ScrubBy) {
        let Some(hard) = self.hard.get(&due.copy) else { return };
        let written = |h: &Hard| h.block == block && (h.replica == replica || by == ScrubBy::Vote);
        let hard: Vec<(usize, Hard)> =
            hard.iter().cloned().enumerate().filter(|(_, h)| written(h)).collect();
        for (at, hard) in hard {
            if hard.retention_s > 0.0 {
                self.at(due.time_s + hard.retention_s, due.copy, Action::Weak { hard: at });
            } else {
                self.set_hard(due.copy, &hard);
            }
        }
    }

    fn set_hard(&mut self, copy: u64, hard: &Hard) {
        let words = self.terms.layout.block_words;
        if let Some(copy) = self.copies.get_mut(&copy) {
            let key = (hard.replica, hard.block);
            copy.blocks.entry(key).or_insert_with(|| Block::clean(words)).0[hard.word] |= hard.mask;
        }
    }

    fn weak(&mut self, due: Due, hard: usize) {
        let Some(hard) = self.hard.get(&due.copy).and_then(|all| all.get(hard)).cloned() else {
            return;
        };
        let upset = Upset {
            id: u32::MAX,
            time_s: due.time_s,
            device: 0,
            mode: u16::MAX,
            place: 0,
            what: What::LogicSdc,
        };
        self.open(due.copy, &upset);
        self.set_hard(due.copy, &hard);
        self.plan_visits(due.copy, due.time_s, &[(hard.replica, hard.block)]);
        self.changed(due.copy, due.time_s, u32::MAX, Ended::Upset);
    }

    /// Notes a new state of a copy: what its reads come to from now on, and the read that acts.
    fn changed(&mut self, at: u64, time_s: f64, upset: u32, ended: Ended) {
        let Some(copy) = self.copies.get_mut(&at) else { return };
        state::forget_clean(&mut copy.blocks);
        copy.version += 1;
        let version = copy.version;
        let words = copy.blocks.values().flat_map(|block| &block.0).filter(|mask| **mask != 0);
        let words = u32::try_from(words.count()).unwrap_or(u32::MAX);
        let clean = copy.blocks.is_empty();
        if self.ground.keep_changes {
            let ended = clean.then_some(ended);
            self.result.changes.push(Change { time_s, copy: at, upset, ended, words });
        }
        if clean {
            self.close(at, time_s, ended);
            return;
        }
        copy.read = self.terms.reader.read(&copy.blocks);
        copy.rows = match state::uniform(copy.read) {
            Some(outcome) => {
                let alarm = if copy.read.alarm { InferenceRow::ALARM } else { 0 };
                let row = InferenceRow(outcome as u32 | alarm);
                Some(vec![row; usize::try_from(self.ground.reads.inputs).unwrap_or(0)].into())
            }
            None => self
                .rows
                .rows(self.terms.index, &state::state(&copy.blocks, self.terms.reader.image_words)),
        };
        self.plan_read(at, version);
    }

    /// Asks for the first read that changes memory.
    fn plan_read(&mut self, at: u64, version: u32) {
        let Some(copy) = self.copies.get(&at) else { return };
        let Some(rows) = &copy.rows else { return };
        let reads = self.ground.reads;
        let run = reads.within(at, copy.since, self.ground.horizon_s);
        let scheme = &self.terms.reader.scheme;
        let writes_back = self.terms.reader.writes_back() && copy.read.alarm;
        let acts = |row: InferenceRow| match row.outcome() {
            Outcome::DueRecovered => true,
            Outcome::Due | Outcome::Hang => scheme.on_due != OnDue::Keep,
            _ => writes_back,
        };
        if let Some(k) = reads.find(run, rows, acts) {
            let when = reads.time_s(run.first + k * reads.copies);
            self.at(when, at, Action::Read { version });
        }
    }

    fn acting_read(&mut self, due: Due, version: u32) {
        let Some(copy) = self.copies.get(&due.copy) else { return };
        if copy.version != version {
            return;
        }
        let Some(rows) = copy.rows.clone() else { return };
        let reads = self.ground.reads;
        // The read itself is counted: inferences before the instant after it.
        let after = reads.time_s(reads.before(due.time_s) + 1) - 0.5 / reads.per_s;
        let run = reads.within(due.copy, due.time_s, after);
        self.settle(due.copy, after);
        let row = reads.find(Run { count: run.count.min(1), ..run }, &rows, |_| true);
        let input = usize::try_from(reads.input(run, row.unwrap_or(0))).unwrap_or(0);
        match rows[input].outcome() {
            Outcome::DueRecovered => self.reload(due.copy, after, true),
            Outcome::Due | Outcome::Hang => self.after_due(due.copy, after),
            _ => self.write_back(due.copy, after),
        }
    }

    fn after_due(&mut self, at: u64, time_s: f64) {
        if self.terms.reader.scheme.code.is_some() {
            let blocks: Vec<(u8, u32)> = self
                .copies
                .get(&at)
                .map(|c| c.blocks.keys().copied().collect())
                .unwrap_or_default();
            for (replica, block) in blocks {
                self.ras_uncorrectable(at, replica, block);
            }
        }
        match self.terms.reader.scheme.on_due {
            OnDue::Keep => {}
            OnDue::Reload => self.reload(at, time_s, true),
            OnDue::Reset => {
                self.result.resets += 1;
                self.away(time_s, self.ground.reset_s);
            }
        }
    }

    fn write_back(&mut self, at: u64, time_s: f64) {
        let reader = &self.terms.reader;
        let Some(copy) = self.copies.get_mut(&at) else { return };
        let before = copy.blocks.clone();
        let (mut repaired, _) = reader.repair_by_code(&mut copy.blocks, None);
        if reader.scheme.protection == Protection::TmrStorage {
            repaired += reader.repair_by_vote(&mut copy.blocks, None);
        }
        state::forget_clean(&mut copy.blocks);
        for hard in self.hard.get(&at).cloned().unwrap_or_default() {
            self.set_hard(at, &hard);
        }
        let Some(copy) = self.copies.get(&at) else { return };
        if copy.blocks == before {
            return;
        }
        self.result.read_repaired += repaired;
        self.changed(at, time_s, u32::MAX, Ended::Read);
    }

    /// Golden from hardened storage over one copy, in all its replicas.
    fn reload(&mut self, at: u64, time_s: f64, counted: bool) {
        self.result.reloads += u64::from(counted);
        if let Some(copy) = self.copies.get_mut(&at) {
            copy.blocks.clear();
        }
        self.reload_errors(at, None);
        for hard in self.hard.get(&at).cloned().unwrap_or_default() {
            self.set_hard(at, &hard);
        }
        self.changed(at, time_s, u32::MAX, Ended::Reload);
    }

    /// What is wrong in hardened storage is written too, as valid code words.
    fn reload_errors(&mut self, at: u64, only: Option<(u8, u32)>) {
        let words = self.terms.layout.block_words;
        let replicas = u8::try_from(self.terms.layout.replica_count()).unwrap_or(3);
        for (word, mask) in self.hardened.clone() {
            let (block, within) = (word / words, (word % words) as usize);
            for replica in 0..replicas {
                if only.is_none_or(|only| only == (replica, block)) {
                    self.flip(at, replica, block, within, mask);
                    self.valid_check(at, replica, block, within, mask);
                }
            }
        }
    }

    /// Makes the check word fit a data word that was written with these bits wrong.
    fn valid_check(&mut self, copy: u64, replica: u8, block: u32, within: usize, mask: u32) {
        let Some(code) = self.terms.layout.code else { return };
        let words = self.terms.layout.block_words as usize;
        let mut data = vec![0; words];
        let zero = code.encode(&data);
        data[within] = mask;
        self.flip(copy, replica, block, words, code.encode(&data) ^ zero);
    }

    /// A SEFI or a latch-up of one device.
    fn interrupt(&mut self, upset: &Upset) {
        if upset.device >= self.terms.layout.devices {
            return;
        }
        self.result.resets += 1;
        let scheme = &self.terms.reader.scheme;
        if scheme.placement == Placement::Device && self.terms.layout.devices >= 3 {
            // The other two carry on; the replica is written anew when its device is back.
            self.lose_replica(u8::try_from(upset.device).unwrap_or(0), upset.time_s);
        } else {
            self.away(upset.time_s, self.ground.reset_s);
        }
    }

    fn lose_replica(&mut self, replica: u8, time_s: f64) {
        let at: Vec<u64> = self.copies.keys().copied().collect();
        for at in at {
            self.settle(at, time_s);
            let Some(copy) = self.copies.get_mut(&at) else { continue };
            let before = copy.blocks.len();
            copy.blocks.retain(|(r, _), _| *r != replica);
            if copy.blocks.len() != before {
                self.changed(at, time_s, u32::MAX, Ended::Reset);
            }
        }
    }

    /// The service is away, and memory is loaded anew.
    pub(super) fn away(&mut self, time_s: f64, seconds: f64) {
        let start = time_s.max(self.away_until).min(self.ground.horizon_s);
        let end = (time_s + seconds).max(self.away_until).min(self.ground.horizon_s);
        self.result.first_away_s.get_or_insert(time_s);
        self.result.dead_s += end - start;
        let reads = self.ground.reads;
        self.result.unavailable += reads.before(end) - reads.before(start);
        let at: Vec<u64> = self.copies.keys().copied().collect();
        for at in at {
            self.settle(at, time_s);
            if let Some(copy) = self.copies.get_mut(&at) {
                copy.blocks.clear();
                copy.since = copy.since.max(end);
            }
            self.reload_errors(at, None);
            for hard in self.hard.get(&at).cloned().unwrap_or_default() {
                self.set_hard(at, &hard);
            }
            self.away_until = end;
            self.changed(at, time_s, u32::MAX, Ended::Reset);
        }
        self.away_until = end;
    }

    /// Counts the inferences of a copy up to `time_s`.
    fn settle(&mut self, at: u64, time_s: f64) {
        let Some(copy) = self.copies.get_mut(&at) else { return };
        if time_s <= copy.since {
            return;
        }
        let reads = self.ground.reads;
        let run = reads.within(at, copy.since, time_s);
        copy.since = time_s;
        let Some(rows) = &copy.rows else { return };
        if run.count == 0 {
            return;
        }
        let first = |is: &dyn Fn(Outcome) -> bool| {
            let k = reads.find(run, rows, |row| is(row.outcome()))?;
            Some(reads.time_s(run.first + k * reads.copies))
        };
        let episode = &mut copy.episode;
        if episode.first_effect_s.is_none() {
            episode.first_effect_s = first(&|o| o >= Outcome::DueRecovered);
        }
        if episode.first_critical_s.is_none() {
            episode.first_critical_s = first(&|o| o == Outcome::CriticalSdc);
        }
        reads.tally(run, rows, &mut episode.outcomes);
    }

    fn close(&mut self, at: u64, time_s: f64, ended: Ended) {
        let Some(mut copy) = self.copies.remove(&at) else { return };
        copy.episode.end_s = time_s;
        copy.episode.ended = ended;
        if ended != Ended::Mission {
            self.result.repairs.0 += 1;
            self.result.repairs.1 += time_s - copy.episode.start_s;
        }
        self.keep(copy.episode);
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

    fn ras_uncorrectable(&mut self, copy: u64, replica: u8, block: u32) {
        let (device, entry) = self.terms.layout.home(replica, copy, block);
        let memory = &self.ground.memory;
        let Some(location) = memory.locate(entry, self.ground.map) else { return };
        let bank = memory.bank_index(&location);
        let Some(ras) = self.ras.get_mut(device as usize) else { return };
        match ras.on_uncorrectable(bank, location.row, entry) {
            RasAction::Nothing => {}
            RasAction::Exhausted => self.result.exhausted += 1,
            RasAction::RowRemapped | RasAction::PageRetired => {
                if let Some(hard) = self.hard.get_mut(&copy) {
                    hard.retain(|h| (h.replica, h.block) != (replica, block));
                }
            }
        }
    }

    fn scrubber_upset(&mut self, upset: &Upset, bit: u32) {
        let Some((patrol, by)) = self.terms.patrol.clone() else { return };
        let layout = &self.terms.layout;
        let replicas = layout.replica_count();
        let passes = patrol.passes(upset.time_s);
        let share = passes - passes.floor();
        let position = if by == ScrubBy::Vote { share } else { share * replicas as f64 };
        let words = (layout.tiling.copies * u64::from(layout.tiling.copy_words)) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let at = ((position - position.floor()) * words) as u64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 3")]
        let replica = position.floor() as u8;
        let copy_words = u64::from(layout.tiling.copy_words);
        let copy = at / copy_words;
        let block_words = layout.block_words;
        let block = u32::try_from(at % copy_words).unwrap_or(0) / block_words;
        let within = (bit / 32 % block_words) as usize;
        let mask = 1 << (bit % 32);
        let struck = if by == ScrubBy::Vote {
            0..u8::try_from(replicas).unwrap_or(3)
        } else {
            replica..replica + 1
        };
        self.open(copy, upset);
        let mut changed = Vec::new();
        for replica in struck {
            self.flip(copy, replica, block, within, mask);
            self.valid_check(copy, replica, block, within, mask);
            changed.push((replica, block));
        }
        self.plan_visits(copy, upset.time_s, &changed);
        self.changed(copy, upset.time_s, upset.id, Ended::Upset);
    }

    fn finish(mut self) -> SchemeHistory {
        let horizon = self.ground.horizon_s;
        let at: Vec<u64> = self.copies.keys().copied().collect();
        for at in at {
            self.settle(at, horizon);
            self.close(at, horizon, Ended::Mission);
        }
        let result = &mut self.result;
        result.inferences = self.ground.reads.before(horizon);
        let served = result.inferences.saturating_sub(result.unavailable);
        let others: u64 = result.outcomes[1..].iter().sum();
        result.outcomes[Outcome::Masked as usize] = served.saturating_sub(others);
        for ras in &self.ras {
            result.rows_remapped += ras.rows_remapped();
            result.pages_retired += ras.pages_retired();
            result.lost_bytes += ras.lost_bytes();
        }
        result.episodes.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        self.result
    }
}
