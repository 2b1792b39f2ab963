// The mean of each window, elements ascending from +0; places around the image count or do not. One
// invocation a word. See src/op/average_pool.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct AveragePoolParams {
    rows:           u32,   // rows of a block, padded
    channels:       u32,
    height:         u32,
    width:          u32,
    window_rows:    u32,
    window_columns: u32,
    stride_rows:    u32,
    stride_columns: u32,
    pad_top:        u32,
    pad_left:       u32,
    dilation_rows:  u32,
    dilation_columns: u32,
    out_height:     u32,
    out_width:      u32,
    x_base:         u32,   // in words
    x_stride:       u32,   // in words, between slots
    count_padding:  u32,
    blocks:         u32,
}

@group(0) @binding(0) var<uniform>             params: AveragePoolParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>; // [slot, channel, row, column, block row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>; // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>; // [block, channel, row, column, block row]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let lane_row = i % params.rows;
    let column = i / params.rows % params.out_width;
    let row = i / params.rows / params.out_width % params.out_height;
    let plane = i / params.rows / params.out_width / params.out_height;
    let channel = plane % params.channels;
    let block = plane / params.channels;
    if block >= params.blocks { return; }
    let source = params.x_base + x_slot[block] * params.x_stride + lane_row;
    let top = i32(row * params.stride_rows) - i32(params.pad_top);
    let left = i32(column * params.stride_columns) - i32(params.pad_left);
    var sum = 0f;
    var counted = 0u;
    for (var dy = 0u; dy < params.window_rows; dy++) {
        let at_row = top + i32(dy * params.dilation_rows);
        if at_row < 0 || at_row >= i32(params.height) { continue; }
        for (var dx = 0u; dx < params.window_columns; dx++) {
            let at_column = left + i32(dx * params.dilation_columns);
            if at_column < 0 || at_column >= i32(params.width) { continue; }
            let at = (channel * params.height + u32(at_row)) * params.width + u32(at_column);
            sum += bitcast<f32>(x[source + at * params.rows]);
            counted++;
        }
    }
    if params.count_padding == 1u { counted = params.window_rows * params.window_columns; }
    y[i] = bitcast<u32>(sum / f32(counted));
}
