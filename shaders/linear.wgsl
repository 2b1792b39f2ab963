// y[o] = sum over k of x[k] * w[o, k], k ascending with fma from +0 or, where the sums resume, from y; then
// the bias. Weights are read as shaders/lib/stored.wgsl says. One invocation computes OUTPUTS output
// features of QUADS quads of rows of one block. See src/op/linear.rs for the reference.
#import fold
#import tile

override GROUP: u32 = 32u;

struct LinearParams {
    quads:           u32,   // quads of a feature: of its places and rows
    inputs:          u32,   // input features
    outputs:         u32,   // output features
    begin:           u32,   // the first feature that is added
    end:             u32,   // after the last one
    has_bias:        u32,
    x_base:          u32,   // in quads
    x_stride:        u32,   // in quads, between slots
    w_base:          u32,   // in elements
    w_stride:        u32,   // in elements, between slots
    b_base:          u32,   // in elements, in the same buffer as w
    y_base:          u32,   // in quads
    y_stride:        u32,   // in quads, between blocks
    scale:           u32,   // of quantised weights: words before the scales
    scale_step:      u32,   // 1: one for each output
    zero:            u32,   // elements before the zero points
    zero_step:       u32,   // likewise
    whole_bias:      u32,   // 1: the bias is of whole numbers
    bias_scale:      u32,   // words before their scales
    bias_scale_step: u32,   // likewise
}

@group(0) @binding(0) var<uniform>             params: LinearParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, input, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, output, input]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    run(fold_index(id, groups, GROUP), id.z);
}

fn run(id: u32, block: u32) {
    let tile = tile_of(id, 1u, 1u, params.inputs, block);
    if tile.first >= tile.end { return; }
    let to = params.y_base + block * params.y_stride + tile.quad;
    if RESUMES == 1u { tile_resume(tile, to, params.quads); }
    var at = params.x_base + x_slot[block] * params.x_stride + tile.quad + params.begin * params.quads;
    for (var k = params.begin; k < params.end; k++) {
        tile_add(tile, at, k);
        at += params.quads;
    }
    tile_store(tile, to, params.quads);
}
