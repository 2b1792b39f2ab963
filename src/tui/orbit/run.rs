//! The loop on a terminal: keys in, frames out, time in between.

use super::super::live::is_ctrl_c;
use super::super::stop::Stops;
use super::super::terminal;
use super::flight::Flight;
use super::state::{Cockpit, Key, message_of, update};
use super::view::view;
use crossterm::event::{Event, KeyEventKind, poll, read};
use std::time::{Duration, Instant};

/// Between two frames.
const FRAME: Duration = Duration::from_millis(66);

/// Flies along an orbit until the user leaves, or a signal asks for the end.
///
/// # Errors
/// Where the terminal fails.
pub fn run(flight: Flight, stops: &Stops) -> std::io::Result<()> {
    let (mut terminal, _restore) = terminal::enter()?;
    let mut cockpit = Cockpit::new(flight);
    let mut last = Instant::now();
    while !cockpit.left && stops.first().is_none() {
        terminal.draw(|frame| {
            view(&cockpit, frame);
            terminal::printable(frame);
        })?;
        let next = Instant::now() + FRAME;
        while poll(next.saturating_duration_since(Instant::now()))? {
            if let Event::Key(key) = read()?
                && key.kind == KeyEventKind::Press
            {
                let ctrl_c = is_ctrl_c(key.code, key.modifiers);
                let asked = if ctrl_c { Some(Key::Quit) } else { message_of(key.code) };
                if let Some(asked) = asked {
                    update(&mut cockpit, asked);
                }
            }
            if cockpit.left {
                break;
            }
        }
        let now = Instant::now();
        cockpit.pass(now.duration_since(last).as_secs_f64());
        last = now;
    }
    Ok(())
}
