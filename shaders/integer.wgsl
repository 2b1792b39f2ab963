// linear and conv2d of quantised numbers: sums of (x - input zero) (w - weight zero) in 32 bits. A place in the
// padding, or past the last tap, adds nothing. One invocation computes 8 outputs of one pixel of one quad of
// rows.
//
// With DOT four products are one dot4I8Packed. It takes numbers of i8: those of u8 less 128, with their zero
// point. What the zero points take off is added at the end, and a place that adds nothing holds the input's
// zero point. Without it, as software adapters take apart what dot4I8Packed does, products are added one by
// one. Both wrap, and are the same bits. See src/op/integer.rs for the references.
#import bytes
#import fold

override GROUP: u32 = 64u;
override X: u32 = 3u;   // the input: 3: i8, 4: u8
override W: u32 = 3u;   // the weights
override DOT: u32 = 1u;
override ALIGNED: u32 = 0u;   // 1: the weights of an output begin with a word

const SIGNS: u32 = 0x80808080u;
const ONES: u32 = 0x01010101u;
const OUTPUTS: u32 = 8u;

struct IntegerParams {
    quads:            u32,   // of a place
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
    x_base:           u32,   // in quads
    x_stride:         u32,   // in quads, between slots
    w_base:           u32,   // in bytes
    w_stride:         u32,   // in bytes, between slots
    input_zero:       u32,   // bytes before it
    weight_zero:      u32,   // bytes before those of the weights
    weight_zero_step: u32,   // 1: one for each output
}

@group(0) @binding(0) var<uniform>             params: IntegerParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, channel, row, column, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot], all stored tensors
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, output, row, column, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = id.z;
    let pixels = params.out_height * params.out_width;
    let quad = i % params.quads;
    let pixel = i / params.quads % pixels;
    let strips = (params.outputs + OUTPUTS - 1u) / OUTPUTS;
    let strip = i / params.quads / pixels;
    let part = strip / strips;
    if part >= params.groups { return; }
    let first_output = part * params.outputs + strip % strips * OUTPUTS;
    let end = (part + 1u) * params.outputs;
    let slot = w_slot[block] * params.w_stride;
    let taps = params.channels * params.kernel_rows * params.kernel_columns;
    let row = i32(pixel / params.out_width * params.stride_rows) - i32(params.pad_top);
    let column = i32(pixel % params.out_width * params.stride_columns) - i32(params.pad_left);
    let start = params.x_base + x_slot[block] * params.x_stride + quad;
    let zero = byte(slot + params.input_zero);
    var weights: array<u32, 8>;
    var weight_zeros: array<i32, 8>;
    for (var at = 0u; at < OUTPUTS; at++) {
        let output = min(first_output + at, end - 1u);
        weights[at] = slot + params.w_base + output * taps;
        let number = byte(slot + params.weight_zero + output * params.weight_zero_step);
        weight_zeros[at] = number_of(number, W);
    }
    var tap = vec3(0u);   // channel, kernel row, kernel column
    var sums: array<vec4<i32>, 8>;
    var of_x = vec4(0i);
    var of_w: array<i32, 8>;
    for (var first = 0u; first < taps; first += 4u) {
        var packed = vec4(0u);
        var centred: array<vec4<i32>, 4>;
        for (var at = 0u; at < 4u; at++) {
            var words = vec4(zero);
            let at_row = row + i32(tap.y * params.dilation_rows);
            let at_column = column + i32(tap.z * params.dilation_columns);
            let inside = at_row >= 0 && at_row < i32(params.height)
                && at_column >= 0 && at_column < i32(params.width) && tap.x < params.channels;
            if inside {
                let line = (part * params.channels + tap.x) * params.height + u32(at_row);
                words = x[start + (line * params.width + u32(at_column)) * params.quads];
            }
            if DOT == 1u {
                packed |= (words & vec4(0xffu)) << vec4(8u * at);
            } else {
                let numbers = vec4(
                    bytes_signed(words.x, X),
                    bytes_signed(words.y, X),
                    bytes_signed(words.z, X),
                    bytes_signed(words.w, X),
                );
                centred[at] = numbers - vec4(bytes_signed(zero, X));
            }
            tap.z += 1u;
            if tap.z == params.kernel_columns { tap.z = 0u; tap.y += 1u; }
            if tap.y == params.kernel_rows { tap.y = 0u; tap.x += 1u; }
        }
        if DOT == 1u {
            if X == 4u { packed ^= vec4(SIGNS); }
            of_x += dots(packed, ONES);
        }
        for (var at = 0u; at < OUTPUTS; at++) {
            let four = four_from(weights[at] + first);
            if DOT == 1u {
                let numbers = select(four, four ^ SIGNS, W == 4u);
                sums[at] += dots(packed, numbers);
                of_w[at] += dot4I8Packed(numbers, ONES);
            } else {
                let less = weight_zeros[at];
                sums[at] += centred[0] * vec4(bytes_signed(four, W) - less)
                    + centred[1] * vec4(bytes_signed(four >> 8u, W) - less)
                    + centred[2] * vec4(bytes_signed(four >> 16u, W) - less)
                    + centred[3] * vec4(bytes_signed(four >> 24u, W) - less);
            }
        }
    }
    let padded = i32((taps + 3u) / 4u * 4u);
    let input_zero = number_of(zero, X);
    let y0 = ((block * params.groups * params.outputs) * pixels + pixel) * params.quads + quad;
    for (var at = 0u; at < OUTPUTS; at++) {
        let output = first_output + at;
        if output >= end { break; }
        var whole = sums[at];
        if DOT == 1u {
            let off = input_zero * of_w[at] - padded * input_zero * weight_zeros[at];
            whole -= vec4(weight_zeros[at]) * of_x + vec4(off);
        }
        y[y0 + output * pixels * params.quads] = bitcast<vec4<u32>>(whole);
    }
}

fn dots(a: vec4<u32>, b: u32) -> vec4<i32> {
    return vec4(dot4I8Packed(a.x, b), dot4I8Packed(a.y, b), dot4I8Packed(a.z, b), dot4I8Packed(a.w, b));
}

fn byte(index: u32) -> u32 {
    return w[index / 4u] >> (index % 4u * 8u) & 0xffu;
}

// A zero point as the products take it: with DOT as i8.
fn number_of(number: u32, dtype: u32) -> i32 {
    if DOT == 0u { return bytes_signed(number, dtype); }
    return bytes_signed(select(number, number ^ 0x80u, dtype == 4u), 3u);
}

// Four weights, from one at any byte.
fn four_from(index: u32) -> u32 {
    if ALIGNED == 1u { return w[index / 4u]; }
    let shift = index % 4u * 8u;
    var four = w[index / 4u] >> shift;
    if shift > 0u { four |= w[index / 4u + 1u] << (32u - shift); }
    return four;
}
