//! Tables of places: where the elements lie that an op's output is made of, for ops that rearrange,
//! broadcast or reduce values of any shape. They are computed on the CPU and are no memory under test.

use super::Mismatch;
use super::shape::{Shape, narrow};

/// In a table: no element of the operand.
pub(super) const OUTSIDE: u32 = u32::MAX;

/// Where an operand's elements lie for the places of a shape: an offset for each step along each axis. The
/// offset of a place is their sum, or [`OUTSIDE`] where one of them is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Offsets(pub Vec<Vec<u32>>);

/// A table: parts one after another, each with the offsets of one or more operands at every place in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table(pub Vec<Vec<Offsets>>);

impl Offsets {
    /// Those of an operand of shape `from` that is broadcast to shape `to`: dimensions are aligned at the
    /// last, and one of 1 serves all places.
    pub(super) fn broadcast(from: &[usize], to: &[usize]) -> Self {
        let from = &from[from.len().saturating_sub(to.len())..];
        let strides = strides(from);
        let lacking = to.len() - from.len();
        let axis = |(at, size): (usize, &usize)| match at.checked_sub(lacking) {
            Some(axis) if from[axis] > 1 => strided(*size, strides[axis]),
            _ => vec![0; *size],
        };
        Self(to.iter().enumerate().map(axis).collect())
    }

    /// Those of steps of so many elements along each axis of a shape.
    pub(super) fn steps(shape: &[usize], strides: &[usize]) -> Self {
        Self(shape.iter().zip(strides).map(|(size, stride)| strided(*size, *stride)).collect())
    }

    /// How many places there are.
    fn places(&self) -> usize {
        self.0.iter().map(Vec::len).product()
    }

    /// The offsets of all places, the last axis changing fastest.
    pub(super) fn all(&self) -> Vec<u32> {
        self.0.iter().fold(vec![0], |sums, axis| {
            let both = |sum: u32, step: u32| match (sum, step) {
                (OUTSIDE, _) | (_, OUTSIDE) => OUTSIDE,
                _ => sum + step,
            };
            sums.iter().flat_map(|sum| axis.iter().map(move |step| both(*sum, *step))).collect()
        })
    }
}

impl Table {
    /// Whether it has no parts: elements lie in the order of the output.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words of the table.
    pub fn words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        for part in &self.0 {
            let operands: Vec<Vec<u32>> = part.iter().map(Offsets::all).collect();
            let places = operands.first().map_or(0, Vec::len);
            words.extend((0..places).flat_map(|place| operands.iter().map(move |all| all[place])));
        }
        words
    }

    /// The first word of a part.
    pub(super) fn start(&self, part: usize) -> u32 {
        let words = |part: &Vec<Offsets>| part.iter().map(Offsets::places).sum::<usize>();
        narrow(self.0[..part].iter().map(words).sum())
    }
}

fn strided(size: usize, stride: usize) -> Vec<u32> {
    (0..size).map(|at| narrow(at * stride)).collect()
}

/// Elements from one place to the next along each axis of a shape, the last of which changes fastest.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// The shape that two shapes broadcast to.
///
/// # Errors
/// Where a dimension of one differs from that of the other and neither is 1.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Mismatch> {
    let rank = a.len().max(b.len());
    let size = |of: &[usize], axis: usize| match (axis + of.len()).checked_sub(rank) {
        Some(at) => of[at],
        None => 1,
    };
    let both = |axis: usize| match (size(a, axis), size(b, axis)) {
        (1, size) | (size, 1) => Some(size),
        (a, b) => (a == b).then_some(a),
    };
    (0..rank).map(both).collect::<Option<Vec<usize>>>().ok_or_else(|| {
        let expected = format!("two inputs that broadcast, the first is {}", Shape(a));
        Mismatch::new(expected, Shape(b).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_broadcast_from_the_last_axis() {
        assert_eq!(broadcast(&[2, 3, 4], &[3, 1]), Ok(vec![2, 3, 4]));
        assert_eq!(broadcast(&[1, 4], &[3, 1]), Ok(vec![3, 4]));
        assert!(broadcast(&[2, 3], &[2]).is_err());
        let of = Offsets::broadcast(&[3, 1], &[2, 3, 2]);
        assert_eq!(of.all(), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        assert_eq!(
            Offsets::broadcast(&[1, 1, 2], &[2]).all(),
            [0, 1],
            "leading ones are no matter"
        );
    }

    #[test]
    fn a_table_has_its_parts_one_after_another() {
        let (a, b) =
            (Offsets::steps(&[2, 2], &[1, 2]), Offsets(vec![vec![7, OUTSIDE], vec![0, 1]]));
        let table = Table(vec![vec![a, b], vec![Offsets(vec![vec![5, 6]])]]);
        assert_eq!(table.words(), [0, 7, 2, 8, 1, OUTSIDE, 3, OUTSIDE, 5, 6]);
        assert_eq!(table.start(1), 8);
    }
}
