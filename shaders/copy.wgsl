// A plain copy: what the adapter's memory gives a shader, the measure of the other stages.
// One invocation a quad of words. See src/stage/copy.rs for the reference.
#import fold

override GROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read>       source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> to:   array<vec4<u32>>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    if i >= min(arrayLength(&source), arrayLength(&to)) { return; }
    to[i] = source[i];
}
