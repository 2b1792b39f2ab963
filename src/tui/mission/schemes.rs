//! The schemes side by side: what became of the first history so far, and all histories together.
//!
//! ```text
//! scheme              wrong   errors     DUE  resets   in service  state
//! ▸ none               5213       41       0       2   99.9981 %   12 words
//!   ▁▁▁▁▂▂▂▂▂▂▃▃▄▄▅▅▅▅▅▅▆▆▆▆··························· wrong, of 9120
//!   secded                3        1     812       4   99.9902 %   golden
//!   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁████████··························· wrong, of 3
//! a year, 12 × 5 y flown           wrong, 95 %  errors    DUE resets  required
//!   none                   2606      1970–3304    20.5      0      1   refuted
//! P(none wrong in 30 d) ≥ 0.9: 5 of 60 windows, 0.050–0.140, refuted
//! ```

use super::super::theme;
use super::super::view::{cut, number};
use super::app::App;
use super::growth::Growth;
use super::view::{BOLD, DIM, lapse, short, whole, window};
use crate::mission::figures::SchemeFigures;
use crate::stats::Decision;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns of a name.
const NAME: usize = 18;
/// Columns after a curve.
const END: usize = 18;
/// The highest curve, in rows.
const CURVE_MAX: usize = 8;
/// Eighths of a cell.
const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws the screen.
pub(super) fn render(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let Some(started) = app.started() else { return };
    let all = started.schemes.len();
    let height = usize::from(area.height);
    // Two heads and what is required; a row of numbers, a curve and a row of figures for each scheme.
    let required = requirement(app);
    let heads = 2 + usize::from(required.is_some());
    let shown = window(app.selected, height.saturating_sub(heads) / 3, all);
    let curve = (height.saturating_sub(heads) / shown.len().max(1)).saturating_sub(2);
    let curve = curve.clamp(1, CURVE_MAX);
    let head = format!(
        "{:<NAME$}{:>9}{:>9}{:>9}{:>8}{:>13}  {}",
        if shown.len() < all {
            format!("scheme {}–{} of {all}", shown.start + 1, shown.end)
        } else {
            "scheme".into()
        },
        "wrong",
        "errors",
        "DUE",
        "resets",
        "in service",
        "state"
    );
    let mut lines = vec![Line::styled(head, DIM)];
    for index in shown.clone() {
        lines.push(numbers(app, index));
        lines.extend(curve_of(app, index, usize::from(area.width), curve));
    }
    let years = whole(started.horizon_s);
    let figures = &app.snapshot.figures;
    let histories = figures.first().map_or(0, |figures| figures.histories);
    lines.push(Line::styled(
        format!(
            "{:<29}{:>17}{:>8}{:>7}{:>7}{:>10}",
            cut(&format!("a year, {histories} × {years} flown"), 29),
            "wrong, 95 %",
            "errors",
            "DUE",
            "resets",
            if required.is_some() { "required" } else { "" }
        ),
        DIM,
    ));
    let rows = shown.filter_map(|index| Some(figures_of(app, index, figures.get(index)?)));
    lines.extend(rows);
    lines.extend(required.map(|text| Line::styled(cut(&text, area.width), DIM)));
    frame.render_widget(Paragraph::new(lines), area);
}

/// The mark and the name of a scheme.
fn name(app: &App, index: usize) -> Span<'static> {
    let schemes = app.started().map_or(&[][..], |started| &started.schemes);
    let name = schemes.get(index).map_or("", |scheme| scheme.scheme.name.as_str());
    let (mark, style) = if index == app.selected { ("▸ ", BOLD) } else { ("  ", Style::new()) };
    Span::styled(format!("{mark}{:<fill$}", cut(name, 15), fill = NAME - 2), style)
}

/// What became of the history so far.
fn numbers(app: &App, index: usize) -> Line<'static> {
    let name = name(app, index);
    let Some(replay) = app.replay().and_then(|replay| replay.schemes.get(index)) else {
        return Line::from(vec![name, Span::styled(format!("{:>9}", "–"), DIM)]);
    };
    let now = app.time_s;
    let wrong = replay.wrong.count(now);
    let red = Style::new().fg(if wrong > 0 { theme::BAD } else { theme::GOOD });
    let service = if now > 0.0 { 1.0 - replay.dead_s.at(now) / now } else { 1.0 };
    let (state, color) = match replay.words(now) {
        0 => ("golden".to_owned(), theme::GOOD),
        1 => ("1 word".to_owned(), theme::ATTENTION),
        words => (format!("{} words", short(words)), theme::ATTENTION),
    };
    Line::from(vec![
        name,
        Span::styled(format!("{:>9}", short(wrong)), red),
        Span::raw(format!(
            "{:>9}{:>9}{:>8}{:>11.5} %  ",
            short(replay.episodes.count(now)),
            short(replay.due.count(now)),
            short(replay.resets.count(now)),
            100.0 * service
        )),
        Span::styled(state, Style::new().fg(color)),
    ])
}

/// The wrong answers over the mission, as far as the clock has come.
fn curve_of(app: &App, index: usize, width: usize, rows: usize) -> Vec<Line<'static>> {
    let columns = width.saturating_sub(2 + END);
    let Some(replay) = app.replay().and_then(|replay| replay.schemes.get(index)) else {
        return vec![Line::default(); rows];
    };
    // One scale for all schemes, so that their heights compare.
    let all = app.replay().into_iter().flat_map(|replay| &replay.schemes);
    let most = all.map(|scheme| scheme.wrong.end()).fold(0.0, f64::max);
    let levels = levels((&replay.wrong, most), (app.time_s, app.horizon_s()), columns, rows);
    (0..rows)
        .map(|row| {
            let below = 8 * (rows - 1 - row);
            let cell = |level: &Option<usize>| match level {
                Some(level) => LEVELS[level.saturating_sub(below).min(8)],
                None if below == 0 => '·',
                None => ' ',
            };
            let cells: String = levels.iter().map(cell).collect();
            let end = match app.replay().and_then(|replay| replay.history(index)) {
                Some(history) if below == 0 => format!(" wrong, of {}", short(history.wrong())),
                _ => String::new(),
            };
            Line::from(vec![
                Span::raw("  "),
                Span::styled(cells, Style::new().fg(theme::BAD)),
                Span::styled(end, DIM),
            ])
        })
        .collect()
}

/// By column the height in eighths of a row of what has grown by then, where `most` fills all rows;
/// `None` after the present.
fn levels(
    (growth, most): (&Growth, f64),
    (now_s, horizon_s): (f64, f64),
    columns: usize,
    rows: usize,
) -> Vec<Option<usize>> {
    let level = |column: usize| {
        let start_s = column as f64 / columns as f64 * horizon_s;
        if start_s > now_s || now_s <= 0.0 {
            return None;
        }
        let value = growth.at(((column + 1) as f64 / columns as f64 * horizon_s).min(now_s));
        if value <= 0.0 || most <= 0.0 {
            return Some(0);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let level = (value / most * (8 * rows) as f64).ceil() as usize;
        Some(level.clamp(1, 8 * rows))
    };
    (0..columns).map(level).collect()
}

/// All histories together, a year of flight.
fn figures_of(app: &App, index: usize, figures: &SchemeFigures) -> Line<'static> {
    let (wrong, interval) = figures.wrong_per_year;
    let range = format!("{}–{}", number(interval.low), number(interval.high));
    let decision = figures.requirement.map(|held| held.verdict.decision);
    let color = match decision {
        Some(Decision::Shown) => Style::new().fg(theme::GOOD),
        Some(Decision::Refuted) => Style::new().fg(theme::BAD),
        _ => DIM,
    };
    Line::from(vec![
        name(app, index),
        Span::raw(format!(
            "{:>11}{range:>17}{:>8}{:>7}{:>7}",
            number(wrong),
            number(figures.error_episodes.rate),
            number(figures.due_episodes.rate),
            // As above: those of the device and of its host.
            number(figures.resets.rate + figures.host_resets.rate),
        )),
        Span::styled(format!("{:>10}", decision.map_or("", Decision::name)), color),
    ])
}

/// What is required, and what the selected scheme's windows say of it.
fn requirement(app: &App) -> Option<String> {
    let held = app.snapshot.figures.get(app.selected)?.requirement?;
    let (of, started) = (&held.verdict, app.started()?);
    let window = started.window_s.map_or_else(String::new, lapse);
    Some(format!(
        "P(none wrong in {window}) ≥ {}: {} of {} windows, {:.3}–{:.3}, {}",
        of.wanted,
        short(of.held),
        short(of.trials),
        of.interval.low,
        of.interval.high,
        held.words()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::growth::Part;
    use super::*;

    #[test]
    fn curves_rise_to_the_present_and_end_there() {
        let growth = Growth::new([Part::one(25.0), Part::one(75.0)]);
        let at = |now_s| levels((&growth, 2.0), (now_s, 100.0), 4, 1);
        assert_eq!(at(0.0), [None; 4]);
        assert_eq!(at(20.0), [Some(0), None, None, None]);
        assert_eq!(at(100.0), [Some(4), Some(4), Some(8), Some(8)]);
        let high = levels((&growth, 2.0), (60.0, 100.0), 4, 3);
        assert_eq!(high, [Some(12), Some(12), Some(12), None]);
        let beside_more = levels((&growth, 16.0), (100.0, 100.0), 4, 1);
        assert_eq!(beside_more, [Some(1); 4], "an eighth of the scheme with the most at most");
        assert_eq!(levels((&Growth::default(), 0.0), (60.0, 100.0), 2, 3), [Some(0), Some(0)]);
    }
}
