//! Folding: a batch normalisation behind a convolution becomes part of the convolution's weights and biases.

use super::model::{Constant, Data, Model, Node};
use crate::op::Mismatch;

/// The words of a constant of floats.
fn floats(model: &Model, name: &str) -> Option<Vec<f32>> {
    match &model.constants.get(name)?.data {
        Data::Floats(words) => Some(words.iter().map(|word| f32::from_bits(*word)).collect()),
        _ => None,
    }
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
