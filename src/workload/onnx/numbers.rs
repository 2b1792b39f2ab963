//! Numbers that are known before any inference: shapes and what a model computes of them. They are folded
//! here and are no memory under test.

use crate::op::Mismatch;

/// A number, and whether it follows from how many inputs there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    /// Whole numbers are exact up to 2⁵³.
    pub(super) value: f64,
    pub(super) of_batch: bool,
}

/// Numbers of any shape, the last index changing fastest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) shape: Vec<usize>,
    pub(super) list: Vec<Number>,
    /// Whether they are floats.
    pub(super) floats: bool,
}

/// Elements of folded numbers, at most: shapes have few.
const ELEMENTS_MAX: usize = 1 << 16;

/// The shape that two shapes broadcast to.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Mismatch> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(rank) {
        Some(axis) => shape[axis],
        None => 1,
    };
    let both = |axis| match (size(a, axis), size(b, axis)) {
        (x, y) if x == y || y == 1 => Ok(x),
        (1, y) => Ok(y),
        (x, y) => {
            Err(Mismatch::new("shapes that broadcast", format!("{x} and {y} in one dimension")))
        }
    };
    (0..rank).map(both).collect()
}

/// An axis of so many dimensions; negative ones count from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Mismatch> {
    let from_end = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(from_end)
        .ok()
        .filter(|axis| *axis < rank)
        .ok_or_else(|| Mismatch::new(format!("an axis of {rank} dimensions"), axis.to_string()))
}

impl Numbers {
    pub(super) fn whole(shape: Vec<usize>, values: impl IntoIterator<Item = i64>) -> Self {
        let number = |value| Number { value: value as f64, of_batch: false };
        Self { shape, list: values.into_iter().map(number).collect(), floats: false }
    }

    fn like(&self, shape: Vec<usize>, list: Vec<Number>) -> Self {
        Self { shape, list, floats: self.floats }
    }

    /// The same in another shape.
    pub(super) fn reshaped(&self, shape: Vec<usize>) -> Self {
        self.like(shape, self.list.clone())
    }

    /// Whether one of them follows from how many inputs there are.
    pub(super) fn of_batch(&self) -> bool {
        self.list.iter().any(|number| number.of_batch)
    }

    /// They as whole numbers.
    pub(super) fn ints(&self) -> Vec<i64> {
        self.list.iter().map(|number| number.value as i64).collect()
    }

    /// Each of them through a function.
    pub(super) fn map(&self, of: impl Fn(f64) -> f64) -> Self {
        let list = self.list.iter().map(|n| Number { value: of(n.value), ..*n }).collect();
        self.like(self.shape.clone(), list)
    }

    /// Each of them as a float of 32 bits, or as a whole number.
    pub(super) fn cast(&self, floats: bool) -> Self {
        let cast = self.map(|value| if floats { f64::from(value as f32) } else { value.trunc() });
        Self { floats, ..cast }
    }

    /// A function of two of them, of shapes that broadcast.
    pub(super) fn zip(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Result<Self, Mismatch> {
        let shape = broadcast(&self.shape, &other.shape)?;
        let (a, b) = (self.expanded(&shape)?, other.expanded(&shape)?);
        let floats = self.floats || other.floats;
        let both = a.list.iter().zip(&b.list).map(|(a, b)| {
            let value = of(a.value, b.value);
            let value = if floats { f64::from(value as f32) } else { value };
            Number { value, of_batch: a.of_batch || b.of_batch }
        });
        Ok(Self { list: both.collect(), shape, floats })
    }

    /// The elements at these places of each axis.
    pub(super) fn picked(&self, places: &[Vec<usize>]) -> Self {
        let mut offsets = vec![0];
        for (axis, places) in places.iter().enumerate() {
            let stride: usize = self.shape[axis + 1..].iter().product();
            offsets = offsets
                .iter()
                .flat_map(|offset| places.iter().map(move |place| offset + place * stride))
                .collect();
        }
        let list = offsets.iter().map(|offset| self.list[*offset]).collect();
        self.like(places.iter().map(Vec::len).collect(), list)
    }

    /// They broadcast to a shape.
    pub(super) fn expanded(&self, shape: &[usize]) -> Result<Self, Mismatch> {
        if broadcast(&self.shape, shape)? != shape {
            return Err(Mismatch::new("a shape to broadcast to", format!("{shape:?}")));
        }
        check_size(shape)?;
        let lacking = shape.len() - self.shape.len();
        let aligned = [&vec![1; lacking][..], &self.shape[..]].concat();
        let place = |(size, own): (&usize, &usize)| match own {
            1 => vec![0; *size],
            _ => (0..*size).collect(),
        };
        let places: Vec<Vec<usize>> = shape.iter().zip(&aligned).map(place).collect();
        Ok(self.reshaped(aligned).picked(&places))
    }

    /// Several one after another along an axis.
    pub(super) fn concat(parts: &[Self], along: usize) -> Result<Self, Mismatch> {
        let first = &parts[0];
        let fits = |part: &&Self| {
            part.shape.len() == first.shape.len()
                && (0..part.shape.len()).all(|at| at == along || part.shape[at] == first.shape[at])
        };
        if !parts.iter().all(|part| fits(&part)) {
            return Err(Mismatch::new("parts that differ along one axis", "others"));
        }
        let before: usize = first.shape[..along].iter().product();
        let mut list = Vec::new();
        for at in 0..before {
            for part in parts {
                let run = part.list.len() / before;
                list.extend_from_slice(&part.list[at * run..][..run]);
            }
        }
        let mut shape = first.shape.clone();
        shape[along] = parts.iter().map(|part| part.shape[along]).sum();
        check_size(&shape)?;
        Ok(Self { shape, list, floats: parts.iter().any(|part| part.floats) })
    }

    /// The same number everywhere.
    pub(super) fn filled(shape: &[usize], value: f64, floats: bool) -> Result<Self, Mismatch> {
        check_size(shape)?;
        let count = shape.iter().product();
        let list = vec![Number { value, of_batch: false }; count];
        Ok(Self { shape: shape.to_vec(), list, floats })
    }

    /// They with the axes in another order.
    pub(super) fn transposed(&self, order: &[usize]) -> Self {
        let shape: Vec<usize> = order.iter().map(|axis| self.shape[*axis]).collect();
        let stride = |axis: usize| self.shape[axis + 1..].iter().product::<usize>();
        let mut offsets = vec![0];
        for axis in order {
            let (size, stride) = (self.shape[*axis], stride(*axis));
            offsets = offsets
                .iter()
                .flat_map(|offset| (0..size).map(move |place| offset + place * stride))
                .collect();
        }
        self.like(shape, offsets.iter().map(|offset| self.list[*offset]).collect())
    }
}

pub(super) fn check_size(shape: &[usize]) -> Result<(), Mismatch> {
    let elements = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    match elements {
        Some(elements) if elements <= ELEMENTS_MAX => Ok(()),
        _ => {
            let expected = format!("{ELEMENTS_MAX} elements of computed shapes at most");
            Err(Mismatch::new(expected, format!("{shape:?}")))
        }
    }
}
