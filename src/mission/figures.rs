//! What a mission comes to, scheme by scheme, with the uncertainty of each figure kept apart.

use super::file::Requirement;
use super::loss::Why;
use super::record::{Cause, Episode, SchemeHistory};
use crate::outcome::Outcome;
use crate::seed::{Domain, stream};
use crate::stats::{Interval, RESAMPLES, clopper_pearson, garwood, mean_interval};
use crate::units::YEAR_S;
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

/// A mode of a device on the mission's orbit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeFact {
    /// The device.
    pub device: String,
    /// The mode.
    pub mode: String,
    /// Its kind.
    pub kind: String,
    /// Events a second of one device: low, chosen, high.
    pub per_device_s: [f64; 3],
}

/// What a scheme costs, from its definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerYear {
    /// What was counted.
    pub count: u64,
    /// The rate.
    pub rate: f64,
    /// Its 95 % interval (Garwood).
    pub interval: Interval,
}

/// The time away for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Incidence {
    /// Years of flight.
    pub years: f64,
    /// Share with a critical SDC before anything took the service away.
    pub critical: f64,
    /// Share of which the service was away first.
    pub away: f64,
}

/// Whether a requirement holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Histories without a critical SDC for so long.
    pub held: u64,
    /// All histories.
    pub histories: u64,
    /// The one-sided lower end at 90 % confidence (Clopper–Pearson).
    pub low: f64,
    /// What is asked for.
    pub wanted: f64,
    /// `true` where the lower end reaches it.
    pub met: bool,
    /// Histories that would be needed if none had one.
    pub needed: u64,
}

/// What a mission comes to under one scheme.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    pub outcomes: [u64; 7],
    /// Error episodes a year: an answer differed or none was delivered.
    pub error_episodes: PerYear,
    /// Episodes with a wrong answer a year.
    pub critical_episodes: PerYear,
    /// Episodes with a wrong answer, by what they began with.
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
    pub wrong_per_year: (f64, Interval),
    /// Wrong answers per million inferences asked for, likewise.
    pub wrong_per_million: (f64, Interval),
    /// The least and the most wrong answers of a history: from mission to mission.
    pub wrong_of_a_history: (u64, u64),
    /// The standard deviation of the wrong answers of a history.
    pub wrong_deviation: f64,
    /// The factors on event rates from the low and the high level of the devices' figures and
    /// from AP8 (a factor 2 either way), weighted by what causes errors: the model's band.
    pub model_band: (f64, f64),
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
    /// Bytes a second that scrubs move, and their share of the memory's bandwidth.
    pub scrub_traffic: (f64, f64),
    /// Blocks put right by scrubs and by reads; those that scrubs could not put right; reloads.
    pub repairs: [u64; 4],
    /// Rows remapped, pages retired, repairs with nothing spare, bytes lost.
    pub lost: [u64; 4],
    /// Upsets of weights, and of them those that struck a word in two replicas.
    pub common_cause: (u64, u64),
    /// The time to the first wrong answer.
    pub incidence: Vec<Incidence>,
    /// Mean years of flight without a wrong answer and in service, at most those of a history.
    pub restricted_mean_years: f64,
    /// Whether the requirement holds, where there is one.
    pub requirement: Option<Verdict>,
}

/// The model's factor between AP8 and what is measured in orbit, either way (PHYSICS: "about 2").
pub const AP8_FACTOR: f64 = 2.0;
const ALPHA: f64 = 0.05;

/// The figures of each scheme; `runs` is `[history][scheme]`.
pub fn figures(facts: &Facts, runs: &[Vec<SchemeHistory>]) -> Vec<SchemeFigures> {
    let schemes = facts.schemes.iter().enumerate();
    schemes
        .map(|(at, fact)| {
            let histories: Vec<&SchemeHistory> =
                runs.iter().filter_map(|schemes| schemes.get(at)).collect();
            of_scheme(facts, at, fact, &histories)
        })
        .collect()
}

fn of_scheme(
    facts: &Facts,
    at: usize,
    fact: &SchemeFact,
    histories: &[&SchemeHistory],
) -> SchemeFigures {
    let count = histories.len() as u64;
    let years = facts.horizon_s / YEAR_S * count as f64;
    let sum = |of: &dyn Fn(&SchemeHistory) -> u64| histories.iter().map(|h| of(h)).sum::<u64>();
    let per_year = |count: u64| {
        let interval = garwood(count, ALPHA);
        let scale = |value: f64| if years > 0.0 { value / years } else { 0.0 };
        PerYear {
            count,
            rate: scale(count as f64),
            interval: Interval { low: scale(interval.low), high: scale(interval.high) },
        }
    };
    let episodes: Vec<&Episode> = histories.iter().flat_map(|h| &h.episodes).collect();
    let with = |outcome: Outcome| {
        per_year(episodes.iter().filter(|e| e.count(outcome) > 0).count() as u64)
    };
    let errors: Vec<&&Episode> = episodes.iter().filter(|e| e.is_error()).collect();
    let inferences = sum(&|h| h.inferences);
    let per_history = inferences as f64 / count.max(1) as f64;
    let wrong: Vec<u64> = histories.iter().map(|h| h.wrong()).collect();
    let shares: Vec<(f64, u64)> =
        histories.iter().map(|h| (h.wrong() as f64 / h.inferences.max(1) as f64, 1)).collect();
    let mut draws = stream(facts.seed, Domain::Bootstrap, &[9, at as u64]);
    // No resample of histories without a wrong answer has any: that bounds nothing.
    let interval = match wrong.iter().all(|wrong| *wrong == 0) {
        true => Interval { low: 0.0, high: 0.0 },
        false => mean_interval(&shares, ALPHA, RESAMPLES, &mut draws),
    };
    let mean_wrong = wrong.iter().sum::<u64>() as f64 / count.max(1) as f64;
    let times = |factor: f64| Interval { low: interval.low * factor, high: interval.high * factor };
    let a_year = per_history / (facts.horizon_s / YEAR_S);
    let share = mean_wrong / per_history.max(1.0);
    let variance = wrong.iter().map(|w| (*w as f64 - mean_wrong).powi(2)).sum::<f64>()
        / (count.max(2) - 1) as f64;
    let all_s = facts.horizon_s * count.max(1) as f64;
    let dead: f64 = histories.iter().map(|h| h.dead_s()).sum();
    let away = |why: Why| {
        let of = histories.iter().flat_map(|h| &h.away).filter(|away| away.why == why);
        let (times, dead_s) = of.fold((0, 0.0), |(n, s), away| (n + 1, s + away.length_s));
        AwayFigure { why, times: per_year(times), dead_s, share: dead_s / all_s }
    };
    let (repaired, took) =
        histories.iter().fold((0, 0.0), |(n, s), h| (n + h.repairs.0, s + h.repairs.1));
    let mut critical_by_cause = [0; Cause::ALL.len()];
    for episode in episodes.iter().filter(|e| e.count(Outcome::CriticalSdc) > 0) {
        critical_by_cause[episode.cause as usize] += 1;
    }
    SchemeFigures {
        name: fact.name.clone(),
        histories: count,
        years,
        inferences,
        unavailable: sum(&|h| h.unavailable),
        outcomes: std::array::from_fn(|o| sum(&|h| h.outcomes[o])),
        error_episodes: per_year(errors.len() as u64),
        critical_episodes: with(Outcome::CriticalSdc),
        critical_by_cause,
        due_episodes: with(Outcome::Due),
        latency_s: Spread::of(errors.iter().filter_map(|e| Some(e.first_effect_s? - e.start_s))),
        length_s: Spread::of(errors.iter().map(|e| e.end_s - e.start_s)),
        censored: errors.iter().filter(|e| e.ended == super::Ended::Mission).count() as u64,
        wrong_per_year: (share * a_year, times(a_year)),
        wrong_per_million: (share * 1e6, times(1e6)),
        wrong_of_a_history: (
            wrong.iter().min().copied().unwrap_or(0),
            wrong.iter().max().copied().unwrap_or(0),
        ),
        wrong_deviation: variance.sqrt(),
        model_band: model_band(facts, &critical_by_cause),
        availability: 1.0 - dead / all_s,
        resets: per_year(sum(&|h| h.resets())),
        host_resets: per_year(sum(&|h| h.host_resets())),
        away: Why::ALL.map(away),
        mean_time_to_repair_s: (repaired > 0).then(|| took / repaired as f64),
        scrub_traffic: (fact.scrub_bytes_s, fact.scrub_bytes_s / facts.bandwidth_bytes_s),
        repairs: [
            sum(&|h| h.scrub_repaired),
            sum(&|h| h.read_repaired),
            sum(&|h| h.scrub_uncorrectable),
            sum(&|h| h.reloads),
        ],
        lost: [
            sum(&|h| h.rows_remapped()),
            sum(&|h| h.pages_retired()),
            sum(&|h| h.exhausted),
            sum(&|h| h.lost_bytes),
        ],
        common_cause: (sum(&|h| h.struck), sum(&|h| h.common_cause)),
        incidence: incidence(facts, histories),
        restricted_mean_years: restricted_mean(facts, histories),
        requirement: facts.requirement.map(|wanted| verdict(wanted, histories)),
    }
}

/// AP8's factor times the band of the figures of the modes that cause wrong answers: those of
/// memory for episodes of memory and values, the others for their own.
fn model_band(facts: &Facts, by_cause: &[u64; Cause::ALL.len()]) -> (f64, f64) {
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
    (mean(&|band| band.0) / AP8_FACTOR, mean(&|band| band.1) * AP8_FACTOR)
}

/// The cumulative incidence of the first wrong answer, with the service being away as the
/// competing end. Nothing is censored before the end of the mission, so that the estimate of Aalen
/// and Johansen is the share of histories.
fn incidence(facts: &Facts, histories: &[&SchemeHistory]) -> Vec<Incidence> {
    let mut ends: Vec<(f64, bool)> = histories
        .iter()
        .filter_map(|h| match (h.first_critical_s, h.first_away_s) {
            (Some(critical), Some(away)) if away < critical => Some((away, false)),
            (Some(critical), _) => Some((critical, true)),
            (None, Some(away)) => Some((away, false)),
            (None, None) => None,
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let share = 1.0 / histories.len().max(1) as f64;
    let mut at = Incidence { years: 0.0, critical: 0.0, away: 0.0 };
    let mut steps = vec![at];
    for (time_s, critical) in ends {
        at.years = time_s / YEAR_S;
        if critical {
            at.critical += share;
        } else {
            at.away += share;
        }
        steps.push(at);
    }
    at.years = facts.horizon_s / YEAR_S;
    steps.push(at);
    steps
}

fn restricted_mean(facts: &Facts, histories: &[&SchemeHistory]) -> f64 {
    let until = |h: &&SchemeHistory| {
        let first = |time: Option<f64>| time.unwrap_or(facts.horizon_s);
        first(h.first_critical_s).min(first(h.first_away_s))
    };
    histories.iter().map(until).sum::<f64>() / histories.len().max(1) as f64 / YEAR_S
}

fn verdict(wanted: Requirement, histories: &[&SchemeHistory]) -> Verdict {
    let holds = |h: &&&SchemeHistory| {
        h.first_critical_s.is_none_or(|time| time >= wanted.no_critical_sdc_for.0)
    };
    let held = histories.iter().filter(holds).count() as u64;
    let count = histories.len() as u64;
    // One-sided at 90 %: the lower end of the two-sided interval at 80 %.
    let low = if count == 0 { 0.0 } else { clopper_pearson(held, count, 0.2).low };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let needed = (0.1f64.ln() / wanted.probability.ln()).ceil() as u64;
    Verdict {
        held,
        histories: count,
        low,
        wanted: wanted.probability,
        met: low >= wanted.probability,
        needed,
    }
}
