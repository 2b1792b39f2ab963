//! The screens of a mission, drawn without a terminal, and what each key does.

use beamline::device::{Hit, Memory, Persistence, Shape, Strike};
use beamline::mission::figures::{PerYear, SchemeFigures, Spread, Verdict};
use beamline::mission::live::{Control, Ended, LiveScheme, Phase, Snapshot, Spot, Started, Track};
use beamline::mission::run::HistoryRun;
use beamline::mission::sweep::Point;
use beamline::mission::{
    Cause, Change, Ended as Cleared, Episode, Patrol, SchemeHistory, SchemeLayout, Tiling, Upset,
    What,
};
use beamline::outcome::Outcome;
use beamline::scheme::{OnDue, Protection, Scheme, Scrub, ScrubBy};
use beamline::stats::Interval;
use beamline::tui::mission::{App, KEYS, Message, SPEEDS, Screen, message_of, picture, update};
use beamline::units::{DAY_S, YEAR_S};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use std::sync::Arc;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];
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
    Track { step_s: 60.0, period_s: 6000.0, spots: (0..100).map(spot).collect() }
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
        map: memory.map,
        memory,
        reset_s: 60.0,
        host_reset_s: 600.0,
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
        shape: Shape::SingleBit,
        persistence: Persistence::Transient,
        strikes: vec![Strike { entry, mask }],
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

/// Four upsets of memory, one SEFI and one restart of the host in five years.
fn first() -> HistoryRun {
    let entries = WEIGHTS / 32;
    let upsets = vec![
        at(0, 100.0, 30, flip(0)),
        at(1, 400.25, 31, flip(entries / 3)),
        at(2, 400.5, 10, flip(entries / 2)),
        at(3, 500.0, 40, What::Sefi),
        at(4, 1200.0, 33, flip(entries / 5)),
        at(5, 1500.0, 34, What::Host),
    ];
    let wrong = |count| [(Outcome::CriticalSdc, count), (Outcome::TolerableSdc, 10)];
    let end = 5.0 * YEAR_S / DAY_S;
    let none = SchemeHistory {
        outcomes: [0, 0, 0, 30, 1_100, 0, 0],
        rows_remapped: 2,
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
        episodes: vec![corrected(100.0, 0), corrected(400.5, 10_713)],
        changes: [voted(100.0, 0), voted(400.25, 7142), voted(400.5, 10_713), voted(1200.0, 4285)]
            .concat(),
        ..SchemeHistory::default()
    };
    let due = [(Outcome::Due, 1), (Outcome::Masked, 0)];
    let dmr = SchemeHistory {
        outcomes: [0, 0, 0, 0, 0, 1, 0],
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
        wrong_of_a_history: (500, 2100),
        wrong_deviation: 410.0,
        model_band: (0.4, 2.6),
        availability: 0.999_99,
        resets: rate(0.2),
        host_resets: rate(0.2),
        mean_time_to_repair_s: Some(3600.0),
        scrub_traffic: (7e6, 4.5e-6),
        repairs: [0; 4],
        lost: [2, 0, 0, 0],
        common_cause: (4, 0),
        incidence: Vec::new(),
        restricted_mean_years: 3.1,
        requirement: Some(Verdict {
            held: 12,
            histories: 12,
            low: 0.82,
            wanted: 0.9,
            met: wrong == 0.0,
            needed: 22,
        }),
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

fn running() -> Snapshot {
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

/// On day 450 of the first history: three copies of the first scheme differ.
fn app(screen: Screen) -> App {
    app_at(screen, 450.0)
}

fn app_at(screen: Screen, days: f64) -> App {
    let mut app = App::new(running());
    app.screen = screen;
    app.time_s = days * DAY_S;
    app
}

fn snapshots(name: &str, app: &App) {
    for (width, height) in SIZES {
        assert_snapshot!(format!("{name}-{width}x{height}"), picture(app, width, height));
    }
}

#[test]
fn the_schemes_side_by_side() {
    snapshots("schemes", &app(Screen::Schemes));
}

#[test]
fn the_world_with_what_fell() {
    snapshots("world", &app(Screen::World));
}

#[test]
fn the_banks_of_each_scheme() {
    snapshots("banks", &app(Screen::Banks));
    let mut app = app(Screen::Banks);
    update(&mut app, Message::Right);
    snapshots("banks-tmr", &app);
}

#[test]
fn the_events_about_now() {
    snapshots("events", &app(Screen::Events));
}

#[test]
fn the_sweep_and_the_help() {
    snapshots("sweep", &app(Screen::Sweep));
    snapshots("help", &app(Screen::Help));
}

#[test]
fn a_mission_that_has_not_begun_or_has_no_history_yet() {
    assert!(picture(&App::default(), 80, 24).contains("The mission is being planned"));
    let waiting = Snapshot {
        histories: 0,
        states: 0,
        figures: Arc::default(),
        first: None,
        sweep: Arc::default(),
        ..running()
    };
    let mut app = App::new(waiting);
    app.pass(1e6);
    assert_eq!(app.time_s, 0.0, "nothing to play");
    for screen in Screen::ALL {
        app.screen = screen;
        let drawn = picture(&app, 80, 24);
        assert!(drawn.contains("waits for the first history"), "{drawn}");
    }
    update(&mut app, Message::End);
    update(&mut app, Message::Next);
    assert_eq!(app.time_s, 0.0);
    app.take(running());
    app.pass(1.0);
    assert_eq!(app.time_s, DAY_S, "it plays what has been computed");
}

#[test]
fn small_terminals_are_told_so() {
    for (width, height) in [(20, 5), (1, 1), (79, 24), (80, 23)] {
        let drawn = picture(&app(Screen::Schemes), width, height);
        assert!(width < 20 || drawn.contains("beamline needs"), "{drawn}");
    }
}

#[test]
fn every_screen_stands_every_time_and_size() {
    for screen in [&Screen::ALL[..], &[Screen::Help]].concat() {
        for (width, height) in [(80, 24), (81, 25), (300, 24), (80, 100), (250, 90)] {
            for days in [0.0, 1e-5, 100.0, 5.0 * 365.25] {
                let app = app_at(screen, days);
                assert!(picture(&app, width, height).contains(screen.name()));
            }
        }
    }
}

#[test]
fn what_is_shown_at_the_end_is_the_history() {
    let mut app = app(Screen::Schemes);
    update(&mut app, Message::End);
    let drawn = picture(&app, 120, 40);
    let row = |name: &str| {
        let line = drawn.lines().find(|line| line.contains(name)).expect("a row").to_owned();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    // Wrong answers, error episodes, DUEs, resets; a SEFI and the host, for the third a DUE too.
    assert_eq!(row(" none ")[2..6], ["1100", "3", "0", "2"]);
    assert_eq!(row(" tmr-hourly ")[2..6], ["0", "0", "0", "2"]);
    assert_eq!(row(" dmr-reset ")[2..6], ["0", "1", "1", "3"]);
    assert!(drawn.contains("at the end"));
}

#[test]
fn wrong_answers_grow_and_memory_is_golden_again() {
    let at = |days: f64| {
        let app = app_at(Screen::Schemes, days);
        let drawn = picture(&app, 80, 24);
        let line = drawn.lines().find(|line| line.contains("▸ none")).expect("a row").to_owned();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let wrong_and_state = |days: f64| {
        let row = at(days);
        (row[2].clone(), row[8..].join(" ").replace(['"', '│'], "").trim().to_owned())
    };
    for (days, wrong, state) in
        [(99.0, "0", "golden"), (300.0, "200", "1 word"), (501.0, "500", "golden")]
    {
        assert_eq!(wrong_and_state(days), (wrong.into(), state.into()), "on day {days}");
    }
    assert_eq!(wrong_and_state(450.0).1, "3 words");
}

#[test]
fn the_clock_has_speeds_and_ends() {
    let mut app = App::new(running());
    for _ in 0..20 {
        update(&mut app, Message::Slower);
    }
    app.pass(2.0);
    assert_eq!(app.time_s, 120.0);
    for _ in 0..20 {
        update(&mut app, Message::Faster);
    }
    assert_eq!(app.speed(), SPEEDS[SPEEDS.len() - 1]);
    app.pass(1.0);
    assert_eq!(app.time_s, YEAR_S + 120.0);
    update(&mut app, Message::Stand);
    app.pass(1.0);
    assert_eq!(app.time_s, YEAR_S + 120.0, "it stands still");
    assert!(picture(&app, 80, 24).contains("clock stopped"));
    update(&mut app, Message::Stand);
    app.pass(100.0);
    assert_eq!(app.time_s, 5.0 * YEAR_S);
    update(&mut app, Message::Start);
    assert_eq!(app.time_s, 0.0);
}

#[test]
fn the_clock_jumps_from_event_to_event_of_the_scheme() {
    let mut app = App::new(running());
    let mut days = Vec::new();
    for _ in 0..4 {
        update(&mut app, Message::Next);
        days.push(app.time_s / DAY_S);
    }
    assert_eq!(days, [100.0, 400.25, 400.5, 500.0]);
    assert!(app.standing);
    update(&mut app, Message::Start);
    update(&mut app, Message::Right);
    update(&mut app, Message::Next);
    update(&mut app, Message::Next);
    assert!((app.time_s / DAY_S - 100.02).abs() < 1e-9, "the scrub of the second scheme");
    for _ in 0..20 {
        update(&mut app, Message::Next);
    }
    assert_eq!(app.time_s, 5.0 * YEAR_S);
}

#[test]
fn screens_and_schemes_are_chosen() {
    let mut app = App::new(running());
    for screen in Screen::ALL {
        assert_eq!(app.screen, screen);
        update(&mut app, Message::Turn);
    }
    assert_eq!(app.screen, Screen::Schemes);
    update(&mut app, Message::Show(Screen::Help));
    update(&mut app, Message::Back);
    assert_eq!(app.screen, Screen::Schemes);
    for selected in [1, 2, 2] {
        update(&mut app, Message::Right);
        assert_eq!(app.selected, selected);
    }
    update(&mut app, Message::Left);
    assert_eq!(app.selected, 1);
    update(&mut app, Message::Down);
    assert_eq!(app.device, 0, "it has one device");
}

#[test]
fn pausing_stopping_and_leaving() {
    let mut app = App::new(running());
    assert_eq!(update(&mut app, Message::Pause), Some(Control::Pause));
    app.snapshot.paused = true;
    assert!(picture(&app, 80, 24).contains("paused"));
    assert_eq!(update(&mut app, Message::Pause), Some(Control::Resume));
    app.snapshot.paused = false;
    assert_eq!(update(&mut app, Message::Confirm), None, "nothing was asked");
    assert_eq!(update(&mut app, Message::Stop), None);
    assert!(app.confirming && picture(&app, 80, 24).contains("stop? y / esc"));
    assert_eq!(update(&mut app, Message::Back), None);
    assert!(!app.confirming);
    update(&mut app, Message::Stop);
    assert_eq!(update(&mut app, Message::Confirm), Some(Control::Stop));
    assert!(!app.left && picture(&app, 80, 24).contains("stopping after these histories"));
    let report = "results/leo-hbm/report.html".into();
    app.take(Snapshot { ended: Some(Ended::Done { report }), ..running() });
    let drawn = picture(&app, 80, 24);
    assert!(drawn.contains("done, q leaves") && drawn.contains("report.html"), "{drawn}");
    assert_eq!(update(&mut app, Message::Pause), None);
    assert_eq!(update(&mut app, Message::Stop), None);
    assert!(app.left);
}

#[test]
fn a_failure_is_shown() {
    let failed = Snapshot { failed: Some("the GPU device was lost".into()), ..running() };
    let drawn = picture(&App::new(failed), 80, 24);
    assert!(drawn.contains(" failed ") && drawn.contains("the GPU device was lost"), "{drawn}");
}

#[test]
fn every_key_is_its_own_and_in_the_help() {
    let help = picture(&app(Screen::Help), 80, 24);
    for (index, key) in KEYS.iter().enumerate() {
        for code in key.codes {
            let before = KEYS[..index].iter().flat_map(|other| other.codes);
            assert!(before.into_iter().all(|other| other != code), "{} twice", key.name);
            assert_eq!(message_of(*code), Some(key.message));
        }
        assert!(help.contains(key.help), "{} is not in the help\n{help}", key.name);
    }
    assert_eq!(message_of(KeyCode::F(12)), None);
}
