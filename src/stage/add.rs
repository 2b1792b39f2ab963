//! The add op: the elementwise sum of two values of one shape.

use super::{Check, GROUP, random_floats, same_floats};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Shape and places of the operands, in quads of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct AddParams {
    /// Quads of words in a block.
    pub quads: u32,
    /// Blocks.
    pub blocks: u32,
    /// Where slot 0 of a begins.
    pub a_base: u32,
    /// Quads between slots of a.
    pub a_stride: u32,
    /// Where slot 0 of b begins.
    pub b_base: u32,
    /// Quads between slots of b.
    pub b_stride: u32,
    /// Padding.
    pub pad: [u32; 2],
}

/// The kernel.
#[derive(Debug)]
pub struct Add(Kernel);

impl Add {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("add"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the op for the first `blocks` blocks.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&AddParams, &Buffer<AddParams>),
        a: (&Buffer<u32>, &Buffer<u32>),
        b: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        let groups = pass.fold(u64::from(params.quads) * u64::from(blocks), GROUP);
        self.0.dispatch(pass, [uniform, a.0, a.1, b.0, b.1, y], groups);
    }
}

/// The same on the CPU: y `[block, word]`.
pub fn reference(params: &AddParams, a: (&[u32], &[u32]), b: (&[u32], &[u32])) -> Vec<u32> {
    let words = 4 * params.quads as usize;
    let mut y = Vec::with_capacity(words * a.1.len());
    for (a_slot, b_slot) in a.1.iter().zip(b.1) {
        let left = &a.0[4 * (params.a_base + a_slot * params.a_stride) as usize..][..words];
        let right = &b.0[4 * (params.b_base + b_slot * params.b_stride) as usize..][..words];
        let sum = |(l, r): (&u32, &u32)| (f32::from_bits(*l) + f32::from_bits(*r)).to_bits();
        y.extend(left.iter().zip(right).map(sum));
    }
    y
}

/// Holds the shader to its reference on awkward floats.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[4]);
    let (quads, blocks) = (rng.random_range(1..200u32), rng.random_range(1..5u32));
    let params = AddParams {
        quads,
        blocks,
        a_base: 1,
        a_stride: quads,
        b_base: 0,
        b_stride: 0,
        pad: [0; 2],
    };
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    let a = random_floats(&mut rng, 4 * (1 + blocks * quads), keeps);
    let b = random_floats(&mut rng, 4 * quads, keeps);
    let slots: Vec<u32> = (0..blocks).rev().collect();
    let y = gpu.upload("y", &vec![u32::MAX; (4 * blocks * quads) as usize]);
    let stage = Add::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (ab, bb, sb) = (gpu.upload("a", &a), gpu.upload("b", &b), gpu.upload("slots", &slots));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), (&ab, &sb), (&bb, &sb), &y, blocks))?;
    Ok(same_floats("add", &gpu.read(&y)?, &reference(&params, (&a, &slots), (&b, &slots))))
}
