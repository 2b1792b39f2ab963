//! The `workload.toml` of a model.

#![expect(clippy::cast_possible_truncation, reason = "floats of the file are of 32 bits")]

use super::About;
use crate::op::{Dtype, Given};
use std::fmt::Write;

/// The text of a workload file as it is written.
#[derive(Default)]
pub(in crate::workload) struct Text(String);

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

impl Text {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }

    /// A text with all that stands before the ops: `how` is a sentence on how the model was read, `input`
    /// the shape and type of an input, `generated` how many are generated where there is no file of them.
    pub(in crate::workload) fn new(
        about: &About<'_>,
        how: &str,
        (shape, dtype): (&[usize], Dtype),
        generated: Option<usize>,
    ) -> Self {
        let mut text = Self::default();
        let source = format!("{} {how}", about.source);
        text.line(format_args!("name = {}", quoted(about.name)));
        text.line(format_args!("description = {}", quoted(about.description)));
        text.line(format_args!("source = {}", quoted(source.trim())));
        text.line(format_args!("\n[weights]\nfile = \"weights.safetensors\""));
        text.line(format_args!("\n[inputs]\nshape = {shape:?}"));
        if dtype != Dtype::F32 {
            text.line(format_args!("dtype = \"{}\"", dtype.name()));
        }
        if about.labels {
            text.line(format_args!("labels = \"labels.npy\""));
        }
        match generated {
            None => text.line(format_args!("file = \"inputs.npy\"")),
            Some(count) => text.line(format_args!(
                "\n[inputs.generate]\nseed = 1\ndistribution = \"uniform\"\nscale = 1.0\ncount = {count}"
            )),
        }
        text
    }

    /// An op: its name and kind, what it reads, its stored tensors and its other fields.
    pub(in crate::workload) fn op<S: AsRef<str>>(
        &mut self,
        (name, kind): (&str, &str),
        inputs: &[S],
        tensors: &[(&str, S)],
        fields: &[(&str, Given)],
    ) {
        self.line(format_args!("\n[[op]]\nname = {}\nkind = {}", quoted(name), quoted(kind)));
        let inputs: Vec<String> = inputs.iter().map(|name| quoted(name.as_ref())).collect();
        self.line(format_args!("inputs = [{}]", inputs.join(", ")));
        for (field, tensor) in tensors {
            self.line(format_args!("{field} = {}", quoted(tensor.as_ref())));
        }
        for (field, value) in fields {
            self.line(format_args!("{field} = {}", given(value)));
        }
    }

    /// A table with these lines.
    pub(in crate::workload) fn table(&mut self, name: &str, lines: &[(&str, String)]) {
        self.line(format_args!("\n[{name}]"));
        for (key, value) in lines {
            self.line(format_args!("{key} = {value}"));
        }
    }

    /// The whole text.
    pub(in crate::workload) fn end(mut self, about: &About<'_>) -> String {
        if let Some((tolerance, correct)) = about.expected {
            let mut lines = vec![("file", quoted("expected.npy")), ("tolerance", float(tolerance))];
            lines.extend(correct.map(|correct| ("correct", correct.to_string())));
            self.table("expected", &lines);
        }
        self.0
    }
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
