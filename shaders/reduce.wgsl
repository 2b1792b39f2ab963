// The sum, mean, largest or smallest of some elements of a row, in the order of the table: FUNCTION says
// which. One invocation a word. See src/op/reduce.rs for the reference.
#import bits
#import fold

override GROUP: u32 = 64u;
override FUNCTION: u32 = 0u;
override WHOLE: u32 = 0u;   // 1: sums of whole numbers, which wrap

struct ReduceParams {
    words:    u32,   // words of an output's block
    blocks:   u32,
    rows:     u32,   // rows of a block
    terms:    u32,   // elements of an output
    start:    u32,   // where the table has their offsets
    x_base:   u32,   // in words
    x_stride: u32,   // in words, between slots
    divisor:  f32,   // of a mean
}

@group(0) @binding(0) var<uniform>             params: ReduceParams;
@group(0) @binding(1) var<storage, read>       x:      array<u32>;   // [slot, element, row]
@group(0) @binding(2) var<storage, read>       x_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read_write> y:      array<u32>;   // [block, output, row]
@group(0) @binding(4) var<storage, read>       table:  array<u32>;   // [output], [term]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let at = i - block * params.words;
    let output = at / params.rows;
    let row = at - output * params.rows;
    let first = params.x_base + x_slot[block] * params.x_stride + table[output] * params.rows + row;
    if WHOLE == 1u {
        var sum = 0u;
        for (var term = 0u; term < params.terms; term++) {
            sum += x[first + table[params.start + term] * params.rows];
        }
        y[i] = sum;
        return;
    }
    if FUNCTION <= 1u {
        var sum = 0f;
        for (var term = 0u; term < params.terms; term++) {
            sum += bitcast<f32>(x[first + table[params.start + term] * params.rows]);
        }
        if FUNCTION == 1u { sum = sum / params.divisor; }
        y[i] = bitcast<u32>(sum);
        return;
    }
    var best = x[first + table[params.start] * params.rows];
    for (var term = 1u; term < params.terms; term++) {
        let word = x[first + table[params.start + term] * params.rows];
        if bits_is_nan(best) { break; }
        let larger = bits_key(word) > bits_key(best);
        let smaller = bits_key(word) < bits_key(best);
        if bits_is_nan(word) || select(smaller, larger, FUNCTION == 2u) { best = word; }
    }
    y[i] = best;
}
