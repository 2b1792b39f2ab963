//! The `workload.toml` of a model.

use super::About;
use super::trace::{Emitted, Traced};
use crate::op::{Dtype, Given};
use std::fmt::Write;

/// What a workload file is written of.
pub(super) struct Parts<'a> {
    pub(super) about: &'a About<'a>,
    pub(super) opset: i64,
    pub(super) producer: Option<&'a str>,
    /// How many batch normalisations became part of convolutions, where that was asked for.
    pub(super) folded: Option<usize>,
    /// The shape of the input for one inference, and its type.
    pub(super) input: (&'a [usize], Dtype),
    /// How many inputs are generated, where there is no file of them.
    pub(super) generated: Option<usize>,
    pub(super) ops: &'a [&'a Emitted],
    pub(super) output: &'a Traced,
}

/// Outputs that are classes rather than numbers: at most so many, in one dimension.
const CLASSES_MAX: usize = 1 << 16;

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A float that reads back as the same bits.
fn float(value: f32) -> String {
    let short = format!("{value:?}");
    let reads_back =
        short.parse::<f64>().is_ok_and(|read| (read as f32).to_bits() == value.to_bits());
    match reads_back {
        true => short,
        false => format!("{:?}", f64::from(value)),
    }
}

fn given(value: &Given) -> String {
    match value {
        Given::Number(number) => number.to_string(),
        Given::Float(value) => float(*value),
        Given::List(list) => format!("{list:?}"),
        Given::Word(word) => quoted(word),
    }
}

/// The text of the workload file.
pub(super) fn workload(parts: &Parts<'_>) -> String {
    let Parts { about, output, .. } = parts;
    let mut text = String::new();
    let mut line = |of: std::fmt::Arguments<'_>| {
        let _ = text.write_fmt(of);
        text.push('\n');
    };
    let mut source = about.source.to_owned();
    let producer = parts.producer.map(|name| format!(" of {name}")).unwrap_or_default();
    let _ = write!(source, " Read from ONNX{producer}, operator set {}.", parts.opset);
    if let Some(folded) = parts.folded {
        let _ = write!(source, " {folded} batch normalisations are folded into convolutions.");
    }
    line(format_args!("name = {}", quoted(about.name)));
    line(format_args!("description = {}", quoted(about.description)));
    line(format_args!("source = {}", quoted(source.trim_start())));
    line(format_args!("\n[weights]\nfile = \"weights.safetensors\""));
    let (shape, dtype) = parts.input;
    line(format_args!("\n[inputs]\nshape = {shape:?}"));
    if dtype != Dtype::F32 {
        line(format_args!("dtype = \"{}\"", dtype.name()));
    }
    if about.labels {
        line(format_args!("labels = \"labels.npy\""));
    }
    match parts.generated {
        None => line(format_args!("file = \"inputs.npy\"")),
        Some(count) => line(format_args!(
            "\n[inputs.generate]\nseed = 1\ndistribution = \"uniform\"\nscale = 1.0\ncount = {count}"
        )),
    }
    for op in parts.ops {
        line(format_args!(
            "\n[[op]]\nname = {}\nkind = {}",
            quoted(&op.name),
            quoted(op.kind.name())
        ));
        let inputs: Vec<String> = op.inputs.iter().map(|name| quoted(name)).collect();
        line(format_args!("inputs = [{}]", inputs.join(", ")));
        for (field, tensor) in &op.tensors {
            line(format_args!("{field} = {}", quoted(tensor)));
        }
        for (field, value) in &op.fields {
            line(format_args!("{field} = {}", given(value)));
        }
    }
    let features: usize = output.own.iter().product();
    let long = output.shape.iter().enumerate();
    let long = long.filter(|(at, size)| **size > 1 && Some(*at) != output.batch).count();
    let classes = output.batch.is_some() && long <= 1 && (2..=CLASSES_MAX).contains(&features);
    match classes {
        true => line(format_args!("\n[decision]\nkind = \"arg-max\"")),
        false => line(format_args!("\n[decision]\nkind = \"tolerance\"\nrelative = 1e-3")),
    }
    line(format_args!("\n[output]\nshape = {:?}", output.shape));
    if let Some(batch) = output.batch {
        line(format_args!("inputs_along = {batch}"));
    }
    if let Some((tolerance, correct)) = about.expected {
        let tolerance = float(tolerance);
        line(format_args!("\n[expected]\nfile = \"expected.npy\"\ntolerance = {tolerance}"));
        if let Some(correct) = correct {
            line(format_args!("correct = {correct}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_back_as_the_same_bits() {
        let same = |value: f32| {
            let read = format!("x = {}", float(value)).parse::<toml::Table>().expect("a table");
            let read = read["x"].as_float().expect("a float") as f32;
            assert_eq!(read.to_bits(), value.to_bits(), "{value}");
        };
        for value in [0.01, -0.0, 1e-45, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, 0.1, 1.0 / 3.0]
        {
            same(value);
        }
        for bits in (0..0x7f80_0000).step_by(9_973) {
            same(f32::from_bits(bits));
        }
    }
}
