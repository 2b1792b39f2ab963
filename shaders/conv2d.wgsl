// 2-D cross-correlation: channels, kernel rows, kernel columns ascending source +0 with fma; padding
// is skipped; the bias last. One invocation computes 8 output channels of one pixel of one quad of
// rows of one block. See src/stage/conv2d.rs for the reference.

override GROUP: u32 = 64u;

struct Conv2dParams {
    quads:     u32,   // row quads of a block
    channels:  u32,
    height:    u32,
    width:     u32,
    outputs:   u32,   // output channels
    size:      u32,   // kernel height and width, packed: height << 16 | width
    stride:    u32,
    padding:   u32,
    out_height: u32,
    out_width: u32,
    has_bias:  u32,
    x_base:    u32,   // in quads
    x_stride:  u32,   // in quads, between slots
    w_base:    u32,   // in words
    w_stride:  u32,   // in words, between slots
    b_base:    u32,   // in words, in the same buffer as w
}

@group(0) @binding(0) var<uniform>             params: Conv2dParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, channel, row, column, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, output, channel, ky, kx]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, row, column, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let id = group.x * GROUP + local.x;
    let pixels = params.out_height * params.out_width;
    let quad = id % params.quads;
    let pixel = (id / params.quads) % pixels;
    let first = id / params.quads / pixels * 8u;
    if first >= params.outputs { return; }
    let block = group.y;
    let kh = params.size >> 16u;
    let kw = params.size & 0xffffu;
    let row = i32(pixel / params.out_width * params.stride) - i32(params.padding);
    let column = i32(pixel % params.out_width * params.stride) - i32(params.padding);
    let taps = params.channels * kh * kw;
    let x0 = params.x_base + x_slot[block] * params.x_stride + quad;
    let slot = w_slot[block] * params.w_stride;
    let last = params.outputs - 1u;
    let w0 = params.w_base + slot;
    let o0 = w0 + min(first, last) * taps;
    let o1 = w0 + min(first + 1u, last) * taps;
    let o2 = w0 + min(first + 2u, last) * taps;
    let o3 = w0 + min(first + 3u, last) * taps;
    let o4 = w0 + min(first + 4u, last) * taps;
    let o5 = w0 + min(first + 5u, last) * taps;
    let o6 = w0 + min(first + 6u, last) * taps;
    let o7 = w0 + min(first + 7u, last) * taps;
    var acc: array<vec4<f32>, 8>;
    for (var c = 0u; c < params.channels; c++) {
        for (var ky = 0u; ky < kh; ky++) {
            let at_row = row + i32(ky);
            if at_row < 0 || at_row >= i32(params.height) { continue; }
            for (var kx = 0u; kx < kw; kx++) {
                let at_column = column + i32(kx);
                if at_column < 0 || at_column >= i32(params.width) { continue; }
                let feature = (c * params.height + u32(at_row)) * params.width + u32(at_column);
                let v = bitcast<vec4<f32>>(x[x0 + feature * params.quads]);
                let k = (c * kh + ky) * kw + kx;
                acc[0] = fma(v, vec4(bitcast<f32>(w[o0 + k])), acc[0]);
                acc[1] = fma(v, vec4(bitcast<f32>(w[o1 + k])), acc[1]);
                acc[2] = fma(v, vec4(bitcast<f32>(w[o2 + k])), acc[2]);
                acc[3] = fma(v, vec4(bitcast<f32>(w[o3 + k])), acc[3]);
                acc[4] = fma(v, vec4(bitcast<f32>(w[o4 + k])), acc[4]);
                acc[5] = fma(v, vec4(bitcast<f32>(w[o5 + k])), acc[5]);
                acc[6] = fma(v, vec4(bitcast<f32>(w[o6 + k])), acc[6]);
                acc[7] = fma(v, vec4(bitcast<f32>(w[o7 + k])), acc[7]);
            }
        }
    }
    for (var i = 0u; i < 8u; i++) {
        let output = first + i;
        if output < params.outputs {
            var sum = acc[i];
            if params.has_bias != 0u {
                sum += vec4(bitcast<f32>(w[params.b_base + slot + output]));
            }
            y[((block * params.outputs + output) * pixels + pixel) * params.quads + quad] = bitcast<vec4<u32>>(sum);
        }
    }
}
