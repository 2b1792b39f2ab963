// Decisions on the bits of floats: a WGSL comparison with NaN is always false, so none is made.

fn bits_majority3(a: vec4<u32>, b: vec4<u32>, c: vec4<u32>) -> vec4<u32> {
    return (a & b) | (a & c) | (b & c);
}

fn bits_is_nan(word: u32) -> bool {
    return (word & 0x7fffffffu) > 0x7f800000u;
}

fn bits_is_finite(word: u32) -> bool {
    return (word & 0x7f800000u) != 0x7f800000u;
}

// An unsigned key in the order of the floats; both zeros have one key. Not for NaN.
fn bits_key(word: u32) -> u32 {
    let zero = (word & 0x7fffffffu) == 0u;
    let key = select(word | 0x80000000u, ~word, word >= 0x80000000u);
    return select(key, 0x80000000u, zero);
}
