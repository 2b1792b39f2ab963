//! The flight along an orbit, drawn without a terminal, and what each key does.

use beamline::device::Device;
use beamline::rate::{Environment, OrbitChoice, Timeline};
use beamline::tui::orbit::{Cockpit, Flight, Key, SPEEDS, message_of, picture, update};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use std::path::Path;
use std::sync::OnceLock;

fn flight(device: Option<&str>) -> Flight {
    let environment =
        Environment { days: 2.0, ..Environment::new(OrbitChoice::Preset("suncatcher".into())) };
    let conditions = environment.conditions(Path::new("")).expect("conditions");
    let device = device.map(|name| Device::load(name).expect("a device").0);
    Flight::new(&Timeline::new(conditions, device).expect("a timeline"))
}

fn cockpit() -> Cockpit {
    static FLIGHT: OnceLock<Flight> = OnceLock::new();
    Cockpit::new(FLIGHT.get_or_init(|| flight(Some("trillium-tpu"))).clone())
}

/// In the middle of the South Atlantic Anomaly.
fn inside() -> Cockpit {
    let mut cockpit = cockpit();
    let fluxes = cockpit.flight.instants.iter().map(|at| at.flux_per_cm2_s);
    let peak = fluxes.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).expect("places").0;
    cockpit.time_s = peak as f64 * cockpit.flight.step_s;
    cockpit
}

#[test]
fn the_screen_in_the_anomaly() {
    let cockpit = inside();
    assert_snapshot!("anomaly-80x24", picture(&cockpit, 80, 24));
    assert_snapshot!("anomaly-160x45", picture(&cockpit, 160, 45));
}

#[test]
fn the_screen_paused_without_a_device_and_too_small() {
    let mut cockpit = Cockpit::new(flight(None));
    update(&mut cockpit, Key::Pause);
    let screen = picture(&cockpit, 80, 24);
    assert!(screen.contains("paused") && screen.contains("--device"), "{screen}");
    assert!(picture(&cockpit, 60, 20).contains("needs a terminal of 80 columns"));
}

#[test]
fn wide_bands_have_no_nominal_rate() {
    let mut cockpit = Cockpit::new(flight(Some("trillium-hbm")));
    cockpit.paused = true;
    assert_snapshot!("hbm-80x24", picture(&cockpit, 80, 24));
}

#[test]
fn the_satellite_moves_with_time_and_begins_anew() {
    let mut cockpit = cockpit();
    let step_s = cockpit.flight.step_s;
    cockpit.pass(1.0);
    assert_eq!(cockpit.time_s, SPEEDS[4]);
    assert_eq!(cockpit.index(), 2);
    update(&mut cockpit, Key::Pause);
    cockpit.pass(1.0);
    assert_eq!(cockpit.index(), 2, "time stands still");
    update(&mut cockpit, Key::Forward);
    assert_eq!(cockpit.index(), 3);
    for _ in 0..4 {
        update(&mut cockpit, Key::Backward);
    }
    assert_eq!(cockpit.index(), cockpit.flight.instants.len() - 1);
    cockpit.time_s = cockpit.flight.length_s() - 0.5 * step_s;
    update(&mut cockpit, Key::Forward);
    assert_eq!(cockpit.index(), 0);
}

#[test]
fn speeds_have_ends_and_keys_their_meaning() {
    let mut cockpit = cockpit();
    for _ in 0..20 {
        update(&mut cockpit, Key::Faster);
    }
    assert_eq!(cockpit.speed(), 3600.0);
    assert!(picture(&cockpit, 80, 24).contains("3600 s a second"));
    for _ in 0..20 {
        update(&mut cockpit, Key::Slower);
    }
    assert_eq!(cockpit.speed(), 1.0);
    for (code, key) in [
        (KeyCode::Char('q'), Key::Quit),
        (KeyCode::Char(' '), Key::Pause),
        (KeyCode::Char('+'), Key::Faster),
        (KeyCode::Char('-'), Key::Slower),
        (KeyCode::Right, Key::Forward),
        (KeyCode::Left, Key::Backward),
    ] {
        assert_eq!(message_of(code), Some(key));
    }
    assert_eq!(message_of(KeyCode::Char('x')), None);
    update(&mut cockpit, Key::Quit);
    assert!(cockpit.left);
}
