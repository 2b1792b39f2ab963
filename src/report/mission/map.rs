//! The map of a mission: ground track, South Atlantic Anomaly, and where upsets fell.

use super::super::Error;
use super::super::chart::{Canvas, Drawn, Failure, TEXT, draw};
use super::super::orbit::map::{
    LEFT, MAP_HEIGHT, MAP_TOP, SMALL, TRACK, file, on_map, scale, world,
};
use super::super::words;
use super::places::placed;
use super::{Effect, MissionView, TrackPlace, UpsetRow, day};
use crate::rate::GroundGrid;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};
use std::collections::BTreeMap;

/// The places of the track that are drawn as a line: a day of them, a minute apart.
const LINE_MAX: usize = 1440;
/// The most upsets that are drawn one by one; more are drawn as a density.
const POINTS_MAX: usize = 2000;
/// Side of the cells of the density, in degrees.
const CELL_DEG: f64 = 5.0;
/// Side of the cells of the anomaly, and how far from the track it is drawn, in degrees.
const ANOMALY_CELLS: (f64, f64) = (2.0, 8.0);
const ANOMALY: RGBColor = RGBColor(0x5a, 0x35, 0x6e);

/// The map as a whole SVG file; `None` where the view has no track.
///
/// # Errors
/// Where the drawing cannot be made.
pub fn map(view: &MissionView<'_>) -> Result<Option<String>, Error> {
    if view.track.is_empty() {
        return Ok(None);
    }
    let svg = drawing(view).map_err(|error| Error::Form(error.to_string()))?;
    Ok(Some(file(&svg)))
}

/// The map as an element of a page.
pub(super) fn drawing(view: &MissionView<'_>) -> Result<String, Failure> {
    let upsets: Vec<(&UpsetRow, Effect)> = placed(view).collect();
    let height = MAP_TOP + MAP_HEIGHT + 74.0;
    draw("Where upsets fell", height, |canvas| {
        let histories = words::plural(view.histories.len() as u64, "history", "histories");
        let title = format!(
            "{}: {} of {histories} over {} of flight",
            view.name,
            words::plural(upsets.len() as u64, "upset", "upsets"),
            words::span(view.facts.horizon_s)
        );
        canvas.text(&title, (LEFT, 22.0), HPos::Left, TEXT + 1.0)?;
        let pace = view.pace();
        let dense = upsets.len() > POINTS_MAX;
        let under = if dense {
            format!("as a density: upsets in cells of {CELL_DEG}° by {CELL_DEG}°.{pace}")
        } else {
            format!("coloured by what they did under {}.{pace}", view.scheme(0))
        };
        canvas.text(&under, (LEFT, 44.0), HPos::Left, SMALL)?;
        world(canvas)?;
        anomaly(canvas, view.track)?;
        track(canvas, view.track)?;
        if dense {
            return density(canvas, &upsets);
        }
        points(canvas, upsets)?;
        legend(canvas)
    })
}

fn at(place: &TrackPlace) -> (f64, f64) {
    on_map(place.longitude_deg, place.latitude_deg)
}

/// The anomaly, as runs of cells.
fn anomaly(canvas: &Canvas<'_>, places: &[TrackPlace]) -> Drawn {
    let (side, reach) = ANOMALY_CELLS;
    let within = places.iter().map(|at| (at.longitude_deg, at.latitude_deg, at.in_saa == 1));
    for (west, east, south) in GroundGrid::new(side, reach, within).runs(|inside| inside) {
        canvas.rectangle(on_map(west, south + side), on_map(east, south), ANOMALY)?;
    }
    Ok(())
}

/// The first part of the track, as a line that breaks at the date line.
fn track(canvas: &Canvas<'_>, places: &[TrackPlace]) -> Drawn {
    let first = &places[..places.len().min(LINE_MAX)];
    let near = |a: &TrackPlace, b: &TrackPlace| (a.longitude_deg - b.longitude_deg).abs() <= 180.0;
    for run in first.chunk_by(near) {
        let line: Vec<(f64, f64)> = run.iter().map(at).collect();
        match line[..] {
            // All there is of a satellite that stands still.
            [only] => canvas.disc(only, 2.0, TRACK)?,
            _ => canvas.path(&line, TRACK.mix(0.4), 0.6)?,
        }
    }
    Ok(())
}

fn points(canvas: &Canvas<'_>, mut upsets: Vec<(&UpsetRow, Effect)>) -> Drawn {
    // The worst last, so that nothing hides it.
    upsets.sort_by_key(|(_, effect)| match effect {
        Effect::Nothing => 0,
        Effect::Worst(worst) => 1 + *worst as u32,
        Effect::Stopped => 10,
    });
    for (upset, effect) in upsets {
        let radius = if effect == Effect::Nothing { 1.4 } else { 2.8 };
        let at = on_map(upset.longitude_deg, upset.latitude_deg);
        canvas.disc(at, radius, day::colour(effect))?;
    }
    Ok(())
}

/// How many upsets fell into each cell, and the scale of the colours.
fn density(canvas: &Canvas<'_>, upsets: &[(&UpsetRow, Effect)]) -> Drawn {
    let mut cells: BTreeMap<(i32, i32), u32> = BTreeMap::new();
    #[expect(clippy::cast_possible_truncation, reason = "some dozens of cells")]
    let cell = |degrees: f64, most: f64| (degrees.min(most - 1e-9) / CELL_DEG).floor() as i32;
    for (upset, _) in upsets {
        let at = (cell(upset.longitude_deg, 180.0), cell(upset.latitude_deg, 90.0));
        *cells.entry(at).or_default() += 1;
    }
    let most = cells.values().copied().max().unwrap_or(1).max(2);
    let colour = |count: u32| scale(f64::from(count).ln() / f64::from(most).ln());
    for ((x, y), count) in &cells {
        let (west, south) = (f64::from(*x) * CELL_DEG, f64::from(*y) * CELL_DEG);
        let corners = (on_map(west, south + CELL_DEG), on_map(west + CELL_DEG, south));
        canvas.rectangle(corners.0, corners.1, colour(*count))?;
    }
    let top = MAP_TOP + MAP_HEIGHT + 32.0;
    let steps = [1, 10, 100, 1000, 10_000, 100_000].into_iter().filter(|step| *step < most);
    for (index, count) in steps.chain([most]).enumerate() {
        let left = LEFT + 84.0 * index as f64;
        canvas.rectangle((left, top - 5.0), (left + 12.0, top + 5.0), colour(count))?;
        let text = words::count(u64::from(count));
        canvas.text(&text, (left + 18.0, top), HPos::Left, SMALL)?;
    }
    let top = top + 18.0;
    canvas.rectangle((LEFT, top - 5.0), (LEFT + 12.0, top + 5.0), ANOMALY)?;
    let text = "South Atlantic Anomaly, below the cells";
    canvas.text(text, (LEFT + 18.0, top), HPos::Left, SMALL)
}

fn legend(canvas: &Canvas<'_>) -> Drawn {
    let top = MAP_TOP + MAP_HEIGHT + 32.0;
    for (index, (colour, name)) in day::legend().into_iter().enumerate() {
        let at = (LEFT + 178.0 * (index % 4) as f64, top + 18.0 * (index / 4) as f64);
        canvas.disc((at.0 + 5.0, at.1), 4.0, colour)?;
        canvas.text(&name, (at.0 + 15.0, at.1), HPos::Left, SMALL)?;
    }
    let at = (LEFT + 178.0 * 3.0, top + 18.0);
    canvas.disc((at.0 + 5.0, at.1), 4.0, ANOMALY)?;
    canvas.text("South Atlantic Anomaly", (at.0 + 15.0, at.1), HPos::Left, SMALL)
}
