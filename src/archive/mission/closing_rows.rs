//! The tables that sum a mission up, in HDF5 and back. The figures are not read back: they follow
//! from the histories.

use super::super::Error;
use super::super::file::{
    Name, Text, put_table, set_names, set_text, string, take_table, text, unexpected,
};
use super::figure_rows::{self, EstimateColumn, PerYearColumn};
use super::history_rows::{not_nan, or_nan};
use super::segment::TIMING;
use super::{Closing, MissionHeader, flaw};
use crate::mission::fleet::FleetPoint;
use crate::mission::strata::{Expected, Share, Stratum, Sum};
use crate::mission::sweep::Point;
use hdf5::types::FixedUnicode;
use hdf5::{File, H5Type};
use std::path::Path;

/// A row of `/strata`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct StratumRow {
    device: Name,
    mode: Name,
    shape: Name,
    within: i64,
    per_year: f64,
    drawn: u64,
}

/// A row of `/strata_shares`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct ShareRow {
    stratum: u64,
    scheme: u64,
    tolerable: u64,
    critical: SumColumn,
    due: SumColumn,
    wrong: SumColumn,
}

/// A count of each of some events, added up.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct SumColumn {
    events: u64,
    sum: u64,
    squares: f64,
    most: u64,
}

impl From<Sum> for SumColumn {
    fn from(Sum { events, sum, squares, most }: Sum) -> Self {
        Self { events, sum, squares, most }
    }
}

impl From<SumColumn> for Sum {
    fn from(SumColumn { events, sum, squares, most }: SumColumn) -> Self {
        Self { events, sum, squares, most }
    }
}

/// A row of `/expected`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct ExpectedRow {
    scheme: Name,
    critical: EstimateColumn,
    due: EstimateColumn,
    wrong: EstimateColumn,
    ap8_factor: f64,
}

/// A row of `/sweep`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct PointRow {
    scheme: Name,
    refused: Text,
    period_s: f64,
    traffic_bytes_s: f64,
    wrong_per_year: EstimateColumn,
    error_episodes: PerYearColumn,
    optimum: u64,
}

/// A row of `/fleet`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct FleetRow {
    satellites: u64,
    years: f64,
    events: u64,
    events_reaching: u64,
    states_run: u64,
}

/// A row of `/fleet_wrong`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct FleetWrongRow {
    point: u64,
    scheme: u64,
    wrong: u64,
    satellites_wrong: u64,
}

/// A row of `/timing/fleet`.
#[derive(H5Type, Clone)]
#[repr(C)]
struct FleetTimeRow {
    satellites: u64,
    seconds: f64,
}

/// Writes the tables; `/timing` must be there.
pub(super) fn write(to: &File, closing: &Closing) -> hdf5::Result<()> {
    figure_rows::write(to, &closing.figures)?;
    write_strata(to, &closing.strata)?;
    let expected = closing.expected.iter().map(|row| {
        Ok(ExpectedRow {
            scheme: text(&row.scheme)?,
            critical: EstimateColumn::of(row.critical),
            due: EstimateColumn::of(row.due),
            wrong: EstimateColumn::of(row.wrong),
            ap8_factor: row.ap8_factor,
        })
    });
    put_table(to, "expected", &expected.collect::<hdf5::Result<Vec<_>>>()?)?;
    let table = to.dataset("expected")?;
    set_text(&table, "unit", "episodes or wrong answers a year of flight")?;
    let points = closing.sweep.iter().map(|point| {
        Ok(PointRow {
            scheme: text(&point.scheme)?,
            refused: text(point.refused.as_deref().unwrap_or(""))?,
            period_s: or_nan(point.period_s),
            traffic_bytes_s: point.traffic_bytes_s,
            wrong_per_year: EstimateColumn::of(point.wrong_per_year),
            error_episodes: PerYearColumn::from(&point.error_episodes),
            optimum: u64::from(point.optimum),
        })
    });
    put_table(to, "sweep", &points.collect::<hdf5::Result<Vec<_>>>()?)?;
    write_fleet(to, &closing.fleet)
}

fn write_strata(to: &File, strata: &[Stratum]) -> hdf5::Result<()> {
    let rows = strata.iter().map(|row| {
        Ok(StratumRow {
            device: text(&row.device)?,
            mode: text(&row.mode)?,
            shape: text(row.shape.as_deref().unwrap_or(""))?,
            within: row.within.map_or(-1, i64::from),
            per_year: row.per_year,
            drawn: row.drawn,
        })
    });
    put_table(to, "strata", &rows.collect::<hdf5::Result<Vec<_>>>()?)?;
    let shares = (0u64..).zip(strata).flat_map(|(stratum, row)| {
        (0u64..).zip(&row.schemes).map(move |(scheme, share)| ShareRow {
            stratum,
            scheme,
            tolerable: share.tolerable,
            critical: share.critical.into(),
            due: share.due.into(),
            wrong: share.wrong.into(),
        })
    });
    put_table(to, "strata_shares", &shares.collect::<Vec<_>>())?;
    let table = to.dataset("strata")?;
    set_names(&table, "within_names", &["outside", "within"])
}

fn write_fleet(to: &File, fleet: &[FleetPoint]) -> hdf5::Result<()> {
    let rows = fleet.iter().map(|point| FleetRow {
        satellites: point.satellites,
        years: point.years,
        events: point.events,
        events_reaching: point.events_reaching,
        states_run: point.states_run,
    });
    put_table(to, "fleet", &rows.collect::<Vec<_>>())?;
    let wrong = (0u64..).zip(fleet).flat_map(|(point, of)| {
        let by_scheme = (0u64..).zip(of.wrong.iter().zip(&of.satellites_wrong));
        by_scheme.map(move |(scheme, (wrong, satellites_wrong))| FleetWrongRow {
            point,
            scheme,
            wrong: *wrong,
            satellites_wrong: *satellites_wrong,
        })
    });
    put_table(to, "fleet_wrong", &wrong.collect::<Vec<_>>())?;
    let times = fleet
        .iter()
        .map(|point| FleetTimeRow { satellites: point.satellites, seconds: point.seconds });
    put_table(&to.group(TIMING)?, "fleet", &times.collect::<Vec<_>>())
}

/// Reads the tables, without the figures, and checks their values.
pub(super) fn read(from: &File, path: &Path, header: &MissionHeader) -> Result<Closing, Error> {
    let closing = read_tables(from).map_err(Error::hdf5(path, "read"))?;
    flaw::closing(&closing, header).map_err(Error::flaw(path))?;
    Ok(closing)
}

fn read_tables(from: &File) -> hdf5::Result<Closing> {
    let expected = take_table::<ExpectedRow>(from, "expected")?.into_iter().map(|row| {
        Ok(Expected {
            scheme: string(&row.scheme)?,
            critical: row.critical.estimate(),
            due: row.due.estimate(),
            wrong: row.wrong.estimate(),
            ap8_factor: row.ap8_factor,
        })
    });
    let sweep = take_table::<PointRow>(from, "sweep")?.into_iter().map(|row| {
        Ok(Point {
            scheme: string(&row.scheme)?,
            period_s: not_nan(row.period_s),
            traffic_bytes_s: row.traffic_bytes_s,
            wrong_per_year: row.wrong_per_year.estimate(),
            error_episodes: row.error_episodes.per_year(),
            optimum: row.optimum != 0,
            refused: some_text(&row.refused)?,
        })
    });
    Ok(Closing {
        figures: Vec::new(),
        strata: read_strata(from)?,
        expected: expected.collect::<hdf5::Result<_>>()?,
        sweep: sweep.collect::<hdf5::Result<_>>()?,
        fleet: read_fleet(from)?,
    })
}

/// A text that may be left out, which is then empty.
fn some_text<const N: usize>(text: &FixedUnicode<N>) -> hdf5::Result<Option<String>> {
    Ok(Some(string(text)?).filter(|text| !text.is_empty()))
}

fn read_strata(from: &File) -> hdf5::Result<Vec<Stratum>> {
    let rows = take_table::<StratumRow>(from, "strata")?.into_iter().map(|row| {
        Ok(Stratum {
            device: string(&row.device)?,
            mode: string(&row.mode)?,
            shape: some_text(&row.shape)?,
            within: match row.within {
                -1 => None,
                0 | 1 => Some(row.within == 1),
                other => return Err(unexpected("-1, 0 or 1 in within", other)),
            },
            per_year: row.per_year,
            drawn: row.drawn,
            schemes: Vec::new(),
        })
    });
    let mut strata = rows.collect::<hdf5::Result<Vec<Stratum>>>()?;
    for row in take_table::<ShareRow>(from, "strata_shares")? {
        let ShareRow { tolerable, critical, due, wrong, .. } = row;
        let (critical, due, wrong) = (critical.into(), due.into(), wrong.into());
        let share = Share { critical, due, tolerable, wrong };
        let shares = &mut at(&mut strata, row.stratum)?.schemes;
        in_order("strata_shares", row.scheme, shares.len())?;
        shares.push(share);
    }
    Ok(strata)
}

fn read_fleet(from: &File) -> hdf5::Result<Vec<FleetPoint>> {
    let times = take_table::<FleetTimeRow>(&from.group(TIMING)?, "fleet")?;
    let rows = take_table::<FleetRow>(from, "fleet")?;
    let alike = |(row, time): (&FleetRow, &FleetTimeRow)| row.satellites == time.satellites;
    if rows.len() != times.len() || !rows.iter().zip(&times).all(alike) {
        return Err(unexpected("the times of each fleet", "those of others"));
    }
    let points = rows.into_iter().zip(times).map(|(row, time)| FleetPoint {
        satellites: row.satellites,
        years: row.years,
        events: row.events,
        events_reaching: row.events_reaching,
        states_run: row.states_run,
        wrong: Vec::new(),
        satellites_wrong: Vec::new(),
        seconds: time.seconds,
    });
    let mut fleet: Vec<FleetPoint> = points.collect();
    for row in take_table::<FleetWrongRow>(from, "fleet_wrong")? {
        let point = at(&mut fleet, row.point)?;
        in_order("fleet_wrong", row.scheme, point.wrong.len())?;
        point.wrong.push(row.wrong);
        point.satellites_wrong.push(row.satellites_wrong);
    }
    Ok(fleet)
}

/// Refuses a row of another scheme than the next.
fn in_order(table: &str, scheme: u64, next: usize) -> hdf5::Result<()> {
    if scheme == next as u64 {
        return Ok(());
    }
    Err(unexpected(format!("scheme {next} next in {table}"), format!("scheme {scheme}")))
}

/// The row that another one belongs to.
fn at<T>(rows: &mut [T], index: u64) -> hdf5::Result<&mut T> {
    let known = rows.len();
    let row = usize::try_from(index).ok().and_then(|index| rows.get_mut(index));
    row.ok_or_else(|| unexpected(format!("{known} rows"), format!("one of row {index}")))
}
