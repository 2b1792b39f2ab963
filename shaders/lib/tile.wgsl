// The sums of one invocation of linear and conv2d: OUTPUTS outputs of QUADS quads of rows, which lie a
// strip of quads apart. The entry file declares x, y, w_slot and params. See src/op/tile.rs.
#import stored

override OUTPUTS: u32 = 8u; // 8 or 16
override QUADS: u32 = 1u;   // 1, 4 or 8
override RESUMES: u32 = 0u; // 1: the sums go on from what y holds

struct Tile {
    part:   u32,   // the group of outputs that read the same inputs
    first:  u32,   // of its outputs
    end:    u32,   // after the last output of the group
    quad:   u32,   // first quad
    strip:  u32,   // from one quad to the next
    beyond: u32,   // quads of the block after the first
    slot:   u32,   // where the slot of the weights begins, in elements
    a:      vec4<u32>,   // where the weights of outputs 0 to 3 begin
    b:      vec4<u32>,   // of 4 to 7
    c:      vec4<u32>,   // of 8 to 11
    d:      vec4<u32>,   // and of 12 to 15
    scale:  mat4x4<f32>,   // of quantised weights: the scales of the same outputs
    zero:   mat4x4<f32>,   // and their zero points
}

var<private> sum0: array<vec4<f32>, 16>;
var<private> sum1: array<vec4<f32>, 16>;
var<private> sum2: array<vec4<f32>, 16>;
var<private> sum3: array<vec4<f32>, 16>;
var<private> sum4: array<vec4<f32>, 16>;
var<private> sum5: array<vec4<f32>, 16>;
var<private> sum6: array<vec4<f32>, 16>;
var<private> sum7: array<vec4<f32>, 16>;

// The tile of an invocation that is number `id` of its block, `cells` of which (pixels) share their weights,
// `taps` words an output. Each of `parts` groups has params.outputs outputs.
fn tile_of(id: u32, cells: u32, parts: u32, taps: u32, block: u32) -> Tile {
    var tile: Tile;
    tile.strip = (params.quads + QUADS - 1u) / QUADS;
    tile.quad = id % tile.strip;
    tile.beyond = params.quads - 1u - tile.quad;
    let number = id / tile.strip / cells;
    let of_part = (params.outputs + OUTPUTS - 1u) / OUTPUTS;
    tile.part = number / of_part;
    tile.first = tile.part * params.outputs + number % of_part * OUTPUTS;
    tile.end = select(0u, (tile.part + 1u) * params.outputs, tile.part < parts);
    tile.slot = w_slot[block] * params.w_stride;
    let last = vec4(max(tile.end, 1u) - 1u);
    tile.a = params.w_base + min(tile.first + vec4(0u, 1u, 2u, 3u), last) * taps;
    tile.b = params.w_base + min(tile.first + vec4(4u, 5u, 6u, 7u), last) * taps;
    tile.c = params.w_base + min(tile.first + vec4(8u, 9u, 10u, 11u), last) * taps;
    tile.d = params.w_base + min(tile.first + vec4(12u, 13u, 14u, 15u), last) * taps;
    if STORED >= 3u {
        for (var four = 0u; four < OUTPUTS / 4u; four++) {
            let outputs = min(tile.first + 4u * four + vec4(0u, 1u, 2u, 3u), last);
            let scale = tile.slot / 4u + params.scale + outputs * params.scale_step;
            tile.scale[four] = bitcast<vec4<f32>>(vec4(w[scale.x], w[scale.y], w[scale.z], w[scale.w]));
            let zero = params.zero + outputs * params.zero_step;
            tile.zero[four] = tile_weights(tile, zero, 0u, 4u);
        }
    }
    return tile;
}

// Weights of one product: of outputs 0 to 3, 4 to 7, 8 to 11 and 12 to 15.
struct TileWeights { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32> }

fn tile_sum(sum: ptr<private, array<vec4<f32>, 16>>, at: u32, w: TileWeights) {
    let v = bitcast<vec4<f32>>(x[at]);
    (*sum)[0] = fma(v, vec4(w.a.x), (*sum)[0]);
    (*sum)[1] = fma(v, vec4(w.a.y), (*sum)[1]);
    (*sum)[2] = fma(v, vec4(w.a.z), (*sum)[2]);
    (*sum)[3] = fma(v, vec4(w.a.w), (*sum)[3]);
    (*sum)[4] = fma(v, vec4(w.b.x), (*sum)[4]);
    (*sum)[5] = fma(v, vec4(w.b.y), (*sum)[5]);
    (*sum)[6] = fma(v, vec4(w.b.z), (*sum)[6]);
    (*sum)[7] = fma(v, vec4(w.b.w), (*sum)[7]);
    if OUTPUTS >= 16u {
        (*sum)[8] = fma(v, vec4(w.c.x), (*sum)[8]);
        (*sum)[9] = fma(v, vec4(w.c.y), (*sum)[9]);
        (*sum)[10] = fma(v, vec4(w.c.z), (*sum)[10]);
        (*sum)[11] = fma(v, vec4(w.c.w), (*sum)[11]);
        (*sum)[12] = fma(v, vec4(w.d.x), (*sum)[12]);
        (*sum)[13] = fma(v, vec4(w.d.y), (*sum)[13]);
        (*sum)[14] = fma(v, vec4(w.d.z), (*sum)[14]);
        (*sum)[15] = fma(v, vec4(w.d.w), (*sum)[15]);
    }
}

fn tile_take_up(sum: ptr<private, array<vec4<f32>, 16>>, tile: Tile, at: u32, stride: u32) {
    let last = tile.end - 1u;
    (*sum)[0] = bitcast<vec4<f32>>(y[at + tile.first * stride]);
    (*sum)[1] = bitcast<vec4<f32>>(y[at + min(tile.first + 1u, last) * stride]);
    (*sum)[2] = bitcast<vec4<f32>>(y[at + min(tile.first + 2u, last) * stride]);
    (*sum)[3] = bitcast<vec4<f32>>(y[at + min(tile.first + 3u, last) * stride]);
    (*sum)[4] = bitcast<vec4<f32>>(y[at + min(tile.first + 4u, last) * stride]);
    (*sum)[5] = bitcast<vec4<f32>>(y[at + min(tile.first + 5u, last) * stride]);
    (*sum)[6] = bitcast<vec4<f32>>(y[at + min(tile.first + 6u, last) * stride]);
    (*sum)[7] = bitcast<vec4<f32>>(y[at + min(tile.first + 7u, last) * stride]);
    if OUTPUTS >= 16u {
        (*sum)[8] = bitcast<vec4<f32>>(y[at + min(tile.first + 8u, last) * stride]);
        (*sum)[9] = bitcast<vec4<f32>>(y[at + min(tile.first + 9u, last) * stride]);
        (*sum)[10] = bitcast<vec4<f32>>(y[at + min(tile.first + 10u, last) * stride]);
        (*sum)[11] = bitcast<vec4<f32>>(y[at + min(tile.first + 11u, last) * stride]);
        (*sum)[12] = bitcast<vec4<f32>>(y[at + min(tile.first + 12u, last) * stride]);
        (*sum)[13] = bitcast<vec4<f32>>(y[at + min(tile.first + 13u, last) * stride]);
        (*sum)[14] = bitcast<vec4<f32>>(y[at + min(tile.first + 14u, last) * stride]);
        (*sum)[15] = bitcast<vec4<f32>>(y[at + min(tile.first + 15u, last) * stride]);
    }
}

// Begins with the sums that the output holds, which lie as tile_store stores them.
fn tile_resume(tile: Tile, at: u32, stride: u32) {
    tile_take_up(&sum0, tile, at, stride);
    if QUADS >= 4u {
        tile_take_up(&sum1, tile, at + min(tile.strip, tile.beyond), stride);
        tile_take_up(&sum2, tile, at + min(2u * tile.strip, tile.beyond), stride);
        tile_take_up(&sum3, tile, at + min(3u * tile.strip, tile.beyond), stride);
    }
    if QUADS >= 8u {
        tile_take_up(&sum4, tile, at + min(4u * tile.strip, tile.beyond), stride);
        tile_take_up(&sum5, tile, at + min(5u * tile.strip, tile.beyond), stride);
        tile_take_up(&sum6, tile, at + min(6u * tile.strip, tile.beyond), stride);
        tile_take_up(&sum7, tile, at + min(7u * tile.strip, tile.beyond), stride);
    }
}

// Weight k of four outputs, the `four`-th of the tile; 4 for numbers as they are stored.
fn tile_weights(tile: Tile, at: vec4<u32>, k: u32, four: u32) -> vec4<f32> {
    let weights = vec4(
        stored_float(tile.slot, at.x + k),
        stored_float(tile.slot, at.y + k),
        stored_float(tile.slot, at.z + k),
        stored_float(tile.slot, at.w + k),
    );
    if STORED < 3u || four == 4u { return weights; }
    return (weights - tile.zero[four]) * tile.scale[four];
}

// The bias of an output; that of quantised weights is a float or a whole number with its scale.
fn tile_bias(tile: Tile, output: u32) -> f32 {
    if STORED < 3u { return stored_float(tile.slot, params.b_base + output); }
    let word = w[tile.slot / 4u + params.b_base + output];
    if params.whole_bias == 0u { return bitcast<f32>(word); }
    let scale = w[tile.slot / 4u + params.bias_scale + output * params.bias_scale_step];
    return f32(bitcast<i32>(word)) * bitcast<f32>(scale);
}

// Adds the products of the quads at `at` and weight k of each output. A quad past the end of the block is
// the last one again and never stored.
fn tile_add(tile: Tile, at: u32, k: u32) {
    var w: TileWeights;
    w.a = tile_weights(tile, tile.a, k, 0u);
    w.b = tile_weights(tile, tile.b, k, 1u);
    if OUTPUTS >= 16u {
        w.c = tile_weights(tile, tile.c, k, 2u);
        w.d = tile_weights(tile, tile.d, k, 3u);
    }
    tile_sum(&sum0, at, w);
    if QUADS >= 4u {
        tile_sum(&sum1, at + min(tile.strip, tile.beyond), w);
        tile_sum(&sum2, at + min(2u * tile.strip, tile.beyond), w);
        tile_sum(&sum3, at + min(3u * tile.strip, tile.beyond), w);
    }
    if QUADS >= 8u {
        tile_sum(&sum4, at + min(4u * tile.strip, tile.beyond), w);
        tile_sum(&sum5, at + min(5u * tile.strip, tile.beyond), w);
        tile_sum(&sum6, at + min(6u * tile.strip, tile.beyond), w);
        tile_sum(&sum7, at + min(7u * tile.strip, tile.beyond), w);
    }
}

fn tile_deliver(at: u32, sum: vec4<f32>, bias: f32) {
    y[at] = bitcast<vec4<u32>>(select(sum, sum + vec4(bias), params.has_bias != 0u));
}

fn tile_output(tile: Tile, at: u32, stride: u32, i: u32, sums: array<vec4<f32>, 8>) {
    let output = tile.first + i;
    if output >= tile.end { return; }
    var bias = 0f;
    if params.has_bias != 0u { bias = tile_bias(tile, output); }
    let to = at + output * stride;
    tile_deliver(to, sums[0], bias);
    if QUADS >= 4u {
        if tile.strip <= tile.beyond { tile_deliver(to + tile.strip, sums[1], bias); }
        if 2u * tile.strip <= tile.beyond { tile_deliver(to + 2u * tile.strip, sums[2], bias); }
        if 3u * tile.strip <= tile.beyond { tile_deliver(to + 3u * tile.strip, sums[3], bias); }
    }
    if QUADS >= 8u {
        if 4u * tile.strip <= tile.beyond { tile_deliver(to + 4u * tile.strip, sums[4], bias); }
        if 5u * tile.strip <= tile.beyond { tile_deliver(to + 5u * tile.strip, sums[5], bias); }
        if 6u * tile.strip <= tile.beyond { tile_deliver(to + 6u * tile.strip, sums[6], bias); }
        if 7u * tile.strip <= tile.beyond { tile_deliver(to + 7u * tile.strip, sums[7], bias); }
    }
}

// Stores the outputs that there are. The first quad of output 0 is at `at`, those of the next ones `stride`
// further each. Indices are constants: sums that are indexed by a variable do not stay in registers.
fn tile_store(tile: Tile, at: u32, stride: u32) {
    tile_output(tile, at, stride, 0u,
        array(sum0[0], sum1[0], sum2[0], sum3[0], sum4[0], sum5[0], sum6[0], sum7[0]));
    tile_output(tile, at, stride, 1u,
        array(sum0[1], sum1[1], sum2[1], sum3[1], sum4[1], sum5[1], sum6[1], sum7[1]));
    tile_output(tile, at, stride, 2u,
        array(sum0[2], sum1[2], sum2[2], sum3[2], sum4[2], sum5[2], sum6[2], sum7[2]));
    tile_output(tile, at, stride, 3u,
        array(sum0[3], sum1[3], sum2[3], sum3[3], sum4[3], sum5[3], sum6[3], sum7[3]));
    tile_output(tile, at, stride, 4u,
        array(sum0[4], sum1[4], sum2[4], sum3[4], sum4[4], sum5[4], sum6[4], sum7[4]));
    tile_output(tile, at, stride, 5u,
        array(sum0[5], sum1[5], sum2[5], sum3[5], sum4[5], sum5[5], sum6[5], sum7[5]));
    tile_output(tile, at, stride, 6u,
        array(sum0[6], sum1[6], sum2[6], sum3[6], sum4[6], sum5[6], sum6[6], sum7[6]));
    tile_output(tile, at, stride, 7u,
        array(sum0[7], sum1[7], sum2[7], sum3[7], sum4[7], sum5[7], sum6[7], sum7[7]));
    if OUTPUTS < 16u { return; }
    tile_output(tile, at, stride, 8u,
        array(sum0[8], sum1[8], sum2[8], sum3[8], sum4[8], sum5[8], sum6[8], sum7[8]));
    tile_output(tile, at, stride, 9u,
        array(sum0[9], sum1[9], sum2[9], sum3[9], sum4[9], sum5[9], sum6[9], sum7[9]));
    tile_output(tile, at, stride, 10u,
        array(sum0[10], sum1[10], sum2[10], sum3[10], sum4[10], sum5[10], sum6[10], sum7[10]));
    tile_output(tile, at, stride, 11u,
        array(sum0[11], sum1[11], sum2[11], sum3[11], sum4[11], sum5[11], sum6[11], sum7[11]));
    tile_output(tile, at, stride, 12u,
        array(sum0[12], sum1[12], sum2[12], sum3[12], sum4[12], sum5[12], sum6[12], sum7[12]));
    tile_output(tile, at, stride, 13u,
        array(sum0[13], sum1[13], sum2[13], sum3[13], sum4[13], sum5[13], sum6[13], sum7[13]));
    tile_output(tile, at, stride, 14u,
        array(sum0[14], sum1[14], sum2[14], sum3[14], sum4[14], sum5[14], sum6[14], sum7[14]));
    tile_output(tile, at, stride, 15u,
        array(sum0[15], sum1[15], sum2[15], sum3[15], sum4[15], sum5[15], sum6[15], sum7[15]));
}
