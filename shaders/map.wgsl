// Functions of one number, element by element: FUNCTION says which. A NaN stays what it is, but for functions
// of bits. One invocation STRIP quads of words. See src/op/map.rs for the references, in the same order.
#import bits
#import bytes
#import fold
#import maths

override GROUP: u32 = 64u;
override FUNCTION: u32 = 0u;
override STRIP: u32 = 1u;
override SIGNED: u32 = 0u;   // 1: whole numbers have a sign
override X: u32 = 0u;        // 3: they are of i8

struct MapParams {
    strips:   u32,   // strips of words in a block
    blocks:   u32,
    x_base:   u32,   // in quads
    x_stride: u32,   // in quads, between slots
    a:        f32,   // the first setting
    b:        f32,   // the second
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: MapParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<vec4<u32>>;   // [block, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.strips;
    if block >= params.blocks { return; }
    let start = params.x_base + x_slot[block] * params.x_stride + (i - block * params.strips) * STRIP;
    for (var at = 0u; at < STRIP; at++) {
        let quad = x[start + at];
        y[i * STRIP + at] = vec4(mapped(quad.x), mapped(quad.y), mapped(quad.z), mapped(quad.w));
    }
}

fn mapped(word: u32) -> u32 {
    if FUNCTION == 0u { return word & 0x7fffffffu; }
    if FUNCTION == 1u { return word ^ 0x80000000u; }
    if FUNCTION == 18u {
        let signed = f32(bytes_signed(word, X));
        return bitcast<u32>(select(f32(word), signed, SIGNED == 1u));
    }
    if bits_is_nan(word) { return word; }
    return bitcast<u32>(function(bitcast<f32>(word)));
}

fn hard_sigmoid(x: f32, alpha: f32, beta: f32) -> f32 {
    return clamp(exp_kept(fma(alpha, x, beta)), 0.0, 1.0);
}

fn sigmoid(x: f32) -> f32 {
    let e = exp_kept(exp_below_zero(bitcast<f32>(bitcast<u32>(x) | 0x80000000u)));
    return select(e, 1.0, bitcast<u32>(x) < 0x80000000u) / (1.0 + e);
}

fn function(x: f32) -> f32 {
    switch FUNCTION {
        case 2u: { return sqrt(x); }
        case 3u: { return 1.0 / x; }
        case 4u: { return maths_exp(x); }
        case 5u: { return maths_log(x); }
        case 6u: { return maths_tanh(x); }
        case 7u: { return maths_erf(x); }
        case 8u: { return sigmoid(x); }
        case 9u: {
            let e = 1.0 + exp_kept(maths_exp(-abs(x)));
            return max(x, 0.0) + exp_kept(maths_log(e));
        }
        case 10u: { return select(x, params.a * x, x < 0.0); }
        case 11u: {
            var inner = x;
            if x < 0.0 { inner = params.a * exp_kept(maths_exp_less_one(x)); }
            return params.b * exp_kept(inner);
        }
        case 12u: { return hard_sigmoid(x, params.a, params.b); }
        case 13u: { return x * hard_sigmoid(x, 1.0 / 6.0, 0.5); }
        case 14u: {
            let half = exp_kept(0.5 * x);
            return half * exp_kept(1.0 + exp_kept(maths_erf(exp_kept(x * 0.70710678))));
        }
        case 15u: {
            let half = exp_kept(0.5 * x);
            let inner = exp_kept(fma(exp_kept(0.044715 * x), exp_kept(x * x), x));
            return half * exp_kept(1.0 + exp_kept(maths_tanh(exp_kept(0.7978845608 * inner))));
        }
        case 19u: { return x * exp_kept(sigmoid(x)); }
        case 16u: { return min(max(x, params.a), params.b); }
        default: { return exp_kept(fma(params.a, x, params.b)); }
    }
}
