//! The tally stage: outcomes and flags of each lane, counted with integer atomics.

use super::{Check, GROUP, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::outcome::{InferenceRow, Tally};
use crate::seed::{Domain, stream};

/// The shape of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct TallyParams {
    /// Rows of a lane, padded.
    pub rows: u32,
    /// Rows that count: the inferences.
    pub counted: u32,
    /// Lanes.
    pub lanes: u32,
    /// Words of a lane's tally.
    pub words: u32,
}

impl TallyParams {
    /// The parameters for `counted` of `rows` rows of `lanes` lanes.
    #[expect(clippy::cast_possible_truncation, reason = "a tally is 12 words")]
    pub const fn new(rows: u32, counted: u32, lanes: u32) -> Self {
        Self { rows, counted, lanes, words: (size_of::<Tally>() / 4) as u32 }
    }
}

/// The kernel.
#[derive(Debug)]
pub struct TallyStage(Kernel);

impl TallyStage {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("tally"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the counts, added to what `tallies` `[lane]` holds.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&TallyParams, &Buffer<TallyParams>),
        outcomes: &Buffer<u32>,
        tallies: &Buffer<Tally>,
    ) {
        let groups = pass.fold(u64::from(params.rows) * u64::from(params.lanes), GROUP);
        self.0.dispatch(pass, [uniform, outcomes, tallies], groups);
    }
}

/// The same on the CPU.
pub fn reference(params: &TallyParams, outcomes: &[u32]) -> Vec<Tally> {
    let lane = |rows: &[u32]| {
        let mut tally = Tally::default();
        rows[..params.counted as usize].iter().for_each(|row| tally.add(InferenceRow(*row)));
        tally
    };
    outcomes.chunks_exact(params.rows as usize).take(params.lanes as usize).map(lane).collect()
}

/// Holds the shader to its reference.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[16]);
    let rows = 4 * rng.random_range(1..40u32);
    let params = TallyParams::new(rows, rng.random_range(1..rows + 1), rng.random_range(1..20u32));
    let outcomes: Vec<u32> = (0..params.lanes * rows)
        .map(|_| rng.random_range(0..7u32) | (rng.random::<u32>() & 0x38))
        .collect();
    let stage = TallyStage::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (ob, tb) =
        (gpu.upload("outcomes", &outcomes), gpu.zeroed("tallies", params.lanes as usize));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &ob, &tb))?;
    let got: Vec<Tally> = gpu.read(&tb)?;
    let want = reference(&params, &outcomes);
    Ok(same_bits("tally", bytemuck::cast_slice(&got), bytemuck::cast_slice(&want)))
}
