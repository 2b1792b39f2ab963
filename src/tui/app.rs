//! The state of the screens and what each key does to it.

use crate::campaign::event::{Control, Snapshot};
use crossterm::event::KeyCode;

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
    let over = app.snapshot.ended.is_some() || app.snapshot.failed.is_some();
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
