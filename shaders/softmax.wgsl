// exp(x - max) / sum of exp(x - max) over the features of one row, features ascending.
// One invocation a row. See src/stage/softmax.rs for the reference and for exp.
#import bits
#import fold

override GROUP: u32 = 64u;

struct SoftmaxParams {
    rows:     u32,   // rows of a block, padded
    features: u32,
    blocks:   u32,
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    zero:     u32,   // 0, which the compiler does not know
    pad1:     u32,
    pad2:     u32,
}

@group(0) @binding(0) var<uniform>             params: SoftmaxParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, feature, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, feature, row]

// The same bits, behind which a compiler cannot regroup a sum of products.
fn kept(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

// exp for x <= 0: 2^n times a polynomial of the rest, by bits below -87 and for NaN.
fn exp_of(x: f32) -> f32 {
    let word = bitcast<u32>(x);
    if bits_is_nan(word) { return x; }
    if word > 0xc2ae0000u { return 0.0; }
    let n = floor(fma(x, 1.44269504, 0.5));
    let r = kept(fma(n, 2.12194440e-4, kept(fma(n, -0.693359375, x))));
    var p = 1.98756915e-4;
    p = fma(p, r, 1.39819995e-3);
    p = fma(p, r, 8.33345205e-3);
    p = fma(p, r, 4.16657962e-2);
    p = fma(p, r, 1.66666657e-1);
    p = fma(p, r, 0.5);
    p = kept(fma(p, kept(r * r), r)) + 1.0;
    return kept(p) * bitcast<f32>(u32(i32(n) + 127) << 23u);
}

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
        let e = exp_of(bitcast<f32>(x[source + f * params.rows]) - bitcast<f32>(largest));
        y[to + f * params.rows] = bitcast<u32>(e);
        sum += e;
    }
    for (var f = 0u; f < params.features; f++) {
        y[to + f * params.rows] = bitcast<u32>(bitcast<f32>(y[to + f * params.rows]) / sum);
    }
}
