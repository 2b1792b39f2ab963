// A stored word as an op reads it. See src/stage/stored.rs for the same. The entry file declares the
// words as `w` and, in `params`: copy_stride, the words between copies; check_base, the first check word
// of slot 0; words, the data words of a slot, whose codewords begin at its word 0.
#import secded

const STORED_BARE:    u32 = 0u;   // as it lies
const STORED_VOTED:   u32 = 1u;   // the bitwise majority of three copies
const STORED_DECODED: u32 = 2u;   // corrected by the (72,64) code

override STORAGE: u32 = STORED_BARE;

// Whether this invocation has read a word that the code could not correct.
var<private> stored_lost: bool = false;

fn stored_word(slot: u32, index: u32) -> u32 {
    let at = slot + index;
    if STORAGE == STORED_VOTED {
        let a = w[at];
        let b = w[at + params.copy_stride];
        return (a & b) | (w[at + 2u * params.copy_stride] & (a | b));
    }
    if STORAGE == STORED_DECODED {
        let even = at - (index & 1u);
        let whole = (index | 1u) < params.words;
        let high = select(0u, w[even + select(0u, 1u, whole)], whole);
        let checks = w[slot + params.check_base + index / 8u];
        let word = secded_decode(w[even], high, extractBits(checks, 4u * (index & 6u), 8u));
        stored_lost = stored_lost || word.w == SECDED_UNCORRECTABLE;
        return select(word.x, word.y, (index & 1u) != 0u);
    }
    return w[at];
}

fn stored_float(slot: u32, index: u32) -> f32 {
    return bitcast<f32>(stored_word(slot, index));
}
