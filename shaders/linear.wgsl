// y[o] = sum over k of x[k] * w[o, k], k ascending source +0 with fma, then the bias.
// One invocation computes OUTPUTS output features of one quad of rows of one block.
// See src/stage/linear.rs for the reference.

override GROUP: u32 = 32u;

struct LinearParams {
    quads:    u32,   // row quads of a block
    inputs:   u32,   // input features
    outputs:  u32,   // output features
    has_bias: u32,
    x_base:   u32,   // in quads
    x_stride: u32,   // in quads, between slots
    w_base:   u32,   // in words
    w_stride: u32,   // in words, between slots
    b_base:   u32,   // in words, in the same buffer as w
    pad0:     u32,
    pad1:     u32,
    pad2:     u32,
}

@group(0) @binding(0) var<uniform>             params: LinearParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, input, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, output, input]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let id = group.x * GROUP + local.x;
    let quad = id % params.quads;
    let first = id / params.quads * 8u;
    if first >= params.outputs { return; }
    let block = group.y;
    let quads = params.quads;
    let inputs = params.inputs;
    var at = params.x_base + x_slot[block] * params.x_stride + quad;
    let slot = w_slot[block] * params.w_stride;
    let last = params.outputs - 1u;
    let row = params.w_base + slot;
    var w0 = row + min(first, last) * inputs;
    var w1 = row + min(first + 1u, last) * inputs;
    var w2 = row + min(first + 2u, last) * inputs;
    var w3 = row + min(first + 3u, last) * inputs;
    var w4 = row + min(first + 4u, last) * inputs;
    var w5 = row + min(first + 5u, last) * inputs;
    var w6 = row + min(first + 6u, last) * inputs;
    var w7 = row + min(first + 7u, last) * inputs;
    var acc: array<vec4<f32>, 8>;
    for (var k = 0u; k < inputs; k++) {
        let v = bitcast<vec4<f32>>(x[at]);
        acc[0] = fma(v, vec4(bitcast<f32>(w[w0 + k])), acc[0]);
        acc[1] = fma(v, vec4(bitcast<f32>(w[w1 + k])), acc[1]);
        acc[2] = fma(v, vec4(bitcast<f32>(w[w2 + k])), acc[2]);
        acc[3] = fma(v, vec4(bitcast<f32>(w[w3 + k])), acc[3]);
        acc[4] = fma(v, vec4(bitcast<f32>(w[w4 + k])), acc[4]);
        acc[5] = fma(v, vec4(bitcast<f32>(w[w5 + k])), acc[5]);
        acc[6] = fma(v, vec4(bitcast<f32>(w[w6 + k])), acc[6]);
        acc[7] = fma(v, vec4(bitcast<f32>(w[w7 + k])), acc[7]);
        at += quads;
    }
    for (var i = 0u; i < 8u; i++) {
        let output = first + i;
        if output < params.outputs {
            var sum = acc[i];
            if params.has_bias != 0u {
                sum += vec4(bitcast<f32>(w[params.b_base + slot + output]));
            }
            y[(block * params.outputs + output) * quads + quad] = bitcast<vec4<u32>>(sum);
        }
    }
}
