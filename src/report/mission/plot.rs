//! Axes and frames of the mission's drawings.

use super::super::chart::{self, Canvas, Drawn, INK, TEXT};
use super::super::words;
use crate::stats::Interval;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

pub(super) const SMALL: f64 = TEXT - 1.0;
/// The most decades of an axis that are all labelled.
const LABELLED: i32 = 8;

/// How values become places along an edge.
pub(super) struct Axis {
    from: f64,
    to: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 past the largest value.
    pub(super) fn linear(most: f64) -> Self {
        let (to, ticks) = chart::ticks(most);
        let ticks = ticks.into_iter().filter(|tick| *tick <= to * 1.001);
        Self { from: 0.0, to, log: false, ticks: ticks.map(|tick| (tick, plain(tick))).collect() }
    }

    /// An edge without figures.
    pub(super) const fn none() -> Self {
        Self { from: 0.0, to: 1.0, log: false, ticks: Vec::new() }
    }

    /// From 0 to the end, with a tick every so much.
    pub(super) fn marked(to: f64, every: f64) -> Self {
        let ticks = (0u32..).map(|n| f64::from(n) * every).take_while(|tick| *tick <= to * 1.001);
        Self { from: 0.0, to, log: false, ticks: ticks.map(|tick| (tick, plain(tick))).collect() }
    }

    /// Shares from 0 to past the largest, in percent.
    pub(super) fn shares(most: f64) -> Self {
        let mut axis = Self::linear(most);
        for (tick, text) in &mut axis.ticks {
            *text = words::tick(*tick);
        }
        axis
    }

    /// The whole decades that hold the values above 0.
    pub(super) fn log(values: impl Iterator<Item = f64>) -> Self {
        let positive = values.filter(|value| value.is_finite() && *value > 0.0);
        let ends = positive.fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
        let (least, most) = if ends.0.is_finite() { ends } else { (0.1, 1.0) };
        #[expect(clippy::cast_possible_truncation, reason = "an exponent of an f64")]
        let (low, high) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        let high = high.max(low + 1);
        let every = (high - low + LABELLED - 1) / LABELLED;
        let powers = (low..=high).filter(|power| (power - low) % every == 0);
        let ticks = powers.map(|power| (10f64.powi(power), decade(power))).collect();
        Self { from: f64::from(low), to: f64::from(high), log: true, ticks }
    }

    /// Where a value stands between the ends: 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let value = if self.log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
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
        canvas.text(up, (self.left - 40.0, self.top - 18.0), HPos::Left, SMALL)?;
        canvas.text(across, (self.right, self.bottom + 32.0), HPos::Right, SMALL)
    }

    /// A value with its interval at a place across; where nothing was counted, an arrow from the
    /// upper end of the interval down.
    pub(super) fn estimate(
        &self,
        canvas: &Canvas<'_>,
        x: f64,
        (value, interval): (f64, Interval),
        colour: RGBColor,
    ) -> Drawn {
        let whisker = |y: f64| canvas.line((x - 4.0, y), (x + 4.0, y), colour.into(), 1.5);
        let high = self.y(interval.high);
        if value > 0.0 {
            canvas.line((x, self.y(interval.low)), (x, high), colour.into(), 2.0)?;
            whisker(self.y(interval.low))?;
            whisker(high)?;
            return canvas.disc((x, self.y(value)), 4.0, colour);
        }
        whisker(high)?;
        let tip = high + 22.0;
        canvas.line((x, high), (x, tip - 5.0), colour.into(), 2.0)?;
        canvas.polygon(&[(x - 4.5, tip - 8.0), (x + 4.5, tip - 8.0), (x, tip)], colour)
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
        let axis = Axis::log([0.0, 0.03, 250.0].into_iter());
        let texts: Vec<&str> = axis.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0.01", "0.1", "1", "10", "100", "1,000"]);
        assert_eq!((axis.share(0.01), axis.share(0.0), axis.share(1000.0)), (0.0, 0.0, 1.0));
        assert!((axis.share(1.0) - 0.4).abs() < 1e-12);
        let wide = Axis::log([1e-12, 1e12].into_iter());
        assert_eq!(wide.ticks.len(), 9);
        assert_eq!(Axis::log(std::iter::empty()).ticks.len(), 2);
        let linear = Axis::linear(5.0);
        assert_eq!((linear.share(0.0), linear.share(5.0)), (0.0, 1.0));
        let marked = Axis::marked(24.0, 6.0);
        let texts: Vec<&str> = marked.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0", "6", "12", "18", "24"]);
    }
}
