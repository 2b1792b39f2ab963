//! The vote stage: bitwise majority over three stored copies, on every read or as a repair.

use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
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
    /// Padding.
    pub pad: [u32; 2],
}

/// The kernel.
#[derive(Debug)]
pub struct Vote(Kernel);

impl Vote {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("vote"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the vote. `alarms` `[lane, rows + 1]` counts dissenting words by input row, then those
    /// of the weights, on top of what it holds.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&VoteParams, &Buffer<VoteParams>),
        copies: &Buffer<u32>,
        voted: &Buffer<u32>,
        dissent: &Buffer<u32>,
        alarms: &Buffer<u32>,
    ) {
        let groups = pass.fold(u64::from(params.quads) * u64::from(params.lanes), GROUP);
        self.0.dispatch(pass, [uniform, copies, voted, dissent, alarms], groups);
    }
}

/// The bitwise majority of three words.
pub const fn majority3(a: u32, b: u32, c: u32) -> u32 {
    (a & b) | (a & c) | (b & c)
}

/// The same on the CPU: fills `voted` and `dissent`, counts `alarms`, repairs `copies` if asked.
pub fn reference(
    params: &VoteParams,
    copies: &mut [u32],
    voted: &mut [u32],
    dissent: &mut [u32],
    alarms: &mut [u32],
) {
    let stride = 4 * params.stride as usize;
    let rows = 4 * params.row_quads as usize;
    let input = 4 * params.input_base as usize;
    for lane in 0..params.lanes as usize {
        for word in 0..4 * params.quads as usize {
            let at = [0, 1, 2].map(|copy| (lane * 3 + copy) * stride + word);
            let [a, b, c] = at.map(|at| copies[at]);
            let to = lane * stride + word;
            voted[to] = majority3(a, b, c);
            dissent[to] = (a ^ b) | (a ^ c);
            if dissent[to] == 0 {
                continue;
            }
            if params.repair != 0 {
                at.iter().for_each(|at| copies[*at] = voted[to]);
            }
            let row = if word < input { rows } else { (word - input) % rows };
            alarms[lane * (rows + 1) + row] += 1;
        }
    }
}

/// Holds the shader to its reference: copies that agree, differ in one, in two, in all.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[11]);
    let (weights, features, row_quads) =
        (rng.random_range(0..70u32), rng.random_range(1..6u32), rng.random_range(1..5u32));
    let quads = weights + features * row_quads;
    let lanes = rng.random_range(1..40u32);
    let repair = u32::from(seed.is_multiple_of(2));
    let params = VoteParams {
        quads,
        stride: quads + 1,
        lanes,
        repair,
        input_base: weights,
        row_quads,
        pad: [0; 2],
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
    let alarm_words = (lanes * (4 * row_quads + 1)) as usize;
    let mut voted = vec![7; (lanes * image) as usize];
    let mut dissent = voted.clone();
    let mut alarms = vec![0; alarm_words];
    let stage = Vote::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (cb, vb, db, ab) = (
        gpu.upload("copies", &copies),
        gpu.upload("voted", &voted),
        gpu.upload("dissent", &dissent),
        gpu.upload("alarms", &alarms),
    );
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &cb, &vb, &db, &ab))?;
    reference(&params, &mut copies, &mut voted, &mut dissent, &mut alarms);
    Ok(all_of([
        same_bits("vote", &gpu.read(&cb)?, &copies),
        same_bits("vote", &gpu.read(&vb)?, &voted),
        same_bits("vote", &gpu.read(&db)?, &dissent),
        same_bits("vote", &gpu.read(&ab)?, &alarms),
    ]))
}
