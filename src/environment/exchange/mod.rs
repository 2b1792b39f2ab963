//! Spectra that other tools made, read in place of beamline's own, and beamline's own for them.
//!
//! [`parse`] tells a file by its first line: SPENVIS text blocks start with `'*'`, files of CREME96
//! with the number of their comments, and everything else is a CSV table whose header names the
//! units ([`CSV_HEADERS`]). OMERE's own text files are not read: their columns come in as CSV.
//!
//! What is read is brought to the units of [`Spectrum`]. Fluxes per steradian are taken as
//! isotropic and count 4π of them. What a spectrum is beyond its numbers, a [`Statement`] says: from
//! the file, or from its user; [`protons`] and [`ions`] refuse what cannot stand in for beamline's own.

mod creme;
mod csv;
mod import;
mod spenvis;
mod statement;
#[cfg(test)]
mod tests;

use crate::bounded;
use crate::place::Error;
use sha2::{Digest, Sha256};
use std::f64::consts::PI;
use std::path::Path;

pub use csv::{write_let_csv, write_proton_csv};
pub use import::{Import, SpectrumChoice, ions, protons};
pub use statement::{Contents, Over, Statement, Taken};

/// The headers that a CSV table may have, as messages name them.
pub const CSV_HEADERS: &str = "energy_mev with integral_per_cm2_s or differential_per_cm2_s_mev, or \
     let_mev_cm2_per_mg with differential_per_cm2_s_per_mev_cm2_mg or integral_per_cm2_s \
     (of CREME96 and OMERE, export such columns)";

/// Square metres of a square centimetre.
const M2_PER_CM2: f64 = 1e-4;
/// Milligrams of a gram.
const MG_PER_G: f64 = 1e3;
/// Points below which a table is no spectrum.
const LEAST_POINTS: usize = 3;
/// Points of a spectrum, at most.
const POINTS_MAX: usize = 100_000;
/// Bytes of a file, at most; a table of all charges of CREME96 has a million.
const BYTES_MAX: u64 = 1 << 26;
/// Bytes of a line, at most.
const LINE_MAX: usize = 1 << 16;
/// The highest energy in MeV and LET in MeV cm²/mg that a spectrum may have: no cosmic ray was ever
/// seen with as much energy.
const HIGHEST: f64 = 1e15;
/// The highest flux that a spectrum may have, in cm⁻² s⁻¹ and per MeV or MeV cm²/mg: a million times
/// the highest of the belts, and room for a differential flux at a low LET.
const FLUX_MAX: f64 = 1e18;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Spectrum {
    /// Orbit-averaged integral omnidirectional flux of protons before shielding: energy in MeV and
    /// flux above it in cm⁻² s⁻¹. Energies increase, fluxes never rise and may end in zeros.
    ProtonIntegral(Vec<(f64, f64)>),
    /// Spectrum of LET in silicon behind shielding: LET in MeV cm²/mg and omnidirectional
    /// differential flux in cm⁻² s⁻¹ (MeV cm²/mg)⁻¹. LET increases; fluxes may be zero.
    Let(Vec<(f64, f64)>),
}

/// Which tool wrote a file, as far as its layout tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// [`write_proton_csv`] or [`write_let_csv`].
    Beamline,
    /// SPENVIS, a text of blocks.
    Spenvis,
    /// CREME96: a `.TRP`, `.FLX`, `.LET` or `.DLT` file, or a table of LET spectra made of them.
    Creme96,
    /// Another, through a CSV table.
    Csv,
}

impl Tool {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beamline => "beamline",
            Self::Spenvis => "SPENVIS",
            Self::Creme96 => "CREME96",
            Self::Csv => "a CSV table",
        }
    }
}

/// Where a spectrum comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The name of the file, without its folder.
    pub file: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// The tool.
    pub tool: Tool,
    /// The columns and units that were found and what became of them, in one line.
    pub units: String,
    /// What it is, as the file and its user say.
    pub is: Statement,
    /// The line that stands for the table.
    line: usize,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, bytes, sha256, tool, units, is, .. } = self;
        let tool = tool.name();
        write!(f, "file {file} of {tool}: {is}; {units}; {bytes} bytes, SHA-256 {sha256}")
    }
}

/// Reads a spectrum from a file, of which its user `said` what it does not say itself. Bytes that
/// are no UTF-8 may stand in its comments.
///
/// # Errors
/// [`Error::Read`] where it cannot be read, and those of [`parse`].
pub fn read(path: &Path, said: &Statement) -> Result<(Spectrum, Origin), Error> {
    let bytes = bounded::read(path, BYTES_MAX);
    let bytes = bytes.map_err(|source| Error::Read { path: path.into(), source })?;
    let (spectrum, mut origin) = parse(path, &String::from_utf8_lossy(&bytes), said)?;
    origin.bytes = bytes.len();
    origin.sha256 = sha256(&bytes);
    Ok((spectrum, origin))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a spectrum from a text; `path` is what messages call it.
///
/// # Errors
/// [`Error::Value`] with the line: no text, no header, an unknown unit, a cell that is no number, a
/// flux that is negative, not finite or beyond all that exists, energies or LETs that do not
/// increase, an integral flux that rises, too few or too many points; a file that says another thing
/// than `said`.
pub fn parse(path: &Path, text: &str, said: &Statement) -> Result<(Spectrum, Origin), Error> {
    let lines = text.trim_start_matches('\u{feff}').lines().collect();
    let source = Source { path, lines };
    if let Some((line, long)) = source.filled().find(|(_, line)| line.len() > LINE_MAX) {
        let expected = format!("a line of at most {LINE_MAX} bytes");
        return Err(source.error(line, expected, format!("{} bytes", long.len())));
    }
    let Some((_, first)) = source.filled().next() else {
        return Err(source.error(1, "a spectrum", "an empty file"));
    };
    let mut table = if first.trim_start().starts_with("'*'") {
        spenvis::table(&source, said.segment)
    } else if creme::is_first_line(first) {
        creme::table(&source)
    } else {
        csv::table(&source)
    }?;
    let differ = |[own, said]: [String; 2]| {
        source.error(table.line, format!("{own}, as the file says"), format!("{said}, said of it"))
    };
    table.is = table.is.and(said).map_err(differ)?;
    let (spectrum, mut origin) = table.spectrum(&source)?;
    origin.bytes = text.len();
    origin.sha256 = sha256(text.as_bytes());
    Ok((spectrum, origin))
}

/// A text by its lines, for messages.
struct Source<'t> {
    path: &'t Path,
    lines: Vec<&'t str>,
}

impl<'t> Source<'t> {
    /// The lines that are not blank, counted from 1.
    fn filled(&self) -> impl Iterator<Item = (usize, &'t str)> + '_ {
        let lines = self.lines.iter().enumerate().map(|(i, line)| (i + 1, *line));
        lines.filter(|(_, line)| !line.trim().is_empty())
    }

    fn error(&self, line: usize, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::Value {
            path: self.path.into(),
            line,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// The number of a cell; its exponent may be that of Fortran.
    fn number(&self, line: usize, cell: &str) -> Result<f64, Error> {
        let cell = cell.trim();
        let number = cell.parse().ok().or_else(|| fortran(cell));
        let number = number.filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.error(line, "a number", format!("\"{}\"", cell.trim())))
    }
}

/// A number with an exponent after a D, or with one of three digits, for which Fortran leaves out the
/// E: `6.114-109`.
fn fortran(cell: &str) -> Option<f64> {
    let (digits, exponent) = match cell.find(['d', 'D']) {
        Some(at) => (&cell[..at], &cell[at + 1..]),
        None => cell.split_at_checked(cell.len().checked_sub("-109".len())?)?,
    };
    let plain = digits.contains('.') && !digits.contains(['e', 'E']);
    let signed = exponent.starts_with(['+', '-']);
    (plain && signed).then(|| format!("{digits}e{exponent}").parse().ok())?
}

/// What the first column of a table counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    /// Energy of protons, in MeV.
    Energy,
    /// LET, in MeV cm²/mg once multiplied.
    Let,
}

/// How a column counts particles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParticleCount {
    /// All above a place of the axis.
    Integral,
    /// Those of an interval of the axis, per its width.
    Differential,
}

/// A place of the axis and the flux there, as they stand in the file.
struct Row {
    line: usize,
    at: f64,
    flux: f64,
}

/// The two columns of a file that make its spectrum.
struct Table {
    axis: Axis,
    kind: ParticleCount,
    /// What the axis is multiplied by.
    axis_factor: f64,
    /// What the flux is multiplied by.
    flux_factor: f64,
    rows: Vec<Row>,
    /// The line that stands for the table.
    line: usize,
    tool: Tool,
    /// The columns found.
    units: String,
    /// What it says of itself.
    is: Statement,
}

impl Table {
    fn spectrum(self, source: &Source<'_>) -> Result<(Spectrum, Origin), Error> {
        self.check(source)?;
        let rows = self.rows.iter();
        let margin = self.is.margin.unwrap_or(1.0);
        let flux_factor = self.flux_factor / margin;
        let points: Vec<(f64, f64)> =
            rows.map(|row| (row.at * self.axis_factor, row.flux * flux_factor)).collect();
        let (spectrum, made) = match (self.axis, self.kind) {
            (Axis::Energy, ParticleCount::Integral) => (Spectrum::ProtonIntegral(points), ""),
            (Axis::Energy, ParticleCount::Differential) => {
                (Spectrum::ProtonIntegral(integrate(&points)), ", integrated")
            }
            (Axis::Let, ParticleCount::Differential) => (Spectrum::Let(points), ""),
            (Axis::Let, ParticleCount::Integral) => {
                (Spectrum::Let(differentiate(&points)), ", differentiated")
            }
        };
        let mut units = self.units;
        for (what, factor) in [("axis", self.axis_factor), ("flux", self.flux_factor)] {
            if (factor - 1.0).abs() > f64::EPSILON {
                units.push_str(&format!(", {what} times {factor:.4e}"));
            }
        }
        units.push_str(made);
        if (margin - 1.0).abs() > f64::EPSILON {
            units.push_str(&format!(", divided by its margin of {margin}"));
        }
        let file = source.path.file_name().unwrap_or(source.path.as_os_str());
        let file = file.to_string_lossy().into_owned();
        let Self { tool, is, line, .. } = self;
        Ok((spectrum, Origin { file, bytes: 0, sha256: String::new(), tool, units, is, line }))
    }

    fn check(&self, source: &Source<'_>) -> Result<(), Error> {
        let name = if self.axis == Axis::Energy { "an energy" } else { "a LET" };
        for row in &self.rows {
            if row.at <= 0.0 {
                return Err(source.error(row.line, format!("{name} above 0"), row.at.to_string()));
            }
            if row.at * self.axis_factor > HIGHEST {
                let expected = format!("{name} that a particle can have");
                return Err(source.error(row.line, expected, format!("{:e}", row.at)));
            }
            if row.flux < 0.0 {
                return Err(source.error(row.line, "a flux of 0 or more", row.flux.to_string()));
            }
            if row.flux * self.flux_factor > FLUX_MAX {
                let expected = format!("a flux of at most {FLUX_MAX:e} cm-2 s-1");
                return Err(source.error(row.line, expected, format!("{:e}", row.flux)));
            }
        }
        for pair in self.rows.windows(2) {
            let (last, row) = (&pair[0], &pair[1]);
            if row.at <= last.at {
                let expected = format!("{name} above the {} before it", last.at);
                return Err(source.error(row.line, expected, row.at.to_string()));
            }
            if self.kind == ParticleCount::Integral && row.flux > last.flux {
                let expected = format!("an integral flux of at most the {} before it", last.flux);
                return Err(source.error(row.line, expected, row.flux.to_string()));
            }
        }
        let differentiated = self.axis == Axis::Let && self.kind == ParticleCount::Integral;
        let least = LEAST_POINTS + usize::from(differentiated);
        if self.rows.len() > POINTS_MAX {
            let expected = format!("at most {POINTS_MAX} points");
            return Err(source.error(self.line, expected, self.rows.len().to_string()));
        }
        if self.rows.len() < least {
            let line = self.rows.last().map_or(self.line, |row| row.line);
            let expected = format!("{least} points or more");
            return Err(source.error(line, expected, self.rows.len().to_string()));
        }
        Ok(())
    }
}

/// What brings a flux per area, and per steradian or not, to cm⁻² from all directions.
fn flux_factor(per_m2: bool, per_sr: bool) -> f64 {
    let area = if per_m2 { M2_PER_CM2 } else { 1.0 };
    let angle = if per_sr { 4.0 * PI } else { 1.0 };
    area * angle
}

/// The flux above each place, summed from the top down: trapezia in log-log, straight where an end
/// is zero. What lies above the last place is not counted.
fn integrate(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut above = 0.0;
    let mut sums: Vec<(f64, f64)> = points.last().map(|(at, _)| (*at, 0.0)).into_iter().collect();
    for pair in points.windows(2).rev() {
        above += trapezium(pair[0], pair[1]);
        sums.push((pair[0].0, above));
    }
    sums.reverse();
    sums
}

/// The integral between two points of a curve that is straight in log-log.
fn trapezium((from, low): (f64, f64), (to, high): (f64, f64)) -> f64 {
    if low <= 0.0 || high <= 0.0 {
        return 0.5 * (low + high) * (to - from);
    }
    let width = (to / from).ln();
    let rise = (high / low).ln() + width;
    let mean = if rise.abs() < 1e-12 { 1.0 } else { rise.exp_m1() / rise };
    low * from * width * mean
}

/// What an integral flux loses over each interval per its width, at the interval's geometric mean.
/// What lies above the last place is left out.
fn differentiate(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let intervals = points.windows(2).map(|pair| {
        let ((from, all), (to, rest)) = (pair[0], pair[1]);
        ((from * to).sqrt(), (all - rest) / (to - from))
    });
    intervals.collect()
}
