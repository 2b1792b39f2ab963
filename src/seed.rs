//! From a campaign's seed to every random draw.
//!
//! A trial is its seed: each independent stream of draws is named by the campaign seed, a domain
//! and a key (trial, region, replica, …), never by the order in which work happens to run. The
//! same name gives the same draws on any adapter, batch size, shard or engine.

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// What a stream of draws is for. The discriminants are part of the archive's meaning: they never
/// change, new domains are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Domain {
    /// The distinct logical bits of a conditional trial, keyed by (trial).
    Conditional = 1,
    /// Upsets of stored memory, keyed by (trial, region, replica).
    Stored = 2,
    /// Upsets of transient words, keyed by (trial, region, inference, execution).
    Transient = 3,
    /// Bootstrap resampling, keyed by the statistic.
    Bootstrap = 4,
    /// Generated weights and inputs, keyed by the tensor.
    Generate = 5,
    /// The sample of failures whose cause is found by replay.
    Attribution = 6,
    /// Events along an orbit, keyed by (history, mode, level).
    Arrival = 7,
    /// Where on its orbit a trial begins, keyed by (trial).
    OrbitStart = 8,
    /// What an event of a mission does to memory, keyed by (history, device, event).
    MissionEvent = 9,
    /// Events of a mission beside those of its devices, keyed by (history, kind).
    MissionOther = 10,
}

/// The stream of draws named by (campaign seed, domain, key).
///
/// The words of the name are folded one after another through the finaliser of SplitMix64
/// (Steele, Lea, Flood 2014, doi 10.1145/2660193.2660195), which is a bijection of the 64-bit
/// state, and the result seeds xoshiro256++ (Blackman and Vigna 2021, doi 10.1145/3460772).
pub fn stream(seed: u64, domain: Domain, key: &[u64]) -> Xoshiro256PlusPlus {
    let mut state = mix(seed);
    state = mix(state ^ domain as u64);
    for word in key {
        state = mix(state.rotate_left(17) ^ mix(*word));
    }
    Xoshiro256PlusPlus::seed_from_u64(state)
}

/// The finaliser of SplitMix64 after its increment: a bijection of 64-bit words.
pub const fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A uniform draw below `bound`, without bias (Lemire 2019, doi 10.1145/3230636).
///
/// Written out here, so that a later version of a library cannot change the draws of an archive.
///
/// # Panics
/// Where `bound` is 0.
pub fn below(draws: &mut impl Rng, bound: u64) -> u64 {
    assert!(bound > 0, "a draw below 0 does not exist");
    let refused = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(draws.next_u64()) * u128::from(bound);
        let [high, low] = [product >> 64, product & u128::from(u64::MAX)].map(low_word);
        if low >= refused {
            return high;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low 64 bits are what is asked for")]
const fn low_word(word: u128) -> u64 {
    word as u64
}

/// A uniform draw in [0, 1), a multiple of 2⁻⁵³.
pub fn unit(draws: &mut impl Rng) -> f64 {
    (draws.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_part_of_the_name_changes_the_stream() {
        let mut first_draws = HashSet::new();
        for seed in 0..4 {
            for domain in [Domain::Conditional, Domain::Stored] {
                for a in 0..8 {
                    for b in 0..8 {
                        first_draws.insert(stream(seed, domain, &[a, b]).next_u64());
                    }
                    first_draws.insert(stream(seed, domain, &[a]).next_u64());
                }
            }
        }
        assert_eq!(first_draws.len(), 4 * 2 * (64 + 8));
    }

    #[test]
    fn a_stream_is_pinned_for_archives_already_written() {
        let mut draws = stream(7, Domain::Stored, &[1, 2, 3]);
        assert_eq!(draws.next_u64(), stream(7, Domain::Stored, &[1, 2, 3]).next_u64());
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf, "first output of SplitMix64 from state 0");
    }

    #[test]
    fn draws_below_a_bound_cover_it_evenly() {
        let mut draws = stream(11, Domain::Conditional, &[0]);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(below(&mut draws, 7)).expect("a small number")] += 1;
        }
        let chi2: f64 = counts.iter().map(|c| (f64::from(*c) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi2 < 22.5, "chi² {chi2} with 6 degrees of freedom: p < 0.001");
        assert_eq!(below(&mut draws, 1), 0);
    }

    #[test]
    fn draws_of_the_unit_interval_stay_within_it() {
        let mut draws = stream(12, Domain::Conditional, &[0]);
        let sum: f64 = (0..10_000)
            .map(|_| unit(&mut draws))
            .inspect(|u| assert!((0.0..1.0).contains(u)))
            .sum();
        assert!((sum / 10_000.0 - 0.5).abs() < 0.015);
    }
}
