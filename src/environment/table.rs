//! Field coordinates along a track, from a table: L and the least field of a line change slowly
//! from place to place, so that following a line for each place of a year would be waste.
//!
//! A table is a grid of latitude and longitude on a few spheres: one sphere for a circular orbit,
//! Chebyshev nodes of ln r for others. Between the nodes it interpolates 1/L and B0 L³ with
//! polynomials through six nodes in each angle. The field at the place itself is never tabulated.

use super::field::{Field, Line, Shell, cartesian};
use super::orbit::Position;
use std::f64::consts::PI;

/// Degrees between nodes of latitude and of longitude.
const SPACING: usize = 4;
/// Nodes of latitude, from pole to pole.
const LATITUDES: usize = 180 / SPACING + 1;
/// Nodes of longitude.
const LONGITUDES: usize = 360 / SPACING;
/// Nodes that a polynomial goes through.
const POINTS: usize = 6;
/// Spheres closer than this in ln r are one.
const SAME: f64 = 1e-6;
/// The widest range of ln r that a table serves; wider orbits follow each line.
const WIDEST: f64 = 0.4;

/// Field coordinates over the places of a track.
pub struct ShellTable<'f> {
    field: &'f Field,
    spheres: Vec<Sphere>,
}

/// What is tabulated: 1/L, and B0 L³ in units of the dipole moment.
type Node = [f64; 2];

struct Sphere {
    log_radius: f64,
    nodes: Vec<Option<Node>>,
}

impl<'f> ShellTable<'f> {
    /// A table for places between two radii, in km. Nothing is computed yet: a node is, when it is
    /// first needed.
    pub fn new(field: &'f Field, least_km: f64, greatest_km: f64) -> Self {
        let earth = crate::units::EARTH_RADIUS_KM;
        let (low, high) = ((least_km / earth).ln(), (greatest_km / earth).ln());
        let range = high - low;
        let count = match range {
            range if range < SAME => 1,
            range if range > WIDEST || !range.is_finite() => 0,
            range if range < 0.01 => 3,
            range if range < 0.1 => 5,
            _ => 8,
        };
        let sphere = |k: usize| {
            let node = (PI * (2 * k + 1) as f64 / (2 * count) as f64).cos();
            let log_radius = 0.5 * (low + high) + 0.5 * range * node;
            Sphere { log_radius, nodes: vec![None; LATITUDES * LONGITUDES] }
        };
        Self { field, spheres: (0..count).map(sphere).collect() }
    }

    /// The field that the table is of.
    pub const fn field(&self) -> &Field {
        self.field
    }

    /// L and B/B0 at a position.
    pub fn shell(&mut self, position: &Position) -> Shell {
        let place = cartesian(position);
        if self.spheres.is_empty() {
            return self.field.shell(place);
        }
        let log_radius = (position.radius_km / crate::units::EARTH_RADIUS_KM).ln();
        let mut sum = [0.0; 2];
        for k in 0..self.spheres.len() {
            let mut weight = 1.0;
            for (j, other) in self.spheres.iter().enumerate() {
                if j != k {
                    weight *= (log_radius - other.log_radius)
                        / (self.spheres[k].log_radius - other.log_radius);
                }
            }
            let value = self.spheres[k].value(self.field, position);
            sum[0] += weight * value[0];
            sum[1] += weight * value[1];
        }
        if sum[0] <= 1.0 / OPEN_L {
            return Shell::OPEN;
        }
        let l = 1.0 / sum[0];
        let equator = sum[1] * self.field.moment() / l.powi(3);
        Line { l, equator }.shell(self.field.magnitude(place))
    }
}

/// Beyond this L the maps of trapped protons are empty, and the interpolation meets open lines.
const OPEN_L: f64 = 14.0;

impl Sphere {
    fn value(&mut self, field: &Field, position: &Position) -> Node {
        let spacing = SPACING as f64;
        let (lat, lon) = (position.latitude_deg, position.longitude_deg);
        let (row, rows) = weights((lat + 90.0) / spacing);
        let (column, columns) = weights((lon + 360.0).rem_euclid(360.0) / spacing);
        let mut sum = [0.0; 2];
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in columns.iter().enumerate() {
                let node = self.node(field, row + offset(i), column + offset(j));
                sum[0] += a * b * node[0];
                sum[1] += a * b * node[1];
            }
        }
        sum
    }

    /// The node of a row and a column; rows past a pole come back on the other side of it.
    fn node(&mut self, field: &Field, row: isize, column: isize) -> Node {
        let top = offset(LATITUDES - 1);
        let (row, column) = match row {
            row if row < 0 => (-row, column + offset(LONGITUDES / 2)),
            row if row > top => (2 * top - row, column + offset(LONGITUDES / 2)),
            row => (row, column),
        };
        let (row, column) =
            (row.unsigned_abs(), column.rem_euclid(offset(LONGITUDES)).unsigned_abs());
        let (log_radius, spacing) = (self.log_radius, SPACING as f64);
        *self.nodes[row * LONGITUDES + column].get_or_insert_with(|| {
            let place = cartesian(&Position {
                time_s: 0.0,
                latitude_deg: row as f64 * spacing - 90.0,
                longitude_deg: column as f64 * spacing,
                radius_km: log_radius.exp() * crate::units::EARTH_RADIUS_KM,
            });
            field.line(place, field.magnitude(place)).map_or([0.0, 1.0], |line| {
                [1.0 / line.l, line.equator * line.l.powi(3) / field.moment()]
            })
        })
    }
}

#[expect(clippy::cast_possible_wrap, reason = "a small count")]
const fn offset(count: usize) -> isize {
    count as isize
}

/// The first node and the weights of the polynomial through the nodes about `at`.
#[expect(clippy::cast_possible_truncation, reason = "a small count")]
fn weights(at: f64) -> (isize, [f64; POINTS]) {
    let first = at.floor() as isize - 2;
    let weights = std::array::from_fn(|i| {
        let others = (0..POINTS).filter(|j| *j != i);
        others.fold(1.0, |weight, j| {
            weight * (at - (first + offset(j)) as f64) / (i as f64 - j as f64)
        })
    });
    (first, weights)
}
