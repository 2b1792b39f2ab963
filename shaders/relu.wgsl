// The positive part, on bits: a set sign gives +0; a NaN propagates or becomes +0.
// One invocation a quad of words. See src/op/relu.rs for the reference.
#import bits
#import fold

override GROUP: u32 = 64u;

struct ReluParams {
    quads:       u32,   // quads of words in a block
    blocks:      u32,
    x_base:      u32,   // in quads
    x_stride:    u32,   // in quads, between slots
    nan_is_zero: u32,
}

@group(0) @binding(0) var<uniform>             params: ReluParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<vec4<u32>>;   // [block, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.quads;
    if block >= params.blocks { return; }
    let word = x[params.x_base + x_slot[block] * params.x_stride + (i - block * params.quads)];
    let is_nan = (word & vec4(0x7fffffffu)) > vec4(0x7f800000u);
    let is_negative = word >= vec4(0x80000000u);
    let positive = select(word, vec4(0u), is_negative);
    let of_nan = select(word, vec4(0u), vec4(params.nan_is_zero != 0u));
    y[i] = select(positive, of_nan, is_nan);
}
