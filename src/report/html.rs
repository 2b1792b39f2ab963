//! The page: one self-contained HTML file.

use super::tables::{self, Table};
use super::{Error, Report, assumptions, beam, chart, methods};
use crate::archive::schema::Source;
use crate::archive::summary::Breakdown;
use crate::outcome::Outcome;
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'r> {
    name: &'r str,
    title: String,
    adapter: String,
    notices: Vec<String>,
    findings: String,
    opening: Vec<Table>,
    figures: Vec<Figure>,
    tables: Vec<Table>,
    details: Vec<Table>,
    acceleration: Option<String>,
    methods: Vec<String>,
    sources: &'r [Source],
    toml: &'r str,
    version: &'r str,
}

/// A sentence or a name with the mark or the colour that stands for it, as a small drawing.
struct Headline {
    svg: String,
    text: String,
}

fn form(error: chart::Failure) -> Error {
    Error::Form(error.to_string())
}

/// A drawing, its legend and what a reader must know to read it.
struct Figure {
    title: String,
    caption: String,
    legend: Vec<Headline>,
    svg: String,
}

/// Renders the page.
pub(super) fn page(report: &Report) -> Result<String, Error> {
    let opening = [
        beam::table(report),
        Some(tables::outcomes(report)),
        Some(assumptions::table(&report.header.assumptions)),
    ];
    let shown = [
        Some(tables::costs(report)),
        Some(tables::comparisons(report)),
        tables::times(report),
        tables::events(report),
        tables::fit(report),
        tables::not_injected(report),
    ];
    let details = [
        tables::places(report, Breakdown::Tensor),
        tables::places(report, Breakdown::Bit),
        assumptions::others(&report.header.assumptions),
    ];
    let filled = |table: &Table| !table.rows.is_empty();
    let page = Page {
        name: &report.header.campaign.name,
        title: methods::title(report),
        adapter: methods::adapter(report),
        notices: methods::notices(report),
        findings: methods::findings(report),
        opening: opening.into_iter().flatten().filter(filled).collect(),
        figures: figures(report)?,
        tables: shown.into_iter().flatten().filter(filled).collect(),
        details: details.into_iter().filter(filled).collect(),
        acceleration: methods::acceleration(report),
        methods: methods::paragraphs(report),
        sources: &report.header.sources,
        toml: &report.header.campaign.toml,
        version: &report.header.version,
    };
    page.render().map_err(|error| Error::Form(error.to_string()))
}

fn figures(report: &Report) -> Result<Vec<Figure>, Error> {
    let drawn = |svg: Result<String, _>| svg.map_err(form);
    let intervals = if report.summary.census && !report.finished {
        "Part of a census: no estimate.".to_owned()
    } else if report.summary.census {
        "A census: exact shares.".to_owned()
    } else {
        format!("Whiskers: {} (Clopper–Pearson).", report.level())
    };
    let mut figures = vec![
        Figure {
            title: "Trials with a wrong answer".into(),
            caption: wrong_trials(report, &intervals),
            legend: Vec::new(),
            svg: drawn(chart::wrong_trials(report))?,
        },
        Figure {
            title: "Outcomes".into(),
            caption: "Shares of inferences under each scheme.".into(),
            legend: outcome_legend(report)?,
            svg: drawn(chart::outcomes(report))?,
        },
    ];
    for (index, stratum) in report.header.strata.iter().enumerate() {
        if report.summary.by(Breakdown::Bit).any(|row| row.stratum == index) {
            figures.push(Figure {
                title: format!("Critical SDC by bit position: {}", stratum.name),
                caption: format!(
                    "Trials with exactly one fault, by the bit struck (bit 31 is the sign): the share \
                     with a wrong answer. {intervals}"
                ),
                legend: scheme_legend(report)?,
                svg: drawn(chart::by_bit(report, index))?,
            });
        }
    }
    if report.summary.by(Breakdown::Tensor).next().is_some() {
        figures.push(Figure {
            title: "Critical SDC by tensor".into(),
            caption: format!(
                "Trials with exactly one fault, by the tensor (or the op whose output was) struck: the \
                 share with a wrong answer. {intervals}"
            ),
            legend: scheme_legend(report)?,
            svg: drawn(chart::by_tensor(report))?,
        });
    }
    Ok(figures)
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
fn outcome_legend(report: &Report) -> Result<Vec<Headline>, Error> {
    let occurred = |outcome: &Outcome| {
        report.summary.by(Breakdown::Scheme).any(|row| row.outcomes[*outcome as usize] > 0)
    };
    let entry = |outcome: Outcome| {
        let svg = chart::legend_colour(chart::OUTCOME_COLOURS[outcome as usize]).map_err(form)?;
        let text = outcome.name().replace('-', " ").replace("sdc", "SDC").replace("due", "DUE");
        Ok(Headline { svg, text })
    };
    Outcome::ALL.into_iter().filter(occurred).map(entry).collect()
}

fn scheme_legend(report: &Report) -> Result<Vec<Headline>, Error> {
    let entry = |(index, scheme): (usize, &crate::archive::schema::SchemeInfo)| {
        let svg = chart::legend_mark(chart::Look::of(index)).map_err(form)?;
        Ok(Headline { svg, text: scheme.name().to_owned() })
    };
    report.header.schemes.iter().enumerate().map(entry).collect()
}
