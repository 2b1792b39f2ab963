//! A memory as written, and what of it cannot be meant.

use super::ras::{RasTable, ScrubTable};
use super::{AddressMap, DATA_BITS, Memory};
use crate::device::figure::{At, Figure, FigureTable, Level};
use crate::device::limits::{self, Range, named, said};
use crate::place::{Error, Place};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;

/// Bits of the sideband that fit the word above the eight of data.
const SIDEBAND_MAX: u32 = 32;
/// More entries than this (2⁴⁸ bytes) are a mistake.
const ENTRIES_MAX: u64 = 1 << 43;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemoryTable {
    name: String,
    title: String,
    source: String,
    standard: String,
    ecc: String,
    note: Option<String>,
    map: AddressMap,
    geometry: GeometryTable,
    ras: RasTable,
    #[serde(default, rename = "scrub")]
    scrubs: Vec<ScrubTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GeometryTable {
    stacks: FigureTable,
    channels: FigureTable,
    pseudo_channels: FigureTable,
    sids: FigureTable,
    bank_groups: FigureTable,
    banks: FigureTable,
    rows: FigureTable,
    columns: FigureTable,
    beats: FigureTable,
    pins: FigureTable,
    sideband_bits: FigureTable,
    bandwidth_bytes_s: FigureTable,
}

/// Figures as they are read, each kept with its key.
pub(super) struct Reader {
    pub(super) figures: Vec<(String, Figure)>,
}

impl Reader {
    /// A figure that may be a band.
    pub(super) fn figure(
        &mut self,
        key: &str,
        table: &FigureTable,
        at: &At,
        range: Range,
    ) -> Result<Figure, Error> {
        let figure = table.read(at, range)?;
        self.figures.push((key.to_owned(), figure.clone()));
        Ok(figure)
    }

    /// A figure that counts something: a whole number, no band.
    pub(super) fn count(
        &mut self,
        key: &str,
        table: &FigureTable,
        at: &At,
        least: u32,
    ) -> Result<u32, Error> {
        let figure = self.figure(key, table, at, limits::COUNT)?;
        let value = figure.at(Level::Nominal);
        let whole = value.fract() == 0.0 && figure.is_point();
        if !(whole && (f64::from(least)..=f64::from(u32::MAX)).contains(&value)) {
            let found = if figure.is_point() { value.to_string() } else { "a band".to_owned() };
            let expected = format!("one whole number from {least} to {}", u32::MAX);
            return Err(at.key("value").value(expected, found));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number within the range of u32"
        )]
        let count = value as u32;
        Ok(count)
    }
}

/// The memory of a file's text.
pub(super) fn parse(path: &Path, text: &str) -> Result<Memory, Error> {
    let place = Place::parse(path, text)?;
    crate::ranges::lengths(&place)?;
    let table: MemoryTable = place.read()?;
    let at = At::root(&place);
    named(&table.name, &at.key("name"))?;
    let texts = [("title", &table.title), ("source", &table.source)];
    for (key, text) in texts.into_iter().chain([("standard", &table.standard), ("ecc", &table.ecc)])
    {
        said(text, &at.key(key))?;
    }
    let mut reader = Reader { figures: Vec::new() };
    let geometry = at.key("geometry");
    let mut count = |key: &str, figure: &FigureTable, least| {
        reader.count(&format!("geometry.{key}"), figure, &geometry.key(key), least)
    };
    let tables = &table.geometry;
    let [stacks, channels, pseudo_channels, sids, bank_groups, banks, rows, columns, beats, pins] = [
        count("stacks", &tables.stacks, 1)?,
        count("channels", &tables.channels, 1)?,
        count("pseudo_channels", &tables.pseudo_channels, 1)?,
        count("sids", &tables.sids, 1)?,
        count("bank_groups", &tables.bank_groups, 1)?,
        count("banks", &tables.banks, 1)?,
        count("rows", &tables.rows, 1)?,
        count("columns", &tables.columns, 1)?,
        count("beats", &tables.beats, 1)?,
        count("pins", &tables.pins, 1)?,
    ];
    let sideband_bits = count("sideband_bits", &tables.sideband_bits, 0)?;
    let bandwidth = reader.figure(
        "geometry.bandwidth_bytes_s",
        &tables.bandwidth_bytes_s,
        &geometry.key("bandwidth_bytes_s"),
        limits::BYTES_S,
    )?;
    let sizes =
        [stacks, channels, pseudo_channels, sids, bank_groups, banks, rows, columns].map(u64::from);
    let entries = sizes.into_iter().try_fold(1_u64, u64::checked_mul);
    if entries.is_none_or(|entries| entries > ENTRIES_MAX) {
        let found = sizes.map(|size| size.to_string()).join(" × ");
        return Err(geometry.value("2⁴³ entries of 32 bytes at most", found));
    }
    if u64::from(beats) * u64::from(pins) != u64::from(DATA_BITS) {
        let expected = format!("beats × pins = {DATA_BITS}, the bits of an entry");
        return Err(geometry.key("beats").value(expected, format!("{beats} × {pins}")));
    }
    if sideband_bits > SIDEBAND_MAX || sideband_bits % beats != 0 {
        let expected = format!("bits that spread over {beats} beats, {SIDEBAND_MAX} at most");
        return Err(geometry.key("sideband_bits").value(expected, sideband_bits));
    }
    let ras = table.ras.read(table.scrubs, &mut reader, &at)?;
    Ok(Memory {
        name: table.name,
        title: table.title,
        source: table.source,
        standard: table.standard,
        ecc: table.ecc,
        note: table.note,
        stacks,
        channels,
        pseudo_channels,
        sids,
        bank_groups,
        banks,
        rows,
        columns,
        beats,
        pins,
        sideband_bits,
        bandwidth_bytes_s: bandwidth.at(Level::Nominal),
        map: table.map,
        ras,
        figures: reader.figures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        let (_, good) = Memory::load("v100-32gb").expect("shipped");
        let line = |start: &str| {
            let lines = good.lines().position(|line| line.starts_with(start));
            format!("m.toml:{}", lines.expect("a line of the file") + 1)
        };
        let set = |key: &str, value: &str| {
            let rows = good.lines().map(|line| {
                let rest =
                    line.strip_prefix(key).and_then(|rest| rest.strip_prefix(" = { value = "));
                let rest = rest.and_then(|rest| rest.split_once(", mark"));
                match rest {
                    Some((_, rest)) => format!("{key} = {{ {value}, mark{rest}\n"),
                    None => format!("{line}\n"),
                }
            });
            rows.collect::<String>()
        };
        for (text, at, expected) in [
            (set("banks", "value = 0"), line("banks ="), "expected one whole number from 1 to"),
            (set("banks", "value = 2.5"), line("banks ="), "found 2.5"),
            (set("banks", "low = 1, nominal = 2, high = 4"), line("banks ="), "found a band"),
            (set("rows", "value = 4294967295"), line("[geometry]"), "2⁴³ entries"),
            (set("pins", "value = 60"), line("beats ="), "found 4 × 60"),
            (set("sideband_bits", "value = 36"), line("sideband_bits ="), "found 36"),
            (set("sideband_bits", "value = 30"), line("sideband_bits ="), "4 beats"),
            (set("pages_max", "value = 0"), line("pages_max ="), "found 0"),
            (
                good.replace("policy = \"page-retire\"", "policy = \"none\""),
                line("pages_max ="),
                "no `pages_max` for policy = \"none\"",
            ),
            (
                good.replace("policy = \"page-retire\"", "policy = \"row-remap\""),
                line("[ras]"),
                "`rows_max` for policy = \"row-remap\"",
            ),
            (good.replace("stacks =", "stack ="), line("stacks ="), "unknown field"),
            (good.replace("\"interleaved\"", "\"hashed\""), line("map ="), "unknown variant"),
        ] {
            let error = parse(Path::new("m.toml"), &text).expect_err(expected).to_string();
            assert!(error.starts_with(&format!("{at}:")) && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_figures_of_a_memory_are_those_that_it_is_made_of() {
        for name in Memory::names() {
            let memory = Memory::load(name).expect("well-formed").0;
            let value = |key: &str| {
                let figure = memory.figures.iter().find(|(found, _)| found == key);
                figure.expect(key).1.at(Level::Nominal)
            };
            let sizes = ["stacks", "channels", "pseudo_channels", "sids", "bank_groups", "banks"];
            let sizes = sizes.into_iter().chain(["rows", "columns"]);
            let product: f64 = sizes.map(|key| value(&format!("geometry.{key}"))).product();
            assert_eq!(product, memory.entries() as f64, "{name}");
            assert_eq!(value("geometry.bandwidth_bytes_s"), memory.bandwidth_bytes_s);
            assert_eq!(value("ras.reset_s"), memory.ras.reset_s.at(Level::Nominal));
        }
    }
}
