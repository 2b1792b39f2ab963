//! The stage that checks blocks by their CRC-32.

use super::decode::{BlockParams, each_block};
use super::decode_symbols::problem;
use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::scheme::Code;
use crate::scheme::code::crc;
use crate::seed::{Domain, stream};

/// The kernel.
#[derive(Debug)]
pub struct Crc32(Kernel);

impl Crc32 {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        let constants = [
            ("GROUP", f64::from(GROUP)),
            ("BLOCK", f64::from(Code::Crc32.block_words())),
            ("POLYNOMIAL", f64::from(crc::POLYNOMIAL)),
        ];
        Kernel::new(gpu, Source::named("crc32"), "main", &constants).map(Self)
    }

    /// Records the checks. `counts` `[slot, 2]` counts, in its second column, the blocks that do not
    /// agree, on top of what it holds. Where nothing is delivered, `decoded` may be any buffer.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&BlockParams, &Buffer<BlockParams>),
        image: &Buffer<u32>,
        decoded: &Buffer<u32>,
        counts: &Buffer<u32>,
    ) {
        let blocks = u64::from(Code::Crc32.check_words(params.words));
        let groups = pass.fold(blocks * u64::from(params.slots), GROUP);
        self.0.dispatch(pass, [uniform, image, decoded, counts], groups);
    }
}

/// The same on the CPU, block by block; the image stays as it is.
pub fn reference(params: &BlockParams, image: &[u32], decoded: &mut [u32], counts: &mut [u32]) {
    let mut image = image.to_vec();
    let decode = |data: &mut [u32], check: &mut u32| crc::decode(data, *check);
    each_block(Code::Crc32.block_words(), params, (&mut image, decoded, counts), decode);
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    let mut rng = stream(seed, Domain::Generate, &[19]);
    let (params, image) = problem(&mut rng, Code::Crc32.block_words(), crc::encode);
    let mut decoded = random_words(&mut rng, params.stride * params.slots);
    let mut counts = vec![7; 2 * params.slots as usize];
    let stage = Crc32::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (ib, db) = (gpu.upload("image", &image), gpu.upload("decoded", &decoded));
    let cb = gpu.upload("counts", &counts);
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &ib, &db, &cb))?;
    reference(&params, &image, &mut decoded, &mut counts);
    Ok(all_of([
        same_bits("crc32", &gpu.read(&db)?, &decoded),
        same_bits("crc32", &gpu.read(&cb)?, &counts),
    ]))
}
