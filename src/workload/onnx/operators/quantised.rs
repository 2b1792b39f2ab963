//! Quantised numbers, and what makes them of floats and floats of them.

use super::super::model::{Data, Node};
use super::super::numbers::axis;
use super::super::operands::narrow;
use super::super::trace::{Known, Operand, Quantised, Refusal, Stored, Trace, Traced};
use super::floats;
use crate::op::{Dtype, Given, Mismatch};

const NUMBERS: &[Dtype] = &[Dtype::I8, Dtype::U8];

/// The zero points that input `at` of a node names, or one of 0.
pub(super) fn zero(
    trace: &mut Trace<'_>,
    node: &Node,
    at: usize,
    dtype: Dtype,
) -> Result<Operand, Refusal> {
    match node.inputs.get(at).filter(|name| !name.is_empty()) {
        Some(_) => trace.list_of(node, at, &[dtype]),
        None => Ok(trace.no_zero(dtype)),
    }
}

/// Refuses zero points of another number than there are scales, where the node names some.
fn check_alike(node: &Node, scale: &Operand, zero: &Operand) -> Result<(), Refusal> {
    let named = node.inputs.get(2).is_some_and(|name| !name.is_empty());
    if scale.shape == zero.shape || !named {
        return Ok(());
    }
    let expected = format!("as many zero points as scales, {}", scale.shape[0]);
    Err(Mismatch::new(expected, zero.shape[0].to_string()).into())
}

/// The setting of the axis that scales follow in a value, which is then as an op reads it.
fn along(
    trace: &mut Trace<'_>,
    node: &Node,
    value: Traced,
    scale: &Operand,
) -> Result<(Traced, Given), Refusal> {
    if node.int("block_size")?.unwrap_or(0) != 0 {
        return Err(Mismatch::new("scales for a tensor or for an axis", "for blocks").into());
    }
    let given = node.int("axis")?.unwrap_or(1);
    let along = match scale.shape == [1] {
        true => 0,
        false => value.axis(axis(given, value.shape.len())?)?,
    };
    let own = value.per_inference();
    let value = trace.value(&Known::Value(value), Some(&own))?;
    Ok((value, Given::Number(narrow(along))))
}

pub(super) fn quantize<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["saturate", "precision"]);
    let value = trace.input_value(node, 0)?;
    floats(&Known::Value(value.clone()))?;
    let scale = trace.list_of(node, 1, &[Dtype::F32])?;
    let dtype = match node.int("output_dtype")?.unwrap_or(0) {
        0 | 2 => Dtype::U8,
        3 => Dtype::I8,
        _ => return Err(Mismatch::new("quantised numbers of 8 bits", "others").into()),
    };
    let zero = match node.inputs.get(2).is_some_and(|name| !name.is_empty()) {
        true => trace.list_of(node, 2, NUMBERS)?,
        false => trace.no_zero(dtype),
    };
    check_alike(node, &scale, &zero)?;
    let (value, along) = along(trace, node, value, &scale)?;
    let operand = Operand::of(&value);
    let tensors = vec![("scale", scale), ("zero", zero)];
    let fields = vec![("axis", along)];
    let made = trace.emit(&node.outputs[0], "quantize", fields, tensors, &[operand])?;
    Ok(vec![made.seen_as(value.shape, value.batch)])
}

pub(super) fn dequantize<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["output_dtype"]);
    let known = trace.input(node, 0)?;
    let scale = trace.list_of(node, 1, &[Dtype::F32])?;
    let constant = trace.model.constants.get(&node.inputs[0]);
    let of_file = constant.and_then(|constant| match &constant.data {
        Data::Quantised(dtype, _) => Some((*dtype, constant.shape.clone())),
        Data::Whole(_) => Some((Dtype::I32, constant.shape.clone())),
        _ => None,
    });
    if let Some((dtype, shape)) = of_file {
        let rank = shape.len();
        let axis = match scale.shape == [1] {
            true => 0,
            false => axis(node.int("axis")?.unwrap_or(1), rank)?,
        };
        if node.int("block_size")?.unwrap_or(0) != 0 {
            return Err(Mismatch::new("scales for a tensor or for an axis", "for blocks").into());
        }
        node.pass_over(&["axis"]);
        let given = node.inputs.get(2).and_then(|name| trace.model.constants.get(name));
        let zero = match (dtype, given.map(|constant| &constant.data)) {
            (Dtype::I32, Some(Data::Whole(zeros))) if zeros.iter().any(|zero| *zero != 0) => {
                return Err(Mismatch::new("a zero point of 0 for numbers of i32", "another").into());
            }
            (Dtype::I32, _) => trace.no_zero(dtype),
            _ => {
                let zero = zero(trace, node, 2, dtype)?;
                check_alike(node, &scale, &zero)?;
                zero
            }
        };
        let lies = if shape.is_empty() { vec![1] } else { shape.clone() };
        let quantised = Some(Quantised { dtype, lies, axis, scale, zero });
        let stored = Stored::named(&node.inputs[0], shape, Dtype::F32);
        return Ok(vec![Known::Stored(Stored { quantised, ..stored })]);
    }
    let value = trace.value(&known, None)?;
    let zero = zero(trace, node, 2, value.dtype)?;
    check_alike(node, &scale, &zero)?;
    let (value, along) = along(trace, node, value, &scale)?;
    let operand = Operand::of(&value);
    let tensors = vec![("scale", scale), ("zero", zero)];
    let fields = vec![("axis", along)];
    let made = trace.emit(&node.outputs[0], "dequantize", fields, tensors, &[operand])?;
    Ok(vec![made.seen_as(value.shape, value.batch)])
}

/// Which inputs of a node scale a product of integers.
pub(super) struct Scales {
    pub(super) input: usize,
    pub(super) weight: usize,
    pub(super) output: usize,
    pub(super) zero: usize,
    pub(super) bias: Option<usize>,
}

/// Adds what makes quantised numbers of integer sums, whose scales of several follow this axis of `sums`.
pub(super) fn requantize(
    trace: &mut Trace<'_>,
    node: &Node,
    (sums, axis): (Operand, usize),
    scales: &Scales,
) -> Result<Operand, Refusal> {
    let mut tensors = Vec::new();
    let named = [
        ("input_scale", scales.input),
        ("weight_scale", scales.weight),
        ("output_scale", scales.output),
    ];
    for (field, at) in named {
        tensors.push((field, trace.list_of(node, at, &[Dtype::F32])?));
    }
    tensors.push(("zero", trace.list_of(node, scales.zero, NUMBERS)?));
    if let Some(at) = scales.bias.filter(|at| node.inputs.get(*at).is_some_and(|n| !n.is_empty())) {
        tensors.push(("bias", trace.list_of(node, at, &[Dtype::I32])?));
    }
    let fields = vec![("axis", Given::Number(narrow(axis)))];
    trace.emit(&node.outputs[0], "requantize", fields, tensors, &[sums])
}
