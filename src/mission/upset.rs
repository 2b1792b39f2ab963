//! What happens on a mission: one list of upsets, the same for every scheme.

use super::plan::Plan;
use super::record::{Upset, What};
use crate::device::EventKind;
use crate::fault::poisson_count;
use crate::rate::Arrival;
use crate::seed::{Domain, below, stream, unit};
use crate::units::DAY_S;

/// Histories of a device's events lie this far apart in the keys of their draws.
const DEVICE_KEYS: u64 = 1 << 32;

/// The upsets of one history on all devices that any scheme uses, in the order of time. The
/// mission begins at a place of its orbit drawn uniformly.
pub fn history(plan: &Plan, history: u64) -> Vec<Upset> {
    let mut upsets = Vec::new();
    let horizon = plan.ground.horizon_s;
    let start_s = start_s(plan, history);
    for device in 0..plan.devices() {
        let key = history + u64::from(device) * DEVICE_KEYS;
        let arrivals = arrivals(plan, key, start_s);
        for (event, arrival) in (0u64..).zip(arrivals) {
            let keys = [history, u64::from(device), event];
            let mut draws = stream(plan.mission.seed, Domain::MissionEvent, &keys);
            upsets.push(upset(plan, device, &arrival, &mut draws));
        }
    }
    others(plan, history, &mut upsets);
    upsets.retain(|upset| upset.time_s < horizon);
    upsets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    for (id, upset) in (0u32..).zip(&mut upsets) {
        upset.id = id;
    }
    upsets
}

/// Where on its track a history begins, in seconds.
pub fn start_s(plan: &Plan, history: u64) -> f64 {
    let mut draws = stream(plan.mission.seed, Domain::OrbitStart, &[history]);
    let lap_s = plan.timeline.places.len() as f64 * plan.timeline.step_s();
    unit(&mut draws) * lap_s
}

/// The arrivals of all modes of one device, each at its own level of the figures.
fn arrivals(plan: &Plan, key: u64, start_s: f64) -> Vec<Arrival> {
    let mut levels: Vec<usize> = plan.modes.iter().map(|mode| mode.level.index()).collect();
    levels.sort_unstable();
    levels.dedup();
    let mut all = Vec::new();
    for level in levels {
        let span = (start_s, plan.ground.horizon_s);
        let seed = plan.mission.seed;
        let drawn = plan.timeline.arrivals_with(seed, key, level, span, &plan.scheduled);
        all.extend(drawn.into_iter().filter(|a| plan.modes[a.mode].level.index() == level));
    }
    all.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    all
}

/// What one arrival does.
pub fn upset(plan: &Plan, device: u32, arrival: &Arrival, draws: &mut impl rand::Rng) -> Upset {
    let mode = &plan.modes[arrival.mode];
    let memory = &plan.ground.memory;
    let what = match &mode.pattern {
        Some(pattern) => {
            let origin = below(draws, memory.entries());
            What::Memory(pattern.draw(draws, memory, plan.ground.map, origin))
        }
        None => match mode.mode.kind {
            EventKind::Uncorrectable => {
                What::Uncorrectable { entry: below(draws, memory.entries()) }
            }
            kind => stop(kind).unwrap_or(What::LogicSdc),
        },
    };
    Upset {
        id: 0,
        time_s: arrival.time_s,
        device,
        mode: u16::try_from(arrival.mode).unwrap_or(u16::MAX),
        place: u32::try_from(arrival.place).unwrap_or(u32::MAX),
        what,
    }
}

/// What a mode does that stops a device or its host.
pub(super) const fn stop(kind: EventKind) -> Option<What> {
    match kind {
        EventKind::Sefi => Some(What::Sefi),
        EventKind::Sel => Some(What::Sel),
        EventKind::HostSefi => Some(What::HostSefi),
        EventKind::HostRam => Some(What::HostRam),
        _ => None,
    }
}

/// Upsets of the scrubber's buffer, at the memory's rate per bit, and of hardened storage.
fn others(plan: &Plan, history: u64, upsets: &mut Vec<Upset>) {
    let seed = plan.mission.seed;
    let horizon = plan.ground.horizon_s;
    let other = |time_s: f64, what: What| Upset {
        id: 0,
        time_s,
        device: 0,
        mode: u16::MAX,
        place: 0,
        what,
    };
    if let Some(share) = plan.scrubber_share() {
        let mut draws = stream(seed, Domain::MissionOther, &[history, 0]);
        let start_s = start_s(plan, history);
        for (index, mode) in plan.modes.iter().enumerate().filter(|(_, m)| m.pattern.is_some()) {
            let course = plan.timeline.course(index, mode.level.index());
            let before = course.expected(start_s);
            let expected = course.expected(start_s + horizon) - before;
            for _ in 0..poisson_count(&mut draws, share * expected) {
                let (time_s, place) = course.when(before + unit(&mut draws) * expected);
                let bit = u32::try_from(below(&mut draws, 256)).unwrap_or(0);
                let place = u32::try_from(place).unwrap_or(0);
                let upset = other(time_s - start_s, What::Scrubber { bit });
                upsets.push(Upset { place, ..upset });
            }
        }
    }
    if let Some(hardened) = &plan.mission.hardened {
        let mut draws = stream(seed, Domain::MissionOther, &[history, 1]);
        let words = u64::from(plan.workload.stored_words());
        let expected = hardened.upsets_per_bit_day / DAY_S * (32 * words) as f64 * horizon;
        for _ in 0..poisson_count(&mut draws, expected) {
            let time_s = unit(&mut draws) * horizon;
            let bit = below(&mut draws, 32 * words);
            let word = u32::try_from(bit / 32).unwrap_or(0);
            let upset = other(time_s, What::Hardened { word, mask: 1 << (bit % 32) });
            let place = place_at(plan, start_s(plan, history) + time_s);
            upsets.push(Upset { place, ..upset });
        }
    }
}

/// The place of the track at a time since its start.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place of the track")]
fn place_at(plan: &Plan, time_s: f64) -> u32 {
    let places = plan.timeline.places.len().max(1) as f64;
    (time_s / plan.timeline.step_s()).rem_euclid(places) as u32
}
