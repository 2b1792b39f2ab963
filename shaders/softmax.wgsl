// exp(x - max) / sum of exp(x - max) over the features of one row, features ascending.
// One invocation a row. See src/op/softmax.rs for the reference.
#import bits
#import exp
#import fold

override GROUP: u32 = 64u;

struct SoftmaxParams {
    rows:     u32,   // rows of a block, padded
    features: u32,
    blocks:   u32,
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: SoftmaxParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, feature, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, feature, row]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.rows;
    if block >= params.blocks { return; }
    let row = i % params.rows;
    let source = params.x_base + x_slot[block] * params.x_stride + row;
    let to = block * params.features * params.rows + row;
    var largest = 0xff800000u;
    for (var f = 0u; f < params.features; f++) {
        let word = x[source + f * params.rows];
        if !bits_is_nan(word) && bits_key(word) > bits_key(largest) { largest = word; }
    }
    var sum = 0.0;
    for (var f = 0u; f < params.features; f++) {
        let e = exp_below_zero(bitcast<f32>(x[source + f * params.rows]) - bitcast<f32>(largest));
        y[to + f * params.rows] = bitcast<u32>(e);
        sum += e;
    }
    for (var f = 0u; f < params.features; f++) {
        y[to + f * params.rows] = bitcast<u32>(bitcast<f32>(y[to + f * params.rows]) / sum);
    }
}
