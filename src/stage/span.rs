//! The span stage: spans of words from one memory to another, such as golden weights into pages.

use super::{Check, GROUP, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// How long a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct SpanParams {
    /// Words of each span.
    pub words: u32,
    /// Padding.
    pub pad: [u32; 3],
}

/// The kernel.
#[derive(Debug)]
pub struct Span(Kernel);

impl Span {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("span"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the copy of `list` (made with [`Gpu::list`]): (first word of `source`, first word of
    /// `memory`).
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&SpanParams, &Buffer<SpanParams>),
        list: &Buffer<[u32; 2]>,
        source: &Buffer<u32>,
        memory: &Buffer<u32>,
    ) {
        let groups = pass.fold(u64::from(params.words) * list.len() as u64, GROUP);
        self.0.dispatch(pass, [uniform, list, source, memory], groups);
    }
}

/// The same on the CPU.
pub fn reference(params: &SpanParams, list: &[[u32; 2]], source: &[u32], memory: &mut [u32]) {
    let words = params.words as usize;
    for [from, to] in list.iter().map(|entry| entry.map(|word| word as usize)) {
        memory[to..to + words].copy_from_slice(&source[from..from + words]);
    }
}

/// Holds the shader to its reference: spans of one length from anywhere, one behind the other.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[20]);
    let (words, entries) = (rng.random_range(1..40u32), rng.random_range(1..60u32));
    let params = SpanParams { words, pad: [0; 3] };
    let golden = random_words(&mut rng, words + 100);
    let mut memory = random_words(&mut rng, 5 + entries * (words + 1));
    let to = |entry: u32| 5 + entry * (words + 1);
    let list: Vec<[u32; 2]> =
        (0..entries).rev().map(|entry| [rng.random_range(0..100), to(entry)]).collect();
    let stage = Span::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (lb, sb, mb) =
        (gpu.list("list", &list), gpu.upload("source", &golden), gpu.upload("memory", &memory));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &lb, &sb, &mb))?;
    reference(&params, &list, &golden, &mut memory);
    Ok(same_bits("span", &gpu.read(&mb)?, &memory))
}
