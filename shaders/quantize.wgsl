// Quantised numbers of floats (FUNCTION 0), floats of them (1), quantised numbers of integer sums (2). Numbers
// of 8 bits lie in the lower bits of a word each, those of stored tensors packed. One invocation makes a quad
// of rows of one element. See src/op/quantize.rs for the references.
#import bits
#import fold
#import bytes

override GROUP: u32 = 64u;
override FUNCTION: u32 = 0u;
override X: u32 = 0u;          // the input: 3: i8, 4: u8, 0: of 32 bits
override X_STORED: u32 = 0u;   // 1: the input is a stored tensor, among the others
override ZERO: u32 = 3u;       // the zero points, in the same numbers

struct QuantizeParams {
    quads:       u32,   // of a block
    blocks:      u32,
    row_quads:   u32,
    inner:       u32,   // elements from one place of the axis to the next
    places:      u32,   // of the axis
    x_base:      u32,   // in quads; of a stored tensor in elements
    x_stride:    u32,   // likewise, between slots
    w_stride:    u32,   // in words, between slots
    first:       u32,   // words before the scale, or that of the input
    first_step:  u32,   // 1: one for each place of the axis
    second:      u32,   // words before the scales of the weights
    second_step: u32,
    third:       u32,   // words before the scale of the output
    zero:        u32,   // elements before the zero points
    zero_step:   u32,
    has_bias:    u32,
    bias:        u32,   // words before it
}

@group(0) @binding(0) var<uniform>             params: QuantizeParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, element, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot], all stored tensors
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, element, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.quads;
    if block >= params.blocks { return; }
    let quad = i - block * params.quads;
    let element = quad / params.row_quads;
    let place = element / params.inner % params.places;
    let slot = w_slot[block] * params.w_stride;
    let scale = bitcast<f32>(w[slot + params.first + place * params.first_step]);
    let zero = number(slot, params.zero + place * params.zero_step, ZERO);
    var words: vec4<u32>;
    if X_STORED == 1u {
        words = vec4(bitcast<u32>(number(slot, params.x_base + element, X)));
    } else {
        words = x[params.x_base + x_slot[block] * params.x_stride + quad];
    }
    let numbers = vec4(bytes_signed(words.x, X), bytes_signed(words.y, X), bytes_signed(words.z, X), bytes_signed(words.w, X));
    if FUNCTION == 0u {
        let v = bitcast<vec4<f32>>(words) / vec4(scale);
        y[i] = saturated(v, f32(zero));
        return;
    }
    if FUNCTION == 1u {
        y[i] = bitcast<vec4<u32>>(vec4<f32>(numbers - vec4(zero)) * vec4(scale));
        return;
    }
    var bias = 0i;
    if params.has_bias == 1u { bias = bitcast<i32>(w[slot + params.bias + place]); }
    let weight_scale = bitcast<f32>(w[slot + params.second + place * params.second_step]);
    let factor = scale * weight_scale / bitcast<f32>(w[slot + params.third]);
    y[i] = saturated(vec4<f32>(numbers + vec4(bias)) * vec4(factor), f32(zero));
}

// Element `index` of the stored tensors in a slot that begins at this word.
fn number(slot: u32, index: u32, dtype: u32) -> i32 {
    if dtype == 0u { return bitcast<i32>(w[slot + index]); }
    return bytes_signed(w[slot + index / 4u] >> (index % 4u * 8u), dtype);
}

fn saturated(v: vec4<f32>, zero: f32) -> vec4<u32> {
    let n = round(v) + vec4(zero);
    return vec4(within(n.x), within(n.y), within(n.z), within(n.w));
}

fn within(n: f32) -> u32 {
    let low = select(0f, -128f, ZERO == 3u);
    let high = select(255f, 127f, ZERO == 3u);
    let number = select(clamp(n, low, high), low, bits_is_nan(bitcast<u32>(n)));
    return bitcast<u32>(i32(number)) & 0xffu;
}
