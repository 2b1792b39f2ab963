//! Tables as plain text for a terminal, and as Markdown.

use super::tables::{self, Table};
use super::{Report, beam, methods, words};
use crate::archive::summary::Breakdown;

/// The lines that end a run: what happened under each scheme, and what it cost.
pub(super) fn terminal(report: &Report) -> String {
    let mut text = format!("{}\n{}\n", methods::title(report), methods::adapter(report));
    for notice in methods::notices(report) {
        text.push_str(&format!("{notice}\n"));
    }
    if let Some(beam) = beam::table(report) {
        let shown = ["runs", "upsets", "armed cm⁻²", "SDC", "DUE", "cross-section cm²"];
        text.push_str(&format!("\n{}\n{}", beam.title, aligned(&beam.clone().only(&shown))));
        let rest = ["dead time", "events a run"];
        text.push_str(&format!("\n{}", aligned(&beam.only(&rest))));
    }
    // What fits 80 columns, without the sign that every cell has.
    let heads =
        ["wrong answers", "wrong trials", "corrected", "detected", "recovered", "no answer"];
    let mut outcomes = tables::outcomes(report).only(&heads);
    for cell in outcomes.rows.iter_mut().flat_map(|row| &mut row[outcomes.names..]) {
        *cell = cell.replace(" %", "");
    }
    text.push_str(&format!("\n{}, in %\n{}", outcomes.title, aligned(&outcomes)));
    let costs = tables::costs(report);
    let title = "What it cost (read, scrub and time are per inference)";
    text.push_str(&format!("\n{title}\n{}", aligned(&costs)));
    let trial = report.header.strata.first().map_or(1, |stratum| stratum.inferences_per_trial);
    text.push_str(&format!(
        "\nA trial is wrong if any of its {} is. Detected: the scheme raised an alarm.\n",
        words::plural(u64::from(trial), "answer", "answers")
    ));
    if !report.summary.census {
        text.push_str(&format!("In brackets: {}.\n", report.level()));
    }
    text
}

/// A table in columns of even width: names to the left, figures to the right.
pub(super) fn aligned(table: &Table) -> String {
    let width = |column: usize| {
        let cells = table.rows.iter().map(|row| &row[column]).chain([&table.columns[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < table.names { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let joined: Vec<String> = cells.collect();
        format!("{}\n", joined.join("  ").trim_end())
    };
    let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len().max(1) - 1));
    let rows: String = table.rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}\n{rows}", line(&table.columns))
}

/// The whole report as Markdown.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = format!("# {}\n\n{}\n\n", methods::title(report), methods::adapter(report));
    for notice in methods::notices(report) {
        text.push_str(&format!("> {notice}\n\n"));
    }
    for (_, sentence) in methods::headlines(report) {
        text.push_str(&format!("- {sentence}\n"));
    }
    let tables = [
        beam::table(report),
        Some(tables::outcomes(report)),
        Some(tables::costs(report)),
        Some(tables::comparisons(report)),
        tables::times(report),
        tables::events(report),
        tables::fit(report),
        tables::not_injected(report),
        Some(tables::places(report, Breakdown::Tensor)),
        Some(tables::places(report, Breakdown::Bit)),
    ];
    for table in tables.into_iter().flatten().filter(|table| !table.rows.is_empty()) {
        text.push_str(&format!("\n## {}\n\n{}\n{}\n", table.title, piped(&table), table.caption));
    }
    if let Some(acceleration) = methods::acceleration(report) {
        text.push_str(&format!("\n## Acceleration\n\n{acceleration}\n"));
    }
    text.push_str("\n## Methods\n");
    for paragraph in methods::paragraphs(report) {
        text.push_str(&format!("\n{paragraph}\n"));
    }
    for source in &report.header.sources {
        text.push_str(&format!("\n- {}: {}", source.subject, source.source));
    }
    text.push('\n');
    text
}

/// A table as Markdown.
pub(super) fn piped(table: &Table) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let ruler = (0..table.columns.len())
        .map(|column| if column < table.names { "---" } else { "---:" }.to_owned());
    let rows: String = table.rows.iter().map(|row| line(row)).collect();
    format!("{}{}{rows}", line(&table.columns), line(&ruler.collect::<Vec<_>>()))
}
