//! The Earth: one revolution about now, the anomaly, and where upsets fell so far.
//!
//! ```text
//!      .⡀⣀⡠⠤⣄⢀                ⢀⡠⠤⠤⡀⡀ ⡠⠤⠤⣀⡀
//!     ⠈⠱⡀  ·····⠇  m        ⢀⡏····   ·····⠑⠤⡀
//!       ⠈⠑··   ⠑⢄··       ··⠘⠢⠤·⠤⠢⠤⠔⠊   ··⠈⠁
//!     ··     ░░░░░░░··m◆··        ··
//! m memory 118  L logic-sdc 2  S sefi 1
//! ◆ 23.1°S 45.6°W, SAA; 61 of 121 upsets in the SAA, 4.1 % of the time
//! ```

use super::super::cells::cells;
use super::super::theme;
use super::app::App;
use super::events::upset_text;
use super::view::{BOLD, DIM, place};
use crate::mission::live::{LiveScheme, Started};
use crate::mission::{Upset, What};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use ratatui::widgets::canvas::{Canvas, Map, MapResolution};

/// Rows below the map, at least.
const ROWS: u16 = 2;
/// The sign and colour of each kind of upset, by its name; the last has no place on the orbit.
const LOOKS: [(&str, &str, Color); 9] = [
    ("memory", "m", theme::ATTENTION),
    ("uncorrectable", "U", theme::LOST),
    ("logic-sdc", "L", theme::BAD),
    ("sefi", "S", theme::CALM),
    ("host-sefi", "H", theme::PROGRESS),
    ("host-ram", "R", theme::HOST),
    ("sel", "!", theme::BAD),
    ("scrubber", "b", theme::GOOD),
    ("hardened-storage", "h", theme::QUIET),
];

fn look(what: &What) -> usize {
    LOOKS.iter().position(|(name, ..)| *name == what.name()).unwrap_or(0)
}

/// Draws the screen.
pub(super) fn render(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let (Some(started), Some(scheme)) = (app.started(), app.scheme()) else { return };
    // A degree is as wide as high where a map is four times as wide as high in cells.
    let high = (area.width / 4).min(area.height.saturating_sub(ROWS));
    let [map, below] = Layout::vertical([Constraint::Length(high), Constraint::Min(0)]).areas(area);
    let fallen = fallen(app, scheme);
    earth(app, started, &fallen, frame, map);
    frame.render_widget(Paragraph::new(legend(app, started, &fallen)), below);
}

/// The upsets up to now that concern the scheme.
fn fallen<'a>(app: &'a App, scheme: &LiveScheme) -> Vec<&'a Upset> {
    let upsets = app.replay().map_or(&[][..], |replay| &replay.run.upsets);
    let end = upsets.partition_point(|upset| upset.time_s <= app.time_s);
    upsets[..end].iter().filter(|upset| scheme.concerns(upset)).collect()
}

fn has_place(upset: &Upset) -> bool {
    !matches!(upset.what, What::Hardened { .. })
}

/// Seconds after the start of the track.
fn on_track(app: &App) -> f64 {
    app.time_s + app.start_s()
}

fn earth(app: &App, started: &Started, fallen: &[&Upset], frame: &mut Frame<'_>, area: Rect) {
    let track = &started.track;
    let around = half_a_turn(track.period_s / track.step_s);
    let here_s = on_track(app);
    let spot = |steps: f64| track.spots.get(track.index(here_s + steps * track.step_s));
    let mut drawn: Vec<(u32, usize)> =
        fallen.iter().filter(|u| has_place(u)).map(|u| (u.place, look(&u.what))).collect();
    drawn.sort_unstable();
    drawn.dedup();
    let canvas = Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([-180.0, 180.0])
        .y_bounds([-90.0, 90.0])
        .paint(|context| {
            context.draw(&Map { resolution: MapResolution::High, color: theme::QUIET });
            context.layer();
            let mut print = |longitude, latitude, sign: &'static str, style| {
                context.print(longitude, latitude, Line::styled(sign, style));
            };
            for (longitude, latitude) in cells(area.width, area.height) {
                if track.saa.at(longitude, latitude) == Some(true) {
                    print(longitude, latitude, "░", Style::new().fg(theme::LOST));
                }
            }
            for at in (-around..around).filter_map(|steps| spot(f64::from(steps))) {
                print(at.longitude_deg, at.latitude_deg, "·", Style::new());
            }
            for (place, kind) in &drawn {
                if let Some(at) = track.spots.get(*place as usize) {
                    let (_, sign, color) = LOOKS[*kind];
                    print(at.longitude_deg, at.latitude_deg, sign, Style::new().fg(color));
                }
            }
            if let Some(at) = spot(0.0) {
                print(at.longitude_deg, at.latitude_deg, "◆", BOLD);
            }
        });
    frame.render_widget(canvas, area);
}

#[expect(clippy::cast_possible_truncation, reason = "a count of places")]
fn half_a_turn(places: f64) -> i32 {
    (0.5 * places).ceil().clamp(1.0, 2000.0) as i32
}

fn legend(app: &App, started: &Started, fallen: &[&Upset]) -> Vec<Line<'static>> {
    let mut counts = [0_u64; LOOKS.len()];
    for upset in fallen {
        counts[look(&upset.what)] += 1;
    }
    let mut kinds = Vec::new();
    for ((name, sign, color), count) in LOOKS.into_iter().zip(counts).filter(|(_, n)| *n > 0) {
        kinds.push(Span::styled(sign, Style::new().fg(color)));
        kinds.push(Span::raw(format!(" {name} {count}  ")));
    }
    if kinds.is_empty() {
        kinds.push(Span::styled("no upsets yet", DIM));
    }
    let spots = &started.track.spots;
    let in_saa = |upset: &&&Upset| spots.get(upset.place as usize).is_some_and(|s| s.in_saa);
    let placed = fallen.iter().filter(|upset| has_place(upset)).count();
    let inside = fallen.iter().filter(|upset| has_place(upset)).filter(in_saa).count();
    let share = spots.iter().filter(|spot| spot.in_saa).count() as f64 / spots.len().max(1) as f64;
    let here = spots.get(started.track.index(on_track(app)));
    let here = here.map_or_else(|| "in deep space".into(), |spot| place(*spot));
    let shares =
        format!("{inside} of {placed} upsets in the SAA ░, {:.1} % of the time", 100.0 * share);
    let mut lines = vec![Line::from(kinds), Line::from(format!("◆ {here}; {shares}"))];
    if !fallen.is_empty() {
        lines.push(Line::styled("latest upsets", DIM));
        let latest = fallen.iter().rev().take(5);
        lines.extend(latest.map(|upset| upset_text(started, upset)));
    }
    lines
}
