//! The tables of columns in `docs/archive-format.md` are made from the types of rows.
//!
//! With `BEAMLINE_FREEZE=1` the test writes them into the page.

use super::columns::{describe, unit};
use super::mission::{
    AwayRow, ChangeRow, EpisodeRow, HistoryRow, ReplacedRow, SumsRow, TimeRow, TrackPlace, UpsetRow,
};
use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::{OpInfo, ShownScheme, Source, StratumInfo, TensorInfo};
use super::{beam, summary};
use crate::campaign::NotInjected;
use crate::device::Assumption;
use crate::mission::figures::{AwayFigure, Incidence, ModeFact, SchemeFact, SchemeFigures};
use crate::mission::fleet::FleetPoint;
use crate::mission::strata::{Expected, Share, Stratum};
use crate::mission::sweep::Point;
use hdf5::H5Type;
use hdf5::types::TypeDescriptor;
use schemars::JsonSchema;

const HEAD: &str = "| column | type | unit | meaning |\n|---|---|---|---|\n";

fn line(column: &str, of: &str, about: &str) -> String {
    format!("| `{column}` | {of} | {} | {} |\n", unit(column), about.trim_end_matches('.'))
}

/// The columns of a table of rows.
fn rows<T: H5Type + JsonSchema>() -> String {
    let TypeDescriptor::Compound(of) = T::type_descriptor() else { return String::new() };
    let known = describe::<T>();
    let lines = of.fields.iter().map(|field| {
        let about = known.iter().find(|known| known.name == field.name);
        let name = match &field.ty {
            TypeDescriptor::Unsigned(size) => format!("u{}", 8 * *size as usize),
            TypeDescriptor::Integer(size) => format!("i{}", 8 * *size as usize),
            TypeDescriptor::Float(size) => format!("f{}", 8 * *size as usize),
            TypeDescriptor::Compound(_) => "compound".to_owned(),
            other => other.to_string(),
        };
        line(&field.name, &name, about.map_or("", |known| &known.about))
    });
    format!("{HEAD}{}", lines.collect::<String>())
}

/// The columns of a table that is a group.
fn columns<T: JsonSchema>() -> String {
    let known = describe::<T>();
    let lines = known.iter().map(|of| line(&of.name, of.type_name(), &of.about));
    format!("{HEAD}{}", lines.collect::<String>())
}

fn tables() -> Vec<(&'static str, String)> {
    vec![
        ("faults", rows::<FaultRow>()),
        ("outcomes", rows::<OutcomeRow>()),
        ("timing", rows::<TimingRow>()),
        ("schemes", columns::<ShownScheme<'_>>()),
        ("strata", columns::<StratumInfo>()),
        ("not_injected", columns::<NotInjected>()),
        ("sources", columns::<Source>()),
        ("assumptions", columns::<Assumption>()),
        ("tensors", columns::<TensorInfo>()),
        ("ops", columns::<OpInfo>()),
        ("summary/figures", columns::<summary::Figures>()),
        ("summary/comparisons", columns::<summary::Comparison>()),
        ("summary/fit", columns::<summary::FitFigures>()),
        ("summary/beam", columns::<beam::BeamFigures>()),
        ("mission/histories", rows::<HistoryRow>()),
        ("mission/upsets", rows::<UpsetRow>()),
        ("mission/schemes of histories", rows::<SumsRow>()),
        ("mission/episodes", rows::<EpisodeRow>()),
        ("mission/changes", rows::<ChangeRow>()),
        ("mission/away", rows::<AwayRow>()),
        ("mission/replaced", rows::<ReplacedRow>()),
        ("mission/timing", rows::<TimeRow>()),
        ("track", rows::<TrackPlace>()),
        ("mission/modes", columns::<ModeFact>()),
        ("mission/schemes", columns::<SchemeFact>()),
        ("mission/figures", columns::<SchemeFigures>()),
        ("mission/figures_away", columns::<AwayFigure>()),
        ("mission/figures_incidence", columns::<Incidence>()),
        ("mission/strata", columns::<Stratum>()),
        ("mission/strata_schemes", columns::<Share>()),
        ("mission/expected", columns::<Expected>()),
        ("mission/sweep", columns::<Point>()),
        ("mission/fleet", columns::<FleetPoint>()),
    ]
}

/// The page with the tables as they are.
fn written(page: &str) -> String {
    let mut text = page.to_owned();
    for (name, table) in tables() {
        let (start, end) = (format!("<!-- columns: {name} -->\n"), "<!-- end -->");
        let at = text.find(&start).unwrap_or_else(|| panic!("no place for {name}")) + start.len();
        let length = text[at..].find(end).unwrap_or_else(|| panic!("no end of {name}"));
        text.replace_range(at..at + length, &table);
    }
    text
}

#[test]
fn the_page_has_every_column_of_every_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/archive-format.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let expected = written(&page);
    if std::env::var_os("BEAMLINE_FREEZE").is_some() {
        std::fs::write(path, &expected).expect("a written page");
    }
    let differs = page.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(page == expected, "docs/archive-format.md, found and expected: {differs:#?}");
}

#[test]
fn every_column_says_what_it_means() {
    for (name, table) in tables() {
        let empty: Vec<&str> = table.lines().filter(|line| line.ends_with("|  |")).collect();
        assert!(empty.is_empty(), "{name}: {empty:#?}");
    }
}
