// Checks blocks by their CRC-32: delivers the data as they are, counts blocks that do not agree.
// One invocation a block. See src/stage/crc32.rs for the reference.
#import fold

override GROUP:      u32 = 64u;
override BLOCK:      u32 = 64u;           // data words of a block
override POLYNOMIAL: u32 = 0xedb88320u;   // reflected

struct BlockParams {
    words:      u32,   // data words of an image
    stride:     u32,   // words between images
    slots:      u32,
    data_base:  u32,   // the first data word of an image
    check_base: u32,   // its first check word
    repair:     u32,   // nothing can be repaired
    deliver:    u32,   // 1: data words are written to `decoded`
    pad0:       u32,
}

@group(0) @binding(0) var<uniform>             params:  BlockParams;
@group(0) @binding(1) var<storage, read>       image:   array<u32>;           // [slot, word]
@group(0) @binding(2) var<storage, read_write> decoded: array<u32>;           // [slot, word]
@group(0) @binding(3) var<storage, read_write> counts:  array<atomic<u32>>;   // [slot, 2]: none, blocks that do not agree

// The running checksum after a word, low bit first.
fn after(sum: u32, word: u32) -> u32 {
    var r = sum ^ word;
    for (var bit = 0u; bit < 32u; bit++) {
        r = (r >> 1u) ^ ((r & 1u) * POLYNOMIAL);
    }
    return r;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let blocks = (params.words + BLOCK - 1u) / BLOCK;
    let slot = i / blocks;
    if slot >= params.slots { return; }
    let at = i - slot * blocks;
    let base = slot * params.stride;
    let data = base + params.data_base + at * BLOCK;
    let exist = min(BLOCK, params.words - at * BLOCK);
    var sum = 0xffffffffu;
    for (var k = 0u; k < exist; k++) {
        let word = image[data + k];
        if params.deliver != 0u { decoded[data + k] = word; }
        sum = after(sum, word);
    }
    // The last block is filled with zeros.
    for (var k = exist; k < BLOCK; k++) { sum = after(sum, 0u); }
    if ~sum != image[base + params.check_base + at] {
        atomicAdd(&counts[2u * slot + 1u], 1u);
    }
}
