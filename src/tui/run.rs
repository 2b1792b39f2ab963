//! The loop on a terminal: snapshots in, keys in, frames out.

use super::app::{App, Message, message_of, update};
use super::view::view;
use crate::campaign::event::{Control, Snapshot};
use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(66);

/// Gives the terminal back, however the loop ends; a panic does likewise through ratatui's hook.
pub(super) struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the campaign until it has ended (`stay`: until the user leaves).
///
/// # Errors
/// Where the terminal fails.
pub async fn run(
    mut snapshots: Receiver<Snapshot>,
    controls: UnboundedSender<Control>,
    stay: bool,
) -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let _restore = Restore;
    let mut app = App::default();
    let mut events = EventStream::new();
    let mut frames = tokio::time::interval(FRAME);
    let mut open = true;
    let mut interrupted = false;
    while !app.left {
        tokio::select! {
            _ = frames.tick() => {
                app.snapshot = snapshots.borrow_and_update().clone();
                terminal.draw(|frame| view(&app, frame))?;
                let over = app.snapshot.ended.is_some() || app.snapshot.failed.is_some();
                if !open && (!stay || !over) {
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
                        message_of(key.code).and_then(|message: Message| update(&mut app, message))
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
