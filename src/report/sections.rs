//! The report of a campaign as a document: tables and drawings under their heads.

use super::chart::Failure;
use super::document::{Document, Entry, Plot, Section};
use super::tables::{self, Table};
use super::{Error, Report, assumptions, beam, chart, methods};
use crate::archive::summary::Breakdown;
use crate::outcome::Outcome;
use crate::stats::Interval;

/// The document of a report.
pub(super) fn document(report: &Report) -> Result<Document<'_>, Error> {
    let form = |error: Failure| Error::Form(error.to_string());
    let table = |table: Option<Table>| table.map(Section::of);
    let mut sections: Vec<Section> = [
        beam::table(report),
        Some(tables::outcomes(report)),
        Some(assumptions::table(&report.header.assumptions)),
    ]
    .into_iter()
    .filter_map(table)
    .collect();
    sections.extend(drawings(report).map_err(form)?);
    let shown = [
        Some(tables::costs(report)),
        Some(tables::comparisons(report)),
        tables::times(report),
        tables::events(report),
        tables::fit(report),
        tables::not_injected(report),
    ];
    sections.extend(shown.into_iter().filter_map(table));
    let acceleration = methods::acceleration(report);
    sections.extend(acceleration.map(|text| Section::said("Acceleration", text)));
    let details = [
        tables::places(report, Breakdown::Tensor),
        tables::places(report, Breakdown::Bit),
        assumptions::others(&report.header.assumptions),
    ];
    sections.extend(details.into_iter().map(|table| Section::of(table).folded()));
    sections.retain(Section::is_filled);
    Ok(Document {
        name: &report.header.campaign.name,
        kind: "fault campaign",
        file: "campaign",
        title: methods::title(report),
        setting: vec![("adapter", methods::adapter(report))],
        notices: methods::notices(report),
        findings: methods::findings(report),
        sections,
        methods: methods::paragraphs(report),
        limits: &[],
        sources: &report.header.sources,
        toml: &report.header.campaign.toml,
        version: &report.header.version,
        elsewhere: "its archive, from whose rows it is made",
        plot: Plot {
            what: "wrong trials",
            rows: (report.summary.by(Breakdown::Scheme))
                .map(|row| {
                    let exact = row.wrong_probability;
                    let interval =
                        row.clopper_pearson.unwrap_or(Interval { low: exact, high: exact });
                    (report.scheme(row.scheme), exact, interval)
                })
                .collect(),
        },
    })
}

fn drawings(report: &Report) -> Result<Vec<Section>, Failure> {
    let intervals = if report.summary.census && !report.finished {
        "Part of a census: no estimate.".to_owned()
    } else if report.summary.census {
        "A census: exact shares.".to_owned()
    } else {
        format!("Whiskers: {} (Clopper–Pearson).", report.level())
    };
    let share = "the share with a wrong answer";
    let wrong = chart::wrong_trials(report)?;
    let outcomes = "Shares of inferences under each scheme.".to_owned();
    let mut sections = vec![
        Section::drawn("Trials with a wrong answer", wrong_trials(report, &intervals), wrong),
        Section::drawn("Outcomes", outcomes, chart::outcomes(report)?)
            .legend(outcome_legend(report))?,
    ];
    for (index, stratum) in report.header.strata.iter().enumerate() {
        if report.summary.by(Breakdown::Bit).any(|row| row.stratum == index) {
            let title = format!("Critical SDC by bit position: {}", stratum.name);
            let caption = format!(
                "Trials with exactly one fault, by the bit struck (bit 31 is the sign): {share}. {intervals}"
            );
            let drawn = Section::drawn(&title, caption, chart::by_bit(report, index)?);
            sections.push(drawn.legend(scheme_legend(report))?);
        }
    }
    if report.summary.by(Breakdown::Tensor).next().is_some() {
        let caption = format!(
            "Trials with exactly one fault, by the tensor (or the op whose output was) struck: {share}. \
             {intervals}"
        );
        let drawn = Section::drawn("Critical SDC by tensor", caption, chart::by_tensor(report)?);
        sections.push(drawn.legend(scheme_legend(report))?);
    }
    Ok(sections)
}

/// What a reader must know to read the first drawing.
fn wrong_trials(report: &Report, intervals: &str) -> String {
    let share = format!("share of trials in which any answer is wrong. {intervals}");
    let bytes = "Beside them the bytes stored, as multiples of the least.";
    match report.summary.comparisons.first() {
        Some(row) => format!(
            "Left: the {share} Right: how many times fewer such trials are than under {}, on the same \
             trials; an arrow where nothing bounds it. {bytes}",
            report.scheme(row.baseline)
        ),
        None => format!("The {share} {bytes}"),
    }
}

/// The outcomes that occurred.
fn outcome_legend(report: &Report) -> impl Iterator<Item = Result<Entry, Failure>> + '_ {
    let occurred = |outcome: &Outcome| {
        report.summary.by(Breakdown::Scheme).any(|row| row.outcomes[*outcome as usize] > 0)
    };
    Outcome::ALL.into_iter().filter(occurred).map(|outcome| {
        let svg = chart::legend_colour(chart::OUTCOME_COLOURS[outcome as usize])?;
        let text = outcome.name().replace('-', " ").replace("sdc", "SDC").replace("due", "DUE");
        Ok(Entry { svg, text })
    })
}

fn scheme_legend(report: &Report) -> impl Iterator<Item = Result<Entry, Failure>> + '_ {
    report.header.schemes.iter().enumerate().map(|(index, scheme)| {
        let svg = chart::legend_mark(chart::Look::of(index))?;
        Ok(Entry { svg, text: scheme.name().to_owned() })
    })
}
