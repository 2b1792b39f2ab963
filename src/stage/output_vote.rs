//! The output vote: two executions compared, or three voted, inference by inference.

use super::decision::Rule;
use super::{Check, GROUP, all_of, random_floats, same_bits, vote};
use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::scheme::Voter;
use crate::seed::{Domain, stream};

/// The executions did not agree.
pub const ALARM: u32 = 1;
/// Two executions differ: a retry is due.
pub const MISMATCH: u32 = 2;
/// Delivered after a reload and a retry.
pub const RETRIED: u32 = 4;
/// Nothing is delivered.
pub const NONE: u32 = 8;

/// Shape of the outputs and how a decision is made.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct OutputVoteParams {
    /// Rows of a block, padded.
    pub rows: u32,
    /// Output features.
    pub features: u32,
    /// Blocks.
    pub blocks: u32,
    /// 2 compares, 3 votes.
    pub executions: u32,
    /// How a decision is made.
    pub rule: Rule,
    /// 1: only rows with a mismatch, and what agrees now is delivered.
    pub retry: u32,
    /// How executions are compared: [`BITWISE`], [`WORD`] or [`DECISION`].
    pub voter: u32,
    /// Padding.
    pub pad: [u32; 2],
}

/// Each bit by majority; where a word has three distinct values the decisions vote.
pub const BITWISE: u32 = 0;
/// Each word by majority; where one has three distinct values nothing is delivered.
pub const WORD: u32 = 1;
/// The decisions vote, and the lowest agreeing execution is delivered whole.
pub const DECISION: u32 = 2;

/// A scheme's voter as the shader has it: labels and tolerances are both decisions.
pub const fn voter(voter: Voter) -> u32 {
    match voter {
        Voter::Bitwise => BITWISE,
        Voter::Word => WORD,
        Voter::Label | Voter::Tolerance => DECISION,
    }
}

/// The kernel, one for each kind of decision.
#[derive(Clone, Copy, Debug)]
pub struct OutputVote;

impl OutputVote {
    /// Records the vote of `outputs` `[block, feature, row]` (two executions: the second twice) into
    /// `delivered` `[lane, feature, row]` and `verdicts` `[lane, row]`; `lane_of` `[block]` gives lanes.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&OutputVoteParams, &Buffer<OutputVoteParams>),
        lane_of: &Buffer<u32>,
        outputs: [&Buffer<u32>; 3],
        delivered: &Buffer<u32>,
        verdicts: &Buffer<u32>,
    ) {
        let groups = pass.fold(u64::from(params.rows) * u64::from(params.blocks), GROUP);
        let [a, b, c] = outputs;
        pass.run(
            "output_vote",
            &params.rule.constants(params.features),
            [uniform, lane_of, a, b, c, delivered, verdicts],
            groups,
        );
    }
}

/// The same on the CPU.
pub fn reference(
    params: &OutputVoteParams,
    lane_of: &[u32],
    outputs: [&[u32]; 3],
    delivered: &mut [u32],
    verdicts: &mut [u32],
) {
    let (rows, features) = (params.rows as usize, params.features as usize);
    for (block, lane) in lane_of.iter().enumerate().take(params.blocks as usize) {
        for row in 0..rows {
            let verdict = &mut verdicts[*lane as usize * rows + row];
            if params.retry != 0 && *verdict & MISMATCH == 0 {
                continue;
            }
            let words = outputs.map(|output| -> Vec<u32> {
                (0..features).map(|f| output[(block * features + f) * rows + row]).collect()
            });
            let (chosen, said) = decide(params, &words);
            *verdict = said;
            for (f, word) in chosen.iter().enumerate() {
                delivered[(*lane as usize * features + f) * rows + row] = *word;
            }
        }
    }
}

/// What is delivered of three executions' outputs, and the verdict.
fn decide(params: &OutputVoteParams, words: &[Vec<u32>; 3]) -> (Vec<u32>, u32) {
    let [a, b, c] = words;
    let same = |i: usize, j: usize| words[i] == words[j] || params.rule.agree(&words[i], &words[j]);
    if params.voter == DECISION {
        let all = same(0, 1) && (params.executions == 2 || same(0, 2));
        let chosen = if same(0, 1) || same(0, 2) { a } else { b };
        let some = all || params.executions == 3 && (same(0, 1) || same(0, 2) || same(1, 2));
        let verdict = match (params.executions, params.retry != 0) {
            (2, retry) => compared(retry, !all),
            _ if all => 0,
            _ if some => ALARM,
            _ => NONE | ALARM,
        };
        return (chosen.clone(), verdict);
    }
    let majority: Vec<u32> = (0..a.len()).map(|f| vote::majority3(a[f], b[f], c[f])).collect();
    let dissent = a != b || a != c;
    if params.executions == 2 {
        return (majority, compared(params.retry != 0, dissent));
    }
    let torn = (0..a.len()).any(|f| a[f] != b[f] && a[f] != c[f] && b[f] != c[f]);
    if !torn {
        return (majority, if dissent { ALARM } else { 0 });
    }
    if params.voter == WORD {
        (majority, NONE | ALARM)
    } else if same(0, 1) || same(0, 2) {
        (a.clone(), ALARM)
    } else if same(1, 2) {
        (b.clone(), ALARM)
    } else {
        (majority, NONE | ALARM)
    }
}

/// The verdict on two executions.
const fn compared(retry: bool, differ: bool) -> u32 {
    match (retry, differ) {
        (false, false) => 0,
        (false, true) => MISMATCH | ALARM,
        (true, false) => RETRIED | ALARM,
        (true, true) => NONE | ALARM,
    }
}

/// Holds the shader to its reference: both kinds of decision, retries, torn words.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[14]);
    let (rows, features, blocks) =
        (4 * rng.random_range(1..10u32), rng.random_range(1..12u32), rng.random_range(1..6u32));
    let executions = rng.random_range(2..4u32);
    let params = OutputVoteParams {
        rows,
        features,
        blocks,
        executions,
        rule: Rule::random(&mut rng, features),
        retry: if executions == 2 { rng.random_range(0..2) } else { 0 },
        voter: rng.random_range(0..3),
        pad: [0; 2],
    };
    let count = blocks * features * rows;
    let a = random_floats(&mut rng, count, true);
    let mut struck = || -> Vec<u32> {
        a.iter()
            .map(|w| if rng.random_bool(0.2) { random_floats(&mut rng, 1, true)[0] } else { *w })
            .collect()
    };
    let b = struck();
    let c = if executions == 2 { b.clone() } else { struck() };
    let lane_of: Vec<u32> = (0..blocks).map(|block| 2 * block + 1).collect();
    let lanes = 2 * blocks + 1;
    let mut delivered = vec![9; (lanes * features * rows) as usize];
    let mut verdicts: Vec<u32> =
        (0..lanes * rows).map(|i| if i % 3 == 0 { MISMATCH | ALARM } else { 0 }).collect();
    let stage = OutputVote;
    let uniform = gpu.uniform("params", &params);
    let (lb, ab, bb, cb) = (
        gpu.upload("lanes", &lane_of),
        gpu.upload("a", &a),
        gpu.upload("b", &b),
        gpu.upload("c", &c),
    );
    let (db, vb) = (gpu.upload("delivered", &delivered), gpu.upload("verdicts", &verdicts));
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &lb, [&ab, &bb, &cb], &db, &vb))?;
    reference(&params, &lane_of, [&a, &b, &c], &mut delivered, &mut verdicts);
    Ok(all_of([
        same_bits("output_vote", &gpu.read(&db)?, &delivered),
        same_bits("output_vote", &gpu.read(&vb)?, &verdicts),
    ]))
}
