//! Folding: a batch normalisation behind a convolution becomes part of the convolution's weights and biases,
//! and constants that are quantised, or made floats of, become what they are then.

use super::model::{Constant, Data, Model, Node, packed};
use crate::op::{Dtype, Mismatch};

/// The words of a constant of floats.
fn floats(model: &Model, name: &str) -> Option<Vec<f32>> {
    match &model.constants.get(name)?.data {
        Data::Floats(words) => Some(words.iter().map(|word| f32::from_bits(*word)).collect()),
        _ => None,
    }
}

/// The operators that read quantised weights as they are stored.
const READS_QUANTISED: [&str; 3] = ["Conv", "Gemm", "MatMul"];

/// Computes every `QuantizeLinear` of a constant, and every `DequantizeLinear` of one whose readers take no
/// quantised weights. Says how many were computed.
///
/// # Errors
/// Where an attribute is of another type than ONNX has it.
pub(super) fn fold_quantised(model: &mut Model) -> Result<usize, Mismatch> {
    let mut folded = 0;
    for at in 0..model.nodes.len() {
        let node = &model.nodes[at];
        let [output] = &node.outputs[..] else { continue };
        let output = output.clone();
        let computed = match &node.operator[..] {
            "QuantizeLinear" => quantised(model, node)?,
            "DequantizeLinear" => {
                let mut readers =
                    model.nodes.iter().filter(|reader| reader.inputs.contains(&output));
                match readers.all(|reader| READS_QUANTISED.contains(&&reader.operator[..])) {
                    true => None,
                    false => dequantised(model, node)?,
                }
            }
            _ => None,
        };
        if let Some(constant) = computed {
            model.constants.insert(output, constant);
            model.nodes[at].outputs.clear();
            folded += 1;
        }
    }
    model.nodes.retain(|node| !node.outputs.is_empty());
    Ok(folded)
}

/// The scale and zero point of every element of a constant of this shape, from the inputs of a node.
fn scales(
    model: &Model,
    node: &Node,
    shape: &[usize],
) -> Result<Option<Vec<(f32, f32)>>, Mismatch> {
    let Some(scale) = node.inputs.get(1).and_then(|name| floats(model, name)) else {
        return Ok(None);
    };
    let zero = match node.inputs.get(2).filter(|name| !name.is_empty()) {
        None => vec![0.0; scale.len()],
        Some(name) => match numbers(model, name) {
            Some((_, zero)) => zero,
            None => return Ok(None),
        },
    };
    let axis = node.int("axis")?.unwrap_or(1);
    let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
    let along = usize::try_from(axis).ok().and_then(|axis| Some((axis, *shape.get(axis)?)));
    let elements: usize = shape.iter().product();
    let blocks = node.int("block_size")?.unwrap_or(0) != 0;
    let place = |element: usize| match (scale.len(), along) {
        (1, _) => Some(0),
        (count, Some((axis, places))) if count == places => {
            Some(element / shape[axis + 1..].iter().product::<usize>() % places)
        }
        _ => None,
    };
    if blocks || zero.len() != scale.len() {
        return Ok(None);
    }
    let each = (0..elements).map(|element| place(element).map(|at| (scale[at], zero[at])));
    Ok(each.collect())
}

/// The numbers of a constant of whole numbers, as floats, and their type.
fn numbers(model: &Model, name: &str) -> Option<(Dtype, Vec<f32>)> {
    let constant = model.constants.get(name)?;
    let elements: usize = constant.shape.iter().product();
    match &constant.data {
        Data::Quantised(dtype, words) => {
            let number = |at| dtype.widened(words, at).cast_signed() as f32;
            Some((*dtype, (0u32..).take(elements).map(number).collect()))
        }
        Data::Whole(values) => Some((Dtype::I32, values.iter().map(|n| *n as f32).collect())),
        _ => None,
    }
}

fn quantised(model: &Model, node: &Node) -> Result<Option<Constant>, Mismatch> {
    let input = node.inputs.first().cloned().unwrap_or_default();
    let Some(x) = floats(model, &input) else { return Ok(None) };
    let shape = model.constants[&input].shape.clone();
    let named = node.inputs.get(2).and_then(|name| numbers(model, name));
    let dtype = match (named, node.int("output_dtype")?) {
        (Some((dtype, _)), _) => dtype,
        (None, Some(3)) => Dtype::I8,
        (None, _) => Dtype::U8,
    };
    let (least, most) = match dtype {
        Dtype::I8 => (-128.0, 127.0),
        Dtype::U8 => (0.0, 255.0),
        _ => return Ok(None),
    };
    let Some(scales) = scales(model, node, &shape)? else { return Ok(None) };
    let byte = |(x, (scale, zero)): (&f32, &(f32, f32))| {
        let number = (x / scale).round_ties_even() + zero;
        #[expect(clippy::cast_possible_truncation, reason = "within the type")]
        ((number.max(least).min(most) as i32).to_le_bytes()[0])
    };
    let bytes: Vec<u8> = x.iter().zip(&scales).map(byte).collect();
    Ok(Some(Constant { shape, data: Data::Quantised(dtype, packed(&bytes)) }))
}

fn dequantised(model: &Model, node: &Node) -> Result<Option<Constant>, Mismatch> {
    let input = node.inputs.first().cloned().unwrap_or_default();
    let Some((_, x)) = numbers(model, &input) else { return Ok(None) };
    let shape = model.constants[&input].shape.clone();
    let Some(scales) = scales(model, node, &shape)? else { return Ok(None) };
    let float = |(x, (scale, zero)): (&f32, &(f32, f32))| ((x - zero) * scale).to_bits();
    let words = x.iter().zip(&scales).map(float).collect();
    Ok(Some(Constant { shape, data: Data::Floats(words) }))
}

/// Folds every batch normalisation that stands alone behind a convolution of constant weights. The new
/// words keep the names of the old ones. Says how many were folded.
///
/// # Errors
/// Where the file's tensors do not fit one another.
pub(super) fn fold(model: &mut Model) -> Result<usize, Mismatch> {
    let mut folded = 0;
    for at in 0..model.nodes.len() {
        if model.nodes[at].operator != "BatchNormalization" {
            continue;
        }
        let Some(conv) = candidate(model, at) else { continue };
        let epsilon = model.nodes[at].float("epsilon", 1e-5)?;
        let parameters: Option<Vec<Vec<f32>>> =
            model.nodes[at].inputs[1..5].iter().map(|name| floats(model, name)).collect();
        let weight = model.nodes[conv].inputs[1].clone();
        let (Some(parameters), Some(weights)) = (parameters, floats(model, &weight)) else {
            continue;
        };
        let [scale, shift, mean, variance] = &parameters[..] else { continue };
        let outputs = scale.len();
        let alike = parameters.iter().all(|list| list.len() == outputs);
        let rows = model.constants.get(&weight).and_then(|weights| weights.shape.first());
        if outputs == 0 || !alike || rows != Some(&outputs) {
            continue;
        }
        let bias = model.nodes[conv].inputs.get(2).filter(|name| !name.is_empty()).cloned();
        let biases = match &bias {
            Some(name) => floats(model, name),
            None => Some(vec![0.0; outputs]),
        };
        let Some(biases) = biases.filter(|biases| biases.len() == outputs) else { continue };
        let by: Vec<f32> =
            scale.iter().zip(variance).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let run = weights.len() / outputs;
        let words =
            weights.iter().enumerate().map(|(at, w)| (w * by[at / run]).to_bits()).collect();
        let moved = (0..outputs).map(|o| (biases[o] - mean[o]).mul_add(by[o], shift[o]).to_bits());
        let moved: Vec<u32> = moved.collect();
        if let Some(constant) = model.constants.get_mut(&weight) {
            constant.data = Data::Floats(words);
        }
        let bias = bias.unwrap_or_else(|| model.nodes[at].inputs[2].clone());
        model
            .constants
            .insert(bias.clone(), Constant { shape: vec![outputs], data: Data::Floats(moved) });
        let output = model.nodes[at].outputs[0].clone();
        let node = &mut model.nodes[conv];
        node.inputs.truncate(2);
        node.inputs.push(bias);
        node.outputs[0] = output;
        model.nodes[at].outputs.clear();
        folded += 1;
    }
    model.nodes.retain(|node| !node.outputs.is_empty());
    Ok(folded)
}

/// The convolution before a batch normalisation, where nobody else reads its output or any of their tensors.
fn candidate(model: &Model, at: usize) -> Option<usize> {
    let norm = &model.nodes[at];
    let plain =
        |key: &str, usual: i64| norm.int(key).is_ok_and(|found| found.unwrap_or(usual) == usual);
    if norm.inputs.len() < 5
        || norm.outputs.len() != 1
        || !plain("training_mode", 0)
        || !plain("spatial", 1)
    {
        return None;
    }
    let readers = |name: &String| {
        let reads = |node: &Node| node.inputs.iter().filter(|input| *input == name).count();
        model.nodes.iter().map(reads).sum::<usize>()
            + model.outputs.iter().filter(|output| *output == name).count()
    };
    let conv = model.nodes.iter().position(|node| {
        node.operator == "Conv"
            && node.inputs.len() >= 2
            && node.outputs.first() == norm.inputs.first()
    })?;
    let tensors = model.nodes[conv].inputs[1..].iter().chain(&norm.inputs[1..5]);
    let alone = tensors.filter(|name| !name.is_empty()).all(|name| readers(name) == 1);
    (readers(&norm.inputs[0]) == 1 && alone).then_some(conv)
}
