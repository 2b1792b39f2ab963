//! The sweep of scrub periods: wrong answers against what the scrub moves.
//!
//! ```text
//! scheme            period   bytes/s   of bandwidth  wrong/y, 95 %
//! secded            1 h      4.77e7       0.003 %    12.1  9.1–15.2  ▄▄▄▄▄
//! secded          ★ 1 d      1.99e6       0.000 %    12.9  9.9–15.9  ▄▄▄▄▄▄
//! ★ moves least among the periods that are as good as the best
//! ```

use super::super::theme;
use super::super::view::{cut, number};
use super::app::App;
use super::view::{BOLD, DIM, lapse, window};
use crate::mission::sweep::Point;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

/// Columns before the bar.
const TEXT: usize = 61;

/// Draws the screen.
pub(super) fn render(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let (points, Some(started)) = (&app.snapshot.sweep, app.started()) else { return };
    if points.is_empty() {
        let text =
            "No point of a sweep is computed. --sweep scrub_period=1min,1h,1d,off asks for one.";
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let head = format!(
        "{:<15}{:>12}{:>10}{:>9}{:>15}",
        "scheme", "period", "bytes/s", "share", "wrong/y, 95 %"
    );
    let mut lines = vec![Line::styled(head, DIM)];
    let highest = points.iter().map(|point| point.wrong_per_year.0).fold(0.0, f64::max);
    let bandwidth = started.memory.bandwidth_bytes_s;
    let columns = usize::from(area.width).saturating_sub(TEXT);
    // The latest points where not all of them fit.
    let shown = window(points.len() - 1, usize::from(area.height).saturating_sub(2), points.len());
    for point in &points[shown] {
        lines.push(row(point, bandwidth, highest, columns));
    }
    lines.push(Line::styled("★ moves least among the periods that are as good as the best", DIM));
    frame.render_widget(Paragraph::new(lines), area);
}

fn row(point: &Point, bandwidth: f64, highest: f64, columns: usize) -> Line<'static> {
    let period = point.period_s.map_or_else(|| "off".into(), lapse);
    let mark = if point.optimum { "★ " } else { "" };
    let style = if point.optimum { BOLD } else { Style::new() };
    let name = cut(&point.scheme, 14);
    let start = format!("{name:<15}{:>12}", format!("{mark}{period}"));
    if let Some(refused) = &point.refused {
        return Line::from(vec![Span::raw(start), Span::styled(format!("  {refused}"), DIM)]);
    }
    let (wrong, interval) = point.wrong_per_year;
    let share = 100.0 * point.traffic_bytes_s / bandwidth;
    let text = format!(
        "{start}{:>10}{:>7} %{:>9} {:<13}",
        number(point.traffic_bytes_s),
        number(share),
        number(wrong),
        format!("{}–{}", number(interval.low), number(interval.high)),
    );
    let length = if highest > 0.0 { wrong / highest * columns as f64 } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most columns")]
    let length = (length.round() as usize).min(columns);
    Line::from(vec![
        Span::styled(text, style),
        Span::styled("▄".repeat(length), Style::new().fg(theme::BAD)),
    ])
}
