//! Classes of errors, gone through or drawn, and what a decoder makes of them.

use beamline::scheme::code::{Code, Decoded};
use beamline::seed::{Domain, below, stream};
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Classes with no more errors than this are gone through.
const ALL_MAX: u64 = 1_300_000;
/// Errors drawn of a larger class.
const DRAWN: u64 = 300_000;
/// The seed of every draw.
const SEED: u64 = 20_211_018;

/// What became of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The data are delivered as they were written.
    Right,
    /// The decoder says that it cannot.
    Detected,
    /// Other data are delivered, and nothing is said.
    Silent,
}

/// Which errors a class has. Places are bits of a block, those of the check word last.
pub(crate) enum Class {
    /// So many of these places, where `allowed` says yes.
    Bits { count: usize, places: Vec<u32>, allowed: fn(&[u32]) -> bool },
    /// Patterns within one of these groups of places, of at least so many bits.
    Groups { groups: Vec<Vec<u32>>, least: usize },
}

/// How many errors ended how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Right, detected, silent.
    pub(crate) counts: [u64; 3],
    /// Whether every error of the class was tried.
    pub(crate) all: bool,
}

impl Tally {
    pub(crate) fn errors(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn shares(&self) -> [f64; 3] {
        self.counts.map(|count| count as f64 / self.errors() as f64)
    }
}

impl Class {
    pub(crate) fn bits(count: usize, places: &[u32]) -> Self {
        Self::Bits { count, places: places.to_vec(), allowed: |_| true }
    }

    /// How many errors there are, before `allowed`; none where they are too many to count.
    fn size(&self) -> Option<u64> {
        match self {
            Self::Bits { count, places, .. } => {
                let n = places.len() as u64;
                let ordered =
                    (0..*count as u64).try_fold(1_u64, |all, k| all.checked_mul(n - k))?;
                Some(ordered / (1..=*count as u64).product::<u64>())
            }
            Self::Groups { groups, .. } => groups.iter().try_fold(0_u64, |sum, group| {
                (group.len() <= 24).then(|| sum + (1 << group.len()) - 1)
            }),
        }
    }

    /// Tries the errors of the class; `key` names the draws.
    pub(crate) fn tally(&self, key: u64, judge: impl FnMut(&[u32]) -> Verdict) -> Tally {
        self.tally_of(DRAWN, key, judge)
    }

    /// The same with so many errors where they are drawn.
    pub(crate) fn tally_of(
        &self,
        drawn: u64,
        key: u64,
        mut judge: impl FnMut(&[u32]) -> Verdict,
    ) -> Tally {
        let all = self.size().is_some_and(|size| size <= ALL_MAX);
        let mut tally = Tally { all, ..Tally::default() };
        let mut score = |error: &[u32]| tally.counts[judge(error) as usize] += 1;
        if all {
            self.each(&mut score);
        } else {
            let mut draws = stream(SEED, Domain::Generate, &[key]);
            let mut error = Vec::new();
            for _ in 0..drawn {
                self.draw(&mut draws, &mut error);
                score(&error);
            }
        }
        tally
    }

    fn each(&self, score: &mut impl FnMut(&[u32])) {
        match self {
            Self::Bits { count, places, allowed } => {
                let mut chosen: Vec<usize> = (0..*count).collect();
                let mut error = vec![0; *count];
                loop {
                    error.iter_mut().zip(&chosen).for_each(|(to, at)| *to = places[*at]);
                    if allowed(&error) {
                        score(&error);
                    }
                    let free = |i: &usize| chosen[*i] < places.len() - count + i;
                    let Some(last) = (0..*count).rev().find(free) else { break };
                    chosen[last] += 1;
                    for i in last + 1..*count {
                        chosen[i] = chosen[i - 1] + 1;
                    }
                }
            }
            Self::Groups { groups, least } => {
                let mut error = Vec::new();
                for group in groups {
                    for pattern in 1_u32..1 << group.len() {
                        if pattern.count_ones() as usize >= *least {
                            let struck = (0..group.len()).filter(|bit| pattern >> bit & 1 == 1);
                            error.clear();
                            error.extend(struck.map(|bit| group[bit]));
                            score(&error);
                        }
                    }
                }
            }
        }
    }

    fn draw(&self, draws: &mut Xoshiro256PlusPlus, error: &mut Vec<u32>) {
        match self {
            Self::Bits { count, places, allowed } => loop {
                error.clear();
                while error.len() < *count {
                    let place = places[index(draws, places.len())];
                    if !error.contains(&place) {
                        error.push(place);
                    }
                }
                if allowed(error) {
                    break;
                }
            },
            Self::Groups { groups, least } => {
                let group = &groups[index(draws, groups.len())];
                loop {
                    error.clear();
                    for places in group.chunks(64) {
                        let mut word = draws.next_u64();
                        for place in places {
                            if word & 1 == 1 {
                                error.push(*place);
                            }
                            word >>= 1;
                        }
                    }
                    if error.len() >= *least {
                        break;
                    }
                }
            }
        }
    }
}

fn index(draws: &mut Xoshiro256PlusPlus, len: usize) -> usize {
    usize::try_from(below(draws, len as u64)).expect("an index")
}

/// A block of drawn data with its check word, to be struck again and again.
pub(crate) struct Subject {
    code: Code,
    golden: Vec<u32>,
    block: Vec<u32>,
}

impl Subject {
    pub(crate) fn new(code: Code) -> Self {
        Self::with_words(code, code.block_words())
    }

    /// Only the first `words` words of the block hold data; the others are zero.
    pub(crate) fn with_words(code: Code, words: u32) -> Self {
        let mut draws = stream(SEED, Domain::Generate, &[u64::MAX]);
        let mut golden: Vec<u32> = (0..words).map(|_| draws.next_u32()).collect();
        golden.resize(code.block_words() as usize, 0);
        golden.push(code.encode(&golden));
        Self { code, block: golden.clone(), golden }
    }

    pub(crate) fn judge(&mut self, error: &[u32]) -> Verdict {
        self.block.copy_from_slice(&self.golden);
        for place in error {
            self.block[*place as usize / 32] ^= 1 << (place % 32);
        }
        let words = self.golden.len() - 1;
        let (data, check) = self.block.split_at_mut(words);
        match self.code.decode(data, &mut check[0]) {
            Decoded::Uncorrectable => Verdict::Detected,
            _ if *data == self.golden[..words] => Verdict::Right,
            _ => Verdict::Silent,
        }
    }
}

/// The bits of a block that are stored.
pub(crate) fn stored(code: Code) -> Vec<u32> {
    let data = 32 * code.block_words();
    (0..data + 32).filter(|p| *p < data || code.check_mask() >> (p - data) & 1 == 1).collect()
}

/// The places in groups of `size` adjacent ones, from a multiple of `size`.
pub(crate) fn aligned(places: &[u32], size: u32) -> Vec<Vec<u32>> {
    places.chunk_by(|a, b| a / size == b / size).map(<[u32]>::to_vec).collect()
}

/// The places of each beat: words 2b and 2b + 1, and check byte b where a block is one entry.
pub(crate) fn beats(code: Code) -> Vec<Vec<u32>> {
    let words = code.block_words();
    let check = |beat: u32| (0..8).map(move |bit| 32 * words + 8 * beat + bit);
    let data = |beat: u32| 64 * beat..64 * (beat + 1);
    let beats = 0..words / 2;
    beats.map(|b| data(b).chain(check(b).filter(|_| words == 8)).collect()).collect()
}

/// The places of each pin: one of each beat of an entry.
pub(crate) fn pins(code: Code) -> Vec<Vec<u32>> {
    let beats = beats(code);
    let entries = beats.chunks(4);
    entries
        .flat_map(|beats| {
            (0..beats[0].len()).map(|pin| beats.iter().map(|beat| beat[pin]).collect())
        })
        .collect()
}

/// The places of each entry: eight words, or all where the block is no multiple of them, and all
/// check bits.
pub(crate) fn entries(code: Code) -> Vec<Vec<u32>> {
    let data = 32 * code.block_words();
    let size = if data.is_multiple_of(256) { 256 } else { data };
    let places = stored(code);
    let entry = |first: u32| {
        let own = places.iter().copied();
        own.filter(|p| (first..first + size).contains(p) || *p >= data).collect()
    };
    (0..data / size).map(|e| entry(e * size)).collect()
}
