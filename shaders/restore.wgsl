// Writes golden over a list of words. One invocation an entry.
// See src/stage/restore.rs for the reference.
#import fold

override GROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read>       list:   array<vec2<u32>>;   // [entry] (index in memory, in golden)
@group(0) @binding(1) var<storage, read>       golden: array<u32>;
@group(0) @binding(2) var<storage, read_write> memory: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    if i >= arrayLength(&list) { return; }
    let entry = list[i];
    if entry.x >= arrayLength(&memory) || entry.y >= arrayLength(&golden) { return; }
    memory[entry.x] = golden[entry.y];
}
