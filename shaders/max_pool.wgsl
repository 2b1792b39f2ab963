// The largest of each window, on bits: the first maximum; a NaN propagates or is passed over, padding is
// never seen. One invocation a word. See src/op/max_pool.rs for the reference.
#import bits
#import bytes
#import fold

override GROUP: u32 = 64u;
override X: u32 = 0u;   // 0: floats, 3: i8, 4: u8

struct MaxPoolParams {
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
    nan_is_zero:    u32,
    blocks:         u32,
}

@group(0) @binding(0) var<uniform>             params: MaxPoolParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, channel, row, column, row of block]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, channel, row, column, row of block]

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
    var best = 0xff800000u;
    if X >= 3u { best = select(0u, 0x80u, X == 3u); }
    var nan = 0u;
    for (var dy = 0u; dy < params.window_rows; dy++) {
        let at_row = top + i32(dy * params.dilation_rows);
        if at_row < 0 || at_row >= i32(params.height) { continue; }
        for (var dx = 0u; dx < params.window_columns; dx++) {
            let at_column = left + i32(dx * params.dilation_columns);
            if at_column < 0 || at_column >= i32(params.width) { continue; }
            let at = (channel * params.height + u32(at_row)) * params.width + u32(at_column);
            let word = x[source + at * params.rows];
            if X >= 3u {
                best = select(best, word, bytes_signed(word, X) > bytes_signed(best, X));
            } else if bits_is_nan(word) {
                nan = select(nan, word, nan == 0u);
            } else if bits_key(word) > bits_key(best) {
                best = word;
            }
        }
    }
    y[i] = select(best, nan, nan != 0u && params.nan_is_zero == 0u);
}
