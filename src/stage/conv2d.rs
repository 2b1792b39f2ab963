//! The conv2d op: cross-correlation, channels, kernel rows and columns ascending from +0 with fma;
//! padding is skipped, not added; the bias last.

use super::{Check, random_floats, same_floats};
use crate::gpu::{Arithmetic, Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Output channels that one invocation computes.
const OUTPUTS: u32 = 8;
/// Invocations in a workgroup.
const GROUP: u32 = 32;

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
}

/// The kernel.
#[derive(Debug)]
pub struct Conv2d(Kernel);

impl Conv2d {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("conv2d"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the op for `blocks` blocks. `uniform` holds `params`.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&Conv2dParams, &Buffer<Conv2dParams>),
        x: (&Buffer<u32>, &Buffer<u32>),
        w: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        let pixels = params.out_height * params.out_width;
        let invocations = params.quads * pixels * params.outputs.div_ceil(OUTPUTS);
        let groups = [invocations.div_ceil(GROUP), blocks, 1];
        self.0.dispatch(pass, [uniform, x.0, x.1, w.0, w.1, y], groups);
    }
}

/// The same on the CPU: y `[block, output, row, column, row of block]`.
pub fn reference(
    params: &Conv2dParams,
    arithmetic: Arithmetic,
    x: (&[u32], &[u32]),
    w: (&[u32], &[u32]),
) -> Vec<u32> {
    let rows = 4 * params.quads as usize;
    let (kh, kw) = (params.size >> 16, params.size & 0xffff);
    let taps = params.channels * kh * kw;
    let mut y = Vec::new();
    let mut sums = vec![0f32; rows];
    for (x_slot, w_slot) in x.1.iter().zip(w.1) {
        let from = 4 * (params.x_base + x_slot * params.x_stride) as usize;
        let slot = (w_slot * params.w_stride) as usize;
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
                    let weight = f32::from_bits(
                        w.0[params.w_base as usize + slot + (output * taps + tap) as usize],
                    );
                    let words = &x.0[from + feature * rows..][..rows];
                    for (sum, word) in sums.iter_mut().zip(words) {
                        *sum = arithmetic.fma(f32::from_bits(*word), weight, *sum);
                    }
                }
                if params.has_bias != 0 {
                    let bias = f32::from_bits(w.0[(params.b_base + output) as usize + slot]);
                    sums.iter_mut().for_each(|sum| *sum += bias);
                }
                y.extend(sums.iter().map(|sum| sum.to_bits()));
            }
        }
    }
    y
}

/// Holds the shader to its reference on random shapes, strides and paddings.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[2]);
    let (kh, kw) = (rng.random_range(1..4u32), rng.random_range(1..4u32));
    let (stride, padding) = (rng.random_range(1..3u32), rng.random_range(0..2u32));
    let (height, width) = (rng.random_range(kh..8u32), rng.random_range(kw..8u32));
    let (channels, outputs) = (rng.random_range(1..4u32), rng.random_range(1..11u32));
    let (quads, blocks) = (rng.random_range(1..4u32), rng.random_range(1..4u32));
    let out_height = (height + 2 * padding - kh) / stride + 1;
    let out_width = (width + 2 * padding - kw) / stride + 1;
    let words = outputs * (channels * kh * kw + 1) + 1;
    let x_quads = channels * height * width * quads;
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
        w_stride: words,
        b_base: 1 + outputs * channels * kh * kw,
    };
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    let x = random_floats(&mut rng, 4 * (2 + blocks * x_quads), keeps);
    let w = random_floats(&mut rng, 1 + blocks * words, keeps);
    let xs: Vec<u32> = (0..blocks).rev().collect();
    let ws: Vec<u32> = (0..blocks).map(|_| rng.random_range(0..blocks)).collect();
    let y = gpu.upload(
        "y",
        &vec![u32::MAX; (blocks * outputs * out_height * out_width * 4 * quads) as usize],
    );
    let stage = Conv2d::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (xb, xsb) = (gpu.upload("x", &x), gpu.upload("x slots", &xs));
    let (wb, wsb) = (gpu.upload("w", &w), gpu.upload("w slots", &ws));
    gpu.submit(|pass| {
        stage.encode(pass, (&params, &uniform), (&xb, &xsb), (&wb, &wsb), &y, blocks);
    })?;
    let want = reference(&params, gpu.adapter().arithmetic, (&x, &xs), (&w, &ws));
    Ok(same_floats("conv2d", &gpu.read(&y)?, &want))
}
