// An image of another size: the nearest elements, or linear between neighbours, as the table says. One
// invocation a word. See src/op/resize.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct ResizeParams {
    words:      u32,   // words of an output's block
    blocks:     u32,
    rows:       u32,   // rows of a block
    plane:      u32,   // elements of a channel of the input
    out_height: u32,
    out_width:  u32,
    x_base:     u32,   // in words
    x_stride:   u32,   // in words, between slots
    columns:    u32,   // where the table has the columns
    linear:     u32,
    zero:       u32,   // 0, which the compiler does not know
    pad:        u32,
}

@group(0) @binding(0) var<uniform>             params: ResizeParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>; // [slot, channel, row, column, block row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>; // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>; // [block, channel, row, column, block row]
@group(0) @binding(4) var<storage, read>       table:  array<u32>; // [row, (before, behind, share)], [column, …]

// The same bits, behind which a compiler cannot regroup a sum of products.
fn kept(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

fn between(a: u32, b: u32, share: u32) -> u32 {
    let first = bitcast<f32>(a);
    return bitcast<u32>(fma(kept(bitcast<f32>(b) - first), bitcast<f32>(share), first));
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let at = i - block * params.words;
    let row = at % params.rows;
    let column = at / params.rows % params.out_width;
    let line = at / params.rows / params.out_width % params.out_height;
    let channel = at / params.rows / params.out_width / params.out_height;
    let source = params.x_base + x_slot[block] * params.x_stride + channel * params.plane * params.rows + row;
    let top = source + table[3u * line] * params.rows;
    let bottom = source + table[3u * line + 1u] * params.rows;
    let left = table[params.columns + 3u * column] * params.rows;
    let next = table[params.columns + 3u * column + 1u] * params.rows;
    if params.linear == 0u {
        y[i] = x[top + left];
        return;
    }
    let beside = table[params.columns + 3u * column + 2u];
    let above = between(x[top + left], x[top + next], beside);
    let under = between(x[bottom + left], x[bottom + next], beside);
    y[i] = between(above, under, table[3u * line + 2u]);
}
