//! Files of CREME96: unshielded fluxes (`.FLX`) and LET spectra, integral (`.LET`) and differential
//! (`.DLT`).
//!
//! The first line holds the number of comments, the file's name, a version and the number of the
//! program. Comments start with `%`. Then a line gives the ends of a logarithmic grid, its number
//! of points, the lightest and heaviest charge and the target, and the fluxes follow, six in a line
//! (CREME96 File Formats, `creme.isde.vanderbilt.edu`; and files of version 200). Fluxes are in
//! m⁻² sr⁻¹ s⁻¹, per MeV/n or per MeV cm²/g where they are differential.

use super::{Axis, Kind, MG_PER_G, Row, Source, Table, Tool, flux_factor};
use crate::place::Error;

/// Whether a line is the first of a file of CREME96.
pub(super) fn is_first_line(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| words.get(at).is_some_and(|word| word.parse::<u32>().is_ok());
    words.len() == 4 && number(0) && number(2) && number(3)
}

/// The grid line.
struct Grid {
    line: usize,
    ends: (f64, f64),
    points: usize,
    charges: (u32, u32),
}

pub(super) fn table(source: &Source<'_>) -> Result<Table, Error> {
    let mut lines = source.filled().filter(|(_, line)| !line.trim_start().starts_with('%'));
    let Some((first, title)) = lines.next() else {
        return Err(source.error(1, "a file of CREME96", "an empty file"));
    };
    let (axis, kind, target) = match title.split_whitespace().last() {
        Some("3") => (Axis::Energy, Kind::Differential, "UNSHIELDED"),
        Some("5") => (Axis::Let, Kind::Integral, "SILICON"),
        Some("6") => (Axis::Let, Kind::Differential, "SILICON"),
        _ => {
            let expected = "a flux before shielding (.FLX, program 3) or a LET spectrum (.LET or \
                            .DLT, programs 5 and 6)";
            return Err(source.error(first, expected, format!("\"{}\"", title.trim())));
        }
    };
    let last = source.lines.len();
    let Some((line, text)) = lines.next() else {
        return Err(source.error(last, "a line with the grid", "the end of the file"));
    };
    let grid = grid(source, line, text, target)?;
    if axis == Axis::Energy && grid.charges.0 != 1 {
        let found = format!("Z from {}", grid.charges.0);
        return Err(source.error(line, "protons first, Z from 1", found));
    }
    let mut fluxes = Vec::new();
    for (line, text) in lines {
        if fluxes.len() >= grid.points {
            if axis == Axis::Energy {
                break;
            }
            let expected = format!("{} fluxes and no more", grid.points);
            return Err(source.error(line, expected, format!("\"{}\"", text.trim())));
        }
        for word in text.split_whitespace() {
            fluxes.push((line, source.number(line, word)?));
        }
    }
    if fluxes.len() != grid.points {
        let expected = format!("{} fluxes", grid.points);
        return Err(source.error(last, expected, fluxes.len().to_string()));
    }
    let (low, high) = grid.ends;
    let steps = grid.points.saturating_sub(1) as f64;
    let step = |i: usize| low * (high / low).powf(i as f64 / steps);
    let rows =
        fluxes.into_iter().enumerate().map(|(i, (line, flux))| Row { line, at: step(i), flux });
    let (lightest, heaviest) = grid.charges;
    let (axis_factor, per_mg, units) = match (axis, kind) {
        (Axis::Energy, _) => (1.0, 1.0, "MeV and m-2 sr-1 s-1 MeV-1 of protons".into()),
        (Axis::Let, kind) => {
            let (per, per_mg) = match kind {
                Kind::Integral => ("", 1.0),
                Kind::Differential => (" (MeV cm2/g)-1", MG_PER_G),
            };
            let units =
                format!("MeV cm2/g and m-2 sr-1 s-1{per} of Z from {lightest} to {heaviest}");
            (1.0 / MG_PER_G, per_mg, units)
        }
    };
    Ok(Table {
        axis,
        kind,
        axis_factor,
        flux_factor: flux_factor(true, true) * per_mg,
        rows: rows.collect(),
        line: grid.line,
        tool: Tool::Creme96,
        units,
    })
}

fn grid(source: &Source<'_>, line: usize, text: &str, target: &str) -> Result<Grid, Error> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [low, high, points, lightest, heaviest, material, ..] = words[..] else {
        let expected = "two ends, a number of points, two charges and a target";
        return Err(source.error(line, expected, format!("\"{}\"", text.trim())));
    };
    if material != target {
        return Err(source.error(line, format!("the target {target}"), format!("\"{material}\"")));
    }
    let whole = |word: &str| {
        let refused = || source.error(line, "a whole number", format!("\"{word}\""));
        word.parse::<u32>().map_err(|_| refused())
    };
    let (low, high) = (source.number(line, low)?, source.number(line, high)?);
    if !(0.0 < low && low < high) {
        let expected = "a grid from above 0 to a higher end";
        return Err(source.error(line, expected, format!("{low} to {high}")));
    }
    let points = points
        .parse()
        .map_err(|_| source.error(line, "a number of points", format!("\"{points}\"")))?;
    Ok(Grid { line, ends: (low, high), points, charges: (whole(lightest)?, whole(heaviest)?) })
}
