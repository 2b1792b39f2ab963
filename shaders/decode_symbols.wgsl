// Decodes blocks of a Reed–Solomon code: delivers corrected data, repairs the image, counts blocks.
// One invocation a block. See src/stage/decode_symbols.rs for the reference.
#import fold

override GROUP:  u32 = 64u;
override BITS:   u32 = 16u;        // of a symbol
override FIELD:  u32 = 0x1100bu;   // the field's polynomial
override DATA:   u32 = 16u;        // data symbols of a block
override CHECKS: u32 = 2u;         // check symbols: two or three

struct BlockParams {
    words:      u32,   // data words of an image
    stride:     u32,   // words between images
    slots:      u32,
    data_base:  u32,   // the first data word of an image
    check_base: u32,   // its first check word
    repair:     u32,   // 1: corrected words are written back
    deliver:    u32,   // 1: data words are written to `decoded`
    pad0:       u32,
}

@group(0) @binding(0) var<uniform>             params:  BlockParams;
@group(0) @binding(1) var<storage, read_write> image:   array<u32>;           // [slot, word]
@group(0) @binding(2) var<storage, read_write> decoded: array<u32>;           // [slot, word]
@group(0) @binding(3) var<storage, read_write> counts:  array<atomic<u32>>;   // [slot, 2]: blocks corrected, uncorrectable

// The symbol times the field's generator.
fn times_alpha(symbol: u32) -> u32 {
    let shifted = symbol << 1u;
    return shifted ^ ((shifted >> BITS) * FIELD);
}

fn times_alpha2(symbol: u32) -> u32 { return times_alpha(times_alpha(symbol)); }

// Horner's rule for the syndromes at 1, alpha and alpha squared, `count` symbols of a word. A code of
// two check symbols has no third syndrome; it stays 0.
fn take(syndromes: vec3<u32>, word: u32, count: u32) -> vec3<u32> {
    var s = syndromes;
    for (var k = count; k > 0u; k--) {
        let symbol = extractBits(word, (k - 1u) * BITS, BITS);
        s.x ^= symbol;
        s.y = times_alpha(s.y) ^ symbol;
        if CHECKS == 3u { s.z = times_alpha2(s.z) ^ symbol; }
    }
    return s;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let per_word = 32u / BITS;
    let size = DATA / per_word;
    let blocks = (params.words + size - 1u) / size;
    let slot = i / blocks;
    if slot >= params.slots { return; }
    let at = i - slot * blocks;
    let base = slot * params.stride;
    let data = base + params.data_base + at * size;
    let exist = min(size, params.words - at * size);
    let check = base + params.check_base + at;
    // Words that do not exist are zero and come first: they leave the syndromes at zero.
    var s = vec3(0u);
    for (var k = exist; k > 0u; k--) {
        let word = image[data + k - 1u];
        if params.deliver != 0u { decoded[data + k - 1u] = word; }
        s = take(s, word, per_word);
    }
    s = take(s, image[check], CHECKS);
    if all(s == vec3(0u)) { return; }
    // An error of s.x in the symbol of degree d gives s.x, s.x alpha^d and s.x alpha^2d.
    var fits = vec2(s.x, select(0u, s.x, CHECKS == 3u));
    var degree = 0u;
    let degrees = CHECKS + DATA;
    while degree < degrees && any(fits != s.yz) {
        fits = vec2(times_alpha(fits.x), times_alpha2(fits.y));
        degree += 1u;
    }
    if s.x == 0u || degree == degrees {
        atomicAdd(&counts[2u * slot + 1u], 1u);
        return;
    }
    if degree < CHECKS {
        if params.repair != 0u { image[check] ^= s.x << (degree * BITS); }
    } else {
        let symbol = degree - CHECKS;
        let word = symbol / per_word;
        let mask = s.x << ((symbol % per_word) * BITS);
        if word < exist {
            if params.repair != 0u { image[data + word] ^= mask; }
            if params.deliver != 0u { decoded[data + word] ^= mask; }
        }
    }
    atomicAdd(&counts[2u * slot], 1u);
}
