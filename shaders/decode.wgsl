// Decodes blocks of a binary code: delivers corrected data, repairs the image, counts blocks.
// One invocation a block, slots in z. See src/stage/decode.rs for the reference.
//
// A software adapter runs both sides of a branch with the lanes masked, so that what is rare is in
// loops that end at once, and nothing is divided on the way of a clean block.
#import fold
#import secded

override GROUP: u32 = 64u;
override HSIAO: bool = false;     // (72,64) codewords, syndromes and corrections without tables
override DELIVER: bool = false;   // data words are written to `decoded`

struct DecodeParams {
    words:         u32,   // data words of an image
    stride:        u32,   // words between images
    slots:         u32,
    data_base:     u32,   // the first data word of an image
    check_base:    u32,   // its first check word
    repair:        u32,   // 1: corrected words are written back
    deliver:       u32,   // as DELIVER
    pad0:          u32,
    block_words:   u32,
    syndrome_bits: u32,   // of a codeword
    agree:         u32,   // 1: corrections of several codewords must lie in one byte or on one pin
    actions_base:  u32,   // where actions begin in the tables
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

// Data word k of a block, zero where it does not exist.
fn word_of(block: Block, k: u32) -> u32 {
    return select(0u, image[block.data + min(k, block.words - 1u)], k < block.words);
}

// What a word adds to the syndromes.
fn sum_of(index: u32, word: u32) -> u32 {
    var sum = 0u;
    for (var nibble = 0u; nibble < 8u; nibble++) {
        sum ^= tables[(8u * index + nibble) * 16u + ((word >> (4u * nibble)) & 15u)];
    }
    return sum;
}

// Flips bits of a word of the block; the check word comes after the data words.
fn flip(block: Block, word: u32, mask: u32) {
    let is_check = word >= params.block_words;
    if !is_check && word >= block.words { return; }
    let at = select(block.data + word, block.check, is_check);
    if params.repair != 0u { image[at] ^= mask; }
    if DELIVER && !is_check { decoded[at] ^= mask; }
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
        for (var places = action; (places & 0xffffu) != NO_PLACE; places = (places >> 16u) | (NO_PLACE << 16u)) {
            flip(block, (places & 0xffffu) / 32u, 1u << (places % 32u));
        }
    }
    return all;
}

// Corrects the (72,64) codewords whose syndrome byte is not zero; true where all could be.
fn act_hsiao(block: Block, syndromes: u32) -> bool {
    var all = true;
    var left = syndromes;
    while left != 0u {
        let j = firstTrailingBit(left) / 8u;
        let flips = secded_flips(extractBits(left, 8u * j, 8u));
        left &= ~(0xffu << (8u * j));
        all = all && any(flips != vec3(0u));
        let word = select(select(2u * j, 2u * j + 1u, flips.y != 0u), 8u, flips.z != 0u);
        flip(block, word, flips.x | flips.y | (flips.z << (8u * j)));
    }
    return all;
}

fn hsiao_syndromes(block: Block) -> u32 {
    let first = vec4(word_of(block, 0u), word_of(block, 1u), word_of(block, 2u), word_of(block, 3u));
    let second = vec4(word_of(block, 4u), word_of(block, 5u), word_of(block, 6u), word_of(block, 7u));
    if DELIVER {
        deliver(block, 0u, first);
        deliver(block, 4u, second);
    }
    return secded_syndromes(first, second, image[block.check]);
}

fn deliver(block: Block, from_word: u32, words: vec4<u32>) {
    let at = block.data + from_word;
    if from_word < block.words { decoded[at] = words.x; }
    if from_word + 1u < block.words { decoded[at + 1u] = words.y; }
    if from_word + 2u < block.words { decoded[at + 2u] = words.z; }
    if from_word + 3u < block.words { decoded[at + 3u] = words.w; }
}

fn table_syndromes(block: Block) -> u32 {
    var sum = sum_of(params.block_words, image[block.check]);
    for (var k = 0u; k < block.words; k++) {
        let word = image[block.data + k];
        sum ^= sum_of(k, word);
        if DELIVER { decoded[block.data + k] = word; }
    }
    return sum;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = fold_index(id, groups, GROUP);
    let size = select(params.block_words, 8u, HSIAO);
    let slot = id.z;
    if slot >= params.slots || at * size >= params.words { return; }
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
    if HSIAO { all = act_hsiao(block, syndromes); } else { all = act(block, syndromes); }
    atomicAdd(&counts[2u * slot + select(1u, 0u, all)], 1u);
}
