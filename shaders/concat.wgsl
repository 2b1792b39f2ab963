// Two values or stored tensors one after the other: each element lies in the one or the other, as the table
// says. One invocation a quad of rows. See src/op/concat.rs for the reference.
#import fold

override GROUP: u32 = 64u;
override A_STORED: u32 = 0u;   // 1 where a is a stored tensor: its elements are the same for all rows
override B_STORED: u32 = 0u;   // likewise b

const OUTSIDE: u32 = 0xffffffffu;

struct ConcatParams {
    places:   u32,   // quads of an output's block
    blocks:   u32,
    quads:    u32,   // quads of rows
    a_base:   u32,   // in words
    a_stride: u32,   // in words, between slots
    b_base:   u32,
    b_stride: u32,
}

@group(0) @binding(0) var<uniform>             params: ConcatParams;
@group(0) @binding(1) var<storage, read>       a:      array<vec4<u32>>;   // [slot, element, quad]
@group(0) @binding(2) var<storage, read>       a_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       b:      array<vec4<u32>>;   // [slot, element, quad]
@group(0) @binding(4) var<storage, read>       b_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, element, quad]
@group(0) @binding(6) var<storage, read>       table:  array<u32>;         // [element, operand]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.places;
    if block >= params.blocks { return; }
    let at = i - block * params.places;
    let element = at / params.quads;
    let quad = at - element * params.quads;
    let of_a = table[2u * element];
    let of_b = table[2u * element + 1u];
    if of_a != OUTSIDE {
        let source = params.a_base + a_slot[block] * params.a_stride;
        if A_STORED == 1u {
            y[i] = vec4(a[(source + of_a) / 4u][(source + of_a) % 4u]);
        } else {
            y[i] = a[source / 4u + of_a * params.quads + quad];
        }
    } else {
        let source = params.b_base + b_slot[block] * params.b_stride;
        if B_STORED == 1u {
            y[i] = vec4(b[(source + of_b) / 4u][(source + of_b) % 4u]);
        } else {
            y[i] = b[source / 4u + of_b * params.quads + quad];
        }
    }
}
