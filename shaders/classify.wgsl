// What became of each inference: bits against golden, then the decision. One invocation a row.
// See src/stage/classify.rs for the reference.
#import bits
#import decision
#import fold
#import outcome

override GROUP: u32 = 64u;

struct ClassifyParams {
    rows:     u32,   // rows of a block, padded
    features: u32,
    lanes:    u32,
    guard:    u32,   // 1: a NaN or an infinity in the output is a DUE
    rule:     DecisionRule,
}

@group(0) @binding(0) var<uniform>             params:    ClassifyParams;
@group(0) @binding(1) var<storage, read>       windows:   array<u32>;   // [lane]
@group(0) @binding(2) var<storage, read>       delivered: array<u32>;   // [lane, feature, row]
@group(0) @binding(3) var<storage, read>       golden:    array<u32>;   // [window, feature, row]
@group(0) @binding(4) var<storage, read>       labels:    array<u32>;   // [window, row]
@group(0) @binding(5) var<storage, read>       alarms:    array<u32>;   // [lane, rows + 1]
@group(0) @binding(6) var<storage, read>       verdicts:  array<u32>;   // [lane, row]
@group(0) @binding(7) var<storage, read>       traps:     array<u32>;   // [lane, rows + 1]
@group(0) @binding(8) var<storage, read_write> outcomes:  array<u32>;   // [lane, row]

// The row that this invocation classifies: where its words begin, delivered and golden.
var<private> begin: array<u32, 2>;

fn decision_word(output: u32, feature: u32) -> u32 {
    if output == 0u { return delivered[begin[0] + feature * params.rows]; }
    return golden[begin[1] + feature * params.rows];
}

// Whether any word up to this one differs from golden, and whether all are finite.
fn look(seen: vec2<bool>, feature: u32) -> vec2<bool> {
    let word = decision_word(0u, feature);
    return vec2(seen.x || word != decision_word(1u, feature), seen.y && bits_is_finite(word));
}

fn look_8(seen: vec2<bool>, feature: u32) -> vec2<bool> {
    var next = seen;
    next = look(next, feature);
    next = look(next, feature + 1u);
    next = look(next, feature + 2u);
    next = look(next, feature + 3u);
    next = look(next, feature + 4u);
    next = look(next, feature + 5u);
    next = look(next, feature + 6u);
    next = look(next, feature + 7u);
    return next;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let lane = i / params.rows;
    if lane >= params.lanes { return; }
    let row = i % params.rows;
    let ours = lane * params.features * params.rows + row;
    let theirs = windows[lane] * params.features * params.rows + row;
    begin[0] = ours;
    begin[1] = theirs;
    var seen = vec2(false, true);
    var f = 0u;
    for (; WIDE == 1u && f + 32u <= params.features; f += 32u) {
        seen = look_8(look_8(look_8(look_8(seen, f), f + 8u), f + 16u), f + 24u);
    }
    for (; f < params.features; f++) { seen = look(seen, f); }
    let differs = seen.x;
    let finite = seen.y;
    // Labels name classes; an answer of tokens has none.
    var decision = NO_DECISION;
    if DECISION != DECISION_TOKENS { decision = decision_arg_max(0u, params.features, params.rule.nan); }
    let wrong = differs && !decision_same(0u, 1u, params.features, params.rule);
    let verdict = verdicts[i];
    let all = lane * (params.rows + 1u);
    let trap = traps[all + row] | traps[all + params.rows];
    let none = (verdict & VERDICT_NONE) != 0u;
    let guarded = params.guard != 0u && !finite;
    var alarm = (verdict & VERDICT_ALARM) != 0u;
    alarm |= alarms[all + row] != 0u || alarms[all + params.rows] != 0u;
    alarm |= trap != 0u || guarded;
    var outcome = OUTCOME_MASKED;
    if (trap & TRAP_BUDGET) != 0u {
        outcome = OUTCOME_HANG;
    } else if trap != 0u || none || guarded {
        outcome = OUTCOME_DUE;
    } else if differs {
        outcome = select(OUTCOME_TOLERABLE_SDC, OUTCOME_CRITICAL_SDC, wrong);
    } else if (verdict & VERDICT_RETRIED) != 0u {
        outcome = OUTCOME_DUE_RECOVERED;
    } else if alarm {
        outcome = OUTCOME_CORRECTED;
    }
    let is_delivered = outcome != OUTCOME_DUE && outcome != OUTCOME_HANG;
    var flags = select(0u, ROW_ALARM, alarm);
    flags |= select(0u, ROW_NON_FINITE, !finite && !none);
    flags |= select(0u, ROW_LABEL_CORRECT, is_delivered && decision == labels[windows[lane] * params.rows + row]);
    outcomes[i] = outcome | flags;
}
