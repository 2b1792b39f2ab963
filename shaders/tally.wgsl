// Counts outcomes and flags of each lane. One invocation a row.
// See src/stage/tally.rs for the reference and src/outcome.rs for the words.
#import fold
#import outcome

override GROUP: u32 = 64u;

struct TallyParams { rows: u32, counted: u32, lanes: u32, words: u32 }

@group(0) @binding(0) var<uniform>             params:   TallyParams;
@group(0) @binding(1) var<storage, read>       outcomes: array<u32>;           // [lane, row]
@group(0) @binding(2) var<storage, read_write> tallies:  array<atomic<u32>>;   // [lane, words]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let lane = i / params.rows;
    if lane >= params.lanes || i % params.rows >= params.counted { return; }
    let row = outcomes[i];
    let to = lane * params.words;
    atomicAdd(&tallies[to + (row & OUTCOME_MASK)], 1u);
    if (row & ROW_ALARM) != 0u { atomicAdd(&tallies[to + 7u], 1u); }
    if (row & ROW_NON_FINITE) != 0u { atomicAdd(&tallies[to + 8u], 1u); }
    if (row & ROW_LABEL_CORRECT) != 0u { atomicAdd(&tallies[to + 9u], 1u); }
}
