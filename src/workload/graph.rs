//! Values and ops: what each op reads and writes.

use crate::op::{Dtype, Given, Kind, Mismatch};

/// The index of a value: 0 is the workload's input, op outputs follow, then stored tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub usize);

/// What a value is in a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The input of an inference.
    Input,
    /// What an op writes for each inference.
    Activation,
    /// A stored tensor, by its index in the stored image: weights, tables.
    Stored(usize),
}

/// A named tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The name ops refer to; an op's output has the op's name.
    pub name: String,
    /// The shape, row-major: for one inference (features) or (channels, height, width), or that of a stored
    /// tensor.
    pub shape: Vec<usize>,
    /// The names of its axes.
    pub axes: Vec<&'static str>,
    /// The type of its elements.
    pub dtype: Dtype,
    /// What it is.
    pub role: Role,
}

impl Value {
    /// A value of floats.
    pub fn floats(name: &str, shape: &[usize], role: Role) -> Self {
        let (shape, axes) = (shape.to_vec(), axes(shape.len(), Dtype::F32));
        Self { name: name.into(), shape, axes, dtype: Dtype::F32, role }
    }

    /// Where an element lies along each axis, the last of which changes fastest.
    pub fn coordinates(&self, element: u32) -> Vec<(&'static str, usize)> {
        let mut left = element as usize;
        let sides = self.axes.iter().zip(&self.shape).rev();
        let mut along: Vec<_> = sides
            .map(|(axis, side)| {
                let at = left % side;
                left /= side;
                (*axis, at)
            })
            .collect();
        along.reverse();
        along
    }

    /// Whether every inference has a value of its own: it is no stored tensor.
    pub const fn is_of_rows(&self) -> bool {
        !matches!(self.role, Role::Stored(_))
    }

    /// Elements of one inference, or of a stored tensor.
    pub fn elements(&self) -> u32 {
        word_count(self.shape.iter().product())
    }

    /// How its elements lie in words.
    pub const fn lies(&self) -> Dtype {
        if self.is_of_rows() { self.dtype.of_rows() } else { self.dtype }
    }

    /// Words of one inference, or of a stored tensor.
    pub fn features(&self) -> u32 {
        self.lies().words(self.elements())
    }
}

/// The axes of a value of which only the number of dimensions is known.
pub(super) fn axes(dimensions: usize, dtype: Dtype) -> Vec<&'static str> {
    match (dimensions, dtype) {
        (1, Dtype::U32) => vec!["token"],
        (1, _) => vec!["feature"],
        (3, _) => vec!["channel", "row", "column"],
        (dimensions, _) => vec!["index"; dimensions],
    }
}

/// One step of the computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Its name, unique in the workload; faults in its output name it.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// The numbers of its fields, as its kind orders them.
    pub settings: Vec<u32>,
    /// The values it reads: those of inferences, then stored tensors in the order of its fields.
    pub inputs: Vec<ValueId>,
    /// The value it writes.
    pub output: ValueId,
}

impl Op {
    /// An op of the kind with this name and these fields of numbers.
    ///
    /// # Errors
    /// Where there is no such kind, or a field is wrong.
    pub fn new(
        name: &str,
        kind: &str,
        fields: &[(&str, Given)],
        inputs: &[usize],
        output: usize,
    ) -> Result<Self, Mismatch> {
        let known = Kind::named(kind).ok_or_else(|| Mismatch::new("the name of a kind", kind))?;
        let settings = known.settings(fields).map_err(|(_, wrong)| wrong)?;
        Ok(Self {
            name: name.to_owned(),
            kind: known,
            settings,
            inputs: inputs.iter().map(|input| ValueId(*input)).collect(),
            output: ValueId(output),
        })
    }
}

/// A count of words as the GPU sees it.
///
/// # Panics
/// Past 32 bits: one tensor is addressed by a `u32`, and loading refuses a larger one.
#[expect(clippy::expect_used, reason = "loading refuses tensors past 32-bit word indices")]
pub(crate) fn word_count(words: usize) -> u32 {
    u32::try_from(words).expect("a tensor within 32-bit word indices")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_changes_fastest() {
        let value = Value::floats("conv1", &[2, 3, 4], Role::Activation);
        let at = |element| value.coordinates(element);
        assert_eq!(at(0), [("channel", 0), ("row", 0), ("column", 0)]);
        assert_eq!(at(23), [("channel", 1), ("row", 2), ("column", 3)]);
        assert_eq!(at(4), [("channel", 0), ("row", 1), ("column", 0)]);
    }
}
