//! Files of CREME96: trapped protons (`.TRP`), fluxes before the shield (`.FLX`) and LET spectra,
//! integral (`.LET`) and differential (`.DLT`).
//!
//! The first line holds the number of comments, the file's name, a version and the number of the
//! program. Comments start with `%`. Then a line gives the ends of a logarithmic grid, its number
//! of points, the lightest and heaviest charge, the target and what the program was asked for, and
//! the fluxes follow, six in a line (CREME96 File Formats, `creme.isde.vanderbilt.edu`; and files of
//! version 200). Fluxes are in m⁻² sr⁻¹ s⁻¹, per MeV/n or per MeV cm²/g where they are differential.
//!
//! Files of version 200 number TRAPPED 1, GTRANS 2, FLUX 3, TRANSPORT 4 and LETSPEC 5 and 6; version
//! 210 writes 1 in files of FLUX too, whose grid line has one word more than that of TRAPPED.

use super::{
    Axis, Contents, MG_PER_G, Over, ParticleCount, Row, Source, Statement, Table, Taken, Tool,
    flux_factor,
};
use crate::place::Error;

/// Millimetres of a mil.
const MM_PER_MIL: f64 = 0.0254;
/// Density of aluminium in g/cm³, as CREME96 has it.
const ALUMINIUM_G_PER_CM3: f64 = 2.7;

/// Whether a line is the first of a file of CREME96.
pub(super) fn is_first_line(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| words.get(at).is_some_and(|word| word.parse::<u32>().is_ok());
    words.len() == 4 && number(0) && number(2) && number(3)
}

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Trapped,
    Flux,
    LetIntegral,
    LetDifferential,
}

impl Holds {
    const fn target(self) -> &'static str {
        match self {
            Self::Trapped | Self::Flux => "UNSHIELDED",
            Self::LetIntegral | Self::LetDifferential => "SILICON",
        }
    }

    const fn by_energy(self) -> bool {
        matches!(self, Self::Trapped | Self::Flux)
    }
}

/// The grid line.
struct Grid<'t> {
    line: usize,
    ends: (f64, f64),
    points: usize,
    charges: (u32, u32),
    words: Vec<&'t str>,
}

pub(super) fn table(source: &Source<'_>) -> Result<Table, Error> {
    let comments = Comments(source);
    let mut lines = source.filled().filter(|(_, line)| !is_comment(line));
    let Some((first, title)) = lines.next() else {
        return Err(source.error(1, "a file of CREME96", "an empty file"));
    };
    let last = source.lines.len();
    let Some((line, text)) = lines.next() else {
        return Err(source.error(last, "a line with the grid", "the end of the file"));
    };
    let holds = holds(source, first, title, text)?;
    let grid = grid(source, line, text, holds.target())?;
    if holds.by_energy() && grid.charges.0 != 1 {
        let found = format!("Z from {}", grid.charges.0);
        return Err(source.error(line, "protons first, Z from 1", found));
    }
    let mut fluxes = Vec::new();
    for (line, text) in lines {
        if fluxes.len() >= grid.points {
            if holds == Holds::Flux {
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
    let by_let =
        |per: &str| format!("MeV cm2/g and m-2 sr-1 s-1{per} of Z from {lightest} to {heaviest}");
    let (axis, kind, axis_factor, per_mg, units) = match holds {
        Holds::Trapped | Holds::Flux => {
            let units = "MeV and m-2 sr-1 s-1 MeV-1 of protons".to_owned();
            (Axis::Energy, ParticleCount::Differential, 1.0, 1.0, units)
        }
        Holds::LetIntegral => (Axis::Let, ParticleCount::Integral, 1.0 / MG_PER_G, 1.0, by_let("")),
        Holds::LetDifferential => {
            let units = by_let(" (MeV cm2/g)-1");
            (Axis::Let, ParticleCount::Differential, 1.0 / MG_PER_G, MG_PER_G, units)
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
        is: match holds {
            Holds::Trapped => trapped(title, &comments),
            Holds::Flux => flux(&grid, &comments),
            Holds::LetIntegral | Holds::LetDifferential => by_let_is(source, &grid, &comments)?,
        },
    })
}

/// What the number of the program and the grid line say that a file holds.
fn holds(source: &Source<'_>, line: usize, title: &str, grid: &str) -> Result<Holds, Error> {
    let expected = "trapped protons (.TRP, program 1), fluxes before the shield (.FLX, program 3 or 1) \
                    or a LET spectrum (.LET or .DLT, programs 5 and 6)";
    let refuse = |found: &str| Err(source.error(line, expected, found));
    match title.split_whitespace().last() {
        Some("1") if grid.split_whitespace().count() >= 11 => Ok(Holds::Flux),
        Some("1") => Ok(Holds::Trapped),
        Some("3") => Ok(Holds::Flux),
        Some("5") => Ok(Holds::LetIntegral),
        Some("6") => Ok(Holds::LetDifferential),
        Some("2") => refuse("a geomagnetic transmission (.GTF, program 2)"),
        Some("4") => refuse(
            "fluxes behind the shield (.TFX, program 4), which the shield would weaken once more: \
             give the .FLX that they were made of",
        ),
        _ => refuse(&format!("\"{}\"", title.trim())),
    }
}

/// The comments of a file.
struct Comments<'s>(&'s Source<'s>);

impl<'s> Comments<'s> {
    /// What follows a text in the first comment that has it.
    fn after(&self, text: &str) -> Option<&'s str> {
        let mut comments = self.0.lines.iter().filter(|line| is_comment(line));
        comments.find_map(|line| line.split_once(text)).map(|(_, after)| after.trim())
    }

    /// The number after `name =`.
    fn number(&self, name: &str) -> Option<f64> {
        let after = self.after(name)?.strip_prefix('=')?;
        let number = after.split_whitespace().next()?;
        self.0.number(0, number).ok()
    }

    /// Whether trapped protons are those of the whole orbit, or of its worst place.
    fn over(&self, trapped_file: &str) -> Option<Over> {
        let name = trapped_file.to_ascii_lowercase();
        let whole = self.number("Relative dwell time").is_none_or(|share| share > 0.99);
        if name.contains("_pk") || name.contains("peak") {
            Some(Over::Peak)
        } else {
            (name.contains("_ave") && whole).then_some(Over::Mean)
        }
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('%')
}

/// TRAPPED writes a mean over the orbit, `NAME_ave.trp`, and the peak on it.
fn trapped(title: &str, comments: &Comments<'_>) -> Statement {
    Statement {
        contains: Some(Contents::Trapped),
        taken: Some(Taken::BeforeShield),
        over: comments.over(title.split_whitespace().nth(1).unwrap_or_default()),
        ..Statement::default()
    }
}

/// FLUX was asked for a mode (0 is solar-quiet) and a place (2 is with trapped protons).
fn flux(grid: &Grid<'_>, comments: &Comments<'_>) -> Statement {
    let asked = (grid.words.get(7).copied(), grid.words.get(8).copied());
    let (mode, place) = if grid.words.len() >= 11 { asked } else { (None, None) };
    let over = match (mode, place) {
        (Some("0"), Some("2")) => {
            comments.after("INPUT TRAPPED PROTON FILE:").and_then(|file| comments.over(file))
        }
        (Some("0"), _) => Some(Over::Mean),
        (Some(_), _) => Some(Over::Event),
        (None, _) => None,
    };
    let contains = match place {
        Some("2") => Some(Contents::TrappedAndCosmic),
        Some("0" | "1") => Some(Contents::Cosmic),
        _ => None,
    };
    Statement { contains, taken: Some(Taken::BeforeShield), over, ..Statement::default() }
}

/// LETSPEC keeps the comments of the programs before it: the mode of FLUX, the shield of TRANSPORT.
fn by_let_is(
    source: &Source<'_>,
    grid: &Grid<'_>,
    comments: &Comments<'_>,
) -> Result<Statement, Error> {
    let contains = match grid.charges.0 {
        0 | 1 => Contents::FromHydrogen,
        2 => Contents::FromHelium,
        lightest => {
            let found = format!("Z from {lightest}, without helium");
            return Err(source.error(grid.line, "ions from Z = 2 on", found));
        }
    };
    let over = comments.number("IMODE");
    let over = over.map(|mode| if mode.abs() < 0.5 { Over::Mean } else { Over::Event });
    let shield = comments.after("Thickness").and_then(|text| text.strip_prefix('='));
    let from_flux = comments
        .after("Input File to LETSPEC_DRIVER:")
        .is_some_and(|file| file.to_ascii_lowercase().ends_with(".flx"));
    let (taken, shield_mm_al) = match shield {
        Some(text) => (Some(Taken::BehindShield), thickness_mm(source, text)),
        None => (from_flux.then_some(Taken::BeforeShield), None),
    };
    Ok(Statement { contains: Some(contains), taken, over, shield_mm_al, ..Statement::default() })
}

/// A thickness such as `100.0000 mils ALUMINUM`, in millimetres of aluminium.
fn thickness_mm(source: &Source<'_>, text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [number, unit, material, ..] = words[..] else { return None };
    let mm = match unit {
        "mils" | "mil" => MM_PER_MIL,
        "cm" => 10.0,
        "mm" => 1.0,
        "g/cm2" | "gm/cm2" | "g/cm**2" | "gm/cm**2" => 10.0 / ALUMINIUM_G_PER_CM3,
        _ => return None,
    };
    let number = source.number(0, number).ok()?;
    material.starts_with("ALUMIN").then_some(number * mm)
}

fn grid<'t>(
    source: &Source<'_>,
    line: usize,
    text: &'t str,
    target: &str,
) -> Result<Grid<'t>, Error> {
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
    let charges = (whole(lightest)?, whole(heaviest)?);
    Ok(Grid { line, ends: (low, high), points, charges, words })
}
