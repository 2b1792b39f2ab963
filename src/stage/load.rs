//! The load stage: whole ranges of golden into slots, for the first image, the inputs of a step
//! and a reload.

use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Ranges in quads of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct LoadParams {
    /// Quads in a range.
    pub quads: u32,
    /// Where window 0 begins in golden.
    pub src_base: u32,
    /// Quads between windows.
    pub src_stride: u32,
    /// Where the range begins in slot 0 of memory.
    pub dst_base: u32,
    /// Quads between slots.
    pub dst_stride: u32,
    /// Padding.
    pub pad: [u32; 3],
}

/// The kernel.
#[derive(Debug)]
pub struct Load(Kernel);

impl Load {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("load"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the load of `list` (made with [`Gpu::list`]): (slot of memory, window of golden).
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&LoadParams, &Buffer<LoadParams>),
        list: &Buffer<[u32; 2]>,
        golden: &Buffer<u32>,
        memory: &Buffer<u32>,
    ) {
        let groups = pass.fold(u64::from(params.quads) * list.len() as u64, GROUP);
        self.0.dispatch(pass, [uniform, list, golden, memory], groups);
    }
}

/// The same on the CPU.
pub fn reference(params: &LoadParams, list: &[[u32; 2]], golden: &[u32], memory: &mut [u32]) {
    let words = 4 * params.quads as usize;
    for [slot, window] in list {
        let to = 4 * (params.dst_base + slot * params.dst_stride) as usize;
        let from = 4 * (params.src_base + window * params.src_stride) as usize;
        memory[to..to + words].copy_from_slice(&golden[from..from + words]);
    }
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[10]);
    let (quads, windows, slots) =
        (rng.random_range(1..90u32), rng.random_range(1..5u32), rng.random_range(1..6u32));
    let params = LoadParams {
        quads,
        src_base: 2,
        src_stride: quads,
        dst_base: 3,
        dst_stride: quads + 4,
        pad: [0; 3],
    };
    let golden = random_words(&mut rng, 4 * (2 + windows * quads));
    let mut memory = random_words(&mut rng, 4 * (3 + slots * params.dst_stride));
    let list: Vec<[u32; 2]> = (0..slots)
        .filter(|slot| *slot != 1)
        .map(|slot| [slot, rng.random_range(0..windows)])
        .collect();
    let stage = Load::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (lb, gb, mb) =
        (gpu.list("list", &list), gpu.upload("golden", &golden), gpu.upload("memory", &memory));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &lb, &gb, &mb))?;
    reference(&params, &list, &golden, &mut memory);
    Ok(same_bits("load", &gpu.read(&mb)?, &memory))
}
