//! The terminal while screens are on it, and how it becomes what it was.

use crossterm::cursor::Show;
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::DefaultTerminal;
use ratatui::backend::CrosstermBackend;
use std::io::stdout;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether screens are on the terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back, however a loop ends.
pub(super) struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        leave();
    }
}

/// Takes the terminal for screens: raw, on its alternate screen. A panic gives it back before it is
/// told.
///
/// # Errors
/// Where the terminal fails.
pub(super) fn enter() -> std::io::Result<(DefaultTerminal, Restore)> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            tell(panic);
        }));
    });
    TAKEN.store(true, Ordering::SeqCst);
    let restore = Restore;
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen)?;
    Ok((DefaultTerminal::new(CrosstermBackend::new(stdout()))?, restore))
}

/// Gives the terminal back where screens are on it: once, since to leave twice would move the cursor.
pub(super) fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing.
        let _ = disable_raw_mode();
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
    }
}

/// Whether screens are still on the terminal: a panic of another thread takes them off.
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Whether a terminal does more than lines.
pub fn draws() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
