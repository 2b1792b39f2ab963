// Two executions compared, or three voted, for one row of outputs. One invocation a row.
// See src/stage/output_vote.rs for the reference.
#import bits
#import decision
#import fold
#import outcome

override GROUP: u32 = 64u;

struct OutputVoteParams {
    rows:       u32,   // rows of a block, padded
    features:   u32,
    blocks:     u32,
    executions: u32,   // 2 compares, 3 votes
    retry:      u32,   // 1: only rows with a mismatch, and what agrees now is delivered
    decision:   u32,
    nan:        u32,
    relative:   f32,
    voter:      u32,   // how executions are compared
    pad0:       u32,
    pad1:       u32,
    pad2:       u32,
}

const VOTER_WORD:     u32 = 1u;   // a word with three distinct values delivers nothing
const VOTER_DECISION: u32 = 2u;   // decisions vote, the lowest agreeing execution is delivered whole

@group(0) @binding(0) var<uniform>             params:    OutputVoteParams;
@group(0) @binding(1) var<storage, read>       lane_of:   array<u32>;   // [block]
@group(0) @binding(2) var<storage, read>       a:         array<u32>;   // [block, feature, row]
@group(0) @binding(3) var<storage, read>       b:         array<u32>;   // [block, feature, row]
@group(0) @binding(4) var<storage, read>       c:         array<u32>;   // [block, feature, row]
@group(0) @binding(5) var<storage, read_write> delivered: array<u32>;   // [lane, feature, row]
@group(0) @binding(6) var<storage, read_write> verdicts:  array<u32>;   // [lane, row]

fn word_of(execution: u32, at: u32) -> u32 {
    if execution == 0u { return a[at]; }
    if execution == 1u { return b[at]; }
    return c[at];
}

fn decide(execution: u32, source: u32) -> u32 {
    var d = decision_start();
    for (var f = 0u; f < params.features; f++) {
        d = decision_take(d, f, word_of(execution, source + f * params.rows), params.nan);
    }
    return decision_end(d, params.nan);
}

// Whether two executions decide alike: the same arg-max, or every word within the tolerance. What
// decides nothing (a NaN that ranks nowhere, an infinity to measure by) agrees with nothing.
fn agree(i: u32, j: u32, source: u32) -> bool {
    if params.decision == DECISION_ARG_MAX {
        let decision = decide(i, source);
        return decision != NO_DECISION && decision == decide(j, source);
    }
    var largest = 0u;
    for (var f = 0u; f < params.features; f++) {
        largest = max(largest, word_of(i, source + f * params.rows) & 0x7fffffffu);
    }
    if !bits_is_finite(largest) { return false; }
    let bound = params.relative * bitcast<f32>(largest);
    for (var f = 0u; f < params.features; f++) {
        let left = word_of(i, source + f * params.rows);
        let right = word_of(j, source + f * params.rows);
        if left != right && !(abs(bitcast<f32>(left) - bitcast<f32>(right)) <= bound) { return false; }
    }
    return true;
}

// Whether two executions are one to the voter: equal bits, or the same decision.
fn same(i: u32, j: u32, source: u32) -> bool {
    var equal = true;
    for (var f = 0u; f < params.features; f++) {
        let at = source + f * params.rows;
        equal &= word_of(i, at) == word_of(j, at);
    }
    return equal || agree(i, j, source);
}

fn deliver(execution: u32, source: u32, to: u32) {
    for (var f = 0u; f < params.features; f++) {
        delivered[to + f * params.rows] = word_of(execution, source + f * params.rows);
    }
}

fn compared(differ: bool) -> u32 {
    if params.retry != 0u {
        return select(VERDICT_RETRIED, VERDICT_NONE, differ) | VERDICT_ALARM;
    }
    return select(0u, VERDICT_MISMATCH | VERDICT_ALARM, differ);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.rows;
    if block >= params.blocks { return; }
    let row = i % params.rows;
    let lane = lane_of[block];
    let at = lane * params.rows + row;
    if params.retry != 0u && (verdicts[at] & VERDICT_MISMATCH) == 0u { return; }
    let source = block * params.features * params.rows + row;
    let to = lane * params.features * params.rows + row;
    if params.voter == VOTER_DECISION {
        let first = same(0u, 1u, source);
        if params.executions == 2u {
            deliver(select(1u, 0u, first), source, to);
            verdicts[at] = compared(!first);
            return;
        }
        let second = same(0u, 2u, source);
        let some = first || second || same(1u, 2u, source);
        deliver(select(1u, 0u, first || second), source, to);
        let verdict = select(VERDICT_NONE | VERDICT_ALARM, VERDICT_ALARM, some);
        verdicts[at] = select(verdict, 0u, first && second);
        return;
    }
    var dissent = false;
    var torn = false;
    for (var f = 0u; f < params.features; f++) {
        let j = source + f * params.rows;
        let p = a[j];
        let q = b[j];
        let r = c[j];
        dissent |= p != q || p != r;
        torn |= p != q && p != r && q != r;
        delivered[to + f * params.rows] = (p & q) | (p & r) | (q & r);
    }
    if params.executions == 2u {
        verdicts[at] = compared(dissent);
        return;
    }
    verdicts[at] = select(0u, VERDICT_ALARM, dissent);
    if !torn { return; }
    let votes = params.voter != VOTER_WORD;
    if votes && (same(0u, 1u, source) || same(0u, 2u, source)) {
        deliver(0u, source, to);
    } else if votes && same(1u, 2u, source) {
        deliver(1u, source, to);
    } else {
        verdicts[at] = VERDICT_NONE | VERDICT_ALARM;
    }
}
