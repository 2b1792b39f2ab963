//! The vote stage: majority over three stored copies, on every read or as a repair.

use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
pub use crate::scheme::memory::majority3;
use crate::scheme::{Voter, memory};
use crate::seed::{Domain, stream};

/// The shape of the images, in quads of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct VoteParams {
    /// Quads to vote on in an image.
    pub quads: u32,
    /// Quads between copies.
    pub stride: u32,
    /// Lanes.
    pub lanes: u32,
    /// 1 where the majority is written back to dissenting copies.
    pub repair: u32,
    /// The first quad of the input region.
    pub input_base: u32,
    /// Row quads of an input feature.
    pub row_quads: u32,
    /// 1 where whole words vote; where all three differ copy 0 is read and none is repaired.
    pub word: u32,
    /// The first quad after the input region.
    pub check_base: u32,
}

impl VoteParams {
    /// A bitwise vote of one image of `quads` quads without inputs, nothing repaired.
    pub const fn one(quads: u32) -> Self {
        let (lanes, repair, row_quads, word) = (1, 0, 1, 0);
        Self {
            quads,
            stride: quads,
            lanes,
            repair,
            input_base: quads,
            row_quads,
            word,
            check_base: quads,
        }
    }
}

/// The mask under which every bit of every word votes.
pub const ALL: [u32; 4] = [u32::MAX; 4];

/// The kernels: for masks that differ from quad to quad, and for one that all share.
#[derive(Debug)]
pub struct Vote {
    masked: Kernel,
    alike: Kernel,
}

impl Vote {
    /// Builds the kernels.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        let kernel = |alike: bool| {
            let constants = [("GROUP", f64::from(GROUP)), ("ALIKE", f64::from(u8::from(alike)))];
            Kernel::new(gpu, Source::named("vote"), "main", &constants)
        };
        Ok(Self { masked: kernel(false)?, alike: kernel(true)? })
    }

    /// Records the vote of `copies` under `masks` `[word]`: the bits that vote, the last quad for all
    /// that follow; the others are read from copy 0. `alarms` `[lane, rows + 1]` counts dissenting
    /// words by input row, then those of stored words, on top of what it holds.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&VoteParams, &Buffer<VoteParams>),
        (copies, masks): (&Buffer<u32>, &Buffer<u32>),
        (voted, dissent, alarms): (&Buffer<u32>, &Buffer<u32>, &Buffer<u32>),
    ) {
        let groups = pass.fold(u64::from(params.quads) * u64::from(params.lanes), GROUP);
        let kernel = if masks.len() == ALL.len() { &self.alike } else { &self.masked };
        kernel.dispatch(pass, [uniform, copies, masks, voted, dissent, alarms], groups);
    }
}

/// The same on the CPU: fills `voted` and `dissent`, counts `alarms`, repairs `copies` if asked.
pub fn reference(
    params: &VoteParams,
    (copies, masks): (&mut [u32], &[u32]),
    (voted, dissent, alarms): (&mut [u32], &mut [u32], &mut [u32]),
) {
    let stride = 4 * params.stride as usize;
    let rows = 4 * params.row_quads as usize;
    let input = 4 * params.input_base as usize..4 * params.check_base as usize;
    let voter = if params.word == 0 { Voter::Bitwise } else { Voter::Word };
    for lane in 0..params.lanes as usize {
        for word in 0..4 * params.quads as usize {
            let at = [0, 1, 2].map(|copy| (lane * 3 + copy) * stride + word);
            let mask = masks[(word / 4).min(masks.len() / 4 - 1) * 4 + word % 4];
            let of_word = memory::voted(at.map(|at| copies[at]), mask, voter);
            let to = lane * stride + word;
            voted[to] = of_word.words[0];
            dissent[to] = of_word.differ;
            if dissent[to] == 0 {
                continue;
            }
            if params.repair != 0 {
                at.iter().zip(of_word.words).for_each(|(at, word)| copies[*at] = word);
            }
            let row = if input.contains(&word) { (word - input.start) % rows } else { rows };
            alarms[lane * (rows + 1) + row] += 1;
        }
    }
}

/// Holds the shader to its reference: copies that agree, differ in one, in two, in all, under a
/// mask of some words or none.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[11]);
    let (weights, features, row_quads, checks) = (
        rng.random_range(0..70u32),
        rng.random_range(1..6u32),
        rng.random_range(1..5u32),
        rng.random_range(0..9u32),
    );
    let check_base = weights + features * row_quads;
    let quads = check_base + checks;
    let lanes = rng.random_range(1..40u32);
    let params = VoteParams {
        quads,
        stride: quads + 1,
        lanes,
        repair: u32::from(seed.is_multiple_of(2)),
        input_base: weights,
        row_quads,
        word: u32::from(seed % 4 < 2),
        check_base,
    };
    let image = 4 * params.stride;
    let mut copies = Vec::new();
    for _ in 0..lanes {
        let golden = random_words(&mut rng, image);
        for _ in 0..3 {
            let strike =
                |word: &u32| if rng.random_bool(0.05) { word ^ rng.random::<u32>() } else { *word };
            copies.extend(golden.iter().map(strike));
        }
    }
    let masks: Vec<u32> = if rng.random_bool(0.5) {
        ALL.to_vec()
    } else {
        let masks = [0, u32::MAX, 0xff80_0000, 0x8000_0001];
        (0..image).map(|_| masks[rng.random_range(0..masks.len())]).collect()
    };
    let alarm_words = (lanes * (4 * row_quads + 1)) as usize;
    let mut voted = vec![7; (lanes * image) as usize];
    let mut dissent = voted.clone();
    let mut alarms = vec![0; alarm_words];
    let stage = Vote::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (cb, mb) = (gpu.upload("copies", &copies), gpu.upload("masks", &masks));
    let (vb, db, ab) = (
        gpu.upload("voted", &voted),
        gpu.upload("dissent", &dissent),
        gpu.upload("alarms", &alarms),
    );
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), (&cb, &mb), (&vb, &db, &ab)))?;
    reference(&params, (&mut copies, &masks), (&mut voted, &mut dissent, &mut alarms));
    Ok(all_of([
        same_bits("vote", &gpu.read(&cb)?, &copies),
        same_bits("vote", &gpu.read(&vb)?, &voted),
        same_bits("vote", &gpu.read(&db)?, &dissent),
        same_bits("vote", &gpu.read(&ab)?, &alarms),
    ]))
}
