//! Ops and values: what each op reads, writes and requires.

use super::Mismatch;
use super::data::Shape;

/// The index of a value: 0 is the workload's input, the others are op outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub usize);

/// A named tensor that exists once per inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The name ops refer to; an op's output has the op's name.
    pub name: String,
    /// The shape for one inference, row-major: (features) or (channels, height, width).
    pub shape: Vec<usize>,
}

impl Value {
    /// Words of one inference.
    pub fn features(&self) -> u32 {
        word_count(self.shape.iter().product())
    }
}

/// One step of the computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Its name, unique in the workload; faults in its output name it.
    pub name: String,
    /// What it does.
    pub kind: OpKind,
    /// The values it reads.
    pub inputs: Vec<ValueId>,
    /// The value it writes.
    pub output: ValueId,
}

/// What an op does. Weights and biases are indices of stored tensors.
///
/// Sums accumulate as `acc = fma(x, w, acc)` from +0 with k ascending (conv: channel, kernel row,
/// kernel column; padding is skipped), the bias last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// `y[o] = Σₖ x[k]·w[o,k] + b[o]`; weight (out, in), bias (out).
    Linear {
        /// Stored tensor of shape (out, in).
        weight: usize,
        /// Stored tensor of shape (out).
        bias: Option<usize>,
    },
    /// 2-D cross-correlation; input (C, H, W), weight (out, C, kh, kw), bias (out).
    Conv2d {
        /// Stored tensor of shape (out, C, kh, kw).
        weight: usize,
        /// Stored tensor of shape (out).
        bias: Option<usize>,
        /// Rows and columns between neighbouring outputs.
        stride: usize,
        /// Rows and columns of zeros on each side; they are skipped, not added.
        padding: usize,
    },
    /// The positive part, on bits.
    Relu,
    /// The largest of a size × size window, on bits; input (C, H, W).
    MaxPool {
        /// Rows and columns of the window.
        size: usize,
        /// Rows and columns between windows.
        stride: usize,
    },
    /// The same words as one dimension: no work, no site.
    Flatten,
    /// exp(x − max) / Σ exp(x − max) over all features.
    Softmax,
    /// The elementwise sum of two values of one shape.
    Add,
}

impl OpKind {
    /// The word for this kind in TOML and reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Conv2d { .. } => "conv2d",
            Self::Relu => "relu",
            Self::MaxPool { .. } => "max-pool",
            Self::Flatten => "flatten",
            Self::Softmax => "softmax",
            Self::Add => "add",
        }
    }
}

/// A count of words as the GPU sees it.
///
/// # Panics
/// Past 32 bits: one tensor is addressed by a `u32`, and loading refuses a larger one.
#[expect(clippy::expect_used, reason = "loading refuses tensors past 32-bit word indices")]
pub(crate) fn word_count(words: usize) -> u32 {
    u32::try_from(words).expect("a tensor within 32-bit word indices")
}

/// The words of a shape, where one tensor of it can be addressed by a `u32`.
pub(crate) fn checked_words(shape: &[usize]) -> Option<usize> {
    let words = shape.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim))?;
    u32::try_from(words).is_ok().then_some(words)
}

/// The shape that an op writes, or what is wrong with what it reads.
///
/// `inputs` are the shapes of the values it reads, `tensors` those of the stored tensors that its
/// kind points to.
pub(crate) fn output_shape(
    kind: OpKind,
    inputs: &[&[usize]],
    tensors: &[&[usize]],
) -> Result<Vec<usize>, Mismatch> {
    let needed = if kind == OpKind::Add { 2 } else { 1 };
    if inputs.len() != needed {
        let expected = if needed == 1 { "one input".into() } else { format!("{needed} inputs") };
        return Err(Mismatch::new(expected, inputs.len().to_string()));
    }
    let output = match kind {
        OpKind::Linear { weight, bias } => {
            let [features] = *inputs[0] else {
                return Err(input_mismatch("(features), as flatten gives it", inputs[0]));
            };
            let outputs = match *tensors[weight] {
                [outputs, of] if of == features => outputs,
                ref other => {
                    let expected = format!("weight of shape (out, {features})");
                    return Err(Mismatch::new(expected, Shape(other).to_string()));
                }
            };
            check_bias(bias.map(|bias| tensors[bias]), outputs)?;
            vec![outputs]
        }
        OpKind::Conv2d { weight, bias, stride, padding } => {
            let [channels, height, width] = *inputs[0] else {
                return Err(input_mismatch("(channels, height, width)", inputs[0]));
            };
            let (outputs, rows, columns) = match *tensors[weight] {
                [outputs, of, rows, columns] if of == channels => (outputs, rows, columns),
                ref other => {
                    let expected = format!("weight of shape (out, {channels}, rows, columns)");
                    return Err(Mismatch::new(expected, Shape(other).to_string()));
                }
            };
            check_bias(bias.map(|bias| tensors[bias]), outputs)?;
            if padding >= rows.min(columns) {
                let expected = format!("padding below the {rows} × {columns} window");
                return Err(Mismatch::new(expected, padding.to_string()));
            }
            let out_height = windows(height, rows, stride, padding)?;
            vec![outputs, out_height, windows(width, columns, stride, padding)?]
        }
        OpKind::MaxPool { size, stride } => {
            let [channels, height, width] = *inputs[0] else {
                return Err(input_mismatch("(channels, height, width)", inputs[0]));
            };
            let out_height = windows(height, size, stride, 0)?;
            vec![channels, out_height, windows(width, size, stride, 0)?]
        }
        OpKind::Flatten => vec![inputs[0].iter().product()],
        OpKind::Relu | OpKind::Softmax => inputs[0].to_vec(),
        OpKind::Add if inputs[0] != inputs[1] => {
            let expected = format!("two inputs of one shape, the first is {}", Shape(inputs[0]));
            return Err(Mismatch::new(expected, Shape(inputs[1]).to_string()));
        }
        OpKind::Add => inputs[0].to_vec(),
    };
    match checked_words(&output) {
        Some(1..) => Ok(output),
        _ => Err(Mismatch::new("an output of 1 to 2³² − 1 words", Shape(&output).to_string())),
    }
}

fn input_mismatch(expected: &str, found: &[usize]) -> Mismatch {
    Mismatch::new(format!("an input of shape {expected}"), Shape(found).to_string())
}

fn check_bias(bias: Option<&[usize]>, outputs: usize) -> Result<(), Mismatch> {
    match bias {
        Some(found) if found != [outputs] => {
            let expected = format!("bias of shape ({outputs})");
            Err(Mismatch::new(expected, Shape(found).to_string()))
        }
        _ => Ok(()),
    }
}

/// How many windows fit along one dimension.
fn windows(length: usize, window: usize, stride: usize, padding: usize) -> Result<usize, Mismatch> {
    if window == 0 || stride == 0 {
        let found = format!("size {window}, stride {stride}");
        return Err(Mismatch::new("a size and a stride of at least 1", found));
    }
    let padded = length.saturating_add(padding.saturating_mul(2));
    match padded.checked_sub(window) {
        Some(room) => Ok(room / stride + 1),
        None => Err(Mismatch::new(
            format!("a window of at most {padded}, the input with its padding"),
            window.to_string(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv(stride: usize, padding: usize) -> OpKind {
        OpKind::Conv2d { weight: 0, bias: None, stride, padding }
    }

    fn pool(size: usize, stride: usize) -> OpKind {
        OpKind::MaxPool { size, stride }
    }

    #[test]
    fn every_op_gives_the_shape_that_its_formula_says() {
        let linear = OpKind::Linear { weight: 0, bias: Some(1) };
        for (kind, inputs, tensors, output) in [
            (linear, vec![&[64][..]], vec![&[128, 64][..], &[128]], vec![128]),
            (conv(1, 1), vec![&[16, 8, 8]], vec![&[32, 16, 3, 3]], vec![32, 8, 8]),
            (conv(2, 0), vec![&[3, 10, 7]], vec![&[5, 3, 4, 2]], vec![5, 4, 3]),
            (pool(2, 2), vec![&[32, 8, 8]], vec![], vec![32, 4, 4]),
            (pool(3, 2), vec![&[1, 8, 9]], vec![], vec![1, 3, 4]),
            (OpKind::Flatten, vec![&[32, 4, 4]], vec![], vec![512]),
            (OpKind::Relu, vec![&[2, 3, 4]], vec![], vec![2, 3, 4]),
            (OpKind::Softmax, vec![&[10]], vec![], vec![10]),
            (OpKind::Add, vec![&[2, 3], &[2, 3]], vec![], vec![2, 3]),
        ] {
            assert_eq!(output_shape(kind, &inputs, &tensors), Ok(output), "{kind:?}");
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused_with_both() {
        let linear = OpKind::Linear { weight: 0, bias: Some(1) };
        let huge = usize::MAX;
        for (kind, inputs, tensors, expected, found) in [
            (linear, vec![&[64][..]], vec![&[128, 32][..], &[128]], "(out, 64)", "(128, 32)"),
            (linear, vec![&[64]], vec![&[128, 64], &[64]], "bias of shape (128)", "(64)"),
            (linear, vec![&[1, 8, 8]], vec![&[9, 64], &[9]], "(features)", "(1, 8, 8)"),
            (linear, vec![&[4], &[4]], vec![&[9, 4], &[9]], "one input", "2"),
            (conv(1, 1), vec![&[64]], vec![&[2, 1, 3, 3]], "(channels, height, width)", "(64)"),
            (conv(1, 1), vec![&[3, 8, 8]], vec![&[2, 1, 3, 3]], "(out, 3, rows", "(2, 1, 3, 3)"),
            (conv(0, 1), vec![&[1, 8, 8]], vec![&[2, 1, 3, 3]], "at least 1", "stride 0"),
            (conv(1, 3), vec![&[1, 8, 8]], vec![&[2, 1, 3, 3]], "padding below the 3 × 3", "3"),
            (conv(1, huge), vec![&[1, 8, 8]], vec![&[2, 1, 3, 3]], "padding below", "1844"),
            (conv(1, 1), vec![&[1, 2, 2]], vec![&[2, 1, 5, 5]], "at most 4", "5"),
            (conv(1, 0), vec![&[1, 2, 2]], vec![&[2, 1, 0, 0]], "padding below", "0"),
            (pool(0, 1), vec![&[1, 8, 8]], vec![], "at least 1", "size 0"),
            (pool(9, 9), vec![&[1, 8, 8]], vec![], "at most 8", "9"),
            (pool(2, 2), vec![&[8, 8]], vec![], "(channels, height, width)", "(8, 8)"),
            (OpKind::Add, vec![&[2, 3]], vec![], "2 inputs", "1"),
            (OpKind::Add, vec![&[2, 3], &[3, 2]], vec![], "the first is (2, 3)", "(3, 2)"),
        ] {
            match output_shape(kind, &inputs, &tensors) {
                Ok(shape) => panic!("{kind:?} of {inputs:?} gave {shape:?}"),
                Err(mismatch) => {
                    assert!(mismatch.expected.contains(expected), "{mismatch:?}");
                    assert!(mismatch.found.contains(found), "{mismatch:?}");
                }
            }
        }
    }
}
