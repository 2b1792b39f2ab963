//! The loop on a terminal: snapshots and time in, keys in, frames out.

use super::super::run::Restore;
use super::app::{App, message_of, update};
use super::view::render;
use crate::mission::live::{Control, Snapshot};
use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(66);

/// Shows the mission until it has ended and the user leaves.
///
/// # Errors
/// Where the terminal fails.
pub async fn run(
    mut snapshots: Receiver<Snapshot>,
    controls: UnboundedSender<Control>,
) -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let _restore = Restore;
    let mut app = App::default();
    let mut events = EventStream::new();
    let mut frames = tokio::time::interval(FRAME);
    let mut last = Instant::now();
    let mut open = true;
    let mut interrupted = false;
    while !app.left {
        tokio::select! {
            _ = frames.tick() => {
                let now = Instant::now();
                let played = app.plays();
                app.take(snapshots.borrow_and_update().clone());
                if app.plays() && !played {
                    app.fit_speed();
                }
                app.pass(now.duration_since(last).as_secs_f64());
                last = now;
                terminal.draw(|frame| render(frame, frame.area(), &app))?;
                if !open && !app.snapshot.is_over() {
                    break;
                }
            }
            changed = snapshots.changed(), if open => open = changed.is_ok(),
            event = events.next() => match event {
                Some(Ok(Event::Key(key))) if key.kind == KeyEventKind::Press => {
                    let ctrl_c = key.modifiers.contains(KeyModifiers::CONTROL)
                        && key.code == KeyCode::Char('c');
                    let asked = if ctrl_c {
                        app.left = std::mem::replace(&mut interrupted, true);
                        app.stopping = true;
                        Some(Control::Stop)
                    } else {
                        message_of(key.code).and_then(|message| update(&mut app, message))
                    };
                    if let Some(control) = asked {
                        // A runner that has ended needs no telling.
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
