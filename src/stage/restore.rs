//! The restore stage: golden over a list of words, after a trial or as a reload.

use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// The kernel.
#[derive(Debug)]
pub struct Restore(Kernel);

impl Restore {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("restore"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the restoration of `list` (made with [`Gpu::list`]): (word of memory, word of golden).
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        list: &Buffer<[u32; 2]>,
        golden: &Buffer<u32>,
        memory: &Buffer<u32>,
    ) {
        let groups = pass.fold(list.len() as u64, GROUP);
        self.0.dispatch(pass, [list, golden, memory], groups);
    }
}

/// The same on the CPU; entries out of range are passed over.
pub fn reference(list: &[[u32; 2]], golden: &[u32], memory: &mut [u32]) {
    for [to, from] in list {
        if let (Some(word), Some(gold)) = (memory.get_mut(*to as usize), golden.get(*from as usize))
        {
            *word = *gold;
        }
    }
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[9]);
    let words = 4 * rng.random_range(1..300u32);
    let golden = random_words(&mut rng, words);
    let mut memory = random_words(&mut rng, 3 * words);
    let list: Vec<[u32; 2]> = (0..rng.random_range(1..150))
        .map(|_| {
            let word = rng.random_range(0..words);
            [word + words * rng.random_range(0..4u32), word]
        })
        .collect();
    let stage = Restore::new(gpu)?;
    let (lb, gb, mb) =
        (gpu.list("list", &list), gpu.upload("golden", &golden), gpu.upload("memory", &memory));
    gpu.submit(|pass| stage.encode(pass, &lb, &gb, &mb))?;
    reference(&list, &golden, &mut memory);
    Ok(same_bits("restore", &gpu.read(&mb)?, &memory))
}
