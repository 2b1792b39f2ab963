//! Schemes beside each other: an estimate with its interval, how many times fewer it is than under
//! the baseline, and the memory that takes. The first drawing of campaigns and of missions.

use super::chart::{Failure, INK, Look, TEXT, WIDTH, draw, margin};
use super::plot::{Axis, Frame, SMALL};
use super::words;
use crate::stats::{Interval, Ratio};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

const ROW: f64 = 30.0;
const TOP: f64 = 26.0;
const RIGHT: f64 = WIDTH - 14.0;

/// A scheme, as a row.
pub(super) struct Compared {
    /// What stands before the row.
    pub(super) name: String,
    pub(super) estimate: f64,
    pub(super) interval: Option<Interval>,
    /// How many times fewer than under the baseline.
    pub(super) fewer: Option<Ratio>,
    pub(super) stored_bytes: u64,
    pub(super) look: Look,
}

impl Compared {
    /// The estimate and the ends of its interval: what an axis must hold.
    pub(super) fn ends(&self) -> impl Iterator<Item = f64> + use<> {
        let of = self.interval.map_or([self.estimate; 2], |of| [of.low, of.high]);
        [self.estimate, of[0], of[1]].into_iter()
    }
}

/// Draws a row for each scheme: left the estimate on an axis of its own, right the ratio to the
/// baseline, and the bytes stored as multiples of the least.
pub(super) fn compared(
    label: &str,
    (across, what): (Axis, &str),
    baseline: &str,
    rows: &[Compared],
) -> Result<String, Failure> {
    let (bottom, memory) = (TOP + ROW * rows.len() as f64, RIGHT - 8.0);
    let left = margin(rows.iter().map(|row| row.name.as_str())) + 6.0;
    let middle = left + 0.5 * (RIGHT - 80.0 - left);
    let field =
        |left, right, across| Frame { left, right, top: TOP, bottom, across, up: Axis::none() };
    let estimates = field(left, middle - 26.0, across);
    let ratios = || rows.iter().filter_map(|row| row.fewer);
    let ends = ratios().flat_map(|of| [of.estimate, Some(of.low), of.high]).flatten();
    let times = field(middle + 26.0, RIGHT - 80.0, Axis::log(ends.chain([1.0])));
    let least = rows.iter().map(|row| row.stored_bytes).min().unwrap_or(1).max(1);
    draw(label, bottom + 42.0, |canvas| {
        estimates.grid(canvas, what, "")?;
        canvas.text("memory", (memory, 12.0), HPos::Right, SMALL)?;
        if ratios().next().is_some() {
            times.grid(canvas, &format!("times fewer than {baseline}"), "")?;
            let one = times.x(1.0);
            canvas.line((one, TOP), (one, bottom), INK.mix(0.7), 1.0)?;
        }
        for (at, row) in rows.iter().enumerate() {
            let y = TOP + ROW * (at as f64 + 0.5);
            canvas.text(&row.name, (left - 12.0, y), HPos::Right, TEXT)?;
            let interval =
                row.interval.unwrap_or(Interval { low: row.estimate, high: row.estimate });
            estimates.estimate_across(canvas, y, (row.estimate, interval), row.look)?;
            if let Some(ratio) = row.fewer {
                times.ratio_across(canvas, y, &ratio, row.look)?;
            }
            let ratio = words::ratio(row.stored_bytes as f64 / least as f64);
            canvas.text(&ratio, (memory, y), HPos::Right, TEXT)?;
        }
        Ok(())
    })
}
