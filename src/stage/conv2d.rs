//! The conv2d op: cross-correlation, channels, kernel rows and columns ascending from +0 with fma;
//! padding is skipped, not added; the bias last.

use super::inject::TRAP_ECC;
use super::stored::{Form, Stored, random_stored};
use super::tile::{self, Problem, Tiles};
use super::{Check, random_floats};
use crate::gpu::{Arithmetic, Error, Gpu};
use crate::seed::{Domain, stream};

/// Shapes and places of the operands; bases and strides of x in quads of rows, of w in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Conv2dParams {
    /// Row quads of a block.
    pub quads: u32,
    /// Input channels.
    pub channels: u32,
    /// Input height.
    pub height: u32,
    /// Input width.
    pub width: u32,
    /// Output channels.
    pub outputs: u32,
    /// Kernel height << 16 | kernel width.
    pub size: u32,
    /// Rows and columns between outputs.
    pub stride: u32,
    /// Rows and columns of padding on each side.
    pub padding: u32,
    /// Output height.
    pub out_height: u32,
    /// Output width.
    pub out_width: u32,
    /// 1 where a bias is added.
    pub has_bias: u32,
    /// Where slot 0 of x begins.
    pub x_base: u32,
    /// Quads between slots of x; 0 is shared golden.
    pub x_stride: u32,
    /// Where the weight begins in slot 0.
    pub w_base: u32,
    /// Words between slots of w; 0 is shared golden.
    pub w_stride: u32,
    /// Where the bias begins in slot 0.
    pub b_base: u32,
    /// Where copies and check words of w lie.
    pub stored: Stored,
    /// Padding.
    pub pad: u32,
}

impl tile::Params for Conv2dParams {
    const SHADER: &'static str = "conv2d";

    fn quads(&self) -> u32 {
        self.quads
    }

    fn cells(&self) -> u32 {
        self.out_height * self.out_width
    }

    fn outputs(&self) -> u32 {
        self.outputs
    }

    fn placed(self, w_stride: u32, stored: Stored) -> Self {
        Self { w_stride, stored, ..self }
    }

    fn reference(
        &self,
        form: Form,
        arithmetic: Arithmetic,
        x: (&[u32], &[u32]),
        w: (&[u32], &[u32]),
        traps: &mut [u32],
    ) -> Vec<u32> {
        reference_stored(form, self, arithmetic, x, w, traps)
    }
}

/// The conv2d op.
pub type Conv2d = Tiles<Conv2dParams>;

/// The same on the CPU: y `[block, output, row, column, row of block]`.
pub fn reference(
    params: &Conv2dParams,
    arithmetic: Arithmetic,
    x: (&[u32], &[u32]),
    w: (&[u32], &[u32]),
) -> Vec<u32> {
    reference_stored(Form::Bare, params, arithmetic, x, w, &mut [])
}

/// The same, with the weights read so. `traps` `[slot]` is only for the form that decodes.
pub fn reference_stored(
    form: Form,
    params: &Conv2dParams,
    arithmetic: Arithmetic,
    x: (&[u32], &[u32]),
    w: (&[u32], &[u32]),
    traps: &mut [u32],
) -> Vec<u32> {
    let rows = 4 * params.quads as usize;
    let (kh, kw) = (params.size >> 16, params.size & 0xffff);
    let taps = params.channels * kh * kw;
    let mut y = Vec::new();
    let mut sums = vec![0f32; rows];
    for (x_slot, w_slot) in x.1.iter().zip(w.1) {
        let from = 4 * (params.x_base + x_slot * params.x_stride) as usize;
        let slot = (w_slot * params.w_stride) as usize;
        let mut stored = |index: u32| {
            let (word, lost) = params.stored.word(form, w.0, slot, index as usize);
            if lost {
                traps[*w_slot as usize] |= TRAP_ECC;
            }
            f32::from_bits(word)
        };
        for output in 0..params.outputs {
            for pixel in 0..params.out_height * params.out_width {
                sums.fill(0.0);
                for tap in 0..taps {
                    let (kx, ky) = (tap % kw, tap / kw % kh);
                    let channel = tap / kw / kh;
                    let row = i64::from(pixel / params.out_width * params.stride + ky)
                        - i64::from(params.padding);
                    let column = i64::from(pixel % params.out_width * params.stride + kx)
                        - i64::from(params.padding);
                    let (Ok(row), Ok(column)) = (u32::try_from(row), u32::try_from(column)) else {
                        continue;
                    };
                    if row >= params.height || column >= params.width {
                        continue;
                    }
                    let feature =
                        ((channel * params.height + row) * params.width + column) as usize;
                    let weight = stored(params.w_base + output * taps + tap);
                    let words = &x.0[from + feature * rows..][..rows];
                    for (sum, word) in sums.iter_mut().zip(words) {
                        *sum = arithmetic.fma(f32::from_bits(*word), weight, *sum);
                    }
                }
                if params.has_bias != 0 {
                    let bias = stored(params.b_base + output);
                    sums.iter_mut().for_each(|sum| *sum += bias);
                }
                y.extend(sums.iter().map(|sum| sum.to_bits()));
            }
        }
    }
    y
}

/// Holds the shader to its reference on random shapes, strides and paddings, in every form, and the
/// forms that protect to their stage and the bare op after it.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    tile::hold(gpu, seed, |form| problem(seed, form, keeps))
}

fn problem(seed: u64, form: Form, keeps: bool) -> Problem<Conv2dParams> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[2, form as u64]);
    let (kh, kw) = (rng.random_range(1..4u32), rng.random_range(1..4u32));
    let (stride, padding) = (rng.random_range(1..3u32), rng.random_range(0..2u32));
    let (height, width) = (rng.random_range(kh..8u32), rng.random_range(kw..8u32));
    let (channels, outputs) = (rng.random_range(1..4u32), rng.random_range(1..11u32));
    let quads = rng.random_range(1..20u32);
    let blocks = rng.random_range(1..4u32);
    let out_height = (height + 2 * padding - kh) / stride + 1;
    let out_width = (width + 2 * padding - kw) / stride + 1;
    let words = outputs * (channels * kh * kw + 1) + 1;
    let x_quads = channels * height * width * quads;
    let golden: Vec<_> = (0..blocks).map(|_| random_floats(&mut rng, 1 + words, keeps)).collect();
    let (w_stride, stored, w) = random_stored(&mut rng, form, &golden);
    let params = Conv2dParams {
        quads,
        channels,
        height,
        width,
        outputs,
        size: kh << 16 | kw,
        stride,
        padding,
        out_height,
        out_width,
        has_bias: rng.random_range(0..2),
        x_base: 2,
        x_stride: x_quads,
        w_base: 1,
        w_stride,
        b_base: 1 + outputs * channels * kh * kw,
        stored,
        pad: 0,
    };
    let x = random_floats(&mut rng, 4 * (2 + blocks * x_quads), keeps);
    let xs: Vec<u32> = (0..blocks).rev().collect();
    let ws: Vec<u32> = (0..blocks).map(|_| rng.random_range(0..blocks)).collect();
    Problem { params, x: (x, xs), w: (w, ws), stored, stride: w_stride, shared: false }
}
