// y[…, m, n] = sum over k of a[…, m, k] b[…, k, n], k ascending from +0 with fma, of values or stored
// tensors. One invocation computes 4 outputs along n of one row. See src/op/matmul.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct MatmulParams {
    rows:     u32,   // rows of a block
    blocks:   u32,
    batches:  u32,   // matrices of a row
    m:        u32,
    k:        u32,
    n:        u32,
    a_base:   u32,   // in words
    a_stride: u32,   // in words, between slots
    a_step:   u32,   // words from element to element: rows, or 1 of a stored tensor
    a_row:    u32,   // words from row to row: 1, or 0 of a stored tensor
    a_of_m:   u32,   // elements from m to m
    a_of_k:   u32,
    b_base:   u32,
    b_stride: u32,
    b_step:   u32,
    b_row:    u32,
    b_of_k:   u32,
    b_of_n:   u32,
}

@group(0) @binding(0) var<uniform>             params: MatmulParams;
@group(0) @binding(1) var<storage, read>       a:      array<u32>;   // [slot, element, row]
@group(0) @binding(2) var<storage, read>       a_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read>       b:      array<u32>;   // [slot, element, row]
@group(0) @binding(4) var<storage, read>       b_slot: array<u32>;   // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<u32>;   // [block, matrix, m, n, row]
@group(0) @binding(6) var<storage, read>       table:  array<u32>;   // [matrix, operand]

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
    let column = min(first + vec4(0u, 1u, 2u, 3u), vec4(last)) * params.b_of_n * params.b_step + right;
    let step_a = params.a_of_k * params.a_step;
    let step_b = params.b_of_k * params.b_step;
    var sum = vec4(0f);
    for (var k = 0u; k < params.k; k++) {
        let p = bitcast<f32>(a[left + k * step_a]);
        let at = column + k * step_b;
        let q = bitcast<vec4<f32>>(vec4(b[at.x], b[at.y], b[at.z], b[at.w]));
        sum = fma(vec4(p), q, sum);
    }
    let to = (((block * params.batches + matrix) * params.m + m) * params.n + first) * params.rows + row;
    y[to] = bitcast<u32>(sum.x);
    if first + 1u <= last { y[to + params.rows] = bitcast<u32>(sum.y); }
    if first + 2u <= last { y[to + 2u * params.rows] = bitcast<u32>(sum.z); }
    if first + 3u <= last { y[to + 3u * params.rows] = bitcast<u32>(sum.w); }
}
