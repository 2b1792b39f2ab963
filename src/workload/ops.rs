//! From the `[[op]]` entries of a workload file to the graph and the stored image.

use super::data::{Stored, list};
use super::entry::{Kind, OpEntry, WorkloadEntry};
use super::file::File;
use super::graph::{self, checked_words};
use super::{Error, Mismatch, Op, OpKind, Tensor, Value, ValueId};
use std::collections::BTreeMap;
use toml::Spanned;

/// Stored tensors: those that ops use, in the order of use, and those not used yet.
pub(super) struct Image {
    pub(super) used: Vec<Tensor>,
    pub(super) unused: BTreeMap<String, Stored>,
    words: usize,
}

impl Image {
    pub(super) const fn new(unused: BTreeMap<String, Stored>) -> Self {
        Self { used: vec![], unused, words: 0 }
    }

    /// The index of a tensor in the stored image, where it takes its place at its first use.
    fn place(&mut self, name: &str) -> Result<usize, Mismatch> {
        if let Some(index) = self.used.iter().position(|tensor| tensor.name == name) {
            return Ok(index);
        }
        let Some((shape, words)) = self.unused.remove(name) else {
            let names = self.used.iter().map(|tensor| &tensor.name).chain(self.unused.keys());
            let expected = format!("one of the tensors {}", list(names.map(String::as_str)));
            return Err(Mismatch::new(expected, format!("`{name}`")));
        };
        let Some(end) = checked_words(&[self.words + words.len()]) else {
            return Err(Mismatch::new("a stored image of fewer than 2³² words", "more"));
        };
        let offset = graph::word_count(self.words);
        self.words = end;
        self.used.push(Tensor { name: name.to_owned(), shape, offset, words });
        Ok(self.used.len() - 1)
    }
}

impl File<'_> {
    /// The values and ops that the entries describe, checked against each other.
    pub(super) fn graph(
        &self,
        input: Value,
        entry: &WorkloadEntry,
        image: &mut Image,
    ) -> Result<(Vec<Value>, Vec<Op>), Error> {
        if entry.op.is_empty() {
            return Err(self.wrong(&entry.name, "at least one [[op]]", "none"));
        }
        let mut values = vec![input];
        let mut ops: Vec<Op> = vec![];
        for op in &entry.op {
            let name = op.name.get_ref();
            if name.is_empty() || values.iter().any(|value| value.name == *name) {
                let found = format!("`{name}`, which is empty or taken");
                return Err(self.wrong(&op.name, "a name of its own for the op", found));
            }
            let inputs = self.op_inputs(op, &values)?;
            let kind = self.op_kind(op, image)?;
            let shapes: Vec<_> = inputs.iter().map(|id| &values[id.0].shape[..]).collect();
            let tensors: Vec<_> = image.used.iter().map(|tensor| &tensor.shape[..]).collect();
            let shape = graph::output_shape(kind, &shapes, &tensors).map_err(|mismatch| {
                let Mismatch { expected, found } = mismatch;
                self.wrong(&op.name, format!("{} `{name}` with {expected}", kind.name()), found)
            })?;
            let output = ValueId(values.len());
            values.push(Value { name: name.clone(), shape });
            ops.push(Op { name: name.clone(), kind, inputs, output });
        }
        for (op, written) in entry.op.iter().zip(&ops).rev().skip(1) {
            if !ops.iter().any(|reader| reader.inputs.contains(&written.output)) {
                let expected = format!("an op that reads `{}`, or no such op", written.name);
                return Err(self.wrong(&op.name, expected, "none"));
            }
        }
        Ok((values, ops))
    }

    /// The values that an op reads: those it names, or the one written last.
    fn op_inputs(&self, op: &OpEntry, values: &[Value]) -> Result<Vec<ValueId>, Error> {
        let Some(names) = &op.inputs else { return Ok(vec![ValueId(values.len() - 1)]) };
        let find = |name: &Spanned<String>| {
            let position = values.iter().position(|value| value.name == *name.get_ref());
            position.map(ValueId).ok_or_else(|| {
                let known = list(values.iter().map(|value| value.name.as_str()));
                let expected =
                    format!("an input among the values before `{}`: {known}", op.name.get_ref());
                self.wrong(name, expected, format!("`{}`", name.get_ref()))
            })
        };
        names.get_ref().iter().map(find).collect()
    }

    fn op_kind(&self, op: &OpEntry, image: &mut Image) -> Result<OpKind, Error> {
        let kind = *op.kind.get_ref();
        self.check_fields(op, kind)?;
        let number = |field: &Option<Spanned<u32>>, default: u32| {
            field.as_ref().map_or(default, |number| *number.get_ref()) as usize
        };
        let mut place = |field: Option<&Spanned<String>>| {
            field
                .map(|name| {
                    let placed = image.place(name.get_ref());
                    placed.map_err(|mismatch| self.wrong_at(&name.span(), mismatch))
                })
                .transpose()
        };
        let lacks = |field: &str| {
            let found = format!("`{}` without one", op.name.get_ref());
            self.wrong(&op.kind, format!("`{field}` with this kind"), found)
        };
        Ok(match kind {
            Kind::Linear => OpKind::Linear {
                weight: place(op.weight.as_ref())?.ok_or_else(|| lacks("weight"))?,
                bias: place(op.bias.as_ref())?,
            },
            Kind::Conv2d => OpKind::Conv2d {
                weight: place(op.weight.as_ref())?.ok_or_else(|| lacks("weight"))?,
                bias: place(op.bias.as_ref())?,
                stride: number(&op.stride, 1),
                padding: number(&op.padding, 0),
            },
            Kind::MaxPool => {
                let size = op.size.as_ref().ok_or_else(|| lacks("size"))?;
                let stride = number(&op.stride, *size.get_ref());
                OpKind::MaxPool { size: *size.get_ref() as usize, stride }
            }
            Kind::Relu => OpKind::Relu,
            Kind::Flatten => OpKind::Flatten,
            Kind::Softmax => OpKind::Softmax,
            Kind::Add => OpKind::Add,
        })
    }

    /// Refuses a field that another kind takes.
    fn check_fields(&self, op: &OpEntry, kind: Kind) -> Result<(), Error> {
        let taken: &[&str] = match kind {
            Kind::Linear => &["weight", "bias"],
            Kind::Conv2d => &["weight", "bias", "stride", "padding"],
            Kind::MaxPool => &["size", "stride"],
            Kind::Relu | Kind::Flatten | Kind::Softmax | Kind::Add => &[],
        };
        let given = [
            ("weight", op.weight.as_ref().map(Spanned::span)),
            ("bias", op.bias.as_ref().map(Spanned::span)),
            ("stride", op.stride.as_ref().map(Spanned::span)),
            ("padding", op.padding.as_ref().map(Spanned::span)),
            ("size", op.size.as_ref().map(Spanned::span)),
        ];
        for (field, span) in given {
            if let Some(span) = span
                && !taken.contains(&field)
            {
                let known = list(["inputs"].into_iter().chain(taken.iter().copied()));
                let expected = format!("of this kind's fields only {known}");
                return Err(self.wrong_at(&span, Mismatch::new(expected, format!("`{field}`"))));
            }
        }
        Ok(())
    }
}
