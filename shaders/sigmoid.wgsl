// The logistic sigmoid: 1 / (1 + exp(-x)) for x >= 0, exp(x) / (1 + exp(x)) below; a NaN stays one.
// One invocation a word. See src/op/sigmoid.rs for the reference.
#import bits
#import exp
#import fold

override GROUP: u32 = 64u;

struct SigmoidParams {
    words:    u32,   // words of a block
    blocks:   u32,
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: SigmoidParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, word]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, word]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let word = x[params.x_base + x_slot[block] * params.x_stride + (i - block * params.words)];
    if bits_is_nan(word) {
        y[i] = word;
        return;
    }
    let e = exp_below_zero(bitcast<f32>(word | 0x80000000u));
    let above = select(e, 1.0, word < 0x80000000u);
    y[i] = bitcast<u32>(above / (1.0 + e));
}
