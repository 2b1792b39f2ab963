//! Products of quantised numbers: Σ (x − zero of x) · (w − zero of w) in 32 bits, which wrap. The order of
//! such a sum changes nothing. As ONNX's `MatMulInteger` and `ConvInteger` define them.
//!
//! Linear and conv2d share one shader, which adds four products at once (`dot4I8Packed`) on hardware; the
//! product of two values has `shaders/matmul_integer.wgsl`.

use super::conv2d::{self, CONV2D};
use super::dtype::quantised;
use super::field::{Field, Holds};
use super::linear::LINEAR;
use super::matmul::{self, Matmul};
use super::order::{order, place};
use super::shape::{Shape, image, narrow, words};
use super::{Arithmetic, Bind, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Outputs that one invocation of linear and conv2d computes.
const OUTPUTS: u32 = 8;

const fn zero(name: &'static str, meaning: &'static str) -> Field {
    Field { name, holds: Holds::Tensor { required: true, axes: &["output"] }, meaning }
}

const INPUT_ZERO: Field = zero("input_zero", "of the type of the input, shape (1)");
const WEIGHT_ZERO: Field = zero("weight_zero", "of the type of the weight, shape (1) or (outputs)");

/// Refuses zero points of other shapes.
fn check_zeros(inputs: &[&[usize]], outputs: usize) -> Result<(), Mismatch> {
    if *inputs[2] != [1] {
        return Err(Mismatch::new("`input_zero` of shape (1)", Shape(inputs[2]).to_string()));
    }
    if *inputs[3] != [1] && *inputs[3] != [outputs] {
        let expected = format!("`weight_zero` of shape (1) or ({outputs})");
        return Err(Mismatch::new(expected, Shape(inputs[3]).to_string()));
    }
    Ok(())
}

/// The type of sums where zero points are of the types of their operands.
fn sums(inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
    for (operand, zero) in ["input_zero", "weight_zero"].into_iter().enumerate() {
        let (dtype, found) = (quantised(inputs[operand])?, inputs[2 + operand]);
        if found != dtype {
            let expected = format!("`{zero}` of {}, as its numbers are", dtype.name());
            return Err(Mismatch::new(expected, found.name()));
        }
    }
    Ok(Dtype::I32)
}

/// The zero point of an output: its own, or that of all.
fn zero_of(zeros: &[u32], output: usize) -> u32 {
    zeros[if zeros.len() > 1 { output } else { 0 }]
}

/// Two types of quantised numbers.
fn pair(draws: &mut Xoshiro256PlusPlus) -> [Dtype; 2] {
    [0, 1].map(|_| if draws.random_bool(0.5) { Dtype::I8 } else { Dtype::U8 })
}

/// The windows of a sum: those of conv2d, or the one place of linear.
struct Sum {
    /// Input channels of a group, and groups.
    channels: u32,
    groups: u32,
    /// Height and width of the input and of the output.
    input: [u32; 2],
    output: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    /// At the top and at the left.
    padding: [u32; 2],
    dilation: [u32; 2],
    /// Quads of a place of the input.
    quads: u32,
}

/// The kernel of linear and conv2d.
fn kernel(call: &Call<'_>, sum: &Sum) -> KernelSpec {
    let [x, weight] = [call.inputs[0], call.inputs[1]];
    let outputs = narrow(call.output[0]) / sum.groups;
    let [input_zero, _] = call.inputs[2].each();
    let [weight_zero, weight_zero_step] = call.inputs[3].each();
    let [w_base, w_stride] = weight.in_elements();
    let params = vec![
        ("quads", sum.quads),
        ("channels", sum.channels),
        ("height", sum.input[0]),
        ("width", sum.input[1]),
        ("outputs", outputs),
        ("kernel_rows", sum.kernel[0]),
        ("kernel_columns", sum.kernel[1]),
        ("stride_rows", sum.stride[0]),
        ("stride_columns", sum.stride[1]),
        ("pad_top", sum.padding[0]),
        ("pad_left", sum.padding[1]),
        ("dilation_rows", sum.dilation[0]),
        ("dilation_columns", sum.dilation[1]),
        ("groups", sum.groups),
        ("out_height", sum.output[0]),
        ("out_width", sum.output[1]),
        ("x_base", x.base / 4),
        ("x_stride", x.stride / 4),
        ("w_base", w_base),
        ("w_stride", w_stride),
        ("input_zero", input_zero),
        ("weight_zero", weight_zero),
        ("weight_zero_step", weight_zero_step),
    ];
    let pixels = u64::from(sum.output[0]) * u64::from(sum.output[1]) * u64::from(sum.quads);
    let strips = u64::from(outputs.div_ceil(OUTPUTS)) * u64::from(sum.groups);
    let mut spec = KernelSpec::flat("integer", 2, params, pixels * strips);
    spec.depth = call.blocks;
    spec.constants.push(("X", x.dtype.code()));
    spec.constants.push(("W", weight.dtype.code()));
    spec.constants.push(("DOT", u32::from(!call.software)));
    let taps = sum.channels * sum.kernel[0] * sum.kernel[1];
    spec.constants.push(("ALIGNED", u32::from(taps.is_multiple_of(4))));
    spec
}

/// `linear` of quantised numbers.
pub(super) struct LinearInteger;

/// `conv2d` of quantised numbers.
pub(super) struct Conv2dInteger;

/// `matmul` of quantised numbers.
pub(super) struct MatmulInteger;

impl Operator for LinearInteger {
    fn name(&self) -> &'static str {
        "linear-integer"
    }

    fn formula(&self) -> &'static str {
        "(in, …) of i8 or u8 → (out, …) of i32: y[o] = Σₖ (x[k] − input_zero)·(w[o,k] − weight_zero)"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                Field {
                    name: "weight",
                    holds: Holds::Tensor { required: true, axes: &["output", "input"] },
                    meaning: "i8 or u8, shape (outputs, inputs)",
                },
                INPUT_ZERO,
                WEIGHT_ZERO,
            ]
        }
    }

    fn axes(&self) -> &'static [&'static str] {
        &["feature", "token"]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let shape = LINEAR.output(settings, &inputs[..2])?;
        check_zeros(inputs, shape[0])?;
        Ok(shape)
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        sums(inputs)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let sum = Sum {
            channels: narrow(call.inputs[0].shape[0]),
            groups: 1,
            input: [1; 2],
            output: [1; 2],
            kernel: [1; 2],
            stride: [1; 2],
            padding: [0; 2],
            dilation: [1; 2],
            quads: call.rows.div_ceil(4) * words(&call.output[1..]),
        };
        Some(kernel(call, &sum))
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        call.inputs[0].shape[0] as u64
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let features = call.inputs[0].shape[0];
        let rows = inputs[0].len() / features;
        let mut y = Vec::with_capacity(call.output[0] * rows);
        for (output, weights) in inputs[1].chunks(features).enumerate() {
            let mut sums = vec![0u32; rows];
            let zero = zero_of(inputs[3], output);
            for (x, weight) in inputs[0].chunks(rows).zip(weights) {
                let weight = weight.wrapping_sub(zero);
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = sum.wrapping_add(x.wrapping_sub(inputs[2][0]).wrapping_mul(weight));
                }
            }
            y.extend(sums);
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let (inputs, outputs) = (draws.random_range(1..40), draws.random_range(1..20));
        let mut x = vec![inputs];
        x.extend((0..draws.random_range(0..3)).map(|_| draws.random_range(1..4usize)));
        let each = if draws.random_bool(0.5) { outputs } else { 1 };
        let [of_x, of_w] = pair(draws);
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..20),
            shapes: vec![x, vec![outputs, inputs], vec![1], vec![each]],
            stored: 3,
            dtypes: vec![of_x, of_w, of_x, of_w],
            exactness: Exactness::Bits,
            any_bits: false,
        }
    }
}

impl Operator for Conv2dInteger {
    fn name(&self) -> &'static str {
        "conv2d-integer"
    }

    fn formula(&self) -> &'static str {
        "(C, H, W) of i8 or u8 → (out, H′, W′) of i32: 2-D cross-correlation of x − input_zero and \
         w − weight_zero"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                Field {
                    name: "weight",
                    holds: Holds::Tensor { required: true, axes: conv2d::WEIGHT_AXES },
                    meaning: "i8 or u8, shape (outputs, channels / groups, rows, columns)",
                },
                INPUT_ZERO,
                WEIGHT_ZERO,
                conv2d::STRIDE,
                conv2d::PADDING,
                conv2d::DILATION,
                conv2d::GROUPS,
            ]
        }
    }

    fn axes(&self) -> &'static [&'static str] {
        &["channel", "row", "column"]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let shape = CONV2D.output(settings, &inputs[..2])?;
        check_zeros(inputs, shape[0])?;
        Ok(shape)
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        sums(inputs)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [_, height, width] = image(call.inputs[0].shape).ok()?;
        let [_, channels, rows, columns] = *call.inputs[1].shape else { return None };
        let s = call.settings;
        let sum = Sum {
            channels: narrow(channels),
            groups: s[8],
            input: [height, width].map(narrow),
            output: [call.output[1], call.output[2]].map(narrow),
            kernel: [rows, columns].map(narrow),
            stride: [s[0], s[1]],
            padding: [s[2], s[3]],
            dilation: [s[6], s[7]],
            quads: call.rows.div_ceil(4),
        };
        Some(kernel(call, &sum))
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        call.inputs[1].shape[1..].iter().map(|size| *size as u64).product()
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let taps: usize = call.inputs[1].shape[1..].iter().product();
        let mut y = Vec::new();
        for output in 0..call.output[0] {
            let weights = &inputs[1][output * taps..][..taps];
            let zero = zero_of(inputs[3], output);
            for met in conv2d::pixels(call, output) {
                let mut sums = vec![0u32; rows];
                for (tap, feature) in met {
                    let weight = weights[tap].wrapping_sub(zero);
                    for (sum, x) in sums.iter_mut().zip(&inputs[0][feature * rows..]) {
                        *sum = sum.wrapping_add(x.wrapping_sub(inputs[2][0]).wrapping_mul(weight));
                    }
                }
                y.extend(sums);
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let [of_x, of_w] = pair(draws);
        let plain = CONV2D.problem(draws);
        let outputs = plain.shapes[1][0];
        let each = if draws.random_bool(0.5) { outputs } else { 1 };
        let [x, weight] = [plain.shapes[0].clone(), plain.shapes[1].clone()];
        Problem {
            shapes: vec![x, weight, vec![1], vec![each]],
            stored: 3,
            dtypes: vec![of_x, of_w, of_x, of_w],
            exactness: Exactness::Bits,
            ..plain
        }
    }
}

impl Operator for MatmulInteger {
    fn name(&self) -> &'static str {
        "matmul-integer"
    }

    fn formula(&self) -> &'static str {
        "(…, m, k) and (…, k, n) of i8 or u8 → (…, m, n) of i32: y[m, n] = Σₖ (a[m, k] − \
         input_zero)·(b[k, n] − weight_zero)"
    }

    fn arity(&self) -> usize {
        2
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn takes_packed(&self) -> bool {
        true
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                zero("input_zero", "of the type of the first input, shape (1)"),
                zero("weight_zero", "of the type of the second input, shape (1) or (n)"),
                matmul::TRANSPOSE_A,
                matmul::TRANSPOSE_B,
                super::order::ORDER,
            ]
        }
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let shape = Matmul.output(settings, &inputs[..2])?;
        check_zeros(inputs, shape.last().copied().unwrap_or(1))?;
        Ok(shape)
    }

    fn dtype(&self, settings: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        let [a, b] = [0, 1].map(|operand| inputs[place(settings, operand)]);
        sums(&[a, b, inputs[2], inputs[3]])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let places = [0, 1].map(|operand| place(call.settings, operand));
        let [a, b] = places.map(|at| call.inputs[at]);
        let mut spec = Matmul.kernel(call)?;
        let [input_zero, _] = call.inputs[2].each();
        let [weight_zero, weight_zero_step] = call.inputs[3].each();
        spec.shader = "matmul_integer";
        spec.params.extend([
            ("z_stride", call.inputs[2].stride),
            ("input_zero", input_zero),
            ("weight_zero", weight_zero),
            ("weight_zero_step", weight_zero_step),
        ]);
        spec.bindings.extend([Bind::Words(2), Bind::Slots(2)]);
        spec.constants.extend([
            ("A", a.dtype.code()),
            ("B", b.dtype.code()),
            ("A_STORED", a.stored.into()),
            ("B_STORED", b.stored.into()),
        ]);
        Some(spec)
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        Matmul.iterations(call)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let less = |x: u32, zero: u32| x.wrapping_sub(zero);
        matmul::products(call, inputs, |column, terms| {
            let zero = zero_of(inputs[3], column);
            terms.fold(0, |sum: u32, (a, b)| {
                sum.wrapping_add(less(a, inputs[2][0]).wrapping_mul(less(b, zero)))
            })
        })
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let [of_a, of_b] = pair(draws);
        let plain = Matmul.problem(draws);
        let mut shapes = plain.shapes.clone();
        let b = &plain.shapes[place(&plain.settings, 1)];
        let swapped = plain.settings[2] == order(&[1, 0]);
        let n = if plain.settings[1] == 1 { b[b.len() - 2] } else { b[b.len() - 1] };
        let each = if draws.random_bool(0.5) { n } else { 1 };
        shapes.extend([vec![1], vec![each]]);
        let [first, second] = if swapped { [of_b, of_a] } else { [of_a, of_b] };
        Problem {
            shapes,
            stored: 2 + plain.stored,
            dtypes: vec![first, second, of_a, of_b],
            exactness: Exactness::Bits,
            ..plain
        }
    }
}
