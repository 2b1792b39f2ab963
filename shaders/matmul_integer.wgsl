// y[…, m, n] = sum over k of (a[…, m, k] - input zero) (b[…, k, n] - weight zero) in 32 bits, of values or stored
// tensors of i8 or u8. One invocation computes 4 outputs along n of one row. See src/op/integer.rs for the
// reference.
#import bytes
#import fold

override GROUP: u32 = 64u;
override A: u32 = 3u;          // 3: i8, 4: u8
override B: u32 = 3u;
override A_STORED: u32 = 0u;   // 1: packed, and places are counted in bytes
override B_STORED: u32 = 0u;

struct MatmulIntegerParams {
    rows:             u32,   // rows of a block
    blocks:           u32,
    batches:          u32,   // matrices of a row
    m:                u32,
    k:                u32,
    n:                u32,
    a_base:           u32,   // in elements
    a_stride:         u32,   // in elements, between slots
    a_step:           u32,   // from element to element: rows, or 1 of a stored tensor
    a_row:            u32,   // from row to row: 1, or 0 of a stored tensor
    a_of_m:           u32,   // elements from m to m
    a_of_k:           u32,
    b_base:           u32,
    b_stride:         u32,
    b_step:           u32,
    b_row:            u32,
    b_of_k:           u32,
    b_of_n:           u32,
    z_stride:         u32,   // in words, between slots
    input_zero:       u32,   // bytes before it
    weight_zero:      u32,   // bytes before those of the weights
    weight_zero_step: u32,   // 1: one for each n
}

@group(0) @binding(0) var<uniform>             params: MatmulIntegerParams;
@group(0) @binding(1) var<storage, read>       a:      array<u32>;   // [slot, element, row]
@group(0) @binding(2) var<storage, read>       a_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read>       b:      array<u32>;   // [slot, element, row]
@group(0) @binding(4) var<storage, read>       b_slot: array<u32>;   // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<u32>;   // [block, matrix, m, n, row]
@group(0) @binding(6) var<storage, read>       table:  array<u32>;   // [matrix, operand]
@group(0) @binding(7) var<storage, read>       z:      array<u32>;   // [slot], all stored tensors
@group(0) @binding(8) var<storage, read>       z_slot: array<u32>;   // [block]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let strips = (params.n + 3u) / 4u;
    let row = i % params.rows;
    let first = i / params.rows % strips * 4u;
    let m = i / params.rows / strips % params.m;
    let matrix = i / params.rows / strips / params.m % params.batches;
    let block = i / params.rows / strips / params.m / params.batches;
    if block >= params.blocks { return; }
    let left = params.a_base + a_slot[block] * params.a_stride + row * params.a_row
        + (table[2u * matrix] + m * params.a_of_m) * params.a_step;
    let right = params.b_base + b_slot[block] * params.b_stride + row * params.b_row
        + table[2u * matrix + 1u] * params.b_step;
    let last = params.n - 1u;
    let columns = min(first + vec4(0u, 1u, 2u, 3u), vec4(last));
    let column = columns * params.b_of_n * params.b_step + right;
    let slot = z_slot[block] * params.z_stride * 4u;
    let input_zero = zero_at(slot + params.input_zero, A);
    let zeros = slot + params.weight_zero + columns * params.weight_zero_step;
    let weight_zero = vec4(zero_at(zeros.x, B), zero_at(zeros.y, B), zero_at(zeros.z, B), zero_at(zeros.w, B));
    let step_a = params.a_of_k * params.a_step;
    let step_b = params.b_of_k * params.b_step;
    var sum = vec4(0i);
    for (var k = 0u; k < params.k; k++) {
        let p = of_a(left + k * step_a) - input_zero;
        let at = column + k * step_b;
        let q = vec4(of_b(at.x), of_b(at.y), of_b(at.z), of_b(at.w)) - weight_zero;
        sum += vec4(p) * q;
    }
    let to = (((block * params.batches + matrix) * params.m + m) * params.n + first) * params.rows + row;
    y[to] = bitcast<u32>(sum.x);
    if first + 1u <= last { y[to + params.rows] = bitcast<u32>(sum.y); }
    if first + 2u <= last { y[to + 2u * params.rows] = bitcast<u32>(sum.z); }
    if first + 3u <= last { y[to + 3u * params.rows] = bitcast<u32>(sum.w); }
}

fn of_a(index: u32) -> i32 {
    if A_STORED == 0u { return bytes_signed(a[index], A); }
    return bytes_signed(a[index / 4u] >> (index % 4u * 8u), A);
}

fn of_b(index: u32) -> i32 {
    if B_STORED == 0u { return bytes_signed(b[index], B); }
    return bytes_signed(b[index / 4u] >> (index % 4u * 8u), B);
}

fn zero_at(index: u32, dtype: u32) -> i32 {
    return bytes_signed(z[index / 4u] >> (index % 4u * 8u), dtype);
}
