// Writes whole ranges of golden into slots: the first image, the inputs of a step, a reload.
// One invocation a quad of words. See src/stage/load.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct LoadParams {
    quads:      u32,   // quads of words in a range
    src_base:   u32,   // in quads
    src_stride: u32,   // in quads, between windows
    dst_base:   u32,   // in quads
    dst_stride: u32,   // in quads, between slots
    pad0:       u32,
    pad1:       u32,
    pad2:       u32,
}

@group(0) @binding(0) var<uniform>             params: LoadParams;
@group(0) @binding(1) var<storage, read>       list:   array<vec2<u32>>;   // [entry] (slot, window)
@group(0) @binding(2) var<storage, read>       golden: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> memory: array<vec4<u32>>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let entry = i / params.quads;
    if entry >= arrayLength(&list) || list[entry].x == 0xffffffffu { return; }
    let quad = i % params.quads;
    let source = params.src_base + list[entry].y * params.src_stride + quad;
    let to = params.dst_base + list[entry].x * params.dst_stride + quad;
    memory[to] = golden[source];
}
