//! What results rest on: every figure with its band, how well it is known, and its source.

use super::tables::Table;
use super::words;
use crate::device::Assumption;

const MARKS: &str = "Marks: verified, read in the source; verified-2nd, read in a text that cites \
                     it; derived, arithmetic from such figures; recalled, known and not read again; \
                     assumed, a choice, since nobody published it; stated, from the user's own file.";

/// Every rate and cross-section, a row each.
pub(super) fn table(assumptions: &[Assumption]) -> Table {
    let caption = format!(
        "Every rate and cross-section that goes into the results, at the level that was used, with \
         the low and the high end of its band. {MARKS}"
    );
    of("Assumptions", caption, assumptions.iter().filter(|row| is_rate(row)))
}

/// Every other figure: shapes of curves, patterns, the memory.
pub(super) fn others(assumptions: &[Assumption]) -> Table {
    let caption =
        "What stands behind the rates: shapes of curves, patterns of events, the memory. \
                   Marks as in the table of assumptions."
            .to_owned();
    of("Figures behind the rates", caption, assumptions.iter().filter(|row| !is_rate(row)))
}

fn is_rate(row: &Assumption) -> bool {
    row.figure == "rate" || row.figure.ends_with("_cm2")
}

fn of<'a>(title: &str, caption: String, rows: impl Iterator<Item = &'a Assumption>) -> Table {
    let columns = ["of", "figure", "value", "band", "mark", "source"];
    let mut table = Table::new(title, caption, &columns, columns.len());
    for row in rows {
        let [low, value, high] = row.values;
        let band = if low == value && value == high {
            String::new()
        } else {
            format!("{}–{}", words::number(low), words::number(high))
        };
        let unit = if row.unit == "1" { String::new() } else { format!(" {}", row.unit) };
        table.rows.push(vec![
            row.subject.clone(),
            row.figure.clone(),
            format!("{}{unit}", words::number(value)),
            band,
            row.mark.clone(),
            row.source.clone(),
        ]);
    }
    table
}
