//! Windows from a fresh start, the verdicts on a requirement that they give, and how often those hold.

#[path = "support/bench.rs"]
mod bench;

use beamline::device::Persistence;
use beamline::mission::figures::{Facts, Held, SchemeFact, SchemeFigures, Tally, figures, is_due};
use beamline::mission::{
    Cause, Duration, Episode, Requirement, Restored, SchemeHistory, Upset, What, Windows,
};
use beamline::outcome::Outcome;
use beamline::scheme::{Protection, ScrubBy};
use beamline::seed::{Domain, stream, unit};
use beamline::stats::Decision;
use beamline::units::{DAY_S, YEAR_S};
use bench::{Bench, bit, memory, scheme, scrub, upset};

const WINDOW_S: f64 = 100.0;
const ALPHA: f64 = 0.1;

/// Four copies that are read a hundred times a second each, and windows of [`WINDOW_S`].
fn bench(protection: Protection, scrubbed: bool) -> Bench {
    let scrub = scrubbed.then(|| scrub(20.0, ScrubBy::Reload, false));
    let mut bench = Bench::new(&scheme(protection, None, scrub), 576, 4, 100.0);
    bench.ground.window_s = Some(WINDOW_S);
    bench.ground.keep_changes = false;
    bench.ground.duty = 1.0;
    bench
}

#[test]
fn windows_begin_where_memory_is_golden_in_service_and_nothing_lasts() {
    let bench = bench(Protection::None, false);
    let flown = |mut upsets: Vec<Upset>, persistence: Persistence| {
        let strike = bench.strike(0, 1, 0, bit(0));
        upsets.push(upset(150.0, memory(vec![strike], persistence)));
        bench.run(upsets).windows
    };
    assert_eq!(bench.run(Vec::new()).windows, Windows { flown: 10, held: 10 });
    // Wrong from 150 s on: no window begins at 200 s.
    let alone = flown(Vec::new(), Persistence::Transient);
    assert_eq!(alone, Windows { flown: 2, held: 1 });
    // A reset at 420 s; in service again from 480 s on, in which five windows fit.
    let reset = || vec![upset(420.0, What::Sefi)];
    assert_eq!(flown(reset(), Persistence::Transient), Windows { flown: 7, held: 6 });
    assert_eq!(
        flown(reset(), Persistence::Stuck),
        Windows { flown: 2, held: 1 },
        "it is no fresh start"
    );
    // A reset while memory is golden does not end a window; what follows waits for the service.
    let quiet = bench.run(vec![upset(130.0, What::Sefi), upset(195.0, What::Sefi)]).windows;
    assert_eq!(quiet, Windows { flown: 9, held: 9 });
    // Wrong answers of logic leave memory golden.
    let logic = bench.run([5.0, 6.0, 950.0].map(|at| upset(at, What::LogicSdc)).to_vec()).windows;
    assert_eq!(logic, Windows { flown: 10, held: 8 });
}

/// Times of a Poisson process.
fn arrivals(draws: &mut impl rand::Rng, per_s: f64, horizon_s: f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut time_s = 0.0;
    loop {
        time_s -= (1.0 - unit(draws)).ln() / per_s;
        if time_s >= horizon_s {
            return times;
        }
        times.push(time_s);
    }
}

/// How often each end of 2,000 estimates lies on its side of the truth.
fn coverage(truth: f64, key: u64, windows: impl Fn(u64) -> Windows) -> [f64; 2] {
    const REPEATS: u64 = 2000;
    let required =
        |probability: f64| Requirement { no_critical_sdc_for: Duration(WINDOW_S), probability };
    let mut covered = [0_u64; 2];
    for repeat in 0..REPEATS {
        let held = Held::of(required(0.5), windows(key * REPEATS + repeat), 1);
        assert_eq!(held.verdict.alpha, ALPHA);
        covered[0] += u64::from(held.verdict.interval.low <= truth);
        covered[1] += u64::from(truth <= held.verdict.interval.high);
    }
    covered.map(|count| count as f64 / REPEATS as f64)
}

/// The nominal coverage within two points of a hundred.
fn assert_covers(truth: f64, key: u64, windows: impl Fn(u64) -> Windows) {
    let found = coverage(truth, key, windows);
    for (share, side) in found.into_iter().zip(["lower", "upper"]) {
        assert!((share - (1.0 - ALPHA)).abs() <= 0.02, "{side} ends cover in {share}");
    }
}

#[test]
fn ends_cover_where_first_events_are_poisson() {
    let mut bench = bench(Protection::None, false);
    bench.ground.horizon_s = 900.0 * WINDOW_S;
    let per_s = 0.5 / WINDOW_S;
    assert_covers((-per_s * WINDOW_S).exp(), 1, |repeat| {
        let mut draws = stream(5, Domain::Generate, &[repeat]);
        let times = arrivals(&mut draws, per_s, bench.ground.horizon_s);
        bench.run(times.into_iter().map(|at| upset(at, What::LogicSdc)).collect()).windows
    });
}

#[test]
fn ends_cover_where_wrong_answers_come_in_clusters() {
    // One event strikes three copies, each wrong until a scrub comes by: dozens of wrong answers.
    let mut bench = bench(Protection::None, true);
    bench.ground.horizon_s = 900.0 * WINDOW_S;
    let per_s = 0.5 / WINDOW_S;
    assert_covers((-per_s * WINDOW_S).exp(), 2, |repeat| {
        let mut draws = stream(5, Domain::Generate, &[repeat]);
        let times = arrivals(&mut draws, per_s, bench.ground.horizon_s);
        let strikes = || (0..3).map(|copy| bench.strike(0, copy, 0, bit(0))).collect();
        let hit = |at| upset(at, memory(strikes(), Persistence::Transient));
        bench.run(times.into_iter().map(hit).collect()).windows
    });
}

#[test]
fn ends_cover_where_resets_renew_a_vote_that_ages() {
    // Three replicas of one bit without a scrub: no error is exponential here, and what a window
    // finds depends on how fresh memory was at its start.
    let mut bench = bench(Protection::TmrStorage, false);
    bench.ground.horizon_s = 800.0 * WINDOW_S;
    bench.ground.reset_s = 0.01;
    let (per_replica_s, resets_per_s) = (0.8 / WINDOW_S, 1.0 / WINDOW_S);
    // One of three is struck; then a second one makes the answer wrong, or the first is struck back or
    // reset. Steps of the master equation of the two good states.
    let (mut none, mut one) = (1.0, 0.0);
    const STEPS: usize = 1_000_000;
    let step_s = WINDOW_S / STEPS as f64;
    for _ in 0..STEPS {
        let first = 3.0 * per_replica_s * none;
        let back = (per_replica_s + resets_per_s) * one;
        let lost = 2.0 * per_replica_s * one;
        none += (back - first) * step_s;
        one += (first - back - lost) * step_s;
    }
    let truth = none + one;
    assert!((0.3..0.7).contains(&truth), "{truth}");
    assert_covers(truth, 3, |repeat| {
        let mut draws = stream(5, Domain::Generate, &[repeat]);
        let horizon_s = bench.ground.horizon_s;
        let mut upsets = Vec::new();
        for replica in 0..3 {
            let times = arrivals(&mut draws, per_replica_s, horizon_s);
            upsets.extend(times.into_iter().map(|at| bench.hit(at, (replica, 1, 0), bit(0))));
        }
        let resets = arrivals(&mut draws, resets_per_s, horizon_s);
        upsets.extend(resets.into_iter().map(|at| upset(at, What::Sefi)));
        bench.run(upsets).windows
    });
}

#[test]
fn ends_cover_where_events_are_rare() {
    let mut bench = bench(Protection::None, false);
    let per_s = 1e-3 / WINDOW_S;
    let windows = |bench: &Bench, repeat: u64| {
        let mut draws = stream(5, Domain::Generate, &[repeat]);
        let times = arrivals(&mut draws, per_s, bench.ground.horizon_s);
        bench.run(times.into_iter().map(|at| upset(at, What::LogicSdc)).collect()).windows
    };
    let truth = (-per_s * WINDOW_S).exp();
    bench.ground.horizon_s = 4e5 * WINDOW_S;
    assert_covers(truth, 4, |repeat| windows(&bench, repeat));
    // Where two or three are expected, whole counts cannot be at the level; they never lie below it.
    bench.ground.horizon_s = 2.5e3 * WINDOW_S;
    let few = coverage(truth, 5, |repeat| windows(&bench, repeat));
    assert!(few.iter().all(|share| *share >= 0.88), "{few:?}");
}

fn facts(acceleration: f64, histories_years: f64) -> Facts {
    let scheme = |name: &str, stored_bytes: u64| SchemeFact {
        name: name.into(),
        stored_bytes,
        weight_bytes: 1 << 20,
        devices: 1,
        scrub_passes_s: 0.0,
        scrub_bytes_s: 0.0,
        executions: 1,
    };
    Facts {
        seed: 3,
        horizon_s: histories_years * YEAR_S,
        acceleration,
        inferences_per_s: 1e-3,
        bandwidth_bytes_s: 1e9,
        capacity_bytes: 1 << 30,
        copies: 1,
        requirement: Some(Requirement {
            no_critical_sdc_for: Duration(30.0 * DAY_S),
            probability: 0.5,
        }),
        modes: Vec::new(),
        schemes: vec![scheme("none", 1 << 20), scheme("TMR", 3 << 20)],
    }
}

/// A history with wrong answers from one year to another.
fn history(wrong: u64, years: [f64; 2], windows: Windows) -> SchemeHistory {
    let mut outcomes = [0; 7];
    outcomes[Outcome::CriticalSdc as usize] = wrong;
    let episode = Episode {
        cause: Cause::Memory,
        upset: 0,
        upsets: 1,
        copy: 0,
        start_s: years[0] * YEAR_S,
        first_effect_s: Some(years[0] * YEAR_S),
        first_critical_s: Some(years[0] * YEAR_S),
        end_s: years[1] * YEAR_S,
        ended: Restored::Scrub,
        outcomes,
    };
    SchemeHistory {
        inferences: 1_577_880,
        outcomes,
        windows,
        first_critical_s: (wrong > 0).then_some(years[0] * YEAR_S),
        episodes: if wrong > 0 { vec![episode] } else { Vec::new() },
        ..SchemeHistory::default()
    }
}

#[test]
fn a_verdict_counts_the_windows_of_all_flight() {
    let of = |held: u64| {
        let windows = Windows { flown: 23, held };
        let run = vec![history(0, [0.0; 2], windows), history(0, [0.0; 2], windows)];
        let figures = figures(&facts(10.0, 50.0), &vec![run; 8]);
        figures[0].requirement.expect("required")
    };
    let decisions = [23, 12, 2].map(|held| of(held).verdict.decision);
    assert_eq!(decisions, [Decision::Shown, Decision::Undecided, Decision::Refuted]);
    let open = of(12);
    assert_eq!((open.verdict.trials, open.verdict.held), (184, 96));
    let needed = open.histories_needed.expect("undecided");
    assert_eq!(needed, open.verdict.trials_needed.expect("undecided").div_ceil(23));
    assert_eq!(open.words(), format!("undecided: {needed} histories would decide"));
}

#[test]
fn the_spread_is_that_of_missions_of_the_stated_length_in_the_unit_of_the_mean() {
    // 50 years of flight are ten missions of five: 100 answers in the second, 40 over the ends of
    // the third and the fourth.
    let runs = vec![vec![
        SchemeHistory {
            outcomes: [0, 0, 0, 0, 140, 0, 0],
            episodes: [
                history(100, [6.0, 7.0], Windows::default()).episodes,
                history(40, [14.0, 18.0], Windows::default()).episodes,
            ]
            .concat(),
            ..history(0, [0.0; 2], Windows::default())
        },
        history(0, [0.0; 2], Windows::default()),
    ]];
    let of = &figures(&facts(10.0, 50.0), &runs)[0];
    let spread = of.mission_spread;
    assert_eq!((spread.length_s, spread.missions), (5.0 * YEAR_S, 10));
    assert_eq!((spread.least, spread.most), (0.0, 20.0));
    let missions: [f64; 10] = [0.0, 100.0, 10.0, 30.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let mean = missions.iter().sum::<f64>() / 10.0;
    assert!((mean / 5.0 - of.wrong_per_year.0).abs() < 1e-9, "the unit of the mean");
    let deviation = (missions.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 9.0).sqrt() / 5.0;
    assert!((spread.deviation - deviation).abs() < 1e-9, "{spread:?}");
    // In real time a history is a mission.
    let real = &figures(&facts(1.0, 50.0), &runs)[0].mission_spread;
    assert_eq!((real.missions, real.least, real.most), (1, 2.8, 2.8));
}

fn histories_and_ratio(figures: &[SchemeFigures]) -> (u64, Option<f64>) {
    (figures[0].histories, figures[1].against.as_ref().and_then(|of| of.fewer?.estimate))
}

#[test]
fn figures_of_growing_sums_are_those_of_all_histories_and_none_is_read_twice() {
    let facts = facts(1.0, 5.0);
    let runs: Vec<Vec<SchemeHistory>> = (0..40)
        .map(|n| {
            let windows = Windows { flown: 60, held: 50 + n % 10 };
            let answers = 80 * (n + 1);
            vec![history(answers, [1.0, 2.0], windows), history(answers / 8, [1.0, 1.5], windows)]
        })
        .collect();
    let mut tally = Tally::new(&facts);
    for (done, run) in (1..).zip(&runs) {
        tally.add(run);
        assert_eq!(tally.histories(), done);
    }
    let grown = tally.figures();
    assert_eq!(grown, figures(&facts, &runs));
    assert_eq!(histories_and_ratio(&grown), (40, Some(8.0)));
    let against = grown[1].against.as_ref().expect("the second scheme");
    let fewer = against.fewer.expect("a ratio");
    assert_eq!((against.memory, fewer.low, fewer.high), (3.0, 8.0, Some(8.0)), "it is paired");
    // Each history is added once. Figures cost as much as there are histories: all that a screen shows
    // on the way to 10,000 cost less than six times the last.
    let work = |histories: u64| (1..=histories).filter(|n| is_due(*n)).sum::<u64>();
    for histories in [10, 100, 1000, 10_000] {
        assert!(work(histories) < 6 * histories, "{} for {histories}", work(histories));
    }
    assert!((1..=100).filter(|n| is_due(*n)).count() > 15, "and a screen moves");
}
