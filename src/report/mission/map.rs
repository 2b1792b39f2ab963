//! The map of a mission: ground track, South Atlantic Anomaly, and where upsets fell.

use super::super::Error;
use super::super::chart::{Canvas, Drawn, Failure, TEXT, draw};
use super::super::orbit::map::{LEFT, MAP_HEIGHT, MAP_TOP, SMALL, TRACK, file, on_map, world};
use super::super::words;
use super::places::placed;
use super::{Effect, MissionView, TrackPlace, UpsetRow, day};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

/// The places of the track that are drawn as a line: a day of them, a minute apart.
const LINE_MAX: usize = 1440;
/// The most upsets that touched no answer, and places of the anomaly, that are drawn.
const POINTS_MAX: usize = 6000;
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
        let under = format!("coloured by what they did under {}.{pace}", view.scheme(0));
        canvas.text(&under, (LEFT, 44.0), HPos::Left, SMALL)?;
        world(canvas)?;
        anomaly(canvas, view.track)?;
        track(canvas, view.track)?;
        points(canvas, upsets)?;
        legend(canvas)
    })
}

fn at(place: &TrackPlace) -> (f64, f64) {
    on_map(place.longitude_deg, place.latitude_deg)
}

fn anomaly(canvas: &Canvas<'_>, places: &[TrackPlace]) -> Drawn {
    let within: Vec<&TrackPlace> = places.iter().filter(|place| place.in_saa == 1).collect();
    for place in within.iter().step_by(within.len().div_ceil(POINTS_MAX).max(1)) {
        canvas.disc(at(place), 3.0, ANOMALY)?;
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
    let harmless = upsets.partition_point(|(_, effect)| *effect == Effect::Nothing);
    let every = harmless.div_ceil(POINTS_MAX).max(1);
    let at = |upset: &UpsetRow| on_map(upset.longitude_deg, upset.latitude_deg);
    for (upset, effect) in upsets[..harmless].iter().step_by(every) {
        canvas.disc(at(upset), 1.4, day::colour(*effect))?;
    }
    for (upset, effect) in &upsets[harmless..] {
        canvas.disc(at(upset), 3.2, RGBColor(0xff, 0xff, 0xff))?;
        canvas.disc(at(upset), 2.6, day::colour(*effect))?;
    }
    Ok(())
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
