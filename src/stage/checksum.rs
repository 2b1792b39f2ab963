//! The checksum stage: a sum over each slot that every single wrong word changes.
//!
//! Each word goes through a bijection that depends on its index and the results are added modulo
//! 2³², so the order does not matter and one wrong word always shows.

use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Words that one invocation sums.
const CHUNK: u32 = 256;

/// The shape of the slots, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct ChecksumParams {
    /// Words to sum in a slot.
    pub words: u32,
    /// Words between slots.
    pub stride: u32,
    /// Slots.
    pub slots: u32,
    /// Chunks in a slot.
    pub chunks: u32,
}

impl ChecksumParams {
    /// The parameters for `words` words of `slots` slots.
    pub const fn new(words: u32, stride: u32, slots: u32) -> Self {
        Self { words, stride, slots, chunks: words.div_ceil(CHUNK) }
    }
}

/// The kernel.
#[derive(Debug)]
pub struct Checksum(Kernel);

impl Checksum {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        let constants = [("GROUP", f64::from(GROUP)), ("CHUNK", f64::from(CHUNK))];
        Kernel::new(gpu, Source::named("checksum"), "main", &constants).map(Self)
    }

    /// Records the sums, added to what `sums` `[slot]` holds.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&ChecksumParams, &Buffer<ChecksumParams>),
        memory: &Buffer<u32>,
        sums: &Buffer<u32>,
    ) {
        let groups = pass.fold(u64::from(params.chunks) * u64::from(params.slots), GROUP);
        self.0.dispatch(pass, [uniform, memory, sums], groups);
    }
}

const fn mix(index: u32, word: u32) -> u32 {
    let h = (word ^ index.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
    (h ^ (h >> 15)).wrapping_mul(0xc2b2_ae35)
}

/// The sum of one image.
pub fn sum(image: &[u32]) -> u32 {
    (0u32..).zip(image).fold(0, |sum, (index, word)| sum.wrapping_add(mix(index, *word)))
}

/// The same on the CPU: the sum of each slot.
pub fn reference(params: &ChecksumParams, memory: &[u32]) -> Vec<u32> {
    (0..params.slots)
        .map(|slot| sum(&memory[(slot * params.stride) as usize..][..params.words as usize]))
        .collect()
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[12]);
    let (words, slots) = (rng.random_range(1..2000u32), rng.random_range(1..9u32));
    let params = ChecksumParams::new(words, words + 3, slots);
    let memory = random_words(&mut rng, slots * params.stride);
    let stage = Checksum::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (mb, sums) = (gpu.upload("memory", &memory), gpu.zeroed("sums", slots as usize));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &mb, &sums))?;
    Ok(same_bits("checksum", &gpu.read(&sums)?, &reference(&params, &memory)))
}
