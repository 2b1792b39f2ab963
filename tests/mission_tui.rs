//! The screens of a mission, drawn without a terminal, and what each key does.

#[path = "support/flight.rs"]
mod flight;

use beamline::campaign::event::Control;
use beamline::mission::live::{MissionEnd, Snapshot};
use beamline::tui::mission::{App, KEYS, Message, SPEEDS, Screen, message_of, picture, update};
use beamline::units::{DAY_S, YEAR_S};
use crossterm::event::KeyCode;
use flight::running;
use insta::assert_snapshot;
use std::sync::Arc;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

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
    app.take(Snapshot { ended: Some(MissionEnd::Done { report }), ..running() });
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

#[test]
fn banks_tell_what_was_replaced_so_far() {
    for (days, marks, said) in [(100.0, 0, "so far 0 rows"), (450.0, 2, "so far 2 rows")] {
        let drawn = picture(&app_at(Screen::Banks, days), 120, 40);
        assert!(drawn.contains(said), "{drawn}");
        // One mark is the legend's.
        assert_eq!(drawn.matches('▪').count(), 1 + marks, "{drawn}");
    }
}
