//! Stored weights that are quantised numbers: linear and conv2d turn them into floats as they load them,
//! (w − zero) · scale, as a `DequantizeLinear` before the op would. `shaders/lib/tile.wgsl` does the same.

use super::dtype::{Dtype, float, quantised};
use super::field::{Field, Holds};
use super::shape::Shape;
use super::{Call, InputPlace, Mismatch};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

const fn of_outputs(name: &'static str, required: bool, meaning: &'static str) -> Field {
    Field { name, holds: Holds::Tensor { required, axes: &["output"] }, meaning }
}

pub(super) const SCALE: Field = of_outputs("scale", true, "f32, shape (1) or (outputs)");
pub(super) const ZERO: Field =
    of_outputs("zero", true, "of the type of the weight, shape (1) or (outputs)");
pub(super) const BIAS_SCALE: Field =
    of_outputs("bias_scale", false, "with a bias of i32: f32, shape (1) or (outputs)");

/// Where the tensors that scale the weights lie: of each its first element, and 1 where every output has
/// its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lies {
    scale: [u32; 2],
    zero: [u32; 2],
    bias_scale: Option<[u32; 2]>,
}

impl Lies {
    /// Those of a call, where its weights are quantised numbers.
    pub(super) fn of(call: &Call<'_>) -> Option<Self> {
        let [weight, scale, zero, rest @ ..] = &call.inputs[1..] else { return None };
        quantised(weight.dtype).ok()?;
        Some(Self {
            scale: scale.each(),
            zero: zero.each(),
            bias_scale: rest.get(1).map(InputPlace::each),
        })
    }

    /// The parameters of a kernel.
    pub(super) fn params(self) -> [(&'static str, u32); 7] {
        let bias_scale = self.bias_scale.unwrap_or_default();
        [
            ("scale", self.scale[0]),
            ("scale_step", self.scale[1]),
            ("zero", self.zero[0]),
            ("zero_step", self.zero[1]),
            ("whole_bias", self.bias_scale.is_some().into()),
            ("bias_scale", bias_scale[0]),
            ("bias_scale_step", bias_scale[1]),
        ]
    }
}

/// Refuses tensors beside a weight of so many outputs that have other shapes.
pub(super) fn check(inputs: &[&[usize]], outputs: usize) -> Result<(), Mismatch> {
    for (name, found) in ["scale", "zero", "bias", "bias_scale"].iter().zip(&inputs[2..]) {
        if **found != [outputs] && (**found != [1] || *name == "bias") {
            let one = if *name == "bias" { "" } else { "(1) or " };
            let expected = format!("`{name}` of shape {one}({outputs})");
            return Err(Mismatch::new(expected, Shape(found).to_string()));
        }
    }
    Ok(())
}

/// The type of the output.
pub(super) fn dtype(inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
    inputs[0].expect(Dtype::F32)?;
    let bias = if inputs.len() > 5 { Dtype::I32 } else { Dtype::F32 };
    let wanted = [
        ("scale", Dtype::F32),
        ("zero", quantised(inputs[1])?),
        ("bias", bias),
        ("bias_scale", Dtype::F32),
    ];
    for ((name, dtype), found) in wanted.iter().zip(&inputs[2..]) {
        if found != dtype {
            return Err(Mismatch::new(format!("`{name}` of {}", dtype.name()), found.name()));
        }
    }
    Ok(Dtype::F32)
}

/// The weights and the bias of a call as bits of F32.
pub(super) fn dequantised(call: &Call<'_>, inputs: &[&[u32]]) -> (Vec<u32>, Option<Vec<u32>>) {
    let outputs = call.inputs[1].shape[0];
    let each = |of: &[u32], output: usize| of[if of.len() > 1 { output } else { 0 }];
    let taps = inputs[1].len() / outputs;
    let weight = inputs[1].iter().enumerate().map(|(at, number)| {
        let [scale, zero] = [2, 3].map(|tensor| each(inputs[tensor], at / taps));
        (float(number.wrapping_sub(zero)) * f32::from_bits(scale)).to_bits()
    });
    let bias = inputs.get(4).map(|bias| match inputs.get(5) {
        None => bias.to_vec(),
        Some(scale) => {
            let scaled = |(output, number): (usize, &u32)| {
                (float(*number) * f32::from_bits(each(scale, output))).to_bits()
            };
            bias.iter().enumerate().map(scaled).collect()
        }
    });
    (weight.collect(), bias)
}

/// Puts the shapes of a scale and a zero point behind the weight in those of a problem, perhaps that of a
/// bias' scale at the end, and gives the types of all.
pub(super) fn draw(draws: &mut Xoshiro256PlusPlus, shapes: &mut Vec<Vec<usize>>) -> Vec<Dtype> {
    let outputs = shapes[1][0];
    let mut each = || vec![if draws.random_bool(0.5) { outputs } else { 1 }];
    let (several, of_bias) = (each(), each());
    shapes.splice(2..2, [several.clone(), several]);
    let number = if draws.random_bool(0.5) { Dtype::I8 } else { Dtype::U8 };
    let mut dtypes = vec![Dtype::F32, number, Dtype::F32, number, Dtype::F32];
    if shapes.len() == 5 && draws.random_bool(0.5) {
        dtypes[4] = Dtype::I32;
        shapes.push(of_bias);
        dtypes.push(Dtype::F32);
    }
    dtypes.truncate(shapes.len());
    dtypes
}
