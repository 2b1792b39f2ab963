//! The ReLU op on bits: a set sign gives +0; a NaN propagates or becomes +0.

use super::{Check, GROUP, decision, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Shape and place of the operand, in quads of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct ReluParams {
    /// Quads of words in a block.
    pub quads: u32,
    /// Blocks.
    pub blocks: u32,
    /// Where slot 0 of x begins.
    pub x_base: u32,
    /// Quads between slots of x.
    pub x_stride: u32,
    /// 1 where a NaN becomes +0.
    pub nan_is_zero: u32,
    /// Padding.
    pub pad: [u32; 3],
}

/// The kernel.
#[derive(Debug)]
pub struct Relu(Kernel);

impl Relu {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("relu"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the op for the first `blocks` blocks.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&ReluParams, &Buffer<ReluParams>),
        x: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        let groups = pass.fold(u64::from(params.quads) * u64::from(blocks), GROUP);
        self.0.dispatch(pass, [uniform, x.0, x.1, y], groups);
    }
}

/// One word.
pub const fn relu(word: u32, nan_is_zero: bool) -> u32 {
    if decision::is_nan(word) {
        if nan_is_zero { 0 } else { word }
    } else if word >> 31 == 1 {
        0
    } else {
        word
    }
}

/// The same on the CPU: y `[block, word]`.
pub fn reference(params: &ReluParams, x: (&[u32], &[u32])) -> Vec<u32> {
    let words = 4 * params.quads as usize;
    let block = |slot: &u32| &x.0[4 * (params.x_base + slot * params.x_stride) as usize..][..words];
    x.1.iter().flat_map(block).map(|word| relu(*word, params.nan_is_zero != 0)).collect()
}

/// Holds the shader to its reference on random bits.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[3]);
    let (quads, blocks) = (rng.random_range(1..300u32), rng.random_range(1..5u32));
    let nan_is_zero = u32::from(seed.is_multiple_of(2));
    let params = ReluParams { quads, blocks, x_base: 3, x_stride: quads, nan_is_zero, pad: [0; 3] };
    let mut x = random_words(&mut rng, 4 * (3 + blocks * quads));
    for word in x.iter_mut().step_by(3) {
        *word |= 0x7f80_0000;
    }
    let slots: Vec<u32> = (0..blocks).rev().collect();
    let y = gpu.upload("y", &vec![u32::MAX; (4 * blocks * quads) as usize]);
    let stage = Relu::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (xb, xs) = (gpu.upload("x", &x), gpu.upload("slots", &slots));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), (&xb, &xs), &y, blocks))?;
    Ok(same_bits("relu", &gpu.read(&y)?, &reference(&params, (&x, &slots))))
}
