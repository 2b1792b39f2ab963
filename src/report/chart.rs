//! Drawings for the page: inline SVG whose ink is the page's own colour, so that they read on
//! paper, on light and on dark. All use of plotters is here.

use super::compared::{Compared, compared};
use super::plot::Axis;
use super::{Report, tables, words};
use crate::archive::summary::{Breakdown, Comparison, Figures};
use crate::fault::Region;
use crate::op::Dtype;
use crate::outcome::Outcome;
use crate::stats::Interval;
use crate::words::{html, line};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Colours of outcomes, by severity; told apart with any colour vision (Okabe and Ito 2008).
pub(super) const OUTCOME_COLOURS: [RGBColor; 7] = [
    RGBColor(0xb8, 0xbe, 0xc6),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xf0, 0xc8, 0x42),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x6a, 0x51, 0xa3),
];

/// Colours of schemes, in order; the next six have another mark.
pub(super) const SCHEME_COLOURS: [RGBColor; 6] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x1f, 0x7a, 0xc4),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xb8, 0x8a, 0x00),
    RGBColor(0x6a, 0x51, 0xa3),
];

/// Stands for the page's text colour until the drawing is done.
pub(super) const INK: RGBColor = RGBColor(1, 2, 3);

/// The drawing is made on a grid finer than its units, which plotters rounds to.
const FINE: f64 = 10.0;
pub(super) const WIDTH: f64 = 760.0;
pub(super) const TEXT: f64 = 13.0;

/// The shape that stands for a scheme at its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkShape {
    /// A filled disc.
    Disc,
    /// A filled square.
    Square,
    /// A filled square on its corner.
    Diamond,
    /// A filled triangle, tip up.
    Up,
    /// A filled triangle, tip down.
    Down,
    /// An upright cross.
    Plus,
    /// A diagonal cross.
    Cross,
    /// A ring.
    Ring,
    /// An open square.
    OpenSquare,
    /// An open square on its corner.
    OpenDiamond,
}

impl MarkShape {
    const ALL: [Self; 10] = [
        Self::Disc,
        Self::Square,
        Self::Diamond,
        Self::Up,
        Self::Down,
        Self::Plus,
        Self::Cross,
        Self::Ring,
        Self::OpenSquare,
        Self::OpenDiamond,
    ];
}

/// How a scheme is told from others: its colour, and a mark where colours repeat. Sixty differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) colour: RGBColor,
    pub(super) mark: MarkShape,
}

impl Look {
    /// Of a scheme.
    pub(super) fn of(scheme: usize) -> Self {
        let colours = SCHEME_COLOURS.len();
        let mark = MarkShape::ALL[scheme / colours % MarkShape::ALL.len()];
        Self { colour: SCHEME_COLOURS[scheme % colours], mark }
    }
}

/// The look of a scheme for a legend: a small drawing that is a part of its line.
pub(super) fn legend_mark(look: Look) -> Result<String, Failure> {
    const SIDE: f64 = 14.0;
    sized("", (SIDE, SIDE), |canvas| canvas.mark((SIDE / 2.0, SIDE / 2.0), 5.0, look))
}

/// A colour for a legend, likewise.
pub(super) fn legend_colour(colour: RGBColor) -> Result<String, Failure> {
    const SIDE: f64 = 14.0;
    sized("", (SIDE, SIDE), |canvas| canvas.rectangle((1.0, 1.0), (SIDE - 1.0, SIDE - 1.0), colour))
}

/// A colour as CSS writes it.
pub(super) fn css(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

pub(super) type Failure = DrawingAreaErrorKind<std::io::Error>;
pub(super) type Drawn = Result<(), Failure>;

/// What is drawn on, in units of the drawing.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

#[expect(clippy::cast_possible_truncation, reason = "a drawing is some thousand units wide")]
fn fine(at: (f64, f64)) -> (i32, i32) {
    ((at.0 * FINE).round() as i32, (at.1 * FINE).round() as i32)
}

impl Canvas<'_> {
    pub(super) fn rectangle(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor) -> Drawn {
        self.area.draw(&Rectangle::new([fine(from), fine(to)], colour.filled()))
    }

    /// A filled outline.
    pub(super) fn polygon(&self, points: &[(f64, f64)], colour: RGBColor) -> Drawn {
        let points: Vec<(i32, i32)> = points.iter().map(|at| fine(*at)).collect();
        self.area.draw(&Polygon::new(points, colour.filled()))
    }

    /// A line through points.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a line is some units wide"
    )]
    pub(super) fn path(&self, points: &[(f64, f64)], colour: RGBAColor, width: f64) -> Drawn {
        let points: Vec<(i32, i32)> = points.iter().map(|at| fine(*at)).collect();
        let style = colour.stroke_width((width * FINE) as u32);
        self.area.draw(&PathElement::new(points, style))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a line is some units wide"
    )]
    pub(super) fn line(
        &self,
        from: (f64, f64),
        to: (f64, f64),
        colour: RGBAColor,
        width: f64,
    ) -> Drawn {
        let style = colour.stroke_width((width * FINE) as u32);
        self.area.draw(&PathElement::new([fine(from), fine(to)], style))
    }

    /// The mark of a scheme, within a circle of a radius.
    pub(super) fn mark(&self, at: (f64, f64), radius: f64, look: Look) -> Drawn {
        let Look { colour, mark } = look;
        let corner = |x: f64, y: f64| (at.0 + radius * x, at.1 + radius * y);
        let square = [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)];
        let diamond = [(0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0)];
        let up = [(0.0, -1.1), (1.05, 0.85), (-1.05, 0.85)];
        let filled = |corners: &[(f64, f64)]| {
            let points: Vec<_> = corners.iter().map(|(x, y)| corner(*x, *y)).collect();
            self.polygon(&points, colour)
        };
        let open = |corners: &[(f64, f64)]| {
            let closed = corners.iter().chain(corners.first());
            let points: Vec<_> = closed.map(|(x, y)| corner(*x, *y)).collect();
            self.path(&points, colour.into(), 1.6)
        };
        let stroke = |(a, b): (f64, f64), (c, d): (f64, f64)| {
            self.line(corner(a, b), corner(c, d), colour.into(), 2.0)
        };
        match mark {
            MarkShape::Disc => self.disc(at, radius, colour),
            MarkShape::Square => filled(&square),
            MarkShape::Diamond => filled(&diamond),
            MarkShape::Up => filled(&up),
            MarkShape::Down => filled(&up.map(|(x, y)| (x, -y))),
            MarkShape::Plus => {
                stroke((-1.1, 0.0), (1.1, 0.0)).and_then(|()| stroke((0.0, -1.1), (0.0, 1.1)))
            }
            MarkShape::Cross => stroke((-0.85, -0.85), (0.85, 0.85))
                .and_then(|()| stroke((-0.85, 0.85), (0.85, -0.85))),
            MarkShape::Ring => {
                let turn = |part: u32| f64::from(part) / 16.0 * std::f64::consts::TAU;
                let ring: Vec<_> = (0..16).map(|n| (turn(n).cos(), turn(n).sin())).collect();
                open(&ring)
            }
            MarkShape::OpenSquare => open(&square),
            MarkShape::OpenDiamond => open(&diamond),
        }
    }

    /// A disc of a radius.
    pub(super) fn disc(&self, at: (f64, f64), radius: f64, colour: RGBColor) -> Drawn {
        self.area.draw(&Circle::new(fine(at), radius * FINE, colour.filled()))
    }

    pub(super) fn text(&self, text: &str, at: (f64, f64), h: HPos, size: f64) -> Drawn {
        // plotters' SVG backend divides by 1.24.
        let font = ("sans-serif", size * FINE * 1.24).into_font();
        let style = TextStyle::from(font).color(&INK).pos(Pos::new(h, VPos::Center));
        self.area.draw(&Text::new(line(text).into_owned(), fine(at), style))
    }

    /// A share with its interval: a whisker and a dot.
    fn estimate(&self, row: &Figures, y: f64, x: impl Fn(f64) -> f64) -> Drawn {
        let look = Look::of(row.scheme);
        let colour = look.colour;
        if let Some(Interval { low, high }) = row.clopper_pearson {
            self.line((x(low), y), (x(high), y), colour.into(), 2.0)?;
            for end in [low, high] {
                self.line((x(end), y - 4.0), (x(end), y + 4.0), colour.into(), 1.5)?;
            }
        }
        self.mark((x(row.wrong_probability), y), 4.0, look)
    }
}

/// Draws on a canvas and gives the element, without a size of its own.
pub(super) fn draw(
    label: &str,
    height: f64,
    with: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, Failure> {
    sized(label, (WIDTH, height), with)
}

/// The same of any size; without a label it is decoration.
fn sized(
    label: &str,
    size: (f64, f64),
    with: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, Failure> {
    let mut svg = String::new();
    let (width, height) = fine(size);
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let canvas = Canvas { area: SVGBackend::with_string(&mut svg, size).into_drawing_area() };
        with(&canvas)?;
        canvas.area.present()?;
    }
    let body = svg.split_once('>').map_or("", |(_, body)| body).replace(&css(INK), "currentColor");
    let body = body.replace(&css(INK).to_uppercase(), "currentColor");
    let says = match html(label) {
        label if label.is_empty() => "class=\"mark\" aria-hidden=\"true\"".to_owned(),
        label => format!("role=\"img\" aria-label=\"{label}\""),
    };
    Ok(format!("<svg viewBox=\"0 0 {width} {height}\" {says}>{body}"))
}

/// Round numbers from 0 past `most`, and their step.
pub(super) fn ticks(most: f64) -> (f64, Vec<f64>) {
    let most = if most > 0.0 { most } else { 0.01 };
    let magnitude = 10f64.powf((most / 4.0).log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * magnitude);
    let step = step.into_iter().find(|step| most / step <= 5.0).unwrap_or(most);
    let count = (most / step).ceil();
    let ticks = (0u32..).map(|n| f64::from(n) * step).take_while(|t| *t <= (count + 0.5) * step);
    ((count * step).min(1.0_f64.max(most)), ticks.collect())
}

/// The largest value that a drawing of these rows must hold.
fn most<'r>(rows: impl Iterator<Item = &'r Figures>) -> f64 {
    let end =
        |row: &Figures| row.clopper_pearson.map_or(row.wrong_probability, |interval| interval.high);
    rows.map(end).fold(0.0, f64::max)
}

fn name(report: &Report, row: &Figures) -> String {
    if report.header.strata.len() > 1 {
        format!("{} · {}", report.scheme(row.scheme), report.stratum(row.stratum))
    } else {
        report.scheme(row.scheme).to_owned()
    }
}

/// The width that names to the left of a drawing take.
pub(super) fn margin<'n>(names: impl Iterator<Item = &'n str>) -> f64 {
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    (longest as f64 * 0.6 * TEXT + 16.0).clamp(70.0, 300.0)
}

/// Shares of outcomes, a bar a scheme.
pub(super) fn outcomes(report: &Report) -> Result<String, Failure> {
    let rows: Vec<&Figures> = report.summary.by(Breakdown::Scheme).collect();
    let names: Vec<String> = rows.iter().map(|row| name(report, row)).collect();
    let left = margin(names.iter().map(String::as_str));
    let x = |share: f64| left + share * (WIDTH - left - 24.0);
    let height = rows.len() as f64 * 34.0 + 30.0;
    draw("Shares of outcomes under each scheme", height, |canvas| {
        for (index, (row, name)) in rows.iter().zip(&names).enumerate() {
            let y = index as f64 * 34.0 + 4.0;
            canvas.text(name, (left - 10.0, y + 13.0), HPos::Right, TEXT)?;
            let mut from = 0.0;
            for outcome in Outcome::ALL {
                let to = from + row.share(outcome);
                if to > from {
                    let colour = OUTCOME_COLOURS[outcome as usize];
                    canvas.rectangle((x(from), y), (x(to), y + 26.0), colour)?;
                }
                from = to;
            }
        }
        let y = rows.len() as f64 * 34.0 + 4.0;
        for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
            canvas.line((x(tick), y - 4.0), (x(tick), y), INK.mix(0.6), 1.0)?;
            canvas.text(&words::tick(tick), (x(tick), y + 12.0), HPos::Center, TEXT - 1.0)?;
        }
        Ok(())
    })
}

/// Rows of dots with whiskers: P(a trial is wrong), grouped under names.
fn estimates(label: &str, groups: &[(String, Vec<&Figures>)]) -> Result<String, Failure> {
    let left = margin(groups.iter().map(|(name, _)| name.as_str()));
    let (end, ticks) = ticks(most(groups.iter().flat_map(|(_, rows)| rows.iter().copied())));
    let x = |share: f64| left + share / end * (WIDTH - left - 30.0);
    let step = |rows: &[&Figures]| if rows.len() > 1 { 13.0 } else { 24.0 };
    let heights = groups.iter().map(|(_, rows)| rows.len() as f64 * step(rows) + 10.0);
    let bottom: f64 = heights.sum();
    draw(label, bottom + 30.0, |canvas| {
        for tick in ticks.iter().filter(|tick| **tick <= end * 1.001) {
            canvas.line((x(*tick), 0.0), (x(*tick), bottom), INK.mix(0.15), 1.0)?;
            let text = words::tick(*tick);
            canvas.text(&text, (x(*tick), bottom + 16.0), HPos::Center, TEXT - 1.0)?;
        }
        let mut y = 5.0;
        for (name, rows) in groups {
            let middle = y + rows.len() as f64 * step(rows) / 2.0;
            canvas.text(name, (left - 12.0, middle), HPos::Right, TEXT)?;
            for row in rows {
                canvas.estimate(row, y + step(rows) / 2.0, x)?;
                y += step(rows);
            }
            y += 10.0;
        }
        Ok(())
    })
}

/// P(a trial has a wrong answer) under each scheme, and against the baseline.
pub(super) fn wrong_trials(report: &Report) -> Result<String, Failure> {
    let comparisons = &report.summary.comparisons;
    let row = |of: &Figures| {
        let is_of = |row: &&Comparison| (row.stratum, row.scheme) == (of.stratum, of.scheme);
        let scheme = report.header.schemes.get(of.scheme);
        Compared {
            name: name(report, of),
            estimate: of.wrong_probability,
            interval: of.clopper_pearson,
            fewer: comparisons.iter().find(is_of).and_then(|row| row.fewer),
            stored_bytes: scheme.map_or(0, |scheme| scheme.cost.bytes_stored),
            look: Look::of(of.scheme),
        }
    };
    let rows: Vec<Compared> = report.summary.by(Breakdown::Scheme).map(row).collect();
    let across = Axis::shares(rows.iter().flat_map(Compared::ends).fold(0.0, f64::max));
    let baseline = comparisons.first().map_or("", |row| report.scheme(row.baseline));
    compared(
        "Share of trials with a wrong answer under each scheme",
        (across, "trials with a wrong answer"),
        baseline,
        &rows,
    )
}

/// P(a trial has a wrong answer) by tensor or op struck.
pub(super) fn by_tensor(report: &Report) -> Result<String, Failure> {
    let mut rows: Vec<&Figures> = report.summary.by(Breakdown::Tensor).collect();
    rows.sort_by_key(|row| (row.stratum, row.region, row.tensor, row.scheme));
    let same = |a: &&Figures, b: &&Figures| {
        (a.stratum, a.region, a.tensor) == (b.stratum, b.region, b.tensor)
    };
    let groups: Vec<_> = rows
        .chunk_by(same)
        .map(|group| (tables::place(report, group[0]), group.to_vec()))
        .collect();
    estimates("Share of trials with a wrong answer by tensor struck", &groups)
}

/// The type of what a stratum strikes: that of the stored tensors where they are of one and nothing else is
/// struck.
fn struck_type(report: &Report, stratum: usize) -> Dtype {
    let mut regions = report.summary.by(Breakdown::Region).filter(|row| row.stratum == stratum);
    let of_tensors = regions.all(|row| matches!(row.region, Some(Region::Weights | Region::Voted)));
    let mut types = report.header.workload.tensors.iter().map(|tensor| tensor.dtype.as_str());
    match types.next().and_then(Dtype::named) {
        Some(dtype) if of_tensors && types.clone().all(|name| name == dtype.name()) => dtype,
        // Bits of several types mean several things.
        Some(dtype) if !dtype.is_float() || types.any(|name| name.starts_with(['i', 'u'])) => {
            Dtype::U32
        }
        _ => Dtype::F32,
    }
}

/// The same by bit position struck, in one stratum.
pub(super) fn by_bit(report: &Report, stratum: usize) -> Result<String, Failure> {
    let rows: Vec<&Figures> =
        report.summary.by(Breakdown::Bit).filter(|row| row.stratum == stratum).collect();
    let dtype = struck_type(report, stratum);
    let bits = dtype.bits();
    let (left, top, bottom) = (52.0, 8.0, 218.0);
    let (end, ticks) = ticks(most(rows.iter().copied()));
    let y = |share: f64| bottom - share / end * (bottom - top);
    let slot = (WIDTH - left - 8.0) / f64::from(bits);
    let x = |bit: f64| left + bit * slot;
    let schemes = report.header.schemes.len().max(1) as f64;
    let bar = (slot - 4.0) / schemes;
    draw("Share of trials with a wrong answer by bit struck", bottom + 52.0, |canvas| {
        for tick in ticks.iter().filter(|tick| **tick <= end * 1.001) {
            canvas.line((left, y(*tick)), (WIDTH - 8.0, y(*tick)), INK.mix(0.15), 1.0)?;
            let text = words::tick(*tick);
            canvas.text(&text, (left - 6.0, y(*tick)), HPos::Right, TEXT - 1.0)?;
        }
        for row in &rows {
            let from = x(f64::from(row.bit.unwrap_or(0))) + 2.0 + row.scheme as f64 * bar;
            let look = Look::of(row.scheme);
            let top = y(row.wrong_probability);
            // Bars have no mark to tell more schemes apart than there are colours.
            if report.header.schemes.len() <= SCHEME_COLOURS.len() {
                canvas.rectangle((from, top), (from + bar, bottom), look.colour)?;
            } else {
                canvas.mark((from + bar / 2.0, top), 2.5, look)?;
            }
            if let Some(interval) = row.clopper_pearson.filter(|_| row.wrong_trials > 0) {
                let middle = from + bar / 2.0;
                let ends = ((middle, y(interval.low)), (middle, y(interval.high)));
                canvas.line(ends.0, ends.1, INK.mix(0.55), 1.0)?;
            }
        }
        for bit in (0..bits).step_by(4).chain([bits - 1]) {
            let text = bit.to_string();
            let at = (x(f64::from(bit) + 0.5), bottom + 13.0);
            canvas.text(&text, at, HPos::Center, TEXT - 1.0)?;
        }
        for (range, field) in dtype.fields() {
            let (from, to) = (x(range.start.into()) + 2.0, x(range.end.into()) - 2.0);
            canvas.line((from, bottom + 27.0), (to, bottom + 27.0), INK.mix(0.6), 1.0)?;
            let middle = f64::midpoint(from, to);
            canvas.text(field, (middle, bottom + 40.0), HPos::Center, TEXT - 1.0)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_schemes_look_different_and_six_differ_in_colour() {
        let looks: Vec<Look> = (0..60).map(Look::of).collect();
        for (at, look) in looks.iter().enumerate() {
            assert!(!looks[..at].contains(look), "scheme {at} looks like one before");
        }
        let colours: std::collections::HashSet<String> =
            looks[..6].iter().map(|look| css(look.colour)).collect();
        assert_eq!(colours.len(), 6);
        let drawn: std::collections::HashSet<String> =
            looks.iter().map(|look| legend_mark(*look).expect("a mark")).collect();
        assert_eq!(drawn.len(), 60, "marks that are drawn differ too");
    }
}
