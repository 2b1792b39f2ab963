//! The walk over a model's nodes, from its input to its output, for an input of one inference.
//!
//! A model is written for a batch; an op here is for one inference. So the walk takes a batch of 1 and
//! follows the axis along which inferences lie. Where a node would mix them, the model is no function of
//! one input.

use super::model::{Constant, Data, Model, Node};
use super::numbers::{Number, Numbers};
use super::{INPUT, operators};
use crate::op::{Dtype, Given, Kind, Mismatch};
use std::collections::{BTreeMap, BTreeSet};

/// Why a model was not followed.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Inferences of a batch are mixed, as this says.
    Mixes(String),
    /// Something that is not supported, or wrong.
    Wrong(Mismatch),
}

impl From<Mismatch> for Refusal {
    fn from(mismatch: Mismatch) -> Self {
        Self::Wrong(mismatch)
    }
}

/// What is known of a name of the model.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Numbers that are known before any inference.
    Numbers(Numbers),
    /// A tensor of the file.
    Stored(Stored),
    /// A value of each inference.
    Value(Traced),
}

/// A tensor of the file under a shape, and perhaps with its axes in another order.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) tensor: String,
    /// The shape that the model sees.
    pub(super) shape: Vec<usize>,
    /// For each of its axes, that of the tensor as it lies; `None` where they are the same.
    pub(super) axes: Option<Vec<usize>>,
    /// The type that the model sees: F32 of quantised numbers.
    pub(super) dtype: Dtype,
    pub(super) quantised: Option<Quantised>,
}

/// What makes floats of a tensor of quantised numbers.
#[derive(Clone, Debug)]
pub(super) struct Quantised {
    pub(super) dtype: Dtype,
    /// The shape of the tensor, and its axis that scales and zero points of several elements follow.
    pub(super) lies: Vec<usize>,
    pub(super) axis: usize,
    pub(super) scale: Operand,
    pub(super) zero: Operand,
}

/// A value of each inference.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    /// The op that makes it.
    pub(super) name: String,
    /// The shape that this op gives it. Its elements lie in the order of the model's.
    pub(super) own: Vec<usize>,
    /// The shape that the model sees for a batch of 1.
    pub(super) shape: Vec<usize>,
    /// The axis of that along which inferences lie: in a batch of N, it is N times as long.
    pub(super) batch: Option<usize>,
    pub(super) dtype: Dtype,
}

/// What an op reads: its name and shape.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) dtype: Dtype,
    pub(super) stored: bool,
}

/// An op of the workload.
#[derive(Debug)]
pub(super) struct Emitted {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) inputs: Vec<String>,
    /// Stored tensors by field.
    pub(super) tensors: Vec<(&'static str, String)>,
    pub(super) fields: Vec<(&'static str, Given)>,
}

impl Emitted {
    /// Whether it reads a stored tensor of this name.
    pub(super) fn reads(&self, tensor: &str) -> bool {
        self.inputs.iter().any(|input| input == tensor)
            || self.tensors.iter().any(|(_, name)| name == tensor)
    }
}

/// A tensor that ops read: the one of the file, or one of numbers that were computed.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) shape: Vec<usize>,
    pub(super) dtype: Dtype,
    /// The words, where they are not those of the file.
    pub(super) words: Option<Vec<u32>>,
}

/// The walk.
pub(super) struct Trace<'m> {
    pub(super) model: &'m Model,
    known: BTreeMap<String, Known>,
    pub(super) ops: Vec<Emitted>,
    pub(super) tensors: BTreeMap<String, Placed>,
    /// Names of values that somebody reads.
    pub(super) read: BTreeSet<&'m str>,
    /// Whether the file itself fixes a batch of 1.
    pub(super) fixed_batch: bool,
    /// The shape of the input for one inference.
    pub(super) input_shape: Vec<usize>,
}

impl Stored {
    /// The tensor of this name as it lies.
    pub(super) fn named(tensor: &str, shape: Vec<usize>, dtype: Dtype) -> Self {
        Self { tensor: tensor.into(), shape, axes: None, dtype, quantised: None }
    }
}

impl Traced {
    /// The shape without the axis along which inferences lie, where that is 1 in a batch of 1.
    pub(super) fn per_inference(&self) -> Vec<usize> {
        self.without_batch(&self.shape)
    }

    /// Another shape of as many axes without that axis.
    pub(super) fn without_batch(&self, shape: &[usize]) -> Vec<usize> {
        let mut kept = shape.to_vec();
        if let Some(batch) = self.batch.filter(|batch| shape[*batch] == 1) {
            kept.remove(batch);
        }
        if kept.is_empty() { vec![1] } else { kept }
    }

    /// Where an axis of the model's shape is in [`Traced::per_inference`].
    ///
    /// # Errors
    /// Where inferences lie along it.
    pub(super) fn axis(&self, axis: usize) -> Result<usize, Refusal> {
        match self.batch {
            Some(batch) if batch == axis => {
                Err(Refusal::Mixes(format!("along axis {axis} of `{}`", self.name)))
            }
            Some(batch) if batch < axis && self.shape[batch] == 1 => Ok(axis - 1),
            _ => Ok(axis),
        }
    }

    /// The same value under another shape of the model.
    pub(super) fn seen_as(&self, shape: Vec<usize>, batch: Option<usize>) -> Known {
        Known::Value(Self { shape, batch, ..self.clone() })
    }
}

impl Known {
    /// The shape that the model sees.
    pub(super) fn shape(&self) -> &[usize] {
        match self {
            Self::Numbers(numbers) => &numbers.shape,
            Self::Stored(stored) => &stored.shape,
            Self::Value(value) => &value.shape,
        }
    }

    pub(super) const fn dtype(&self) -> Dtype {
        match self {
            Self::Numbers(numbers) if numbers.floats => Dtype::F32,
            Self::Numbers(_) => Dtype::U32,
            Self::Stored(stored) => stored.dtype,
            Self::Value(value) => value.dtype,
        }
    }
}

impl<'m> Trace<'m> {
    /// Walks a model whose input has this shape; `batch` says whether its first axis counts inferences.
    pub(super) fn walk(
        model: &'m Model,
        (shape, batch, fixed_batch): (&[usize], bool, bool),
    ) -> Result<(Self, Traced), Refusal> {
        let [input] = &model.inputs[..] else {
            let names: Vec<String> =
                model.inputs.iter().map(|input| format!("`{}`", input.name)).collect();
            let found = format!("{}: {}", names.len(), names.join(", "));
            return Err(Mismatch::new("a model of one input", found).into());
        };
        let Some(output) = model.outputs.first() else {
            return Err(Mismatch::new("a model of at least one output", "none").into());
        };
        let value = Traced {
            name: INPUT.into(),
            own: shape.to_vec(),
            shape: shape.to_vec(),
            batch: batch.then_some(0),
            dtype: input.dtype,
        };
        let own = value.per_inference();
        let input_shape = own.clone();
        let known = BTreeMap::from([(input.name.clone(), Known::Value(Traced { own, ..value }))]);
        let order = sorted(model, output)?;
        let mut read: BTreeSet<&str> =
            order.iter().flat_map(|node| node.inputs.iter().map(String::as_str)).collect();
        read.insert(output);
        let (ops, tensors) = (vec![], BTreeMap::new());
        let mut trace = Self { model, known, ops, tensors, read, fixed_batch, input_shape };
        for node in order {
            trace.node(node)?;
        }
        let output = trace.output(output)?;
        Ok((trace, output))
    }

    /// The ops that the value of this name is made of, in their order; others were added on the way to one
    /// of them.
    pub(super) fn pruned(&self, output: &str) -> Vec<&Emitted> {
        let mut wanted = BTreeSet::from([output]);
        let mut kept: Vec<&Emitted> = Vec::new();
        for op in self.ops.iter().rev() {
            if wanted.contains(&op.name[..]) {
                wanted.extend(op.inputs.iter().map(String::as_str));
                kept.push(op);
            }
        }
        kept.reverse();
        kept
    }

    fn node(&mut self, node: &'m Node) -> Result<(), Refusal> {
        let lower = operators::find(node)?;
        let outputs = lower(self, node).map_err(|refusal| match refusal {
            Refusal::Mixes(how) => {
                Refusal::Mixes(format!("{} mixes inferences {how}", node.label()))
            }
            Refusal::Wrong(Mismatch { expected, found }) if expected.contains(&node.label()) => {
                Refusal::Wrong(Mismatch { expected, found })
            }
            Refusal::Wrong(Mismatch { expected, found }) => {
                Refusal::Wrong(Mismatch::new(format!("{} with {expected}", node.label()), found))
            }
        })?;
        node.check_attributes()?;
        for (at, name) in node.outputs.iter().enumerate() {
            if let Some(known) = outputs.get(at) {
                self.known.insert(name.clone(), known.clone());
            } else if self.read.contains(name.as_str()) {
                let expected = format!("{} with output {at} left out", node.label());
                return Err(Mismatch::new(expected, format!("`{name}`, which is read")).into());
            }
        }
        Ok(())
    }

    /// The value that is delivered: floats of each inference, made by an op.
    fn output(&mut self, name: &str) -> Result<Traced, Refusal> {
        let known = self.named(name)?;
        let of_inferences = matches!(known, Known::Value(_));
        if !of_inferences {
            let expected = format!("an output `{name}` that depends on the input");
            return Err(Mismatch::new(expected, "a constant").into());
        }
        let mut value = self.value(&known, None)?;
        if value.dtype != Dtype::F32 {
            value = self.unary(name, "float", vec![], &Known::Value(value))?;
        }
        if value.name == INPUT {
            let repeats = Given::List(vec![1; value.own.len()]);
            value = self.unary(name, "tile", vec![("repeats", repeats)], &Known::Value(value))?;
        }
        Ok(value)
    }

    fn named(&self, name: &str) -> Result<Known, Refusal> {
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        let Some(Constant { shape, data }) = self.model.constants.get(name) else {
            let expected = format!("a node, a tensor or an input that gives `{name}`");
            return Err(Mismatch::new(expected, "none").into());
        };
        let shape = shape.clone();
        match data {
            Data::Floats(_) => Ok(Known::Stored(Stored::named(name, shape, Dtype::F32))),
            Data::Quantised(dtype, _) => Ok(Known::Stored(Stored::named(name, shape, *dtype))),
            Data::Whole(values) => {
                Ok(Known::Numbers(Numbers::whole(shape, values.iter().copied())))
            }
            Data::Other(what) => {
                let expected = format!("`{name}` of floats of 32 bits or of whole numbers");
                Err(Mismatch::new(expected, *what).into())
            }
        }
    }

    /// An input of a node, where it is given.
    pub(super) fn optional(&self, node: &Node, at: usize) -> Result<Option<Known>, Refusal> {
        match node.inputs.get(at).filter(|name| !name.is_empty()) {
            Some(name) => self.named(name).map(Some),
            None => Ok(None),
        }
    }

    /// An input of a node.
    pub(super) fn input(&self, node: &Node, at: usize) -> Result<Known, Refusal> {
        self.optional(node, at)?.ok_or_else(|| {
            Mismatch::new(format!("at least {} inputs", at + 1), node.inputs.len().to_string())
                .into()
        })
    }

    /// An input of a node that is a value of each inference; a tensor becomes one.
    pub(super) fn input_value(&mut self, node: &Node, at: usize) -> Result<Traced, Refusal> {
        let known = self.input(node, at)?;
        self.value(&known, None)
    }

    /// An input of a node as numbers known before any inference: computed ones, or those of a tensor of few.
    pub(super) fn numbers(&self, node: &Node, at: usize) -> Result<Option<Numbers>, Refusal> {
        let Some(known) = self.optional(node, at)? else { return Ok(None) };
        match self.as_numbers(&known) {
            Some(numbers) => Ok(Some(numbers)),
            None => {
                let expected = format!("input {at} that is known before any inference");
                Err(Mismatch::new(expected, format!("`{}`", node.inputs[at])).into())
            }
        }
    }

    /// Numbers that are known before any inference, where they are few.
    pub(super) fn as_numbers(&self, known: &Known) -> Option<Numbers> {
        match known {
            Known::Numbers(numbers) => Some(numbers.clone()),
            Known::Stored(Stored { tensor, shape, axes: None, quantised: None, .. }) => {
                let constant = self.model.constants.get(tensor)?;
                let Data::Floats(words) = &constant.data else { return None };
                let few = words.len() <= 64;
                let list = words
                    .iter()
                    .map(|word| Number { value: f32::from_bits(*word).into(), of_batch: false });
                few.then(|| Numbers { shape: shape.clone(), list: list.collect(), floats: true })
            }
            _ => None,
        }
    }

    /// A single number of a node's input, as a setting of an op.
    pub(super) fn scalar(&self, node: &Node, at: usize) -> Result<Option<f32>, Refusal> {
        match self.numbers(node, at)? {
            None => Ok(None),
            Some(numbers) => match &numbers.list[..] {
                [number] => Ok(Some(number.value as f32)),
                list => {
                    Err(Mismatch::new("one number", format!("{} as input {at}", list.len())).into())
                }
            },
        }
    }
}

/// The nodes that the output depends on, each after those that it reads.
fn sorted<'m>(model: &'m Model, output: &'m str) -> Result<Vec<&'m Node>, Mismatch> {
    let mut makers: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, node) in model.nodes.iter().enumerate() {
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            if makers.insert(name, at).is_some() || model.constants.contains_key(name) {
                return Err(Mismatch::new("one value of each name", format!("two of `{name}`")));
            }
        }
    }
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Never,
        Open,
        Done,
    }
    let mut seen = vec![Seen::Never; model.nodes.len()];
    let mut order = Vec::new();
    // Nodes to visit, and those whose inputs have been visited.
    let mut stack: Vec<(usize, bool)> =
        makers.get(output).map(|at| (*at, false)).into_iter().collect();
    while let Some((at, visited)) = stack.pop() {
        let node = &model.nodes[at];
        match (visited, seen[at]) {
            (true, _) => {
                seen[at] = Seen::Done;
                order.push(node);
            }
            (false, Seen::Done) => {}
            (false, Seen::Open) => {
                return Err(Mismatch::new(
                    "a graph without circles",
                    format!("one at {}", node.label()),
                ));
            }
            (false, Seen::Never) => {
                seen[at] = Seen::Open;
                stack.push((at, true));
                let makers = node.inputs.iter().rev().filter_map(|name| makers.get(name.as_str()));
                stack.extend(makers.filter(|at| seen[**at] != Seen::Done).map(|at| (*at, false)));
            }
        }
    }
    Ok(order)
}
