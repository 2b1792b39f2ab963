//! Models against figures that others published, and missions against closed forms.

#[path = "../support/bench.rs"]
mod bench;
mod environment;
mod forms;
mod high;
mod missions;
mod osculating;
mod plot;
mod rates;
mod statistics;
mod table;
mod trapped;

use std::path::Path;
use table::{Point, Row};

fn rows() -> Vec<Row> {
    let mut rows = trapped::rows();
    rows.extend(environment::rows());
    rows.extend(high::rows());
    rows.extend(rates::rows());
    rows.extend(statistics::rows());
    rows
}

#[test]
fn every_published_figure_is_met_or_its_miss_is_explained_and_the_page_says_so() {
    let rows = rows();
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| !row.holds())
        .map(|row| format!("{} {}: {} for {}", row.point, row.what, row.measured, row.expected))
        .collect();
    let mut points = missions::points();
    let law = missions::quadratic();
    let drawing = plot::drawing(&law);
    points.extend(law.into_iter().map(|(_, point)| point));
    let page = table::page(&rows, &points);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = [("validation.md", page), ("images/quadratic-law.svg", drawing)];
    if std::env::var_os("BEAMLINE_BLESS").is_some() {
        for (file, text) in &files {
            std::fs::write(docs.join(file), text).expect("the page can be written");
        }
    }
    let off: Vec<String> = points.iter().filter(|p| !p.is_met()).map(Point::said).collect();
    assert!(off.is_empty(), "closed forms outside what was simulated: {off:#?}");
    assert!(
        wrong.is_empty(),
        "outside their tolerance or the bound of their miss, or met though missed: {wrong:#?}"
    );
    for (file, text) in &files {
        let written = std::fs::read_to_string(docs.join(file)).unwrap_or_default();
        assert_eq!(&written, text, "docs/{file} is not what the tests find");
    }
}

/// A file of `tests/data/radiation`, without its comments and header, as numbers; words that are
/// none become NaN.
pub(crate) fn data(name: &str) -> Vec<Vec<f64>> {
    let text = text(name);
    let lines =
        text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
    lines
        .map(|line| line.split(',').map(|cell| cell.trim().parse().unwrap_or(f64::NAN)).collect())
        .collect()
}

/// A file of `tests/data/radiation`.
pub(crate) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/radiation").join(name);
    std::fs::read_to_string(path).expect("the data is part of the project")
}
