//! Tables as plain text for a terminal, and as Markdown.

use super::tables::{self, Table};
use super::{Report, beam, methods, words};
use crate::words as names;

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
    names::terminal(&text).into_owned()
}

/// A table in columns of even width: names to the left, figures to the right.
pub(super) fn aligned(table: &Table) -> String {
    aligned_within(table, usize::MAX)
}

/// The same in parts below one another, each no wider than `most` unless a single column of figures
/// beside the names is; every part begins with the names.
pub(super) fn aligned_within(table: &Table, most: usize) -> String {
    let shown = |cells: &Vec<String>| -> Vec<String> {
        cells.iter().map(|cell| names::line(cell).into_owned()).collect()
    };
    let heads = shown(&table.columns);
    let rows: Vec<Vec<String>> = table.rows.iter().map(shown).collect();
    let widths = widths(&heads, &rows);
    let whole = |columns: &[usize]| {
        columns.iter().map(|at| widths[*at] + 2).sum::<usize>().saturating_sub(2)
    };
    let parts = parts(table.names, &widths, most);
    let part = |columns: &Vec<usize>| {
        let line = |cells: &[String]| {
            let cell = |at: &usize| {
                let (cell, width) = (&cells[*at], widths[*at]);
                if *at < table.names {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            };
            let joined: Vec<String> = columns.iter().map(cell).collect();
            format!("{}\n", joined.join("  ").trim_end())
        };
        let rows: String = rows.iter().map(|row| line(row)).collect();
        format!("{}{}\n{rows}", line(&heads), "─".repeat(whole(columns)))
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// The widest cell of each column, in characters.
pub(super) fn widths(heads: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let width = |(column, head): (usize, &String)| {
        let cells = rows.iter().map(|row| &row[column]).chain([head]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    heads.iter().enumerate().map(width).collect()
}

/// The columns of parts below one another, each no wider than `most` unless a single column of figures
/// beside the names is; every part begins with the names.
pub(super) fn parts(names: usize, widths: &[usize], most: usize) -> Vec<Vec<usize>> {
    let whole = |columns: &[usize]| {
        columns.iter().map(|at| widths[*at] + 2).sum::<usize>().saturating_sub(2)
    };
    let first: Vec<usize> = (0..names).collect();
    let mut parts = vec![first.clone()];
    for column in names..widths.len() {
        let last = parts.len() - 1;
        parts[last].push(column);
        if whole(&parts[last]) > most && parts[last].len() > names + 1 {
            parts[last].pop();
            parts.push([first.as_slice(), &[column]].concat());
        }
    }
    parts
}

/// A table as Markdown.
pub(super) fn piped(table: &Table) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| names::markdown(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let ruler: Vec<&str> = (0..table.columns.len())
        .map(|column| if column < table.names { "---" } else { "---:" })
        .collect();
    let rows: String = table.rows.iter().map(|row| line(row)).collect();
    format!("{}| {} |\n{rows}", line(&table.columns), ruler.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_too_wide_comes_in_parts_with_the_names_in_each() {
        let mut table = Table::new("", String::new(), &["", "none", "SEC-DED", "TMR"], 1);
        table.rows.push(["wrong", "21.5", "5.88", "2.63"].map(String::from).to_vec());
        let whole = "       none  SEC-DED   TMR\n\
                     ──────────────────────────\n\
                     wrong  21.5     5.88  2.63\n";
        assert_eq!(aligned(&table), whole);
        assert_eq!(aligned_within(&table, 26), whole);
        let parts = "       none  SEC-DED\n\
                     ────────────────────\n\
                     wrong  21.5     5.88\n\
                     \n        TMR\n\
                     ───────────\n\
                     wrong  2.63\n";
        assert_eq!(aligned_within(&table, 25), parts);
        assert_eq!(aligned_within(&table, 3).matches("wrong").count(), 3, "one column each");
    }
}
