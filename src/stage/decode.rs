//! The decode stage: storage codes read, corrected and repaired, for every binary code.

use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::scheme::Code;
use crate::scheme::code::{BinaryCode, Decoded};
use crate::seed::{Domain, stream};

/// Where data and check words lie in the images, and what to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct DecodeParams {
    /// Data words of an image.
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
    /// Data words of a block.
    pub block_words: u32,
    /// Bits of a codeword's syndrome.
    pub syndrome_bits: u32,
    /// 1 where corrections of several codewords must agree.
    pub agree: u32,
    /// Where the actions begin in the tables.
    pub actions_base: u32,
    /// Padding.
    pub pad: [u32; 2],
}

/// Words of `slots` images to decode, and where they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Data words of an image.
    pub words: u32,
    /// Words between images.
    pub stride: u32,
    /// Images.
    pub slots: u32,
    /// The first data word of an image.
    pub data_base: u32,
    /// Its first check word.
    pub check_base: u32,
}

/// The kernel, with the tables of its code.
#[derive(Debug)]
pub struct Decode {
    kernel: Kernel,
    tables: Buffer<u32>,
    code: &'static BinaryCode,
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
        Ok(Self { kernel, tables: gpu.upload("code tables", &words), code: table })
    }

    /// The parameters for images of this code.
    #[expect(clippy::cast_possible_truncation, reason = "tables have a few thousand words")]
    pub fn params(&self, place: Place, repair: bool) -> DecodeParams {
        DecodeParams {
            words: place.words,
            stride: place.stride,
            slots: place.slots,
            data_base: place.data_base,
            check_base: place.check_base,
            repair: repair.into(),
            block_words: self.code.words,
            syndrome_bits: self.code.syndrome_bits,
            agree: self.code.agree.into(),
            actions_base: self.code.sums.len() as u32,
            pad: [0; 2],
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
        let mut groups = pass.fold(u64::from(params.words.div_ceil(params.block_words)), GROUP);
        groups[2] = params.slots;
        self.kernel.dispatch(pass, [uniform, &self.tables, image, decoded, counts], groups);
    }
}

/// The same on the CPU, block by block; `decoded` is where data is delivered, if it is.
pub fn reference(
    code: Code,
    params: &DecodeParams,
    image: &mut [u32],
    mut decoded: Option<&mut [u32]>,
    counts: &mut [u32],
) {
    let block_words = code.block_words();
    for slot in 0..params.slots as usize {
        let base = slot * params.stride as usize;
        for block in 0..code.check_words(params.words) as usize {
            let first = block * block_words as usize;
            let exist = (params.words as usize - first).min(block_words as usize);
            let at = base + params.data_base as usize + first;
            let check_at = base + params.check_base as usize + block;
            let mut data = image[at..at + exist].to_vec();
            data.resize(block_words as usize, 0);
            let mut check = image[check_at];
            match code.decode(&mut data, &mut check) {
                Decoded::Clean => {}
                Decoded::Corrected => counts[2 * slot] += 1,
                Decoded::Uncorrectable => counts[2 * slot + 1] += 1,
            }
            if params.repair != 0 {
                image[at..at + exist].copy_from_slice(&data[..exist]);
                image[check_at] = check;
            }
            if let Some(decoded) = decoded.as_deref_mut() {
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
    let (repair, deliver) = (rng.random(), rng.random());
    let stage = Decode::new(gpu, code, deliver)?;
    let (words, slots) = (rng.random_range(1..1500u32), rng.random_range(1..6u32));
    let (data_base, gap) = (rng.random_range(0..9u32), rng.random_range(0..9u32));
    let check_base = data_base + words + gap;
    let stride = check_base + code.check_words(words) + rng.random_range(0..5u32);
    let place = Place { words, stride, slots, data_base, check_base };
    let params = stage.params(place, repair);
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
    reference(code, &params, &mut image, deliver.then_some(&mut decoded), &mut counts);
    let mut held = all_of([
        same_bits("decode", &gpu.read(&ib)?, &image),
        same_bits("decode", &gpu.read(&db)?, &decoded),
        same_bits("decode", &gpu.read(&cb)?, &counts),
    ]);
    held.mismatch = held.mismatch.map(|text| format!("{}: {text}", code.name()));
    Ok(held)
}
