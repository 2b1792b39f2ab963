// 2-D cross-correlation: channels, kernel rows, kernel columns ascending from +0 with fma; padding
// is skipped; the bias last. Weights are read as shaders/lib/stored.wgsl says. One invocation computes
// 8 output channels of one pixel of QUADS quads of rows of one block. See src/stage/conv2d.rs for the
// reference.
#import outcome
#import stored

override GROUP: u32 = 64u;
override QUADS: u32 = 1u;   // 1 or 4

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
    copy_stride: u32, // in words
    check_base: u32,  // in words
    words:     u32,   // data words of a slot
    pad0:      u32,
}

@group(0) @binding(0) var<uniform>             params: Conv2dParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, channel, row, column, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, output, channel, ky, kx]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, row, column, quad]
@group(0) @binding(6) var<storage, read_write> traps:  array<atomic<u32>>; // [slot], of the decoded form

@compute @workgroup_size(GROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    run(group, local);
}

@compute @workgroup_size(GROUP)
fn trapping(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    run(group, local);
    if stored_lost { atomicOr(&traps[w_slot[group.y]], TRAP_ECC); }
}

fn accumulate(acc: ptr<function, array<vec4<f32>, 8>>, v: vec4<f32>, a: vec4<f32>, b: vec4<f32>) {
    (*acc)[0] = fma(v, vec4(a.x), (*acc)[0]);
    (*acc)[1] = fma(v, vec4(a.y), (*acc)[1]);
    (*acc)[2] = fma(v, vec4(a.z), (*acc)[2]);
    (*acc)[3] = fma(v, vec4(a.w), (*acc)[3]);
    (*acc)[4] = fma(v, vec4(b.x), (*acc)[4]);
    (*acc)[5] = fma(v, vec4(b.y), (*acc)[5]);
    (*acc)[6] = fma(v, vec4(b.z), (*acc)[6]);
    (*acc)[7] = fma(v, vec4(b.w), (*acc)[7]);
}

fn deliver(at: u32, sum: vec4<f32>, bias: f32) {
    y[at] = bitcast<vec4<u32>>(select(sum, sum + vec4(bias), params.has_bias != 0u));
}

fn run(group: vec3<u32>, local: vec3<u32>) {
    let id = group.x * GROUP + local.x;
    let quads = params.quads;
    let strip = (quads + QUADS - 1u) / QUADS;
    let pixels = params.out_height * params.out_width;
    let quad = id % strip;
    let pixel = (id / strip) % pixels;
    let first = id / strip / pixels * 8u;
    if first >= params.outputs { return; }
    let block = group.y;
    let kh = params.size >> 16u;
    let kw = params.size & 0xffffu;
    let row = i32(pixel / params.out_width * params.stride) - i32(params.padding);
    let column = i32(pixel % params.out_width * params.stride) - i32(params.padding);
    let taps = params.channels * kh * kw;
    let x0 = params.x_base + x_slot[block] * params.x_stride + quad;
    let beyond = quads - 1u - quad;
    let slot = w_slot[block] * params.w_stride;
    let last = params.outputs - 1u;
    let o0 = params.w_base + min(first + 0u, last) * taps;
    let o1 = params.w_base + min(first + 1u, last) * taps;
    let o2 = params.w_base + min(first + 2u, last) * taps;
    let o3 = params.w_base + min(first + 3u, last) * taps;
    let o4 = params.w_base + min(first + 4u, last) * taps;
    let o5 = params.w_base + min(first + 5u, last) * taps;
    let o6 = params.w_base + min(first + 6u, last) * taps;
    let o7 = params.w_base + min(first + 7u, last) * taps;
    var acc0: array<vec4<f32>, 8>;
    var acc1: array<vec4<f32>, 8>;
    var acc2: array<vec4<f32>, 8>;
    var acc3: array<vec4<f32>, 8>;
    for (var c = 0u; c < params.channels; c++) {
        for (var ky = 0u; ky < kh; ky++) {
            let at_row = row + i32(ky);
            if at_row < 0 || at_row >= i32(params.height) { continue; }
            for (var kx = 0u; kx < kw; kx++) {
                let at_column = column + i32(kx);
                if at_column < 0 || at_column >= i32(params.width) { continue; }
                let feature = (c * params.height + u32(at_row)) * params.width + u32(at_column);
                let at = x0 + feature * quads;
                let k = (c * kh + ky) * kw + kx;
                let a = vec4(
                    stored_float(slot, o0 + k),
                    stored_float(slot, o1 + k),
                    stored_float(slot, o2 + k),
                    stored_float(slot, o3 + k),
                );
                let b = vec4(
                    stored_float(slot, o4 + k),
                    stored_float(slot, o5 + k),
                    stored_float(slot, o6 + k),
                    stored_float(slot, o7 + k),
                );
                accumulate(&acc0, bitcast<vec4<f32>>(x[at]), a, b);
                if QUADS == 4u {
                    accumulate(&acc1, bitcast<vec4<f32>>(x[at + min(strip, beyond)]), a, b);
                    accumulate(&acc2, bitcast<vec4<f32>>(x[at + min(2u * strip, beyond)]), a, b);
                    accumulate(&acc3, bitcast<vec4<f32>>(x[at + min(3u * strip, beyond)]), a, b);
                }
            }
        }
    }
    for (var i = 0u; i < 8u; i++) {
        let output = first + i;
        if output < params.outputs {
            var bias = 0f;
            if params.has_bias != 0u { bias = stored_float(slot, params.b_base + output); }
            let to = ((block * params.outputs + output) * pixels + pixel) * quads + quad;
            deliver(to, acc0[i], bias);
            if QUADS == 4u {
                if strip <= beyond { deliver(to + strip, acc1[i], bias); }
                if 2u * strip <= beyond { deliver(to + 2u * strip, acc2[i], bias); }
                if 3u * strip <= beyond { deliver(to + 3u * strip, acc3[i], bias); }
            }
        }
    }
}
