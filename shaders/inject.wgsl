// Faults strike memory: word = (word & keep) ^ flip, and the word before is kept as proof.
// One invocation a lane applies its faults in draw order. See src/stage/inject.rs.
#import fold
#import outcome

override GROUP: u32 = 64u;

struct InjectParams {
    words:      u32,
    stride:     u32,
    trap_words: u32,   // of a lane; the last is for all that the lane runs
    pad0:       u32,
}
struct Strike { slot: u32, word: u32, keep: u32, flip: u32 }

@group(0) @binding(0) var<uniform>             params:  InjectParams;
@group(0) @binding(1) var<storage, read>       offsets: array<u32>;      // [lane + 1]
@group(0) @binding(2) var<storage, read>       strikes: array<Strike>;   // [strike]
@group(0) @binding(3) var<storage, read_write> memory:  array<u32>;      // [slot, word]
@group(0) @binding(4) var<storage, read_write> before:  array<u32>;      // [strike]
@group(0) @binding(5) var<storage, read_write> traps:   array<u32>;      // [lane, trap word]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let lane = fold_index(id, groups, GROUP);
    let trap = (lane + 1u) * params.trap_words - 1u;
    if lane + 1u >= arrayLength(&offsets) || trap >= arrayLength(&traps) { return; }
    for (var i = offsets[lane]; i < offsets[lane + 1u]; i++) {
        let strike = strikes[i];
        let at = strike.slot * params.stride + strike.word;
        if strike.word >= params.words || at >= arrayLength(&memory) {
            traps[trap] |= TRAP_INDEX;
            continue;
        }
        let word = memory[at];
        before[i] = word;
        memory[at] = (word & strike.keep) ^ strike.flip;
    }
}
