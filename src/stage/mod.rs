//! Stages: one shader each, with its parameters, its encoding and its reference on the CPU.
//!
//! A stage is a triple with one stem: `shaders/vote.wgsl`, `src/stage/vote.rs`,
//! `tests/stages/vote.rs`. A reference takes the same flat arrays in the order of the bindings, and
//! `check` holds the shader to it on a problem drawn from a seed.

pub mod checksum;
pub mod classify;
pub mod copy;
pub mod crc32;
pub mod decision;
pub mod decode;
pub mod decode_symbols;
pub mod differing;
pub mod findings;
pub mod gather;
pub mod inject;
pub mod load;
pub mod op;
pub mod output_vote;
pub mod probe;
pub mod restore;
pub mod span;
pub mod spread;
pub mod tally;
pub mod vote;

pub(crate) use crate::op::{random_floats, random_words};

use crate::gpu::{Error, Gpu};
use crate::op::OPS;

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
const STAGES: &[(&str, CheckFn)] = &[
    ("probe", probe::check),
    ("load", load::check),
    ("inject", inject::check),
    ("gather", gather::check),
    ("vote", vote::check),
    ("decode_symbols", decode_symbols::check),
    ("crc32", crc32::check),
    ("decode", decode::check),
    ("findings", findings::check),
    ("span", span::check),
    ("differing", differing::check),
    ("spread", spread::check),
    ("output_vote", output_vote::check),
    ("classify", classify::check),
    ("tally", tally::check),
    ("restore", restore::check),
    ("checksum", checksum::check),
    ("copy", copy::check),
];

/// What holds a shader to its reference on the problem of a seed.
pub type Checking = Box<dyn Fn(&Gpu, u64) -> Result<Check, Error>>;

/// Every stage, in the order of the experiment, and every op that computes, with what holds its shaders to
/// its reference.
pub fn checks() -> Vec<(&'static str, Checking)> {
    let stages = STAGES.iter().map(|(name, check)| (*name, Box::new(*check) as Checking));
    let ops = OPS.iter().filter(|kind| !kind.is_view()).map(|kind| {
        let check: Checking = Box::new(|gpu, seed| op::check(gpu, *kind, seed));
        (kind.name(), check)
    });
    stages.chain(ops).collect()
}

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
