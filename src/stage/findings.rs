//! The findings stage: what the decoders of a lane found, told to whoever judges its inferences.

use super::inject::TRAP_ECC;
use super::output_vote::{ALARM, MISMATCH};
use super::{Check, GROUP, all_of, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Uncorrectable blocks raise an alarm and no more.
pub const ON_UNCORRECTABLE_ALARM: u32 = 0;
/// Nothing that was read can be delivered.
pub const ON_UNCORRECTABLE_TRAP: u32 = 1;
/// Every inference counts as one on which two executions differ.
pub const ON_UNCORRECTABLE_MISMATCH: u32 = 2;

/// The shape of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct FindingsParams {
    /// Lanes.
    pub lanes: u32,
    /// Stored copies of a lane.
    pub copies: u32,
    /// Rows of a lane, padded.
    pub rows: u32,
    /// What an uncorrectable block comes to.
    pub on_uncorrectable: u32,
}

/// The kernel.
#[derive(Debug)]
pub struct Findings(Kernel);

impl Findings {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("findings"), "main", &[("GROUP", f64::from(GROUP))])
            .map(Self)
    }

    /// Records what `counts` `[lane, copy, 2]` (blocks corrected, uncorrectable) means for `alarms`
    /// `[lane, rows + 1]`, `verdicts` `[lane, row]` and `traps` `[lane, rows + 1]`.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&FindingsParams, &Buffer<FindingsParams>),
        counts: &Buffer<u32>,
        (alarms, verdicts, traps): (&Buffer<u32>, &Buffer<u32>, &Buffer<u32>),
    ) {
        let groups = pass.fold(u64::from(params.lanes), GROUP);
        self.0.dispatch(pass, [uniform, counts, alarms, verdicts, traps], groups);
    }
}

/// The same on the CPU.
pub fn reference(
    params: &FindingsParams,
    counts: &[u32],
    (alarms, verdicts, traps): (&mut [u32], &mut [u32], &mut [u32]),
) {
    let rows = params.rows as usize;
    let lanes = counts.chunks_exact(2 * params.copies as usize).take(params.lanes as usize);
    for (lane, counts) in lanes.enumerate() {
        let uncorrectable: u32 = counts.iter().skip(1).step_by(2).sum();
        alarms[lane * (rows + 1) + rows] += counts.iter().sum::<u32>();
        match params.on_uncorrectable {
            _ if uncorrectable == 0 => {}
            ON_UNCORRECTABLE_TRAP => traps[lane * (rows + 1) + rows] |= TRAP_ECC,
            ON_UNCORRECTABLE_MISMATCH => {
                let verdicts = &mut verdicts[lane * rows..][..rows];
                verdicts.iter_mut().for_each(|verdict| *verdict |= MISMATCH | ALARM);
            }
            _ => {}
        }
    }
}

/// Holds the shader to its reference: lanes with and without findings, each way to take them.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[18]);
    let params = FindingsParams {
        lanes: rng.random_range(1..150),
        copies: rng.random_range(1..4),
        rows: 4 * rng.random_range(1..6u32),
        on_uncorrectable: rng.random_range(0..3),
    };
    let FindingsParams { lanes, copies, rows, .. } = params;
    let mut some = |count: u32, share: f64, below: u32| -> Vec<u32> {
        (0..count)
            .map(|_| if rng.random_bool(share) { rng.random_range(0..below) } else { 0 })
            .collect()
    };
    let counts = some(lanes * copies * 2, 0.3, 5);
    let mut alarms = some(lanes * (rows + 1), 0.1, 3);
    let mut verdicts = some(lanes * rows, 0.1, 16);
    let mut traps = some(lanes * (rows + 1), 0.1, 4);
    let stage = Findings::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (cb, ab) = (gpu.upload("counts", &counts), gpu.upload("alarms", &alarms));
    let (vb, tb) = (gpu.upload("verdicts", &verdicts), gpu.upload("traps", &traps));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &cb, (&ab, &vb, &tb)))?;
    reference(&params, &counts, (&mut alarms, &mut verdicts, &mut traps));
    Ok(all_of([
        same_bits("findings", &gpu.read(&ab)?, &alarms),
        same_bits("findings", &gpu.read(&vb)?, &verdicts),
        same_bits("findings", &gpu.read(&tb)?, &traps),
    ]))
}
