//! The max-pool op on bits: the first maximum of each window; a NaN propagates or is passed over.

use super::{Check, GROUP, decision, random_floats, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Shapes and place of the operand, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct MaxPoolParams {
    /// Rows of a block, padded.
    pub rows: u32,
    /// Channels.
    pub channels: u32,
    /// Input height.
    pub height: u32,
    /// Input width.
    pub width: u32,
    /// Rows and columns of the window.
    pub size: u32,
    /// Rows and columns between windows.
    pub stride: u32,
    /// Output height.
    pub out_height: u32,
    /// Output width.
    pub out_width: u32,
    /// Where slot 0 of x begins.
    pub x_base: u32,
    /// Words between slots of x.
    pub x_stride: u32,
    /// 1 where a NaN is passed over.
    pub nan_is_zero: u32,
    /// Blocks.
    pub blocks: u32,
}

/// The kernel.
#[derive(Debug)]
pub struct MaxPool(Kernel);

impl MaxPool {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("max_pool"), "main", &[("GROUP", f64::from(GROUP))])
            .map(Self)
    }

    /// Records the op for the first `blocks` blocks.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&MaxPoolParams, &Buffer<MaxPoolParams>),
        x: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        let words = params.rows * params.channels * params.out_height * params.out_width;
        let groups = pass.fold(u64::from(words) * u64::from(blocks), GROUP);
        self.0.dispatch(pass, [uniform, x.0, x.1, y], groups);
    }
}

/// The same on the CPU: y `[block, channel, row, column, row of block]`.
pub fn reference(params: &MaxPoolParams, x: (&[u32], &[u32])) -> Vec<u32> {
    let rows = params.rows as usize;
    let mut y = Vec::new();
    for slot in x.1 {
        let from = (params.x_base + slot * params.x_stride) as usize;
        for channel in 0..params.channels {
            for pixel in 0..params.out_height * params.out_width {
                let (row, column) = (
                    pixel / params.out_width * params.stride,
                    pixel % params.out_width * params.stride,
                );
                for lane_row in 0..rows {
                    let window = (0..params.size * params.size).map(|i| {
                        let (dy, dx) = (i / params.size, i % params.size);
                        let at = (channel * params.height + row + dy) * params.width + column + dx;
                        x.0[from + at as usize * rows + lane_row]
                    });
                    y.push(largest(window, params.nan_is_zero != 0));
                }
            }
        }
    }
    y
}

/// The first maximum, or the first NaN where NaN propagates; -infinity where all are passed over.
pub fn largest(words: impl Iterator<Item = u32>, nan_is_zero: bool) -> u32 {
    let mut best = 0xff80_0000;
    let mut nan = None;
    for word in words {
        if decision::is_nan(word) {
            nan = nan.or(Some(word));
        } else if decision::key(word) > decision::key(best) {
            best = word;
        }
    }
    nan.filter(|_| !nan_is_zero).unwrap_or(best)
}

/// Holds the shader to its reference on awkward floats.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[5]);
    let (size, stride) = (rng.random_range(1..4u32), rng.random_range(1..4u32));
    let (height, width) = (rng.random_range(size..9u32), rng.random_range(size..9u32));
    let (rows, channels, blocks) =
        (4 * rng.random_range(1..6u32), rng.random_range(1..4u32), rng.random_range(1..4u32));
    let params = MaxPoolParams {
        rows,
        channels,
        height,
        width,
        size,
        stride,
        out_height: (height - size) / stride + 1,
        out_width: (width - size) / stride + 1,
        x_base: 4,
        x_stride: channels * height * width * rows,
        nan_is_zero: u32::from(seed.is_multiple_of(2)),
        blocks,
    };
    let x = random_floats(&mut rng, 4 + blocks * params.x_stride, true);
    let slots: Vec<u32> = (0..blocks).rev().collect();
    let want = reference(&params, (&x, &slots));
    let y = gpu.upload("y", &vec![u32::MAX - 1; want.len()]);
    let stage = MaxPool::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (xb, xs) = (gpu.upload("x", &x), gpu.upload("slots", &slots));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), (&xb, &xs), &y, blocks))?;
    Ok(same_bits("max_pool", &gpu.read(&y)?, &want))
}
