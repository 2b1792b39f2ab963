// Pairs of elements turned by an angle: (x cos - z sin, z cos + x sin). One invocation a pair of quads. See
// src/op/rotary.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct RotaryParams {
    quads:    u32,   // quads of rows
    heads:    u32,
    places:   u32,   // elements of half a head
    blocks:   u32,
    x_base:   u32,   // in quads
    x_stride: u32,   // in quads, between slots
}

@group(0) @binding(0) var<uniform>             params: RotaryParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, head, half, place, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<vec4<u32>>;   // [block, head, half, place, quad]
@group(0) @binding(4) var<storage, read>       table:  array<u32>;         // [place, cosine and sine]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let half = params.places * params.quads;
    let at = i % half;
    let head = i / half % params.heads;
    let block = i / half / params.heads;
    if block >= params.blocks { return; }
    let source = params.x_base + x_slot[block] * params.x_stride + head * 2u * half + at;
    let to = (block * params.heads + head) * 2u * half + at;
    let place = at / params.quads;
    let cosine = vec4(bitcast<f32>(table[2u * place]));
    let sine = vec4(bitcast<f32>(table[2u * place + 1u]));
    let a = bitcast<vec4<f32>>(x[source]);
    let b = bitcast<vec4<f32>>(x[source + half]);
    y[to] = bitcast<vec4<u32>>(fma(a, cosine, -(b * sine)));
    y[to + half] = bitcast<vec4<u32>>(fma(b, cosine, a * sine));
}
