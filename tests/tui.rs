//! The screens, drawn without a terminal, and what each key does.

use beamline::campaign::event::{
    Control, Ended, Event, Progress, Recent, SchemeProgress, Snapshot, Started,
};
use beamline::outcome::Outcome;
use beamline::tui::{App, KEYS, Message, Screen, message_of, picture, update};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

fn started() -> Started {
    Started {
        campaign: "leo-demo".into(),
        mode: "accumulation".into(),
        workload: "digits-cnn".into(),
        adapter: "llvmpipe (LLVM 15.0.6, 256 bits) (llvmpipe Mesa 22.3.6, Vulkan, software)".into(),
        schemes: ["none", "dmr", "tmr-storage", "tmr-output"].map(String::from).to_vec(),
        strata: vec!["weights".into()],
        trials_max: 250,
        trials_done: 0,
        inferences_per_trial: 384,
        alpha: 0.05,
        acceleration: Some("rate × 2.0e9, up to 55.5 live events between scrubs".into()),
        census: false,
    }
}

fn running() -> Snapshot {
    let scheme = |wrong_trials, outcomes, alarms, seconds_per_inference| SchemeProgress {
        trials: 128,
        wrong_trials,
        outcomes,
        alarms,
        seconds_per_inference,
    };
    let mut snapshot = Snapshot::default();
    snapshot.apply(Event::Started(Box::new(started())));
    snapshot.apply(Event::Notice("look at 64 trials: half-width 0.02 not yet reached".into()));
    snapshot.apply(Event::Progress(Box::new(Progress {
        trials: 128,
        elapsed_s: 31.4,
        trials_per_s: 16.3,
        schemes: vec![
            scheme(60, [5000, 0, 0, 37_800, 6352, 0, 0], 0, 77.4e-6),
            scheme(0, [26_000, 0, 23_080, 0, 0, 72, 0], 23_152, 235e-6),
            scheme(9, [300, 48_800, 0, 43, 9, 0, 0], 48_900, 83.5e-6),
            scheme(18, [250, 4_900, 0, 42_100, 372, 1530, 0], 47_900, 223e-6),
        ],
        recent: vec![
            Recent {
                trial: 126,
                scheme: 1,
                outcome: Outcome::DueRecovered,
                fault: "conv2.weight[812] bit 3, replica 1".into(),
            },
            Recent {
                trial: 127,
                scheme: 0,
                outcome: Outcome::CriticalSdc,
                fault: "fc1.weight[8476] bit 30, replica 0".into(),
            },
        ],
    })));
    snapshot
}

fn app(snapshot: Snapshot) -> App {
    App { snapshot, ..App::default() }
}

#[test]
fn the_live_screen_of_a_running_campaign() {
    assert_snapshot!("running-80x24", picture(&app(running()), 80, 24));
    assert_snapshot!("running-120x40", picture(&app(running()), 120, 40));
}

#[test]
fn the_live_screen_before_the_first_trial() {
    let mut snapshot = Snapshot::default();
    assert_snapshot!("nothing-80x24", picture(&app(snapshot.clone()), 80, 24));
    snapshot.apply(Event::Started(Box::new(started())));
    assert_snapshot!("empty-80x24", picture(&app(snapshot), 80, 24));
}

#[test]
fn the_live_screen_paused_ended_and_failed() {
    let paused = Snapshot { paused: true, ..running() };
    assert_snapshot!("paused-80x24", picture(&app(paused), 80, 24));
    let ended = Snapshot { ended: Some(Ended::HalfWidth), ..running() };
    assert_snapshot!("ended-80x24", picture(&app(ended), 80, 24));
    let failed = Snapshot { failed: Some("the GPU device was lost: reset".into()), ..running() };
    assert_snapshot!("failed-80x24", picture(&app(failed), 80, 24));
}

#[test]
fn a_census_shows_no_interval() {
    let mut snapshot = running();
    snapshot.started.census = true;
    assert_snapshot!("census-80x24", picture(&app(snapshot), 80, 24));
}

#[test]
fn six_schemes_fit_the_smallest_screen() {
    let mut snapshot = running();
    for name in ["tmr-output-scrubbed", "reload"] {
        snapshot.started.schemes.push(name.into());
        snapshot.progress.schemes.push(snapshot.progress.schemes[3].clone());
    }
    let screen = picture(&app(snapshot), 80, 24);
    for name in ["none", "dmr", "tmr-storage", "tmr-output", "tmr-output-scrubbed", "reload"] {
        assert!(screen.contains(&format!("{name} ")), "{name} is missing from\n{screen}");
    }
}

#[test]
fn the_other_screens() {
    let on = |screen| App { screen, ..app(running()) };
    assert_snapshot!("events-80x24", picture(&on(Screen::Events), 80, 24));
    assert_snapshot!("help-80x24", picture(&on(Screen::Help), 80, 24));
    assert_snapshot!("help-120x40", picture(&on(Screen::Help), 120, 40));
    assert_snapshot!("small-60x20", picture(&app(running()), 60, 20));
}

#[test]
fn pausing_and_resuming() {
    let mut app = app(running());
    assert_eq!(update(&mut app, Message::Pause), Some(Control::Pause));
    app.snapshot.paused = true;
    assert_eq!(update(&mut app, Message::Pause), Some(Control::Resume));
    app.snapshot.ended = Some(Ended::Trials);
    assert_eq!(update(&mut app, Message::Pause), None);
}

#[test]
fn stopping_asks_first_and_leaving_needs_an_end() {
    let mut app = app(running());
    assert_eq!(update(&mut app, Message::Confirm), None, "nothing was asked");
    assert_eq!(update(&mut app, Message::Stop), None);
    assert!(app.confirming && picture(&app, 80, 24).contains("stop? y / esc"));
    assert_eq!(update(&mut app, Message::Back), None);
    assert!(!app.confirming);
    update(&mut app, Message::Stop);
    assert_eq!(update(&mut app, Message::Confirm), Some(Control::Stop));
    assert!(!app.left && picture(&app, 80, 24).contains("stopping after this segment"));
    app.snapshot.ended = Some(Ended::Stopped);
    update(&mut app, Message::Stop);
    assert!(app.left);
}

#[test]
fn screens_and_schemes_are_chosen() {
    let mut app = app(running());
    update(&mut app, Message::Show(Screen::Help));
    assert_eq!(app.screen, Screen::Help);
    update(&mut app, Message::Show(Screen::Help));
    assert_eq!(app.screen, Screen::Live);
    update(&mut app, Message::Show(Screen::Events));
    update(&mut app, Message::Back);
    assert_eq!(app.screen, Screen::Live);
    update(&mut app, Message::Up);
    assert_eq!(app.selected, 0);
    for _ in 0..9 {
        update(&mut app, Message::Down);
    }
    assert_eq!(app.selected, 3);
}

#[test]
fn every_key_is_its_own_and_in_the_help() {
    let help = picture(&App { screen: Screen::Help, ..App::default() }, 80, 24);
    for (index, key) in KEYS.iter().enumerate() {
        assert!(KEYS[..index].iter().all(|other| other.code != key.code), "{} twice", key.name);
        assert_eq!(message_of(key.code), Some(key.message));
        assert!(help.contains(key.help), "{} is not in the help", key.name);
    }
    assert_eq!(message_of(KeyCode::F(12)), None);
}

#[test]
fn names_reach_no_terminal_with_what_it_obeys() {
    let mut snapshot = running();
    let hostile = "x\u{1b}[2J\u{9b}31m\u{202e}y\u{200b}\u{7}\nz";
    snapshot.started.campaign = hostile.into();
    snapshot.started.adapter = hostile.into();
    snapshot.started.schemes[0] = hostile.into();
    snapshot.notices.push(hostile.into());
    snapshot.progress.recent[0].fault = hostile.into();
    for screen in [Screen::Live, Screen::Events] {
        let app = App { screen, ..app(snapshot.clone()) };
        let shown = picture(&app, 120, 40);
        let obeyed = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
        assert!(!shown.contains(obeyed), "{shown:?}");
        assert!(shown.contains('x'), "the rest of the name is there");
    }
}

#[test]
fn a_watched_campaign_is_left_and_not_steered() {
    let mut app = app(running());
    app.snapshot.watched = true;
    assert!(picture(&app, 80, 24).contains("watched, q leaves"));
    assert!(!picture(&app, 80, 24).contains("p pause"));
    assert_eq!(update(&mut app, Message::Pause), None);
    assert_eq!(update(&mut app, Message::Stop), None);
    assert!(app.left && !app.confirming && !app.stopping);
}
