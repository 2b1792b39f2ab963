//! Floats by their bits, as `shaders/lib/bits.wgsl` has them.

/// Whether the word is a NaN.
pub const fn is_nan(word: u32) -> bool {
    word & 0x7fff_ffff > 0x7f80_0000
}

/// Whether the word is neither a NaN nor an infinity.
pub const fn is_finite(word: u32) -> bool {
    word & 0x7f80_0000 != 0x7f80_0000
}

/// An unsigned key in the order of the floats; both zeros have one key. Not for NaN.
pub const fn key(word: u32) -> u32 {
    if word & 0x7fff_ffff == 0 {
        0x8000_0000
    } else if word >> 31 == 1 {
        !word
    } else {
        word | 0x8000_0000
    }
}

/// The first maximum, or the first NaN where NaN propagates; -infinity where all are passed over.
pub fn largest(words: impl Iterator<Item = u32>, nan_is_zero: bool) -> u32 {
    let mut best = 0xff80_0000;
    let mut nan = None;
    for word in words {
        if is_nan(word) {
            nan = nan.or(Some(word));
        } else if key(word) > key(best) {
            best = word;
        }
    }
    nan.filter(|_| !nan_is_zero).unwrap_or(best)
}
