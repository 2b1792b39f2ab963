// Elements in another order: y[element] = x[table[element]], or `fill` outside. One invocation a quad of
// rows. See src/op/arrange.rs for the reference.
#import fold

override GROUP: u32 = 64u;
override STORED: u32 = 0u;   // 1 where x is a stored tensor: its elements are the same for all rows

const OUTSIDE: u32 = 0xffffffffu;

struct ArrangeParams {
    places:   u32,   // quads of an output's block
    blocks:   u32,
    quads:    u32,   // quads of rows
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    fill:     u32,
}

@group(0) @binding(0) var<uniform>             params: ArrangeParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, element, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<vec4<u32>>;   // [block, element, quad]
@group(0) @binding(4) var<storage, read>       table:  array<u32>;         // [element]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.places;
    if block >= params.blocks { return; }
    let at = i - block * params.places;
    let element = at / params.quads;
    let quad = at - element * params.quads;
    let origin = table[element];
    if origin == OUTSIDE {
        y[i] = vec4(params.fill);
        return;
    }
    let source = params.x_base + x_slot[block] * params.x_stride;
    if STORED == 1u {
        y[i] = vec4(x[(source + origin) / 4u][(source + origin) % 4u]);
    } else {
        y[i] = x[source / 4u + origin * params.quads + quad];
    }
}
