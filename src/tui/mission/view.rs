//! Drawing: a pure function of the state. Each screen has its own file; all have this frame.
//!
//! ```text
//! ┌ beamline · leo-hbm ── schemes ──────────────────────────── histories ┐
//! │ (the screen)                                                         │
//! │ 1 y 134.52 d of 5 y ▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░  1 day a second, × 1000 │
//! │ 12 of 100 histories, 3412 states on llvmpipe (…, Vulkan, software)   │
//! └ 1–5 screen  ←→ scheme  +/- speed  . next  g end  p pause  q  ? help ─┘
//! ```

use super::super::theme;
use super::super::view::{HEIGHT_MIN, WIDTH_MIN, cut, drawn, number};
use super::app::{App, KEYS, Screen};
use super::{banks, events, schemes, sweep, world};
use crate::mission::live::{MissionEnd, Spot};
use crate::units::{DAY_S, YEAR_S};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};
use std::ops::Range;

/// What stands for what is not known.
pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
/// Heads and what is chosen.
pub(super) const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// Draws the screen.
pub fn render(frame: &mut Frame<'_>, area: Rect, app: &App) {
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let text = format!(
            "beamline needs a terminal of {WIDTH_MIN} columns and {HEIGHT_MIN} rows; this one \
             has {} and {}. The mission goes on.",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let (word, color) = state(app);
    let name = app.started().map_or_else(String::new, |s| format!(" · {}", s.mission));
    let title = format!(" beamline{} ", cut(&name, area.width / 2));
    let keys = match app.snapshot.watched {
        true => " 1–5 screen  ←→ scheme  space +/- . g clock  q leave  ? help ",
        false => " 1–5 screen  ←→ scheme  space +/- . g clock  p pause  q stop  ? help ",
    };
    let block = Block::bordered()
        .title(Line::styled(title, BOLD))
        .title(Line::from(format!(" {} ", app.screen.name())))
        .title(Line::styled(format!(" {word} "), BOLD.fg(color)).right_aligned())
        .title_bottom(Line::from(keys));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [body, clock, progress] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(1), Constraint::Length(1)])
            .areas(inner);
    frame.render_widget(Paragraph::new(clock_line(app, clock.width)), clock);
    frame.render_widget(Paragraph::new(progress_line(app, progress.width)), progress);
    if app.screen == Screen::Help {
        frame.render_widget(Paragraph::new(help()), body);
        return;
    }
    if app.started().is_none() {
        let text = "The mission is being planned: the rates along its orbit, and its memory.";
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), body);
        return;
    }
    match app.screen {
        Screen::World => world::render(frame, body, app),
        Screen::Banks => banks::render(frame, body, app),
        Screen::Events => events::render(frame, body, app),
        Screen::Sweep => sweep::render(frame, body, app),
        Screen::Schemes | Screen::Help => schemes::render(frame, body, app),
    }
}

/// The screen as text, for pages and tests.
pub fn picture(app: &App, width: u16, height: u16) -> String {
    drawn(|frame| render(frame, frame.area(), app), width, height)
}

/// What the run is doing, in a word or two, and its colour.
fn state(app: &App) -> (&'static str, Color) {
    let snapshot = &app.snapshot;
    if snapshot.failed.is_some() {
        return ("failed", theme::BAD);
    }
    match snapshot.ended {
        Some(MissionEnd::Done { .. }) => ("done, q leaves", theme::CALM),
        Some(MissionEnd::Stopped) => ("stopped, q leaves", theme::CALM),
        None if snapshot.watched => ("watched, q leaves", theme::GOOD),
        None if app.stopping => ("stopping after these histories", theme::ATTENTION),
        None if app.confirming => ("stop? y / esc", theme::ATTENTION),
        None if snapshot.paused => ("paused", theme::ATTENTION),
        None => (snapshot.phase.name(), theme::GOOD),
    }
}

/// Where the clock stands, how fast it goes, or what it waits for.
fn clock_line(app: &App, width: u16) -> Line<'static> {
    let Some(started) = app.started() else { return Line::default() };
    let horizon_s = started.horizon_s;
    let at = format!("{} of {}", moment(app.time_s, horizon_s), whole(horizon_s));
    let (word, color) = if app.replay().is_none() {
        ("waits for the first history".to_owned(), theme::ATTENTION)
    } else if app.time_s >= horizon_s {
        ("at the end".to_owned(), theme::CALM)
    } else if app.standing {
        ("clock stopped".to_owned(), theme::ATTENTION)
    } else {
        (format!("{} a second", app.speed().1), theme::GOOD)
    };
    let times = if started.acceleration == 1.0 {
        ", not accelerated".to_owned()
    } else {
        format!(", accelerated × {}", number(started.acceleration))
    };
    let taken = at.chars().count() + word.chars().count() + times.chars().count() + 3;
    let room = usize::from(width).saturating_sub(taken);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bar")]
    let done = (app.time_s / horizon_s * room as f64) as usize;
    let done = done.min(room);
    Line::from(vec![
        Span::styled(at, BOLD),
        Span::raw(" "),
        Span::styled("▓".repeat(done), Style::new().fg(theme::PROGRESS)),
        Span::styled("░".repeat(room - done), DIM),
        Span::raw("  "),
        Span::styled(word, Style::new().fg(color)),
        Span::raw(times),
    ])
}

/// How far the run is, and on what; how it ended, once it has.
fn progress_line(app: &App, width: u16) -> Line<'static> {
    let snapshot = &app.snapshot;
    if let Some(failed) = &snapshot.failed {
        return Line::styled(cut(failed, width), Style::new().fg(theme::BAD));
    }
    let Some(started) = app.started() else { return Line::default() };
    let done = format!("{} of {} histories", snapshot.histories, started.histories);
    let end = match (&snapshot.ended, snapshot.notices.last()) {
        (Some(MissionEnd::Done { report }), _) => format!("report: {}", report.display()),
        (None, Some(notice)) => notice.clone(),
        _ => format!("{} states run on {}", snapshot.states, started.adapter),
    };
    Line::from(cut(&format!("{done}, {end}"), width))
}

fn help() -> Vec<Line<'static>> {
    let half = KEYS.len().div_ceil(2);
    let of = |key: Option<&super::app::Key>| {
        key.map_or_else(String::new, |key| format!("{:<6}{}", key.name, key.help))
    };
    let mut lines = vec![Line::styled("keys", DIM)];
    lines.extend(
        (0..half)
            .map(|at| Line::from(format!("{:<42}{}", of(KEYS.get(at)), of(KEYS.get(at + half))))),
    );
    lines.push(Line::from("ctrl-c stop without asking; twice to leave the screen"));
    lines.push(Line::default());
    let meanings = [
        "The clock counts flight of the first history; the run goes on meanwhile.",
        "errors: episodes in which an answer differs, or none is delivered",
        "wrong, DUE: inferences, those of an episode spread evenly over its time",
        "state: stored words that differ from golden, in all copies and replicas",
        "required: shown or refuted at 90 % confidence, otherwise undecided",
    ];
    lines.extend(meanings.map(Line::from));
    lines
}

/// A time of flight: years and days, or days where the mission is shorter.
pub(super) fn moment(time_s: f64, horizon_s: f64) -> String {
    if horizon_s < YEAR_S {
        return format!("{:.3} d", time_s / DAY_S);
    }
    let years = (time_s / YEAR_S).floor();
    format!("{years} y {:06.2} d", (time_s - years * YEAR_S) / DAY_S)
}

/// The length of a mission.
pub(super) fn whole(horizon_s: f64) -> String {
    if horizon_s < YEAR_S {
        format!("{} d", number(horizon_s / DAY_S))
    } else {
        format!("{} y", number(horizon_s / YEAR_S))
    }
}

/// A length of time in the unit that fits it.
pub(super) fn lapse(seconds: f64) -> String {
    let units = [(YEAR_S, "y"), (DAY_S, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
    match units.into_iter().find(|(scale, _)| seconds >= *scale) {
        Some((scale, unit)) => format!("{} {unit}", number(seconds / scale)),
        None => format!("{} ms", number(1e3 * seconds)),
    }
}

/// A count in at most seven columns.
pub(super) fn short(count: u64) -> String {
    if count < 10_000_000 { count.to_string() } else { format!("{:.2e}", count as f64) }
}

/// A place on Earth.
pub(super) fn place(spot: Spot) -> String {
    let side = |degrees: f64, positive: char, negative: char| {
        format!("{:.1}°{}", degrees.abs(), if degrees < 0.0 { negative } else { positive })
    };
    let saa = if spot.in_saa { ", SAA" } else { "" };
    format!("{} {}{saa}", side(spot.latitude_deg, 'N', 'S'), side(spot.longitude_deg, 'E', 'W'))
}

/// The stretch of `all` that `room` rows show, the chosen one among them.
pub(super) fn window(chosen: usize, room: usize, all: usize) -> Range<usize> {
    let room = room.max(1).min(all);
    let start = (chosen + 1).saturating_sub(room).min(all - room);
    start..start + room
}
