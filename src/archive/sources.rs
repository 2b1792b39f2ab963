//! What results rest on, in a file and back: sources and assumptions.

use super::file::{self, Name, Text, put_table, string, take_table};
use super::schema::Source;
use crate::device::Assumption;
use hdf5::{Group, H5Type};

/// A row of `/campaign/sources`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct SourceRow {
    subject: Name,
    source: Text,
}

/// A row of `/campaign/assumptions` and `/mission/assumptions`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct AssumptionRow {
    subject: Name,
    figure: Name,
    low: f64,
    value: f64,
    high: f64,
    unit: Name,
    mark: Name,
    source: Text,
}

/// Writes where models and data come from.
pub(super) fn write_sources(at: &Group, sources: &[Source]) -> hdf5::Result<()> {
    let rows = sources.iter().map(|row| {
        Ok(SourceRow { subject: file::text(&row.subject)?, source: file::text(&row.source)? })
    });
    put_table(at, "sources", &rows.collect::<hdf5::Result<Vec<_>>>()?)
}

/// Writes the figures that results rest on.
pub(super) fn write_assumptions(at: &Group, assumptions: &[Assumption]) -> hdf5::Result<()> {
    let rows = assumptions.iter().map(|row| {
        let [low, value, high] = row.values;
        Ok(AssumptionRow {
            subject: file::text(&row.subject)?,
            figure: file::text(&row.figure)?,
            low,
            value,
            high,
            unit: file::text(&row.unit)?,
            mark: file::text(&row.mark)?,
            source: file::text(&row.source)?,
        })
    });
    put_table(at, "assumptions", &rows.collect::<hdf5::Result<Vec<_>>>()?)
}

/// Reads where models and data come from.
pub(super) fn read_sources(campaign: &Group) -> hdf5::Result<Vec<Source>> {
    let rows = take_table::<SourceRow>(campaign, "sources")?;
    let source = |row: &SourceRow| {
        Ok(Source { subject: string(&row.subject)?, source: string(&row.source)? })
    };
    rows.iter().map(source).collect()
}

/// Reads the figures that results rest on.
pub(super) fn read_assumptions(at: &Group) -> hdf5::Result<Vec<Assumption>> {
    let rows = take_table::<AssumptionRow>(at, "assumptions")?;
    let assumption = |row: &AssumptionRow| {
        Ok(Assumption {
            subject: string(&row.subject)?,
            figure: string(&row.figure)?,
            values: [row.low, row.value, row.high],
            unit: string(&row.unit)?,
            mark: string(&row.mark)?,
            source: string(&row.source)?,
        })
    };
    rows.iter().map(assumption).collect()
}
