//! What a mission takes, before it starts.
//!
//! Limits that its numbers must keep so that a history ends: inferences that an `f64` of seconds
//! can tell apart, sums that fit 64 bits, events that fit in memory.

use super::fleet;
use super::plan::{Plan, PlanMode};
use super::record::{Episode, Upset};
use super::run::TOGETHER;
use super::strata;
use crate::device::{Pattern, StruckEntry};
use crate::estimate::{
    ARCHIVE_BYTES_MAX, Amount, Estimate, INFERENCES_MAX, MEMORY_BYTES_MAX, SUM_MAX,
};
use crate::op::WORD_BITS;
use crate::units::DAY_S;

/// Upsets of hardened storage, and of the scrubber's buffer, in a history: each is followed to its
/// end, and storage in which more bits are wrong is not what anything is reloaded from.
const OTHERS_MAX: f64 = 10_000.0;
/// Bytes of an upset in the archive, of an episode, and of a history under a scheme: about their
/// rows (docs/archive-format.md).
const ROW_BYTES: [f64; 3] = [96.0, 152.0, 400.0];
/// What makes the events of a history fewer.
const FEWER: &str = "lower `lasts`, `acceleration` or `environment.design_margin`, or choose fewer \
                     `modes` of [[device]]";

/// Events of one kind on all devices over one history, and the bytes that they take in memory.
struct Events {
    count: f64,
    /// The most that the mean can be where a history begins at the worst place of its track.
    peak: f64,
    bytes_each: f64,
    /// The share that may reach memory in use.
    in_use: f64,
}

impl Plan {
    /// What the mission takes, with so many single events drawn of each kind.
    pub fn estimate(&self, singles: u64) -> Estimate {
        let mut estimate = Estimate::default();
        self.inferences(&mut estimate);
        self.others(&mut estimate);
        self.events(&mut estimate);
        if singles > 0 {
            self.singles(singles, &mut estimate);
        }
        if let Some(satellites) = self.mission.fleet {
            let followed = fleet::expected_events(self, satellites);
            let lower = "fewer satellites or years, less memory in use, no acceleration";
            estimate.add(
                Amount::count("events of a fleet", followed, fleet::EVENTS_MAX).of("fleet", lower),
            );
            let widest = self.modes.iter().map(bytes_of).fold(0.0, f64::max);
            let bytes =
                Amount::bytes("for the events of a fleet", followed * widest, MEMORY_BYTES_MAX);
            estimate.add(bytes.of("fleet", lower).unsaid());
        }
        estimate
    }

    /// The most events that a history is expected to have, of all devices and modes.
    pub fn events_of_a_history(&self) -> f64 {
        (0..self.modes.len()).map(|at| self.of_mode(at).peak).sum()
    }

    fn inferences(&self, estimate: &mut Estimate) {
        let each = self.ground.horizon_s * self.ground.reads.per_s;
        let (service, lower) = (
            "service.inferences_per_s",
            "lower `service.inferences_per_s`, `lasts` or `acceleration`",
        );
        let amount = Amount::count("inferences in a history", each, INFERENCES_MAX);
        estimate.add(amount.of(service, lower).unsaid());
        let satellites = self.mission.fleet.map_or(0.0, |satellites| satellites as f64);
        let flights = f64::from(self.mission.histories) + satellites;
        let amount = Amount::count("inferences in all flights", each * flights, SUM_MAX);
        estimate.add(amount.of(service, lower).unsaid());
    }

    /// Upsets of hardened storage and of the scrubber's buffer.
    fn others(&self, estimate: &mut Estimate) {
        let mut add = |what, expected: f64, key, lower| {
            let amount = Amount::count(what, expected, OTHERS_MAX).of(key, lower);
            estimate.add(if expected > 0.0 { amount } else { amount.unsaid() });
        };
        if let Some(hardened) = &self.mission.hardened {
            let bits = f64::from(WORD_BITS) * f64::from(self.workload.stored_words());
            let expected = hardened.upsets_per_bit_day / DAY_S * bits * self.ground.horizon_s;
            let lower = "lower `hardened.upsets_per_bit_day`, `lasts` or `acceleration`";
            add(
                "upsets of hardened storage in a history",
                expected,
                "hardened.upsets_per_bit_day",
                lower,
            );
        }
        if let Some(share) = self.scrubber_share() {
            let of_memory = (0..self.modes.len()).filter(|at| self.modes[*at].pattern.is_some());
            let all: f64 = of_memory.map(|at| self.of_mode(at).peak).sum();
            let expected = share * all / f64::from(self.devices());
            let lower = "a smaller `scrubber.buffer_bytes`, or lower `lasts` or `acceleration`";
            add(
                "upsets of the scrubber's buffer in a history",
                expected,
                "scrubber.buffer_bytes",
                lower,
            );
        }
    }

    /// The scrubber's buffer as a share of the stored bits of a memory.
    pub(super) fn scrubber_share(&self) -> Option<f64> {
        let memory = &self.ground.memory;
        let stored_bits = memory.capacity_bits() as f64 + memory.check_bits() as f64;
        self.mission.scrubber.map(|scrubber| 8.0 * scrubber.buffer_bytes as f64 / stored_bits)
    }

    fn events(&self, estimate: &mut Estimate) {
        let histories = f64::from(self.mission.histories);
        let schemes = self.terms.len() as f64;
        let all: Vec<Events> = (0..self.modes.len()).map(|at| self.of_mode(at)).collect();
        let sum = |of: fn(&Events) -> f64| all.iter().map(of).sum::<f64>();
        let (count, in_use) = (sum(|e| e.count), sum(|e| e.count * e.in_use));
        let key = self.driver();
        let at_once = sum(|e| e.peak * e.bytes_each) * histories.min(TOGETHER as f64);
        let kept = histories * schemes * (in_use * size_of::<Episode>() as f64 + ROW_BYTES[2]);
        let [upset, episode, history] = ROW_BYTES;
        let archived = histories * (count * upset + schemes * (in_use * episode + history));
        estimate
            .add(Amount::count("events", histories * count, f64::from(u32::MAX)).of(key, FEWER));
        let states = histories * in_use * schemes * self.ground.reads.inputs as f64;
        let what = "inferences of faulty states";
        estimate.add(Amount::count(what, states, f64::MAX).of(key, FEWER));
        let archive = Amount::bytes("in the archive", archived, ARCHIVE_BYTES_MAX);
        estimate.add(archive.of(key, "fewer `histories`, or lower `lasts` or `acceleration`"));
        estimate.add(Amount::bytes("in memory", at_once + kept, MEMORY_BYTES_MAX).of(key, FEWER));
    }

    fn singles(&self, singles: u64, estimate: &mut Estimate) {
        let stops = (0..self.modes.len()).filter(|at| strata::stops(self, *at));
        let (mut with_each, mut stop_bytes) = (1.0, 0.0);
        for stop in stops {
            let events = self.of_mode(stop);
            with_each += events.count;
            stop_bytes += events.count * (events.bytes_each + 64.0 * self.terms.len() as f64);
        }
        let kinds = strata::kinds(self);
        let of_kind = |(mode, shape): (usize, Option<usize>)| {
            let entries = shape.zip(self.modes[mode].pattern.as_ref());
            let entries = entries.map_or(0.0, |(shape, pattern)| pattern.mean_entries_of(shape));
            bytes(entries) + self.terms.len() as f64 * size_of::<Episode>() as f64
        };
        let widest = kinds.iter().map(|kind| of_kind(*kind)).fold(0.0, f64::max);
        let (count, each) = (kinds.len() as f64 * singles as f64, singles as f64);
        let (key, lower) = ("--singles", "fewer single events of each kind");
        estimate.add(Amount::count("single events", count, f64::from(u32::MAX)).of(key, lower));
        let amount = Amount::count("events about the single ones", count * with_each, 1e12);
        estimate.add(amount.of(key, lower).unsaid());
        let inferences = count * self.ground.horizon_s * self.ground.reads.per_s;
        let amount = Amount::count("inferences of single events", inferences, SUM_MAX);
        estimate.add(amount.of(key, lower).unsaid());
        let held = each * (widest + stop_bytes);
        let amount = Amount::bytes("for the single events of a kind", held, MEMORY_BYTES_MAX);
        estimate.add(amount.of(key, lower).unsaid());
    }

    /// The key that makes events many: the factor on their rate, or the time.
    fn driver(&self) -> &'static str {
        if self.mission.acceleration > 1.0 {
            "acceleration"
        } else if self.timeline.conditions.design_margin > 1.0 {
            "environment.design_margin"
        } else {
            "lasts"
        }
    }

    fn of_mode(&self, at: usize) -> Events {
        let (mode, horizon_s) = (&self.modes[at], self.ground.horizon_s);
        let level = mode.level.index();
        let course = self.timeline.course(at, level);
        let devices = f64::from(self.devices());
        let solar = self.timeline.scheduled_events(at, level, horizon_s, &self.scheduled);
        let steady = course.lap() / course.lap_s() * horizon_s;
        let most = if horizon_s < course.lap_s() { course.most(horizon_s) } else { 2.0 * steady };
        let memory = &self.ground.memory;
        let used = self.terms.iter().map(|terms| terms.layout.used_entries()).max().unwrap_or(0);
        let used = used as f64 / memory.entries() as f64;
        Events {
            count: devices * (steady + solar),
            peak: devices * (most + solar),
            bytes_each: bytes_of(mode),
            in_use: if mode.pattern.is_some() { used.min(1.0) } else { 1.0 },
        }
    }
}

/// Bytes of an event of a mode in memory.
fn bytes_of(mode: &PlanMode) -> f64 {
    bytes(mode.pattern.as_ref().map_or(0.0, Pattern::mean_entries))
}

fn bytes(entries: f64) -> f64 {
    size_of::<Upset>() as f64 + entries * size_of::<StruckEntry>() as f64
}
