// y[t, c] = table[id[t], c]; a number past the table gives 0 and traps. One invocation a quad of rows.
// See src/op/embedding.rs for the reference.
#import fold
#import outcome
#import stored

override GROUP: u32 = 64u;
override BYTES: u32 = 0u;   // 1: entries are whole numbers of 8 bits

struct EmbeddingParams {
    quads:    u32,   // quads of rows
    width:    u32,   // words of an entry
    places:   u32,   // quads of an output's block
    blocks:   u32,
    entries:  u32,   // entries of the table
    first:    u32,   // the first entry that w holds
    held:     u32,   // how many it holds
    x_base:   u32,   // in quads
    x_stride: u32,   // in quads, between slots
    w_base:   u32,   // in elements
    w_stride: u32,   // in elements, between slots
}

@group(0) @binding(0) var<uniform>             params: EmbeddingParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, token, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, entry, column]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, token, column, quad]
@group(0) @binding(6) var<storage, read_write> traps:  array<atomic<u32>>; // [lane, rows + 1]
@group(0) @binding(7) var<storage, read>       lanes:  array<u32>;         // [block]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.places;
    if block >= params.blocks { return; }
    let at = i - block * params.places;
    let quad = at % params.quads;
    let column = at / params.quads % params.width;
    let token = at / params.quads / params.width;
    let entries = x[params.x_base + x_slot[block] * params.x_stride + token * params.quads + quad];
    let traps_at = lanes[block] * (4u * params.quads + 1u) + 4u * quad;
    let table = params.w_base + w_slot[block] * params.w_stride + column;
    var words = vec4(0u);
    if params.held < params.entries { words = y[i]; }
    y[i] = vec4(
        entry_word(words.x, entries.x, table, traps_at),
        entry_word(words.y, entries.y, table, traps_at + 1u),
        entry_word(words.z, entries.z, table, traps_at + 2u),
        entry_word(words.w, entries.w, table, traps_at + 3u),
    );
}

// The word of an entry; that of one that is not held stays what it is.
fn entry_word(word: u32, entry: u32, table: u32, trap: u32) -> u32 {
    if entry >= params.entries {
        atomicOr(&traps[trap], TRAP_INDEX);
        return 0u;
    }
    let place = entry - params.first;
    if place >= params.held { return word; }
    if BYTES == 1u {
        let at = table + place * params.width;
        return w[at / 4u] >> (at % 4u * 8u) & 0xffu;
    }
    return bitcast<u32>(stored_float(table, place * params.width));
}
