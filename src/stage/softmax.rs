//! The softmax op: exp(x − max) / Σ exp(x − max) over the features of a row, features ascending.
//!
//! exp is a polynomial of our own kind so that every adapter has the same bits: x = n·ln 2 + r by
//! a two-part ln 2 (Cody and Waite 1980), a polynomial of degree 7 on |r| ≤ ½ ln 2 with the
//! coefficients of Cephes' `expf` (Moshier 1992), and 2ⁿ by exponent. Arguments below −87 give 0.

use super::{Check, GROUP, decision, near_floats, random_floats, same_floats};
use crate::gpu::{Arithmetic, Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Shape and place of the operand, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct SoftmaxParams {
    /// Rows of a block, padded.
    pub rows: u32,
    /// Features.
    pub features: u32,
    /// Blocks.
    pub blocks: u32,
    /// Where slot 0 of x begins.
    pub x_base: u32,
    /// Words between slots of x.
    pub x_stride: u32,
    /// Padding.
    pub pad: [u32; 3],
}

/// The kernel.
#[derive(Debug)]
pub struct Softmax(Kernel);

impl Softmax {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("softmax"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the op for the first `blocks` blocks.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&SoftmaxParams, &Buffer<SoftmaxParams>),
        x: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        let groups = pass.fold(u64::from(params.rows) * u64::from(blocks), GROUP);
        self.0.dispatch(pass, [uniform, x.0, x.1, y], groups);
    }
}

/// exp of an argument at or below zero; a NaN stays one.
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
pub fn exp(arithmetic: Arithmetic, x: f32) -> f32 {
    if decision::is_nan(x.to_bits()) {
        return x;
    }
    if x.to_bits() > 0xc2ae_0000 {
        return 0.0;
    }
    let fma = |a, b, c| arithmetic.fma(a, b, c);
    let n = fma(x, std::f32::consts::LOG2_E, 0.5).floor();
    let r = fma(n, 2.121_944_40e-4, fma(n, -0.693_359_375, x));
    let p = [1.398_199_95e-3, 8.333_452_05e-3, 4.166_579_62e-2, 1.666_666_57e-1, 0.5]
        .into_iter()
        .fold(1.987_569_15e-4, |p, c| fma(p, r, c));
    #[expect(clippy::cast_possible_truncation, reason = "n is a whole number from -126 to 0")]
    let exponent = (n as i32 + 127) as u32;
    (fma(p, r * r, r) + 1.0) * f32::from_bits(exponent << 23)
}

/// The same on the CPU: y `[block, feature, row]`.
pub fn reference(params: &SoftmaxParams, arithmetic: Arithmetic, x: (&[u32], &[u32])) -> Vec<u32> {
    let (rows, features) = (params.rows as usize, params.features as usize);
    let mut y = vec![0; x.1.len() * rows * features];
    for (block, slot) in x.1.iter().enumerate() {
        let from = (params.x_base + slot * params.x_stride) as usize;
        for row in 0..rows {
            let word = |f: usize| x.0[from + f * rows + row];
            let largest = super::max_pool::largest((0..features).map(word), true);
            let exps: Vec<f32> = (0..features)
                .map(|f| exp(arithmetic, f32::from_bits(word(f)) - f32::from_bits(largest)))
                .collect();
            let sum = exps.iter().fold(0.0, |sum, e| sum + e);
            for (f, e) in exps.iter().enumerate() {
                y[(block * features + f) * rows + row] = (e / sum).to_bits();
            }
        }
    }
    y
}

/// Holds the shader to its reference: bit for bit in software, within 2.5 ULP where the division
/// is a hardware's.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[6]);
    let (rows, features, blocks) =
        (4 * rng.random_range(1..20u32), rng.random_range(1..30u32), rng.random_range(1..4u32));
    let params =
        SoftmaxParams { rows, features, blocks, x_base: 4, x_stride: rows * features, pad: [0; 3] };
    let mut x = random_floats(&mut rng, 4 + blocks * params.x_stride, false);
    for word in x.iter_mut().step_by(5) {
        *word = rng.random_range(-100.0f32..100.0).to_bits();
    }
    let slots: Vec<u32> = (0..blocks).rev().collect();
    let want = reference(&params, gpu.adapter().arithmetic, (&x, &slots));
    let y = gpu.upload("y", &vec![u32::MAX - 1; want.len()]);
    let stage = Softmax::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (xb, xs) = (gpu.upload("x", &x), gpu.upload("slots", &slots));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), (&xb, &xs), &y, blocks))?;
    let got = gpu.read(&y)?;
    Ok(if gpu.adapter().software {
        same_floats("softmax", &got, &want)
    } else {
        near_floats("softmax", &got, &want, 3)
    })
}
