//! The loop on a terminal: keys in, frames out, time in between.

use super::super::run::Restore;
use super::flight::Flight;
use super::state::{Cockpit, Key, message_of, update};
use super::view::view;
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use std::time::{Duration, Instant};

/// Between two frames.
const FRAME: Duration = Duration::from_millis(66);

/// Flies along an orbit until the user leaves.
///
/// # Errors
/// Where the terminal fails.
pub fn run(flight: Flight) -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let _restore = Restore;
    let mut cockpit = Cockpit::new(flight);
    let mut last = Instant::now();
    while !cockpit.left {
        terminal.draw(|frame| view(&cockpit, frame))?;
        let next = Instant::now() + FRAME;
        while poll(next.saturating_duration_since(Instant::now()))? {
            if let Event::Key(key) = read()?
                && key.kind == KeyEventKind::Press
            {
                let ctrl_c =
                    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
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
