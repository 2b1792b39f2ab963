// (x - mean) * weight / sqrt(variance + epsilon) + bias, channel by channel. One invocation STRIP quads of
// words of a channel. See src/op/batch_norm.rs for the reference.
#import fold

override GROUP: u32 = 64u;
override STRIP: u32 = 1u;

struct BatchNormParams {
    strips:   u32,   // strips of words in a block
    blocks:   u32,
    cells:    u32,   // strips of a channel in a block
    x_base:   u32,   // in quads
    x_stride: u32,   // in quads, between slots
    w_base:   u32,   // in words: the weight in slot 0 of w
    b_base:   u32,   // likewise the bias
    m_base:   u32,   // the mean
    v_base:   u32,   // the variance
    w_stride: u32,   // in words, between slots of w
    epsilon:  u32,   // bits
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: BatchNormParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, channel, cell]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, word]: all stored tensors
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, channel, cell]

// The same bits, behind which a compiler cannot regroup.
fn kept(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.strips;
    if block >= params.blocks { return; }
    let at = i - block * params.strips;
    let slot = w_slot[block] * params.w_stride + at / params.cells;
    let variance = kept(bitcast<f32>(w[slot + params.v_base]) + bitcast<f32>(params.epsilon));
    let factor = kept(bitcast<f32>(w[slot + params.w_base]) / kept(sqrt(variance)));
    let mean = bitcast<f32>(w[slot + params.m_base]);
    let bias = bitcast<f32>(w[slot + params.b_base]);
    let start = params.x_base + x_slot[block] * params.x_stride + at * STRIP;
    for (var quad = 0u; quad < STRIP; quad++) {
        let word = bitcast<vec4<f32>>(x[start + quad]);
        let from_mean = bitcast<vec4<f32>>(bitcast<vec4<u32>>(word - mean) ^ vec4(params.zero));
        y[i * STRIP + quad] = bitcast<vec4<u32>>(fma(from_mean, vec4(factor), vec4(bias)));
    }
}
