//! The operators that are read, each with how it becomes ops. This is the only list of them.

mod elementwise;
mod images;
mod moves;
mod products;
mod quantised;
mod shapes;
mod sums;

use super::model::Node;
use super::operands::narrow;
use super::trace::{Known, Refusal, Trace};
use crate::op::{Dtype, Mismatch};
use crate::words;

/// How a node becomes ops: what is known of its outputs.
pub(super) type Lower = for<'m> fn(&mut Trace<'m>, &'m Node) -> Result<Vec<Known>, Refusal>;

/// Every operator that is read.
const OPERATORS: &[(&str, Lower)] = &[
    ("Abs", elementwise::unary),
    ("Add", elementwise::binary),
    ("AveragePool", images::pool),
    ("BatchNormalization", sums::batch_normalization),
    ("Cast", elementwise::cast),
    ("Ceil", elementwise::folded),
    ("Clip", elementwise::clip),
    ("Concat", moves::concat),
    ("ConstantOfShape", shapes::constant_of_shape),
    ("Conv", images::conv),
    ("ConvInteger", images::conv_integer),
    ("ConvTranspose", images::conv_transpose),
    ("DequantizeLinear", quantised::dequantize),
    ("Div", elementwise::binary),
    ("Dropout", shapes::same),
    ("Elu", elementwise::unary),
    ("Equal", elementwise::binary),
    ("Erf", elementwise::unary),
    ("Exp", elementwise::unary),
    ("Expand", moves::expand),
    ("Flatten", shapes::flatten),
    ("Floor", elementwise::folded),
    ("Gather", moves::gather),
    ("Gelu", elementwise::unary),
    ("Gemm", products::gemm),
    ("GlobalAveragePool", images::pool),
    ("GlobalMaxPool", images::pool),
    ("Greater", elementwise::binary),
    ("HardSigmoid", elementwise::unary),
    ("HardSwish", elementwise::unary),
    ("Identity", shapes::same),
    ("InstanceNormalization", sums::instance_normalization),
    ("LayerNormalization", sums::layer_normalization),
    ("LeakyRelu", elementwise::unary),
    ("Less", elementwise::binary),
    ("Log", elementwise::unary),
    ("LogSoftmax", sums::softmax),
    ("MatMul", products::matmul),
    ("MatMulInteger", products::matmul_integer),
    ("Max", elementwise::several),
    ("MaxPool", images::pool),
    ("Mean", elementwise::several),
    ("Min", elementwise::several),
    ("Mul", elementwise::binary),
    ("Neg", elementwise::unary),
    ("PRelu", elementwise::binary),
    ("Pad", moves::pad),
    ("Pow", elementwise::binary),
    ("QLinearConv", images::qlinear_conv),
    ("QLinearMatMul", products::qlinear_matmul),
    ("QuantizeLinear", quantised::quantize),
    ("Range", shapes::range),
    ("Reciprocal", elementwise::unary),
    ("ReduceMax", sums::reduce),
    ("ReduceMean", sums::reduce),
    ("ReduceMin", sums::reduce),
    ("ReduceSum", sums::reduce),
    ("Relu", elementwise::unary),
    ("Reshape", shapes::reshape),
    ("Resize", images::resize),
    ("Selu", elementwise::unary),
    ("Shape", shapes::shape),
    ("Sigmoid", elementwise::unary),
    ("Slice", moves::slice),
    ("Softmax", sums::softmax),
    ("Softplus", elementwise::unary),
    ("Split", moves::split),
    ("Sqrt", elementwise::unary),
    ("Squeeze", shapes::squeeze),
    ("Sub", elementwise::binary),
    ("Sum", elementwise::several),
    ("Tanh", elementwise::unary),
    ("Tile", moves::tile),
    ("Transpose", moves::transpose),
    ("Unsqueeze", shapes::unsqueeze),
    ("Upsample", images::resize),
    ("Where", elementwise::choose),
];

/// The operators that are read, by name.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    ["Constant"].into_iter().chain(OPERATORS.iter().map(|(name, _)| *name))
}

/// How a node becomes ops.
pub(super) fn find(node: &Node) -> Result<Lower, Mismatch> {
    if let Some((_, lower)) = OPERATORS.iter().find(|(name, _)| *name == node.operator) {
        return Ok(*lower);
    }
    let why = match &node.operator[..] {
        "If" | "Loop" | "Scan" => ": control flow is not supported",
        "LSTM" | "GRU" | "RNN" => ": recurrent layers are not supported",
        _ => "",
    };
    let known: Vec<&str> = names().collect();
    let meant = words::meant(&node.operator, known.iter().copied());
    let expected = format!("an operator that is supported at node `{}`", node.name);
    let found = format!("`{}`{why}{meant}; supported are {}", node.operator, known.join(", "));
    Err(Mismatch::new(expected, found))
}

/// Whole numbers for a field that lists them.
fn list(values: &[usize]) -> crate::op::Given {
    crate::op::Given::List(values.iter().map(|value| narrow(*value)).collect())
}

/// Refuses whole numbers that follow from the inputs where an op computes with floats.
fn floats(known: &Known) -> Result<(), Refusal> {
    match known.dtype() {
        Dtype::F32 => Ok(()),
        _ => Err(Mismatch::new("floats", "whole numbers").into()),
    }
}
