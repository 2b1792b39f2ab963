//! From a campaign's seed to every random draw.
//!
//! A trial is its seed: each independent stream of draws is named by the campaign seed, a domain
//! and a key (trial, region, replica, …), never by the order in which work happens to run. The
//! same name gives the same draws on any adapter, batch size, shard or engine.

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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
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
}
