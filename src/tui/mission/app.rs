//! The state of the screens and what each key does to it.

use super::super::live::{Screens, Standing};
use super::replay::Replay;
use super::view::render;
use crate::campaign::event::Control;
use crate::mission::live::{LiveScheme, Snapshot, Started};
use crate::mission::run::HistoryRun;
use crate::units::{DAY_S, YEAR_S};
use crossterm::event::KeyCode;
use ratatui::Frame;
use serde_json::{Value, json};
use std::sync::Arc;

/// Seconds of flight in a second, from the slowest to the fastest, and their names.
pub const SPEEDS: [(f64, &str); 9] = [
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (6.0 * 3600.0, "6 h"),
    (DAY_S, "1 day"),
    (7.0 * DAY_S, "1 week"),
    (30.0 * DAY_S, "30 days"),
    (90.0 * DAY_S, "90 days"),
    (YEAR_S, "1 year"),
];

/// Which screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Screen {
    /// The schemes side by side over the mission.
    #[default]
    Schemes,
    /// The Earth, the orbit, and where upsets fell.
    World,
    /// The banks of the memory of one scheme.
    Banks,
    /// What happens about now.
    Events,
    /// The sweep of scrub periods.
    Sweep,
    /// What the keys do.
    Help,
}

impl Screen {
    /// Those that Tab goes through.
    pub const ALL: [Self; 5] = [Self::Schemes, Self::World, Self::Banks, Self::Events, Self::Sweep];

    /// The name in the head of the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schemes => "schemes",
            Self::World => "orbit",
            Self::Banks => "memory",
            Self::Events => "events",
            Self::Sweep => "sweep",
            Self::Help => "help",
        }
    }
}

/// Everything the screens show. The first history plays in simulated time, whatever the run does.
#[derive(Clone, Debug)]
pub struct App {
    /// The screen.
    pub screen: Screen,
    /// The mission as it stands.
    pub snapshot: Snapshot,
    /// Seconds of flight since the start.
    pub time_s: f64,
    /// The speed, as its place among [`SPEEDS`].
    pub speed: usize,
    /// Whether time stands still.
    pub standing: bool,
    /// The scheme that is looked at.
    pub selected: usize,
    /// The device of it, on the screen of the memory.
    pub device: u32,
    /// Whether leaving awaits a second key.
    pub confirming: bool,
    /// Whether the user has stopped the run, whose histories in flight go on to their end.
    pub stopping: bool,
    /// Whether the user has left.
    pub left: bool,
    replay: Option<Replay>,
}

impl Default for App {
    fn default() -> Self {
        Self::new(Snapshot::default())
    }
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Let time stand still, or go on.
    Stand,
    /// The next higher speed.
    Faster,
    /// The next lower speed.
    Slower,
    /// To the next thing that happens under the scheme.
    Next,
    /// To the start of the mission.
    Start,
    /// To the end of the mission.
    End,
    /// The scheme before.
    Left,
    /// The scheme after.
    Right,
    /// The device before.
    Up,
    /// The device after.
    Down,
    /// Pause the run, or let it go on.
    Pause,
    /// Stop the run; leave once it has ended.
    Stop,
    /// Yes, stop.
    Confirm,
    /// Show this screen.
    Show(Screen),
    /// Show the next screen.
    Turn,
    /// Back to the schemes; no, do not stop.
    Back,
}

/// A key, what it asks for, and its line in the help.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The codes that mean it.
    pub codes: &'static [KeyCode],
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub message: Message,
    /// What the help says.
    pub help: &'static str,
}

const fn key(
    codes: &'static [KeyCode],
    name: &'static str,
    message: Message,
    help: &'static str,
) -> Key {
    Key { codes, name, message, help }
}

use KeyCode::Char;

/// Every key, in the order of the help.
pub const KEYS: &[Key] = &[
    key(&[Char('1')], "1", Message::Show(Screen::Schemes), "schemes side by side"),
    key(&[Char('2')], "2", Message::Show(Screen::World), "the Earth, and where upsets fell"),
    key(&[Char('3')], "3", Message::Show(Screen::Banks), "the memory, bank by bank"),
    key(&[Char('4')], "4", Message::Show(Screen::Events), "what happens about now"),
    key(&[Char('5')], "5", Message::Show(Screen::Sweep), "the sweep of scrub periods"),
    key(&[KeyCode::Tab], "tab", Message::Turn, "the next of these"),
    key(&[Char(' ')], "space", Message::Stand, "stop the clock, or let it go on"),
    key(&[Char('+'), Char('='), Char('>')], "+ >", Message::Faster, "a higher speed"),
    key(&[Char('-'), Char('<')], "- <", Message::Slower, "a lower speed"),
    key(&[Char('.')], ".", Message::Next, "to the next event, clock stopped"),
    key(&[Char('g'), KeyCode::End], "g", Message::End, "to the end of the mission"),
    key(&[Char('b'), KeyCode::Home], "b", Message::Start, "back to its beginning"),
    key(&[KeyCode::Left], "left", Message::Left, "the scheme before"),
    key(&[KeyCode::Right], "right", Message::Right, "the scheme after"),
    key(&[KeyCode::Up], "up", Message::Up, "the device before (memory)"),
    key(&[KeyCode::Down], "down", Message::Down, "the device after (memory)"),
    key(&[Char('p')], "p", Message::Pause, "pause the run, or resume it"),
    key(&[Char('q')], "q", Message::Stop, "stop; leave once it has ended"),
    key(&[Char('y')], "y", Message::Confirm, "yes, stop"),
    key(&[Char('?')], "?", Message::Show(Screen::Help), "this help"),
    key(&[KeyCode::Esc], "esc", Message::Back, "to the schemes; do not stop"),
];

/// What a key asks for, if anything.
pub fn message_of(code: KeyCode) -> Option<Message> {
    KEYS.iter().find(|key| key.codes.contains(&code)).map(|key| key.message)
}

impl App {
    /// The start of a mission, its clock running.
    pub fn new(snapshot: Snapshot) -> Self {
        let mut app = Self {
            screen: Screen::Schemes,
            snapshot: Snapshot::default(),
            time_s: 0.0,
            speed: 4,
            standing: false,
            selected: 0,
            device: 0,
            confirming: false,
            stopping: false,
            left: false,
            replay: None,
        };
        app.take(snapshot);
        app
    }

    /// Takes in where the mission stands.
    pub fn take(&mut self, snapshot: Snapshot) {
        let known = |run: &Arc<HistoryRun>| {
            self.replay.as_ref().is_some_and(|replay| Arc::ptr_eq(&replay.run, run))
        };
        if let (Some(started), Some(run)) = (&snapshot.started, &snapshot.first)
            && !known(run)
        {
            self.replay = Some(Replay::new(started, run));
        }
        self.snapshot = snapshot;
    }

    /// Whether there is a history to play.
    pub const fn plays(&self) -> bool {
        self.replay.is_some()
    }

    /// Takes the highest speed at which the mission still plays for a minute.
    pub fn fit_speed(&mut self) {
        let slow_enough = |speed: &usize| self.horizon_s() / SPEEDS[*speed].0 >= 60.0;
        self.speed = (0..SPEEDS.len()).rev().find(slow_enough).unwrap_or(0);
    }

    /// Lets some seconds pass, unless time stands still or there is nothing to play.
    pub fn pass(&mut self, seconds: f64) {
        if !self.standing && self.replay.is_some() {
            self.time_s = (self.time_s + seconds * self.speed().0).min(self.horizon_s());
        }
    }

    /// Seconds of flight in a second, and their name.
    pub fn speed(&self) -> (f64, &'static str) {
        SPEEDS[self.speed.min(SPEEDS.len() - 1)]
    }

    /// Seconds of flight of the mission.
    pub fn horizon_s(&self) -> f64 {
        self.started().map_or(0.0, |started| started.horizon_s)
    }

    pub(super) fn started(&self) -> Option<&Started> {
        self.snapshot.started.as_deref()
    }

    /// Where on its track the history begins that is shown, in seconds.
    pub(super) fn start_s(&self) -> f64 {
        self.replay().map_or(0.0, |replay| replay.run.start_s)
    }

    pub(super) const fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    pub(super) fn scheme(&self) -> Option<&LiveScheme> {
        self.started()?.schemes.get(self.selected)
    }

    fn choose(&mut self, scheme: usize) {
        let last = self.started().map_or(0, |started| started.schemes.len()).saturating_sub(1);
        self.selected = scheme.min(last);
        self.choose_device(self.device);
    }

    fn choose_device(&mut self, device: u32) {
        let last = self.scheme().map_or(1, |scheme| scheme.layout.devices).saturating_sub(1);
        self.device = device.min(last);
    }

    /// The clock jumps to what happens next under the scheme, or to the end.
    fn next(&mut self) {
        let Some(replay) = self.replay.as_ref().and_then(|r| r.schemes.get(self.selected)) else {
            return;
        };
        let next = replay.entries.get(replay.before(self.time_s));
        self.time_s = next.map_or_else(|| self.horizon_s(), |(time_s, _)| *time_s);
        self.standing = true;
    }
}

/// Takes a message in and gives what the runner is to be told.
pub fn update(app: &mut App, message: Message) -> Option<Control> {
    let over = app.snapshot.is_over() || app.snapshot.watched;
    let confirming = std::mem::take(&mut app.confirming);
    match message {
        Message::Stand => app.standing = !app.standing,
        Message::Faster => app.speed = (app.speed + 1).min(SPEEDS.len() - 1),
        Message::Slower => app.speed = app.speed.saturating_sub(1),
        Message::Next => app.next(),
        Message::Start => app.time_s = 0.0,
        Message::End if app.replay.is_some() => app.time_s = app.horizon_s(),
        Message::End => {}
        Message::Left => app.choose(app.selected.saturating_sub(1)),
        Message::Right => app.choose(app.selected + 1),
        Message::Up => app.choose_device(app.device.saturating_sub(1)),
        Message::Down => app.choose_device(app.device + 1),
        Message::Pause if over => {}
        Message::Pause if app.snapshot.paused => return Some(Control::Resume),
        Message::Pause => return Some(Control::Pause),
        Message::Stop if over => app.left = true,
        Message::Stop => app.confirming = true,
        Message::Confirm => {
            app.stopping |= confirming;
            return confirming.then_some(Control::Stop);
        }
        Message::Show(screen) => app.screen = screen,
        Message::Turn => {
            let at = Screen::ALL.iter().position(|screen| *screen == app.screen);
            app.screen = Screen::ALL[at.map_or(0, |at| (at + 1) % Screen::ALL.len())];
        }
        Message::Back if confirming => {}
        Message::Back => app.screen = Screen::Schemes,
    }
    None
}

impl Screens for App {
    type Standing = Snapshot;

    fn take_in(&mut self, standing: Snapshot, seconds: f64) {
        let played = self.plays();
        self.take(standing);
        if self.plays() && !played {
            self.fit_speed();
        }
        self.pass(seconds);
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        render(frame, frame.area(), self);
    }

    fn press(&mut self, key: KeyCode) -> Option<Control> {
        message_of(key).and_then(|message| update(self, message))
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.left |= self.snapshot.is_over() || self.snapshot.watched;
    }

    fn stay(&self) -> bool {
        !self.stopping
    }

    fn has_left(&self) -> bool {
        self.left
    }
}

impl Standing for Snapshot {
    const IN_FLIGHT: &'static str = "the histories in flight";

    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn notices(&self) -> &[String] {
        &self.notices
    }

    fn done(&self) -> (u64, u64) {
        (self.histories, self.started.as_ref().map_or(0, |started| started.histories))
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }

    fn words(&self) -> String {
        format!("histories, {} faulty states run ({})", self.states, self.phase.name())
    }

    fn figures(&self) -> Value {
        let schemes = self.figures.iter().map(|of| {
            let (wrong, interval) = of.wrong_per_year;
            json!({
                "scheme": of.name, "wrong_per_year": wrong, "wrong_per_year_low": interval.low,
                "wrong_per_year_high": interval.high, "availability": of.availability,
            })
        });
        json!({ "states_run": self.states, "schemes": schemes.collect::<Vec<Value>>() })
    }
}
