//! What ops read, and the ops that a walk adds.

use super::model::{Constant, Data, Node};
use super::numbers::Numbers;
use super::trace::{Emitted, Known, Operand, Placed, Quantised, Refusal, Stored, Trace, Traced};
use super::{INPUT, VALUE_ELEMENTS_MAX};
use crate::op::{Dtype, Given, Holds, Kind, Mismatch, Shape, order};

/// What stands for weights that no tensor of the file holds.
const COMPUTED: &str = "computed ones (`--fold` computes those that are constants, quantised)";

/// The stored tensors of an op, by field.
pub(super) type Tensors = Vec<(&'static str, Operand)>;

/// A size as ops take it; what is larger than any value is refused by the op.
pub(super) fn narrow(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl Trace<'_> {
    /// It as a value of each inference, of shape `own`, or of any shape.
    pub(super) fn value(
        &mut self,
        known: &Known,
        own: Option<&[usize]>,
    ) -> Result<Traced, Refusal> {
        let value = match known {
            Known::Value(value) => value.clone(),
            Known::Stored(stored) => self.spread(stored)?,
            Known::Numbers(numbers) => {
                let stored = self.computed(numbers)?;
                self.spread(&stored)?
            }
        };
        let own = own.unwrap_or(&value.own);
        if value.own == own {
            return Ok(value);
        }
        let shape = own.iter().map(|size| narrow(*size)).collect();
        let operand = Operand::of(&value);
        let name = self.emit(
            &value.name,
            "reshape",
            vec![("shape", Given::List(shape))],
            vec![],
            &[operand],
        )?;
        Ok(Traced { name: name.name, own: own.to_vec(), ..value })
    }

    /// A value of each inference from a tensor: every inference reads the tensor's elements anew.
    fn spread(&mut self, stored: &Stored) -> Result<Traced, Refusal> {
        let lies = stored.lies();
        let operand = match &stored.quantised {
            Some(quantised) => self.dequantised(stored, quantised)?,
            None if stored.dtype.in_word() > 1 => {
                let found = format!("`{}` of {}", stored.tensor, stored.dtype.name());
                return Err(Mismatch::new("a tensor that a value can be made of", found).into());
            }
            None => self.placed(&stored.tensor, &lies, stored.dtype)?,
        };
        let shape = |shape: &[usize]| Given::List(shape.iter().map(|size| narrow(*size)).collect());
        let mut made = operand;
        if made.stored && (stored.axes.is_none() || made.shape != lies) {
            let fields = vec![("shape", shape(&made.shape))];
            made = self.emit(&stored.tensor, "expand", fields, vec![], &[made])?;
        }
        if let Some(axes) = &stored.axes {
            if made.shape != lies {
                let fields = vec![("shape", shape(&lies))];
                made = self.emit(&stored.tensor, "reshape", fields, vec![], &[made])?;
            }
            let axes = Given::List(axes.iter().map(|axis| narrow(*axis)).collect());
            made = self.emit(&stored.tensor, "transpose", vec![("axes", axes)], vec![], &[made])?;
        }
        Ok(Traced {
            name: made.name,
            own: made.shape,
            shape: stored.shape.clone(),
            batch: None,
            dtype: stored.dtype,
        })
    }

    /// The floats of a tensor of quantised numbers, as a value of each inference.
    fn dequantised(&mut self, stored: &Stored, quantised: &Quantised) -> Result<Operand, Refusal> {
        let Quantised { dtype, lies, axis, scale, zero } = quantised.clone();
        let operand = self.placed(&stored.tensor, &lies, dtype)?;
        let fields = vec![("axis", Given::Number(narrow(axis)))];
        let tensors = vec![("scale", scale), ("zero", zero)];
        self.emit(&format!("{}.floats", stored.tensor), "dequantize", fields, tensors, &[operand])
    }

    /// The tensors of an op of linear or conv2d: its weight in this shape, of which the first dimension
    /// counts outputs, and its bias; and whether the weight is quantised, and so which of the two ops it is.
    pub(super) fn weights(
        &mut self,
        weight: &Known,
        shape: &[usize],
        bias: Option<&Known>,
    ) -> Result<(Tensors, bool), Refusal> {
        let outputs = [shape[0]];
        let quantised = |known: &Known| match known {
            Known::Stored(Stored { quantised: Some(quantised), axes: None, tensor, .. }) => {
                Some((quantised.clone(), tensor.clone()))
            }
            _ => None,
        };
        let Some((held, tensor)) = quantised(weight) else {
            let mut tensors = vec![("weight", self.tensor(weight, shape)?)];
            if let Some(bias) = bias {
                tensors.push(("bias", self.tensor(bias, &outputs)?));
            }
            return Ok((tensors, false));
        };
        let Quantised { dtype, lies, axis, scale, zero } = held;
        if scale.shape != [1] && (axis > 0 || lies.first() != Some(&shape[0])) {
            let found = format!("scales along axis {axis} of `{tensor}`");
            return Err(
                Mismatch::new("quantised weights with a scale for each output", found).into()
            );
        }
        let weight = self.placed(&tensor, shape, dtype)?;
        let mut tensors = vec![("weight", weight), ("scale", scale), ("zero", zero)];
        match (bias.and_then(quantised), bias) {
            (Some((held, tensor)), _) if held.dtype == Dtype::I32 => {
                tensors.push(("bias", self.placed(&tensor, &outputs, Dtype::I32)?));
                tensors.push(("bias_scale", held.scale));
            }
            (_, Some(bias)) => tensors.push(("bias", self.tensor(bias, &outputs)?)),
            (_, None) => {}
        }
        Ok((tensors, true))
    }

    /// A tensor of this type that holds one 0: a zero point that the model leaves out.
    pub(super) fn no_zero(&mut self, dtype: Dtype) -> Operand {
        let is_zero = |placed: &Placed| {
            placed.shape == [1] && placed.dtype == dtype && placed.words == Some(vec![0])
        };
        let known = self.tensors.iter().find(|(_, placed)| is_zero(placed));
        let name = match known {
            Some((name, _)) => name.clone(),
            None => self.fresh(&format!("no_zero.{}", dtype.name())),
        };
        let placed = Placed { shape: vec![1], dtype, words: Some(vec![0]) };
        self.tensors.insert(name.clone(), placed);
        Operand { name, shape: vec![1], dtype, stored: true }
    }

    /// A tensor of this type of the file that an input of a node names, in one dimension.
    pub(super) fn list_of(
        &mut self,
        node: &Node,
        at: usize,
        dtypes: &[Dtype],
    ) -> Result<Operand, Refusal> {
        let name = node.inputs.get(at).cloned().unwrap_or_default();
        let found = match self.model.constants.get(&name) {
            Some(Constant { shape, data }) => {
                let dtype = match data {
                    Data::Floats(_) => Some(Dtype::F32),
                    Data::Quantised(dtype, _) => Some(*dtype),
                    Data::Whole(_) => Some(Dtype::I32),
                    Data::Other(_) => None,
                };
                let elements: usize = shape.iter().product();
                dtype.filter(|_| shape.len() <= 1).map(|dtype| (dtype, elements))
            }
            None => None,
        };
        match found.filter(|(dtype, _)| dtypes.contains(dtype)) {
            Some((dtype, elements)) => Ok(self.placed(&name, &[elements], dtype)?),
            None => {
                let names: Vec<&str> = dtypes.iter().map(|dtype| dtype.name()).collect();
                let expected =
                    format!("input {at} as a number or a list of {}", names.join(" or "));
                let found = if name.is_empty() { "none".into() } else { format!("`{name}`") };
                Err(Mismatch::new(expected, found).into())
            }
        }
    }

    /// A tensor of numbers that were computed.
    pub(super) fn computed(&mut self, numbers: &Numbers) -> Result<Stored, Refusal> {
        if numbers.of_batch() {
            return Err(Refusal::Mixes("by their number".into()));
        }
        let word = |value: f64| match numbers.floats {
            true => Ok((value as f32).to_bits()),
            false if (0.0..4_294_967_296.0).contains(&value) => Ok(value as u32),
            false => Err(Mismatch::new("whole numbers from 0 to 4294967295", value.to_string())),
        };
        let words = numbers.list.iter().map(|n| word(n.value)).collect::<Result<Vec<u32>, _>>()?;
        let dtype = if numbers.floats { Dtype::F32 } else { Dtype::U32 };
        let shape = if numbers.shape.is_empty() { vec![1] } else { numbers.shape.clone() };
        let same = self.tensors.iter().find(|(_, placed)| {
            placed.shape == shape && placed.dtype == dtype && placed.words.as_ref() == Some(&words)
        });
        let tensor = match same {
            Some((name, _)) => name.clone(),
            None => {
                let name = self.fresh("numbers");
                let placed = Placed { shape: shape.clone(), dtype, words: Some(words) };
                self.tensors.insert(name.clone(), placed);
                name
            }
        };
        Ok(Stored::named(&tensor, shape, dtype))
    }

    /// A stored tensor under the shape that an op reads it in. A tensor has one shape: another one is
    /// refused.
    fn placed(&mut self, tensor: &str, shape: &[usize], dtype: Dtype) -> Result<Operand, Mismatch> {
        if tensor == INPUT {
            return Err(Mismatch::new("tensors of other names", format!("`{tensor}`")));
        }
        let shape = if shape.is_empty() { vec![1] } else { shape.to_vec() };
        let placed = self.tensors.entry(tensor.to_owned()).or_insert_with(|| Placed {
            shape: shape.clone(),
            dtype,
            words: None,
        });
        let (name, shape) = (tensor.to_owned(), placed.shape.clone());
        Ok(Operand { name, shape, dtype, stored: true })
    }

    /// A stored tensor for a field of an op, in this shape.
    pub(super) fn tensor(&mut self, known: &Known, shape: &[usize]) -> Result<Operand, Refusal> {
        let stored = match known {
            Known::Stored(stored) if stored.axes.is_none() && stored.quantised.is_none() => {
                stored.clone()
            }
            Known::Numbers(numbers) => self.computed(numbers)?,
            Known::Stored(Stored { quantised: Some(_), tensor, .. }) => {
                let found = format!("`{tensor}`, quantised (`--fold` makes floats of it)");
                return Err(Mismatch::new("weights of floats", found).into());
            }
            _ => {
                return Err(Mismatch::new("weights that are tensors of the file", COMPUTED).into());
            }
        };
        if stored.shape.iter().product::<usize>() != shape.iter().product::<usize>() {
            let found = Shape(&stored.shape).to_string();
            return Err(Mismatch::new(format!("a tensor of shape {}", Shape(shape)), found).into());
        }
        let operand = self.placed(&stored.tensor, shape, stored.dtype)?;
        if operand.shape == shape {
            return Ok(operand);
        }
        let found = format!("`{}` also used as {}", operand.name, Shape(&operand.shape));
        Err(Mismatch::new(format!("a tensor of shape {}", Shape(shape)), found).into())
    }

    /// What an op reads that takes values and stored tensors alike, in this shape for one inference.
    pub(super) fn operand(&mut self, known: &Known, shape: &[usize]) -> Result<Operand, Refusal> {
        let stored = match known {
            Known::Value(_) => return Ok(Operand::of(&self.value(known, Some(shape))?)),
            Known::Stored(stored) => stored.clone(),
            Known::Numbers(numbers) => self.computed(numbers)?,
        };
        if stored.axes.is_none() && stored.quantised.is_none() {
            let operand = self.placed(&stored.tensor, shape, stored.dtype)?;
            if operand.shape == shape {
                return Ok(operand);
            }
        }
        let value = self.spread(&stored)?;
        Ok(Operand::of(&self.value(&Known::Value(value), Some(shape))?))
    }

    /// A name that no value, op or tensor has.
    fn fresh(&self, near: &str) -> String {
        let taken = |name: &str| {
            name == INPUT
                || self.ops.iter().any(|op| op.name == name)
                || self.tensors.contains_key(name)
                || self.model.constants.contains_key(name)
        };
        if !taken(near) {
            return near.to_owned();
        }
        let mut names = (2..).map(|number| format!("{near}.{number}"));
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    /// Adds an op and says what it makes.
    pub(super) fn emit(
        &mut self,
        near: &str,
        kind: &str,
        fields: Vec<(&'static str, Given)>,
        tensors: Vec<(&'static str, Operand)>,
        operands: &[Operand],
    ) -> Result<Operand, Refusal> {
        let kind = Kind::named(kind).ok_or_else(|| Mismatch::new("a kind of op", kind))?;
        let mut settings =
            kind.settings(&fields).map_err(|(field, Mismatch { expected, found })| {
                Mismatch::new(format!("`{field}` as {expected}"), found)
            })?;
        let packed = |operand: &&Operand| operand.stored && operand.dtype.in_word() > 1;
        if let Some(packed) = operands.iter().find(packed).filter(|_| !kind.takes_packed()) {
            let found = format!("`{}` of {}", packed.name, packed.dtype.name());
            return Err(Mismatch::new("stored tensors of 32 bits", found).into());
        }
        let (of_rows, stored): (Vec<usize>, Vec<usize>) =
            (0..operands.len()).partition(|at| !operands[*at].stored);
        let sorted = [of_rows, stored].concat();
        if kind.takes_stored()
            && operands.len() > 1
            && let Some(last) = settings.last_mut()
        {
            let place = |of| sorted.iter().position(|at| *at == of).unwrap_or(0);
            *last = order(&(0..operands.len()).map(place).collect::<Vec<_>>());
        }
        let fields_of_tensors = kind.fields().iter().filter_map(|field| match field.holds {
            Holds::Tensor { .. } => tensors.iter().find(|(name, _)| *name == field.name),
            _ => None,
        });
        let inputs: Vec<&Operand> = sorted
            .iter()
            .map(|at| &operands[*at])
            .chain(fields_of_tensors.map(|(_, operand)| operand))
            .collect();
        let shapes: Vec<&[usize]> = inputs.iter().map(|operand| &operand.shape[..]).collect();
        let dtypes: Vec<Dtype> = inputs.iter().map(|operand| operand.dtype).collect();
        if let Some(large) = inputs.iter().find(|operand| operand.shape.contains(&0)) {
            let found = format!("`{}` of shape {}", large.name, Shape(&large.shape));
            return Err(Mismatch::new("inputs of at least one element", found).into());
        }
        let shape = kind.output(&settings, &shapes)?;
        let dtype = kind.dtype(&settings, &dtypes)?;
        let elements = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if !elements.is_some_and(|elements| (1..=VALUE_ELEMENTS_MAX).contains(&elements)) {
            let expected = format!("an output of 1 to {VALUE_ELEMENTS_MAX} elements");
            return Err(Mismatch::new(expected, Shape(&shape).to_string()).into());
        }
        let name = self.fresh(near);
        self.ops.push(Emitted {
            name: name.clone(),
            kind,
            inputs: operands.iter().map(|operand| operand.name.clone()).collect(),
            tensors: tensors.into_iter().map(|(field, operand)| (field, operand.name)).collect(),
            fields,
        });
        Ok(Operand { name, shape, dtype, stored: false })
    }

    /// Adds an op of one value that keeps the shape that the model sees.
    pub(super) fn unary(
        &mut self,
        near: &str,
        kind: &str,
        fields: Vec<(&'static str, Given)>,
        known: &Known,
    ) -> Result<Traced, Refusal> {
        let value = self.value(known, None)?;
        let made = self.emit(near, kind, fields, vec![], &[Operand::of(&value)])?;
        Ok(Traced { name: made.name, own: made.shape, dtype: made.dtype, ..value })
    }
}

impl Stored {
    /// The shape of the tensor as it lies.
    fn lies(&self) -> Vec<usize> {
        let Some(axes) = &self.axes else { return self.shape.clone() };
        let mut lies = vec![1; self.shape.len()];
        for (axis, size) in axes.iter().zip(&self.shape) {
            lies[*axis] = *size;
        }
        lies
    }
}

impl Operand {
    pub(super) fn of(value: &Traced) -> Self {
        let Traced { name, own, dtype, .. } = value.clone();
        Self { name, shape: own, dtype, stored: false }
    }

    /// It as a value of the model.
    pub(super) fn seen_as(self, shape: Vec<usize>, batch: Option<usize>) -> Known {
        Known::Value(Traced { name: self.name, own: self.shape, shape, batch, dtype: self.dtype })
    }
}
