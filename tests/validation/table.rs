//! The rows of `docs/validation.md`, and how they are judged and written.

use std::fmt::Write;

/// What a figure may deviate by.
#[derive(Clone, Copy)]
pub(crate) enum Tolerance {
    /// A share of the expected figure.
    Share(f64),
    /// A factor, up or down.
    Factor(f64),
    /// Between two values.
    Range(f64, f64),
    /// Said, not judged.
    Report,
}

/// One figure that somebody else published, and ours.
pub(crate) struct Row {
    /// The point's name, as `V2`.
    pub(crate) point: &'static str,
    /// What it is, with its conditions.
    pub(crate) what: String,
    /// Who published it.
    pub(crate) source: &'static str,
    pub(crate) expected: f64,
    pub(crate) measured: f64,
    pub(crate) tolerance: Tolerance,
    /// Why a figure is not met, where it is not.
    pub(crate) miss: Option<&'static str>,
}

impl Row {
    pub(crate) fn new(
        point: &'static str,
        what: impl Into<String>,
        source: &'static str,
        (expected, measured): (f64, f64),
        tolerance: Tolerance,
    ) -> Self {
        Self { point, what: what.into(), source, expected, measured, tolerance, miss: None }
    }

    /// Says why the figure is not met.
    pub(crate) fn missed(mut self, reason: &'static str) -> Self {
        self.miss = Some(reason);
        self
    }

    fn ratio(&self) -> f64 {
        self.measured / self.expected
    }

    pub(crate) fn is_met(&self) -> bool {
        match self.tolerance {
            Tolerance::Share(share) => (self.ratio() - 1.0).abs() <= share,
            Tolerance::Factor(factor) => (1.0 / factor..=factor).contains(&self.ratio()),
            Tolerance::Range(low, high) => (low..=high).contains(&self.measured),
            Tolerance::Report => true,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.tolerance, self.is_met()) {
            (Tolerance::Report, _) => "reported",
            (_, true) => "met",
            (_, false) => "**missed**",
        }
    }

    fn tolerance(&self) -> String {
        match self.tolerance {
            Tolerance::Share(share) => format!("{} %", round(100.0 * share)),
            Tolerance::Factor(factor) => format!("factor {factor}"),
            Tolerance::Range(low, high) => format!("{low} to {high}"),
            Tolerance::Report => "–".to_owned(),
        }
    }
}

/// A number with few digits: what is the same on any machine.
fn round(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Four digits, without an exponent where that is short.
    for places in 0..6_usize {
        let least = 1000.0 / 10_f64.powf(places as f64);
        if value.abs() >= least * 0.99995 {
            let text = format!("{value:.places$}");
            return if places == 0 {
                text
            } else {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            };
        }
    }
    format!("{value:.3e}")
}

/// The page.
pub(crate) fn page(rows: &[Row]) -> String {
    let mut text = String::from(
        "# Validation\n\nFigures that others published, and what beamline finds for them. The tests in \
         `tests/validation`\ncompute this page, hold every figure to its tolerance, and fail where the \
         page is not what they find.\nA missed figure stays in the table with its reason. \
         `BEAMLINE_BLESS=1 cargo test --test validation` writes\nthe page anew.\n\n",
    );
    let met = rows
        .iter()
        .filter(|row| !matches!(row.tolerance, Tolerance::Report) && row.is_met())
        .count();
    let missed = rows.iter().filter(|row| !row.is_met()).count();
    let reported = rows.len() - met - missed;
    let _ = writeln!(
        text,
        "{met} figures are met, {missed} missed, {reported} reported without a tolerance.\n"
    );
    text.push_str("| point | figure | expected | measured | deviation | tolerance | |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:+.1} % | {} | {} |",
            row.point,
            row.what,
            round(row.expected),
            round(row.measured),
            // Adding 0 keeps −0.0 from being written.
            (1000.0 * (row.ratio() - 1.0)).round() / 10.0 + 0.0,
            row.tolerance(),
            row.verdict()
        );
    }
    text.push_str("\n## Sources\n\n");
    let mut seen: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        match seen.iter_mut().find(|(source, _)| *source == row.source) {
            Some((_, points)) if points.contains(&row.point) => {}
            Some((_, points)) => points.push(row.point),
            None => seen.push((row.source, vec![row.point])),
        }
    }
    for (source, points) in seen {
        let _ = writeln!(text, "- {}: {source}.", points.join(", "));
    }
    text.push_str("\n## What is missed, and why\n\n");
    let misses: Vec<&Row> = rows.iter().filter(|row| row.miss.is_some()).collect();
    if misses.is_empty() {
        text.push_str("Nothing.\n");
    }
    for row in misses {
        let _ = writeln!(text, "- {}, {}: {}.", row.point, row.what, row.miss.unwrap_or_default());
    }
    text
}
