// A stage of a fast Fourier transform: of each pair of elements `half` apart their sum and difference, the
// second one times its factor first. Products are rounded before they are added. One invocation a pair of one
// quad of rows. See src/op/butterfly.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct ButterflyParams {
    quads:       u32,   // quads of rows
    blocks:      u32,
    pairs:       u32,   // of a block
    half_length: u32,   // half of the length of a transform
    half:        u32,   // between the elements of a pair
    x_base:      u32,   // in quads
    x_stride:    u32,   // in quads, between slots
    w_base:      u32,   // in words
    w_stride:    u32,   // in words, between slots
    zero:        u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: ButterflyParams;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<u32>>;   // [slot, part, line, element, quad]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       w:      array<u32>;         // [slot, part, angle]
@group(0) @binding(4) var<storage, read>       w_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, part, line, element, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let quad = i % params.quads;
    let pair = i / params.quads % params.pairs;
    let block = i / params.quads / params.pairs;
    if block >= params.blocks { return; }
    let of_line = pair % params.half_length;
    let within = of_line % params.half;
    let line = pair / params.half_length * 2u * params.half_length;
    let first = line + of_line / params.half * 2u * params.half + within;
    let part = 2u * params.pairs * params.quads;
    let at = first * params.quads + quad;
    let other = at + params.half * params.quads;
    let start = params.x_base + x_slot[block] * params.x_stride;
    let re = bitcast<vec4<f32>>(x[start + at]);
    let im = bitcast<vec4<f32>>(x[start + part + at]);
    let other_re = bitcast<vec4<f32>>(x[start + other]);
    let other_im = bitcast<vec4<f32>>(x[start + part + other]);
    let factor = params.w_base + w_slot[block] * params.w_stride + within * (params.half_length / params.half);
    let cosine = vec4(bitcast<f32>(w[factor]));
    let sine = vec4(bitcast<f32>(w[factor + params.half_length]));
    let t_re = kept(other_re * cosine) - kept(other_im * sine);
    let t_im = kept(other_re * sine) + kept(other_im * cosine);
    let to = block * 2u * part;
    y[to + at] = bitcast<vec4<u32>>(re + t_re);
    y[to + other] = bitcast<vec4<u32>>(re - t_re);
    y[to + part + at] = bitcast<vec4<u32>>(im + t_im);
    y[to + part + other] = bitcast<vec4<u32>>(im - t_im);
}

// A product as it is, so that no compiler makes a fused sum of it.
fn kept(product: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(product) ^ vec4(params.zero));
}
