//! Reports of a small fixed campaign, as its readers see them.

mod fixture;

use beamline::archive::{Archive, Writer};
use beamline::report::{Format, Report, write};
use fixture::{header, segment};
use std::path::Path;

const TRIALS: u64 = 200;

fn archive(folder: &Path) -> Archive {
    let mut writer = Writer::start(folder, header()).expect("a writer");
    writer.send(segment(0, TRIALS)).expect("a segment");
    writer.finish().expect("an archive");
    Archive::open(folder).expect("an archive")
}

fn report(format: Format) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut out = Vec::new();
    write(&archive(folder.path()), format, &mut out).expect("a report");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_table_that_ends_a_run() {
    let table = report(Format::Table);
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    insta::assert_snapshot!(table);
}

#[test]
fn the_report_as_markdown() {
    insta::assert_snapshot!(report(Format::Markdown));
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = report(Format::Html);
    for link in ["http:", "https:", "src=", "href=", "@import", "url(", "<script"] {
        assert!(!page.contains(link), "{link}");
    }
    assert_eq!(page.matches("<svg ").count(), 4);
    assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
    assert!(!page.contains("#010203"), "ink is the page's own colour");
    for words in
        ["Clopper–Pearson", "an invented rate of this fixture", "Registers, caches", "seed 7"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("No accelerated figure is given per day"));
}

#[test]
fn csv_has_every_figure_and_json_every_number() {
    let csv = report(Format::Csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    let count = |breakdown: &str| rows.iter().filter(|row| &row[0] == breakdown).count();
    assert_eq!((count("scheme"), count("single-fault"), count("tensor")), (4, 4, 12));
    assert!(count("bit") > 100);
    let json: serde_json::Value = serde_json::from_str(&report(Format::Json)).expect("JSON");
    assert_eq!(json["header"]["campaign"]["seed"], 7);
    assert_eq!(json["summary"]["figures"].as_array().expect("figures").len(), rows.len());
    assert_eq!(json["summary"]["figures"][0]["trials"], TRIALS);
    assert_eq!(json["header"]["schemes"][2]["definition"]["protection"], "tmr-storage");
}

#[test]
fn a_census_a_running_and_an_unaccelerated_campaign_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut census = header();
    census.campaign.census = true;
    census.campaign.mode = "exhaustive".into();
    census.rate = None;
    let mut writer = Writer::start(folder.path(), census).expect("a writer");
    writer.send(segment(0, 20)).expect("a segment");
    writer.stop().expect("a segment");
    let archive = Archive::open(folder.path()).expect("an archive");
    assert!(!Report::of(&archive).expect("a report").finished);
    let mut out = Vec::new();
    write(&archive, Format::Markdown, &mut out).expect("a report");
    let text = String::from_utf8(out).expect("text");
    for words in ["has not finished", "The campaign is a census", "every bit of the strata"] {
        assert!(text.contains(words), "{words}");
    }
    for words in ["McNemar test on", "Accelerat", "FIT", "95 %"] {
        assert!(!text.contains(words), "{words}");
    }
}
