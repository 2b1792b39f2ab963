//! The two ways to watch a run: screens on a terminal, lines elsewhere.

use super::stop::{Signal, Stops};
use super::terminal;
use crate::campaign::event::Control;
use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use ratatui::Frame;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(66);
/// Between two lines.
const LINE: Duration = Duration::from_secs(5);
/// Between two events for a program.
const EVENT: Duration = Duration::from_millis(500);

/// Where a run stands, for whoever watches.
pub trait Standing: Clone + Default {
    /// What is finished before a stop.
    const IN_FLIGHT: &'static str;

    /// Whether nothing more will come.
    fn is_over(&self) -> bool;

    /// What is worth a line, newest last.
    fn notices(&self) -> &[String];

    /// Parts of the work done, and planned.
    fn done(&self) -> (u64, u64);

    /// What the run is at; a change is worth a line.
    fn phase(&self) -> &'static str;

    /// What follows the count of parts: their name, and how far or how fast.
    fn words(&self) -> String;

    /// The figures so far, for a program.
    fn figures(&self) -> Value;
}

/// Screens that show no run.
impl Standing for () {
    const IN_FLIGHT: &'static str = "";

    fn is_over(&self) -> bool {
        false
    }

    fn notices(&self) -> &[String] {
        &[]
    }

    fn done(&self) -> (u64, u64) {
        (0, 0)
    }

    fn phase(&self) -> &'static str {
        ""
    }

    fn words(&self) -> String {
        String::new()
    }

    fn figures(&self) -> Value {
        Value::Null
    }
}

/// The screens of a run.
pub trait Screens {
    /// Where the run stands.
    type Standing: Standing;

    /// Takes in where the run stands, so many seconds after the last time.
    fn take_in(&mut self, standing: Self::Standing, seconds: f64);

    /// Draws the screen.
    fn draw(&self, frame: &mut Frame<'_>);

    /// What a key asks of the run.
    fn press(&mut self, key: KeyCode) -> Option<Control>;

    /// Shows that the run was asked to stop; leaves one that is over.
    fn stop(&mut self);

    /// Whether the screens stay after the run, until the user leaves.
    fn stay(&self) -> bool;

    /// Whether the user has left.
    fn has_left(&self) -> bool;
}

/// Shows the screens until the run has ended and the user has left.
///
/// # Errors
/// Where the terminal fails.
pub async fn run<S: Screens>(
    mut screens: S,
    mut snapshots: Receiver<S::Standing>,
    controls: UnboundedSender<Control>,
    stops: &Stops,
) -> std::io::Result<()> {
    let (mut terminal, _restore) = terminal::enter()?;
    let mut events = EventStream::new();
    let mut frames = tokio::time::interval(FRAME);
    let mut wishes = stops.subscribe();
    let mut last = Instant::now();
    let (mut open, mut stopping) = (true, false);
    while !screens.has_left() && terminal::is_taken() {
        tokio::select! {
            _ = frames.tick() => {
                let now = Instant::now();
                let standing = snapshots.borrow_and_update().clone();
                let over = standing.is_over();
                screens.take_in(standing, now.duration_since(last).as_secs_f64());
                last = now;
                let stay = open || (over && screens.stay());
                if !stay {
                    break;
                }
                terminal.draw(|frame| {
                    screens.draw(frame);
                    terminal::printable(frame);
                })?;
            }
            changed = snapshots.changed(), if open => open = changed.is_ok(),
            _ = wishes.wait_for(Option::is_some), if !stopping => {
                stopping = true;
                screens.stop();
                // A run that has ended needs no telling.
                let _ = controls.send(Control::Stop);
            }
            event = events.next() => match event {
                Some(Ok(Event::Key(key))) if key.kind == KeyEventKind::Press => {
                    if is_ctrl_c(key.code, key.modifiers) {
                        stops.raise(Signal::Interrupt);
                    } else if let Some(control) = screens.press(key.code) {
                        let _ = controls.send(control);
                    }
                }
                Some(Err(error)) => return Err(error),
                _ => {}
            },
        }
    }
    Ok(())
}

/// Whether a key is Ctrl-C, which a raw terminal sends in place of the signal.
fn is_ctrl_c(code: KeyCode, modifiers: KeyModifiers) -> bool {
    modifiers.contains(KeyModifiers::CONTROL) && code == KeyCode::Char('c')
}

/// How a run is told of where there are no screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// A bar where standard error is a terminal, else lines there.
    Lines,
    /// Lines of JSON on standard output, one an event.
    Json,
    /// Not at all.
    Nothing,
}

/// What tells of a run.
struct Teller {
    telling: Telling,
    bar: Option<ProgressBar>,
    said: Instant,
}

impl Teller {
    fn new(telling: Telling) -> Self {
        let draws =
            telling == Telling::Lines && std::io::stderr().is_terminal() && terminal::draws();
        let bar = draws.then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style)
        });
        Self { telling, bar, said: Instant::now() }
    }

    /// Tells what is worth a line.
    fn notice(&self, text: &str) {
        match self.telling {
            Telling::Lines => self.line(text),
            Telling::Json => event("notice", &json!({ "text": text })),
            Telling::Nothing => {}
        }
    }

    /// Tells where a run stands; not too often, unless `now`.
    fn standing(&mut self, standing: &impl Standing, now: bool) {
        let ((done, planned), words) = (standing.done(), standing.words());
        if let Some(bar) = &self.bar {
            bar.set_length(planned);
            bar.set_position(done);
            bar.set_message(words);
            return;
        }
        let pause = if self.telling == Telling::Json { EVENT } else { LINE };
        if !now && self.said.elapsed() < pause {
            return;
        }
        self.said = Instant::now();
        match self.telling {
            Telling::Lines => self.line(&format!("{done} of {planned} {words}")),
            Telling::Json => {
                let figures = standing.figures();
                let (phase, over) = (standing.phase(), standing.is_over());
                let fields = json!({
                    "done": done, "planned": planned, "phase": phase, "over": over, "figures": figures,
                });
                event("progress", &fields);
            }
            Telling::Nothing => {}
        }
    }

    fn line(&self, text: &str) {
        let text = crate::words::terminal(text);
        match &self.bar {
            Some(bar) => bar.println(text),
            None => {
                // Nobody may be listening.
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            }
        }
    }
}

/// Prints an event as a line of JSON.
pub fn event(kind: &str, fields: &Value) {
    let mut line = json!({ "event": kind });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields.clone());
    }
    // Nobody may be listening.
    let _ = crate::output::print(format!("{}\n", crate::words::json(&line.to_string())).as_bytes());
}

/// Tells of a run without screens until it has ended.
pub async fn progress<T: Standing>(
    telling: Telling,
    mut snapshots: Receiver<T>,
    controls: UnboundedSender<Control>,
    stops: &Stops,
) {
    let mut teller = Teller::new(telling);
    let mut wishes = stops.subscribe();
    let (mut notices, mut phase, mut over, mut stopping) = (Vec::new(), "", false, false);
    loop {
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { break },
            wish = wishes.wait_for(Option::is_some), if !stopping => {
                stopping = true;
                let name = wish.ok().and_then(|wish| *wish).map_or("stop", Signal::name);
                let in_flight = T::IN_FLIGHT;
                teller.notice(&format!("{name}: stopping after {in_flight}; once more ends at once"));
                // A run that has ended needs no telling.
                let _ = controls.send(Control::Stop);
            }
        }
        let standing = snapshots.borrow_and_update().clone();
        for notice in standing.notices() {
            if !notices.contains(notice) {
                teller.notice(notice);
            }
        }
        notices = standing.notices().to_vec();
        teller.standing(&standing, standing.phase() != phase || standing.is_over() != over);
        (phase, over) = (standing.phase(), standing.is_over());
    }
    if let Some(bar) = teller.bar {
        bar.finish_and_clear();
    }
}
