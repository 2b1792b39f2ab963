//! What the rates rest on: every figure with its band, how well it is known, and its source.

use super::tables::Table;
use super::words;
use crate::device::Assumption;

/// Every rate and cross-section, a row each.
pub(super) fn table(assumptions: &[Assumption]) -> Table {
    let columns = ["of", "figure", "mark", "source", "value", "low", "high"];
    let caption = "Every rate and cross-section that goes into the results, at the level that was \
                   used, with the low and the high end of its band. Marks: verified, read in the \
                   source; verified-2nd, read in a text that cites it; derived, arithmetic from such \
                   figures; recalled, known and not read again; assumed, a choice, since nobody \
                   published it; stated, from the user's own file."
        .to_owned();
    let mut table = Table::new("Assumptions", caption, &columns, 4);
    for assumed in assumptions {
        let [low, value, high] = assumed.values;
        let ends = if low == value && value == high {
            [String::new(), String::new()]
        } else {
            [low, high].map(words::number)
        };
        let unit = if assumed.unit == "1" { String::new() } else { format!(" {}", assumed.unit) };
        table.rows.push(vec![
            assumed.subject.clone(),
            assumed.figure.clone(),
            assumed.mark.clone(),
            assumed.source.clone(),
            format!("{}{unit}", words::number(value)),
            ends[0].clone(),
            ends[1].clone(),
        ]);
    }
    table
}
