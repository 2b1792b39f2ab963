//! Axes and frames of drawings.

use super::chart::{self, Canvas, Drawn, INK, Look, TEXT};
use super::words;
use crate::stats::{Interval, Ratio};
use crate::units::{DAY_S, YEAR_S};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

pub(super) const SMALL: f64 = TEXT - 1.0;
/// The most decades of an axis that are all labelled.
const LABELLED: i32 = 8;

/// The share of a logarithmic axis that holds 0, which has no logarithm.
const ZERO_LANE: f64 = 0.08;

/// How values become places along an edge.
pub(super) struct Axis {
    from: f64,
    to: f64,
    log: bool,
    /// Whether a logarithmic axis begins with a lane for 0.
    zero: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 past the largest value.
    pub(super) fn linear(most: f64) -> Self {
        let (to, ticks) = chart::ticks(most);
        let ticks = ticks.into_iter().filter(|tick| *tick <= to * 1.001);
        Self {
            from: 0.0,
            to,
            log: false,
            zero: false,
            ticks: ticks.map(|tick| (tick, plain(tick))).collect(),
        }
    }

    /// An edge without figures.
    pub(super) const fn none() -> Self {
        Self { from: 0.0, to: 1.0, log: false, zero: false, ticks: Vec::new() }
    }

    /// From 0 to the end, with a tick every so much.
    pub(super) fn marked(to: f64, every: f64) -> Self {
        let ticks = (0u32..).map(|n| f64::from(n) * every).take_while(|tick| *tick <= to * 1.001);
        Self {
            from: 0.0,
            to,
            log: false,
            zero: false,
            ticks: ticks.map(|tick| (tick, plain(tick))).collect(),
        }
    }

    /// Years from 0 to the end, said in days where they are few; and the unit.
    pub(super) fn time(years: f64) -> (Self, &'static str) {
        let (scale, unit) = if years < 1.0 { (YEAR_S / DAY_S, "days") } else { (1.0, "years") };
        let (_, ticks) = chart::ticks(years * scale);
        let within = ticks.into_iter().filter(|tick| *tick <= years * scale * 1.001);
        let ticks = within.map(|tick| (tick / scale, plain(tick))).collect();
        (Self { from: 0.0, to: years, log: false, zero: false, ticks }, unit)
    }

    /// Shares from 0 to past the largest, in percent.
    pub(super) fn shares(most: f64) -> Self {
        let mut axis = Self::linear(most);
        for (tick, text) in &mut axis.ticks {
            *text = words::tick(*tick);
        }
        axis
    }

    /// The whole decades that hold the values above 0, after a lane for 0 where a value is 0.
    pub(super) fn log(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most, mut zero) = (f64::INFINITY, 0.0_f64, false);
        for value in values.filter(|value| value.is_finite()) {
            if value > 0.0 {
                (least, most) = (least.min(value), most.max(value));
            } else {
                zero = true;
            }
        }
        let (least, most) = if least.is_finite() { (least, most) } else { (0.1, 1.0) };
        #[expect(clippy::cast_possible_truncation, reason = "an exponent of an f64")]
        let (low, high) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        let high = high.max(low + 1);
        let every = (high - low + LABELLED - 1) / LABELLED;
        let powers = (low..=high).filter(|power| (power - low) % every == 0);
        let decades = powers.map(|power| (10f64.powi(power), decade(power)));
        let ticks = zero.then(|| (0.0, "0".to_owned())).into_iter().chain(decades).collect();
        Self { from: f64::from(low), to: f64::from(high), log: true, zero, ticks }
    }

    /// Where the lane for 0 ends, where there is one.
    fn lane(&self) -> Option<f64> {
        (self.log && self.zero).then_some(ZERO_LANE)
    }

    /// Where a value stands between the ends: 0 to 1.
    fn share(&self, value: f64) -> f64 {
        if !self.log {
            return ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        }
        let lane = self.lane().unwrap_or(0.0);
        if value <= 0.0 {
            return lane / 2.0;
        }
        let share = (value.log10() - self.from) / (self.to - self.from);
        lane + (1.0 - lane) * share.clamp(0.0, 1.0)
    }
}

/// A round number of an axis.
fn plain(value: f64) -> String {
    if value >= 1000.0 {
        return words::number(value);
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn decade(power: i32) -> String {
    let value = 10f64.powi(power);
    match power {
        -3..0 => format!("{value:.*}", power.unsigned_abs() as usize),
        0..3 => format!("{value:.0}"),
        _ => words::number(value),
    }
}

/// A field between two axes.
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) across: Axis,
    pub(super) up: Axis,
}

impl Frame {
    pub(super) fn x(&self, value: f64) -> f64 {
        self.left + self.across.share(value) * (self.right - self.left)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - self.up.share(value) * (self.bottom - self.top)
    }

    /// The grid, its figures, and what they are.
    pub(super) fn grid(&self, canvas: &Canvas<'_>, across: &str, up: &str) -> Drawn {
        for (tick, text) in &self.up.ticks {
            let y = self.y(*tick);
            canvas.line((self.left, y), (self.right, y), INK.mix(0.15), 1.0)?;
            canvas.text(text, (self.left - 6.0, y), HPos::Right, SMALL)?;
        }
        for (tick, text) in &self.across.ticks {
            let x = self.x(*tick);
            canvas.line((x, self.top), (x, self.bottom), INK.mix(0.08), 1.0)?;
            canvas.line((x, self.bottom), (x, self.bottom + 4.0), INK.mix(0.6), 1.0)?;
            canvas.text(text, (x, self.bottom + 14.0), HPos::Center, SMALL)?;
        }
        if let Some(lane) = self.up.lane() {
            let y = self.bottom - lane * (self.bottom - self.top);
            canvas.line((self.left, y), (self.right, y), INK.mix(0.5), 1.0)?;
        }
        if let Some(lane) = self.across.lane() {
            let x = self.left + lane * (self.right - self.left);
            canvas.line((x, self.top), (x, self.bottom), INK.mix(0.5), 1.0)?;
        }
        canvas.text(up, (self.left - 40.0, self.top - 18.0), HPos::Left, SMALL)?;
        canvas.text(across, (self.right, self.bottom + 32.0), HPos::Right, SMALL)
    }

    /// A value up with its interval, at a place across.
    pub(super) fn estimate_up(
        &self,
        canvas: &Canvas<'_>,
        x: f64,
        (value, interval): (f64, Interval),
        look: Look,
    ) -> Drawn {
        let ends = [interval.low, interval.high].map(|end| self.y(end));
        canvas.line((x, ends[0]), (x, ends[1]), look.colour.into(), 2.0)?;
        for y in ends {
            canvas.line((x - 4.0, y), (x + 4.0, y), look.colour.into(), 1.5)?;
        }
        canvas.mark((x, self.y(value)), 4.0, look)
    }

    /// A value across with its interval, at a place up.
    pub(super) fn estimate_across(
        &self,
        canvas: &Canvas<'_>,
        y: f64,
        (value, interval): (f64, Interval),
        look: Look,
    ) -> Drawn {
        let ends = [interval.low, interval.high].map(|end| self.x(end));
        canvas.line((ends[0], y), (ends[1], y), look.colour.into(), 2.0)?;
        for x in ends {
            canvas.line((x, y - 4.0), (x, y + 4.0), look.colour.into(), 1.5)?;
        }
        canvas.mark((self.x(value), y), 4.5, look)
    }

    /// A ratio across with its interval, at a place up; an arrow where nothing bounds it above.
    pub(super) fn ratio_across(
        &self,
        canvas: &Canvas<'_>,
        y: f64,
        of: &Ratio,
        look: Look,
    ) -> Drawn {
        let colour = look.colour;
        let (low, high) = (self.x(of.low), of.high.map_or(self.right, |high| self.x(high)));
        canvas.line((low, y), (high, y), colour.into(), 2.0)?;
        canvas.line((low, y - 4.0), (low, y + 4.0), colour.into(), 1.5)?;
        if of.high.is_some() {
            canvas.line((high, y - 4.0), (high, y + 4.0), colour.into(), 1.5)?;
        } else {
            let back = high - 8.0;
            canvas.polygon(&[(back, y - 4.5), (high, y), (back, y + 4.5)], colour)?;
        }
        match of.estimate {
            Some(estimate) => canvas.mark((self.x(estimate), y), 4.5, look),
            None => Ok(()),
        }
    }

    /// A line that goes across and then up at each point.
    pub(super) fn steps(
        &self,
        canvas: &Canvas<'_>,
        points: impl Iterator<Item = (f64, f64)>,
        colour: plotters::style::RGBAColor,
        width: f64,
    ) -> Drawn {
        let mut line: Vec<(f64, f64)> = Vec::new();
        for (across, up) in points {
            let at = (self.x(across), self.y(up));
            if let Some(last) = line.last().copied() {
                line.push((at.0, last.1));
            }
            line.push(at);
        }
        if line.len() > 1 { canvas.path(&line, colour, width) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_its_values_and_says_round_numbers() {
        let axis = Axis::log([0.03, 250.0].into_iter());
        let texts: Vec<&str> = axis.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0.01", "0.1", "1", "10", "100", "1,000"]);
        assert_eq!((axis.share(0.01), axis.share(1000.0)), (0.0, 1.0));
        assert!((axis.share(1.0) - 0.4).abs() < 1e-12);
        let wide = Axis::log([1e-12, 1e12].into_iter());
        assert_eq!(wide.ticks.len(), 9);
        assert_eq!(Axis::log(std::iter::empty()).ticks.len(), 2);
        let with_zero = Axis::log([0.0, 0.03, 250.0].into_iter());
        assert_eq!(with_zero.ticks[0], (0.0, "0".to_owned()));
        let lane = with_zero.lane().expect("a lane for 0");
        assert!(with_zero.share(0.0) < lane, "0 stands in its lane");
        assert_eq!(with_zero.share(0.01), lane, "decades begin where the lane ends");
        let linear = Axis::linear(5.0);
        assert_eq!((linear.share(0.0), linear.share(5.0)), (0.0, 1.0));
        let marked = Axis::marked(24.0, 6.0);
        let texts: Vec<&str> = marked.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0", "6", "12", "18", "24"]);
    }
}
