//! Where on the orbit and at which time of day upsets fell.

use super::super::chart::{Failure, INK, WIDTH, draw};
use super::super::plot::{Axis, Frame};
use super::super::tables::Table;
use super::super::words;
use super::tables::{NONE, tally};
use super::{Effect, MissionView, UpsetRow, effects};
use crate::mission::What;
use crate::outcome::Outcome;
use plotters::style::{Color, RGBColor};

/// Poleward of this latitude cosmic rays of almost any rigidity arrive.
const POLAR_DEG: f64 = 60.0;
/// The parts of an orbit, in the order of [`part`].
const PARTS: [&str; 3] = ["South Atlantic Anomaly", "poleward of 60°", "elsewhere"];
const HOURS: usize = 24;
pub(super) const IN_SAA: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(super) const ELSEWHERE: RGBColor = RGBColor(0x1f, 0x7a, 0xc4);

/// Upsets that have a place, with what they did under the first scheme.
pub(super) fn placed<'v>(
    view: &'v MissionView<'_>,
) -> impl Iterator<Item = (&'v UpsetRow, Effect)> {
    // Hardened storage is struck at a constant rate, wherever it is.
    let anywhere = What::Hardened { word: 0, mask: 0 }.name();
    view.histories.iter().flat_map(move |run| {
        let upsets = run.upsets.iter().zip(effects(run, 0));
        upsets.filter(move |(at, _)| at.latitude_deg.is_finite() && at.what() != anywhere)
    })
}

/// Parts of the orbit: in the South Atlantic Anomaly, else near a pole, else neither.
fn part(in_saa: bool, latitude_deg: f64) -> usize {
    match (in_saa, latitude_deg.abs() >= POLAR_DEG) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    }
}

/// Upsets by part of the orbit.
pub(super) fn table(view: &MissionView<'_>) -> Table {
    let columns =
        ["part of the orbit", "of the time", "upsets", "of the upsets", "a year there", "errors"];
    let caption = format!(
        "Upsets with a place, in {}. A year there: upsets a year of flight spent \
         in that part. Errors: upsets that began an error episode under {}. In the anomaly: more than \
         1 trapped proton above 10 MeV per cm² and second before the shield.{}",
        words::plural(view.histories.len() as u64, "history", "histories"),
        view.scheme(0),
        view.pace()
    );
    let mut table = Table::new("Upsets by place", caption, &columns, 1);
    let parts = parts(view);
    let all: u64 = parts.iter().map(|part| part.upsets).sum();
    for Part { name, share_of_time, upsets, errors } in parts {
        let years = share_of_time * view.years() * view.histories.len() as f64;
        table.rows.push(vec![
            name.to_owned(),
            words::percent(share_of_time),
            tally(upsets),
            if all > 0 { words::percent(upsets as f64 / all as f64) } else { NONE.into() },
            if years > 0.0 { words::number(upsets as f64 / years) } else { NONE.into() },
            tally(errors),
        ]);
    }
    table
}

/// What fell in a part of the orbit.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) share_of_time: f64,
    pub(super) upsets: u64,
    /// Those that began an error episode under the first scheme.
    pub(super) errors: u64,
}

/// Upsets by part of the orbit; parts that it does not pass are left out.
pub(super) fn parts(view: &MissionView<'_>) -> Vec<Part> {
    let mut found = [[0_u64; 2]; 3];
    for (at, effect) in placed(view) {
        let counts = &mut found[part(at.in_saa == 1, at.latitude_deg)];
        counts[0] += 1;
        let error = matches!(effect, Effect::Worst(worst) if worst >= Outcome::TolerableSdc);
        counts[1] += u64::from(error);
    }
    let mut places = [0_u64; 3];
    for at in view.track {
        places[part(at.in_saa == 1, at.latitude_deg)] += 1;
    }
    let of = |(index, name): (usize, &'static str)| Part {
        name,
        share_of_time: places[index] as f64 / view.track.len().max(1) as f64,
        upsets: found[index][0],
        errors: found[index][1],
    };
    let passed = PARTS.into_iter().enumerate().filter(|(index, _)| places[*index] > 0);
    passed.map(of).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of the day")]
fn hour(local_time_h: f64) -> usize {
    (local_time_h.rem_euclid(24.0) as usize).min(HOURS - 1)
}

/// Upsets by local solar time, beside the time spent there.
pub(super) fn hours(view: &MissionView<'_>) -> Result<String, Failure> {
    let mut upsets = [[0_u64; 2]; HOURS];
    for (at, _) in placed(view) {
        upsets[hour(at.local_time_h)][usize::from(at.in_saa == 0)] += 1;
    }
    let all = upsets.iter().flatten().sum::<u64>().max(1) as f64;
    let mut time = [0.0; HOURS];
    for at in view.track {
        time[hour(at.local_time_h)] += 1.0 / view.track.len() as f64;
    }
    let share = |counts: &[u64; 2]| (counts[0] + counts[1]) as f64 / all;
    let most = upsets.iter().map(share).chain(time).fold(0.0, f64::max);
    let frame = Frame {
        left: 52.0,
        right: WIDTH - 12.0,
        top: 34.0,
        bottom: 210.0,
        across: Axis::marked(24.0, 3.0),
        up: Axis::shares(most),
    };
    draw("Upsets by local solar time", frame.bottom + 42.0, |canvas| {
        frame.grid(canvas, "local mean solar time, h", "share")?;
        for (hour, (counts, time)) in (0u32..).zip(upsets.iter().zip(time)) {
            let (from, to) = (frame.x(f64::from(hour)) + 3.0, frame.x(f64::from(hour + 1)) - 3.0);
            let saa = frame.y(counts[0] as f64 / all);
            let top = frame.y(share(counts));
            if counts[0] > 0 {
                canvas.rectangle((from, saa), (to, frame.bottom), IN_SAA)?;
            }
            if counts[1] > 0 {
                canvas.rectangle((from, top), (to, saa), ELSEWHERE)?;
            }
            let level = frame.y(time);
            canvas.line((from - 3.0, level), (to + 3.0, level), INK.mix(0.8), 1.5)?;
        }
        Ok(())
    })
}
