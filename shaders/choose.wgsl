// y = c != 0 ? a : b, of values or stored tensors that broadcast. One invocation a word. See src/op/choose.rs
// for the reference.
#import fold

override GROUP: u32 = 64u;

struct ChooseParams {
    words:    u32,   // words of an output's block
    blocks:   u32,
    rows:     u32,   // rows of a block
    c_base:   u32,   // in words
    c_stride: u32,   // in words, between slots
    c_step:   u32,   // words from element to element: rows, or 1 of a stored tensor
    c_row:    u32,   // words from row to row: 1, or 0 of a stored tensor
    a_base:   u32,
    a_stride: u32,
    a_step:   u32,
    a_row:    u32,
    b_base:   u32,
    b_stride: u32,
    b_step:   u32,
    b_row:    u32,
    zero:     u32,
}

@group(0) @binding(0) var<uniform>             params: ChooseParams;
@group(0) @binding(1) var<storage, read>       c:      array<u32>;   // [slot, element, row]
@group(0) @binding(2) var<storage, read>       c_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read>       a:      array<u32>;   // [slot, element, row]
@group(0) @binding(4) var<storage, read>       a_slot: array<u32>;   // [block]
@group(0) @binding(5) var<storage, read>       b:      array<u32>;   // [slot, element, row]
@group(0) @binding(6) var<storage, read>       b_slot: array<u32>;   // [block]
@group(0) @binding(7) var<storage, read_write> y:      array<u32>;   // [block, element, row]
@group(0) @binding(8) var<storage, read>       table:  array<u32>;   // [element, operand]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let at = i - block * params.words;
    let element = at / params.rows;
    let row = at - element * params.rows;
    let chooses = c[params.c_base + c_slot[block] * params.c_stride
        + table[3u * element] * params.c_step + row * params.c_row];
    if chooses != 0u {
        y[i] = a[params.a_base + a_slot[block] * params.a_stride
            + table[3u * element + 1u] * params.a_step + row * params.a_row];
    } else {
        y[i] = b[params.b_base + b_slot[block] * params.b_stride
            + table[3u * element + 2u] * params.b_step + row * params.b_row];
    }
}
