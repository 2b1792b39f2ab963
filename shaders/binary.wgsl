// Functions of two numbers, element by element, of values or stored tensors that broadcast: FUNCTION says
// which. One invocation a word. See src/op/binary.rs for the references, in the same order.
#import bits
#import fold
#import maths

override GROUP: u32 = 64u;
override FUNCTION: u32 = 0u;
override SPREAD: u32 = 0u;   // 1 where the table says where elements lie, 0 where both lie as the output's

struct BinaryParams {
    words:    u32,   // words of an output's block
    blocks:   u32,
    rows:     u32,   // rows of a block
    a_base:   u32,   // in words
    a_stride: u32,   // in words, between slots
    a_step:   u32,   // words from element to element: rows, or 1 of a stored tensor
    a_row:    u32,   // words from row to row: 1, or 0 of a stored tensor
    b_base:   u32,
    b_stride: u32,
    b_step:   u32,
    b_row:    u32,
    zero:     u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: BinaryParams;
@group(0) @binding(1) var<storage, read>       a:      array<u32>;   // [slot, element, row]
@group(0) @binding(2) var<storage, read>       a_slot: array<u32>;   // [block]
@group(0) @binding(3) var<storage, read>       b:      array<u32>;   // [slot, element, row]
@group(0) @binding(4) var<storage, read>       b_slot: array<u32>;   // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<u32>;   // [block, element, row]
@group(0) @binding(6) var<storage, read>       table:  array<u32>;   // [element, operand]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.words;
    if block >= params.blocks { return; }
    let at = i - block * params.words;
    let element = at / params.rows;
    let row = at - element * params.rows;
    var of_a = element;
    var of_b = element;
    if SPREAD == 1u {
        of_a = table[2u * element];
        of_b = table[2u * element + 1u];
    }
    let left = a[params.a_base + a_slot[block] * params.a_stride + of_a * params.a_step + row * params.a_row];
    let b_place = params.b_base + b_slot[block] * params.b_stride;
    let right = b[b_place + of_b * params.b_step + row * params.b_row];
    y[i] = function(left, right);
}

fn function(left: u32, right: u32) -> u32 {
    let p = bitcast<f32>(left);
    let q = bitcast<f32>(right);
    switch FUNCTION {
        case 0u: { return bitcast<u32>(p + q); }
        case 1u: { return bitcast<u32>(p - q); }
        case 2u: { return bitcast<u32>(p * q); }
        case 3u: { return bitcast<u32>(p / q); }
        case 4u: { return bitcast<u32>(maths_pow(p, q)); }
        case 5u: {
            if bits_is_nan(left) { return left; }
            if bits_is_nan(right) { return right; }
            return select(left, right, bits_key(right) > bits_key(left));
        }
        case 6u: {
            if bits_is_nan(left) { return left; }
            if bits_is_nan(right) { return right; }
            return select(left, right, bits_key(right) < bits_key(left));
        }
        case 7u: {
            if !bits_is_nan(left) && p < 0.0 { return bitcast<u32>(p * q); }
            return left;
        }
        case 8u: { return u32(left == right); }
        default: {
            let numbers = !bits_is_nan(left) && !bits_is_nan(right);
            return u32(numbers && bits_key(left) < bits_key(right));
        }
    }
}
