//! Text files of SPENVIS: blocks of quoted names and values, then columns.
//!
//! A block starts with `'*'` and eight numbers: lines of its header, of texts, of values and of
//! annotations, quantities, columns, rows, and blocks that follow. The last lines of the header
//! name the quantities with their units and numbers of columns; after the rows comes
//! `'End of Block'` or `'End of File'` (files of SPENVIS 4.6.13).

use super::{
    Axis, Contents, MG_PER_G, Over, ParticleCount, Row, Source, Statement, Table, Taken, Tool,
    flux_factor,
};
use crate::place::Error;

/// A block: its lines and its quantities.
struct Block<'t> {
    /// The line of its `'*'`, from 1.
    line: usize,
    /// The model's module: TRP trapped, GCR cosmic rays, FLA a flare, SEP solar particles of years.
    module: &'t str,
    /// The segment of the mission, and its line in words.
    segment: Option<(u32, &'t str)>,
    /// The lightest ion: H or He.
    lightest: &'t str,
    species: Vec<&'t str>,
    quantities: Vec<Quantity<'t>>,
    columns: usize,
    /// Its rows, with the line of the first, from 1.
    first: usize,
    rows: &'t [&'t str],
}

/// A quantity of one column or more.
struct Quantity<'t> {
    line: usize,
    name: &'t str,
    unit: &'t str,
    /// Its first column, from 0.
    column: usize,
    count: usize,
}

pub(super) fn table(source: &Source<'_>, segment: Option<u32>) -> Result<Table, Error> {
    let blocks = blocks(source)?;
    let with_let: Vec<&Block<'_>> =
        blocks.iter().filter(|block| block.quantity("LET").is_some()).collect();
    let of_protons: Vec<&Block<'_>> = blocks
        .iter()
        .filter(|block| block.species == ["proton"] && block.quantity("Energy").is_some())
        .collect();
    // Files of LET spectra hold protons too, behind the shielding.
    let (axis, mut chosen) =
        if with_let.is_empty() { (Axis::Energy, of_protons) } else { (Axis::Let, with_let) };
    let segments: Vec<&str> = chosen.iter().filter_map(|block| Some(block.segment?.1)).collect();
    let found = if segments.is_empty() { "none".into() } else { segments.join("; ") };
    if let Some(segment) = segment {
        let line = chosen.first().map_or(1, |block| block.line);
        chosen.retain(|block| block.segment.is_some_and(|(number, _)| number == segment));
        if chosen.is_empty() {
            return Err(source.error(line, format!("segment {segment}"), found));
        }
    }
    let mut numbers: Vec<u32> = chosen.iter().filter_map(|block| Some(block.segment?.0)).collect();
    numbers.dedup();
    match chosen[..] {
        [block] => block.table(source, axis),
        [] => {
            let expected = "a block with 'SPECIES' 'proton' or a column 'LET'";
            let found = blocks.iter().map(|block| match (block.module, &block.species[..]) {
                ("GCR", _) => "galactic cosmic rays, which beamline counts by its own model",
                (_, ["e-"]) => "electrons",
                (_, [_]) => "another particle",
                _ => "several particles",
            });
            let found = found.collect::<Vec<_>>().join(", ");
            Err(source.error(1, expected, format!("{} of {found}", count(blocks.len(), "block"))))
        }
        [_, second, ..] if numbers.len() == chosen.len() => {
            let expected = "a word such as segment=1 that chooses one (or leave one in the file)";
            Err(source.error(second.line, expected, found))
        }
        [_, second, ..] => {
            let expected = "one block of protons or of LET (leave one in the file)";
            Err(source.error(second.line, expected, count(chosen.len(), "block")))
        }
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn blocks<'s>(source: &'s Source<'_>) -> Result<Vec<Block<'s>>, Error> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < source.lines.len() {
        if source.lines[at].trim().is_empty() {
            at += 1;
            continue;
        }
        let (block, next) = block(source, at)?;
        blocks.push(block);
        at = next;
    }
    Ok(blocks)
}

/// The block that starts at a line counted from 0, and the line after it.
fn block<'s>(source: &'s Source<'_>, at: usize) -> Result<(Block<'s>, usize), Error> {
    let first = source.lines[at];
    let numbers: Option<Vec<usize>> = match fields(first)[..] {
        ["*", ref numbers @ ..] => numbers.iter().map(|number| number.parse().ok()).collect(),
        _ => None,
    };
    let numbers = numbers.filter(|numbers| numbers.len() == 8);
    let Some([header, _, _, _, quantities, columns, rows, _]) = numbers.as_deref() else {
        let expected = "a block that starts with '*' and eight whole numbers";
        return Err(source.error(at + 1, expected, format!("\"{}\"", first.trim())));
    };
    let start = at.saturating_add(*header);
    let end = start.saturating_add(*rows);
    let last = source.lines.get(end).map(|line| line.trim());
    if !last.is_some_and(|line| line.starts_with("'End of ")) || quantities >= header {
        let expected = format!("'End of Block' after {header} lines of header and {rows} rows");
        let line = source.lines.len().min(end.saturating_add(1));
        let found = last.map_or("the end of the file".into(), |line| format!("\"{line}\""));
        return Err(source.error(line, expected, found));
    }
    let mut block = Block {
        line: at + 1,
        module: "",
        segment: None,
        lightest: "",
        species: Vec::new(),
        quantities: Vec::new(),
        columns: *columns,
        first: start + 1,
        rows: &source.lines[start..end],
    };
    for (i, text) in source.lines[at..start].iter().enumerate() {
        let fields = fields(text);
        match fields[..] {
            ["SPECIES", _, ref species @ ..] => block.species = species.to_vec(),
            ["MOD_ABB", _, module, ..] => block.module = module,
            [text] => {
                block.segment = segment(text).or(block.segment);
                let ions = text.strip_prefix("Ion range:").map(str::trim_start);
                block.lightest =
                    ions.and_then(|ions| ions.split([' ', '-']).next()).unwrap_or(block.lightest);
            }
            _ => {}
        }
        if i >= header - quantities {
            let line = at + i + 1;
            let column: usize = block.quantities.iter().map(|quantity| quantity.count).sum();
            let fits = |count: &usize| *count <= *columns - column.min(*columns);
            let found = match fields[..] {
                [name, unit, count, ..] => {
                    count.parse().ok().filter(fits).map(|count| (name, unit, count))
                }
                _ => None,
            };
            let Some((name, unit, count)) = found else {
                let expected =
                    format!("a quantity, its unit and its number of the {columns} columns");
                return Err(source.error(line, expected, format!("\"{}\"", text.trim())));
            };
            block.quantities.push(Quantity { line, name, unit, column, count });
        }
    }
    Ok((block, end + 1))
}

/// The number of a text such as `Segment  1: HEO`, and the text.
fn segment(text: &str) -> Option<(u32, &str)> {
    let (number, _) = text.strip_prefix("Segment")?.split_once(':')?;
    Some((number.trim().parse().ok()?, text))
}

impl Block<'_> {
    /// What the block says of itself. A LET spectrum does not say what it was transported through.
    fn statement(&self, axis: Axis) -> Statement {
        let before = Some(Taken::BeforeShield);
        let (contains, taken, over) = match (axis, self.module) {
            (Axis::Let, _) => {
                let contains = match self.lightest {
                    "H" => Some(Contents::FromHydrogen),
                    "He" => Some(Contents::FromHelium),
                    _ => None,
                };
                (contains, None, None)
            }
            (_, "TRP") => (Some(Contents::Trapped), before, Some(Over::Mean)),
            (_, "GCR") => (Some(Contents::Cosmic), before, Some(Over::Mean)),
            (_, "FLA" | "SEP") => (Some(Contents::Solar), before, Some(Over::Event)),
            _ => (None, None, None),
        };
        let segment = self.segment.map(|(number, _)| number);
        Statement { contains, taken, over, segment, ..Statement::default() }
    }

    fn quantity(&self, name: &str) -> Option<&Quantity<'_>> {
        self.quantities.iter().find(|quantity| quantity.name == name)
    }

    fn table(&self, source: &Source<'_>, axis: Axis) -> Result<Table, Error> {
        let (name, names) = match axis {
            Axis::Energy => ("Energy", ["IFlux", "DFlux"]),
            Axis::Let => ("LET", ["DFlux", "IFlux"]),
        };
        let at = self.quantity(name);
        let flux = names.iter().find_map(|name| self.quantity(name));
        let (Some(at), Some(flux)) = (at, flux) else {
            let expected = format!("columns '{name}' and 'IFlux' or 'DFlux'");
            let found = self.quantities.iter().map(|quantity| quantity.name);
            let found = found.collect::<Vec<_>>().join(", ");
            return Err(source.error(self.line, expected, found));
        };
        for quantity in [at, flux] {
            if quantity.count != 1 {
                let found = count(quantity.count, "column");
                let expected = "one column (leave one in the file)";
                return Err(source.error(quantity.line, expected, found));
            }
        }
        let kind = if flux.name == "IFlux" {
            ParticleCount::Integral
        } else {
            ParticleCount::Differential
        };
        let unknown = |quantity: &Quantity<'_>, expected: &str| {
            source.error(quantity.line, expected, format!("\"{}\"", quantity.unit))
        };
        let axis_factor = match (axis, plain(at.unit).as_str()) {
            (Axis::Energy, "MeV" | "MeV/n") | (Axis::Let, "MeV cm2 mg-1") => 1.0,
            (Axis::Let, "MeV cm2 g-1") => 1.0 / MG_PER_G,
            (Axis::Energy, _) => return Err(unknown(at, "energies in MeV")),
            (Axis::Let, _) => return Err(unknown(at, "LET in MeV cm2 g-1 or MeV cm2 mg-1")),
        };
        let flux_factor = unit_factor(axis, kind, &plain(flux.unit)).ok_or_else(|| {
            let per = match (axis, kind) {
                (_, ParticleCount::Integral) => "",
                (Axis::Energy, ParticleCount::Differential) => ", per MeV",
                (Axis::Let, ParticleCount::Differential) => ", per MeV cm2 g-1",
            };
            let expected = format!("a flux in cm-2 s-1 or m-2 sr-1 s-1{per} (no fluence)");
            let fluence = if plain(flux.unit).contains("s-1") { "" } else { ", a fluence" };
            source.error(flux.line, expected, format!("\"{}\"{fluence}", flux.unit))
        })?;
        let mut rows = Vec::new();
        for (i, text) in self.rows.iter().enumerate() {
            let line = self.first + i;
            let cells = fields(text);
            if cells.len() != self.columns {
                let expected = count(self.columns, "cell");
                return Err(source.error(line, expected, cells.len().to_string()));
            }
            let number = |quantity: &Quantity<'_>| {
                source.number(line, cells.get(quantity.column).copied().unwrap_or_default())
            };
            rows.push(Row { line, at: number(at)?, flux: number(flux)? });
        }
        let units =
            [at, flux].map(|quantity| format!("{} in {}", quantity.name, plain(quantity.unit)));
        Ok(Table {
            axis,
            kind,
            axis_factor,
            flux_factor,
            rows,
            line: self.line,
            tool: Tool::Spenvis,
            units: units.join(" and "),
            is: self.statement(axis),
        })
    }
}

/// A unit without the marks of raised letters.
fn plain(unit: &str) -> String {
    let unit = unit.replace("!u", "").replace("!n", "");
    unit.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What brings a flux of a unit to those of [`Spectrum`](super::Spectrum).
fn unit_factor(axis: Axis, kind: ParticleCount, unit: &str) -> Option<f64> {
    let (unit, per) = match (axis, kind) {
        (_, ParticleCount::Integral) => (unit, 1.0),
        (Axis::Energy, ParticleCount::Differential) => {
            (unit.strip_suffix("(MeV/n)-1").or_else(|| unit.strip_suffix("MeV-1"))?, 1.0)
        }
        (Axis::Let, ParticleCount::Differential) => match unit.strip_suffix("(MeV cm2 g-1)-1") {
            Some(unit) => (unit, MG_PER_G),
            None => (unit.strip_suffix("(MeV cm2 mg-1)-1")?, 1.0),
        },
    };
    let unit = unit.replace(['(', ')'], " ");
    let mut words: Vec<&str> = unit.split_whitespace().collect();
    words.sort_unstable();
    let (per_m2, per_sr) = match words[..] {
        ["cm-2", "s-1"] => (false, false),
        ["cm-2", "s-1", "sr-1"] => (false, true),
        ["m-2", "s-1"] => (true, false),
        ["m-2", "s-1", "sr-1"] => (true, true),
        _ => return None,
    };
    Some(flux_factor(per_m2, per_sr) * per)
}

/// The fields of a line, between commas that are not in quotes, without quotes and blanks.
fn fields(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let separated = line.split(move |letter| {
        quoted ^= letter == '\'';
        letter == ',' && !quoted
    });
    separated.map(|field| field.trim().trim_matches('\'').trim()).collect()
}
