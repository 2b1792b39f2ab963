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
    writer.finish(()).expect("an archive");
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
    assert_eq!(page.matches("role=\"img\"").count(), 4, "drawings beside marks in legends");
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
fn the_first_drawing_compares_with_the_baseline_and_shows_the_memory() {
    let page = report(Format::Html);
    let label = "aria-label=\"Share of trials with a wrong answer under each scheme\"";
    let drawing = page.split("<svg ").find(|part| part.contains(label)).expect("a drawing");
    let texts: Vec<&str> = drawing
        .split("<text ")
        .skip(1)
        .filter_map(|text| text.split_once('>')?.1.split('<').next())
        .map(str::trim)
        .collect();
    for text in ["trials with a wrong answer", "times fewer than none", "memory"] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
    let memory: Vec<&&str> = texts.iter().filter(|text| text.starts_with('×')).collect();
    assert_eq!(memory, [&"×1.00", &"×2.00", &"×3.00", &"×3.00"]);
    let caption = "how many times fewer such trials are than under none, on the same trials";
    assert!(page.contains(caption));
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

/// Names that a stranger may have written into an archive.
const HOSTILE: [&str; 4] = [
    "=HYPERLINK(\"http://x\")\u{1b}]0;owned\u{7}",
    "a|b\n# `head` <script>*c*",
    "\u{202e}gnp\u{2066}\u{9b}31m",
    "@SUM(A1)\r\u{200b}",
];

/// A report with such names: an archive that has them is not read.
fn hostile(format: Format) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut report = Report::of(&archive(folder.path())).expect("a report");
    let header = &mut report.header;
    for (scheme, name) in header.schemes.iter_mut().zip(HOSTILE) {
        scheme.definition.name = name.into();
    }
    for tensor in &mut header.workload.tensors {
        tensor.name = format!("+{}\u{1b}[2J|<b>", tensor.name);
    }
    header.adapter.name = "adapter\u{1b}[31m".into();
    header.rate.as_mut().expect("a rate").source = "a [link](http://x)\u{202e}".into();
    let mut out = Vec::new();
    report.write(format, &mut out).expect("a report");
    String::from_utf8(out).expect("text")
}

#[test]
fn names_of_an_archive_move_no_terminal_and_are_no_markup() {
    let obeyed =
        |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}\u{feff}".contains(c);
    for format in [Format::Table, Format::Markdown, Format::Latex, Format::Csv, Format::Html] {
        let text = hostile(format);
        assert!(!text.contains(obeyed), "{format:?}: {text:?}");
        let shown = if format == Format::Latex { "\\textbackslash{}u\\{" } else { "\\u{" };
        assert!(text.contains(shown), "{format:?}: what was there is shown");
    }
    let json = hostile(Format::Json);
    assert!(!json.contains(obeyed), "{json:?}");
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for (at, name) in HOSTILE.into_iter().enumerate() {
        assert_eq!(read["header"]["schemes"][at]["definition"]["name"], name, "exactly");
    }

    let csv = hostile(Format::Csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    for row in reader.records() {
        for cell in &row.expect("a row") {
            let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!is_formula || cell.parse::<f64>().is_ok(), "{cell:?}");
        }
    }

    let markdown = hostile(Format::Markdown);
    for markup in ["<script", "<b>", "`head`", "*c*", "a|b", "[link](", "\n# `"] {
        let raw = markdown.match_indices(markup);
        let escaped = |at: usize| at > 0 && markdown[..at].ends_with('\\');
        assert!(raw.clone().all(|(at, _)| escaped(at)), "{markup} in {markdown}");
    }
    let columns = |line: &&str| line.replace("\\|", "").matches('|').count();
    for table in markdown.split("\n\n").filter(|part| part.starts_with("| ")) {
        let widths: Vec<usize> =
            table.lines().filter(|line| line.starts_with('|')).map(|line| columns(&line)).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }

    let page = hostile(Format::Html);
    assert!(!page.contains("<script") && !page.contains("<b>"), "markup of a name");
    assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
}

/// Typeset where LaTeX is installed.
#[test]
fn the_report_as_latex() {
    let text = report(Format::Latex);
    for part in ["\\documentclass", "\\toprule", "\\addplot", "tmr-storage", "\\end{document}"] {
        assert!(text.contains(part), "{part}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("report", text), ("hostile", hostile(Format::Latex))] {
        std::fs::write(folder.path().join(format!("{name}.tex")), text).expect("a document");
        let typeset = std::process::Command::new("pdflatex")
            .args(["-interaction=nonstopmode", "-halt-on-error", name])
            .current_dir(folder.path())
            .output();
        let Ok(output) = typeset else {
            eprintln!("not typeset: there is no pdflatex here");
            return;
        };
        let log = String::from_utf8_lossy(&output.stdout);
        let missing = log.contains(".sty' not found");
        assert!(output.status.success() || missing, "{name}: {log}");
    }
}
