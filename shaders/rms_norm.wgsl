// y = weight x / sqrt(mean of x^2 + epsilon) along one dimension, elements ascending. One invocation a line
// of elements of a quad of rows. See src/op/rms_norm.rs for the reference.
#import fold
#import stored

override GROUP: u32 = 64u;

struct RmsNormParams {
    columns:  u32,   // quads of the elements after the dimension
    along:    u32,   // elements along the dimension
    outer:    u32,   // elements before it
    blocks:   u32,
    x_base:   u32,   // in quads
    x_stride: u32,   // in quads, between slots
    w_base:   u32,   // in elements
    w_stride: u32,   // in elements, between slots
    divisor:  f32,   // elements along the dimension
    epsilon:  f32,
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: RmsNormParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, outer, element, column]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, element]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, outer, element, column]

// The same bits, behind which a compiler cannot regroup a sum of products.
fn kept(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) ^ vec4(params.zero));
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let column = i % params.columns;
    let part = i / params.columns % params.outer;
    let block = i / params.columns / params.outer;
    if block >= params.blocks { return; }
    let first = part * params.along * params.columns + column;
    let source = params.x_base + x_slot[block] * params.x_stride + first;
    let to = block * params.outer * params.along * params.columns + first;
    var squares = vec4(0f);
    for (var e = 0u; e < params.along; e++) {
        let v = bitcast<vec4<f32>>(x[source + e * params.columns]);
        squares = fma(v, v, squares);
    }
    let mean = kept(squares / params.divisor) + vec4(params.epsilon);
    let factor = kept(1.0 / kept(sqrt(kept(mean))));
    let weights = params.w_base + w_slot[block] * params.w_stride;
    for (var e = 0u; e < params.along; e++) {
        let v = kept(bitcast<vec4<f32>>(x[source + e * params.columns]) * factor);
        y[to + e * params.columns] = bitcast<vec4<u32>>(stored_float(weights, e) * v);
    }
}
