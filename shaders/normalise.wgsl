// y = (x - mean) weight / sqrt(variance + epsilon) + bias, mean and variance of each part of a row, elements
// ascending. One invocation a part of a row. See src/op/normalise.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct NormaliseParams {
    rows:     u32,   // rows of a block
    blocks:   u32,
    parts:    u32,   // parts of a row
    elements: u32,   // elements of a part
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    w_base:   u32,   // in words
    w_stride: u32,   // in words, between slots
    b_base:   u32,   // in words, in the same buffer as w
    has_bias: u32,
    by_part:  u32,   // 1 where each part has a weight, 0 where each element of a part has one
    divisor:  f32,   // elements of a part
    epsilon:  f32,
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: NormaliseParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, part, element, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;   // [slot, part or element]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;   // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<u32>;   // [block, part, element, row]

// The same bits, behind which a compiler cannot regroup a sum of products.
fn kept(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let row = i % params.rows;
    let part = i / params.rows % params.parts;
    let block = i / params.rows / params.parts;
    if block >= params.blocks { return; }
    let first = part * params.elements * params.rows + row;
    let source = params.x_base + x_slot[block] * params.x_stride + first;
    let to = block * params.parts * params.elements * params.rows + first;
    var sum = 0f;
    for (var e = 0u; e < params.elements; e++) {
        sum += bitcast<f32>(x[source + e * params.rows]);
    }
    let mean = kept(sum / params.divisor);
    var squares = 0f;
    for (var e = 0u; e < params.elements; e++) {
        let away = kept(bitcast<f32>(x[source + e * params.rows]) - mean);
        squares = fma(away, away, squares);
    }
    let factor = kept(1.0 / sqrt(kept(squares / params.divisor) + params.epsilon));
    let slot = w_slot[block] * params.w_stride;
    for (var e = 0u; e < params.elements; e++) {
        let place = slot + select(e, part, params.by_part == 1u);
        var bias = 0f;
        if params.has_bias == 1u { bias = bitcast<f32>(w[params.b_base + place]); }
        let normal = kept(kept(bitcast<f32>(x[source + e * params.rows]) - mean) * factor);
        y[to + e * params.rows] = bitcast<u32>(fma(normal, bitcast<f32>(w[params.w_base + place]), bias));
    }
}
