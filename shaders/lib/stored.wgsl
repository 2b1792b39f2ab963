// A stored element as an op reads it: a float of 32 bits, or one of 16, two in a word, or a whole number of 8,
// four in a word, which it widens exactly. Places are counted in elements. The entry file declares the words as `w`.
#import bytes

override STORED: u32 = 0u;   // 0: f32, 1: f16, 2: bf16, 3: i8, 4: u8

fn stored_half(word: u32) -> f32 {
    let size = word & 0x7fffu;
    let subnormal = bitcast<u32>(f32(size) * 5.9604645e-8);
    let normal = select((size << 13u) + 0x38000000u, (size << 13u) | 0x7f800000u, size >= 0x7c00u);
    return bitcast<f32>(((word & 0x8000u) << 16u) | select(normal, subnormal, size < 0x400u));
}

fn stored_float(slot: u32, index: u32) -> f32 {
    let at = slot + index;
    if STORED == 0u { return bitcast<f32>(w[at]); }
    if STORED >= 3u { return f32(bytes_signed(w[at / 4u] >> (at % 4u * 8u), STORED)); }
    let word = w[at / 2u];
    let element = select(word & 0xffffu, word >> 16u, (at & 1u) == 1u);
    if STORED == 2u { return bitcast<f32>(element << 16u); }
    return stored_half(element);
}
