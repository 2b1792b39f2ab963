// A checksum of each slot's image that every single wrong word changes, whatever the order.
// One invocation a chunk of words. See src/stage/checksum.rs for the reference.
#import fold

override GROUP: u32 = 64u;
override CHUNK: u32 = 256u;

struct ChecksumParams { words: u32, stride: u32, slots: u32, chunks: u32 }

@group(0) @binding(0) var<uniform>             params: ChecksumParams;
@group(0) @binding(1) var<storage, read>       memory: array<u32>;           // [slot, word]
@group(0) @binding(2) var<storage, read_write> sums:   array<atomic<u32>>;   // [slot]

// For each index a bijection of words: odd multipliers and a xor-shift.
fn mix(index: u32, word: u32) -> u32 {
    var h = (word ^ (index * 0x9e3779b9u)) * 0x85ebca6bu;
    h ^= h >> 15u;
    return h * 0xc2b2ae35u;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let slot = i / params.chunks;
    if slot >= params.slots { return; }
    let first = (i - slot * params.chunks) * CHUNK;
    let end = min(first + CHUNK, params.words);
    var sum = 0u;
    for (var word = first; word < end; word++) {
        sum += mix(word, memory[slot * params.stride + word]);
    }
    atomicAdd(&sums[slot], sum);
}
