//! The inject stage: faults strike memory, and the word before each strike is kept as proof.

use super::{Check, GROUP, all_of, random_words, same_bits};
use crate::fault::FaultKind;
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// The trap bit of an index out of range.
pub const TRAP_INDEX: u32 = 1;
/// The trap bit of a spent iteration budget.
pub const TRAP_BUDGET: u32 = 2;
/// The trap bit of stored memory that a decoder could not correct.
pub const TRAP_ECC: u32 = 4;

/// The shape of the struck memory, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct InjectParams {
    /// Words of a slot that may be struck.
    pub words: u32,
    /// Words between slots.
    pub stride: u32,
    /// Trap words of a lane; the last is for all that the lane runs.
    pub trap_words: u32,
    /// Padding.
    pub pad: u32,
}

/// One strike: after = (before & keep) ^ flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Strike {
    /// The slot of memory.
    pub slot: u32,
    /// The word in it.
    pub word: u32,
    /// The bits that stay.
    pub keep: u32,
    /// The bits that toggle after that.
    pub flip: u32,
}

impl Strike {
    /// A fault at a place.
    pub const fn new(slot: u32, word: u32, kind: FaultKind, mask: u32) -> Self {
        match kind {
            FaultKind::Xor => Self { slot, word, keep: u32::MAX, flip: mask },
            FaultKind::StuckAt0 => Self { slot, word, keep: !mask, flip: 0 },
            FaultKind::StuckAt1 => Self { slot, word, keep: !mask, flip: mask },
        }
    }

    /// The word after.
    pub const fn apply(self, before: u32) -> u32 {
        (before & self.keep) ^ self.flip
    }
}

/// The kernel.
#[derive(Debug)]
pub struct Inject(Kernel);

impl Inject {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("inject"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the strikes of `lanes` lanes; `offsets` `[lane + 1]` indexes `strikes`.
    #[expect(clippy::too_many_arguments, reason = "one a binding")]
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        params: &Buffer<InjectParams>,
        offsets: &Buffer<u32>,
        strikes: &Buffer<Strike>,
        memory: &Buffer<u32>,
        before: &Buffer<u32>,
        traps: &Buffer<u32>,
    ) {
        let groups = pass.fold(offsets.len() as u64, GROUP);
        self.0.dispatch(pass, [params, offsets, strikes, memory, before, traps], groups);
    }
}

/// The same on the CPU: strikes `memory` and gives the words before and the traps, `[lane, trap word]`.
pub fn reference(
    params: &InjectParams,
    offsets: &[u32],
    strikes: &[Strike],
    memory: &mut [u32],
) -> (Vec<u32>, Vec<u32>) {
    let mut before = vec![0; strikes.len()];
    let of_lane = params.trap_words as usize;
    let mut traps = vec![0; (offsets.len() - 1) * of_lane];
    for (lane, range) in offsets.windows(2).enumerate() {
        for i in range[0] as usize..range[1] as usize {
            let strike = strikes[i];
            let at = (strike.slot * params.stride + strike.word) as usize;
            if strike.word >= params.words || at >= memory.len() {
                traps[(lane + 1) * of_lane - 1] |= TRAP_INDEX;
                continue;
            }
            before[i] = memory[at];
            memory[at] = strike.apply(memory[at]);
        }
    }
    (before, traps)
}

/// Holds the shader to its reference: several strikes a lane, on one word too, some out of range.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[7]);
    let (lanes, words) = (rng.random_range(1..150u32), rng.random_range(1..40u32));
    let params =
        InjectParams { words, stride: words + 2, trap_words: rng.random_range(1..6), pad: 0 };
    let memory = random_words(&mut rng, lanes * params.stride);
    let kinds = [FaultKind::Xor, FaultKind::StuckAt0, FaultKind::StuckAt1];
    let mut offsets = vec![0];
    let mut strikes = Vec::new();
    for lane in 0..lanes {
        for _ in 0..rng.random_range(0..6) {
            let kind = kinds[rng.random_range(0..3)];
            let word = rng.random_range(0..words + 1);
            strikes.push(Strike::new(lane, word, kind, rng.random()));
        }
        offsets.push(u32::try_from(strikes.len()).unwrap_or(u32::MAX));
    }
    let stage = Inject::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (ob, sb, mb) = (
        gpu.upload("offsets", &offsets),
        gpu.upload("strikes", &strikes),
        gpu.upload("memory", &memory),
    );
    let before = gpu.zeroed("before", strikes.len());
    let traps = gpu.zeroed("traps", (lanes * params.trap_words) as usize);
    gpu.submit(|pass| stage.encode(pass, &uniform, &ob, &sb, &mb, &before, &traps))?;
    let mut struck = memory;
    let want = reference(&params, &offsets, &strikes, &mut struck);
    Ok(all_of([
        same_bits("inject", &gpu.read(&mb)?, &struck),
        same_bits("inject", &gpu.read(&before)?, &want.0),
        same_bits("inject", &gpu.read(&traps)?, &want.1),
    ]))
}
