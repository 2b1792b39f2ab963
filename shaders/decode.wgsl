// Decodes blocks of a binary code: delivers corrected data, repairs the image, counts blocks.
// One invocation a block. See src/stage/decode.rs for the reference.
#import fold
#import secded

override GROUP: u32 = 64u;
override HSIAO: bool = false;   // (72,64) codewords without tables

struct DecodeParams {
    words:         u32,   // data words of an image
    stride:        u32,   // words between images
    slots:         u32,
    data_base:     u32,   // the first data word of an image
    check_base:    u32,   // its first check word
    repair:        u32,   // 1: corrected words are written back
    deliver:       u32,   // 1: data words are written to `decoded`
    block_words:   u32,
    syndrome_bits: u32,   // of a codeword
    agree:         u32,   // 1: corrections of several codewords must lie in one byte or on one pin
    actions_base:  u32,   // where actions begin in the tables
    pad0:          u32,
}

const NO_ACTION: u32 = 0xffffffffu;
const NO_PLACE:  u32 = 0xffffu;

@group(0) @binding(0) var<uniform>             params:  DecodeParams;
@group(0) @binding(1) var<storage, read>       tables:  array<u32>;           // sums [word, nibble, value], actions [codeword, syndrome]
@group(0) @binding(2) var<storage, read_write> image:   array<u32>;           // [slot, word]
@group(0) @binding(3) var<storage, read_write> decoded: array<u32>;           // [slot, word]
@group(0) @binding(4) var<storage, read_write> counts:  array<atomic<u32>>;   // [slot, 2]: blocks corrected, uncorrectable

struct Block {
    data:  u32,   // its first data word in the buffers
    words: u32,   // data words that exist; the others are zero
    check: u32,   // its check word in the image
}

fn word_of(block: Block, k: u32) -> u32 {
    if k < block.words { return image[block.data + k]; }
    return 0u;
}

// What a word adds to the syndromes.
fn sum_of(index: u32, word: u32) -> u32 {
    var sum = 0u;
    for (var nibble = 0u; nibble < 8u; nibble++) {
        sum ^= tables[(8u * index + nibble) * 16u + ((word >> (4u * nibble)) & 15u)];
    }
    return sum;
}

fn flip(block: Block, place: u32) {
    if place == NO_PLACE { return; }
    let word = place / 32u;
    let mask = 1u << (place % 32u);
    if word == params.block_words {
        if params.repair != 0u { image[block.check] ^= mask; }
    } else if word < block.words {
        if params.repair != 0u { image[block.data + word] ^= mask; }
        if params.deliver != 0u { decoded[block.data + word] ^= mask; }
    }
}

// Pin in the low half, aligned byte of the entry in the high half.
fn pin_of(place: u32) -> u32 {
    let beat = select(place / 64u, place % 32u / 8u, place >= 256u);
    let pin = select(place % 64u, 64u + place % 8u, place >= 256u);
    return pin | ((9u * beat + pin / 8u) << 16u);
}

// Applies the actions of a block's syndromes; true where all could be corrected.
fn act(block: Block, syndromes: u32) -> bool {
    let bits = params.syndrome_bits;
    let codewords = 32u / bits;
    var all = true;
    var first = 0u;
    var differs = 0u;
    var known = 0u;
    for (var j = 0u; j < codewords; j++) {
        let syndrome = extractBits(syndromes, j * bits, bits);
        if syndrome == 0u { continue; }
        let action = tables[params.actions_base + (j << bits) + syndrome];
        if action == NO_ACTION {
            all = false;
            continue;
        }
        let pin = pin_of(action & 0xffffu);
        first = select(first, pin, known == 0u);
        known += 1u;
        differs |= first ^ pin;
        if (action >> 16u) != NO_PLACE { differs |= first ^ pin_of(action >> 16u); }
    }
    let near = (differs & 0xffffu) == 0u || (differs >> 16u) == 0u;
    if params.agree != 0u && known > 1u && !near { return false; }
    for (var j = 0u; j < codewords; j++) {
        let syndrome = extractBits(syndromes, j * bits, bits);
        let action = tables[params.actions_base + (j << bits) + syndrome];
        if syndrome == 0u || action == NO_ACTION { continue; }
        flip(block, action & 0xffffu);
        flip(block, action >> 16u);
    }
    return all;
}

// Four (72,64) codewords corrected; true where all could be.
fn act_hsiao(block: Block) -> bool {
    let check = image[block.check];
    var corrected = 0u;
    var all = true;
    for (var j = 0u; j < 4u; j++) {
        let k = 2u * j;
        let word = secded_decode(word_of(block, k), word_of(block, k + 1u), extractBits(check, 8u * j, 8u));
        corrected |= word.z << (8u * j);
        all = all && word.w != SECDED_UNCORRECTABLE;
        for (var half = 0u; half < 2u; half++) {
            if k + half >= block.words { continue; }
            if params.repair != 0u { image[block.data + k + half] = word[half]; }
            if params.deliver != 0u { decoded[block.data + k + half] = word[half]; }
        }
    }
    if params.repair != 0u { image[block.check] = corrected; }
    return all;
}

fn hsiao_syndromes(block: Block) -> u32 {
    var first: vec4<u32>;
    var second: vec4<u32>;
    let at = block.data;
    if block.words == 8u {
        first = vec4(image[at], image[at + 1u], image[at + 2u], image[at + 3u]);
        second = vec4(image[at + 4u], image[at + 5u], image[at + 6u], image[at + 7u]);
    } else {
        first = vec4(word_of(block, 0u), word_of(block, 1u), word_of(block, 2u), word_of(block, 3u));
        second = vec4(word_of(block, 4u), word_of(block, 5u), word_of(block, 6u), word_of(block, 7u));
    }
    if params.deliver != 0u {
        let words = array<vec4<u32>, 2>(first, second);
        for (var k = 0u; k < block.words; k++) { decoded[at + k] = words[k / 4u][k % 4u]; }
    }
    return secded_syndromes(first, second, image[block.check]);
}

fn table_syndromes(block: Block) -> u32 {
    var sum = sum_of(params.block_words, image[block.check]);
    for (var k = 0u; k < block.words; k++) {
        let word = image[block.data + k];
        sum ^= sum_of(k, word);
        if params.deliver != 0u { decoded[block.data + k] = word; }
    }
    return sum;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = fold_index(id, groups, GROUP);
    let size = select(params.block_words, 8u, HSIAO);
    let blocks = (params.words + size - 1u) / size;
    let slot = i / blocks;
    if slot >= params.slots { return; }
    let at = i - slot * blocks;
    let base = slot * params.stride;
    let block = Block(
        base + params.data_base + at * size,
        min(size, params.words - at * size),
        base + params.check_base + at,
    );
    var syndromes: u32;
    if HSIAO { syndromes = hsiao_syndromes(block); } else { syndromes = table_syndromes(block); }
    if syndromes == 0u { return; }
    var all: bool;
    if HSIAO { all = act_hsiao(block); } else { all = act(block, syndromes); }
    atomicAdd(&counts[2u * slot + select(1u, 0u, all)], 1u);
}
