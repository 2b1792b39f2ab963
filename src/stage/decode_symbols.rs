//! The stage that decodes Reed–Solomon codes: data corrected, delivered and repaired, block by block.

use super::decode::{BlockParams, each_block};
use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::scheme::code::symbol::{RS18, RS39, Symbols};
use crate::seed::{Domain, stream};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The kernel.
#[derive(Debug)]
pub struct DecodeSymbols {
    kernel: Kernel,
    block_words: u32,
}

impl DecodeSymbols {
    /// Builds the kernel of a code.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu, code: Symbols) -> Result<Self, Error> {
        let constants = [
            ("GROUP", f64::from(GROUP)),
            ("BITS", f64::from(code.bits)),
            ("FIELD", f64::from(code.field)),
            ("DATA", f64::from(code.data)),
            ("CHECKS", f64::from(code.checks)),
        ];
        let kernel = Kernel::new(gpu, Source::named("decode_symbols"), "main", &constants)?;
        Ok(Self { kernel, block_words: code.block_words() })
    }

    /// Records the decoding. `counts` `[slot, 2]` counts corrected and uncorrectable blocks on top of
    /// what it holds. Where nothing is delivered, `decoded` may be any buffer.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&BlockParams, &Buffer<BlockParams>),
        image: &Buffer<u32>,
        decoded: &Buffer<u32>,
        counts: &Buffer<u32>,
    ) {
        let blocks = u64::from(params.words.div_ceil(self.block_words));
        let groups = pass.fold(blocks * u64::from(params.slots), GROUP);
        self.kernel.dispatch(pass, [uniform, image, decoded, counts], groups);
    }
}

/// The same on the CPU, block by block.
pub fn reference(
    code: Symbols,
    params: &BlockParams,
    image: &mut [u32],
    decoded: &mut [u32],
    counts: &mut [u32],
) {
    let decode = |data: &mut [u32], check: &mut u32| code.decode(data, check);
    each_block(code.block_words(), params, (image, decoded, counts), decode);
}

/// Images of a code with up to three struck words a block, one of them the check word, by a bit, a
/// byte, a half or all of it.
pub(super) fn problem(
    rng: &mut Xoshiro256PlusPlus,
    block_words: u32,
    encode: impl Fn(&[u32]) -> u32,
) -> (BlockParams, Vec<u32>) {
    let (words, slots) = (rng.random_range(1..400u32), rng.random_range(1..6u32));
    let data_base = rng.random_range(0..9u32);
    let check_base = data_base + words + rng.random_range(0..9u32);
    let stride = check_base + words.div_ceil(block_words) + rng.random_range(0..5u32);
    let [repair, deliver] = [rng.random(), rng.random()].map(|yes: bool| u32::from(yes));
    let params =
        BlockParams { words, stride, slots, data_base, check_base, repair, deliver, pad: 0 };
    let mut image = random_words(rng, stride * slots);
    for slot in 0..slots {
        for (index, first) in (0..words).step_by(block_words as usize).enumerate() {
            let exist = (words - first).min(block_words) as usize;
            let at = (slot * stride + data_base + first) as usize;
            let check_at = (slot * stride + check_base) as usize + index;
            let mut data = image[at..at + exist].to_vec();
            data.resize(block_words as usize, 0);
            image[check_at] = encode(&data);
            for _ in 0..rng.random_range(0..4) {
                let share = rng.random_range(0..=exist);
                let word = if share == exist { check_at } else { at + share };
                let size = [1, 8, 16, 32][rng.random_range(0..4)];
                let mask = rng.random::<u32>() >> (32 - size);
                image[word] ^= mask << (size * rng.random_range(0..32 / size));
            }
        }
    }
    (params, image)
}

/// Holds the shader to its reference, for both codes.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    let mut rng = stream(seed, Domain::Generate, &[18]);
    let mut checks = Vec::new();
    for code in [RS18, RS39] {
        let (params, mut image) = problem(&mut rng, code.block_words(), |data| code.encode(data));
        let mut decoded = random_words(&mut rng, params.stride * params.slots);
        let mut counts = vec![7; 2 * params.slots as usize];
        let stage = DecodeSymbols::new(gpu, code)?;
        let uniform = gpu.uniform("params", &params);
        let (ib, db) = (gpu.upload("image", &image), gpu.upload("decoded", &decoded));
        let cb = gpu.upload("counts", &counts);
        gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &ib, &db, &cb))?;
        reference(code, &params, &mut image, &mut decoded, &mut counts);
        for (buffer, want) in [(&ib, &image), (&db, &decoded), (&cb, &counts)] {
            checks.push(same_bits("decode_symbols", &gpu.read(buffer)?, want));
        }
    }
    Ok(all_of(checks))
}
