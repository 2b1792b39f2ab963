//! The state of the screens and what each key does to it.

use super::live::{Screens, Standing};
use super::view::view;
use crate::campaign::event::{Control, Ended, Progress, SIMULATED_BEAM, Snapshot};
use crossterm::event::KeyCode;
use ratatui::Frame;
use serde_json::{Value, json};

/// Which screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Screen {
    /// Progress, schemes and the latest events.
    #[default]
    Live,
    /// Events and notices, as many as fit.
    Events,
    /// What the keys do.
    Help,
}

/// Everything the screens show.
#[derive(Clone, Debug, Default)]
pub struct App {
    /// The screen.
    pub screen: Screen,
    /// The campaign as it stands.
    pub snapshot: Snapshot,
    /// The scheme whose outcomes are written out.
    pub selected: usize,
    /// Whether leaving awaits a second key.
    pub confirming: bool,
    /// Whether the user has stopped the campaign, whose segment in flight goes on to its end.
    pub stopping: bool,
    /// Whether the user has left.
    pub left: bool,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Pause, or go on.
    Pause,
    /// Stop the campaign; leave once it has ended.
    Stop,
    /// Yes, stop.
    Confirm,
    /// Show this screen, or Live where it is shown already.
    Show(Screen),
    /// The scheme above.
    Up,
    /// The scheme below.
    Down,
    /// Back to Live; no, do not stop.
    Back,
}

/// A key, what it asks for, and its line in the help.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub message: Message,
    /// What the help says.
    pub help: &'static str,
}

const fn key(code: KeyCode, name: &'static str, message: Message, help: &'static str) -> Key {
    Key { code, name, message, help }
}

/// Every key, in the order of the help.
pub const KEYS: &[Key] = &[
    key(KeyCode::Char('p'), "p", Message::Pause, "pause, or resume"),
    key(KeyCode::Char(' '), "space", Message::Pause, "likewise"),
    key(KeyCode::Char('q'), "q", Message::Stop, "stop; leave once the campaign has ended"),
    key(KeyCode::Char('s'), "s", Message::Stop, "likewise"),
    key(KeyCode::Char('y'), "y", Message::Confirm, "yes, stop: the segment in flight is finished"),
    key(KeyCode::Up, "up", Message::Up, "choose the scheme above"),
    key(KeyCode::Down, "down", Message::Down, "choose the scheme below"),
    key(KeyCode::Char('e'), "e", Message::Show(Screen::Events), "events and notices"),
    key(KeyCode::Char('?'), "?", Message::Show(Screen::Help), "this help"),
    key(KeyCode::Esc, "esc", Message::Back, "back to the live screen; no, do not stop"),
];

/// What a key asks for, if anything.
pub fn message_of(code: KeyCode) -> Option<Message> {
    KEYS.iter().find(|key| key.code == code).map(|key| key.message)
}

/// Takes a message in and gives what the runner is to be told.
pub fn update(app: &mut App, message: Message) -> Option<Control> {
    let over = app.snapshot.is_over() || app.snapshot.watched;
    let confirming = std::mem::take(&mut app.confirming);
    match message {
        Message::Pause if over => None,
        Message::Pause if app.snapshot.paused => Some(Control::Resume),
        Message::Pause => Some(Control::Pause),
        Message::Stop if over => {
            app.left = true;
            None
        }
        Message::Stop => {
            app.confirming = true;
            None
        }
        Message::Confirm => {
            app.stopping |= confirming;
            confirming.then_some(Control::Stop)
        }
        Message::Show(screen) => {
            app.screen = if app.screen == screen { Screen::Live } else { screen };
            None
        }
        Message::Up => {
            app.selected = app.selected.saturating_sub(1);
            None
        }
        Message::Down => {
            let last = app.snapshot.started.schemes.len().saturating_sub(1);
            app.selected = (app.selected + 1).min(last);
            None
        }
        Message::Back => {
            if !confirming {
                app.screen = Screen::Live;
            }
            None
        }
    }
}

impl Screens for App {
    type Standing = Snapshot;

    fn take_in(&mut self, standing: Snapshot, _seconds: f64) {
        self.snapshot = standing;
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        view(self, frame);
    }

    fn press(&mut self, key: KeyCode) -> Option<Control> {
        message_of(key).and_then(|message| update(self, message))
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.left |= self.snapshot.is_over() || self.snapshot.watched;
    }

    fn stay(&self) -> bool {
        false
    }

    fn has_left(&self) -> bool {
        self.left
    }
}

impl Standing for Snapshot {
    const IN_FLIGHT: &'static str = "the segment in flight";

    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn notices(&self) -> &[String] {
        &self.notices
    }

    fn done(&self) -> (u64, u64) {
        (self.progress.trials, self.started.trials_max)
    }

    fn phase(&self) -> &'static str {
        ""
    }

    fn words(&self) -> String {
        let rate = self.progress.trials_per_s;
        let beam = if self.started.mode == SIMULATED_BEAM { ", simulated beam" } else { "" };
        let ended = match self.ended {
            None => "",
            Some(Ended::Trials) => ", done",
            Some(Ended::HalfWidth) => ", done: the interval is tight enough",
            Some(Ended::Fluence) => ", done: the fluence is reached",
            Some(Ended::TimeLimit) => ", done: time limit",
            Some(Ended::Stopped) => ", stopped",
        };
        format!("trials, {rate:.0}/s{beam}{ended}")
    }

    fn figures(&self) -> Value {
        let schemes = self.started.schemes.iter().zip(&self.progress.schemes);
        let schemes = schemes.map(|(name, of)| {
            json!({
                "scheme": name, "trials": of.trials, "wrong_trials": of.wrong_trials,
                "alarm_raised": of.alarms, "seconds_per_inference": of.seconds_per_inference,
            })
        });
        let Progress { trials_per_s, elapsed_s, .. } = self.progress;
        let schemes: Vec<Value> = schemes.collect();
        json!({ "trials_per_s": trials_per_s, "elapsed_s": elapsed_s, "schemes": schemes })
    }
}
