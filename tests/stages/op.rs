//! Every op: its shader held to its reference, and both to what others computed.

use super::{holds, support};
use beamline::gpu::{Buffer, Operands};
use beamline::op::{Arithmetic, Call, Dtype, Given, InputPlace, Kind, OPS, Products};
use beamline::stage::op;
use safetensors::SafeTensors;
use std::path::Path;

#[test]
fn every_shader_equals_its_reference() {
    for kind in OPS.iter().filter(|kind| !kind.is_view()) {
        holds(|gpu, seed| op::check(gpu, *kind, seed));
    }
}

/// An op over a batch: its fields of numbers, the shape of an input for one inference, the words
/// `[inference, feature]` of each value and the words of each stored tensor with its shape.
struct Case<'c> {
    kind: Kind,
    settings: Vec<u32>,
    batch: usize,
    values: Vec<(Vec<usize>, &'c [f32])>,
    tensors: Vec<(Vec<usize>, Vec<f32>)>,
    nan_is_zero: bool,
}

impl<'c> Case<'c> {
    fn new(
        kind: &str,
        fields: &[(&str, Given)],
        shape: &[usize],
        x: &'c [f32],
        tensors: Vec<(Vec<usize>, Vec<f32>)>,
    ) -> Self {
        let kind = Kind::named(kind).expect("a kind");
        let settings = kind.settings(fields).expect("fields that the kind takes");
        let batch = x.len() / shape.iter().product::<usize>();
        let values = vec![(shape.to_vec(), x)];
        Self { kind, settings, batch, values, tensors, nan_is_zero: false }
    }

    /// What the reference and the shader give, `[inference, feature]`.
    fn run(&self) -> [Vec<f32>; 2] {
        let rows = self.batch.next_multiple_of(4);
        let mut inputs: Vec<Vec<u32>> = Vec::new();
        for (shape, x) in &self.values {
            let features: usize = shape.iter().product();
            let mut words = vec![0; features * rows];
            for (at, value) in x.iter().enumerate() {
                words[at % features * rows + at / features] = value.to_bits();
            }
            inputs.push(words);
        }
        let mut image: Vec<u32> = Vec::new();
        let mut places: Vec<InputPlace<'_>> = Vec::new();
        places.extend(self.values.iter().map(|(shape, _)| InputPlace {
            shape,
            base: 0,
            stride: 0,
            stored: false,
            dtype: Dtype::F32,
        }));
        for (shape, words) in &self.tensors {
            let base = u32::try_from(image.len()).expect("a small case");
            places.push(InputPlace { shape, base, stride: 0, stored: true, dtype: Dtype::F32 });
            image.extend(words.iter().map(|word| word.to_bits()));
            inputs.push(words.iter().map(|word| word.to_bits()).collect());
        }
        let shapes: Vec<&[usize]> = places.iter().map(|place| place.shape).collect();
        let output = self.kind.output(&self.settings, &shapes).expect("shapes that fit");
        let gpu = support::gpu();
        let call = Call {
            settings: &self.settings,
            inputs: &places,
            output: &output,
            part: None,
            entries: None,
            rows: u32::try_from(rows).expect("a small batch"),
            blocks: 1,
            nan_is_zero: self.nan_is_zero,
            products: Products::default(),
            software: gpu.adapter().software,
        };
        let words: Vec<&[u32]> = inputs.iter().map(Vec::as_slice).collect();
        let reference = self.kind.reference(&call, gpu.adapter().arithmetic, &words);
        let features: usize = output.iter().product();
        let y: Buffer<u32> = gpu.zeroed("y", features * rows);
        let slots = gpu.upload("slots", &[0u32]);
        let mut buffers: Vec<Buffer<u32>> = Vec::new();
        buffers.extend(inputs[..self.values.len()].iter().map(|words| gpu.upload("x", words)));
        let image = gpu.upload("stored", &image);
        buffers.extend(self.tensors.iter().map(|_| image.clone()));
        let bound: Vec<_> = buffers.iter().map(|words| (words, &slots)).collect();
        let shader = match self.kind.kernel(&call) {
            Some(spec) => {
                let traps = gpu.zeroed("traps", rows + 1);
                let (traps, lanes) = (Some(&traps), Some(&slots));
                let operands = Operands { inputs: &bound, output: &y, traps, lanes };
                gpu.submit(|pass| gpu.encode(pass, &spec, operands)).expect("the GPU works");
                gpu.read(&y).expect("the GPU works")
            }
            None => reference.clone(),
        };
        [reference, shader].map(|words| {
            let word = |at: usize| f32::from_bits(words[at % features * rows + at / features]);
            (0..self.batch * features).map(word).collect()
        })
    }
}

/// A tensor of a case's file.
fn tensor(file: &SafeTensors<'_>, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
    let view = file.tensor(name).ok()?;
    let words = view.data().chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    Some((view.shape().to_vec(), words.collect()))
}

fn list(numbers: &[u32]) -> Given {
    Given::List(numbers.to_vec())
}

/// Holds a case of `tests/data/ops` to its output, within `tolerance` of the largest. A case of one
/// dimension is an image of one line.
fn case(name: &str, kind: &str, fields: &[(&str, Given)], tolerance: f32) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ops");
    let bytes = std::fs::read(path.join(name).with_extension("safetensors")).expect("a case");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let (shape, x) = tensor(&file, "input").expect("an input");
    let (_, want) = tensor(&file, "output").expect("an output");
    // Indices are kept as floats.
    let indices = kind == "embedding";
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small indices")]
    let index = |value: &f32| f32::from_bits(*value as u32);
    let x: Vec<f32> = if indices { x.iter().map(index).collect() } else { x };
    let windowed = ["conv2d", "max-pool"].contains(&kind);
    let image = |shape: &[usize], of: usize| match *shape {
        [a, b, c] if windowed && of == 3 => vec![a, b, 1, c],
        _ => shape.to_vec(),
    };
    let shape = image(&shape, shape.len());
    let names = ["weight", "bias", "mean", "variance"];
    let tensors = names.into_iter().filter_map(|name| tensor(&file, name));
    let tensors = tensors.map(|(shape, words)| (image(&shape, shape.len()), words)).collect();
    let largest = want.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let mut case = Case::new(kind, fields, &shape[1..], &x, tensors);
    let other = tensor(&file, "other");
    case.values.extend(other.as_ref().map(|(shape, words)| (shape[1..].to_vec(), &words[..])));
    let found = case.run();
    for (by, found) in ["reference", "shader"].into_iter().zip(found) {
        assert_eq!(found.len(), want.len(), "{name}, {by}");
        let off = found.iter().zip(&want).map(|(f, w)| (f - w).abs()).fold(0f32, f32::max);
        assert!(off <= tolerance * largest, "{name}, {by}: {off} off, largest {largest}");
        assert!(found.iter().all(|value| value.is_finite()), "{name}, {by}");
    }
}

#[test]
fn ops_give_what_others_computed() {
    let padding = |sides: &[u32]| ("padding", list(sides));
    let stride = |steps: &[u32]| ("stride", list(steps));
    let groups = |count| ("groups", Given::Number(count));
    let size = |window: &[u32]| ("size", list(window));
    let onnx = 1e-4;
    case("Conv2d", "conv2d", &[], onnx);
    case("Conv2d_strided", "conv2d", &[("stride", Given::Number(2))], onnx);
    case("Conv2d_depthwise", "conv2d", &[groups(4)], onnx);
    case("Conv2d_depthwise_padded", "conv2d", &[groups(4), ("padding", Given::Number(1))], onnx);
    case("Conv1d_groups", "conv2d", &[groups(2)], onnx);
    case("Conv1d_pad1", "conv2d", &[padding(&[0, 1])], onnx);
    case("Conv1d_stride", "conv2d", &[stride(&[1, 2])], onnx);
    case("BatchNorm1d_3d_input_eval", "batch-norm", &[("epsilon", Given::Float(1e-5))], onnx);
    case("Linear_no_bias", "linear", &[], onnx);
    case("Sigmoid", "sigmoid", &[], onnx);
    case("MaxPool1d", "max-pool", &[size(&[1, 4])], 0.0);
    case("operator_maxpool", "max-pool", &[size(&[1, 3]), stride(&[1, 2])], 0.0);
    let dilated =
        [size(&[1, 200]), stride(&[1, 10]), padding(&[0, 100, 0, 0]), ("dilation", list(&[1, 10]))];
    case("MaxPool1d_stride_padding_dilation", "max-pool", &dilated, 0.0);
    case("operator_flatten", "flatten", &[], 0.0);
    case("torch_embedding", "embedding", &[], 0.0);
    case("torch_add", "add", &[], 0.0);
    case("gpu4s_conv2d_3", "conv2d", &[("padding", Given::Number(1))], 1e-6);
    case("gpu4s_conv2d_5", "conv2d", &[("padding", Given::Number(2))], 1e-6);
    case("gpu4s_maxpool", "max-pool", &[("size", Given::Number(2))], 0.0);
    case("gpu4s_relu", "relu", &[], 0.0);
    case("gpu4s_matmul", "linear", &[], 2e-6);
    case("gpu4s_softmax_wide", "softmax", &[], 1e-5);
    case("gpu4s_softmax_big", "softmax", &[], 1e-5);
}

/// The two outputs of an op of one input over inferences of this shape, which must be alike.
fn by_hand(kind: &str, fields: &[(&str, Given)], shape: &[usize], x: &[f32]) -> Vec<f32> {
    bits_of(&Case::new(kind, fields, shape, x, Vec::new()))
}

fn bits_of(case: &Case<'_>) -> Vec<f32> {
    let [reference, shader] = case.run();
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&reference), bits(&shader));
    reference
}

#[test]
fn products_and_sums_that_a_person_can_check() {
    let weight = (vec![1, 2], vec![2f32, 0.5]);
    let x = [1f32, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
    let linear = Case::new("linear", &[], &[2], &x, vec![weight, (vec![1], vec![-1.0])]);
    assert_eq!(bits_of(&linear), [6.0, 13.0, 20.0, 27.0]);
    let mut add = Case::new("add", &[], &[2], &x, Vec::new());
    add.values.push((vec![2], &x));
    assert_eq!(bits_of(&add), x.map(|value| 2.0 * value));
}

#[test]
fn padding_is_skipped_so_that_an_infinite_weight_at_the_border_does_no_harm() {
    let mut w = vec![f32::INFINITY; 9];
    w[4] = 3.0;
    let padding = [("padding", Given::Number(1))];
    let x = [1f32, 2.0, 3.0, 4.0];
    let conv = Case::new("conv2d", &padding, &[1, 1, 1], &x, vec![(vec![1, 1, 3, 3], w)]);
    assert_eq!(bits_of(&conv), [3.0, 6.0, 9.0, 12.0]);
}

#[test]
fn a_dilated_kernel_skips_places_and_groups_do_not_see_each_other() {
    let fields = [("dilation", list(&[1, 2])), ("groups", Given::Number(2))];
    let x = [1f32, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0];
    let w = (vec![2, 1, 1, 2], vec![1f32, -1.0, 1.0, 1.0]);
    let conv = Case::new("conv2d", &fields, &[2, 1, 4], &x, vec![w]);
    assert_eq!(bits_of(&conv), [-2.0, -2.0, 40.0, 60.0]);
}

#[test]
fn relu_keeps_a_nan_or_makes_it_zero_and_minus_zero_becomes_zero() {
    let nan = f32::from_bits(0xffc0_0001);
    let x = [nan, -0.0, -3.0, 3.0, f32::INFINITY];
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let kept = [nan, 0.0, 0.0, 3.0, f32::INFINITY].map(f32::to_bits);
    assert_eq!(bits(by_hand("relu", &[], &[1], &x)), kept);
    let relu = Case { nan_is_zero: true, ..Case::new("relu", &[], &[1], &x, Vec::new()) };
    assert_eq!(bits_of(&relu)[0].to_bits(), 0);
}

#[test]
fn a_nan_wins_a_window_or_is_passed_over_and_the_first_of_equals_is_kept() {
    let size = [("size", list(&[1, 3]))];
    let x = [1f32, f32::NAN, 2.0, -0.0, 0.0, -1.0];
    let found = by_hand("max-pool", &size, &[1, 1, 3], &x);
    assert_eq!([found[0].to_bits(), found[1].to_bits()], [f32::NAN, -0.0].map(f32::to_bits));
    let case = Case::new("max-pool", &size, &[1, 1, 3], &x, Vec::new());
    assert_eq!(bits_of(&Case { nan_is_zero: true, ..case })[0], 2.0);
}

#[test]
fn sigmoid_ends_at_zero_and_one_and_keeps_a_nan() {
    let x = [f32::NEG_INFINITY, -0.0, 0.0, f32::INFINITY];
    assert_eq!(by_hand("sigmoid", &[], &[1], &x), [0.0, 0.5, 0.5, 1.0]);
    assert!(by_hand("sigmoid", &[], &[1], &[f32::NAN])[0].is_nan());
}

#[test]
fn exp_is_within_two_units_of_the_last_place() {
    let arithmetic = Arithmetic { fma_fused: true, flushes_subnormals: false };
    for step in 0..87_000u32 {
        let x = -(step as f32) / 1000.0;
        let got = beamline::op::exp(arithmetic, x);
        let want = f64::from(x).exp();
        let ulp = f64::from(f32::from_bits(x.exp().to_bits() + 1) - x.exp());
        assert!((f64::from(got) - want).abs() <= 2.0 * ulp, "exp({x}) = {got}, not {want}");
    }
    assert_eq!(beamline::op::exp(arithmetic, f32::NEG_INFINITY).to_bits(), 0);
    assert!(beamline::op::exp(arithmetic, f32::NAN).is_nan());
}

#[test]
fn more_pixels_than_one_dimension_of_the_grid() {
    const SIDE: usize = 1460;
    assert!((SIDE * SIDE).div_ceil(32) > 65_535);
    let x: Vec<f32> = (0..SIDE * SIDE).map(|at| at as f32).collect();
    let weight = (vec![1, 1, 1, 1], vec![0.5f32]);
    let conv = Case::new("conv2d", &[], &[1, SIDE, SIDE], &x, vec![weight]);
    let y = bits_of(&conv);
    assert!(x.iter().zip(&y).all(|(x, y)| x * 0.5 == *y));
}

/// An op as a table has it: kind, fields, shapes of its inputs.
type Row<'r> = (&'r str, Vec<(&'r str, Given)>, Vec<&'r [usize]>);

/// What `output` says of these shapes.
fn shape(kind: &str, fields: &[(&str, Given)], inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    let kind = Kind::named(kind).expect("a kind");
    let settings = kind.settings(fields).expect("fields that the kind takes");
    kind.output(&settings, inputs).map_err(|wrong| format!("{} / {}", wrong.expected, wrong.found))
}

#[test]
fn every_op_gives_the_shape_that_its_formula_says() {
    let number = |name: &'static str, value| (name, Given::Number(value));
    let cases: [(Row<'_>, &[usize]); 11] = [
        (("linear", vec![], vec![&[64], &[128, 64], &[128]]), &[128]),
        (("conv2d", vec![number("padding", 1)], vec![&[16, 8, 8], &[32, 16, 3, 3]]), &[32, 8, 8]),
        (("conv2d", vec![number("stride", 2)], vec![&[3, 10, 7], &[5, 3, 4, 2]]), &[5, 4, 3]),
        (("conv2d", vec![number("dilation", 2)], vec![&[1, 9, 9], &[2, 1, 3, 3]]), &[2, 5, 5]),
        (("max-pool", vec![number("size", 2)], vec![&[32, 8, 8]]), &[32, 4, 4]),
        (("max-pool", vec![number("size", 3), number("stride", 2)], vec![&[1, 8, 9]]), &[1, 3, 4]),
        (("flatten", vec![], vec![&[32, 4, 4]]), &[512]),
        (("relu", vec![], vec![&[2, 3, 4]]), &[2, 3, 4]),
        (("softmax", vec![], vec![&[10]]), &[10]),
        (("add", vec![], vec![&[2, 3], &[2, 3]]), &[2, 3]),
        (("batch-norm", vec![], vec![&[2, 3], &[2], &[2], &[2], &[2]]), &[2, 3]),
    ];
    for ((kind, fields, inputs), output) in cases {
        assert_eq!(shape(kind, &fields, &inputs), Ok(output.to_vec()), "{kind}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused_with_both() {
    let number = |name: &'static str, value| (name, Given::Number(value));
    let cases: [(Row<'_>, &str, &str); 19] = [
        (("linear", vec![], vec![&[64], &[128, 32], &[128]]), "(out, 64)", "(128, 32)"),
        (("linear", vec![], vec![&[64], &[128, 64], &[64]]), "bias of shape (128)", "(64)"),
        (("linear", vec![], vec![&[1, 8, 8], &[9, 64]]), "(features)", "(1, 8, 8)"),
        (("conv2d", vec![], vec![&[64], &[2, 1, 3, 3]]), "(channels, height, width)", "(64)"),
        (("conv2d", vec![], vec![&[3, 8, 8], &[2, 1, 3, 3]]), "(out, 3, rows", "(2, 1, 3, 3)"),
        (
            ("conv2d", vec![number("stride", 0)], vec![&[1, 8, 8], &[2, 1, 3, 3]]),
            "at least 1",
            "stride 0",
        ),
        (
            ("max-pool", vec![number("size", 3), number("padding", 3)], vec![&[1, 8, 8]]),
            "below the 3",
            "3",
        ),
        (
            ("conv2d", vec![number("padding", u32::MAX)], vec![&[1, 8, 8], &[2, 1, 3, 3]]),
            "fewer than 2³¹ places",
            "8589",
        ),
        (("conv2d", vec![], vec![&[1, 2, 2], &[2, 1, 5, 5]]), "at most 2", "5"),
        (("conv2d", vec![], vec![&[1, 2, 2], &[2, 1, 0, 0]]), "at least 1", "size 0"),
        (
            ("conv2d", vec![number("groups", 2)], vec![&[3, 8, 8], &[2, 1, 3, 3]]),
            "divide the 3",
            "2",
        ),
        (
            ("conv2d", vec![number("groups", 0)], vec![&[3, 8, 8], &[2, 1, 3, 3]]),
            "divide the 3",
            "0",
        ),
        (
            ("conv2d", vec![number("groups", 2)], vec![&[4, 8, 8], &[3, 2, 3, 3]]),
            "2 groups divide",
            "3",
        ),
        (("max-pool", vec![number("size", 0)], vec![&[1, 8, 8]]), "at least 1", "size 0"),
        (("max-pool", vec![number("size", 9)], vec![&[1, 8, 8]]), "at most 8", "9"),
        (
            ("max-pool", vec![number("size", 2)], vec![&[8, 8]]),
            "(channels, height, width)",
            "(8, 8)",
        ),
        (("add", vec![], vec![&[2, 3], &[3, 2]]), "the first is (2, 3)", "(3, 2)"),
        (("batch-norm", vec![], vec![&[2, 3], &[2], &[2], &[3], &[2]]), "mean of shape (2)", "(3)"),
        (("batch-norm", vec![], vec![&[], &[2], &[2], &[2], &[2]]), "(channels, …)", "()"),
    ];
    for ((kind, fields, inputs), expected, found) in cases {
        let refused = shape(kind, &fields, &inputs).expect_err(kind);
        let (said, stands) = refused.split_once(" / ").expect("both");
        assert!(said.contains(expected) && stands.contains(found), "{kind}: {refused}");
    }
}
