//! The quadratic law as a drawing: P(uncorrectable) per upset against upsets from scrub to scrub.

use crate::forms::law;
use crate::missions::LAW_WORDS;
use crate::table::Point;
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
/// Decades of either axis: the first, and how many.
const X: (f64, f64) = (-1.0, 3.0);
const Y: (f64, f64) = (-4.0, 3.0);

fn x(value: f64) -> f64 {
    90.0 + (WIDTH - 120.0) * (value.log10() - X.0) / X.1
}

fn y(value: f64) -> f64 {
    HEIGHT - 70.0 - (HEIGHT - 100.0) * (value.log10() - Y.0) / Y.1
}

/// The drawing.
pub(crate) fn drawing(points: &[(f64, Point)]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    let mut line = |from: (f64, f64), to: (f64, f64), stroke: &str| {
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" {stroke}/>",
            from.0, from.1, to.0, to.1
        );
    };
    let grid = "stroke=\"#dddddd\"";
    for decade in 0..=3 {
        let (at, up) = (10_f64.powi(decade - 1), 10_f64.powi(decade - 4));
        line((x(at), y(1e-4)), (x(at), y(0.1)), grid);
        line((x(0.1), y(up)), (x(100.0), y(up)), grid);
    }
    let simulated = "stroke=\"#1f7ac4\" stroke-width=\"1.5\"";
    for (upsets, point) in points {
        let at = x(*upsets);
        line((at, y(point.low / upsets)), (at, y(point.high / upsets)), simulated);
    }
    let form = |upsets: f64| law(upsets, f64::from(LAW_WORDS)) / upsets;
    let mut path = String::new();
    for step in 0..=60 {
        let upsets = 10_f64.powf(-0.7 + f64::from(step) * 0.035);
        let sign = if step == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{sign}{:.1} {:.1}", x(upsets), y(form(upsets)));
    }
    let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"#d55e00\"/>");
    for (upsets, point) in points {
        let (at, up) = (x(*upsets), y(point.found / upsets));
        let _ = writeln!(svg, "<circle cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"3\" fill=\"#1f7ac4\"/>");
    }
    let mut text = |at: (f64, f64), anchor: &str, words: &str| {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{words}</text>",
            at.0, at.1
        );
    };
    for (decade, label) in (0..).zip(["0.1", "1", "10", "100"]) {
        text((x(10_f64.powi(decade - 1)), HEIGHT - 50.0), "middle", label);
    }
    for (decade, label) in (0..).zip(["0.0001", "0.001", "0.01", "0.1"]) {
        text((82.0, y(10_f64.powi(decade - 4)) + 4.0), "end", label);
    }
    let below = format!("mean upsets of {LAW_WORDS} codewords from scrub to scrub (rate × period)");
    text((WIDTH / 2.0 + 30.0, HEIGHT - 20.0), "middle", &below);
    text(
        (20.0, 20.0),
        "start",
        "P(uncorrectable) per upset: closed form (line), simulated (points)",
    );
    svg.push_str("</svg>\n");
    svg
}
