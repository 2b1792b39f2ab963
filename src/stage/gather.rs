//! The gather stage: reads listed words back from the buffer that the workload's shader reads.

use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// The kernel.
#[derive(Debug)]
pub struct Gather(Kernel);

impl Gather {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("gather"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the read of `memory` at `list` (made with [`Gpu::list`]) into `words`.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        list: &Buffer<u32>,
        memory: &Buffer<u32>,
        words: &Buffer<u32>,
    ) {
        let groups = pass.fold(list.len() as u64, GROUP);
        self.0.dispatch(pass, [list, memory, words], groups);
    }
}

/// The same on the CPU; an index out of range reads nothing and gives 0.
pub fn reference(list: &[u32], memory: &[u32]) -> Vec<u32> {
    list.iter().map(|at| memory.get(*at as usize).copied().unwrap_or(0)).collect()
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[8]);
    let words = 4 * rng.random_range(1..500u32);
    let memory = random_words(&mut rng, words);
    let list: Vec<u32> =
        (0..rng.random_range(1..200)).map(|_| rng.random_range(0..words + 2)).collect();
    let stage = Gather::new(gpu)?;
    let (lb, mb) = (gpu.list("list", &list), gpu.upload("memory", &memory));
    let out = gpu.zeroed("words", list.len());
    gpu.submit(|pass| stage.encode(pass, &lb, &mb, &out))?;
    Ok(same_bits("gather", &gpu.read(&out)?, &reference(&list, &memory)))
}
