//! Drawing: a pure function of the state.

use super::super::cells::cells;
use super::super::theme;
use super::super::view::{HEIGHT_MIN, WIDTH_MIN, cut, drawn, number};
use super::flight::ModeOfFlight;
use super::state::Cockpit;
use crate::rate::Levels;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::canvas::{Canvas, Map, MapResolution};
use ratatui::widgets::{Block, Paragraph, Wrap};

/// Columns of the figures beside the map.
const PANEL: u16 = 48;
/// Rows of the figures below the map.
const ROWS: u16 = 8;
/// Flux from which a look holds, the sign and the colour.
const LOOKS: [(f64, &str, Color); 4] = [
    (1.0, "░", theme::PROGRESS),
    (10.0, "▒", theme::LOST),
    (100.0, "▓", theme::BAD),
    (1000.0, "█", theme::ATTENTION),
];
/// A band wider than this has no nominal figure.
const WIDEST: f64 = 10.0;

/// Draws the screen.
pub fn view(cockpit: &Cockpit, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let text = format!(
            "beamline needs a terminal of {WIDTH_MIN} columns and {HEIGHT_MIN} rows; this one \
             has {} and {}.",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let (word, color) = if cockpit.paused {
        ("paused".to_owned(), theme::ATTENTION)
    } else {
        (format!("{} s a second", cockpit.speed()), theme::GOOD)
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let room = area.width.saturating_sub(26);
    let block = Block::bordered()
        .title(Line::styled(format!(" {} ", cut(&cockpit.flight.title, room)), bold))
        .title(Line::styled(format!(" {word} "), bold.fg(color)).right_aligned())
        .title_bottom(Line::from(" space pause  +/- speed  ←/→ step  q quit "))
        .title_bottom(looks().right_aligned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    // A degree is as wide as high where a map is four times as wide as high in cells. Figures
    // stand where they leave the map larger.
    let below = (inner.width / 4).min(inner.height.saturating_sub(ROWS));
    let beside = (inner.width.saturating_sub(PANEL) / 4).min(inner.height);
    if beside > below {
        let [map, panel] =
            Layout::horizontal([Constraint::Min(0), Constraint::Length(PANEL)]).areas(inner);
        world(cockpit, frame, Rect { height: beside, ..map });
        let panel = Rect { x: panel.x + 1, width: panel.width - 1, ..panel };
        let [place, rates] =
            Layout::vertical([Constraint::Length(ROWS + 1), Constraint::Min(0)]).areas(panel);
        frame.render_widget(Paragraph::new(figures(cockpit)), place);
        frame.render_widget(Paragraph::new(rates_of(cockpit, rates)), rates);
    } else {
        let [map, panel] =
            Layout::vertical([Constraint::Length(below), Constraint::Min(0)]).areas(inner);
        world(cockpit, frame, map);
        let [place, rates] =
            Layout::horizontal([Constraint::Length(32), Constraint::Min(0)]).areas(panel);
        frame.render_widget(Paragraph::new(figures(cockpit)), place);
        frame.render_widget(Paragraph::new(rates_of(cockpit, rates)), rates);
    }
}

/// The screen as text, for pages and tests.
pub fn picture(cockpit: &Cockpit, width: u16, height: u16) -> String {
    drawn(|frame| view(cockpit, frame), width, height)
}

fn looks() -> Line<'static> {
    let mut spans = vec![Span::raw(" cm⁻² s⁻¹:")];
    for (from, sign, color) in LOOKS {
        spans.push(Span::styled(format!(" {sign}"), Style::new().fg(color)));
        spans.push(Span::raw(format!(" {from}")));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

fn look(flux: f64) -> (&'static str, Color) {
    let (_, sign, color) = LOOKS.iter().rev().find(|look| flux >= look.0).unwrap_or(&LOOKS[0]);
    (sign, *color)
}

/// The ground track of one revolution about now, over the protons, over the world.
fn world(cockpit: &Cockpit, frame: &mut Frame<'_>, area: Rect) {
    let flight = &cockpit.flight;
    let here = cockpit.index();
    let around = half_a_turn(flight.period_s / flight.step_s);
    let first = here.saturating_sub(around);
    let last = (here + around).min(flight.instants.len());
    let canvas = Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([-180.0, 180.0])
        .y_bounds([-90.0, 90.0])
        .paint(|context| {
            context.draw(&Map { resolution: MapResolution::High, color: theme::QUIET });
            context.layer();
            for (longitude, latitude) in cells(area.width, area.height) {
                let flux = flight.field.at(longitude, latitude);
                if let Some(flux) = flux.filter(|flux| *flux >= LOOKS[0].0) {
                    let (sign, color) = look(flux);
                    let span = Span::styled(sign, Style::new().fg(color));
                    context.print(longitude, latitude, Line::from(span));
                }
            }
            for at in &flight.instants[first..last] {
                let color = if at.in_saa { look(at.flux_per_cm2_s).1 } else { Color::Reset };
                let span = Span::styled("·", Style::new().fg(color));
                context.print(at.longitude_deg, at.latitude_deg, Line::from(span));
            }
            if let Some(now) = cockpit.now() {
                let style = Style::new().add_modifier(Modifier::BOLD);
                let span = Span::styled("◆", style);
                context.print(now.longitude_deg, now.latitude_deg, Line::from(span));
            }
        });
    frame.render_widget(canvas, area);
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of places")]
fn half_a_turn(places: f64) -> usize {
    (0.5 * places).ceil().clamp(1.0, 2000.0) as usize
}

/// Where the satellite is, and what is there.
fn figures(cockpit: &Cockpit) -> Vec<Line<'static>> {
    let flight = &cockpit.flight;
    let Some(now) = cockpit.now() else { return vec![Line::from("no places")] };
    let time = flight.start.plus_seconds(cockpit.time_s.round());
    let side = |degrees: f64, positive: &str, negative: &str| {
        format!("{:.1}°{}", degrees.abs(), if degrees < 0.0 { negative } else { positive })
    };
    let row = |label: &str, value: String| Line::from(format!("{label:<9}{value}"));
    let saa = if now.in_saa {
        Line::styled("inside the SAA", Style::new().fg(look(now.flux_per_cm2_s).1))
    } else {
        Line::from("outside the SAA")
    };
    let mut lines = vec![
        row("time", time.to_string()),
        row(
            "place",
            format!(
                "{} {}, {:.0} km",
                side(now.latitude_deg, "N", "S"),
                side(now.longitude_deg, "E", "W"),
                now.altitude_km
            ),
        ),
        row("> 10 MeV", format!("{} cm⁻² s⁻¹", number(now.flux_per_cm2_s))),
        row("L, B/B0", format!("{}, {}", shell(now.l), shell(now.b_over_b0))),
        row("cutoff", format!("{:.2} GV", now.cutoff_gv)),
        saa,
        Line::styled(
            format!("as in the field of {}; today", flight.field_year),
            Style::new().add_modifier(Modifier::DIM),
        ),
    ];
    lines.push(Line::styled(
        format!("the SAA is {:.0}° farther west", flight.west_deg),
        Style::new().add_modifier(Modifier::DIM),
    ));
    lines
}

fn shell(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "∞".into() }
}

/// Each mode now, beside its mean.
fn rates_of(cockpit: &Cockpit, area: Rect) -> Vec<Line<'static>> {
    let flight = &cockpit.flight;
    let Some(device) = &flight.device else {
        return vec![Line::from("no device: --device NAME gives rates")];
    };
    let Some(now) = cockpit.now() else { return Vec::new() };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut lines = vec![Line::styled(
        format!("{:<21}{:>9} {:>9} {:>5}", cut(device, 20), "now/day", "mean/day", "ratio"),
        bold,
    )];
    let room = usize::from(area.height).saturating_sub(1);
    let rows = flight.modes.iter().zip(&now.per_day);
    let all: Vec<Line<'static>> = rows.flat_map(|(mode, rate)| row(mode, rate)).collect();
    let more = all.len() > room;
    let shown = if more { room.saturating_sub(1) } else { room };
    lines.extend(all.into_iter().take(shown));
    if more {
        lines.push(Line::from("… more on a higher terminal"));
    }
    lines
}

fn row(mode: &ModeOfFlight, rate: &Levels) -> Vec<Line<'static>> {
    let ratio = if mode.mean[1] > 0.0 { rate[1] / mode.mean[1] } else { 0.0 };
    let times = if ratio >= 9.95 { format!("{ratio:.0}") } else { format!("{ratio:.1}") };
    let style = if ratio >= 1.0 { Style::new().fg(theme::ATTENTION) } else { Style::new() };
    let name = if mode.per == "bit" { format!("{} a bit", mode.name) } else { mode.name.clone() };
    let name = cut(&name, 20);
    // A band as wide as this has no middle worth a number.
    if mode.mean[2] > WIDEST * (1.0 + 1e-9) * mode.mean[0] {
        let ends = |levels: &Levels| format!("{} … {}", number(levels[0]), number(levels[2]));
        return vec![
            Line::styled(format!("{name:<21}{:>19} {times:>5}", ends(rate)), style),
            Line::styled(format!("{:<21}{:>19}", "  mean", ends(&mode.mean)), Style::new()),
        ];
    }
    let (now, mean) = (number(rate[1]), number(mode.mean[1]));
    vec![Line::styled(format!("{name:<21}{now:>9} {mean:>9} {times:>5}"), style)]
}
