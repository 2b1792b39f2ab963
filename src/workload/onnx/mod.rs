//! ONNX models: from a file to the text of a workload, its tensors and its inputs.
//!
//! A model becomes what a user would have written by hand: a `workload.toml` and data files. It is loaded
//! as any other workload, from a folder that `beamline import` writes or from memory.

#![expect(
    clippy::cast_possible_truncation,
    reason = "floats of the file are of 32 bits, and whole numbers are bounded where they are read"
)]

mod fold;
mod model;
mod numbers;
mod operands;
mod operators;
mod proto;
mod trace;

use super::Error;
use super::data::{self, Stored};
use super::import::{About, INPUT, Imported, Reading, Text};
use crate::op::{Dtype, Mismatch, Shape};
use model::{Data, Model};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use trace::{Refusal, Trace, Traced};

/// Bytes of a model file, at most: protobuf itself stops at 2 GiB.
const BYTES_MAX: u64 = 1 << 31;

/// Elements of one value of an inference, at most: 1 GiB, before anything is planned.
const VALUE_ELEMENTS_MAX: usize = 1 << 28;

/// Outputs that are classes rather than numbers: at most so many, in one dimension.
const CLASSES_MAX: usize = 1 << 16;

/// Inputs that are generated where none are given.
const GENERATED_INPUTS: usize = 16;

/// Inputs as a file has them.
struct Given {
    shape: Vec<usize>,
    words: Vec<u32>,
}

/// Reads a model.
///
/// # Errors
/// A file that cannot be read, or what of it is not supported, with the node and the reason.
pub(super) fn import(path: &Path, reading: &Reading, about: &About<'_>) -> Result<Imported, Error> {
    let model = Model::read(path, BYTES_MAX)?;
    let input = match (&reading.input, &model.inputs[..]) {
        (Some(file), [input]) => {
            let (shape, words) = match input.dtype {
                Dtype::F32 => data::read_floats(file, None)?,
                whole => data::read_whole(file, None, whole)?,
            };
            Some(Given { shape, words })
        }
        _ => None,
    };
    imported(model, input, reading, about).map_err(|mismatch| match &reading.input {
        Some(file) if mismatch.expected.starts_with("inputs of") => mismatch.in_data(file),
        _ => mismatch.in_data(path),
    })
}

fn imported(
    mut model: Model,
    input: Option<Given>,
    reading: &Reading,
    about: &About<'_>,
) -> Result<Imported, Mismatch> {
    let folded = match reading.fold {
        true => [fold::fold(&mut model)?, fold::fold_quantised(&mut model)?],
        false => [0; 2],
    };
    let given = input.as_ref().map(|input| &input.shape[..]);
    let shape = input_shape(&model, reading.shape.as_deref(), given)?;
    let (trace, output) = walked(&model, &shape)?;
    let batch = output.batch.is_some();
    let features: usize = trace.input_shape.iter().product();
    let inputs = match input {
        None => None,
        Some(Given { words, .. }) if features > 0 => Some((words.len() / features, words)),
        Some(_) => return Err(Mismatch::new("inputs of at least one element", "none")),
    };
    if inputs.is_none() && model.inputs.iter().any(|input| input.dtype != Dtype::F32) {
        let expected = "a file of inputs with a model that reads whole numbers (`input`)";
        return Err(Mismatch::new(expected, "none"));
    }
    let pruned = trace.pruned(&output.name);
    let count = match (batch, &inputs) {
        (_, Some((count, _))) => *count,
        (true, None) => GENERATED_INPUTS,
        (false, None) => 1,
    };
    let dtype = model.inputs.first().map_or(Dtype::F32, |input| input.dtype);
    let producer = model.producer.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let mut how = format!("Read from ONNX{producer}, operator set {}.", model.opset);
    if reading.fold {
        let [norms, constants] = folded;
        how += &format!(" {norms} batch normalisations are folded into convolutions.");
        if constants > 0 {
            how += &format!(" {constants} constants are quantised, or floats of quantised ones.");
        }
    }
    let generated = inputs.is_none().then_some(count);
    let mut text = Text::new(about, &how, (&trace.input_shape, dtype), generated);
    for op in &pruned {
        let tensors: Vec<(&str, &String)> = op.tensors.iter().map(|(f, t)| (*f, t)).collect();
        let inputs: Vec<&String> = op.inputs.iter().collect();
        text.op((&op.name, op.kind.name()), &inputs, &tensors, &op.fields);
    }
    end(&mut text, &output);
    let text = text.end(about);
    let unread: BTreeSet<String> = trace
        .tensors
        .keys()
        .filter(|name| !pruned.iter().any(|op| op.reads(name)))
        .cloned()
        .collect();
    let input_shape = trace.input_shape.clone();
    let placed = trace.tensors;
    let mut tensors = BTreeMap::new();
    for (name, placed) in placed.into_iter().filter(|(name, _)| !unread.contains(name)) {
        let words =
            match (placed.words, model.constants.remove(&name).map(|constant| constant.data)) {
                (Some(words), _)
                | (None, Some(Data::Floats(words) | Data::Quantised(_, words))) => words,
                (None, Some(Data::Whole(numbers))) if placed.dtype == Dtype::I32 => {
                    let number = |number: &i64| i32::try_from(*number).map(i32::cast_unsigned);
                    numbers.iter().map(number).collect::<Result<_, _>>().map_err(|_| {
                        Mismatch::new(format!("`{name}` of i32"), "numbers of more bits")
                    })?
                }
                _ => return Err(Mismatch::new(format!("`{name}` of floats"), "another type")),
            };
        tensors.insert(name, Stored { shape: placed.shape, dtype: placed.dtype, words });
    }
    Ok(Imported { text, tensors, inputs, input_shape, dtype })
}

/// Writes what becomes of the output: classes or numbers, and its shape as the model has it.
fn end(text: &mut Text, output: &Traced) {
    let features: usize = output.own.iter().product();
    let long = output.shape.iter().enumerate();
    let long = long.filter(|(at, size)| **size > 1 && Some(*at) != output.batch).count();
    let classes = output.batch.is_some() && long <= 1 && (2..=CLASSES_MAX).contains(&features);
    let tolerance = [("kind", "\"tolerance\"".into()), ("relative", "1e-3".into())];
    match classes {
        true => text.table("decision", &[("kind", "\"arg-max\"".into())]),
        false => text.table("decision", &tolerance),
    }
    let mut lines = vec![("shape", format!("{:?}", output.shape))];
    lines.extend(output.batch.map(|batch| ("inputs_along", batch.to_string())));
    text.table("output", &lines);
}

/// The shape of the input that a model is read with: what the file fixes, and for the rest what the user or
/// the inputs say.
fn input_shape(
    model: &Model,
    asked: Option<&[usize]>,
    given: Option<&[usize]>,
) -> Result<Vec<usize>, Mismatch> {
    let Some(input) = model.inputs.first() else {
        return Err(Mismatch::new("a model of one input", "none"));
    };
    let declared = input.shape.clone();
    let wanted = asked.or(given);
    let rank = declared.as_ref().map(Vec::len).or(wanted.map(<[usize]>::len));
    let named = |shape: &Option<Vec<Option<usize>>>| match shape {
        Some(shape) => {
            let sizes = shape.iter().map(|size| size.map_or_else(|| "?".into(), |s| s.to_string()));
            format!("({})", sizes.collect::<Vec<String>>().join(", "))
        }
        None => "any".into(),
    };
    let mut shape = Vec::new();
    for at in 0..rank.unwrap_or(0) {
        let fixed = declared.as_ref().and_then(|declared| declared[at]);
        shape.push(match (fixed, wanted.and_then(|wanted| wanted.get(at))) {
            (Some(size), None) => size,
            (None, None) if at == 0 => 1,
            (None, None) => {
                let expected = format!(
                    "a shape for input `{}`, which the file leaves open (`--shape`, or a file of inputs)",
                    input.name
                );
                return Err(Mismatch::new(expected, named(&declared)));
            }
            // The first dimension counts inferences: a file that fixes it is run for as many as there are.
            (None, Some(size)) => *size,
            (Some(_), Some(size)) if at == 0 => *size,
            (Some(fixed), Some(size)) if fixed == *size => fixed,
            (Some(_), Some(_)) => {
                let expected = format!("inputs of shape {}", named(&declared));
                return Err(Mismatch::new(expected, Shape(wanted.unwrap_or_default()).to_string()));
            }
        });
    }
    if wanted.is_some_and(|wanted| wanted.len() != shape.len()) || shape.is_empty() {
        let expected = format!("inputs of shape {}", named(&declared));
        return Err(Mismatch::new(expected, Shape(wanted.unwrap_or_default()).to_string()));
    }
    if let (Some(asked), Some(given)) = (asked, given)
        && asked[1..] != given[1..]
    {
        let expected = format!("inputs of shape {} as asked", Shape(asked));
        return Err(Mismatch::new(expected, Shape(given).to_string()));
    }
    let elements = crate::op::checked_words(&shape);
    if !elements.is_some_and(|elements| (1..=VALUE_ELEMENTS_MAX).contains(&elements)) {
        let expected = format!("inputs of 1 to {VALUE_ELEMENTS_MAX} elements");
        return Err(Mismatch::new(expected, Shape(&shape).to_string()));
    }
    Ok(match given {
        Some(given) => [&given[..1], &shape[1..]].concat(),
        None => shape,
    })
}

/// The ops of a model: for one inference where inferences stay apart, else for the whole input as one.
fn walked<'m>(model: &'m Model, shape: &[usize]) -> Result<(Trace<'m>, Traced), Mismatch> {
    let declared = model.inputs.first().and_then(|input| input.shape.as_ref());
    let first = declared.and_then(|shape| shape.first().copied().flatten());
    let mut one = shape.to_vec();
    one[0] = 1;
    let apart = match Trace::walk(model, (&one, true, first == Some(1))) {
        Ok((trace, output)) if output.batch.is_some() => return Ok((trace, output)),
        Ok((_, output)) => {
            Refusal::Mixes(format!("`{}` is one answer for all inferences", output.name))
        }
        Err(refusal) => refusal,
    };
    // A file that fixes how many inferences there are has a meaning for that number alone.
    if let (Some(fixed), Refusal::Mixes(_)) = (first, &apart)
        && fixed != shape[0]
    {
        let found = shape[0].to_string();
        return Err(Mismatch::new(format!("inputs of {fixed}, which the model mixes"), found));
    }
    match (Trace::walk(model, (shape, false, false)), apart) {
        (Ok(walked), _) => Ok(walked),
        (Err(_), Refusal::Wrong(mismatch)) => Err(mismatch),
        (Err(Refusal::Wrong(Mismatch { expected, found })), Refusal::Mixes(how)) => {
            Err(Mismatch::new(format!("{expected} (inferences do not stay apart: {how})"), found))
        }
        (Err(Refusal::Mixes(how)), Refusal::Mixes(_)) => {
            Err(Mismatch::new("inferences apart", how))
        }
    }
}

/// The names of the operators that are read.
pub fn operators() -> impl Iterator<Item = &'static str> {
    operators::names()
}
