// Reads the listed words back: the proof of landing. One invocation a word.
// See src/stage/gather.rs for the reference.
#import fold

override GROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read>       list:   array<u32>;   // [entry] index into memory
@group(0) @binding(1) var<storage, read>       memory: array<u32>;
@group(0) @binding(2) var<storage, read_write> words:  array<u32>;   // [entry]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    if i >= min(arrayLength(&list), arrayLength(&words)) { return; }
    let at = list[i];
    if at >= arrayLength(&memory) { return; }
    words[i] = memory[at];
}
