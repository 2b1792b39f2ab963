//! The drawings of figures: protection against cost, errors in time, sweep, fleet.

use super::super::chart::{
    Canvas, Drawn, Failure, INK, Look, SCHEME_COLOURS, TEXT, WIDTH, draw, margin,
};
use super::super::compared::{Compared, compared};
use super::super::plot::{Axis, Frame, SMALL};
use super::MissionView;
use super::details::period;
use crate::mission::figures::{Incidence, SchemeFigures, Spread};
use crate::units::YEAR_S;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

/// Room on the left of a frame for the figures of its axis.
const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 14.0;

/// Wrong answers a year under each scheme, and against the first one.
pub(super) fn answers(view: &MissionView<'_>) -> Result<String, Failure> {
    let row = |(at, figures): (usize, &SchemeFigures)| {
        let (mean, interval) = figures.wrong_per_year;
        // One history says nothing of the spread, and no resample of zeros has any.
        let interval = (figures.histories > 1 && interval.high > 0.0).then_some(interval);
        Compared {
            name: figures.name.clone(),
            estimate: mean,
            interval,
            fewer: figures.against.as_ref().and_then(|against| against.fewer),
            stored_bytes: view.facts.schemes.get(at).map_or(0, |scheme| scheme.stored_bytes),
            look: Look::of(at),
        }
    };
    let rows: Vec<Compared> = view.figures.iter().enumerate().map(row).collect();
    let across = Axis::log(rows.iter().flat_map(Compared::ends));
    compared(
        "Wrong answers a year under each scheme",
        (across, "wrong answers a year of flight"),
        view.scheme(0),
        &rows,
    )
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
    let look = Look::of(scheme);
    let colour = look.colour;
    let [median, p90, max] = [spread.median, spread.p90, spread.max].map(|s| frame.x(s));
    canvas.line((median, y), (max, y), colour.mix(0.6), 1.5)?;
    canvas.line((max, y - 4.0), (max, y + 4.0), colour.into(), 1.5)?;
    canvas.rectangle((median, y - 3.0), (p90, y + 3.0), colour)?;
    canvas.mark((median, y), 5.0, look)
}

/// The share of histories with a wrong answer by a time, and of those whose service was away first.
pub(super) fn incidence(view: &MissionView<'_>) -> Result<String, Failure> {
    let required = view.facts.requirement;
    let end = required.map_or_else(
        || settled_years(view),
        |required| (2.0 * required.no_critical_sdc_for.0 / YEAR_S).min(view.years()),
    );
    let steps = || view.figures.iter().flat_map(|figures| &figures.incidence);
    let shown = steps().filter(|step| step.years <= end);
    let allowed = required.map(|required| 1.0 - required.probability);
    let most = shown.flat_map(|at| [at.critical, at.away]).chain(allowed).fold(0.0, f64::max);
    let (across, unit) = Axis::time(end);
    let frame = Frame {
        left: LEFT,
        right: RIGHT,
        top: 34.0,
        bottom: 290.0,
        across,
        up: Axis::shares(if most > 0.0 { most } else { 1.0 }),
    };
    draw("Cumulative incidence of the first wrong answer", frame.bottom + 42.0, |canvas| {
        frame.grid(canvas, &format!("{unit} of flight"), "share of histories")?;
        for (at, figures) in view.figures.iter().enumerate() {
            let look = Look::of(at);
            let colour = look.colour;
            let steps = &figures.incidence;
            let shown = || until(steps, end);
            let away = shown().map(|step| (step.years, step.away));
            frame.steps(canvas, away, colour.mix(0.45), 1.0)?;
            let wrong = shown().map(|step| (step.years, step.critical));
            frame.steps(canvas, wrong, colour.into(), 2.5)?;
            if let Some(last) = steps.iter().rfind(|step| step.years <= end) {
                canvas.mark((frame.x(last.years), frame.y(last.critical)), 4.0, look)?;
            }
        }
        if let Some(required) = required {
            let years = required.no_critical_sdc_for.0 / YEAR_S;
            let (x, y) = (frame.x(years), frame.y(1.0 - required.probability));
            canvas.line((x, frame.top), (x, frame.bottom), INK.mix(0.7), 1.0)?;
            canvas.line((frame.left, y), (x, y), INK.mix(0.7), 1.0)?;
        }
        Ok(())
    })
}

/// The years by which the curves have come within a hundredth of where they end.
fn settled_years(view: &MissionView<'_>) -> f64 {
    let settled = |figures: &SchemeFigures| {
        let last = figures.incidence.last()?;
        let near = |step: &&Incidence| {
            step.critical >= 0.99 * last.critical && step.away >= 0.99 * last.away
        };
        figures.incidence.iter().find(near).map(|step| step.years)
    };
    let years = view.figures.iter().filter_map(settled).fold(0.0, f64::max);
    if years > 0.0 { (1.25 * years).min(view.years()) } else { view.years() }
}

/// The steps up to a time, of which the last is held until then.
fn until(steps: &[Incidence], end: f64) -> impl Iterator<Item = Incidence> {
    let within = &steps[..steps.partition_point(|step| step.years <= end)];
    let held = within.last().map(|last| Incidence { years: end, ..*last });
    within.iter().copied().chain(held)
}

/// Wrong answers against the traffic of scrubbing; no scrubbing stands apart.
pub(super) fn sweep(view: &MissionView<'_>) -> Result<String, Failure> {
    let possible = || view.sweep.iter().filter(|point| point.refused.is_none());
    let values = possible().flat_map(|point| {
        let (mean, interval) = point.wrong_per_year;
        [mean, interval.high, interval.low]
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
            let look = Look::of(at.unwrap_or(index));
            let mut line = Vec::new();
            for point in possible().filter(|point| point.scheme == **scheme) {
                let (mean, interval) = point.wrong_per_year;
                let x = if point.traffic_bytes_s > 0.0 {
                    frame.x(point.traffic_bytes_s)
                } else {
                    off + (56.0 / schemes.len() as f64).min(9.0) * index as f64
                };
                let y = scale.y(mean);
                if point.traffic_bytes_s > 0.0 {
                    line.push((x, y));
                }
                if point.optimum {
                    let turn = |part: i32| f64::from(part) / 24.0 * std::f64::consts::TAU;
                    let at = |part| (x + 9.0 * turn(part).cos(), y + 9.0 * turn(part).sin());
                    canvas.path(&(0..=24).map(at).collect::<Vec<_>>(), INK.into(), 2.0)?;
                }
                scale.estimate_up(canvas, x, (mean, interval), look)?;
                if index == 0 && point.traffic_bytes_s > 0.0 {
                    let text = period(point.period_s);
                    canvas.text(&text, (x, frame.top + 8.0), HPos::Center, SMALL - 1.0)?;
                }
            }
            line.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
            if line.len() > 1 {
                canvas.path(&line, look.colour.mix(0.6), 1.5)?;
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
