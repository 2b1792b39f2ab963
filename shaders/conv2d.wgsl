// 2-D cross-correlation: channels, kernel rows, kernel columns ascending with fma from +0, or from y; padding
// is skipped; the bias last. Weights are read as shaders/lib/stored.wgsl says. One invocation computes
// OUTPUTS output channels of one pixel of QUADS quads of rows of one block. See src/op/conv2d.rs for the
// reference.
#import fold
#import tile

override GROUP: u32 = 64u;

struct Conv2dParams {
    quads:            u32,   // row quads of a block
    channels:         u32,   // input channels of a group
    height:           u32,
    width:            u32,
    outputs:          u32,   // output channels of a group
    kernel_rows:      u32,
    kernel_columns:   u32,
    stride_rows:      u32,
    stride_columns:   u32,
    pad_top:          u32,
    pad_left:         u32,
    dilation_rows:    u32,
    dilation_columns: u32,
    groups:           u32,
    out_height:       u32,
    out_width:        u32,
    begin:            u32,   // the first channel that is added
    end:              u32,   // after the last one
    has_bias:         u32,
    x_base:           u32,   // in quads
    x_stride:         u32,   // in quads, between slots
    w_base:           u32,   // in elements
    w_stride:         u32,   // in elements, between slots
    b_base:           u32,   // in elements, in the same buffer as w
    y_base:           u32,   // in quads
    y_stride:         u32,   // in quads, between blocks
    scale:            u32,   // of quantised weights: words before the scales
    scale_step:       u32,   // 1: one for each output
    zero:             u32,   // elements before the zero points
    zero_step:        u32,   // likewise
    whole_bias:       u32,   // 1: the bias is of whole numbers
    bias_scale:       u32,   // words before their scales
    bias_scale_step:  u32,   // likewise
}

@group(0) @binding(0) var<uniform>             params: Conv2dParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, channel, row, column, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, output, channel, ky, kx]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, row, column, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    run(fold_index(id, groups, GROUP), id.z);
}

fn run(id: u32, block: u32) {
    let pixels = params.out_height * params.out_width;
    let taps = params.channels * params.kernel_rows * params.kernel_columns;
    let tile = tile_of(id, pixels, params.groups, taps, block);
    if tile.first >= tile.end { return; }
    let pixel = id / tile.strip % pixels;
    let row = i32(pixel / params.out_width * params.stride_rows) - i32(params.pad_top);
    let column = i32(pixel % params.out_width * params.stride_columns) - i32(params.pad_left);
    let x0 = params.x_base + x_slot[block] * params.x_stride + tile.quad;
    let plane = pixels * params.quads;
    let to = params.y_base + block * params.y_stride + pixel * params.quads + tile.quad;
    if RESUMES == 1u { tile_resume(tile, to, plane); }
    for (var c = params.begin; c < params.end; c++) {
        for (var ky = 0u; ky < params.kernel_rows; ky++) {
            let at_row = row + i32(ky * params.dilation_rows);
            if at_row < 0 || at_row >= i32(params.height) { continue; }
            for (var kx = 0u; kx < params.kernel_columns; kx++) {
                let at_column = column + i32(kx * params.dilation_columns);
                if at_column < 0 || at_column >= i32(params.width) { continue; }
                let line = (tile.part * params.channels + c) * params.height + u32(at_row);
                let feature = line * params.width + u32(at_column);
                let tap = (c * params.kernel_rows + ky) * params.kernel_columns + kx;
                tile_add(tile, x0 + feature * params.quads, tap);
            }
        }
    }
    tile_store(tile, to, plane);
}
