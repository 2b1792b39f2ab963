//! Expected rates: the rate of each kind of event times what one such event does by itself.
//!
//! A stratum is a mode and, where it flips bits, one shape of its pattern within or outside the
//! stretch of memory that some scheme uses for weights. From each stratum single events are drawn,
//! each alone in a history of its own but for resets and restarts, and followed to the end of the
//! mission. What two events do together is not in these figures; a realised history has it.

use super::figures::AP8_FACTOR;
use super::plan::Plan;
use super::record::{SchemeHistory, Upset, What};
use super::run::settled;
use super::upset;
use super::verdicts::Verdicts;
use crate::device::{EventReach, Pattern};
use crate::engine::{Engine, Error};
use crate::fault::poisson_count;
use crate::outcome::Outcome;
use crate::rate::Arrival;
use crate::seed::{Domain, below, stream, unit};
use crate::stats::{Estimate, Interval, estimate, weighted_poisson};
use crate::units::YEAR_S;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Single events are drawn in the histories from here on.
const HISTORIES: u64 = 1 << 40;
const ALPHA: f64 = 0.05;
/// From so many events with wrong answers on, the worst of a stratum says what one of it may lead to.
const EVENTS_MIN: u64 = 5;

/// One kind of event, and what it does alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stratum {
    /// The device.
    pub device: String,
    /// The mode.
    pub mode: String,
    /// The shape of the bits that it flips, where it flips bits.
    pub shape: Option<String>,
    /// Whether it begins within the stretch of memory that weights lie in.
    pub within: Option<bool>,
    /// Events a year of flight on all devices of the mission.
    pub per_year: f64,
    /// Events drawn; 0 where none can reach memory in use, or it stops a device and answers nothing.
    pub drawn: u64,
    /// By scheme.
    pub schemes: Vec<Share>,
}

/// What events of a stratum do under one scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Episodes with a wrong answer.
    pub critical: Sum,
    /// Episodes with a DUE.
    pub due: Sum,
    /// Events with answers that differed and decided alike.
    pub tolerable: u64,
    /// Wrong answers.
    pub wrong: Sum,
}

/// A count of each of some events, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sum {
    /// Events with a count above 0.
    pub events: u64,
    /// The sum of all counts.
    pub sum: u64,
    /// The sum of their squares.
    pub squares: f64,
    /// The largest.
    pub most: u64,
}

impl Sum {
    /// Adds the count of one event.
    pub fn add(&mut self, count: u64) {
        self.events += u64::from(count > 0);
        self.sum += count;
        self.squares += (count as f64).powi(2);
        self.most = self.most.max(count);
    }
}

/// A scheme's expected rates a year of flight, with Monte-Carlo intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// The scheme.
    pub scheme: String,
    /// Episodes with a wrong answer.
    #[serde(with = "estimate")]
    #[schemars(with = "Estimate")]
    pub critical: (f64, Interval),
    /// Episodes with a DUE.
    #[serde(with = "estimate")]
    #[schemars(with = "Estimate")]
    pub due: (f64, Interval),
    /// Wrong answers.
    #[serde(with = "estimate")]
    #[schemars(with = "Estimate")]
    pub wrong: (f64, Interval),
    /// The factor of the model band on either side from AP8 alone.
    pub ap8_factor: f64,
}

/// One event of a stratum: its mode, its shape and where it begins.
#[derive(Clone, Copy)]
struct StratumEvent {
    mode: usize,
    shape: Option<usize>,
    within: Option<bool>,
}

/// Draws `each` events of every stratum and follows them.
///
/// # Errors
/// Where the engine fails.
pub fn strata(
    plan: &Plan,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
    each: u64,
) -> Result<Vec<Stratum>, Error> {
    let used = plan.terms.iter().map(|terms| terms.layout.used_entries()).max().unwrap_or(0);
    let share = used as f64 / plan.ground.memory.entries().max(1) as f64;
    let kinds = all_kinds(plan);
    let mut strata = Vec::new();
    for (number, kind) in (0u64..).zip(kinds) {
        let mode = &plan.modes[kind.mode];
        let course = plan.timeline.course(kind.mode, mode.level.index());
        let mut per_year = f64::from(plan.devices()) * course.lap() / course.lap_s() * YEAR_S;
        let mut name = None;
        if let (Some(pattern), Some(shape)) = (&mode.pattern, kind.shape) {
            per_year *= pattern.events[shape].share;
            name = Some(pattern.events[shape].shape.name().to_owned());
        }
        if let Some(within) = kind.within {
            per_year *= if within { share } else { 1.0 - share };
        }
        let drawn = if per_year > 0.0 && can_answer(plan, kind) { each } else { 0 };
        let histories: Vec<Vec<Upset>> =
            (0..drawn).map(|event| draw(plan, kind, number, event, used)).collect();
        let runs = settled(plan, engine, verdicts, &histories, &mut |_| {})?;
        let mut schemes = vec![Share::default(); plan.terms.len()];
        for run in &runs {
            for (share, history) in schemes.iter_mut().zip(run) {
                share.count(history);
            }
        }
        strata.push(Stratum {
            device: mode.device.clone(),
            mode: mode.mode.name.clone(),
            shape: name,
            within: kind.within,
            per_year,
            drawn,
            schemes,
        });
    }
    Ok(strata)
}

/// Every mode, every shape of its bits, within and outside the memory that weights lie in.
fn all_kinds(plan: &Plan) -> Vec<StratumEvent> {
    let mut kinds = Vec::new();
    for (mode, of) in plan.modes.iter().enumerate() {
        match &of.pattern {
            None => kinds.push(StratumEvent { mode, shape: None, within: None }),
            Some(pattern) => {
                for shape in 0..pattern.events.len() {
                    for within in [true, false] {
                        kinds.push(StratumEvent { mode, shape: Some(shape), within: Some(within) });
                    }
                }
            }
        }
    }
    kinds
}

/// The kinds of which single events are drawn, as a mode and a shape.
pub(super) fn kinds(plan: &Plan) -> Vec<(usize, Option<usize>)> {
    let drawn = all_kinds(plan).into_iter().filter(|kind| can_answer(plan, *kind));
    drawn.map(|kind| (kind.mode, kind.shape)).collect()
}

/// Whether a mode stops a device or its host, which every single event's history has besides.
pub(super) fn stops(plan: &Plan, mode: usize) -> bool {
    upset::stop(plan.modes[mode].mode.kind).is_some()
}

/// Whether an event may touch an answer: it does not where it begins in unused memory and strikes no
/// other entry, nor where it stops a device.
fn can_answer(plan: &Plan, kind: StratumEvent) -> bool {
    let mode = &plan.modes[kind.mode];
    let inside = |(pattern, shape): (&Pattern, usize)| {
        pattern.reach(shape, &plan.ground.memory) == EventReach::Entry
    };
    let pattern = mode.pattern.as_ref().zip(kind.shape);
    upset::stop(mode.mode.kind).is_none()
        && !(kind.within == Some(false) && pattern.is_some_and(inside))
}

impl Share {
    fn count(&mut self, history: &SchemeHistory) {
        let episodes = |outcome: Outcome| {
            history.episodes.iter().filter(|episode| episode.count(outcome) > 0).count() as u64
        };
        self.critical.add(episodes(Outcome::CriticalSdc));
        self.due.add(episodes(Outcome::Due));
        self.tolerable += u64::from(history.outcomes[Outcome::TolerableSdc as usize] > 0);
        self.wrong.add(history.wrong());
    }
}

/// An event at a time that follows the orbit, and the interrupts of a history, which load memory
/// anew and so end what the event began.
fn draw(plan: &Plan, kind: StratumEvent, stratum: u64, event: u64, used: u64) -> Vec<Upset> {
    let keys = [HISTORIES + stratum, 0, event];
    let mut draws = stream(plan.mission.seed, Domain::MissionEvent, &keys);
    let mode = &plan.modes[kind.mode];
    let course = plan.timeline.course(kind.mode, mode.level.index());
    let (time_s, place) = course.when(unit(&mut draws) * course.expected(plan.ground.horizon_s));
    let arrival = Arrival { time_s, mode: kind.mode, place };
    let device = |draws: &mut _| u32::try_from(below(draws, plan.devices().into())).unwrap_or(0);
    let struck = device(&mut draws);
    let mut upset = upset::upset(plan, struck, &arrival, &mut draws);
    let memory = &plan.ground.memory;
    if let (Some(pattern), Some(shape), Some(within)) = (&mode.pattern, kind.shape, kind.within) {
        let origin = if within || used >= memory.entries() {
            below(&mut draws, used.max(1))
        } else {
            used + below(&mut draws, memory.entries() - used)
        };
        let map = plan.ground.map;
        upset.what = What::Memory(pattern.draw_shape(shape, &mut draws, memory, map, origin));
    }
    let mut upsets = vec![upset];
    for (index, mode) in plan.modes.iter().enumerate().filter(|(index, _)| stops(plan, *index)) {
        let course = plan.timeline.course(index, mode.level.index());
        let expected = course.expected(plan.ground.horizon_s);
        for _ in 0..poisson_count(&mut draws, f64::from(plan.devices()) * expected) {
            let (time_s, place) = course.when(unit(&mut draws) * expected);
            let arrival = Arrival { time_s, mode: index, place };
            let stopped = device(&mut draws);
            upsets.push(upset::upset(plan, stopped, &arrival, &mut draws));
        }
    }
    upsets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    upsets
}

/// The expected rates of each scheme.
pub fn expected(plan: &Plan, strata: &[Stratum]) -> Vec<Expected> {
    let of =
        |(at, scheme): (usize, &super::Terms)| Expected::of(&scheme.reader.scheme.name, at, strata);
    plan.terms.iter().enumerate().map(of).collect()
}

impl Expected {
    /// The expected rates of a scheme, given by its place in the strata.
    ///
    /// An event weighs rate / drawn × what is counted of it, and the sum of weights has the interval
    /// of [`weighted_poisson`]. An event that was not drawn weighs at most as much as the heaviest
    /// stratum's: as much as was counted of any event of the stratum under any scheme; where fewer
    /// than five had any, of its mode; at least one. Distances of Wilson's intervals in
    /// quadrature hold the truth too seldom where many strata are seldom wrong.
    pub fn of(scheme: &str, at: usize, strata: &[Stratum]) -> Self {
        let rate = |of: fn(&Share) -> &Sum| {
            let most_of = |stratum: &Stratum| {
                let most = stratum.schemes.iter().map(|share| of(share).most).max().unwrap_or(0);
                let events = stratum.schemes.iter().map(|share| of(share).events).max();
                (most, events.unwrap_or(0))
            };
            let (mut sum, mut squares, mut largest) = (0.0, 0.0, 0.0);
            for stratum in strata.iter().filter(|stratum| stratum.drawn > 0) {
                let weight = stratum.per_year / stratum.drawn as f64;
                let counted = of(&stratum.schemes[at]);
                sum += weight * counted.sum as f64;
                squares += weight * weight * counted.squares;
                let alike = |s: &&Stratum| (&s.device, &s.mode) == (&stratum.device, &stratum.mode);
                let most = match most_of(stratum) {
                    (most, events) if events >= EVENTS_MIN => most,
                    _ => strata.iter().filter(alike).map(|s| most_of(s).0).max().unwrap_or(0),
                };
                largest = f64::max(largest, weight * most.max(1) as f64);
            }
            (sum, weighted_poisson(sum, squares, largest, ALPHA))
        };
        Self {
            scheme: scheme.to_owned(),
            critical: rate(|share| &share.critical),
            due: rate(|share| &share.due),
            wrong: rate(|share| &share.wrong),
            ap8_factor: AP8_FACTOR,
        }
    }
}
