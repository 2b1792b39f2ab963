//! The copy stage: a plain copy, the measure of what the adapter's memory gives a shader.

use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// The kernel.
#[derive(Debug)]
pub struct Copy(Kernel);

impl Copy {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("copy"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the copy of `from` over the start of `to`, in quads of words.
    pub fn encode(&self, pass: &mut Pass<'_>, from: &Buffer<u32>, to: &Buffer<u32>) {
        let groups = pass.fold(from.len().div_ceil(4) as u64, GROUP);
        self.0.dispatch(pass, [from, to], groups);
    }
}

/// The same on the CPU.
pub fn reference(from: &[u32]) -> Vec<u32> {
    from.to_vec()
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[13]);
    let words = random_words(&mut rng, 4);
    let words: Vec<u32> = words.into_iter().cycle().take(4 * rng.random_range(1..5000)).collect();
    let stage = Copy::new(gpu)?;
    let (from, to) = (gpu.upload("from", &words), gpu.zeroed("to", words.len()));
    gpu.submit(|pass| stage.encode(pass, &from, &to))?;
    Ok(same_bits("copy", &gpu.read(&to)?, &reference(&words)))
}
