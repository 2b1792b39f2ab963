// 2-D transposed convolution: each output sums the elements of the input whose windows reach it, channels,
// kernel rows and kernel columns ascending with fma from +0; the bias last. One invocation a word. See
// src/op/conv_transpose.rs for the reference.
#import fold
#import stored

override GROUP: u32 = 64u;

struct ConvTransposeParams {
    rows:             u32,   // rows of a block
    blocks:           u32,
    channels:         u32,   // input channels of a group
    height:           u32,
    width:            u32,
    of_group:         u32,   // output channels of a group
    outputs:          u32,   // output channels
    kernel_rows:      u32,
    kernel_columns:   u32,
    stride_rows:      u32,
    stride_columns:   u32,
    pad_top:          u32,
    pad_left:         u32,
    dilation_rows:    u32,
    dilation_columns: u32,
    out_height:       u32,
    out_width:        u32,
    x_base:           u32,   // in words
    x_stride:         u32,   // in words, between slots
    w_base:           u32,   // in words
    w_stride:         u32,   // in words, between slots
    b_base:           u32,   // in words, in the same buffer as w
    has_bias:         u32,
    zero:             u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: ConvTransposeParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>; // [slot, channel, row, column, block row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>; // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>; // [slot, channel, output, ky, kx]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>; // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<u32>; // [block, output, row, column, block row]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let lane_row = i % params.rows;
    let column = i / params.rows % params.out_width;
    let row = i / params.rows / params.out_width % params.out_height;
    let plane = i / params.rows / params.out_width / params.out_height;
    let output = plane % params.outputs;
    let block = plane / params.outputs;
    if block >= params.blocks { return; }
    let group = output / params.of_group;
    let slot = w_slot[block] * params.w_stride;
    let source = params.x_base + x_slot[block] * params.x_stride + lane_row;
    var sum = 0f;
    for (var c = group * params.channels; c < (group + 1u) * params.channels; c++) {
        let weights = params.w_base
            + (c * params.of_group + output % params.of_group) * params.kernel_rows * params.kernel_columns;
        for (var ky = 0u; ky < params.kernel_rows; ky++) {
            let down = row + params.pad_top;
            if down < ky * params.dilation_rows { continue; }
            let from_row = down - ky * params.dilation_rows;
            let at_row = from_row / params.stride_rows;
            if at_row * params.stride_rows != from_row || at_row >= params.height { continue; }
            for (var kx = 0u; kx < params.kernel_columns; kx++) {
                let right = column + params.pad_left;
                if right < kx * params.dilation_columns { continue; }
                let from_column = right - kx * params.dilation_columns;
                let at_column = from_column / params.stride_columns;
                if at_column * params.stride_columns != from_column || at_column >= params.width { continue; }
                let at = (c * params.height + at_row) * params.width + at_column;
                let weight = stored_float(slot, weights + ky * params.kernel_columns + kx);
                sum = fma(bitcast<f32>(x[source + at * params.rows]), weight, sum);
            }
        }
    }
    if params.has_bias == 1u {
        sum = bitcast<f32>(bitcast<u32>(sum) ^ params.zero) + stored_float(slot, params.b_base + output);
    }
    y[i] = bitcast<u32>(sum);
}
