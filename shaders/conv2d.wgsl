// 2-D cross-correlation: channels, kernel rows, kernel columns ascending from +0 with fma; padding
// is skipped; the bias last. Weights are read as shaders/lib/stored.wgsl says. One invocation computes
// 8 output channels of one pixel of QUADS quads of rows of one block. See src/stage/conv2d.rs for the
// reference.
#import fold
#import outcome
#import tile

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
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    run(fold_index(id, groups, GROUP), id.z);
}

@compute @workgroup_size(GROUP)
fn trapping(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    run(fold_index(id, groups, GROUP), id.z);
    if stored_lost { atomicOr(&traps[w_slot[id.z]], TRAP_ECC); }
}

fn run(id: u32, block: u32) {
    let pixels = params.out_height * params.out_width;
    let kh = params.size >> 16u;
    let kw = params.size & 0xffffu;
    let tile = tile_of(id, pixels, params.channels * kh * kw, block);
    if tile.first >= params.outputs { return; }
    let pixel = id / tile.strip % pixels;
    let row = i32(pixel / params.out_width * params.stride) - i32(params.padding);
    let column = i32(pixel % params.out_width * params.stride) - i32(params.padding);
    let x0 = params.x_base + x_slot[block] * params.x_stride + tile.quad;
    for (var c = 0u; c < params.channels; c++) {
        for (var ky = 0u; ky < kh; ky++) {
            let at_row = row + i32(ky);
            if at_row < 0 || at_row >= i32(params.height) { continue; }
            for (var kx = 0u; kx < kw; kx++) {
                let at_column = column + i32(kx);
                if at_column < 0 || at_column >= i32(params.width) { continue; }
                let feature = (c * params.height + u32(at_row)) * params.width + u32(at_column);
                tile_add(tile, x0 + feature * params.quads, (c * kh + ky) * kw + kx);
            }
        }
    }
    let plane = pixels * params.quads;
    tile_store(tile, block * params.outputs * plane + pixel * params.quads + tile.quad, plane);
}
