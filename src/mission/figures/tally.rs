//! Figures from sums that grow with each history, so that no history is read twice.

use super::{
    ALPHA, Against, AwayFigure, Facts, Held, Incidence, LostMemory, MissionSpread, PerYear,
    Repairs, SchemeFact, SchemeFigures, ScrubTraffic, Spread, model_band,
};
use crate::mission::loss::Why;
use crate::mission::record::{Cause, Restored, SchemeHistory, Windows};
use crate::outcome::Outcome;
use crate::seed::{Domain, stream};
use crate::stats::{Interval, garwood, mean_interval, paired_ratio};
use crate::units::YEAR_S;
use std::collections::BTreeMap;

/// The most steps of a curve of incidence, and of the curves of all schemes together: of more
/// histories each step stands for several, so that no output grows with them.
const STEPS_MAX: (usize, usize) = (400, 2000);

/// Whether figures are worth computing again after so many histories: at the first four, then where
/// there are a quarter more. Figures cost as much as there are histories, so that all of them together
/// cost a fixed number of times what the last ones do.
pub const fn is_due(histories: u64) -> bool {
    let mut at = 1;
    while at < histories {
        at = if at < 4 { at + 1 } else { at + at / 4 };
    }
    at == histories
}

/// Missions that the spread counts of one history, at most: its first ones.
const MISSIONS_MAX: f64 = 1000.0;

/// What figures need of all histories so far.
#[derive(Clone, Debug)]
pub struct Tally {
    facts: Facts,
    schemes: Vec<Sums>,
}

/// The sums of one scheme.
#[derive(Clone, Debug, Default)]
struct Sums {
    inferences: u64,
    unavailable: u64,
    outcomes: [u64; 7],
    /// By history: wrong answers and inferences.
    wrong: Vec<(u64, u64)>,
    error_episodes: u64,
    critical_episodes: u64,
    due_episodes: u64,
    critical_by_cause: [u64; Cause::ALL.len()],
    latency_s: Vec<f64>,
    length_s: Vec<f64>,
    censored: u64,
    spread: Missions,
    resets: u64,
    host_resets: u64,
    away: [(u64, f64); Why::ALL.len()],
    golden: (u64, f64),
    repairs: Repairs,
    lost: LostMemory,
    struck: u64,
    common_cause: u64,
    /// When the first wrong answer came, or the service was away: what was first, and whether it was
    /// the answer.
    ends: Vec<(f64, bool)>,
    until_s: f64,
    windows: Windows,
}

/// Wrong answers of single missions.
#[derive(Clone, Copy, Debug, Default)]
struct Missions {
    count: u64,
    sum: f64,
    squares: f64,
    least: f64,
    most: f64,
}

impl Tally {
    /// Of no history.
    pub fn new(facts: &Facts) -> Self {
        let schemes = facts.schemes.iter().map(|_| Sums::default()).collect();
        Self { facts: facts.clone(), schemes }
    }

    /// Histories added.
    pub fn histories(&self) -> u64 {
        self.schemes.first().map_or(0, |sums| sums.wrong.len() as u64)
    }

    /// Adds a history under every scheme.
    pub fn add(&mut self, schemes: &[SchemeHistory]) {
        for (sums, history) in self.schemes.iter_mut().zip(schemes) {
            sums.add(&self.facts, history);
        }
    }

    /// The figures of each scheme.
    pub fn figures(&self) -> Vec<SchemeFigures> {
        let of = |(at, fact): (usize, &SchemeFact)| {
            let sums = self.schemes.get(at)?;
            let mut figures = sums.figures(&self.facts, at, fact);
            figures.against = self.against(at, fact);
            Some(figures)
        };
        self.facts.schemes.iter().enumerate().filter_map(of).collect()
    }

    /// A scheme against the first one.
    fn against(&self, at: usize, fact: &SchemeFact) -> Option<Against> {
        let (first, of_first) = (self.schemes.first()?, self.facts.schemes.first()?);
        let sums = self.schemes.get(at).filter(|_| at > 0)?;
        let pairs = first.wrong.iter().zip(&sums.wrong);
        let pairs: Vec<_> = pairs.map(|(first, of)| ((first.0, of.0), 1)).collect();
        let events = (first.critical_episodes, sums.critical_episodes);
        let mut draws = stream(self.facts.seed, Domain::Bootstrap, &[10, at as u64]);
        Some(Against {
            baseline: of_first.name.clone(),
            fewer: paired_ratio(&pairs, events, ALPHA, &mut draws),
            memory: fact.stored_bytes as f64 / of_first.stored_bytes.max(1) as f64,
        })
    }
}

impl Sums {
    fn add(&mut self, facts: &Facts, history: &SchemeHistory) {
        self.inferences += history.inferences;
        self.unavailable += history.unavailable;
        for (sum, count) in self.outcomes.iter_mut().zip(history.outcomes) {
            *sum += count;
        }
        self.wrong.push((history.wrong(), history.inferences));
        for episode in &history.episodes {
            let critical = episode.count(Outcome::CriticalSdc) > 0;
            self.critical_episodes += u64::from(critical);
            self.critical_by_cause[episode.cause as usize] += u64::from(critical);
            self.due_episodes += u64::from(episode.count(Outcome::Due) > 0);
            if episode.is_error() {
                self.error_episodes += 1;
                self.censored += u64::from(episode.ended == Restored::Mission);
                self.latency_s.extend(episode.first_effect_s.map(|at| at - episode.start_s));
                self.length_s.push(episode.end_s - episode.start_s);
            }
        }
        self.spread.add(facts, history);
        for away in &history.away {
            let (times, dead_s) = &mut self.away[away.why as usize];
            *times += 1;
            *dead_s += away.length_s;
        }
        self.resets += history.resets();
        self.host_resets += history.host_resets();
        self.golden.0 += history.repairs.0;
        self.golden.1 += history.repairs.1;
        self.repairs.scrub_repaired += history.scrub_repaired;
        self.repairs.read_repaired += history.read_repaired;
        self.repairs.scrub_uncorrectable += history.scrub_uncorrectable;
        self.repairs.reloads += history.reloads;
        self.lost.rows_remapped += history.rows_remapped();
        self.lost.pages_retired += history.pages_retired();
        self.lost.exhausted += history.exhausted;
        self.lost.lost_bytes += history.lost_bytes;
        self.struck += history.struck;
        self.common_cause += history.common_cause;
        let end = match (history.first_critical_s, history.first_away_s) {
            (Some(critical), Some(away)) if away < critical => Some((away, false)),
            (Some(critical), _) => Some((critical, true)),
            (None, away) => away.map(|away| (away, false)),
        };
        self.ends.extend(end);
        self.until_s += end.map_or(facts.horizon_s, |(time_s, _)| time_s);
        self.windows.flown += history.windows.flown;
        self.windows.held += history.windows.held;
    }

    fn figures(&self, facts: &Facts, at: usize, fact: &SchemeFact) -> SchemeFigures {
        let count = self.wrong.len() as u64;
        let years = facts.horizon_s / YEAR_S * count as f64;
        let per_year = |count: u64| {
            let interval = garwood(count, ALPHA);
            let scale = |value: f64| if years > 0.0 { value / years } else { 0.0 };
            PerYear {
                count,
                rate: scale(count as f64),
                interval: Interval { low: scale(interval.low), high: scale(interval.high) },
            }
        };
        let (share, interval) = self.wrong_share(facts, at);
        let per_history = self.inferences as f64 / count.max(1) as f64;
        let a_year = per_history / (facts.horizon_s / YEAR_S);
        let times = |factor: f64| {
            let Interval { low, high } = interval;
            (share * factor, Interval { low: low * factor, high: high * factor })
        };
        let all_s = facts.horizon_s * count.max(1) as f64;
        let dead_s: f64 = self.away.iter().map(|(_, dead_s)| dead_s).sum();
        let away = |why: Why| {
            let (times, dead_s) = self.away[why as usize];
            AwayFigure { why, times: per_year(times), dead_s, share: dead_s / all_s }
        };
        SchemeFigures {
            name: fact.name.clone(),
            histories: count,
            years,
            inferences: self.inferences,
            unavailable: self.unavailable,
            outcomes: self.outcomes,
            error_episodes: per_year(self.error_episodes),
            critical_episodes: per_year(self.critical_episodes),
            critical_by_cause: self.critical_by_cause,
            due_episodes: per_year(self.due_episodes),
            latency_s: Spread::of(self.latency_s.iter().copied()),
            length_s: Spread::of(self.length_s.iter().copied()),
            censored: self.censored,
            wrong_per_year: times(a_year),
            wrong_per_million: times(1e6),
            mission_spread: self.spread.figures(facts),
            against: None,
            model_band: model_band(facts, &self.critical_by_cause),
            availability: 1.0 - dead_s / all_s,
            resets: per_year(self.resets),
            host_resets: per_year(self.host_resets),
            away: Why::ALL.map(away),
            mean_time_to_repair_s: (self.golden.0 > 0)
                .then(|| self.golden.1 / self.golden.0 as f64),
            scrub_traffic: ScrubTraffic {
                bytes_s: fact.scrub_bytes_s,
                share: fact.scrub_bytes_s / facts.bandwidth_bytes_s,
            },
            repairs: self.repairs,
            lost: self.lost,
            struck: self.struck,
            common_cause: self.common_cause,
            incidence: self.incidence(facts),
            restricted_mean_years: self.until_s / count.max(1) as f64 / YEAR_S,
            requirement: facts.requirement.map(|wanted| Held::of(wanted, self.windows, count)),
        }
    }

    /// The mean share of inferences that are wrong, and its bootstrap interval over histories.
    fn wrong_share(&self, facts: &Facts, at: usize) -> (f64, Interval) {
        let none = Interval { low: 0.0, high: 0.0 };
        let wrong: u64 = self.wrong.iter().map(|(wrong, _)| wrong).sum();
        // No resample of histories without a wrong answer has any: that bounds nothing.
        if wrong == 0 {
            return (0.0, none);
        }
        let shares = self.wrong.iter().map(|(wrong, of)| (*wrong as f64 / (*of).max(1) as f64, 1));
        let shares: Vec<(f64, u64)> = shares.collect();
        let mut draws = stream(facts.seed, Domain::Bootstrap, &[9, at as u64]);
        let interval = mean_interval(&shares, ALPHA, &mut draws).unwrap_or(none);
        (wrong as f64 / self.inferences.max(1) as f64, interval)
    }

    /// The cumulative incidence of the first wrong answer, with the service being away as the
    /// competing end. Nothing is censored before the end of the mission, so that the estimate of Aalen
    /// and Johansen is the share of histories.
    fn incidence(&self, facts: &Facts) -> Vec<Incidence> {
        let mut ends = self.ends.clone();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let share = 1.0 / self.wrong.len().max(1) as f64;
        let mut at = Incidence { years: 0.0, critical: 0.0, away: 0.0 };
        let mut steps = vec![at];
        let most = (STEPS_MAX.1 / facts.schemes.len().max(1)).clamp(1, STEPS_MAX.0);
        let every = ends.len().div_ceil(most).max(1);
        for (count, (time_s, critical)) in (1_usize..).zip(ends) {
            at.years = time_s / YEAR_S;
            if critical {
                at.critical += share;
            } else {
                at.away += share;
            }
            if count.is_multiple_of(every) {
                steps.push(at);
            }
        }
        at.years = facts.horizon_s / YEAR_S;
        steps.push(at);
        steps
    }
}

impl Missions {
    /// Splits a history into missions of the stated length. The wrong answers of an episode that
    /// lasts over the end of a mission are spread evenly from the first one to the episode's end.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
    fn add(&mut self, facts: &Facts, history: &SchemeHistory) {
        let length_s = facts.mission_s();
        // A hair more, so that a quotient that rounds just below a whole number keeps it.
        let missions = (facts.horizon_s / length_s + 1e-9).floor().clamp(1.0, MISSIONS_MAX) as u64;
        if missions == 1 {
            return self.one(history.wrong() as f64);
        }
        let mut wrong: BTreeMap<u64, f64> = BTreeMap::new();
        for episode in &history.episodes {
            let count = episode.count(Outcome::CriticalSdc) as f64;
            let Some(start_s) = episode.first_critical_s else { continue };
            let span_s = episode.end_s - start_s;
            let [first, last] = [start_s, episode.end_s].map(|time_s| (time_s / length_s) as u64);
            for mission in first..=last.max(first).min(missions) {
                let from_s = start_s.max(mission as f64 * length_s);
                let to_s = episode.end_s.min((mission + 1) as f64 * length_s);
                let share = if first < last { (to_s - from_s).max(0.0) / span_s } else { 1.0 };
                *wrong.entry(mission).or_default() += count * share;
            }
        }
        let within = || wrong.range(..missions).map(|(_, wrong)| *wrong);
        for wrong in within() {
            self.one(wrong);
        }
        let quiet = missions - within().count() as u64;
        if quiet > 0 {
            self.one(0.0);
            self.count += quiet - 1;
        }
    }

    fn one(&mut self, wrong: f64) {
        self.least = if self.count == 0 { wrong } else { self.least.min(wrong) };
        self.most = self.most.max(wrong);
        self.count += 1;
        self.sum += wrong;
        self.squares += wrong * wrong;
    }

    fn figures(&self, facts: &Facts) -> MissionSpread {
        let length_s = facts.mission_s();
        let years = length_s / YEAR_S;
        let count = self.count as f64;
        let variance =
            (self.squares - self.sum * self.sum / count.max(1.0)).max(0.0) / (count - 1.0).max(1.0);
        MissionSpread {
            length_s,
            missions: self.count,
            least: self.least / years,
            most: self.most / years,
            deviation: variance.sqrt() / years,
        }
    }
}
