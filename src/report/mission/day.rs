//! The worst day of a history: upsets, changes of state and episodes, a lane a scheme.

use super::super::chart::{
    Canvas, Drawn, Failure, INK, OUTCOME_COLOURS, TEXT, WIDTH, css, draw, margin,
};
use super::super::plot::{Axis, Frame, SMALL};
use super::{Effect, MissionView, effects};
use crate::archive::mission::MissionRun;
use crate::mission::{Episode, SchemeHistory};
use crate::outcome::Outcome;
use crate::units::DAY_S;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};
use std::collections::{HashMap, HashSet};

const LANE: f64 = 46.0;
/// What is drawn of the episodes of a lane at once; more would hide each other.
const ROWS: usize = 4;
pub(super) const STOPPED: RGBColor = RGBColor(0x6a, 0x51, 0xa3);
const NOTHING: RGBColor = RGBColor(0xb8, 0xbe, 0xc6);

/// The day of flight with the most upsets, the first of several.
pub(super) struct Day<'v> {
    run: &'v MissionRun,
    /// Its number, from 0.
    pub(super) number: u64,
    /// Its upsets.
    pub(super) upsets: usize,
}

/// Looks through the first history shown; `None` where nothing happens in it.
pub(super) fn worst<'v>(view: &MissionView<'v>) -> Option<Day<'v>> {
    let run = view.histories.first()?;
    let mut best: Option<Day<'v>> = None;
    for day in run.upsets.chunk_by(|a, b| number(a.time_s) == number(b.time_s)) {
        if best.as_ref().is_none_or(|best| day.len() > best.upsets) {
            best = Some(Day { run, number: number(day[0].time_s), upsets: day.len() });
        }
    }
    best
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "days from 0 on")]
fn number(time_s: f64) -> u64 {
    (time_s / DAY_S).floor() as u64
}

/// The colour of what an upset did.
pub(super) fn colour(effect: Effect) -> RGBColor {
    match effect {
        Effect::Nothing => NOTHING,
        Effect::Worst(outcome) => OUTCOME_COLOURS[outcome as usize],
        Effect::Stopped => STOPPED,
    }
}

/// What the colours of upsets and episodes mean.
pub(super) fn legend() -> Vec<(RGBColor, String)> {
    let outcomes = [
        Outcome::Corrected,
        Outcome::DueRecovered,
        Outcome::TolerableSdc,
        Outcome::CriticalSdc,
        Outcome::Due,
    ];
    let named = outcomes.map(|outcome| {
        let name = outcome.name().replace('-', " ").replace("sdc", "SDC").replace("due", "DUE");
        (OUTCOME_COLOURS[outcome as usize], name)
    });
    let first = [(NOTHING, "no answer touched".to_owned())];
    let last = [(STOPPED, "stops a device or the host".to_owned())];
    first.into_iter().chain(named).chain(last).collect()
}

/// The timeline of the day.
pub(super) fn timeline(view: &MissionView<'_>, day: &Day<'_>) -> Result<String, Failure> {
    let names = view.facts.schemes.iter().map(|scheme| scheme.name.as_str());
    let left = margin(names.chain(["upsets"]));
    let top = 8.0;
    let lanes = view.facts.schemes.len() as f64 + 1.0;
    let frame = Frame {
        left,
        right: WIDTH - 14.0,
        top,
        bottom: top + lanes * LANE,
        across: Axis::marked(24.0, 3.0),
        up: Axis::none(),
    };
    let start_s = day.number as f64 * DAY_S;
    let hour = |time_s: f64| frame.x(((time_s - start_s) / 3600.0).clamp(0.0, 24.0));
    let within = |time_s: f64| number(time_s) == day.number;
    draw("The worst day", frame.bottom + 42.0, |canvas| {
        frame.grid(canvas, &format!("hours of day {} of flight", day.number + 1), "")?;
        canvas.text("upsets", (left - 10.0, top + LANE / 2.0), HPos::Right, TEXT)?;
        let upsets = day.run.upsets.iter().zip(effects(day.run, 0));
        let mut drawn = HashSet::new();
        for (upset, effect) in upsets.filter(|(upset, _)| within(upset.time_s)) {
            let x = step(hour(upset.time_s));
            // One line stands for all that fall on one place of the drawing.
            if !drawn.insert((x.to_bits(), css(colour(effect)))) {
                continue;
            }
            canvas.line((x, top + 8.0), (x, top + LANE - 8.0), colour(effect).into(), 2.0)?;
        }
        for (at, history) in day.run.schemes.iter().enumerate() {
            let top = top + LANE * (at as f64 + 1.0);
            canvas.line((left, top), (frame.right, top), INK.mix(0.3), 1.0)?;
            canvas.text(view.scheme(at), (left - 10.0, top + LANE / 2.0), HPos::Right, TEXT)?;
            lane(canvas, history, (start_s, start_s + DAY_S), top, &hour)?;
        }
        Ok(())
    })
}

/// A place across, on half units of the drawing: what a reader can tell apart, however much
/// happens on the day.
fn step(x: f64) -> f64 {
    (2.0 * x).round() / 2.0
}

fn lane(
    canvas: &Canvas<'_>,
    history: &SchemeHistory,
    (from_s, to_s): (f64, f64),
    top: f64,
    hour: &dyn Fn(f64) -> f64,
) -> Drawn {
    let mut free = [0.0_f64; ROWS];
    let mut covered: HashMap<(usize, String), f64> = HashMap::new();
    let today = |episode: &&Episode| episode.start_s < to_s && episode.end_s >= from_s;
    for episode in history.episodes.iter().filter(today) {
        let (from, to) = (step(hour(episode.start_s)), step(hour(episode.end_s)));
        // The first row that is free again, or the last.
        let row = free.iter().position(|end| *end <= from).unwrap_or(ROWS - 1);
        let to = to.max(from + 3.0);
        free[row] = free[row].max(to + 1.0);
        let y = top + 5.0 + 7.0 * row as f64;
        let shade = colour(Effect::Worst(episode.worst()));
        // What lies on others of its colour adds nothing.
        let before = covered.entry((row, css(shade))).or_default();
        if to <= *before {
            continue;
        }
        let from = from.max(*before);
        *before = to;
        canvas.rectangle((from, y), (to, y + 5.0), shade)?;
    }
    let mut drawn = HashSet::new();
    for change in history.changes.iter().filter(|c| (from_s..to_s).contains(&c.time_s)) {
        let x = step(hour(change.time_s));
        if !drawn.insert((x.to_bits(), change.ended.is_some())) {
            continue;
        }
        let y = top + LANE - 4.0;
        // Golden again: a tick below the line that changes stand on.
        let (a, b) = if change.ended.is_some() { (y, y + 3.0) } else { (y - 6.0, y) };
        canvas.line((x, a), (x, b), INK.mix(0.8), 1.0)?;
    }
    let shown = history.episodes.iter().filter(today).count();
    if shown == 0 {
        let at = (hour(from_s) + 6.0, top + LANE / 2.0 - 4.0);
        return canvas.text("no episode", at, HPos::Left, SMALL - 1.0);
    }
    Ok(())
}
