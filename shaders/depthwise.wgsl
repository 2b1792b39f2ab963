// conv2d of one channel a group: kernel rows, kernel columns ascending with fma from +0; padding is
// skipped; the bias last. One invocation computes 4 columns of one row of one channel, for a quad of rows
// of the block: the columns of the input that their windows share are read once. See src/op/conv2d.rs for
// the reference.
#import fold
#import stored

override GROUP: u32 = 64u;
override KERNEL_COLUMNS: u32 = 3u;
override STRIDE_COLUMNS: u32 = 1u;
override DILATION_COLUMNS: u32 = 1u;

const COLUMNS: u32 = 4u;

struct DepthwiseParams {
    quads:         u32,   // row quads of a block
    blocks:        u32,
    outputs:       u32,   // output channels of an input channel
    height:        u32,
    width:         u32,
    kernel_rows:   u32,
    stride_rows:   u32,
    pad_top:       u32,
    pad_left:      u32,
    dilation_rows: u32,
    channels:      u32,   // output channels
    out_height:    u32,
    out_width:     u32,
    has_bias:      u32,
    x_base:        u32,   // in quads
    x_stride:      u32,   // in quads, between slots
    w_base:        u32,   // in elements
    w_stride:      u32,   // in elements, between slots
    b_base:        u32,   // in elements, in the same buffer as w
}

@group(0) @binding(0) var<uniform>             params: DepthwiseParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, channel, row, column, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, output, 1, ky, kx]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, row, column, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let quad = i % params.quads;
    let strips = (params.out_width + COLUMNS - 1u) / COLUMNS;
    let line = i / params.quads / strips;
    let first = (i / params.quads - line * strips) * COLUMNS;
    let channel = line / params.out_height;
    let block = id.z;
    if channel >= params.channels { return; }
    let out_row = line - channel * params.out_height;
    let row = i32(out_row * params.stride_rows) - i32(params.pad_top);
    let column = i32(first * STRIDE_COLUMNS) - i32(params.pad_left);
    let slot = w_slot[block] * params.w_stride;
    let weights = slot + params.w_base + channel * params.kernel_rows * KERNEL_COLUMNS;
    let plane = channel / params.outputs * params.height;
    let start = params.x_base + x_slot[block] * params.x_stride + quad;
    var window: array<vec4<f32>, 16>;
    var sum: array<vec4<f32>, 4>;
    for (var ky = 0u; ky < params.kernel_rows; ky++) {
        let at_row = row + i32(ky * params.dilation_rows);
        if at_row < 0 || at_row >= i32(params.height) { continue; }
        let begin = start + (plane + u32(at_row)) * params.width * params.quads;
        for (var at = 0u; at < (COLUMNS - 1u) * STRIDE_COLUMNS + (KERNEL_COLUMNS - 1u) * DILATION_COLUMNS + 1u; at++) {
            let place = clamp(column + i32(at), 0, i32(params.width) - 1);
            window[at] = bitcast<vec4<f32>>(x[begin + u32(place) * params.quads]);
        }
        for (var kx = 0u; kx < KERNEL_COLUMNS; kx++) {
            let weight = vec4(stored_float(weights, ky * KERNEL_COLUMNS + kx));
            for (var to = 0u; to < COLUMNS; to++) {
                let at = to * STRIDE_COLUMNS + kx * DILATION_COLUMNS;
                let place = column + i32(at);
                let inside = place >= 0 && place < i32(params.width);
                sum[to] = select(sum[to], fma(window[at], weight, sum[to]), inside);
            }
        }
    }
    let per_block = params.channels * params.out_height * params.out_width * params.quads;
    let y0 = block * per_block + (line * params.out_width + first) * params.quads + quad;
    var bias = vec4(0f);
    if params.has_bias == 1u { bias = vec4(stored_float(slot, params.b_base + channel)); }
    for (var to = 0u; to < COLUMNS; to++) {
        if first + to >= params.out_width { break; }
        var whole = sum[to];
        if params.has_bias == 1u { whole += bias; }
        y[y0 + to * params.quads] = bitcast<vec4<u32>>(whole);
    }
}
