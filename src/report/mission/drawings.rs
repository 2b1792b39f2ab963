//! The drawings of figures: protection against cost, errors in time, sweep, fleet.

use super::super::chart::{
    Canvas, Drawn, Failure, INK, SCHEME_COLOURS, TEXT, WIDTH, draw, margin, scheme_colour,
};
use super::MissionView;
use super::details::period;
use super::plot::{Axis, Frame, SMALL};
use crate::mission::figures::Spread;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

/// Room on the left of a frame for the figures of its axis.
const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 14.0;

/// Episodes with a wrong answer against the bytes that a scheme stores.
pub(super) fn protection(view: &MissionView<'_>) -> Result<String, Failure> {
    let rates = || view.figures.iter().map(|figures| &figures.critical_episodes);
    let ends = rates().flat_map(|found| {
        // A lower end near 0 would stretch the axis; the whisker then leaves it.
        [found.rate, found.interval.high, found.interval.low.max(found.rate / 30.0)]
    });
    let least = view.facts.schemes.iter().map(|scheme| scheme.stored_bytes).min().unwrap_or(1);
    let ratio = |at: usize| {
        let stored = view.facts.schemes.get(at).map_or(0, |scheme| scheme.stored_bytes);
        stored as f64 / least.max(1) as f64
    };
    let most = (0..view.facts.schemes.len()).map(ratio).fold(1.0, f64::max);
    let frame = Frame {
        left: LEFT,
        right: RIGHT,
        top: 34.0,
        bottom: 300.0,
        across: Axis::marked((most + 0.25).ceil(), 0.5),
        up: Axis::log(ends),
    };
    draw("Wrong answers against memory", frame.bottom + 42.0, |canvas| {
        let across = "bytes stored, as multiples of the least";
        frame.grid(canvas, across, "episodes with a wrong answer a year of flight")?;
        let middle = (view.figures.len() as f64 - 1.0) / 2.0;
        for (at, found) in rates().enumerate() {
            // Side by side, so that schemes of one cost do not hide each other.
            let x = frame.x(ratio(at)) + 9.0 * (at as f64 - middle);
            frame.estimate(canvas, x, (found.rate, found.interval), scheme_colour(at))?;
        }
        Ok(())
    })
}

/// Latency and length of error episodes under each scheme.
pub(super) fn episodes(view: &MissionView<'_>) -> Result<String, Failure> {
    const ROW: f64 = 22.0;
    let names = view.figures.iter().map(|figures| figures.name.as_str());
    let left = margin(names) + 66.0;
    let all = view.figures.iter().flat_map(|f| [&f.latency_s, &f.length_s]);
    let ends = all.flat_map(|spread| [spread.median, spread.p90, spread.max]);
    let top = 10.0;
    let frame = Frame {
        left,
        right: RIGHT - 6.0,
        top,
        bottom: top + (2.0 * ROW + 10.0) * view.figures.len() as f64,
        across: Axis::log(ends),
        up: Axis::none(),
    };
    draw("Latency and length of error episodes", frame.bottom + 42.0, |canvas| {
        frame.grid(canvas, "seconds of flight", "")?;
        for (at, figures) in view.figures.iter().enumerate() {
            let y = top + (2.0 * ROW + 10.0) * at as f64 + ROW / 2.0 + 5.0;
            canvas.text(&figures.name, (left - 72.0, y + ROW / 2.0), HPos::Right, TEXT)?;
            for (row, (name, spread)) in
                [("latency", &figures.latency_s), ("length", &figures.length_s)]
                    .into_iter()
                    .enumerate()
            {
                let y = y + ROW * row as f64;
                canvas.text(name, (left - 10.0, y), HPos::Right, SMALL)?;
                bar(canvas, &frame, y, spread, at)?;
            }
        }
        Ok(())
    })
}

fn bar(canvas: &Canvas<'_>, frame: &Frame, y: f64, spread: &Spread, scheme: usize) -> Drawn {
    if spread.count == 0 {
        return canvas.text("none", (frame.left + 6.0, y), HPos::Left, SMALL);
    }
    let colour = scheme_colour(scheme);
    let [median, p90, max] = [spread.median, spread.p90, spread.max].map(|s| frame.x(s));
    canvas.line((median, y), (max, y), colour.mix(0.6), 1.5)?;
    canvas.line((max, y - 4.0), (max, y + 4.0), colour.into(), 1.5)?;
    canvas.rectangle((median, y - 3.0), (p90, y + 3.0), colour)?;
    canvas.disc((median, y), 5.0, colour)
}

/// The share of histories with a wrong answer by a time, and of those whose service was away first.
pub(super) fn incidence(view: &MissionView<'_>) -> Result<String, Failure> {
    let steps = || view.figures.iter().flat_map(|figures| &figures.incidence);
    let most = steps().flat_map(|at| [at.critical, at.away]).fold(0.0, f64::max);
    let frame = Frame {
        left: LEFT,
        right: RIGHT,
        top: 34.0,
        bottom: 290.0,
        across: Axis::linear(view.years()),
        up: Axis::shares(if most > 0.0 { most } else { 1.0 }),
    };
    draw("Cumulative incidence of the first wrong answer", frame.bottom + 42.0, |canvas| {
        frame.grid(canvas, "years of flight", "share of histories")?;
        for (at, figures) in view.figures.iter().enumerate() {
            let colour = scheme_colour(at);
            let steps = &figures.incidence;
            let away = steps.iter().map(|step| (step.years, step.away));
            frame.steps(canvas, away, colour.mix(0.45), 1.0)?;
            let wrong = steps.iter().map(|step| (step.years, step.critical));
            frame.steps(canvas, wrong, colour.into(), 2.5)?;
        }
        if let Some(required) = view.facts.requirement {
            let years = required.no_critical_sdc_for.0 / crate::units::YEAR_S;
            if years <= view.years() {
                let (x, y) = (frame.x(years), frame.y(1.0 - required.probability));
                canvas.line((x, frame.top), (x, frame.bottom), INK.mix(0.7), 1.0)?;
                canvas.line((frame.left, y), (x, y), INK.mix(0.7), 1.0)?;
            }
        }
        Ok(())
    })
}

/// Wrong answers against the traffic of scrubbing; no scrubbing stands apart.
pub(super) fn sweep(view: &MissionView<'_>) -> Result<String, Failure> {
    let possible = || view.sweep.iter().filter(|point| point.refused.is_none());
    let values = possible().flat_map(|point| {
        let (mean, interval) = point.wrong_per_year;
        [mean, interval.high, interval.low.max(mean / 30.0)]
    });
    let traffic = possible().map(|point| point.traffic_bytes_s);
    let off = LEFT + 24.0;
    // One frame for the figures up, from the edge on, and one for those across.
    let (right, top, bottom) = (RIGHT, 34.0, 300.0);
    let up = Axis::log(values);
    let scale = Frame { left: LEFT, right, top, bottom, across: Axis::none(), up };
    let across = Axis::log(traffic);
    let frame = Frame { left: LEFT + 80.0, right, top, bottom, across, up: Axis::none() };
    let mut schemes: Vec<&str> = view.sweep.iter().map(|point| point.scheme.as_str()).collect();
    schemes.dedup();
    draw("Wrong answers against the traffic of scrubbing", scale.bottom + 42.0, |canvas| {
        scale.grid(canvas, "", "wrong answers a year of flight; no scrubbing on the left")?;
        frame.grid(canvas, "bytes a second that scrubs move", "")?;
        canvas.text("off", (off, scale.bottom + 14.0), HPos::Center, SMALL)?;
        for (index, scheme) in schemes.iter().enumerate() {
            let at = view.facts.schemes.iter().position(|fact| fact.name == **scheme);
            let colour = scheme_colour(at.unwrap_or(index));
            let mut line = Vec::new();
            for point in possible().filter(|point| point.scheme == **scheme) {
                let (mean, interval) = point.wrong_per_year;
                let x = if point.traffic_bytes_s > 0.0 {
                    frame.x(point.traffic_bytes_s)
                } else {
                    off + 9.0 * index as f64
                };
                // Nothing counted stands on the axis: a log scale has no 0.
                let y = if mean > 0.0 { scale.y(mean) } else { scale.bottom };
                if point.traffic_bytes_s > 0.0 {
                    line.push((x, y));
                }
                if point.optimum {
                    let turn = |part: i32| f64::from(part) / 24.0 * std::f64::consts::TAU;
                    let at = |part| (x + 9.0 * turn(part).cos(), y + 9.0 * turn(part).sin());
                    canvas.path(&(0..=24).map(at).collect::<Vec<_>>(), INK.into(), 2.0)?;
                }
                if mean > 0.0 {
                    scale.estimate(canvas, x, (mean, interval), colour)?;
                } else {
                    canvas.rectangle((x - 4.0, y - 4.0), (x + 4.0, y), colour)?;
                }
                if index == 0 && point.traffic_bytes_s > 0.0 {
                    let text = period(point.period_s);
                    canvas.text(&text, (x, frame.top + 8.0), HPos::Center, SMALL - 1.0)?;
                }
            }
            line.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
            if line.len() > 1 {
                canvas.path(&line, colour.mix(0.6), 1.5)?;
            }
        }
        Ok(())
    })
}

/// What is drawn of a fleet, in the order of its legend.
pub(super) const FLEET: [&str; 2] =
    ["events that reach memory in use", "states run on the adapter"];

/// Events that reach memory, and states run for them, against satellites.
pub(super) fn fleet(view: &MissionView<'_>) -> Result<String, Failure> {
    let counts = |at: &crate::mission::fleet::FleetPoint| {
        [at.events_reaching, at.states_run].map(|n| n as f64)
    };
    let frame = Frame {
        left: LEFT,
        right: RIGHT,
        top: 34.0,
        bottom: 300.0,
        across: Axis::log(view.fleet.iter().map(|at| at.satellites as f64)),
        up: Axis::log(view.fleet.iter().flat_map(counts)),
    };
    draw("What a fleet costs", frame.bottom + 42.0, |canvas| {
        frame.grid(canvas, "satellites", "number")?;
        for (series, colour) in (0..FLEET.len()).zip(SCHEME_COLOURS) {
            let points: Vec<(f64, f64)> = view
                .fleet
                .iter()
                .map(|at| (at.satellites as f64, counts(at)[series]))
                .filter(|(_, count)| *count > 0.0)
                .map(|(satellites, count)| (frame.x(satellites), frame.y(count)))
                .collect();
            if points.len() > 1 {
                canvas.path(&points, colour.into(), 2.0)?;
            }
            for at in points {
                canvas.disc(at, 3.5, colour)?;
            }
        }
        Ok(())
    })
}
