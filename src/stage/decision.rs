//! Decisions on the bits of floats, as `shaders/lib/decision.wgsl` and `bits.wgsl` make them.

pub use crate::op::bits::{is_finite, is_nan, key};
use crate::workload::{Decision, NanRank};

/// No decision: a NaN among the outputs, where it ranks nowhere.
pub const NO_DECISION: u32 = u32::MAX;

/// The index of the first maximum of `words`, or [`NO_DECISION`].
pub fn arg_max(words: impl Iterator<Item = u32>, nan: NanRank) -> u32 {
    let mut best = (0, 0);
    for (index, word) in (0u32..).zip(words) {
        let rank = match (is_nan(word), nan) {
            (false, _) => key(word),
            (true, NanRank::Differs) => return NO_DECISION,
            (true, NanRank::Highest) => u32::MAX,
            (true, NanRank::Lowest) => 0,
        };
        if index == 0 || rank > best.1 {
            best = (index, rank);
        }
    }
    best.0
}

/// Whether `words` are each within `relative` × max |of| of their counterpart; a NaN is not.
pub fn within(words: &[u32], of: &[u32], scale: &[u32], relative: f32) -> bool {
    let largest = scale.iter().map(|w| w & 0x7fff_ffff).max().unwrap_or(0);
    let bound = relative * f32::from_bits(largest);
    words
        .iter()
        .zip(of)
        .all(|(w, g)| w == g || (f32::from_bits(*w) - f32::from_bits(*g)).abs() <= bound)
}

/// The decision's kind, NaN rank and tolerance as the shaders' parameters have them.
pub const fn encode(decision: Decision) -> (u32, u32, f32) {
    match decision {
        Decision::ArgMax { nan: NanRank::Differs } => (0, 0, 0.0),
        Decision::ArgMax { nan: NanRank::Highest } => (0, 1, 0.0),
        Decision::ArgMax { nan: NanRank::Lowest } => (0, 2, 0.0),
        Decision::Tolerance { relative } => (1, 0, relative),
    }
}

/// The NaN rank of an encoded decision.
pub(crate) const fn nan_rank(nan: u32) -> NanRank {
    match nan {
        0 => NanRank::Differs,
        1 => NanRank::Highest,
        _ => NanRank::Lowest,
    }
}
