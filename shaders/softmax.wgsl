// exp(x - max) / sum of exp(x - max) along one dimension of a row, elements ascending; or its logarithm,
// (x - max) - log(sum). One invocation a line of elements. See src/op/softmax.rs for the reference.
#import bits
#import fold
#import maths

override GROUP: u32 = 64u;
override LOG: u32 = 0u;

struct SoftmaxParams {
    rows:     u32,   // rows of a block, padded
    features: u32,   // elements along the dimension
    inner:    u32,   // elements after it
    outer:    u32,   // elements before it
    blocks:   u32,
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: SoftmaxParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, outer, feature, inner, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, outer, feature, inner, row]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let columns = params.inner * params.rows;
    let column = i % columns;
    let part = i / columns % params.outer;
    let block = i / columns / params.outer;
    if block >= params.blocks { return; }
    let first = part * params.features * columns + column;
    let source = params.x_base + x_slot[block] * params.x_stride + first;
    let to = block * params.outer * params.features * columns + first;
    var largest = 0xff800000u;
    for (var f = 0u; f < params.features; f++) {
        let word = x[source + f * columns];
        if !bits_is_nan(word) && bits_key(word) > bits_key(largest) { largest = word; }
    }
    var sum = 0.0;
    for (var f = 0u; f < params.features; f++) {
        let e = exp_below_zero(bitcast<f32>(x[source + f * columns]) - bitcast<f32>(largest));
        y[to + f * columns] = bitcast<u32>(e);
        sum += e;
    }
    if LOG == 1u {
        let log = exp_kept(maths_log(sum));
        for (var f = 0u; f < params.features; f++) {
            let less = exp_kept(bitcast<f32>(x[source + f * columns]) - bitcast<f32>(largest));
            y[to + f * columns] = bitcast<u32>(less - log);
        }
        return;
    }
    for (var f = 0u; f < params.features; f++) {
        y[to + f * columns] = bitcast<u32>(bitcast<f32>(y[to + f * columns]) / sum);
    }
}
