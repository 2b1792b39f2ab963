//! A mission under way, made by hand: what its screens show.

use beamline::device::{Hit, Memory, PatternShape, Persistence, StruckEntry};
use beamline::mission::figures::{
    AwayFigure, Held, LostMemory, MissionSpread, PerYear, Repairs, SchemeFigures, ScrubTraffic,
    Spread,
};
use beamline::mission::live::{LiveScheme, Phase, Snapshot, Spot, Started, Track};
use beamline::mission::run::HistoryRun;
use beamline::mission::sweep::Point;
use beamline::mission::{
    Away, Cause, Change, Duration, Episode, Patrol, Replaced, Requirement, Restored as Cleared,
    SchemeHistory, SchemeLayout, Tiling, Upset, What, Why, Windows,
};
use beamline::outcome::Outcome;
use beamline::scheme::{OnDue, Protection, Scheme, Scrub, ScrubBy};
use beamline::stats::Interval;
use beamline::units::{DAY_S, YEAR_S};
use std::sync::Arc;

/// Bytes of the weights of one replica.
const WEIGHTS: u64 = 8 << 30;

fn hourly(by: ScrubBy) -> Scrub {
    Scrub::seconds(3600.0, by)
}

/// Nothing, three copies with a vote every hour, and one that is reset after a DUE.
fn schemes() -> [Scheme; 3] {
    [
        Scheme::bare("none", Protection::None),
        Scheme {
            scrub: Some(hourly(ScrubBy::Vote)),
            ..Scheme::bare("tmr-hourly", Protection::TmrStorage)
        },
        Scheme { on_due: OnDue::Reset, ..Scheme::bare("dmr-reset", Protection::Dmr) },
    ]
}

fn memory() -> Arc<Memory> {
    Arc::new(Memory::load("a100-40gb").expect("a memory").0)
}

fn live(memory: &Memory, index: usize, scheme: Scheme) -> LiveScheme {
    let tiling = Tiling::new(100_000, Some(WEIGHTS)).expect("copies");
    let layout = SchemeLayout::new((index, &scheme), tiling, (memory, memory.map), (0, 0))
        .expect("a layout");
    let patrol = scheme.scrub.as_ref().map(|scrub| (Patrol::Periodic(3600.0), scrub.by));
    LiveScheme { scheme, layout, patrol }
}

/// A circle inclined by 60°, with an anomaly over the South Atlantic; 100 places of a minute.
fn track() -> Track {
    let spot = |at: i32| {
        let turn = f64::from(at) / 100.0;
        let latitude_deg = -60.0 * (turn * std::f64::consts::TAU).sin();
        let longitude_deg = 360.0 * turn - 180.0;
        let in_saa = (-90.0..0.0).contains(&longitude_deg) && latitude_deg < -20.0;
        Spot { latitude_deg, longitude_deg, in_saa }
    };
    Track::of(60.0, 6000.0, (0..100).map(spot).collect())
}

fn started() -> Started {
    let memory = memory();
    let schemes = (0..).zip(schemes()).map(|(at, scheme)| live(&memory, at, scheme)).collect();
    Started {
        mission: "leo-hbm".into(),
        workload: "digits-cnn".into(),
        adapter: "llvmpipe (LLVM 15.0.6, 256 bits) (llvmpipe Mesa 22.3.6, Vulkan, software)".into(),
        acceleration: 1000.0,
        horizon_s: 5.0 * YEAR_S,
        histories: 100,
        window_s: Some(30.0 * DAY_S),
        map: memory.map,
        memory,
        modes: vec!["trillium-hbm: seu".into(), "trillium-tpu: sefi".into()],
        schemes,
        track: track(),
    }
}

fn at(id: u32, days: f64, place: u32, what: What) -> Upset {
    let mode = u16::from(!matches!(what, What::Memory(_)));
    Upset { id, time_s: days * DAY_S, device: 0, mode, place, what }
}

fn flip(entry: u64) -> What {
    let mut mask = [0; 9];
    mask[3] = 1 << 30;
    What::Memory(Hit {
        shape: PatternShape::SingleBit,
        persistence: Persistence::Transient,
        strikes: vec![StruckEntry { entry, mask }],
    })
}

fn episode(days: [f64; 2], copy: u64, ended: Cleared, outcomes: [(Outcome, u64); 2]) -> Episode {
    let mut counts = [0; 7];
    for (outcome, count) in outcomes {
        counts[outcome as usize] += count;
    }
    let critical = counts[Outcome::CriticalSdc as usize] > 0;
    let first = days[0] * DAY_S + 30.0;
    Episode {
        cause: Cause::Memory,
        upset: 0,
        upsets: 1,
        copy,
        start_s: days[0] * DAY_S,
        first_effect_s: Some(first),
        first_critical_s: critical.then_some(first),
        end_s: days[1] * DAY_S,
        ended,
        outcomes: counts,
    }
}

fn change(days: f64, copy: u64, words: u32, ended: Cleared) -> Change {
    let ended = (words == 0).then_some(ended);
    Change { time_s: days * DAY_S, copy, upset: u32::MAX, ended, words }
}

/// A reset of a minute, or a restart of ten.
fn away(days: f64, why: Why) -> Away {
    let (start_s, length_s) = (days * DAY_S, if why.is_host() { 600.0 } else { 60.0 });
    Away { time_s: start_s, start_s, length_s, device: 0, upset: u32::MAX, why }
}

fn stops(upsets: &[Upset]) -> Vec<Away> {
    upsets.iter().filter_map(|u| Some(away(u.time_s / DAY_S, u.what.stops()?))).collect()
}

/// A row replaced in some bank.
fn row((days, entry): (f64, u64), memory: &Memory) -> Replaced {
    let at = memory.locate(entry, memory.map).expect("inside");
    Replaced { time_s: days * DAY_S, device: 0, entry, at, page: None }
}

/// Four upsets of memory, one SEFI and one restart of the host in five years.
fn first() -> HistoryRun {
    let entries = WEIGHTS / 32;
    let upsets = vec![
        at(0, 100.0, 30, flip(0)),
        at(1, 400.25, 31, flip(entries / 3)),
        at(2, 400.5, 10, flip(entries / 2)),
        at(3, 500.0, 40, What::Sefi),
        at(4, 1200.0, 33, flip(entries / 5)),
        at(5, 1500.0, 34, What::HostRam),
    ];
    let wrong = |count| [(Outcome::CriticalSdc, count), (Outcome::TolerableSdc, 10)];
    let end = 5.0 * YEAR_S / DAY_S;
    let none = SchemeHistory {
        outcomes: [0, 0, 0, 30, 1_100, 0, 0],
        away: stops(&upsets),
        replaced: [(200.0, 7000), (440.0, 900), (600.0, 40)].map(|at| row(at, &memory())).to_vec(),
        episodes: vec![
            episode([100.0, 500.0], 0, Cleared::Reset, wrong(400)),
            episode([400.25, 500.0], 7142, Cleared::Reset, wrong(100)),
            episode([1200.0, end], 4285, Cleared::Mission, wrong(600)),
        ],
        changes: vec![
            change(100.0, 0, 1, Cleared::Reset),
            change(400.25, 7142, 1, Cleared::Reset),
            change(400.5, 10_713, 1, Cleared::Reset),
            change(500.0, 0, 0, Cleared::Reset),
            change(500.0, 7142, 0, Cleared::Reset),
            change(500.0, 10_713, 0, Cleared::Reset),
            change(1200.0, 4285, 1, Cleared::Reset),
        ],
        ..SchemeHistory::default()
    };
    let voted = |days: f64, copy| {
        [change(days, copy, 1, Cleared::Scrub), change(days + 0.02, copy, 0, Cleared::Scrub)]
    };
    let corrected = |days: f64, copy| {
        let corrected = [(Outcome::Corrected, 12), (Outcome::Masked, 0)];
        episode([days, days + 0.02], copy, Cleared::Scrub, corrected)
    };
    let tmr = SchemeHistory {
        outcomes: [0, 36, 0, 0, 0, 0, 0],
        away: stops(&upsets),
        episodes: vec![corrected(100.0, 0), corrected(400.5, 10_713)],
        changes: [voted(100.0, 0), voted(400.25, 7142), voted(400.5, 10_713), voted(1200.0, 4285)]
            .concat(),
        ..SchemeHistory::default()
    };
    let due = [(Outcome::Due, 1), (Outcome::Masked, 0)];
    let dmr = SchemeHistory {
        outcomes: [0, 0, 0, 0, 0, 1, 0],
        away: [vec![away(100.001, Why::Due)], stops(&upsets)].concat(),
        episodes: vec![episode([100.0, 100.001], 0, Cleared::Reset, due)],
        changes: vec![change(100.0, 0, 1, Cleared::Reset), change(100.001, 0, 0, Cleared::Reset)],
        ..SchemeHistory::default()
    };
    HistoryRun { history: 0, start_s: 600.0, upsets, schemes: vec![none, tmr, dmr] }
}

fn figures(name: &str, wrong: f64) -> SchemeFigures {
    let interval = |value: f64| Interval { low: 0.8 * value, high: 1.2 * value };
    let rate = |rate: f64| PerYear { count: 12, rate, interval: interval(rate) };
    SchemeFigures {
        name: name.into(),
        histories: 12,
        years: 60.0,
        inferences: 1_893_456_000,
        unavailable: 7920,
        outcomes: [1_893_400_000, 0, 0, 360, 13_200, 0, 0],
        error_episodes: rate(0.61),
        critical_episodes: rate(0.6),
        critical_by_cause: [36, 0, 0, 0],
        due_episodes: rate(0.2),
        latency_s: Spread::default(),
        length_s: Spread::default(),
        censored: 1,
        wrong_per_year: (wrong, interval(wrong)),
        wrong_per_million: (6.97, interval(6.97)),
        mission_spread: MissionSpread {
            length_s: 5.0 * YEAR_S,
            missions: 12,
            least: 100.0,
            most: 420.0,
            deviation: 82.0,
        },
        against: None,
        model_band: Interval { low: 0.4, high: 2.6 },
        availability: 0.999_99,
        resets: rate(0.2),
        host_resets: rate(0.2),
        away: Why::ALL.map(|why| AwayFigure { why, times: rate(0.2), dead_s: 12.0, share: 1e-6 }),
        mean_time_to_repair_s: Some(3600.0),
        scrub_traffic: ScrubTraffic { bytes_s: 7e6, share: 4.5e-6 },
        repairs: Repairs::default(),
        lost: LostMemory { rows_remapped: 2, pages_retired: 0, exhausted: 0, lost_bytes: 0 },
        struck: 4,
        common_cause: 0,
        incidence: Vec::new(),
        restricted_mean_years: 3.1,
        requirement: Some(Held::of(
            Requirement { no_critical_sdc_for: Duration(30.0 * DAY_S), probability: 0.9 },
            // Refuted, undecided, shown.
            match name {
                "none" => Windows { flown: 60, held: 5 },
                "dmr-reset" => Windows { flown: 60, held: 53 },
                _ => Windows { flown: 60, held: 60 },
            },
            12,
        )),
    }
}

fn point(period_s: Option<f64>, wrong: f64, optimum: bool) -> Point {
    Point {
        scheme: "tmr-hourly".into(),
        period_s,
        traffic_bytes_s: period_s.map_or(0.0, |period_s| 2.4e10 / period_s),
        wrong_per_year: (wrong, Interval { low: 0.5 * wrong, high: 1.5 * wrong }),
        error_episodes: PerYear { count: 3, rate: 0.1, interval: Interval { low: 0.0, high: 0.2 } },
        optimum,
        refused: period_s.is_some_and(|s| s < 1.0).then(|| "expected 0.02 s or more".into()),
    }
}

pub(crate) fn running() -> Snapshot {
    Snapshot {
        started: Some(Arc::new(started())),
        phase: Phase::Histories,
        histories: 12,
        states: 3412,
        figures: [("none", 220.0), ("tmr-hourly", 0.0), ("dmr-reset", 0.0)]
            .map(|(name, wrong)| figures(name, wrong))
            .into(),
        first: Some(Arc::new(first())),
        sweep: [
            point(Some(0.001), 0.0, false),
            point(Some(3600.0), 1.1, false),
            point(Some(DAY_S), 1.3, true),
            point(None, 220.0, false),
        ]
        .into(),
        ..Snapshot::default()
    }
}
