// y[t, c] = table[id[t], c]; a number past the table gives 0 and traps. One invocation a word.
// See src/op/embedding.rs for the reference.
#import fold
#import outcome

override GROUP: u32 = 64u;

struct EmbeddingParams {
    rows:     u32,   // rows of a block
    width:    u32,   // words of an entry
    words:    u32,   // words of an output's block
    blocks:   u32,
    entries:  u32,   // entries of the table
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    w_base:   u32,   // in words
    w_stride: u32,   // in words, between slots
}

@group(0) @binding(0) var<uniform>             params: EmbeddingParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;         // [slot, token, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, entry, column]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<u32>;         // [block, token, column, row]
@group(0) @binding(6) var<storage, read_write> traps:  array<atomic<u32>>; // [lane, rows + 1]
@group(0) @binding(7) var<storage, read>       lanes:  array<u32>;         // [block]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let at = i - block * params.words;
    let row = at % params.rows;
    let column = at / params.rows % params.width;
    let token = at / params.rows / params.width;
    let entry = x[params.x_base + x_slot[block] * params.x_stride + token * params.rows + row];
    if entry >= params.entries {
        atomicOr(&traps[lanes[block] * (params.rows + 1u) + row], TRAP_INDEX);
        y[i] = 0u;
        return;
    }
    y[i] = w[params.w_base + w_slot[block] * params.w_stride + entry * params.width + column];
}
