// Hsiao's (72,64) code of src/scheme/code/columns.rs: the column of bit i of byte b is the b-th
// pattern rotated left by i, so that a syndrome is a sum of rotated bytes. Bytes of a word are lanes
// that never mix: one sum serves the bytes of up to four codewords.

const SECDED_CLEAN:         u32 = 0u;
const SECDED_CORRECTED:     u32 = 1u;
const SECDED_UNCORRECTABLE: u32 = 2u;

// Each byte rotated left by one.
fn secded_rotated(bytes: u32) -> u32 {
    return ((bytes << 1u) & 0xfefefefeu) | ((bytes >> 7u) & 0x01010101u);
}

// The check bytes that belong to data bytes 0 to 3 (a) and 4 to 7 (b), for every byte lane. The
// patterns 07, 0b, 0d, 13, 15, 19, 25 and 1f have their taps at the rotations added here.
fn secded_sum(a: vec4<u32>, b: vec4<u32>) -> u32 {
    let high = a.w ^ b.y ^ b.w;
    var sum = secded_rotated(b.z) ^ high ^ b.x;
    sum = secded_rotated(sum) ^ a.y ^ a.z ^ b.y ^ b.w;
    sum = secded_rotated(sum) ^ a.x ^ a.z ^ b.x ^ b.z ^ b.w;
    sum = secded_rotated(sum) ^ a.x ^ a.y ^ a.w ^ b.w;
    return secded_rotated(sum) ^ a.x ^ a.y ^ a.z ^ b.x ^ b.z ^ high;
}

// Row and column of a 4 x 4 square of bytes exchanged.
fn secded_transposed(w: vec4<u32>) -> vec4<u32> {
    let even = (w & vec4(0x00ff00ffu)).xz | ((w & vec4(0x00ff00ffu)).yw << vec2(8u));
    let odd = ((w >> vec4(8u)) & vec4(0x00ff00ffu)).xz | (w & vec4(0xff00ff00u)).yw;
    return vec4(
        (even.x & 0xffffu) | (even.y << 16u),
        (odd.x & 0xffffu) | (odd.y << 16u),
        (even.x >> 16u) | (even.y & 0xffff0000u),
        (odd.x >> 16u) | (odd.y & 0xffff0000u),
    );
}

// The syndromes of the four codewords of an entry of eight words: byte j is that of words 2j and
// 2j + 1 with check byte j.
fn secded_syndromes(first: vec4<u32>, second: vec4<u32>, check: u32) -> u32 {
    let low = secded_transposed(vec4(first.xz, second.xz));
    let high = secded_transposed(vec4(first.yw, second.yw));
    return secded_sum(low, high) ^ check;
}

// 1 in every byte that is zero.
fn secded_zero_bytes(bytes: u32) -> u32 {
    return (~(((bytes & 0x7f7f7f7fu) + 0x7f7f7f7fu) | bytes) >> 7u) & 0x01010101u;
}

// What an 8-bit syndrome flips: the low and the high data word and the check byte. A syndrome that
// is no column flips nothing.
fn secded_flips(syndrome: u32) -> vec3<u32> {
    let wanted = vec2(syndrome * 0x01010101u);
    var columns = vec2(0x130d0b07u, 0x1f251915u);
    var flips = vec2(0u);
    for (var bit = 0u; bit < 8u; bit++) {
        let differs = columns ^ wanted;
        flips |= vec2(secded_zero_bytes(differs.x), secded_zero_bytes(differs.y)) << vec2(bit);
        columns = vec2(secded_rotated(columns.x), secded_rotated(columns.y));
    }
    let of_check = select(0u, syndrome, (syndrome & (syndrome - 1u)) == 0u);
    return vec3(flips, of_check);
}
