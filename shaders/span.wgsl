// Copies spans of words from one memory to another: golden weights into pages, what a decoder or voter
// delivers into the page that an op reads. One invocation a word. See src/stage/span.rs for the reference.
#import fold

override GROUP: u32 = 64u;

struct SpanParams { words: u32, pad0: u32, pad1: u32, pad2: u32 }

@group(0) @binding(0) var<uniform>             params: SpanParams;
@group(0) @binding(1) var<storage, read>       list:   array<vec2<u32>>;   // [entry] (source, destination)
@group(0) @binding(2) var<storage, read>       source: array<u32>;
@group(0) @binding(3) var<storage, read_write> memory: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let entry = i / params.words;
    if entry >= arrayLength(&list) || list[entry].x == 0xffffffffu { return; }
    let word = i - entry * params.words;
    memory[list[entry].y + word] = source[list[entry].x + word];
}
