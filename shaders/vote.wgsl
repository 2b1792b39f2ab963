// Majority over three stored copies, bit by bit or word by word, with the bits that dissent and
// optional repair. One invocation a quad of words. See src/stage/vote.rs for the reference.
#import bits
#import fold

override GROUP: u32 = 64u;
override ALIKE: bool = false;   // the first quad of masks is for all

struct VoteParams {
    quads:      u32,   // quads of words to vote on in an image
    stride:     u32,   // quads of words between copies
    lanes:      u32,
    repair:     u32,   // 1: the majority is written back to dissenting copies
    input_base: u32,   // the first quad of the input region
    row_quads:  u32,   // row quads of an input feature
    word:       u32,   // 1: whole words vote; where all three differ copy 0 is read and none repaired
    check_base: u32,   // the first quad after the input region
}

@group(0) @binding(0) var<uniform>             params:  VoteParams;
@group(0) @binding(1) var<storage, read_write> copies:  array<vec4<u32>>;     // [lane, copy, quad]
@group(0) @binding(2) var<storage, read>       masks:   array<vec4<u32>>;     // [quad] bits that vote, the last for all that follow
@group(0) @binding(3) var<storage, read_write> voted:   array<vec4<u32>>;     // [lane, quad]
@group(0) @binding(4) var<storage, read_write> dissent: array<vec4<u32>>;     // [lane, quad] bit mask
@group(0) @binding(5) var<storage, read_write> alarms:  array<atomic<u32>>;   // [lane, rows + 1]: dissent by row, then of stored words

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    // Before any lane can be masked, where a software adapter loads once what all lanes share.
    var mask = masks[0];
    let i = fold_index(id, groups, GROUP);
    let lane = i / params.quads;
    if lane >= params.lanes { return; }
    let quad = i - lane * params.quads;
    let first = lane * 3u * params.stride + quad;
    let a = copies[first];
    let b = copies[first + params.stride];
    let c = copies[first + 2u * params.stride];
    if !ALIKE { mask = masks[min(quad, arrayLength(&masks) - 1u)]; }
    let differs = ((a ^ b) | (a ^ c)) & mask;
    let to = lane * params.stride + quad;
    dissent[to] = differs;
    if (differs.x | differs.y | differs.z | differs.w) == 0u {
        voted[to] = a;
        return;
    }
    let majority = bits_majority3(a, b, c);
    var votes = mask;
    if params.word != 0u {
        let p = a & mask;
        let q = b & mask;
        let r = c & mask;
        votes = select(mask, vec4(0u), (p != q) & (p != r) & (q != r));
    }
    let chosen = (a & ~votes) | (majority & votes);
    voted[to] = chosen;
    if params.repair != 0u {
        copies[first] = chosen;
        copies[first + params.stride] = (b & ~votes) | (majority & votes);
        copies[first + 2u * params.stride] = (c & ~votes) | (majority & votes);
    }
    let rows = 4u * params.row_quads;
    let alarm = lane * (rows + 1u);
    if quad < params.input_base || quad >= params.check_base {
        let words = select(vec4(0u), vec4(1u), differs != vec4(0u));
        atomicAdd(&alarms[alarm + rows], words.x + words.y + words.z + words.w);
        return;
    }
    let row = alarm + 4u * ((quad - params.input_base) % params.row_quads);
    if differs.x != 0u { atomicAdd(&alarms[row], 1u); }
    if differs.y != 0u { atomicAdd(&alarms[row + 1u], 1u); }
    if differs.z != 0u { atomicAdd(&alarms[row + 2u], 1u); }
    if differs.w != 0u { atomicAdd(&alarms[row + 3u], 1u); }
}
