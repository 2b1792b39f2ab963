//! The classify stage: what became of each inference, by bits against golden, then by decision.

use super::decision::{NO_DECISION, Rule, arg_max, is_finite, nan_rank};
use super::inject::{TRAP_BUDGET, TRAP_ECC, TRAP_INDEX};
use super::output_vote::{ALARM, NONE, RETRIED};
use super::{Check, GROUP, random_floats, same_bits};
use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::outcome::{InferenceRow, Outcome};
use crate::seed::{Domain, stream};

/// Shape of the outputs and how a decision is made.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct ClassifyParams {
    /// Rows of a block, padded.
    pub rows: u32,
    /// Output features.
    pub features: u32,
    /// Lanes.
    pub lanes: u32,
    /// 1: a NaN or an infinity in the output is a DUE.
    pub guard: u32,
    /// How a decision is made.
    pub rule: Rule,
}

/// What the stage reads, in the order of its bindings.
#[derive(Clone, Copy, Debug)]
pub struct ClassifyInputs<'a, T: ?Sized> {
    /// The window of each lane.
    pub windows: &'a T,
    /// Delivered outputs, `[lane, feature, row]`.
    pub delivered: &'a T,
    /// Golden outputs, `[window, feature, row]`.
    pub golden: &'a T,
    /// Labels, `[window, row]`; all ones where there is none.
    pub labels: &'a T,
    /// Dissent counts of the storage voter, `[lane, rows + 1]`.
    pub alarms: &'a T,
    /// Verdicts of the output vote, `[lane, row]`.
    pub verdicts: &'a T,
    /// Traps, `[lane, rows + 1]`: of each inference, then of the lane.
    pub traps: &'a T,
}

/// The kernel, one for each kind of decision.
#[derive(Clone, Copy, Debug)]
pub struct Classify;

impl Classify {
    /// Records the classification into `outcomes` `[lane, row]`.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&ClassifyParams, &Buffer<ClassifyParams>),
        inputs: ClassifyInputs<'_, Buffer<u32>>,
        outcomes: &Buffer<u32>,
    ) {
        let groups = pass.fold(u64::from(params.rows) * u64::from(params.lanes), GROUP);
        let ClassifyInputs { windows, delivered, golden, labels, alarms, verdicts, traps } = inputs;
        let buffers: [&dyn crate::gpu::Binding; 9] =
            [uniform, windows, delivered, golden, labels, alarms, verdicts, traps, outcomes];
        pass.run("classify", &params.rule.constants(params.features), buffers, groups);
    }
}

/// The same on the CPU: one row an inference, `[lane, row]`.
pub fn reference(params: &ClassifyParams, inputs: ClassifyInputs<'_, [u32]>) -> Vec<u32> {
    let (rows, features) = (params.rows as usize, params.features as usize);
    let mut outcomes = Vec::with_capacity(params.lanes as usize * rows);
    for lane in 0..params.lanes as usize {
        let window = inputs.windows[lane] as usize;
        for row in 0..rows {
            let words = |of: &[u32], block: usize| -> Vec<u32> {
                (0..features).map(|f| of[(block * features + f) * rows + row]).collect()
            };
            let alarms = &inputs.alarms[lane * (rows + 1)..][..rows + 1];
            let traps = &inputs.traps[lane * (rows + 1)..][..rows + 1];
            outcomes.push(classify(
                params,
                &Inference {
                    delivered: words(inputs.delivered, lane),
                    golden: words(inputs.golden, window),
                    label: inputs.labels[window * rows + row],
                    dissent: alarms[row] != 0 || alarms[rows] != 0,
                    verdict: inputs.verdicts[lane * rows + row],
                    trap: traps[row] | traps[rows],
                },
            ));
        }
    }
    outcomes
}

struct Inference {
    delivered: Vec<u32>,
    golden: Vec<u32>,
    label: u32,
    dissent: bool,
    verdict: u32,
    trap: u32,
}

fn classify(params: &ClassifyParams, inference: &Inference) -> u32 {
    let Inference { delivered, golden, label, dissent, verdict, trap } = inference;
    let finite = delivered.iter().all(|w| is_finite(*w));
    let decision = match params.rule.is_of_tokens() {
        true => NO_DECISION,
        false => arg_max(delivered.iter().copied(), nan_rank(params.rule.nan)),
    };
    let wrong = !params.rule.same(delivered, golden);
    let none = verdict & NONE != 0;
    let guarded = params.guard != 0 && !finite;
    let alarm = verdict & ALARM != 0 || *dissent || *trap != 0 || guarded;
    let outcome = if trap & TRAP_BUDGET != 0 {
        Outcome::Hang
    } else if *trap != 0 || none || guarded {
        Outcome::Due
    } else if delivered != golden {
        if wrong { Outcome::CriticalSdc } else { Outcome::TolerableSdc }
    } else if verdict & RETRIED != 0 {
        Outcome::DueRecovered
    } else if alarm {
        Outcome::Corrected
    } else {
        Outcome::Masked
    };
    let right = outcome < Outcome::Due && decision == *label;
    let flag = |on: bool, flag: u32| if on { flag } else { 0 };
    outcome as u32
        | flag(alarm, InferenceRow::ALARM)
        | flag(!finite && !none, InferenceRow::NON_FINITE)
        | flag(right, InferenceRow::LABEL_CORRECT)
}

/// Holds the shader to its reference on every kind of alarm, trap, decision and awkward float.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[15]);
    let (rows, features, lanes, windows) = (
        4 * rng.random_range(1..12u32),
        rng.random_range(1..12u32),
        rng.random_range(1..9u32),
        rng.random_range(1..4u32),
    );
    let params = ClassifyParams {
        rows,
        features,
        lanes,
        guard: rng.random_range(0..2),
        rule: Rule::random(&mut rng, features),
    };
    let golden = random_floats(&mut rng, windows * features * rows, true);
    let window: Vec<u32> = (0..lanes).map(|_| rng.random_range(0..windows)).collect();
    let mut delivered = Vec::new();
    for w in &window {
        for i in 0..features * rows {
            let word = golden[(w * features * rows + i) as usize];
            let struck = rng.random_bool(0.05);
            delivered.push(if struck { word ^ (1 << rng.random_range(0..32)) } else { word });
        }
    }
    let mut some = |count: u32, of: &[u32]| -> Vec<u32> {
        (0..count)
            .map(|_| if rng.random_bool(0.8) { 0 } else { of[rng.random_range(0..of.len())] })
            .collect()
    };
    let labels = some(windows * rows, &[0, 1, 2, 3, u32::MAX]);
    let alarms = some(lanes * (rows + 1), &[1, 5]);
    let verdicts = some(lanes * rows, &[ALARM, ALARM | RETRIED, ALARM | NONE]);
    let traps =
        some(lanes * (rows + 1), &[TRAP_INDEX, TRAP_ECC, TRAP_BUDGET, TRAP_BUDGET | TRAP_ECC]);
    let stage = Classify;
    let uniform = gpu.uniform("params", &params);
    let up = |data: &[u32]| gpu.upload("classify", data);
    let (wb, db, gb, lb) = (up(&window), up(&delivered), up(&golden), up(&labels));
    let (ab, vb, tb) = (up(&alarms), up(&verdicts), up(&traps));
    let outcomes = gpu.upload("outcomes", &vec![u32::MAX; (lanes * rows) as usize]);
    let buffers = ClassifyInputs {
        windows: &wb,
        delivered: &db,
        golden: &gb,
        labels: &lb,
        alarms: &ab,
        verdicts: &vb,
        traps: &tb,
    };
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), buffers, &outcomes))?;
    let inputs = ClassifyInputs {
        windows: window.as_slice(),
        delivered: &delivered,
        golden: &golden,
        labels: &labels,
        alarms: &alarms,
        verdicts: &verdicts,
        traps: &traps,
    };
    Ok(same_bits("classify", &gpu.read(&outcomes)?, &reference(&params, inputs)))
}
