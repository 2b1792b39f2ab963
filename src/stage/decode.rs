//! The decode stage: storage codes read, corrected and repaired, for every binary code.

use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::scheme::Code;
use crate::scheme::code::{BinaryCode, Decoded};
use crate::seed::{Domain, stream};

/// Where data and check words lie in the images, and what to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct BlockParams {
    /// Data words of an image; the last block is filled with zeros.
    pub words: u32,
    /// Words between images.
    pub stride: u32,
    /// Images.
    pub slots: u32,
    /// The first data word of an image.
    pub data_base: u32,
    /// Its first check word.
    pub check_base: u32,
    /// 1 where corrected words are written back.
    pub repair: u32,
    /// 1 where data words are written to the other image, corrected.
    pub deliver: u32,
    /// Padding.
    pub pad: u32,
}

impl BlockParams {
    /// One image of `words` data words from its start with the check words behind, nothing delivered.
    pub const fn one(words: u32, repair: bool) -> Self {
        let (stride, slots, data_base, check_base) = (0, 1, 0, words);
        let repair = if repair { 1 } else { 0 };
        Self { words, stride, slots, data_base, check_base, repair, deliver: 0, pad: 0 }
    }
}

/// The same, with the shape of a binary code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct DecodeParams {
    /// Where the blocks lie; `deliver` is that of the stage.
    pub at: BlockParams,
    /// Data words of a block.
    pub block_words: u32,
    /// Bits of a codeword's syndrome.
    pub syndrome_bits: u32,
    /// 1 where corrections of several codewords must agree.
    pub agree: u32,
    /// Where the actions begin in the tables.
    pub actions_base: u32,
}

/// The kernel, with the tables of its code.
#[derive(Debug)]
pub struct Decode {
    kernel: Kernel,
    tables: Buffer<u32>,
    code: &'static BinaryCode,
    deliver: bool,
}

impl Decode {
    /// Builds the kernel of a code. With `deliver` the data words are written to another image,
    /// corrected.
    ///
    /// # Errors
    /// Where the shader does not compile.
    ///
    /// # Panics
    /// Where the code is not binary.
    #[expect(clippy::expect_used, reason = "the caller chooses the stage by the code")]
    pub fn new(gpu: &Gpu, code: Code, deliver: bool) -> Result<Self, Error> {
        let table = BinaryCode::of(code).expect("a binary code");
        let constants = [
            ("GROUP", f64::from(GROUP)),
            ("HSIAO", f64::from(u8::from(code == Code::Hsiao72))),
            ("DELIVER", f64::from(u8::from(deliver))),
        ];
        let kernel = Kernel::new(gpu, Source::named("decode"), "main", &constants)?;
        let words = [table.sums.as_slice(), &table.actions].concat();
        Ok(Self { kernel, tables: gpu.upload("code tables", &words), code: table, deliver })
    }

    /// The parameters for images of this code; the stage says whether data is delivered.
    #[expect(clippy::cast_possible_truncation, reason = "tables have a few thousand words")]
    pub fn params(&self, at: BlockParams) -> DecodeParams {
        DecodeParams {
            at: BlockParams { deliver: self.deliver.into(), ..at },
            block_words: self.code.words,
            syndrome_bits: self.code.syndrome_bits,
            agree: self.code.agree.into(),
            actions_base: self.code.sums.len() as u32,
        }
    }

    /// Records the decoding. `counts` `[slot, 2]` counts corrected and uncorrectable blocks on top of
    /// what it holds. Where nothing is delivered, `decoded` may be any other buffer.
    ///
    /// # Panics
    /// Past the adapter's workgroups in one dimension, where there are more images than that.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&DecodeParams, &Buffer<DecodeParams>),
        image: &Buffer<u32>,
        decoded: &Buffer<u32>,
        counts: &Buffer<u32>,
    ) {
        let blocks = params.at.words.div_ceil(params.block_words);
        let mut groups = pass.fold(u64::from(blocks), GROUP);
        groups[2] = params.at.slots;
        self.kernel.dispatch(pass, [uniform, &self.tables, image, decoded, counts], groups);
    }
}

/// The same on the CPU, block by block.
pub fn reference(
    code: Code,
    params: &DecodeParams,
    image: &mut [u32],
    decoded: &mut [u32],
    counts: &mut [u32],
) {
    let decode = |data: &mut [u32], check: &mut u32| code.decode(data, check);
    each_block(code.block_words(), &params.at, (image, decoded, counts), decode);
}

/// Decodes every block of every image.
pub(super) fn each_block(
    block_words: u32,
    params: &BlockParams,
    (image, decoded, counts): (&mut [u32], &mut [u32], &mut [u32]),
    decode: impl Fn(&mut [u32], &mut u32) -> Decoded,
) {
    for slot in 0..params.slots as usize {
        let base = slot * params.stride as usize;
        for (index, first) in (0..params.words).step_by(block_words as usize).enumerate() {
            let exist = (params.words - first).min(block_words) as usize;
            let at = base + (params.data_base + first) as usize;
            let check_at = base + params.check_base as usize + index;
            let mut data = image[at..at + exist].to_vec();
            data.resize(block_words as usize, 0);
            let mut check = image[check_at];
            match decode(&mut data, &mut check) {
                Decoded::Clean => {}
                Decoded::Corrected => counts[2 * slot] += 1,
                Decoded::Uncorrectable => counts[2 * slot + 1] += 1,
            }
            if params.repair != 0 {
                image[at..at + exist].copy_from_slice(&data[..exist]);
                image[check_at] = check;
            }
            if params.deliver != 0 {
                decoded[at..at + exist].copy_from_slice(&data[..exist]);
            }
        }
    }
}

/// Holds the shader to its reference: images with up to four flips a block, half of them in one
/// word. The seed counts through the binary codes.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[17]);
    let codes = Code::ALL.map(|code| BinaryCode::of(code).map(|_| code));
    let codes: Vec<Code> = codes.into_iter().flatten().collect();
    let code = codes[seed.to_le_bytes()[0] as usize % codes.len()];
    let (repair, deliver): (bool, bool) = (rng.random(), rng.random());
    let stage = Decode::new(gpu, code, deliver)?;
    let (words, slots) = (rng.random_range(1..1500u32), rng.random_range(1..6u32));
    let (data_base, gap) = (rng.random_range(0..9u32), rng.random_range(0..9u32));
    let check_base = data_base + words + gap;
    let stride = check_base + code.check_words(words) + rng.random_range(0..5u32);
    let repair = repair.into();
    let at =
        BlockParams { words, stride, slots, data_base, check_base, repair, deliver: 0, pad: 0 };
    let params = stage.params(at);
    let mut image = random_words(&mut rng, stride * slots);
    for slot in 0..slots {
        let at = (slot * stride + data_base) as usize;
        let data = image[at..at + words as usize].to_vec();
        for (block, data) in (0..).zip(data.chunks(code.block_words() as usize)) {
            let mut full = data.to_vec();
            full.resize(code.block_words() as usize, 0);
            let check_at = (slot * stride + check_base + block) as usize;
            image[check_at] = code.encode(&full);
            let first = at + block as usize * full.len();
            let near = first + rng.random_range(0..data.len());
            for _ in 0..rng.random_range(0..5) {
                let word = match rng.random_range(0..4) {
                    0 => check_at,
                    1 => first + rng.random_range(0..data.len()),
                    _ => near,
                };
                image[word] ^= 1 << rng.random_range(0..32);
            }
        }
    }
    let mut decoded = random_words(&mut rng, stride * slots);
    let mut counts = vec![5; 2 * slots as usize];
    let uniform = gpu.uniform("params", &params);
    let (ib, db) = (gpu.upload("image", &image), gpu.upload("decoded", &decoded));
    let cb = gpu.upload("counts", &counts);
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &ib, &db, &cb))?;
    reference(code, &params, &mut image, &mut decoded, &mut counts);
    let mut held = all_of([
        same_bits("decode", &gpu.read(&ib)?, &image),
        same_bits("decode", &gpu.read(&db)?, &decoded),
        same_bits("decode", &gpu.read(&cb)?, &counts),
    ]);
    held.mismatch = held.mismatch.map(|text| format!("{}: {text}", code.name()));
    Ok(held)
}
