//! Normalisations, softmax and reductions.

use super::super::model::Node;
use super::super::numbers::axis;
use super::super::operands::narrow;
use super::super::trace::{Known, Operand, Refusal, Trace, Traced};
use super::{floats, list};
use crate::op::{Given, Mismatch};

/// An input as one inference has it.
fn per_inference(trace: &mut Trace<'_>, node: &Node) -> Result<(Operand, Traced), Refusal> {
    let value = trace.input_value(node, 0)?;
    floats(&Known::Value(value.clone()))?;
    let own = value.per_inference();
    let value = trace.value(&Known::Value(value), Some(&own))?;
    Ok((Operand::of(&value), value))
}

/// An input whose channels are the first dimension of an inference.
fn by_channel(trace: &mut Trace<'_>, node: &Node) -> Result<(Operand, Traced), Refusal> {
    let value = trace.input_value(node, 0)?;
    floats(&Known::Value(value.clone()))?;
    let [1, rest @ ..] = &value.shape[..] else {
        let expected = "an input of shape (N, C, …), one inference at a time";
        return Err(Mismatch::new(expected, format!("{:?}", value.shape)).into());
    };
    if rest.is_empty() || value.batch.is_some_and(|batch| batch > 0) {
        return Err(Refusal::Mixes("along channels".into()));
    }
    let own = rest.to_vec();
    let value = trace.value(&Known::Value(value), Some(&own))?;
    Ok((Operand::of(&value), value))
}

/// Tensors of a node by the fields that they are for; each has `size` elements.
fn tensors(
    trace: &mut Trace<'_>,
    node: &Node,
    (fields, needed): (&[&'static str], usize),
    size: usize,
) -> Result<Vec<(&'static str, Operand)>, Refusal> {
    let mut tensors = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if let Some(known) = trace.optional(node, 1 + at)? {
            tensors.push((*field, trace.tensor(&known, &[size])?));
        } else if at < needed {
            let expected = format!("a tensor as input {}, its {field}", 1 + at);
            return Err(Mismatch::new(expected, "none").into());
        }
    }
    Ok(tensors)
}

pub(super) fn batch_normalization<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["momentum", "is_test", "consumed_inputs"]);
    for (key, usual) in [("training_mode", 0), ("spatial", 1)] {
        if node.int(key)?.is_some_and(|found| found != usual) {
            return Err(Mismatch::new(format!("`{key}` of {usual}"), "another").into());
        }
    }
    let (operand, value) = by_channel(trace, node)?;
    let fields = ["weight", "bias", "mean", "variance"];
    let tensors = tensors(trace, node, (&fields, 4), operand.shape[0])?;
    let epsilon = vec![("epsilon", Given::Float(node.float("epsilon", 1e-5)?))];
    let made = trace.emit(&node.outputs[0], "batch-norm", epsilon, tensors, &[operand])?;
    Ok(vec![made.seen_as(value.shape, value.batch)])
}

pub(super) fn instance_normalization<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["consumed_inputs"]);
    let (operand, value) = by_channel(trace, node)?;
    let tensors = tensors(trace, node, (&["weight", "bias"], 2), operand.shape[0])?;
    let epsilon = vec![("epsilon", Given::Float(node.float("epsilon", 1e-5)?))];
    let made = trace.emit(&node.outputs[0], "instance-norm", epsilon, tensors, &[operand])?;
    Ok(vec![made.seen_as(value.shape, value.batch)])
}

pub(super) fn layer_normalization<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["stash_type"]);
    let (operand, value) = per_inference(trace, node)?;
    let from = axis(node.int("axis")?.unwrap_or(-1), value.shape.len())?;
    if value.batch.is_some_and(|batch| batch >= from) {
        return Err(Refusal::Mixes("in means".into()));
    }
    let own = value.axis(from)?;
    // Elements that are normalised together lie behind one another: their axes may be one.
    let size = operand.shape[own..].iter().product();
    let shape = [&operand.shape[..own], &[size]].concat();
    let value = trace.value(&Known::Value(value), Some(&shape))?;
    let tensors = tensors(trace, node, (&["weight", "bias"], 1), size)?;
    let fields = vec![
        ("axis", Given::Number(narrow(own))),
        ("epsilon", Given::Float(node.float("epsilon", 1e-5)?)),
    ];
    let operands = [Operand::of(&value)];
    let made = trace.emit(&node.outputs[0], "layer-norm", fields, tensors, &operands)?;
    Ok(vec![made.seen_as(value.shape, value.batch)])
}

pub(super) fn softmax<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let (operand, value) = per_inference(trace, node)?;
    let rank = value.shape.len();
    let kind = if node.operator == "Softmax" { "softmax" } else { "log-softmax" };
    let near = &node.outputs[0];
    let made = if trace.model.opset < 13 {
        // The input was seen as a matrix, split before the axis.
        let from = axis(node.int("axis")?.unwrap_or(1), rank)?;
        if value.batch.is_some_and(|batch| batch >= from) {
            return Err(Refusal::Mixes("in sums".into()));
        }
        let own = value.axis(from)?;
        let (before, behind) = operand.shape.split_at(own.min(operand.shape.len()));
        let matrix = [before.iter().product::<usize>(), behind.iter().product()];
        let value = trace.value(&Known::Value(value.clone()), Some(&matrix))?;
        let fields = vec![("axis", Given::Number(1))];
        trace.emit(near, kind, fields, vec![], &[Operand::of(&value)])?
    } else {
        let own = value.axis(axis(node.int("axis")?.unwrap_or(-1), rank)?)?;
        let fields = vec![("axis", Given::Number(narrow(own)))];
        trace.emit(near, kind, fields, vec![], &[operand])?
    };
    Ok(vec![made.seen_as(value.shape, value.batch)])
}

pub(super) fn reduce<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let rank = known.shape().len();
    let keep = node.int("keepdims")?.unwrap_or(1) != 0;
    let empty_is_none = node.int("noop_with_empty_axes")?.unwrap_or(0) != 0;
    let axes = match node.ints("axes")? {
        Some(axes) => Some(axes),
        None => trace.numbers(node, 1)?.map(|numbers| numbers.ints()),
    };
    let axes: Vec<usize> = match axes.filter(|axes| !axes.is_empty()) {
        Some(axes) => axes.iter().map(|at| axis(*at, rank)).collect::<Result<_, _>>()?,
        None if empty_is_none => return Ok(vec![known]),
        None => (0..rank).collect(),
    };
    let kind = match &node.operator[..] {
        "ReduceMax" => "reduce-max",
        "ReduceMean" => "reduce-mean",
        "ReduceMin" => "reduce-min",
        _ => "reduce-sum",
    };
    let (operand, value) = per_inference(trace, node)?;
    let own = axes.iter().map(|at| value.axis(*at)).collect::<Result<Vec<_>, _>>()?;
    let fields = vec![("axes", list(&own)), ("keep", Given::Number(1))];
    let made = trace.emit(&node.outputs[0], kind, fields, vec![], &[operand])?;
    let mut shape = value.shape.clone();
    for at in &axes {
        shape[*at] = 1;
    }
    if keep {
        return Ok(vec![made.seen_as(shape, value.batch)]);
    }
    let kept: Vec<usize> = (0..rank).filter(|at| !axes.contains(at)).collect();
    let batch = value.batch.and_then(|batch| kept.iter().position(|at| *at == batch));
    Ok(vec![made.seen_as(kept.iter().map(|at| shape[*at]).collect(), batch)])
}
