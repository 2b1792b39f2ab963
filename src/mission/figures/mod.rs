//! What a mission comes to, scheme by scheme, with the uncertainty of each figure kept apart.

mod tally;

pub use tally::{Tally, is_due};

use super::file::Requirement;
use super::loss::Why;
use super::record::{Cause, SchemeHistory, Windows};
use crate::device::{Levels, levels};
use crate::outcome::{OutcomeCounts, by_name};
use crate::stats::{Decision, Estimate, Interval, Ratio, Verdict, estimate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What figures need of the plan; archived with the mission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The seed of the mission.
    pub seed: u64,
    /// Seconds of flight of each history.
    pub horizon_s: f64,
    /// How many times as fast as in flight the mission runs.
    pub acceleration: f64,
    /// Inferences a second of flight.
    pub inferences_per_s: f64,
    /// Bytes a second that the memory moves.
    pub bandwidth_bytes_s: f64,
    /// Bytes of the memory of one device.
    pub capacity_bytes: u64,
    /// Copies of the workload in a replica of the weights.
    pub copies: u64,
    /// What must hold, where the mission says so.
    pub requirement: Option<Requirement>,
    /// By mode: the device, the mode, its kind, and events a second of one device at the low, the
    /// chosen and the high level of its figures, the mean over the orbit.
    pub modes: Vec<ModeFact>,
    /// By scheme.
    pub schemes: Vec<SchemeFact>,
}

impl Facts {
    /// Seconds of flight of one mission as the file states it: a history flies as many of them as
    /// its acceleration says, or part of one.
    pub fn mission_s(&self) -> f64 {
        self.horizon_s / self.acceleration.max(1.0)
    }
}

/// A mode of a device on the mission's orbit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModeFact {
    /// The device.
    pub device: String,
    /// The mode.
    pub mode: String,
    /// Its kind.
    pub kind: String,
    /// Events a second of one device: low, chosen, high.
    #[serde(with = "levels")]
    #[schemars(with = "Levels")]
    pub per_device_s: [f64; 3],
}

/// What a scheme costs, from its definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SchemeFact {
    /// Its name.
    pub name: String,
    /// Bytes of all replicas with their check words.
    pub stored_bytes: u64,
    /// Bytes of the weights of one replica.
    pub weight_bytes: u64,
    /// Devices that it uses.
    pub devices: u32,
    /// Passes of its scrub a second; 0 without one.
    pub scrub_passes_s: f64,
    /// Bytes that its scrub moves a second.
    pub scrub_bytes_s: f64,
    /// Executions of an inference.
    pub executions: u32,
}

/// Count, mean, median, 90th percentile and largest of some seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// The mean.
    pub mean: f64,
    /// Half lie below.
    pub median: f64,
    /// Nine of ten lie below.
    pub p90: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let Some(max) = values.last().copied() else { return Self::default() };
        let at = |share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
            let rank = (share * count as f64).ceil() as usize;
            values[rank.clamp(1, count) - 1]
        };
        let mean = values.iter().sum::<f64>() / count as f64;
        Self { count, mean, median: at(0.5), p90: at(0.9), max }
    }
}

/// A rate a year of flight with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema, Deserialize)]
pub struct PerYear {
    /// What was counted.
    pub count: u64,
    /// The rate.
    pub rate: f64,
    /// Its 95 % interval (Garwood).
    pub interval: Interval,
}

/// The time away for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AwayFigure {
    /// The reason.
    pub why: Why,
    /// How often a year.
    pub times: PerYear,
    /// Seconds away of all histories together.
    pub dead_s: f64,
    /// Their share of all time.
    pub share: f64,
}

/// One step of a cumulative incidence: by this time, this share of the histories.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Incidence {
    /// Years of flight.
    pub years: f64,
    /// Share with a critical SDC before anything took the service away.
    pub critical: f64,
    /// Share of which the service was away first.
    pub away: f64,
}

/// Whether a requirement holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Held {
    /// What windows of the wanted length from a fresh start say, of all histories.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Histories in all that would decide at the observed share and as many windows a history;
    /// `None` where [`Verdict::trials_needed`] is.
    pub histories_needed: Option<u64>,
}

impl Held {
    /// From windows counted in so many histories.
    pub fn of(wanted: Requirement, windows: Windows, histories: u64) -> Self {
        let Windows { flown, held } = windows;
        let verdict = Verdict::of(held, flown, wanted.probability, REQUIREMENT_ALPHA);
        let needed = |trials: u64| {
            let histories = u128::from(trials) * u128::from(histories.max(1));
            u64::try_from(histories.div_ceil(u128::from(flown.max(1)))).unwrap_or(u64::MAX)
        };
        Self { verdict, histories_needed: verdict.trials_needed.map(needed) }
    }

    /// The verdict in words: an undecided one with the histories that would decide.
    pub fn words(&self) -> String {
        let name = self.verdict.decision.name();
        match (self.verdict.decision, self.histories_needed) {
            (Decision::Undecided, Some(histories)) => {
                format!("{name}: {histories} histories would decide")
            }
            (Decision::Undecided, None) => format!("{name}: no number of histories would decide"),
            _ => name.into(),
        }
    }
}

/// How missions of the length that the file states differ from one another: wrong answers a year of
/// flight of single missions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct MissionSpread {
    /// Seconds of flight of a mission: of a history, less its acceleration.
    pub length_s: f64,
    /// Stretches of that length that were flown.
    pub missions: u64,
    /// The fewest.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// The standard deviation.
    pub deviation: f64,
}

/// A scheme against the first one, on the same histories.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Against {
    /// The first scheme.
    pub baseline: String,
    /// How many times fewer wrong answers than under the first scheme: the ratio of its wrong
    /// answers to those here, with its 95 % bootstrap interval over histories, each with both counts.
    /// Where one of them had none, of their episodes with a wrong answer, one-sided.
    pub fewer: Option<Ratio>,
    /// Bytes stored, as a multiple of the first scheme's.
    pub memory: f64,
}

/// What scrubs move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ScrubTraffic {
    /// Bytes a second.
    pub bytes_s: f64,
    /// Their share of the memory's bandwidth.
    pub share: f64,
}

/// What was put right, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Repairs {
    /// Blocks that scrubs put right.
    pub scrub_repaired: u64,
    /// Blocks that reads put right.
    pub read_repaired: u64,
    /// Blocks that scrubs could not put right.
    pub scrub_uncorrectable: u64,
    /// Reloads of golden.
    pub reloads: u64,
}

impl Repairs {
    /// In the order of tables.
    pub const fn counts(&self) -> [u64; 4] {
        [self.scrub_repaired, self.read_repaired, self.scrub_uncorrectable, self.reloads]
    }
}

/// Memory that was replaced or lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LostMemory {
    /// Rows that spare ones replaced.
    pub rows_remapped: u64,
    /// Pages left out.
    pub pages_retired: u64,
    /// Repairs for which nothing was spare.
    pub exhausted: u64,
    /// Bytes lost.
    pub lost_bytes: u64,
}

impl LostMemory {
    /// In the order of tables.
    pub const fn counts(&self) -> [u64; 4] {
        [self.rows_remapped, self.pages_retired, self.exhausted, self.lost_bytes]
    }
}

/// Episodes by what they began with.
#[derive(Serialize, JsonSchema)]
struct CauseCounts {
    /// Stored memory differed from golden.
    memory: u64,
    /// A value in flight was struck.
    value: u64,
    /// Logic delivered a wrong result.
    logic: u64,
    /// Memory reported an uncorrectable error.
    uncorrectable: u64,
}

/// Serde: counts by cause as an object.
mod by_cause {
    use super::{Cause, CauseCounts};
    use serde::{Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        counts: &[u64; Cause::ALL.len()],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let [memory, value, logic, uncorrectable] = *counts;
        CauseCounts { memory, value, logic, uncorrectable }.serialize(to)
    }
}

/// What a mission comes to under one scheme.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SchemeFigures {
    /// The scheme.
    pub name: String,
    /// Histories.
    pub histories: u64,
    /// Years of flight of all histories together.
    pub years: f64,
    /// Inferences asked for in all histories.
    pub inferences: u64,
    /// Of them those that found the service away.
    pub unavailable: u64,
    /// The others by outcome.
    #[serde(flatten, with = "by_name")]
    #[schemars(with = "OutcomeCounts")]
    pub outcomes: [u64; 7],
    /// Error episodes a year: an answer differed or none was delivered.
    pub error_episodes: PerYear,
    /// Episodes with a wrong answer a year.
    pub critical_episodes: PerYear,
    /// Episodes with a wrong answer, by what they began with.
    #[serde(with = "by_cause")]
    #[schemars(with = "CauseCounts")]
    pub critical_by_cause: [u64; Cause::ALL.len()],
    /// Episodes with a DUE a year.
    pub due_episodes: PerYear,
    /// Seconds from the upset to the first inference with an error.
    pub latency_s: Spread,
    /// Seconds from the upset to the cleared state, of error episodes.
    pub length_s: Spread,
    /// Error episodes that the end of the mission cut off.
    pub censored: u64,
    /// Wrong answers a year of flight and their bootstrap interval over histories.
    #[serde(with = "estimate")]
    #[schemars(with = "Estimate")]
    pub wrong_per_year: (f64, Interval),
    /// Wrong answers per million inferences asked for, likewise.
    #[serde(with = "estimate")]
    #[schemars(with = "Estimate")]
    pub wrong_per_million: (f64, Interval),
    /// How they differ from mission to mission.
    pub mission_spread: MissionSpread,
    /// Against the first scheme; `None` for that one itself.
    pub against: Option<Against>,
    /// The factors on event rates from the low and the high level of the devices' figures and
    /// from AP8 (a factor 2 either way), weighted by what causes errors: the model's band.
    pub model_band: Interval,
    /// The share of time in service.
    pub availability: f64,
    /// Resets of the device a year.
    pub resets: PerYear,
    /// Restarts of the host a year.
    pub host_resets: PerYear,
    /// The time away by its reason, in the order of [`Why::ALL`]; the shares sum to what the
    /// availability lacks.
    pub away: [AwayFigure; Why::ALL.len()],
    /// Mean seconds from an upset to golden memory, of all copies that became golden again.
    pub mean_time_to_repair_s: Option<f64>,
    /// What scrubs move.
    pub scrub_traffic: ScrubTraffic,
    /// What was put right, and what was not.
    #[serde(flatten)]
    pub repairs: Repairs,
    /// Memory that was replaced or lost.
    #[serde(flatten)]
    pub lost: LostMemory,
    /// Upsets of weights.
    pub struck: u64,
    /// Of them those that struck a word in two replicas.
    pub common_cause: u64,
    /// The time to the first wrong answer.
    pub incidence: Vec<Incidence>,
    /// Mean years of flight without a wrong answer and in service, at most those of a history.
    pub restricted_mean_years: f64,
    /// Whether the requirement holds, where there is one.
    pub requirement: Option<Held>,
}

/// The model's factor between AP8 and what is measured in orbit, either way (PHYSICS: "about 2").
pub const AP8_FACTOR: f64 = 2.0;
const ALPHA: f64 = 0.05;
/// The risk of a wrong verdict on a requirement, on each side.
pub const REQUIREMENT_ALPHA: f64 = 0.1;

/// The figures of each scheme; `runs` is `[history][scheme]`.
pub fn figures(facts: &Facts, runs: &[Vec<SchemeHistory>]) -> Vec<SchemeFigures> {
    let mut tally = Tally::new(facts);
    runs.iter().for_each(|schemes| tally.add(schemes));
    tally.figures()
}

/// AP8's factor times the band of the figures of the modes that cause wrong answers: those of
/// memory for episodes of memory and values, the others for their own.
fn model_band(facts: &Facts, by_cause: &[u64; Cause::ALL.len()]) -> Interval {
    let ratio = |is: &dyn Fn(&str) -> bool| {
        let of = |level: usize| -> f64 {
            facts.modes.iter().filter(|m| is(&m.kind)).map(|m| m.per_device_s[level]).sum()
        };
        let chosen = of(1);
        if chosen > 0.0 { (of(0) / chosen, of(2) / chosen) } else { (1.0, 1.0) }
    };
    let bits = ["single-bit", "multi-bit", "row", "bank", "stuck-bit"];
    let memory = ratio(&|kind| bits.contains(&kind));
    let logic = ratio(&|kind| kind == "logic-sdc");
    let weights = [
        (by_cause[Cause::Memory as usize] + by_cause[Cause::Value as usize], memory),
        (by_cause[Cause::Logic as usize], logic),
    ];
    let total: u64 = weights.iter().map(|(count, _)| count).sum();
    let mean = |side: &dyn Fn((f64, f64)) -> f64| {
        if total == 0 {
            return side(memory);
        }
        weights.iter().map(|(count, band)| *count as f64 * side(*band)).sum::<f64>() / total as f64
    };
    Interval { low: mean(&|band| band.0) / AP8_FACTOR, high: mean(&|band| band.1) * AP8_FACTOR }
}
