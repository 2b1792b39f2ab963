//! Reports: one archive as a page, a table or data for another program.
//!
//! [`Report`] gathers what every form shows; `tables` and `methods` put it into words once, and
//! each form only sets it: `table` as text and Markdown, `html` as a page with the drawings of
//! `chart` and `compared`, `export` as CSV and JSON.

mod assumptions;
mod beam;
mod chart;
mod compared;
mod document;
mod export;
mod methods;
pub mod mission;
pub mod orbit;
mod plot;
mod rows;
mod sections;
pub mod several;
mod table;
mod tables;
mod words;

pub use rows::{RowTable, episodes, faults, outcomes, upsets};
pub(crate) use words::{bytes, plural};

use crate::archive::{self, Archive, Header, Summary};
use crate::output;
use serde::Serialize;
use std::io::Write;

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// One self-contained page with plots.
    #[default]
    Html,
    /// The page's tables and paragraphs as Markdown.
    Markdown,
    /// The same as LaTeX, with a plot.
    Latex,
    /// Every figure, one row a group of trials.
    Csv,
    /// Header, figures and measured times.
    Json,
    /// The tables that end a run, for a terminal.
    Table,
}

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive could not be read.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The report could not be written.
    #[error("the report cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] output::Error),
    /// The report could not be made from its rows.
    #[error("the report cannot be made: {0}")]
    Form(String),
}

/// What every form shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What the archive says of its campaign.
    pub header: Header,
    /// The figures that follow from its rows.
    pub summary: Summary,
    /// What was measured, a scheme each.
    pub measured: Vec<Measured>,
    /// Whether the campaign has finished.
    pub finished: bool,
}

/// The measured time of a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
pub struct Measured {
    /// Inferences run, retries not counted.
    pub inferences: u64,
    /// Seconds, retries and scrubs included.
    pub seconds: f64,
}

impl Measured {
    /// Seconds an inference; `None` where nothing was measured.
    pub fn seconds_per_inference(self) -> Option<f64> {
        (self.inferences > 0 && self.seconds > 0.0).then(|| self.seconds / self.inferences as f64)
    }
}

impl Report {
    /// Reads an archive.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn of(archive: &Archive) -> Result<Self, archive::Error> {
        let header = archive.header().clone();
        let mut measured = vec![Measured::default(); header.schemes.len()];
        for row in archive.timing() {
            if let Some(measured) = measured.get_mut(row.scheme as usize) {
                measured.inferences += row.inferences;
                measured.seconds += row.seconds;
            }
        }
        Ok(Self { header, summary: archive.summary(), measured, finished: archive.finished() })
    }

    /// Writes it in a form.
    ///
    /// # Errors
    /// Where the form cannot be made or `out` not be written.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> Result<(), Error> {
        match format {
            Format::Html => out.write_all(sections::document(self)?.page()?.as_bytes())?,
            Format::Markdown => out.write_all(sections::document(self)?.markdown().as_bytes())?,
            Format::Latex => out.write_all(sections::document(self)?.latex().as_bytes())?,
            Format::Table => out.write_all(table::terminal(self).as_bytes())?,
            Format::Csv => export::csv(self, out)?,
            Format::Json => export::json(self, out)?,
        }
        Ok(out.flush()?)
    }

    /// Trials of each scheme.
    fn trials(&self) -> u64 {
        let schemes = self.summary.by(archive::summary::Breakdown::Scheme);
        schemes.filter(|row| row.scheme == 0).map(|row| row.trials).sum()
    }
}

/// Writes the report of an archive.
///
/// # Errors
/// Where the archive cannot be read or `out` not be written.
pub fn write(archive: &Archive, format: Format, out: &mut dyn Write) -> Result<(), Error> {
    Report::of(archive)?.write(format, out)
}
