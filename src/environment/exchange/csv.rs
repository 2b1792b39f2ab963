//! CSV tables whose header names the units: beamline's own, and what users export.

use super::{
    Axis, CSV_HEADERS, Contents, MG_PER_G, ParticleCount, Row, Source, Statement, Table, Tool,
    flux_factor,
};
use crate::place::Error;

/// What the first line of a file of beamline starts with.
const MARK: &str = "# beamline: ";
/// What the comment starts with that says what a table is.
const IS: &str = "# is: ";

const ENERGY: &str = "energy_mev";
const INTEGRAL: &str = "integral_per_cm2_s";
const LET: &str = "let_mev_cm2_per_mg";
const LET_FLUX: &str = "differential_per_cm2_s_per_mev_cm2_mg";

/// The header of tables that were put together of LET spectra of CREME96.
const CREME_HEADER: &str = "LET,diff_Z2_92,diff_Z1_92,int_Z1_92";

/// An integral proton spectrum as CSV: energies in MeV, omnidirectional fluxes in cm⁻² s⁻¹. What it
/// is and the lines of `comment` come first, as comments. Numbers have all their digits, so that
/// [`parse`](super::parse) gives them back unchanged.
pub fn write_proton_csv(integral: &[(f64, f64)], is: &Statement, comment: &[String]) -> String {
    let title = "integral omnidirectional flux of protons";
    write(title, is, comment, [ENERGY, INTEGRAL], integral)
}

/// A LET spectrum as CSV: LET in silicon in MeV cm²/mg, omnidirectional differential fluxes in
/// cm⁻² s⁻¹ (MeV cm²/mg)⁻¹. Otherwise as [`write_proton_csv`].
pub fn write_let_csv(differential: &[(f64, f64)], is: &Statement, comment: &[String]) -> String {
    let title = "differential omnidirectional flux by LET in silicon";
    write(title, is, comment, [LET, LET_FLUX], differential)
}

fn write(
    title: &str,
    is: &Statement,
    comment: &[String],
    header: [&str; 2],
    points: &[(f64, f64)],
) -> String {
    let mut text = format!("{MARK}{title}\n{IS}{is}\n");
    for line in comment.iter().flat_map(|entry| entry.lines()) {
        text.push_str(&format!("# {line}\n"));
    }
    text.push_str(&format!("{}\n", header.join(",")));
    for (at, flux) in points {
        text.push_str(&format!("{at},{flux:e}\n"));
    }
    text
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Column {
    Axis(Axis, f64),
    Integral(f64),
    Differential(Axis, f64),
}

pub(super) fn table(source: &Source<'_>) -> Result<Table, Error> {
    let mut lines = source.filled().filter(|(_, line)| !is_comment(line));
    let Some((line, header)) = lines.next() else {
        let last = source.lines.len();
        return Err(source.error(last, header_expected(), "comments only"));
    };
    let names: Vec<&str> = header.split(',').map(str::trim).collect();
    let chosen = if names.join(",") == CREME_HEADER {
        creme_columns(source, line)?
    } else {
        columns(source, line, &names)?
    };
    let mut rows = Vec::new();
    for (line, text) in lines {
        let cells: Vec<&str> = text.split(',').collect();
        if cells.len() != names.len() {
            let expected = format!("{} cells, as the header has", names.len());
            return Err(source.error(line, expected, cells.len().to_string()));
        }
        let numbers = cells.iter().map(|cell| source.number(line, cell));
        let numbers = numbers.collect::<Result<Vec<f64>, Error>>()?;
        rows.push(Row { line, at: numbers[chosen.at], flux: numbers[chosen.flux] });
    }
    let tool = match source.lines.first() {
        Some(first) if first.trim_start_matches('\u{feff}').starts_with(MARK) => Tool::Beamline,
        _ => chosen.tool,
    };
    let is = statement(source, line)?;
    let own = Statement { contains: chosen.contains, ..Statement::default() };
    let differ = |[expected, found]: [String; 2]| source.error(line, expected, found);
    Ok(Table {
        axis: chosen.axis,
        kind: chosen.kind,
        axis_factor: chosen.axis_factor,
        flux_factor: chosen.flux_factor,
        rows,
        line,
        tool,
        units: format!("{} and {}", names[chosen.at], names[chosen.flux]),
        is: own.and(&is).map_err(differ)?,
    })
}

/// What the comments above the header say of the table.
fn statement(source: &Source<'_>, header: usize) -> Result<Statement, Error> {
    let comments = source.filled().take_while(|(line, _)| *line < header);
    let mut said = comments.filter_map(|(line, text)| {
        let text = text.trim().trim_matches('"').trim_end_matches(',');
        Some((line, text.strip_prefix(IS.trim_end())?))
    });
    let Some((line, text)) = said.next() else { return Ok(Statement::default()) };
    if let Some((second, _)) = said.next() {
        return Err(source.error(second, format!("one comment \"{IS}…\""), "a second one"));
    }
    text.trim().parse().map_err(|message: String| {
        let (expected, found) =
            message.split_once(", found ").unwrap_or((message.as_str(), "another"));
        let expected = expected.strip_prefix("expected ").unwrap_or(expected);
        source.error(line, expected, found)
    })
}

/// Which two columns are taken, and what they hold.
struct Chosen {
    at: usize,
    flux: usize,
    axis: Axis,
    kind: ParticleCount,
    axis_factor: f64,
    flux_factor: f64,
    tool: Tool,
    contains: Option<Contents>,
}

fn columns(source: &Source<'_>, line: usize, names: &[&str]) -> Result<Chosen, Error> {
    let refused = |found: &str| source.error(line, header_expected(), format!("\"{found}\""));
    if names[0].parse::<f64>().is_ok() || names.len() < 2 {
        return Err(refused(&names.join(",")));
    }
    let mut known = Vec::new();
    for name in names {
        known.push(column(name).ok_or_else(|| refused(name))?);
    }
    let Column::Axis(axis, axis_factor) = known[0] else {
        return Err(refused(names[0]));
    };
    let mut chosen: Option<Chosen> = None;
    for (flux, column) in known.into_iter().enumerate().skip(1) {
        let (kind, flux_factor) = match column {
            Column::Integral(factor) => (ParticleCount::Integral, factor),
            Column::Differential(of, factor) if of == axis => (ParticleCount::Differential, factor),
            _ => return Err(refused(names[flux])),
        };
        if chosen.as_ref().is_some_and(|other| other.kind == kind) {
            let expected = "one integral and one differential flux at most";
            return Err(source.error(line, expected, format!("\"{}\"", names.join(","))));
        }
        let preferred = (axis == Axis::Energy) == (kind == ParticleCount::Integral);
        if chosen.is_none() || preferred {
            let (tool, contains) = (Tool::Csv, None);
            let at = 0;
            chosen =
                Some(Chosen { at, flux, axis, kind, axis_factor, flux_factor, tool, contains });
        }
    }
    chosen.ok_or_else(|| refused(&names.join(",")))
}

/// The columns of [`CREME_HEADER`], whose units stand in a comment above it.
fn creme_columns(source: &Source<'_>, line: usize) -> Result<Chosen, Error> {
    let above = source.lines[..line - 1].join(" ");
    if !(above.contains("MeV cm2/g") && above.contains("m-2 sr-1 s-1")) {
        let expected = "a comment above the header with the units MeV cm2/g and m-2 sr-1 s-1";
        return Err(source.error(line, expected, format!("\"{CREME_HEADER}\"")));
    }
    Ok(Chosen {
        at: 0,
        flux: 1,
        axis: Axis::Let,
        kind: ParticleCount::Differential,
        axis_factor: 1.0 / MG_PER_G,
        flux_factor: flux_factor(true, true) * MG_PER_G,
        tool: Tool::Creme96,
        contains: Some(Contents::FromHelium),
    })
}

/// What a name such as `differential_per_m2_sr_s_mev` says.
fn column(name: &str) -> Option<Column> {
    let name = name.to_ascii_lowercase();
    if name == ENERGY {
        return Some(Column::Axis(Axis::Energy, 1.0));
    }
    if let Some(unit) = name.strip_prefix("let_mev_cm2_per_") {
        let factor = match unit {
            "mg" => 1.0,
            "g" => 1.0 / MG_PER_G,
            _ => return None,
        };
        return Some(Column::Axis(Axis::Let, factor));
    }
    let (integral, unit) = match name.strip_prefix("integral_per_") {
        Some(unit) => (true, unit),
        None => (false, name.strip_prefix("differential_per_")?),
    };
    let (per_m2, unit) = match unit.strip_prefix("m2") {
        Some(unit) => (true, unit),
        None => (false, unit.strip_prefix("cm2")?),
    };
    let (per_sr, unit) = match unit.strip_prefix("_sr") {
        Some(unit) => (true, unit),
        None => (false, unit),
    };
    let factor = flux_factor(per_m2, per_sr);
    match (integral, unit.strip_prefix("_s")?) {
        (true, "") => Some(Column::Integral(factor)),
        (false, "_mev") => Some(Column::Differential(Axis::Energy, factor)),
        (false, "_per_mev_cm2_mg") => Some(Column::Differential(Axis::Let, factor)),
        (false, "_per_mev_cm2_g") => Some(Column::Differential(Axis::Let, factor * MG_PER_G)),
        _ => None,
    }
}

/// Comments start with `#`, which a spreadsheet may have put in quotes.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix('"').unwrap_or(line).starts_with('#')
}

fn header_expected() -> String {
    format!("a header of {CSV_HEADERS}")
}
