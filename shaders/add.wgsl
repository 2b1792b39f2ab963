// The elementwise sum of two values. One invocation a quad of words.
// See src/op/add.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct AddParams {
    quads:    u32,   // quads of words in a block
    blocks:   u32,
    a_base:   u32,   // in quads
    a_stride: u32,   // in quads, between slots
    b_base:   u32,
    b_stride: u32,
}

@group(0) @binding(0) var<uniform>             params: AddParams;
@group(0) @binding(1) var<storage, read>       a:      array<vec4<u32>>;   // [slot, quad]
@group(0) @binding(2) var<storage, read>       a_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       b:      array<vec4<u32>>;   // [slot, quad]
@group(0) @binding(4) var<storage, read>       b_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.quads;
    if block >= params.blocks { return; }
    let quad = i - block * params.quads;
    let left = a[params.a_base + a_slot[block] * params.a_stride + quad];
    let right = b[params.b_base + b_slot[block] * params.b_stride + quad];
    y[i] = bitcast<vec4<u32>>(bitcast<vec4<f32>>(left) + bitcast<vec4<f32>>(right));
}
