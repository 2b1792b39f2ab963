//! Decisions on the bits of floats, as `shaders/lib/decision.wgsl` and `bits.wgsl` make them.

pub use crate::op::bits::{is_finite, is_nan, key};
use crate::workload::{Decision, Ends, NanRank};

/// Outputs above which shaders take several at once.
const WIDE_FEATURES: u32 = 512;

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

/// The indices of the `best` largest of `words` in their order, of equal ones the first before the others;
/// `None` where a NaN ranks nowhere.
pub fn largest(words: &[u32], best: u32, nan: NanRank) -> Option<Vec<u32>> {
    if nan == NanRank::Differs && words.iter().any(|word| is_nan(*word)) {
        return None;
    }
    let rank = |word: u32| match (is_nan(word), nan) {
        (false, _) => key(word),
        (true, NanRank::Highest) => u32::MAX,
        (true, _) => 0,
    };
    let mut order: Vec<u32> = (0u32..).zip(words).map(|(index, _)| index).collect();
    order.sort_by_key(|index| std::cmp::Reverse(rank(words[*index as usize])));
    order.truncate(best as usize);
    Some(order)
}

/// Whether two masks overlap by at least this share of their union.
pub fn overlap(words: &[u32], of: &[u32], threshold: f32, least: f32) -> bool {
    let is_in = |word: &u32| f32::from_bits(*word) > threshold;
    let (mut both, mut any) = (0u32, 0u32);
    for (word, other) in words.iter().zip(of) {
        both += u32::from(is_in(word) && is_in(other));
        any += u32::from(is_in(word) || is_in(other));
    }
    #[expect(clippy::cast_precision_loss, reason = "rounded as the shader rounds")]
    let (both, any) = (both as f32, any as f32);
    both >= least * any
}

/// The token at each position of an answer, as golden's end counts them: words are `[vocabulary, position]`.
pub fn tokens(words: &[u32], positions: u32, nan: NanRank) -> Vec<u32> {
    let positions = positions as usize;
    let of = |position| words.iter().skip(position).step_by(positions).copied();
    (0..positions).map(|position| arg_max(of(position), nan)).collect()
}

/// How many tokens of an answer count: those up to and with the first end token.
pub fn answer_length(tokens: &[u32], ends: Ends) -> usize {
    let end = tokens.iter().position(|token| ends.contains(*token));
    end.map_or(tokens.len(), |at| at + 1)
}

/// A decision as the shaders have it.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Rule {
    /// 0 arg-max, 1 tolerance, 2 top-k, 3 rank, 4 mask, 5 tokens.
    pub kind: u32,
    /// How a NaN ranks: 0 differs, 1 highest, 2 lowest.
    pub nan: u32,
    /// The relative tolerance, or the threshold of a mask.
    pub number: f32,
    /// How many of the largest, the bits of a mask's least overlap, or the positions of an answer.
    pub best: u32,
    /// The tokens that end an answer; 2³² − 1 is none.
    pub ends: [u32; Ends::MOST],
}

impl Rule {
    /// The rule of a decision.
    pub const fn new(decision: Decision) -> Self {
        let (kind, nan, number, best) = match decision {
            Decision::ArgMax { nan } => (0, nan_code(nan), 0.0, 1),
            Decision::Tolerance { relative } => (1, 0, relative, 0),
            Decision::TopK { best, nan } => (2, nan_code(nan), 0.0, best),
            Decision::Rank { best, nan } => (3, nan_code(nan), 0.0, best),
            Decision::Mask { threshold, overlap } => (4, 0, threshold, overlap.to_bits()),
            Decision::Tokens { positions, nan, .. } => (5, nan_code(nan), 0.0, positions),
        };
        let ends = match decision {
            Decision::Tokens { ends, .. } => ends,
            _ => Ends::NONE,
        };
        Self { kind, nan, number, best, ends: ends.words() }
    }

    /// The constants of a shader that decides by this rule over so many outputs: only one kind of decision
    /// is compiled, and many outputs are taken several at once.
    pub(super) fn constants(self, features: u32) -> [(&'static str, u32); 3] {
        let wide = u32::from(features > WIDE_FEATURES);
        [("GROUP", super::GROUP), ("DECISION", self.kind), ("WIDE", wide)]
    }

    /// Whether it is one of tokens, which have no labels.
    pub(super) const fn is_of_tokens(self) -> bool {
        self.kind == 5
    }

    /// Passes over all outputs that tell whether two decide alike.
    fn passes(self) -> u64 {
        match self.kind {
            2 | 3 => 2 + 3 * u64::from(self.best),
            4 | 5 => 1,
            _ => 2,
        }
    }

    /// Loop iterations of a pass over so many outputs, of which many are taken `wide` at once.
    fn pass(self, features: u32, wide: u64) -> u64 {
        let runs = if self.is_of_tokens() { self.best } else { 1 };
        match features > WIDE_FEATURES {
            true => u64::from(features) / wide + (wide + 1) * u64::from(runs),
            false => features.into(),
        }
    }

    /// Loop iterations of an invocation that classifies so many outputs, at most.
    pub fn classify_iterations(self, features: u32) -> u64 {
        let own = if self.is_of_tokens() { 1 } else { 2 };
        (own + self.passes()) * self.pass(features, 32)
    }

    /// Loop iterations of an invocation that votes on so many outputs of three executions, at most.
    pub fn vote_iterations(self, features: u32) -> u64 {
        (2 + 3 * (3 + self.passes())) * self.pass(features, 8)
    }

    /// A rule for so many outputs.
    pub(super) fn random(draws: &mut impl rand::Rng, features: u32) -> Self {
        use rand::RngExt;
        let kind = draws.random_range(0..6);
        let best = draws.random_range(1..=features);
        let overlap = draws.random_range(0.3f32..1.0).to_bits();
        let positions = (1..=features).filter(|count| features.is_multiple_of(*count));
        let positions = positions.take(draws.random_range(1..4)).last().unwrap_or(1);
        Self {
            kind,
            nan: draws.random_range(0..3),
            number: 0.125,
            best: match kind {
                4 => overlap,
                5 => positions,
                _ => best,
            },
            ends: [[u32::MAX; 4], [0, 2, u32::MAX, u32::MAX]][draws.random_range(0..2)],
        }
    }

    /// Whether `words` decide as `golden` does.
    pub fn same(self, words: &[u32], golden: &[u32]) -> bool {
        let nan = nan_rank(self.nan);
        match self.kind {
            0 => arg_max(words.iter().copied(), nan) == arg_max(golden.iter().copied(), nan),
            1 => within(words, golden, golden, self.number),
            4 => overlap(words, golden, self.number, f32::from_bits(self.best)),
            5 => {
                let [a, b] = [words, golden].map(|words| tokens(words, self.best, nan));
                let ends = Ends::new(&self.ends).unwrap_or(Ends::NONE);
                let counted = answer_length(&b, ends);
                a[..counted] == b[..counted]
            }
            kind => {
                let [mut a, mut b] = [words, golden].map(|words| largest(words, self.best, nan));
                if kind == 2 {
                    a.iter_mut().chain(&mut b).for_each(|order| order.sort_unstable());
                }
                a == b
            }
        }
    }

    /// Whether two executions decide alike. What decides nothing (a NaN that ranks nowhere, an infinity to
    /// measure by) agrees with nothing.
    pub fn agree(self, a: &[u32], b: &[u32]) -> bool {
        let ranks_nowhere = |words: &[u32]| self.nan == 0 && words.iter().any(|word| is_nan(*word));
        match self.kind {
            1 => a.iter().all(|word| is_finite(*word)) && within(a, b, a, self.number),
            4 => self.same(a, b),
            _ => !ranks_nowhere(a) && !ranks_nowhere(b) && self.same(a, b),
        }
    }
}

const fn nan_code(nan: NanRank) -> u32 {
    match nan {
        NanRank::Differs => 0,
        NanRank::Highest => 1,
        NanRank::Lowest => 2,
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
