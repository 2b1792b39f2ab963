//! One history under one scheme: time jumps from upset to scrub to the next read that acts.
//!
//! A copy that differs is a **tracked copy**: it is followed by itself (`tracked`). All other copies
//! are alike. They are the **cohort** and are followed as one (`cohort`); a golden cohort costs
//! nothing. What the inferences of either come to is asked once for each state, and counts for all of
//! them until the state changes. What a voter or decoder sees is decided here by
//! [`crate::scheme::memory`]; what the workload makes of a state comes from [`StateRows`], which runs it on
//! the GPU. The inference that runs now waits for further strikes before it is counted: it is the
//! **pending inference** (`pending`).

mod cohort;
mod fresh;
mod pending;
mod repair;
mod tracked;
mod transient;
mod upkeep;

use cohort::{Cohort, CohortChange, HardenedError};
use fresh::Fresh;
use pending::{InferenceStrike, Pending};
use tracked::Tracked;

use super::layout::{SchemeLayout, Site, Tenant};
use super::patrol::Patrol;
use super::reads::Reads;
use super::record::{Restored, SchemeHistory, Upset, What};
use super::state::State;
use super::values::Values;
use crate::device::{AddressMap, AntiRows, Hit, Memory, Persistence, Polarity, RasState, apply};
use crate::outcome::{InferenceRow, Outcome};
use crate::scheme::ScrubBy;
use crate::scheme::memory::Reader;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

/// What becomes of every input in a faulty state.
pub trait StateRows {
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
    /// Seconds of the windows that are counted from a fresh start, where a requirement asks for them.
    pub window_s: Option<f64>,
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

/// Stuck or weak bits of a word; none where the word was replaced.
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

#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    /// The patrol reaches a block.
    Visit { replica: u8, block: u32 },
    /// A read whose outcome changes memory.
    Read { version: u32, inference: u64 },
    /// A read that meets an error which memory reports.
    Reported { inference: u64, upset: u32, struck_s: f64, at: (u32, u64), outcome: Outcome },
    /// What a scheme does after an inference that was struck alone.
    Struck { outcome: Outcome },
    /// The cohort changes.
    Cohort(CohortChange),
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
struct Simulation<'a> {
    ground: &'a Ground,
    terms: &'a Terms,
    /// The scheme's scrub, from where the history begins on its track.
    patrol: Option<(Patrol, ScrubBy)>,
    rows: &'a mut dyn StateRows,
    /// The tracked copies, by their numbers.
    tracked: BTreeMap<u64, Tracked>,
    queue: BinaryHeap<Reverse<Due>>,
    order: u64,
    /// States of tracked copies so far. A read that acts is of one of them, also where its copy has been
    /// in the cohort since.
    versions: u32,
    /// Blocks that the patrol is to visit: copy, replica, block.
    visits: BTreeSet<(u64, u8, u32)>,
    hard: BTreeMap<u64, Vec<Hard>>,
    cohort: Cohort,
    hardened: Vec<HardenedError>,
    ras: Vec<RasState>,
    /// The service is away until then.
    away_until: f64,
    /// The inference that is not counted yet, where there is one.
    pending: Option<Pending>,
    /// The windows from a fresh start, where they are asked for.
    fresh: Option<Fresh>,
    result: SchemeHistory,
}

/// Runs the upsets of a history, in the order of time, under one scheme; it begins at `start_s` on
/// its track.
///
/// # Panics
/// Where an inference was counted twice: outcomes and inferences that found the service away sum to
/// the inferences asked for.
pub fn simulate(
    ground: &Ground,
    terms: &Terms,
    (start_s, upsets): (f64, &[Upset]),
    rows: &mut dyn StateRows,
) -> SchemeHistory {
    let ras = vec![RasState::new(&ground.memory); terms.layout.devices as usize];
    let mut simulation = Simulation {
        ground,
        terms,
        patrol: terms.patrol.as_ref().map(|(patrol, by)| (patrol.begun_at(start_s), *by)),
        rows,
        tracked: BTreeMap::new(),
        queue: BinaryHeap::new(),
        order: 0,
        versions: 0,
        visits: BTreeSet::new(),
        hard: BTreeMap::new(),
        cohort: Cohort::default(),
        hardened: Vec::new(),
        ras,
        away_until: 0.0,
        pending: None,
        fresh: ground.window_s.map(Fresh::new),
        result: SchemeHistory::default(),
    };
    for upset in upsets.iter().take_while(|upset| upset.time_s < ground.horizon_s) {
        simulation.until(upset.time_s);
        simulation.windows_until(upset.time_s);
        simulation.upset(upset);
        simulation.note_fresh(upset.time_s);
    }
    simulation.until(ground.horizon_s);
    simulation.finish()
}

impl Simulation<'_> {
    /// Everything that is due before `time_s`.
    fn until(&mut self, time_s: f64) {
        while let Some(Reverse(due)) = self.queue.peek().copied().filter(|d| d.0.time_s < time_s) {
            self.queue.pop();
            self.windows_until(due.time_s);
            match due.action {
                Action::Visit { replica, block } => self.visit(due, replica, block),
                Action::Read { version, inference } => {
                    self.acting_read(due, version, inference);
                }
                Action::Reported { inference, upset, struck_s, at, outcome } => {
                    self.meet(due, inference, (upset, struck_s), at, outcome);
                }
                Action::Struck { outcome } => self.after_strike(due, outcome),
                Action::Cohort(what) => self.change_cohort(due, what),
                Action::Weak { hard } => self.weak(due, hard),
            }
            self.note_fresh(due.time_s);
        }
    }

    /// The rows of a state under this scheme, where they are known.
    fn ask(&mut self, state: &State) -> Option<Arc<[InferenceRow]>> {
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
            What::Sefi | What::Sel | What::HostSefi | What::HostRam => self.interrupt(upset),
            What::Scrubber { bit } => self.scrubber_upset(upset, *bit),
            What::Hardened { word, mask } => self.hardened_upset(upset, *word, *mask),
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
            self.track(copy, upset);
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
            self.changed(copy, time_s, upset.id, Restored::Upset);
        }
    }

    fn finish(mut self) -> SchemeHistory {
        let horizon = self.ground.horizon_s;
        self.windows_until(horizon);
        for at in self.tracked_copies() {
            self.settle(at, horizon);
            self.release(at, horizon, Restored::Mission);
        }
        self.count_pending();
        self.close_cohort(horizon, Restored::Mission);
        self.result.windows = self.windows();
        let result = &mut self.result;
        result.inferences = self.ground.reads.before(horizon);
        // Inferences that read golden are masked, and were not counted one by one.
        let counted = result.unavailable + result.outcomes.iter().sum::<u64>();
        assert!(
            counted <= result.inferences,
            "each inference has one outcome: {} were asked for and {counted} counted",
            result.inferences
        );
        result.outcomes[Outcome::Masked as usize] += result.inferences - counted;
        for ras in &self.ras {
            result.lost_bytes += ras.lost_bytes();
        }
        result.episodes.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        result.away.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        result.replaced.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        self.result
    }
}
