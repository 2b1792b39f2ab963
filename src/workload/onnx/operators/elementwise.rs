//! Functions of one element, or of elements of several values whose shapes broadcast.

use super::super::model::Node;
use super::super::numbers::{Numbers, broadcast};
use super::super::trace::{Known, Operand, Refusal, Trace, Traced};
use super::floats;
use crate::op::{Dtype, Given, Mismatch};

/// The scale of `Selu`, and its limit below zero, as ONNX has them.
const SELU: [f32; 2] = [1.050_701, 1.673_263_2];

/// An op and its fields.
type Function = (&'static str, Vec<(&'static str, Given)>);

/// The op of a function of one number, and its fields.
fn function(node: &Node) -> Result<Function, Mismatch> {
    let float = |key, default| node.float(key, default).map(Given::Float);
    Ok(match &node.operator[..] {
        "Abs" => ("abs", vec![]),
        "Elu" => ("elu", vec![("alpha", float("alpha", 1.0)?)]),
        "Erf" => ("erf", vec![]),
        "Exp" => ("exp", vec![]),
        "Gelu" => match &node.word("approximate", "none")?[..] {
            "none" => ("gelu", vec![]),
            "tanh" => ("gelu-tanh", vec![]),
            other => return Err(Mismatch::new("`approximate` as none or tanh", other)),
        },
        "HardSigmoid" => {
            ("hard-sigmoid", vec![("alpha", float("alpha", 0.2)?), ("beta", float("beta", 0.5)?)])
        }
        "HardSwish" => ("hard-swish", vec![]),
        "LeakyRelu" => ("leaky-relu", vec![("alpha", float("alpha", 0.01)?)]),
        "Log" => ("log", vec![]),
        "Neg" => ("neg", vec![]),
        "Reciprocal" => ("reciprocal", vec![]),
        "Relu" => ("relu", vec![]),
        "Selu" => {
            ("elu", vec![("alpha", float("alpha", SELU[1])?), ("gamma", float("gamma", SELU[0])?)])
        }
        "Sigmoid" => ("sigmoid", vec![]),
        "Softplus" => ("softplus", vec![]),
        "Sqrt" => ("sqrt", vec![]),
        _ => ("tanh", vec![]),
    })
}

/// The same of numbers that are known before any inference.
fn fold(operator: &str) -> Option<fn(f64) -> f64> {
    match operator {
        "Abs" => Some(f64::abs),
        "Ceil" => Some(f64::ceil),
        "Exp" => Some(f64::exp),
        "Floor" => Some(f64::floor),
        "Log" => Some(f64::ln),
        "Neg" => Some(|x| -x),
        "Reciprocal" => Some(f64::recip),
        "Relu" => Some(|x| x.max(0.0)),
        "Sqrt" => Some(f64::sqrt),
        _ => None,
    }
}

pub(super) fn unary<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["consumed_inputs"]);
    let known = trace.input(node, 0)?;
    if let (Known::Numbers(numbers), Some(of)) = (&known, fold(&node.operator)) {
        let numbers = numbers.map(of);
        return Ok(vec![Known::Numbers(numbers.cast(numbers.floats))]);
    }
    floats(&known)?;
    let (kind, fields) = function(node)?;
    Ok(vec![Known::Value(trace.unary(&node.outputs[0], kind, fields, &known)?)])
}

/// A function that only shapes are put through.
pub(super) fn folded<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    match (trace.input(node, 0)?, fold(&node.operator)) {
        (Known::Numbers(numbers), Some(of)) => Ok(vec![Known::Numbers(numbers.map(of))]),
        _ => Err(Mismatch::new("numbers known before any inference", "values of the input").into()),
    }
}

pub(super) fn clip<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["consumed_inputs"]);
    let known = trace.input(node, 0)?;
    let (least, most) = match trace.model.opset {
        ..11 => {
            (Some(node.float("min", f32::NEG_INFINITY)?), Some(node.float("max", f32::INFINITY)?))
        }
        _ => (trace.scalar(node, 1)?, trace.scalar(node, 2)?),
    };
    let (least, most) = (least.unwrap_or(f32::NEG_INFINITY), most.unwrap_or(f32::INFINITY));
    if let Known::Numbers(numbers) = &known {
        let within = |x: f64| x.max(least.into()).min(most.into());
        return Ok(vec![Known::Numbers(numbers.map(within))]);
    }
    floats(&known)?;
    let fields = vec![("least", Given::Float(least)), ("most", Given::Float(most))];
    Ok(vec![Known::Value(trace.unary(&node.outputs[0], "clip", fields, &known)?)])
}

pub(super) fn cast<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["saturate", "round_mode"]);
    let known = trace.input(node, 0)?;
    let to = node.int("to")?.unwrap_or(0);
    let to_floats = match to {
        1 => true,
        2..=7 | 9 | 12 | 13 => false,
        10 | 11 | 16 if matches!(known, Known::Numbers(_)) => true,
        other => {
            return Err(
                Mismatch::new("a cast to float or to whole numbers", other.to_string()).into()
            );
        }
    };
    if let Known::Numbers(numbers) = &known {
        let cast = match to {
            9 => numbers.map(|value| f64::from(value != 0.0)).cast(false),
            2..=5 if !numbers.floats => {
                let (least, most) =
                    [(0.0, 255.0), (-128.0, 127.0), (0.0, 65_535.0), (-32_768.0, 32_767.0)]
                        [usize::try_from(to - 2).unwrap_or(0)];
                if numbers.list.iter().any(|n| n.value < least || n.value > most) {
                    let expected = format!("numbers from {least} to {most}");
                    return Err(Mismatch::new(expected, "others").into());
                }
                numbers.clone()
            }
            _ => numbers.cast(to_floats),
        };
        return Ok(vec![Known::Numbers(cast)]);
    }
    match (known.dtype(), to_floats) {
        (Dtype::F32 | Dtype::F16 | Dtype::Bf16, true) => Ok(vec![known]),
        // 1 where a number is not 0: it does not equal that, twice over.
        (Dtype::U32, false) if to == 9 => {
            let zero = Known::Numbers(Numbers::whole(vec![], [0]));
            let part = format!("{}.part", node.outputs[0]);
            let is_zero = spread(trace, &part, "equal", &[&known, &zero])?;
            Ok(vec![spread(trace, &node.outputs[0], "equal", &[&is_zero, &zero])?])
        }
        (Dtype::U32, false) if matches!(to, 6 | 7 | 12 | 13) => Ok(vec![known]),
        (Dtype::U32, false) => {
            let expected = "whole numbers of the input cast to 32 or 64 bits, or to truth values";
            Err(Mismatch::new(expected, "fewer bits").into())
        }
        (Dtype::U32 | Dtype::I32 | Dtype::I8 | Dtype::U8 | Dtype::U16, true) => {
            Ok(vec![Known::Value(trace.unary(&node.outputs[0], "float", vec![], &known)?)])
        }
        (Dtype::I32, false) if to == 6 => Ok(vec![known]),
        (Dtype::I32 | Dtype::I8 | Dtype::U8 | Dtype::U16, false) => {
            let expected = "quantised numbers cast to floats";
            Err(Mismatch::new(expected, "to whole numbers").into())
        }
        (_, false) => {
            Err(Mismatch::new("no floats of the input cast to whole numbers", "some").into())
        }
    }
}

/// The op of a function of two numbers, and what it does to numbers known before any inference.
fn pair(operator: &str) -> (&'static str, fn(f64, f64) -> f64) {
    match operator {
        "Add" | "Sum" | "Mean" => ("add", |a, b| a + b),
        "Div" => ("div", |a, b| a / b),
        "Equal" => ("equal", |a, b| f64::from(a == b)),
        "Greater" => ("less", |a, b| f64::from(a > b)),
        "Less" => ("less", |a, b| f64::from(a < b)),
        "Max" => ("max", f64::max),
        "Min" => ("min", f64::min),
        "Mul" => ("mul", |a, b| a * b),
        "Pow" => ("pow", f64::powf),
        "PRelu" => ("prelu", |a, b| if a < 0.0 { a * b } else { a }),
        _ => ("sub", |a, b| a - b),
    }
}

pub(super) fn binary<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["consumed_inputs"]);
    let mut operands = [trace.input(node, 0)?, trace.input(node, 1)?];
    let (spread, along) = (node.int("broadcast")?, node.int("axis")?);
    if trace.model.opset < 7 {
        let rank = operands[0].shape().len();
        let shape = operands[1].shape().to_vec();
        // Shapes did not broadcast yet: an axis said where the second one begins, and slopes of `PRelu` are
        // one a channel.
        let first = match (&node.operator[..], spread, along) {
            ("PRelu", ..) if shape.len() == 1 && shape[0] > 1 => Some(1),
            (_, Some(1), Some(axis)) => Some(super::super::numbers::axis(axis, rank)?),
            _ => None,
        };
        if let Some(first) = first.filter(|first| first + shape.len() <= rank) {
            let behind = rank - first - shape.len();
            if let Known::Stored(stored) = &operands[1]
                && stored.axes.is_some()
            {
                operands[1] = Known::Value(trace.value(&operands[1], None)?);
            }
            operands[1] = reshaped(&operands[1], [shape, vec![1; behind]].concat());
        }
    }
    if node.operator == "Greater" {
        operands.swap(0, 1);
        let made = both(trace, node, "Less", &operands, true)?;
        return Ok(vec![made]);
    }
    Ok(vec![both(trace, node, &node.operator, &operands, true)?])
}

/// The same under another shape of the model, with the axis of inferences where it was from the end.
fn reshaped(known: &Known, shape: Vec<usize>) -> Known {
    match known {
        Known::Numbers(numbers) => Known::Numbers(numbers.reshaped(shape)),
        Known::Stored(stored) => {
            let mut stored = stored.clone();
            stored.shape = shape;
            Known::Stored(stored)
        }
        Known::Value(value) => value.seen_as(shape, value.batch),
    }
}

pub(super) fn several<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["consumed_inputs"]);
    let mut made = trace.input(node, 0)?;
    for at in 1..node.inputs.len() {
        let last = at + 1 == node.inputs.len() && node.operator != "Mean";
        let operands = [made, trace.input(node, at)?];
        made = both(trace, node, &node.operator, &operands, last)?;
    }
    if node.operator == "Mean" {
        let share = 1.0 / node.inputs.len() as f32;
        made = scaled(trace, &node.outputs[0], &made, [share, 0.0])?;
    }
    Ok(vec![made])
}

/// alpha · x + beta, with numbers of the program.
pub(super) fn scaled(
    trace: &mut Trace<'_>,
    near: &str,
    known: &Known,
    [alpha, beta]: [f32; 2],
) -> Result<Known, Refusal> {
    let fields = vec![("alpha", Given::Float(alpha)), ("beta", Given::Float(beta))];
    Ok(Known::Value(trace.unary(near, "scale", fields, known)?))
}

/// A function of two operands whose shapes broadcast.
fn both(
    trace: &mut Trace<'_>,
    node: &Node,
    operator: &str,
    operands: &[Known; 2],
    last: bool,
) -> Result<Known, Refusal> {
    let (kind, fold) = pair(operator);
    // An exponent may be a whole number where its base is a float.
    if let ("pow", Known::Numbers(exponent)) = (kind, &operands[1])
        && !exponent.floats
        && operands[0].dtype() == Dtype::F32
    {
        let operands = [operands[0].clone(), Known::Numbers(exponent.cast(true))];
        return both(trace, node, operator, &operands, last);
    }
    let test = matches!(operator, "Equal" | "Less");
    let few = |known: &Known| trace.as_numbers(known);
    if let [Known::Numbers(_), _] | [_, Known::Numbers(_)] = operands
        && let (Some(a), Some(b)) = (few(&operands[0]), few(&operands[1]))
    {
        let whole_division = operator == "Div" && !a.floats && !b.floats;
        if whole_division && b.list.iter().any(|number| number.value == 0.0) {
            return Err(Mismatch::new("divisors other than 0", "0").into());
        }
        let folded = a.zip(&b, fold)?;
        return Ok(Known::Numbers(match (test, whole_division) {
            (true, _) => Numbers { floats: false, ..folded },
            (_, true) => folded.cast(false),
            _ => folded,
        }));
    }
    let near = if last { node.outputs[0].clone() } else { format!("{}.part", node.outputs[0]) };
    // A number that the program computed is no memory under test where an op can hold it as a setting.
    let constant = |known: &Known| match known {
        Known::Numbers(Numbers { list, floats: true, .. }) => match list[..] {
            [number] if !number.of_batch => Some(number.value as f32),
            _ => None,
        },
        _ => None,
    };
    let setting = match (kind, constant(&operands[0]), constant(&operands[1])) {
        ("mul", Some(c), _) => Some((1, [c, 0.0])),
        ("mul", _, Some(c)) => Some((0, [c, 0.0])),
        ("add", Some(c), _) => Some((1, [1.0, c])),
        ("add", _, Some(c)) => Some((0, [1.0, c])),
        ("sub", _, Some(c)) => Some((0, [1.0, -c])),
        _ => None,
    };
    if let Some((of, by)) = setting
        && broadcast(operands[0].shape(), operands[1].shape())? == operands[of].shape()
    {
        return scaled(trace, &near, &operands[of], by);
    }
    spread(trace, &near, kind, &operands.iter().collect::<Vec<_>>())
}

/// The axis along which inferences lie in what these broadcast to, and that shape.
fn aligned(operands: &[&Known]) -> Result<(Vec<usize>, Option<usize>), Refusal> {
    let mut shape = vec![];
    for operand in operands {
        shape = broadcast(&shape, operand.shape())?;
    }
    let mut batch = None;
    for operand in operands {
        let Known::Value(Traced { shape: own, batch: Some(at), .. }) = operand else { continue };
        let axis = shape.len() - own.len() + at;
        if batch.is_some_and(|batch| batch != axis) || shape[axis] != own[*at] {
            return Err(Refusal::Mixes(format!("along axis {axis}")));
        }
        batch = Some(axis);
    }
    let longer = |operand: &&Known| match (batch, operand) {
        (Some(_), Known::Value(Traced { batch: Some(_), .. })) | (None, _) => false,
        (Some(batch), operand) => {
            let at = (batch + operand.shape().len()).checked_sub(shape.len());
            at.is_some_and(|at| operand.shape()[at] > 1)
        }
    };
    match operands.iter().any(longer) {
        true => Err(Refusal::Mixes("with a tensor that has one entry for each".into())),
        false => Ok((shape, batch)),
    }
}

/// Adds an op of operands whose shapes broadcast.
fn spread(
    trace: &mut Trace<'_>,
    near: &str,
    kind: &str,
    operands: &[&Known],
) -> Result<Known, Refusal> {
    let (shape, batch) = aligned(operands)?;
    let unit = batch.filter(|batch| shape[*batch] == 1);
    let mut read = Vec::new();
    for known in operands {
        let mut own = known.shape().to_vec();
        let at = unit.and_then(|batch| (batch + own.len()).checked_sub(shape.len()));
        if let Some(at) = at {
            own.remove(at);
        }
        let ones = own.iter().take_while(|size| **size == 1).count();
        let own = own[ones.min(own.len().saturating_sub(1))..].to_vec();
        let own = if own.is_empty() { vec![1] } else { own };
        read.push(match known {
            // Leading dimensions of 1 change nothing.
            Known::Value(value)
                if value.own.ends_with(&own)
                    && value.own.iter().product::<usize>() == own.iter().product::<usize>() =>
            {
                Operand::of(value)
            }
            known => trace.operand(known, &own)?,
        });
    }
    if read.iter().all(|operand| operand.stored) {
        let first = trace.value(operands[0], None)?;
        read[0] = Operand::of(&first);
    }
    let made = trace.emit(near, kind, vec![], vec![], &read)?;
    Ok(made.seen_as(shape, batch))
}

pub(super) fn choose<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let operands = [trace.input(node, 0)?, trace.input(node, 1)?, trace.input(node, 2)?];
    if let [Known::Numbers(when), a, b] = &operands
        && let (Some(a), Some(b)) = (trace.as_numbers(a), trace.as_numbers(b))
    {
        let mut shape = broadcast(&when.shape, &a.shape)?;
        shape = broadcast(&shape, &b.shape)?;
        let (when, a, b) = (when.expanded(&shape)?, a.expanded(&shape)?, b.expanded(&shape)?);
        let chosen = when.list.iter().zip(a.list.iter().zip(&b.list));
        let list = chosen.map(|(when, (a, b))| if when.value == 0.0 { *b } else { *a }).collect();
        return Ok(vec![Known::Numbers(Numbers { shape, list, floats: a.floats })]);
    }
    let operands: Vec<&Known> = operands.iter().collect();
    Ok(vec![spread(trace, &node.outputs[0], "where", &operands)?])
}

/// The sum of two values whose shapes broadcast.
pub(super) fn sum(
    trace: &mut Trace<'_>,
    near: &str,
    [a, b]: [&Known; 2],
) -> Result<Known, Refusal> {
    spread(trace, near, "add", &[a, b])
}
