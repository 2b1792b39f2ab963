// Elements in another order: y[element] = x[table[element]], or `fill` outside. One invocation a word. See
// src/op/arrange.rs for the reference.
#import fold

override GROUP: u32 = 64u;

const OUTSIDE: u32 = 0xffffffffu;

struct ArrangeParams {
    words:    u32,   // words of an output's block
    blocks:   u32,
    rows:     u32,   // rows of a block
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    x_step:   u32,   // words from element to element: rows, or 1 of a stored tensor
    x_row:    u32,   // words from row to row: 1, or 0 of a stored tensor
    fill:     u32,
}

@group(0) @binding(0) var<uniform>             params: ArrangeParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, element, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, element, row]
@group(0) @binding(4) var<storage, read>       table:  array<u32>;   // [element]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let at = i - block * params.words;
    let element = at / params.rows;
    let row = at - element * params.rows;
    let origin = table[element];
    if origin == OUTSIDE {
        y[i] = params.fill;
        return;
    }
    y[i] = x[params.x_base + x_slot[block] * params.x_stride + origin * params.x_step + row * params.x_row];
}
