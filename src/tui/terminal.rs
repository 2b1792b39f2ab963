//! The terminal while screens are on it, and how it becomes what it was.

use super::theme;
use crate::words::is_unprintable;
use crossterm::cursor::Show;
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::style::Color;
use ratatui::{DefaultTerminal, Frame};
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

/// Takes out of what was drawn whatever a terminal would obey or not show: names come from files. Colours
/// too, where they are not wanted: a colour never tells anything alone.
pub(super) fn printable(frame: &mut Frame<'_>) {
    let colourful = theme::is_colourful();
    for cell in &mut frame.buffer_mut().content {
        if !colourful {
            (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
        }
        if cell.symbol().contains(is_unprintable) {
            let clean: String = cell.symbol().chars().filter(|c| !is_unprintable(*c)).collect();
            cell.set_symbol(if clean.is_empty() { " " } else { clean.as_str() });
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    /// Set where the test runs once more, on a terminal of its own.
    const INNER: &str = "BEAMLINE_TEST_OF_A_PANIC";
    const SAID: &str = "a panic beside the screens";

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_told() {
        if std::env::var_os(INNER).is_some() {
            let _screens = super::enter().expect("a terminal");
            let _ = std::thread::spawn(|| panic!("{SAID}")).join();
            assert!(!super::is_taken(), "the screens are still on the terminal");
            return;
        }
        let own = std::env::current_exe().expect("a path");
        let test = "tui::terminal::tests::a_panic_gives_the_terminal_back_before_it_is_told";
        let line = format!("exec '{}' --exact {test} --nocapture", own.display());
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env(INNER, "1").env("TERM", "xterm");
        let Ok(child) = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
            eprintln!("not run: there is no `script` here");
            return;
        };
        let output = child.wait_with_output().expect("an end");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{shown:?}");
        let at =
            |what: &str| shown.find(what).unwrap_or_else(|| panic!("no {what:?} in {shown:?}"));
        let (entered, left) = (at("\u{1b}[?1049h"), at("\u{1b}[?1049l"));
        assert!(entered < left && left < at(SAID), "{shown:?}");
        assert!(shown[left..].contains("\u{1b}[?25h"), "the cursor: {shown:?}");
    }
}
