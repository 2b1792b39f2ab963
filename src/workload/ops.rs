//! From the `[[op]]` entries of a workload file to the graph and the stored image.

use super::data::{Stored, list};
use super::entry::{FieldValue, OpEntry, WorkloadEntry};
use super::file::File;
use super::graph;
use super::{Error, Mismatch, Op, Role, Tensor, Value, ValueId};
use crate::op::{Dtype, Given, Holds, Kind, OPS, Shape, checked_words, order};
use crate::words;
use std::collections::BTreeMap;
use std::ops::Range;
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

    /// Whether there is a tensor of this name.
    fn has(&self, name: &str) -> bool {
        self.unused.contains_key(name) || self.used.iter().any(|tensor| tensor.name == name)
    }

    /// The index of a tensor in the stored image, where it takes its place at its first use.
    fn place(&mut self, name: &str) -> Result<usize, Mismatch> {
        if let Some(index) = self.used.iter().position(|tensor| tensor.name == name) {
            return Ok(index);
        }
        let Some(Stored { shape, words, dtype }) = self.unused.remove(name) else {
            let names = self.used.iter().map(|tensor| &tensor.name).chain(self.unused.keys());
            let expected = format!("one of the tensors {}", list(names.map(String::as_str)));
            return Err(Mismatch::new(expected, format!("`{name}`")));
        };
        let Some(end) = checked_words(&[self.words + words.len()]) else {
            return Err(Mismatch::new("a stored image of fewer than 2³² words", "more"));
        };
        let offset = graph::word_count(self.words);
        self.words = end;
        self.used.push(Tensor { name: name.to_owned(), shape, dtype, offset, words });
        Ok(self.used.len() - 1)
    }
}

/// The fields of an `[[op]]`, and where it stands.
#[derive(Clone, Copy)]
struct Entry<'e> {
    fields: &'e OpEntry,
    span: &'e Range<usize>,
}

impl<'e> Entry<'e> {
    fn field(self, name: &str) -> Option<&'e Spanned<FieldValue>> {
        self.fields.iter().find(|(key, _)| key.get_ref() == name).map(|(_, setting)| setting)
    }
}

impl FieldValue {
    /// What it is, for a message.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => format!("`{text}`"),
            Self::Number(number) => number.to_string(),
            Self::Float(float) => float.to_string(),
            Self::List(list) => format!("a list of {}", list.len()),
        }
    }

    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => u32::try_from(*number).ok(),
            _ => None,
        }
    }

    /// It as numbers, where it is such; `float` where the field holds a float.
    fn given(&self, float: bool) -> Option<Given> {
        #[expect(clippy::cast_possible_truncation, reason = "the field is a float of 32 bits")]
        match self {
            Self::Float(value) if float => Some(Given::Float(*value as f32)),
            Self::Number(value) if float => {
                u16::try_from(*value).ok().map(|n| Given::Float(n.into()))
            }
            Self::Number(_) => self.number().map(Given::Number),
            Self::List(list) => {
                let numbers = list.iter().map(|one| one.get_ref().number());
                numbers.collect::<Option<Vec<u32>>>().map(Given::List)
            }
            Self::Text(word) if !float => Some(Given::Word(word.clone())),
            _ => None,
        }
    }
}

/// The axes that the first op to read a stored tensor gives it.
fn stored_axes(ops: &[Op], tensor: ValueId) -> Option<Vec<&'static str>> {
    ops.iter().find_map(|op| {
        let at = op.inputs.iter().position(|input| *input == tensor)?;
        let mut axes = op.kind.fields().iter().filter_map(|field| match field.holds {
            Holds::Tensor { axes, .. } => Some(axes),
            _ => None,
        });
        axes.nth(at.checked_sub(op.kind.arity())?).map(<[_]>::to_vec)
    })
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
        let mut names = Vec::new();
        for op in &entry.op {
            let op = Entry { fields: op.get_ref(), span: &op.span() };
            let at = self.text(op, "name")?;
            let name = at.get_ref().clone();
            if name.is_empty() || values.iter().any(|value| value.name == name) {
                let found = format!("`{name}`, which is empty or taken");
                return Err(self.wrong(&at, "a name of its own for the op", found));
            }
            let kind = self.kind(op)?;
            self.check_fields(op, kind)?;
            let first = 1 + entry.op.len();
            let (mut inputs, order) = self.inputs_of(op, kind, &name, (&values, image, first))?;
            if inputs.len() != kind.arity() {
                let expected = match kind.arity() {
                    1 => format!("{} `{name}` with one input", kind.name()),
                    several => format!("{} `{name}` with {several} inputs", kind.name()),
                };
                return Err(self.wrong(&at, expected, inputs.len().to_string()));
            }
            let packed = |id: &&ValueId| {
                id.0 >= first
                    && image.used[id.0 - first].dtype.in_word() > 1
                    && !kind.takes_packed()
            };
            if let Some(id) = inputs.iter().find(packed) {
                let Tensor { name, dtype, .. } = &image.used[id.0 - first];
                let found = format!("`{name}` of {}", dtype.name());
                return Err(self.wrong(&at, "stored inputs of 32 bits", found));
            }
            inputs.extend(self.tensors(op, kind, &name, (image, first))?);
            let mut settings = self.settings(op, kind, &name)?;
            if let (Some(setting), Some(order)) = (settings.last_mut(), order) {
                *setting = order;
            }
            let shape = |id: &ValueId| match values.get(id.0) {
                Some(value) => &value.shape[..],
                None => &image.used[id.0 - first].shape[..],
            };
            let dtype = |id: &ValueId| match values.get(id.0) {
                Some(value) => value.dtype,
                None => image.used[id.0 - first].dtype,
            };
            let shapes: Vec<&[usize]> = inputs.iter().map(shape).collect();
            let dtypes: Vec<Dtype> = inputs.iter().map(dtype).collect();
            let checked = kind.output(&settings, &shapes).and_then(|shape| {
                if !matches!(checked_words(&shape), Some(1..)) {
                    let found = Shape(&shape).to_string();
                    return Err(Mismatch::new("an output of 1 to 2³² − 1 words", found));
                }
                Ok((shape, kind.dtype(&settings, &dtypes)?))
            });
            let (shape, dtype) = checked.map_err(|Mismatch { expected, found }| {
                self.wrong(&at, format!("{} `{name}` with {expected}", kind.name()), found)
            })?;
            let output = ValueId(values.len());
            let role = Role::Activation;
            let named = match kind.axes() {
                [] => values.get(inputs[0].0).map_or(&[][..], |value| &value.axes),
                axes => axes,
            };
            let axes = match named.len() == shape.len() {
                true => named.to_vec(),
                false => graph::axes(shape.len(), dtype),
            };
            values.push(Value { name: name.clone(), shape, axes, dtype, role });
            ops.push(Op { name, kind, settings, inputs, output });
            names.push(at);
        }
        for (at, written) in names.iter().zip(&ops).rev().skip(1) {
            if !ops.iter().any(|reader| reader.inputs.contains(&written.output)) {
                let expected = format!("an op that reads `{}`, or no such op", written.name);
                return Err(self.wrong(at, expected, "none"));
            }
        }
        let stored = image.used.iter().enumerate();
        let value = |(at, t): (usize, &Tensor)| {
            let axes = stored_axes(&ops, ValueId(1 + ops.len() + at));
            let axes = axes.filter(|axes| axes.len() == t.shape.len());
            let value = Value::floats(&t.name, &t.shape, Role::Stored(at));
            Value { axes: axes.unwrap_or_else(|| value.axes.clone()), dtype: t.dtype, ..value }
        };
        values.extend(stored.map(value));
        Ok((values, ops))
    }

    /// A field of an op that holds a name and cannot be left out.
    fn text(&self, op: Entry<'_>, field: &str) -> Result<Spanned<String>, Error> {
        match op.field(field) {
            Some(setting) => self.name(setting),
            None => {
                let expected = format!("an [[op]] with `{field}`");
                Err(self.wrong_at(op.span, Mismatch::new(expected, "none")))
            }
        }
    }

    fn name(&self, setting: &Spanned<FieldValue>) -> Result<Spanned<String>, Error> {
        match setting.get_ref() {
            FieldValue::Text(text) => Ok(Spanned::new(setting.span(), text.clone())),
            other => Err(self.wrong(setting, "a name", other.text())),
        }
    }

    fn kind(&self, op: Entry<'_>) -> Result<Kind, Error> {
        let at = self.text(op, "kind")?;
        let name = at.get_ref();
        Kind::named(name).ok_or_else(|| {
            let known = OPS.iter().map(|kind| kind.name());
            let meant = words::meant(name, known.clone());
            self.wrong(&at, format!("one of the kinds {}", list(known)), format!("`{name}`{meant}"))
        })
    }

    /// The values that an op reads, those of inferences first, and its setting of their order, where it
    /// takes stored tensors too: those it names, or the value written last. Value `first + i` is tensor i
    /// of the image.
    fn inputs_of(
        &self,
        op: Entry<'_>,
        kind: Kind,
        of: &str,
        (values, image, first): (&[Value], &mut Image, usize),
    ) -> Result<(Vec<ValueId>, Option<u32>), Error> {
        let Some(names) = op.field("inputs") else {
            return Ok((vec![ValueId(values.len() - 1)], None));
        };
        let FieldValue::List(names) = names.get_ref() else {
            return Err(self.wrong(names, "a list of names", names.get_ref().text()));
        };
        let mut find = |setting: &Spanned<FieldValue>| {
            let name = self.name(setting)?;
            let position = values.iter().position(|value| value.name == *name.get_ref());
            if let Some(position) = position {
                return Ok(ValueId(position));
            }
            if kind.takes_stored() && image.has(name.get_ref()) {
                let placed = image.place(name.get_ref());
                let placed = placed.map_err(|mismatch| self.wrong_at(&name.span(), mismatch))?;
                return Ok(ValueId(first + placed));
            }
            let known = list(values.iter().map(|value| value.name.as_str()));
            let what = if kind.takes_stored() { "tensors and the values" } else { "values" };
            let expected = format!("an input among the {what} before `{of}`: {known}");
            Err(self.wrong(&name, expected, format!("`{}`", name.get_ref())))
        };
        let named: Vec<ValueId> = names.iter().map(&mut find).collect::<Result<_, Error>>()?;
        if !kind.takes_stored() {
            return Ok((named, None));
        }
        let (of_rows, stored): (Vec<_>, Vec<_>) =
            (0..named.len()).partition(|operand| named[*operand].0 < first);
        let operands = [of_rows, stored].concat();
        let place = |operand| operands.iter().position(|at| *at == operand).unwrap_or(0);
        let places: Vec<usize> = (0..named.len()).map(place).collect();
        let order = (named.len() > 1).then(|| order(&places));
        Ok((operands.into_iter().map(|operand| named[operand]).collect(), order))
    }

    /// The stored tensors that an op names, which take their place in the image; value `first + i` is tensor
    /// i of it.
    fn tensors(
        &self,
        op: Entry<'_>,
        kind: Kind,
        of: &str,
        (image, first): (&mut Image, usize),
    ) -> Result<Vec<ValueId>, Error> {
        let mut tensors = Vec::new();
        let mut left_out = None;
        for field in kind.fields() {
            let Holds::Tensor { required, .. } = field.holds else { continue };
            if let (Some(before), Some(setting)) = (left_out, op.field(field.name)) {
                let expected = format!("`{before}` beside `{}`", field.name);
                return Err(self.wrong(setting, expected, "none"));
            }
            match op.field(field.name) {
                Some(setting) => {
                    let name = self.name(setting)?;
                    let placed = image.place(name.get_ref());
                    let placed =
                        placed.map_err(|mismatch| self.wrong_at(&name.span(), mismatch))?;
                    tensors.push(ValueId(first + placed));
                }
                None if required => return Err(self.lacks(op, field.name, of)?),
                None => left_out = Some(field.name),
            }
        }
        Ok(tensors)
    }

    fn lacks(&self, op: Entry<'_>, field: &str, of: &str) -> Result<Error, Error> {
        let kind = self.text(op, "kind")?;
        let found = format!("`{of}` without one");
        Ok(self.wrong(&kind, format!("`{field}` with this kind"), found))
    }

    /// The numbers of an op's fields.
    fn settings(&self, op: Entry<'_>, kind: Kind, of: &str) -> Result<Vec<u32>, Error> {
        let mut given = Vec::new();
        for field in kind.fields() {
            let Some(setting) = op.field(field.name) else { continue };
            let float = match field.holds {
                Holds::Tensor { .. } => continue,
                Holds::Float(_) | Holds::Real(_) => true,
                _ => false,
            };
            let wrong = || self.wrong(setting, field.holds.expected(), setting.get_ref().text());
            let value = setting.get_ref().given(float).ok_or_else(wrong)?;
            // Whether a list has the right length is told at its place.
            field.holds.settings(&value).map_err(|_| wrong())?;
            given.push((field.name, value));
        }
        match kind.settings(&given) {
            Ok(settings) => Ok(settings),
            Err((field, _)) => Err(self.lacks(op, field, of)?),
        }
    }

    /// Refuses a field that this kind does not take.
    fn check_fields(&self, op: Entry<'_>, kind: Kind) -> Result<(), Error> {
        let common = ["name", "kind", "inputs"];
        for key in op.fields.keys() {
            let taken =
                |name: &str| common.contains(&name) || kind.fields().iter().any(|f| f.name == name);
            if !taken(key.get_ref()) {
                let known: Vec<&str> = ["inputs"]
                    .into_iter()
                    .chain(kind.fields().iter().map(|field| field.name))
                    .collect();
                let meant = words::meant(key.get_ref(), known.iter().copied());
                let expected = format!("of this kind's fields only {}", list(known));
                let found = format!("`{}`{meant}", key.get_ref());
                return Err(self.wrong_at(&key.span(), Mismatch::new(expected, found)));
            }
        }
        Ok(())
    }
}
