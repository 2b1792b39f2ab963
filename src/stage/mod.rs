//! Stages: one shader each, with its parameters, its encoding and its reference on the CPU.
//!
//! A stage is a triple with one stem: `shaders/vote.wgsl`, `src/stage/vote.rs`,
//! `tests/stages/vote.rs`. A reference takes the same flat arrays in the order of the bindings, and
//! `check` holds the shader to it on a problem drawn from a seed.

pub mod add;
pub mod checksum;
pub mod classify;
pub mod conv2d;
pub mod copy;
pub mod crc32;
pub mod decision;
pub mod decode;
pub mod decode_symbols;
pub mod findings;
pub mod gather;
pub mod inject;
pub mod linear;
pub mod load;
pub mod max_pool;
pub mod output_vote;
pub mod probe;
pub mod relu;
pub mod restore;
pub mod softmax;
pub mod stored;
pub mod tally;
pub mod tile;
pub mod vote;

use crate::gpu::{Error, Gpu};
use rand::{Rng, RngExt};

/// What a stage's shader gave against its reference.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// The stage.
    pub stage: &'static str,
    /// Words compared.
    pub words: usize,
    /// The first difference, in words for people.
    pub mismatch: Option<String>,
}

/// A stage's check: a problem drawn from the seed, run on the GPU and by the reference.
pub type CheckFn = fn(&Gpu, u64) -> Result<Check, Error>;

/// Every stage with its check, in the order of the experiment.
pub const CHECKS: &[(&str, CheckFn)] = &[
    ("probe", probe::check),
    ("load", load::check),
    ("inject", inject::check),
    ("gather", gather::check),
    ("vote", vote::check),
    ("decode_symbols", decode_symbols::check),
    ("crc32", crc32::check),
    ("decode", decode::check),
    ("findings", findings::check),
    ("linear", linear::check),
    ("conv2d", conv2d::check),
    ("relu", relu::check),
    ("max_pool", max_pool::check),
    ("softmax", softmax::check),
    ("add", add::check),
    ("output_vote", output_vote::check),
    ("classify", classify::check),
    ("tally", tally::check),
    ("restore", restore::check),
    ("checksum", checksum::check),
    ("copy", copy::check),
];

/// Invocations in a workgroup of the stages that work word by word.
pub(crate) const GROUP: u32 = 64;

/// Compares bit by bit.
pub(crate) fn same_bits(stage: &'static str, got: &[u32], want: &[u32]) -> Check {
    compare(stage, got, want, |g, w| g == w)
}

/// Compares bit by bit, except that any NaN equals any NaN: their payload is the adapter's.
pub(crate) fn same_floats(stage: &'static str, got: &[u32], want: &[u32]) -> Check {
    compare(stage, got, want, |g, w| g == w || (decision::is_nan(g) && decision::is_nan(w)))
}

/// Compares floats within `ulp` units in the last place.
pub(crate) fn near_floats(stage: &'static str, got: &[u32], want: &[u32], ulp: u32) -> Check {
    compare(stage, got, want, |g, w| {
        (decision::is_nan(g) && decision::is_nan(w))
            || decision::key(g).abs_diff(decision::key(w)) <= ulp
    })
}

fn compare(
    stage: &'static str,
    got: &[u32],
    want: &[u32],
    same: impl Fn(u32, u32) -> bool,
) -> Check {
    let mismatch = if got.len() == want.len() {
        got.iter()
            .zip(want)
            .position(|(g, w)| !same(*g, *w))
            .map(|i| format!("word {i}: expected {:#010x}, found {:#010x}", want[i], got[i]))
    } else {
        Some(format!("expected {} words, found {}", want.len(), got.len()))
    };
    Check { stage, words: want.len(), mismatch }
}

/// The first of several comparisons that differs, or all of them as one.
pub(crate) fn all_of(checks: impl IntoIterator<Item = Check>) -> Check {
    let mut all = Check { stage: "", words: 0, mismatch: None };
    for check in checks {
        all.stage = check.stage;
        all.words += check.words;
        all.mismatch = all.mismatch.or(check.mismatch);
    }
    all
}

/// Random words.
pub(crate) fn random_words(rng: &mut impl Rng, count: u32) -> Vec<u32> {
    (0..count).map(|_| rng.next_u32()).collect()
}

/// Random floats of ordinary size with a share of the awkward ones: NaN of both signs, infinities,
/// zeros of both signs, the largest and (where the adapter keeps them) subnormals.
pub(crate) fn random_floats(rng: &mut impl Rng, count: u32, subnormals: bool) -> Vec<u32> {
    let awkward = [
        0x7fc0_0000,
        0xffc0_0001,
        0x7f80_0000,
        0xff80_0000,
        0,
        0x8000_0000,
        0x7f7f_ffff,
        0xff7f_ffff,
        0x0080_0000,
        if subnormals { 0x0000_0001 } else { 0 },
    ];
    (0..count)
        .map(|_| {
            if rng.random_bool(0.02) {
                awkward[rng.random_range(0..awkward.len())]
            } else {
                rng.random_range(-4.0f32..4.0).to_bits()
            }
        })
        .collect()
}
