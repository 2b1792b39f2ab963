// Functions of two numbers, element by element, of values or stored tensors that broadcast: FUNCTION says
// which. One invocation STRIP quads of rows of an element. See src/op/binary.rs for the references, in the
// same order.
#import bits
#import fold
#import maths

override GROUP: u32 = 64u;
override FUNCTION: u32 = 0u;
override SPREAD: u32 = 0u;     // 1 where the table says where elements lie, 0 where both lie as the output's
override A_STORED: u32 = 0u;   // 1 where a is a stored tensor: its elements are the same for all rows
override B_STORED: u32 = 0u;   // likewise b
override STRIP: u32 = 1u;
override WHOLE: u32 = 0u;      // 1: whole numbers of u32, 2: of i32

struct BinaryParams {
    strips:     u32,   // strips of words of an output's block
    blocks:     u32,
    row_strips: u32,   // strips of rows of a block
    a_base:     u32,   // in words
    a_stride:   u32,   // in words, between slots
    b_base:     u32,
    b_stride:   u32,
    zero:       u32,   // 0, which the compiler does not know
}

@group(0) @binding(0) var<uniform>             params: BinaryParams;
@group(0) @binding(1) var<storage, read>       a:      array<vec4<u32>>;   // [slot, element, quad]
@group(0) @binding(2) var<storage, read>       a_slot: array<u32>;         // [block]
@group(0) @binding(3) var<storage, read>       b:      array<vec4<u32>>;   // [slot, element, quad]
@group(0) @binding(4) var<storage, read>       b_slot: array<u32>;         // [block]
@group(0) @binding(5) var<storage, read_write> y:      array<vec4<u32>>;   // [block, element, quad]
@group(0) @binding(6) var<storage, read>       table:  array<u32>;         // [element, operand]

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let block = i / params.strips;
    if block >= params.blocks { return; }
    let at = i - block * params.strips;
    var of_a = 4u * STRIP * at;
    var of_b = of_a;
    if SPREAD == 1u || A_STORED == 1u || B_STORED == 1u {
        let element = at / params.row_strips;
        var from_a = element;
        var from_b = element;
        if SPREAD == 1u {
            from_a = table[2u * element];
            from_b = table[2u * element + 1u];
        }
        let row = 4u * STRIP * (at - element * params.row_strips);
        let rows = 4u * STRIP * params.row_strips;
        of_a = select(from_a * rows + row, from_a, A_STORED == 1u);
        of_b = select(from_b * rows + row, from_b, B_STORED == 1u);
    }
    of_a += params.a_base + a_slot[block] * params.a_stride;
    of_b += params.b_base + b_slot[block] * params.b_stride;
    var left = a[of_a / 4u];
    var right = b[of_b / 4u];
    if A_STORED == 1u { left = vec4(left[of_a % 4u]); }
    if B_STORED == 1u { right = vec4(right[of_b % 4u]); }
    for (var quad = 0u; quad < STRIP; quad++) {
        if A_STORED == 0u && quad > 0u { left = a[of_a / 4u + quad]; }
        if B_STORED == 0u && quad > 0u { right = b[of_b / 4u + quad]; }
        y[i * STRIP + quad] = vec4(
            function(left.x, right.x),
            function(left.y, right.y),
            function(left.z, right.z),
            function(left.w, right.w),
        );
    }
}

// A function of whole numbers, which wrap.
fn whole(left: u32, right: u32) -> u32 {
    let p = bitcast<i32>(left);
    let q = bitcast<i32>(right);
    let less = select(left < right, p < q, WHOLE == 2u);
    switch FUNCTION {
        case 0u: { return left + right; }
        case 1u: { return left - right; }
        case 2u: { return left * right; }
        case 3u: {
            if right == 0u { return 0u; }
            return left / right;
        }
        case 5u: { return select(left, right, less); }
        case 6u: { return select(right, left, less || left == right); }
        case 8u: { return u32(left == right); }
        case 9u: { return u32(less); }
        case 10u: { return left & right; }
        case 11u: { return left | right; }
        case 12u: { return left ^ right; }
        case 13u: { return left << (right & 31u); }
        default: { return select(left >> (right & 31u), bitcast<u32>(p >> (right & 31u)), WHOLE == 2u); }
    }
}

fn function(left: u32, right: u32) -> u32 {
    if WHOLE > 0u { return whole(left, right); }
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
        default: {
            let numbers = !bits_is_nan(left) && !bits_is_nan(right);
            return u32(numbers && bits_key(left) < bits_key(right));
        }
    }
}
