// Numbers of 8 and 16 bits as numbers of 32: those of values lie in the lower bits of a word each, those of a
// stored tensor packed. One invocation a quad of rows of an element. See src/op/widen.rs for the reference.
#import bytes
#import fold

override GROUP: u32 = 64u;
override X: u32 = 4u;         // 3: i8, 4: u8, 5: u16
override IN_WORD: u32 = 1u;   // elements in a word: 1 of a value

struct WidenParams {
    quads:     u32,   // of a block
    blocks:    u32,
    row_quads: u32,
    x_base:    u32,   // in elements
    x_stride:  u32,   // in elements, between slots
}

@group(0) @binding(0) var<uniform>             params: WidenParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;         // [slot, element, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<vec4<u32>>;   // [block, element, quad]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.quads;
    if block >= params.blocks { return; }
    let quad = i - block * params.quads;
    let start = params.x_base + x_slot[block] * params.x_stride;
    if IN_WORD == 1u {
        let at = start + 4u * quad;
        y[i] = vec4(wide(x[at]), wide(x[at + 1u]), wide(x[at + 2u]), wide(x[at + 3u]));
        return;
    }
    let at = start + quad / params.row_quads;
    y[i] = vec4(wide(x[at / IN_WORD] >> (at % IN_WORD * (32u / IN_WORD))));
}

fn wide(word: u32) -> u32 {
    return bitcast<u32>(bytes_signed(word, X));
}
