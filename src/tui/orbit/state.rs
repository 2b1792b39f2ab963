//! The state of the flight and what each key does to it.

use super::super::live::Screens;
use super::flight::{Flight, Instant};
use super::view::view;
use crate::campaign::event::Control;
use crossterm::event::KeyCode;
use ratatui::Frame;

/// Seconds of flight in a second, from the slowest to the fastest.
pub const SPEEDS: [f64; 9] = [1.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

/// Everything the screen shows.
#[derive(Clone, Debug)]
pub struct Cockpit {
    /// The orbit.
    pub flight: Flight,
    /// Seconds since the start.
    pub time_s: f64,
    /// The speed, as its place among [`SPEEDS`].
    pub speed: usize,
    /// Whether time stands still.
    pub paused: bool,
    /// Whether the user has left.
    pub left: bool,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Leave.
    Quit,
    /// Stand still, or go on.
    Pause,
    /// The next higher speed.
    Faster,
    /// The next lower speed.
    Slower,
    /// To the next place.
    Forward,
    /// To the place before.
    Backward,
}

impl Cockpit {
    /// The start of a flight, in motion.
    pub const fn new(flight: Flight) -> Self {
        Self { flight, time_s: 0.0, speed: 4, paused: false, left: false }
    }

    /// Seconds of flight in a second.
    pub fn speed(&self) -> f64 {
        SPEEDS[self.speed.min(SPEEDS.len() - 1)]
    }

    /// The place now, as its place among all; the flight begins anew after the last.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
    pub fn index(&self) -> usize {
        let last = self.flight.instants.len().saturating_sub(1);
        // A time that was stepped to lies on a place, or a rounding before it.
        ((self.time_s / self.flight.step_s + 1e-9).max(0.0) as usize).min(last)
    }

    /// The place now; none where there are no places.
    pub fn now(&self) -> Option<&Instant> {
        self.flight.instants.get(self.index())
    }

    /// Lets some seconds pass, unless time stands still.
    pub fn pass(&mut self, seconds: f64) {
        if !self.paused {
            self.shift(seconds * self.speed());
        }
    }

    fn shift(&mut self, seconds: f64) {
        let length_s = self.flight.length_s();
        if length_s > 0.0 {
            self.time_s = (self.time_s + seconds).rem_euclid(length_s);
        }
    }
}

/// What a key asks for, if anything.
pub const fn message_of(code: KeyCode) -> Option<Key> {
    match code {
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::Quit),
        KeyCode::Char(' ') => Some(Key::Pause),
        KeyCode::Char('+' | '=') => Some(Key::Faster),
        KeyCode::Char('-') => Some(Key::Slower),
        KeyCode::Right => Some(Key::Forward),
        KeyCode::Left => Some(Key::Backward),
        _ => None,
    }
}

/// Does what a key asks for.
pub fn update(cockpit: &mut Cockpit, key: Key) {
    let step_s = cockpit.flight.step_s;
    match key {
        Key::Quit => cockpit.left = true,
        Key::Pause => cockpit.paused = !cockpit.paused,
        Key::Faster => cockpit.speed = (cockpit.speed + 1).min(SPEEDS.len() - 1),
        Key::Slower => cockpit.speed = cockpit.speed.saturating_sub(1),
        Key::Forward => cockpit.shift(step_s),
        Key::Backward => cockpit.shift(-step_s),
    }
}

impl Screens for Cockpit {
    type Standing = ();

    fn take_in(&mut self, (): (), seconds: f64) {
        self.pass(seconds);
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        view(self, frame);
    }

    fn press(&mut self, key: KeyCode) -> Option<Control> {
        if let Some(asked) = message_of(key) {
            update(self, asked);
        }
        None
    }

    fn stop(&mut self) {
        self.left = true;
    }

    fn stay(&self) -> bool {
        false
    }

    fn has_left(&self) -> bool {
        self.left
    }
}
