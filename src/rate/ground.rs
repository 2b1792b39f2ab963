//! What a ground track passes over, as an area: a map shows it without the gaps between passes.

/// A grid of square cells of the Earth; each holds what the nearest place of a ground track has.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundGrid<T> {
    cell_deg: f64,
    columns: usize,
    cells: Vec<Option<T>>,
}

impl<T: Copy + PartialOrd> GroundGrid<T> {
    /// A grid of cells of `cell_deg` degrees (a divisor of 180), from places as longitude and
    /// latitude in degrees with their value. A cell that holds places has the largest of their
    /// values; any other that of the nearest such cell, up to `reach_deg` away.
    pub fn new(
        cell_deg: f64,
        reach_deg: f64,
        places: impl IntoIterator<Item = (f64, f64, T)>,
    ) -> Self {
        let (columns, rows) = (whole(360.0 / cell_deg).max(1), whole(180.0 / cell_deg).max(1));
        let mut grid = Self { cell_deg, columns, cells: vec![None; columns * rows] };
        let mut edge = Vec::new();
        for (longitude, latitude, value) in places {
            let at = grid.index(longitude, latitude);
            let cell = &mut grid.cells[at];
            if cell.is_none() {
                edge.push(at);
            }
            if cell.is_none_or(|known| value > known) {
                *cell = Some(value);
            }
        }
        // One ring of neighbours at a time, so that the nearest cell gives its value first.
        for _ in 0..whole(reach_deg / cell_deg) {
            let mut next = Vec::new();
            for at in edge {
                for neighbour in grid.neighbours(at) {
                    if grid.cells[neighbour].is_none() {
                        grid.cells[neighbour] = grid.cells[at];
                        next.push(neighbour);
                    }
                }
            }
            edge = next;
        }
        grid
    }

    /// The value at a longitude and a latitude in degrees; `None` where no place is near.
    pub fn at(&self, longitude: f64, latitude: f64) -> Option<T> {
        self.cells[self.index(longitude, latitude)]
    }

    /// Runs of neighbouring cells of a row for which `is` holds: longitude where it begins and
    /// ends, and latitude of its southern edge, in degrees.
    pub fn runs(&self, is: impl Fn(T) -> bool) -> Vec<(f64, f64, f64)> {
        let mut runs = Vec::new();
        for (row, cells) in self.cells.chunks(self.columns).enumerate() {
            let mut first = 0;
            for run in cells.chunk_by(|a, b| a.is_some_and(&is) == b.is_some_and(&is)) {
                let end = first + run.len();
                if run[0].is_some_and(&is) {
                    let longitude = |column: usize| column as f64 * self.cell_deg - 180.0;
                    let south = row as f64 * self.cell_deg - 90.0;
                    runs.push((longitude(first), longitude(end), south));
                }
                first = end;
            }
        }
        runs
    }

    /// The side of a cell in degrees.
    pub const fn cell_deg(&self) -> f64 {
        self.cell_deg
    }

    fn index(&self, longitude: f64, latitude: f64) -> usize {
        let rows = self.cells.len() / self.columns;
        let column = whole((longitude + 180.0).rem_euclid(360.0) / self.cell_deg);
        let row = whole((latitude + 90.0).max(0.0) / self.cell_deg);
        row.min(rows - 1) * self.columns + column.min(self.columns - 1)
    }

    /// The four neighbours; the date line is no edge, the poles are.
    fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> + use<T> {
        let (columns, count) = (self.columns, self.cells.len());
        let (row, column) = (at / columns, at % columns);
        let beside = [(column + 1) % columns, (column + columns - 1) % columns];
        let sides = beside.map(|column| row * columns + column);
        let north = Some(at + columns).filter(|at| *at < count);
        sides.into_iter().chain(north).chain(at.checked_sub(columns))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more, and few")]
fn whole(value: f64) -> usize {
    (value + 1e-9).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_between_passes_have_the_value_of_the_nearest() {
        let passes = (-90..90).flat_map(|latitude| {
            let at = f64::from(latitude) + 0.5;
            [(-10.0, at, 1), (10.0, at, 2)]
        });
        let grid = GroundGrid::new(1.0, 12.0, passes);
        for latitude in [-89.5, 0.0, 45.2, 89.9] {
            for (longitude, value) in [(-9.5, 1), (-3.0, 1), (4.0, 2), (10.5, 2), (21.0, 2)] {
                assert_eq!(grid.at(longitude, latitude), Some(value), "{longitude}, {latitude}");
            }
            assert_eq!(grid.at(60.0, latitude), None, "too far from any place");
        }
        let runs = grid.runs(|value| value == 1);
        assert_eq!(runs.len(), 180, "one run a row: no stripes");
        // Of the cells between, those as near to both go to the first.
        assert!(runs.iter().all(|run| (run.0, run.1) == (-22.0, 1.0)), "{:?}", runs[0]);
    }

    #[test]
    fn the_largest_value_of_a_cell_counts_and_the_date_line_is_no_edge() {
        let grid = GroundGrid::new(2.0, 6.0, [(179.5, 1.0, 3), (179.2, 1.5, 5), (179.9, 0.1, 4)]);
        assert_eq!(grid.at(179.0, 1.0), Some(5));
        assert_eq!(grid.at(-177.0, 1.0), Some(5));
        assert_eq!(grid.at(-180.0, 1.0), grid.at(180.0, 1.0));
        assert_eq!(grid.at(-160.0, 1.0), None);
    }
}
