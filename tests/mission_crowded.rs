//! Crowded missions equal a count that takes one inference after another: protections, what a DUE
//! does, scrubs.

#[path = "support/bench.rs"]
mod bench;

use beamline::mission::{State, StateRows, Upset, What, simulate};
use beamline::outcome::{InferenceRow, Outcome};
use beamline::scheme::{Code, OnDue, OnRead, Protection, Scheme, ScrubBy};
use beamline::seed::{Domain, below, stream, unit};
use bench::{Bench, bit, scheme, scrub, upset};
use std::collections::BTreeSet;
use std::iter::Peekable;
use std::sync::Arc;
use std::vec::IntoIter;

const RATE: f64 = 4.0;
const COPIES: u64 = 4;
/// Entries of a copy.
const ENTRIES: u64 = 72;
const RESET_S: f64 = 2.5;
const HORIZON_S: f64 = 320.0;
/// No pass begins with an inference.
const PERIOD_S: f64 = 7.3137;
const HSIAO: Option<Code> = Some(Code::Hsiao72);

/// Says one thing of every state that differs where the workload reads it.
struct Says(Outcome);

impl StateRows for Says {
    fn rows(&mut self, _: usize, _: &State) -> Option<Arc<[InferenceRow]>> {
        Some(vec![InferenceRow(self.0 as u32)].into())
    }
}

/// What differing answers come to: two executions that differ are run again after a reload.
fn differing(protection: Protection) -> Outcome {
    match protection {
        Protection::Dmr => Outcome::DueRecovered,
        _ => Outcome::CriticalSdc,
    }
}

/// What a history comes to.
#[derive(Debug, Default, PartialEq)]
struct Sums {
    outcomes: [u64; 7],
    unavailable: u64,
    reloads: u64,
    resets: u64,
    repaired: u64,
}

/// A bit of an entry of a copy in a replica.
type Bit = (u64, u64, u64, usize);

/// When the patrol reaches which replica, copy and entry.
type Visit = (f64, u64, u64, u64);

/// Memory and service as a person would keep their books, step by step.
struct Books<'a> {
    scheme: &'a Scheme,
    flipped: BTreeSet<Bit>,
    /// Entries with a bit that is wrong in hardened storage.
    stored: BTreeSet<u64>,
    /// Copies and entries that were written from it so.
    loaded: BTreeSet<(u64, u64)>,
    /// The service is away until then, in seconds.
    until: f64,
    away: Vec<(u64, u64)>,
    /// Inferences that memory reports an error to.
    reported: Vec<u64>,
    /// Visits of the patrol that are still to come.
    visits: Peekable<IntoIter<Visit>>,
    sums: Sums,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
fn before(time_s: f64) -> u64 {
    (time_s * RATE).ceil() as u64
}

impl Books<'_> {
    /// Bits of an entry by replica.
    fn bits(&self, copy: u64, entry: u64) -> Vec<usize> {
        let of = |replica| {
            let own = |bit: &&Bit| (bit.0, bit.1, bit.2) == (replica, copy, entry);
            self.flipped.iter().filter(own).count()
        };
        (0..u64::from(self.scheme.copies())).map(of).collect()
    }

    fn state(&self, copy: u64) -> Outcome {
        let of = |entry| {
            let bits = self.bits(copy, entry);
            let struck = bits.iter().filter(|bits| **bits > 0).count();
            let wrong = self.loaded.contains(&(copy, entry));
            match (self.scheme.protection, struck) {
                (Protection::None, 0 | 1) if wrong && bits[0] < 2 => Outcome::CriticalSdc,
                (_, 0) => Outcome::Masked,
                (Protection::TmrStorage, 1) => Outcome::Corrected,
                (Protection::None, _) if self.scheme.code.is_some() => {
                    if bits[0] == 1 {
                        Outcome::Corrected
                    } else {
                        Outcome::Due
                    }
                }
                (protection, _) => differing(protection),
            }
        };
        (0..2).map(of).max().expect("two entries")
    }

    /// What a strike on one inference comes to.
    fn strike(&self, reported: bool) -> Outcome {
        match (self.scheme.protection, reported) {
            (Protection::Dmr, _) => Outcome::DueRecovered,
            (Protection::TmrStorage, true) => Outcome::Corrected,
            (_, true) => Outcome::Due,
            (_, false) => Outcome::CriticalSdc,
        }
    }

    fn reset(&mut self, time_s: f64) {
        self.away.push((before(time_s.max(self.until)), before(time_s + RESET_S)));
        self.until = self.until.max(time_s + RESET_S);
        (0..COPIES).for_each(|copy| self.load(copy));
        self.reported.clear();
        self.sums.resets += 1;
    }

    /// A copy is written from hardened storage.
    fn load(&mut self, copy: u64) {
        self.flipped.retain(|bit| bit.1 != copy);
        self.loaded.retain(|(of, _)| *of != copy);
        self.loaded.extend(self.stored.iter().map(|entry| (copy, *entry)));
    }

    /// A read writes back what it corrected or voted; a DUE delivers nothing.
    fn write_back(&mut self, copy: u64, state: Outcome) {
        if self.scheme.on_read == OnRead::Keep || state == Outcome::Due {
            return;
        }
        let three = self.scheme.protection == Protection::TmrStorage;
        for entry in 0..2 {
            let struck = self.bits(copy, entry).iter().filter(|bits| **bits > 0).count();
            self.flipped.retain(|bit| (bit.1, bit.2) != (copy, entry));
            if three && struck > 1 {
                self.flipped.extend((0..3).map(|replica| (replica, copy, entry, 5)));
            }
        }
    }

    /// What the patrol reaches by then.
    fn pass(&mut self, end: f64) {
        while let Some((_, replica, copy, entry)) = self.visits.next_if(|visit| visit.0 < end) {
            self.visit(replica, copy, entry);
        }
    }

    /// The patrol reaches an entry.
    fn visit(&mut self, replica: u64, copy: u64, entry: u64) {
        let by = self.scheme.scrub.as_ref().expect("a scrub").by;
        let bits = self.bits(copy, entry);
        let own = bits[usize::try_from(replica).expect("small")];
        let struck = bits.iter().filter(|bits| **bits > 0).count();
        let put_right = match by {
            ScrubBy::Reload => own > 0,
            ScrubBy::Ecc => own == 1,
            ScrubBy::Vote => struck == 1 || struck == 2,
        };
        if !put_right {
            return;
        }
        self.sums.repaired += 1;
        let vote = by == ScrubBy::Vote;
        self.flipped.retain(|b| (b.1, b.2) != (copy, entry) || !vote && b.0 != replica);
        if vote && struck == 2 {
            self.flipped.extend((0..3).map(|replica| (replica, copy, entry, 5)));
        }
    }
}

/// All visits of the patrol to the entries that are struck, in the order of time.
fn visits(scheme: &Scheme) -> Vec<Visit> {
    let Some(scrub) = &scheme.scrub else { return Vec::new() };
    let vote = scrub.by == ScrubBy::Vote;
    let replicas = if vote { 1 } else { u64::from(scheme.copies()) };
    let mut all = Vec::new();
    for replica in 0..replicas {
        for (copy, entry) in (0..COPIES).flat_map(|copy| [(copy, 0), (copy, 1)]) {
            let within = (ENTRIES * copy + entry) as f64 / (ENTRIES * COPIES) as f64;
            let share = (replica as f64 + within) / replicas as f64;
            let times = (0..50).map(|pass| PERIOD_S * (f64::from(pass) + share));
            all.extend(times.map(|time_s| (time_s, replica, copy, entry)));
        }
    }
    all.retain(|visit| visit.0 < HORIZON_S);
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

/// Every inference by itself. Upsets of memory fall into the second half of the time between two
/// inferences, those of logic into an execution.
fn one_by_one(scheme: &Scheme, upsets: &[(f64, Event)]) -> Sums {
    let mut books = Books {
        scheme,
        flipped: BTreeSet::new(),
        stored: BTreeSet::new(),
        loaded: BTreeSet::new(),
        until: 0.0,
        away: Vec::new(),
        reported: Vec::new(),
        visits: visits(scheme).into_iter().peekable(),
        sums: Sums::default(),
    };
    let mut next = upsets.iter().peekable();
    for inference in 0..before(HORIZON_S) {
        let (time_s, copy) = (inference as f64 / RATE, inference % COPIES);
        let served = |books: &Books<'_>| {
            !books.away.iter().any(|(from, to)| (*from..*to).contains(&inference))
        };
        books.pass(time_s);
        let (mut state, mut outcome) = (Outcome::Masked, Outcome::Masked);
        if served(&books) {
            state = books.state(copy);
            outcome = state;
            books.write_back(copy, state);
            if books.reported.contains(&inference) {
                outcome = outcome.max(books.strike(true));
            }
        }
        let after_s = (inference as f64 + 0.5) / RATE;
        while let Some((_, event)) = next.next_if(|of| of.0 < after_s) {
            if *event == Event::Logic && served(&books) {
                outcome = outcome.max(books.strike(false));
            }
        }
        if served(&books) {
            books.sums.outcomes[outcome as usize] += 1;
            // What follows a state is written with the read, what follows a strike after it.
            if outcome > state {
                books.pass(after_s);
            }
            match (outcome, scheme.on_due) {
                (Outcome::Due, OnDue::Reset) => books.reset(after_s),
                (Outcome::Due, OnDue::Reload) | (Outcome::DueRecovered, _) => {
                    books.sums.reloads += 1;
                    books.load(copy);
                }
                _ => {}
            }
        } else {
            books.sums.unavailable += 1;
        }
        while let Some((at, event)) = next.next_if(|of| of.0 < (inference + 1) as f64 / RATE) {
            books.pass(*at);
            match event {
                Event::Flip(bit) if !books.flipped.remove(bit) => {
                    books.flipped.insert(*bit);
                }
                Event::Flip(_) | Event::Logic => {}
                Event::Reported if *at >= books.until => books.reported.push(inference + 1),
                Event::Reported => {}
                Event::Sefi => books.reset(*at),
                Event::Stored(entry) if !books.stored.remove(entry) => {
                    books.stored.insert(*entry);
                }
                Event::Stored(_) => {}
            }
        }
    }
    books.sums
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Flip(Bit),
    Logic,
    Reported,
    Sefi,
    Stored(u64),
}

/// A crowd of events; two bits of a codeword where there is a code, else one.
fn crowd(seed: u64, scheme: &Scheme, stored: bool) -> Vec<(f64, Event)> {
    let mut draws = stream(seed, Domain::Generate, &[7]);
    let replicas = u64::from(scheme.copies());
    let bits = if scheme.code.is_some() { 2 } else { 1 };
    let mut all = Vec::new();
    for _ in 0..20 + below(&mut draws, 700) {
        let (inference, within) = (below(&mut draws, 1200) as f64, unit(&mut draws));
        let at = |phase: f64| (inference + phase) / RATE;
        let late = at(0.55 + 0.4 * within);
        all.push(match below(&mut draws, 40) {
            0 => (late, Event::Sefi),
            1 | 2 if stored => (late, Event::Stored(below(&mut draws, 2))),
            1..=5 => (late, Event::Reported),
            6..=12 => (at(0.02 + 0.2 * within), Event::Logic),
            _ => {
                let (replica, copy) = (below(&mut draws, replicas), below(&mut draws, COPIES));
                let entry = below(&mut draws, 2);
                let at = 5 + usize::try_from(below(&mut draws, bits)).expect("small");
                (late, Event::Flip((replica, copy, entry, at)))
            }
        });
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

fn simulated(scheme: &Scheme, events: &[(f64, Event)]) -> Sums {
    let mut bench = Bench::new(scheme, 576, COPIES, RATE / COPIES as f64);
    (bench.ground.reset_s, bench.ground.horizon_s) = (RESET_S, HORIZON_S);
    let what = |(at, event): &(f64, Event)| match event {
        Event::Flip((replica, copy, entry, of)) => {
            let replica = u8::try_from(*replica).expect("small");
            bench.hit(*at, (replica, *copy, *entry), bit(*of))
        }
        Event::Logic => upset(*at, What::LogicSdc),
        Event::Reported => upset(*at, What::Uncorrectable { entry: 7 }),
        Event::Sefi => upset(*at, What::Sefi),
        Event::Stored(entry) => {
            let word = 8 * u32::try_from(*entry).expect("small");
            upset(*at, What::Hardened { word, mask: 1 })
        }
    };
    let upsets: Vec<Upset> = events.iter().map(what).collect();
    let mut says = Says(differing(scheme.protection));
    let history = simulate(&bench.ground, &bench.terms, (0.0, &upsets), &mut says);
    assert_eq!(history.outcomes.iter().sum::<u64>() + history.unavailable, history.inferences);
    for outcome in &Outcome::ALL[1..] {
        let of_episodes: u64 = history.episodes.iter().map(|of| of.count(*outcome)).sum();
        assert_eq!(of_episodes, history.outcomes[*outcome as usize], "{outcome:?}");
    }
    Sums {
        outcomes: history.outcomes,
        unavailable: history.unavailable,
        reloads: history.reloads,
        resets: history.resets(),
        repaired: history.scrub_repaired,
    }
}

fn assert_equal(protection: Protection, code: Option<Code>, on_due: OnDue, by: Option<ScrubBy>) {
    let scrub = by.map(|by| scrub(PERIOD_S, by, false));
    let scheme = Scheme { on_due, ..scheme(protection, code, scrub) };
    assert_each_equal(&scheme, false);
}

fn assert_each_equal(scheme: &Scheme, stored: bool) {
    for seed in 0..40 {
        let events = crowd(seed, scheme, stored);
        let sums = simulated(scheme, &events);
        assert_eq!(sums, one_by_one(scheme, &events), "seed {seed}: {scheme:?}");
    }
}

#[test]
fn without_a_code_whatever_a_due_does() {
    for on_due in [OnDue::Keep, OnDue::Reset, OnDue::Reload] {
        assert_equal(Protection::None, None, on_due, None);
        assert_equal(Protection::None, None, on_due, Some(ScrubBy::Reload));
    }
}

#[test]
fn with_a_code_whatever_a_due_does() {
    for on_due in [OnDue::Keep, OnDue::Reset, OnDue::Reload] {
        for by in [None, Some(ScrubBy::Ecc), Some(ScrubBy::Reload)] {
            assert_equal(Protection::None, HSIAO, on_due, by);
        }
    }
}

#[test]
fn two_executions_that_are_compared() {
    for by in [None, Some(ScrubBy::Reload)] {
        assert_equal(Protection::Dmr, None, OnDue::Keep, by);
    }
}

#[test]
fn three_copies_that_are_voted() {
    for by in [None, Some(ScrubBy::Vote), Some(ScrubBy::Reload)] {
        assert_equal(Protection::TmrStorage, None, OnDue::Keep, by);
    }
}

#[test]
fn with_errors_of_hardened_storage_that_reloads_and_resets_bring() {
    for on_due in [OnDue::Keep, OnDue::Reset, OnDue::Reload] {
        for code in [None, HSIAO] {
            assert_each_equal(&Scheme { on_due, ..scheme(Protection::None, code, None) }, true);
        }
    }
}

#[test]
fn with_reads_that_write_back() {
    let on_read = OnRead::WriteBack;
    for on_due in [OnDue::Keep, OnDue::Reset, OnDue::Reload] {
        let coded = scheme(Protection::None, HSIAO, None);
        assert_each_equal(&Scheme { on_due, on_read, ..coded }, false);
    }
    let by = Some(scrub(PERIOD_S, ScrubBy::Vote, false));
    for scrub in [None, by] {
        let voted = scheme(Protection::TmrStorage, None, scrub);
        assert_each_equal(&Scheme { on_read, ..voted }, false);
    }
}
