//! Drawing: a pure function of the state.
//!
//! ```text
//! ┌ beamline ─ leo-demo ──────────────────────────────────────── running ┐
//! │ accumulation on digits-cnn, 384 inferences a trial                   │
//! │ llvmpipe (…, Vulkan, software)                                       │
//! │ ████████████████░░░░░░░░░░░░░  128 of 250 trials  16.9/s  left 37 s  │
//! ├ wrong trials, 95 % ───────── 0 % ─────────────────────────── 60 % ───┤
//! │ ▸ none          46.8 %  40.5–53.2            ├────●────┤             │
//! │     mmmmmmmmmmmmmmmmmmtttttttttttttttttttttttttttttttXXXXXX  83 µs   │
//! │   dmr            0.0 %   0.0–1.46  ●┤                                │
//! ├ latest ──────────────────────────────────────────────────────────────┤
//! │ trial 127 none critical-sdc conv2.weight[77] bit 30, replica 0       │
//! └ p pause  q stop  e events  ? help ───────────────────────────────────┘
//! ```

use super::app::{App, KEYS, Screen};
use super::theme;
use crate::campaign::event::{Ended, SchemeProgress, Snapshot};
use crate::outcome::Outcome;
use crate::stats::{clopper_pearson, confidence};
use ratatui::Frame;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Gauge, Paragraph, Wrap};

/// The narrowest terminal that shows a campaign.
pub const WIDTH_MIN: u16 = 80;
/// The lowest.
pub const HEIGHT_MIN: u16 = 24;

/// Draws the screen.
pub fn view(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let text = format!(
            "beamline needs a terminal of {WIDTH_MIN} columns and {HEIGHT_MIN} rows; this one has {} and {}. \
             The campaign goes on.",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    match app.screen {
        Screen::Live => live(app, frame, area),
        Screen::Events => events(app, frame, area),
        Screen::Help => help(app, frame, area),
    }
}

/// The screen as text, for pages and tests.
pub fn picture(app: &App, width: u16, height: u16) -> String {
    drawn(|frame| view(app, frame), width, height)
}

/// A drawing as text.
pub(super) fn drawn(draw: impl FnOnce(&mut Frame<'_>), width: u16, height: u16) -> String {
    let mut terminal = match ratatui::Terminal::new(TestBackend::new(width, height)) {
        Ok(terminal) => terminal,
        Err(never) => match never {},
    };
    let draw = |frame: &mut Frame<'_>| {
        draw(frame);
        super::terminal::printable(frame);
    };
    match terminal.draw(draw) {
        Ok(_) => terminal.backend().to_string(),
        Err(never) => match never {},
    }
}

fn title(snapshot: &Snapshot) -> String {
    let kind = if snapshot.started.mode == crate::campaign::event::SIMULATED_BEAM {
        " · simulated beam"
    } else {
        ""
    };
    format!(" beamline · {}{kind} ", snapshot.started.campaign)
}

/// What the campaign is doing, in a word or two, and its colour.
fn state(app: &App) -> (String, Color) {
    let snapshot = &app.snapshot;
    if snapshot.failed.is_some() {
        return ("failed".into(), theme::BAD);
    }
    let ended = match snapshot.ended {
        Some(Ended::Trials) => "done",
        Some(Ended::HalfWidth) => "done: interval reached",
        Some(Ended::Fluence) => "done: fluence reached",
        Some(Ended::TimeLimit) => "done: time limit",
        Some(Ended::Stopped) => "stopped, can be resumed",
        None if snapshot.watched => return ("watched, q leaves".into(), theme::GOOD),
        None if app.stopping => return ("stopping after this segment".into(), theme::ATTENTION),
        None if app.confirming => return ("stop? y / esc".into(), theme::ATTENTION),
        None if snapshot.paused => return ("paused".into(), theme::ATTENTION),
        None if snapshot.progress.trials_per_s == 0.0 => return ("starting".into(), theme::CALM),
        None => return ("running".into(), theme::GOOD),
    };
    (ended.into(), theme::CALM)
}

fn frame_of(app: &App) -> Block<'static> {
    let (word, color) = state(app);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let keys = match app.snapshot.watched {
        true => " q leave  ↑↓ scheme  e events  ? help ",
        false => " p pause  q stop  ↑↓ scheme  e events  ? help ",
    };
    Block::bordered()
        .title(Line::styled(title(&app.snapshot), bold))
        .title(Line::styled(format!(" {word} "), bold.fg(color)).right_aligned())
        .title_bottom(Line::from(keys))
}

fn live(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let block = frame_of(app);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let snapshot = &app.snapshot;
    if snapshot.started.schemes.is_empty() {
        frame.render_widget(Paragraph::new("preparing the campaign"), inner);
        return;
    }
    let notes = note(snapshot);
    let schemes = u16::try_from(snapshot.started.schemes.len()).unwrap_or(u16::MAX);
    let [head, gauge, schemes_area, detail, latest] = Layout::vertical([
        Constraint::Length(2 + u16::from(notes.is_some())),
        Constraint::Length(1),
        Constraint::Length(1 + schemes.saturating_mul(2)),
        Constraint::Length(3),
        Constraint::Min(0),
    ])
    .areas(inner);
    let started = &snapshot.started;
    let mut lines = vec![
        Line::from(format!(
            "{} on {}, {} inferences a trial",
            started.mode, started.workload, started.inferences_per_trial
        )),
        Line::from(cut(&started.adapter, inner.width)),
    ];
    lines.extend(notes);
    frame.render_widget(Paragraph::new(lines), head);
    progress_bar(snapshot, frame, gauge);
    scheme_rows(app, frame, schemes_area);
    frame.render_widget(Paragraph::new(details(app)).wrap(Wrap { trim: true }), detail);
    latest_lines(snapshot, frame, latest);
}

/// The failure, the acceleration or the latest notice: what must not be missed.
fn note(snapshot: &Snapshot) -> Option<Line<'static>> {
    if let Some(failed) = &snapshot.failed {
        return Some(Line::styled(failed.clone(), Style::new().fg(theme::BAD)));
    }
    let text = snapshot.started.acceleration.clone()?;
    Some(Line::styled(format!("accelerated: {text}"), Style::new().fg(theme::ATTENTION)))
}

fn progress_bar(snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let (done, max) = (snapshot.progress.trials, snapshot.started.trials_max);
    let schemes = snapshot.started.schemes.len().max(1) as f64;
    let all: u64 = snapshot.progress.schemes.iter().map(|s| s.trials).sum();
    let share = if max == 0 { 0.0 } else { (all as f64 / (schemes * max as f64)).min(1.0) };
    let rate = snapshot.progress.trials_per_s;
    let left = match snapshot.ended {
        None if rate > 0.0 => {
            format!(", {} left at most", span((schemes * max as f64 - all as f64) / rate))
        }
        _ => String::new(),
    };
    let elapsed = span(snapshot.progress.elapsed_s);
    let label = format!("{done} of {max} trials, {rate:.0}/s, {elapsed}{left}");
    let gauge = Gauge::default().ratio(share).label(label).use_unicode(true);
    frame.render_widget(gauge.gauge_style(Style::new().fg(theme::PROGRESS)), area);
}

/// Two lines a scheme: P(trial wrong) with its interval on a shared axis, then outcome shares.
fn scheme_rows(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let started = &app.snapshot.started;
    let names = started.schemes.iter().map(|n| n.chars().count()).max().unwrap_or(4).clamp(4, 24);
    let none = SchemeProgress::default();
    let rows: Vec<(&String, &SchemeProgress)> = started
        .schemes
        .iter()
        .enumerate()
        .map(|(i, name)| (name, app.snapshot.progress.schemes.get(i).unwrap_or(&none)))
        .collect();
    let width = usize::from(area.width);
    let axis_width = width.saturating_sub(names + 26);
    let highest = rows.iter().map(|(_, s)| bounds(s, app).1).fold(0.0, f64::max);
    let scale = if rows.iter().all(|(_, s)| s.trials == 0) { 1.0 } else { nice(highest) };
    let what = if started.census {
        "wrong trials".to_owned()
    } else {
        format!("wrong trials, {}", confidence(started.alpha))
    };
    let end = format!("{} %", trim(100.0 * scale));
    let gap = axis_width.saturating_sub(3 + end.chars().count());
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut lines = vec![Line::styled(
        format!("{what:<fill$}0 %{}{end}", " ".repeat(gap), fill = names + 26),
        dim,
    )];
    for (index, (name, scheme)) in rows.iter().enumerate() {
        let mark = if index == app.selected { "▸ " } else { "  " };
        let (low, high) = bounds(scheme, app);
        let share = wrong_share(scheme);
        let range = if started.census || scheme.trials == 0 {
            String::new()
        } else {
            format!("{}–{}", trim(100.0 * low), trim(100.0 * high))
        };
        let percent = if scheme.trials == 0 {
            "–".to_owned()
        } else {
            format!("{} %", trim(100.0 * share))
        };
        let style = if index == app.selected {
            Style::new().add_modifier(Modifier::BOLD)
        } else {
            Style::new()
        };
        lines.push(Line::from(vec![
            Span::styled(format!("{mark}{:<names$}", cut(name, 24)), style),
            Span::raw(format!(" {percent:>8} {range:<14}")),
            Span::styled(
                axis(axis_width, [low / scale, share / scale, high / scale], scheme.trials > 0),
                Style::new().fg(theme::BAD),
            ),
        ]));
        lines.push(shares(scheme, width.saturating_sub(15), names));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn wrong_share(scheme: &SchemeProgress) -> f64 {
    if scheme.trials == 0 { 0.0 } else { scheme.wrong_trials as f64 / scheme.trials as f64 }
}

/// The interval of the share of wrong trials; the share itself in a census.
fn bounds(scheme: &SchemeProgress, app: &App) -> (f64, f64) {
    if scheme.trials == 0 {
        return (0.0, 0.0);
    }
    if app.snapshot.started.census {
        return (wrong_share(scheme), wrong_share(scheme));
    }
    let alpha = app.snapshot.started.alpha;
    let interval = clopper_pearson(scheme.wrong_trials, scheme.trials, alpha);
    (interval.low, interval.high)
}

/// A range with its point on an axis of `width` columns, positions in `[0, 1]`.
fn axis(width: usize, at: [f64; 3], known: bool) -> String {
    if !known || width < 4 {
        return String::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the axis")]
    let place = |x: f64| ((x.clamp(0.0, 1.0) * (width - 1) as f64).round() as usize).min(width - 1);
    let [low, point, high] = at.map(place);
    (0..width)
        .map(|column| match column {
            c if c == point => '●',
            c if c == low => '├',
            c if c == high => '┤',
            c if c > low && c < high => '─',
            _ => ' ',
        })
        .collect()
}

/// The letter and colour of each outcome; the letters alone tell them apart.
const LOOKS: [(char, Color); 7] = [
    ('·', theme::QUIET),
    ('c', theme::GOOD),
    ('r', theme::CALM),
    ('t', theme::ATTENTION),
    ('X', theme::BAD),
    ('D', theme::LOST),
    ('H', theme::PROGRESS),
];

/// Outcome shares as one bar; every outcome that occurred has a column at least.
fn shares(scheme: &SchemeProgress, width: usize, indent: usize) -> Line<'static> {
    let total: u64 = scheme.outcomes.iter().sum();
    let indent = indent.min(2) + 2;
    let mut spans = vec![Span::raw(" ".repeat(indent))];
    if total > 0 {
        let width = width.saturating_sub(indent);
        for (columns, (letter, color)) in apportion(&scheme.outcomes, width).into_iter().zip(LOOKS)
        {
            spans.push(Span::styled(letter.to_string().repeat(columns), Style::new().fg(color)));
        }
        spans.push(Span::raw(format!(" {}", duration(scheme.seconds_per_inference))));
    }
    Line::from(spans)
}

/// Columns for each count: in proportion, one at least where the count is not zero.
fn apportion(counts: &[u64; 7], width: usize) -> [usize; 7] {
    let total: u64 = counts.iter().sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the width"
    )]
    let mut columns = counts.map(|count| {
        let exact = (count as f64 / total as f64 * width as f64).round() as usize;
        if count > 0 { exact.max(1) } else { 0 }
    });
    while columns.iter().sum::<usize>() != width {
        let over = columns.iter().sum::<usize>() > width;
        let Some(widest) = (0..7).max_by_key(|i| columns[*i]) else { break };
        if over {
            columns[widest] -= 1;
        } else {
            columns[widest] += 1;
        }
    }
    columns
}

/// The chosen scheme's outcomes written out: the legend of the bars.
fn details(app: &App) -> Vec<Line<'static>> {
    let schemes = &app.snapshot.progress.schemes;
    let none = SchemeProgress::default();
    let scheme = schemes.get(app.selected).unwrap_or(&none);
    let total: u64 = scheme.outcomes.iter().sum();
    let name = app.snapshot.started.schemes.get(app.selected).cloned().unwrap_or_default();
    let percent = |count: u64| {
        if total == 0 {
            "–".to_owned()
        } else {
            format!("{} %", trim(100.0 * count as f64 / total as f64))
        }
    };
    let mut spans =
        vec![Span::styled(format!("{name}: "), Style::new().add_modifier(Modifier::BOLD))];
    for (outcome, (letter, color)) in Outcome::ALL.into_iter().zip(LOOKS) {
        spans.push(Span::styled(letter.to_string(), Style::new().fg(color)));
        spans.push(Span::raw(format!(
            " {} {}  ",
            outcome.name(),
            percent(scheme.outcomes[outcome as usize])
        )));
    }
    spans.push(Span::raw(format!("alarms {}", percent(scheme.alarms))));
    vec![Line::from(spans)]
}

fn recent_lines(snapshot: &Snapshot) -> Vec<Line<'static>> {
    let name = |index: usize| snapshot.started.schemes.get(index).cloned().unwrap_or_default();
    snapshot
        .progress
        .recent
        .iter()
        .rev()
        .map(|recent| {
            let (_, color) = LOOKS[recent.outcome as usize];
            Line::from(vec![
                Span::raw(format!("trial {} {} ", recent.trial, name(recent.scheme))),
                Span::styled(recent.outcome.name(), Style::new().fg(color)),
                Span::raw(format!(" {}", recent.fault)),
            ])
        })
        .collect()
}

fn latest_lines(snapshot: &Snapshot, frame: &mut Frame<'_>, area: Rect) {
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut lines = vec![Line::styled("latest", dim)];
    lines.extend(snapshot.notices.last().map(|notice| Line::from(notice.clone())));
    lines.extend(recent_lines(snapshot));
    frame.render_widget(Paragraph::new(lines), area);
}

fn events(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let block = frame_of(app);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut lines = vec![Line::styled("events, latest first", dim)];
    lines.extend(recent_lines(&app.snapshot));
    lines.push(Line::default());
    lines.push(Line::styled("notices, latest first", dim));
    lines.extend(app.snapshot.notices.iter().rev().map(|notice| Line::from(notice.clone())));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn help(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let block = frame_of(app);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut lines = vec![Line::styled("keys", dim)];
    lines.extend(KEYS.iter().map(|key| Line::from(format!("  {:<6} {}", key.name, key.help))));
    lines.push(Line::from("  ctrl-c stop without asking; twice to leave the screen"));
    lines.push(Line::default());
    lines.push(Line::styled("outcomes of an inference", dim));
    let meanings = [
        "the answer is golden, and nobody noticed a thing",
        "the answer is golden, and the scheme acted",
        "the answer is golden after a retry, reload or reset",
        "the answer's bits differ, its decision does not",
        "a wrong answer was delivered",
        "no answer: the scheme gave up, and said so",
        "no answer: the iteration budget was spent",
    ];
    for ((outcome, (letter, _)), meaning) in Outcome::ALL.into_iter().zip(LOOKS).zip(meanings) {
        lines.push(Line::from(format!("  {letter} {:<14} {meaning}", outcome.name())));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The end of an axis that holds `highest`: 1, 2 or 5 times a power of ten, at most 1.
fn nice(highest: f64) -> f64 {
    let steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
    steps.into_iter().find(|step| *step >= highest).unwrap_or(1.0)
}

/// Three significant digits, without needless zeros.
fn trim(value: f64) -> String {
    let text = match value.abs() {
        v if v >= 99.95 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        v if v >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s <= 0.0 => String::new(),
        s if s < 1e-3 => format!("{:.1} µs/inf", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms/inf", s * 1e3),
        s => format!("{s:.1} s/inf"),
    }
}

/// A time for people: 42 s, 3 min 5 s, 2 h 7 min.
fn span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = seconds.round() as u64;
    match whole {
        0..=99 => format!("{whole} s"),
        100..=5999 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// A text cut to a width, and so marked.
pub(super) fn cut(text: &str, width: u16) -> String {
    let width = usize::from(width);
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Three digits or so.
pub(super) fn number(value: f64) -> String {
    match value {
        0.0 => "0".into(),
        v if (100.0..10_000.0).contains(&v) => format!("{v:.0}"),
        v if (10.0..100.0).contains(&v) => format!("{v:.1}"),
        v if (1.0..10.0).contains(&v) => format!("{v:.2}"),
        v if (0.01..1.0).contains(&v) => format!("{v:.3}"),
        v => format!("{v:.1e}"),
    }
}
