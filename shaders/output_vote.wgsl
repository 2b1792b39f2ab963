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
    rule:       DecisionRule,
    retry:      u32,   // 1: only rows with a mismatch, and what agrees now is delivered
    voter:      u32,   // how executions are compared
    pad0:       u32,
    pad1:       u32,
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

// Where the words of the row begin that this invocation votes on.
var<private> begin: u32;

fn decision_word(output: u32, feature: u32) -> u32 {
    return word_of(output, begin + feature * params.rows);
}

// Whether two executions are one to the voter: equal bits, or the same decision.
fn same(i: u32, j: u32, source: u32) -> bool {
    begin = source;
    var equal = true;
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= params.features; f += 8u) {
        equal &= decision_word(i, f) == decision_word(j, f);
        equal &= decision_word(i, f + 1u) == decision_word(j, f + 1u);
        equal &= decision_word(i, f + 2u) == decision_word(j, f + 2u);
        equal &= decision_word(i, f + 3u) == decision_word(j, f + 3u);
        equal &= decision_word(i, f + 4u) == decision_word(j, f + 4u);
        equal &= decision_word(i, f + 5u) == decision_word(j, f + 5u);
        equal &= decision_word(i, f + 6u) == decision_word(j, f + 6u);
        equal &= decision_word(i, f + 7u) == decision_word(j, f + 7u);
    }
    for (; f < params.features; f++) { equal &= decision_word(i, f) == decision_word(j, f); }
    return equal || decision_agree(i, j, params.features, params.rule);
}

fn deliver(execution: u32, source: u32, to: u32) {
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= params.features; f += 8u) {
        delivered[to + f * params.rows] = word_of(execution, source + f * params.rows);
        delivered[to + (f + 1u) * params.rows] = word_of(execution, source + (f + 1u) * params.rows);
        delivered[to + (f + 2u) * params.rows] = word_of(execution, source + (f + 2u) * params.rows);
        delivered[to + (f + 3u) * params.rows] = word_of(execution, source + (f + 3u) * params.rows);
        delivered[to + (f + 4u) * params.rows] = word_of(execution, source + (f + 4u) * params.rows);
        delivered[to + (f + 5u) * params.rows] = word_of(execution, source + (f + 5u) * params.rows);
        delivered[to + (f + 6u) * params.rows] = word_of(execution, source + (f + 6u) * params.rows);
        delivered[to + (f + 7u) * params.rows] = word_of(execution, source + (f + 7u) * params.rows);
    }
    for (; f < params.features; f++) { delivered[to + f * params.rows] = word_of(execution, source + f * params.rows); }
}

// Delivers a word by the majority of its bits.
fn vote(seen: vec2<bool>, f: u32, source: u32, to: u32) -> vec2<bool> {
    let j = source + f * params.rows;
    let p = a[j];
    let q = b[j];
    let r = c[j];
    delivered[to + f * params.rows] = (p & q) | (p & r) | (q & r);
    return vec2(seen.x || p != q || p != r, seen.y || (p != q && p != r && q != r));
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
    var seen = vec2(false);   // dissent, and three distinct values of a word
    var f = 0u;
    for (; WIDE == 1u && f + 8u <= params.features; f += 8u) {
        seen = vote(seen, f, source, to);
        seen = vote(seen, f + 1u, source, to);
        seen = vote(seen, f + 2u, source, to);
        seen = vote(seen, f + 3u, source, to);
        seen = vote(seen, f + 4u, source, to);
        seen = vote(seen, f + 5u, source, to);
        seen = vote(seen, f + 6u, source, to);
        seen = vote(seen, f + 7u, source, to);
    }
    for (; f < params.features; f++) { seen = vote(seen, f, source, to); }
    let dissent = seen.x;
    let torn = seen.y;
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
