//! Sites, and the draw of a conditional trial.
//!
//! A region's sites are its logical bits: those of one replica, whatever a scheme keeps or runs.
//! They are numbered element by element, so that a draw is a number and a census counts through them.

use super::{Fault, FaultKind, Region, Replica};
use crate::op::{Dtype, WORD_BITS};
use crate::seed::{Domain, below, stream, unit};
use crate::workload::{Role, Value, Workload};
use std::collections::HashSet;

/// One logical bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// A stored tensor for weights, an op for activations, 0 for the input.
    pub tensor: u32,
    /// The element within it.
    pub index: u32,
    /// The bit of its type, 0 is the least significant.
    pub bit: u32,
}

/// The logical bits of one region under the campaign's restrictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sites {
    region: Region,
    spans: Vec<Span>,
    /// Bit positions, ascending; a type has those below its width.
    bits: Vec<u32>,
    count: u64,
}

/// The elements of one tensor, op output or input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    tensor: u32,
    dtype: Dtype,
    elements: u32,
    /// The number of its first logical bit.
    first: u64,
    /// Logical bits of an element.
    bits: u64,
}

/// A restriction names what the region does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}, found \"{name}\"", .valid.join(", "))]
pub struct UnknownName {
    /// The name.
    pub name: String,
    /// The names that the region has.
    pub valid: Vec<String>,
}

impl Sites {
    /// The sites of `region`, of these tensors or ops only and at these bit positions only.
    ///
    /// # Errors
    /// Where `names` holds what the region does not have.
    ///
    /// # Panics
    /// Where a bit position is past 31.
    pub fn new(
        workload: &Workload,
        region: Region,
        names: Option<&[String]>,
        bits: Option<&[u32]>,
    ) -> Result<Self, UnknownName> {
        let all = named_elements(workload, region);
        for name in names.unwrap_or_default() {
            if !all.iter().any(|(_, has, ..)| has == name) {
                let valid = all.iter().map(|(_, has, ..)| (*has).to_owned()).collect();
                return Err(UnknownName { name: name.clone(), valid });
            }
        }
        let mut bits = bits.map_or_else(|| (0..WORD_BITS).collect(), <[u32]>::to_vec);
        bits.sort_unstable();
        bits.dedup();
        assert!(bits.iter().all(|bit| *bit < WORD_BITS), "no element has more bits than a word");
        let mut count = 0;
        let mut spans = Vec::new();
        for (tensor, name, dtype, elements) in all {
            if names.is_none_or(|names| names.iter().any(|n| n == name)) {
                let bits = bits.partition_point(|bit| *bit < dtype.bits()) as u64;
                spans.push(Span { tensor, dtype, elements, first: count, bits });
                count += u64::from(elements) * bits;
            }
        }
        Ok(Self { region, spans, bits, count })
    }

    /// The names that a restriction of `region` may use.
    pub fn names(workload: &Workload, region: Region) -> Vec<&str> {
        named_elements(workload, region).into_iter().map(|(_, name, ..)| name).collect()
    }

    /// The region.
    pub const fn region(&self) -> Region {
        self.region
    }

    /// How many elements there are.
    pub fn elements(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.elements)).sum()
    }

    /// How many logical bits there are.
    pub const fn bits(&self) -> u64 {
        self.count
    }

    /// The site with this number; bits of one element are neighbours.
    ///
    /// # Panics
    /// Where `logical` is not below [`Sites::bits`].
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a span has fewer than 2³² elements, an element 32 bits at most"
    )]
    pub fn at(&self, logical: u64) -> Site {
        assert!(logical < self.bits(), "site {logical} of {}", self.bits());
        let span = self.spans[self.spans.partition_point(|s| s.first <= logical) - 1];
        let within = logical - span.first;
        Site {
            tensor: span.tensor,
            index: (within / span.bits) as u32,
            bit: self.bits[(within % span.bits) as usize],
        }
    }

    /// The number of a site, or `None` where the restrictions leave it out.
    pub fn find(&self, site: Site) -> Option<u64> {
        let span =
            self.spans.iter().find(|s| s.tensor == site.tensor && site.index < s.elements)?;
        let bit = self.bits.binary_search(&site.bit).ok()? as u64;
        Some(span.first + u64::from(site.index) * span.bits + bit).filter(|_| bit < span.bits)
    }

    /// The type of a tensor's or op's elements; `None` where the restrictions leave it out.
    pub fn dtype(&self, tensor: u32) -> Option<Dtype> {
        self.spans.iter().find(|span| span.tensor == tensor).map(|span| span.dtype)
    }

    /// How those elements lie in words.
    pub fn lies(&self, tensor: u32) -> Option<Dtype> {
        let stored = matches!(self.region, Region::Weights | Region::Voted);
        self.dtype(tensor).map(|dtype| if stored { dtype } else { dtype.of_rows() })
    }

    /// One bit struck before a conditional trial's only step, in its only row.
    pub fn fault(&self, site: Site, kind: FaultKind, place: Replica) -> Fault {
        let dtype = self.lies(site.tensor).unwrap_or_default();
        let (word, bit) = dtype.place(site.index, site.bit);
        Fault {
            step: 0,
            time_s: 0.0,
            region: self.region,
            tensor: site.tensor,
            index: word,
            row: 0,
            kind,
            mask: 1 << bit,
            place,
        }
    }
}

/// (index, name, type, elements) of everything in a region that has sites.
fn named_elements(workload: &Workload, region: Region) -> Vec<(u32, &str, Dtype, u32)> {
    let mut named: Vec<(usize, &Value)> = Vec::new();
    for value in &workload.values {
        match (region, value.role) {
            (Region::Weights | Region::Voted, Role::Stored(at)) => named.push((at, value)),
            (Region::Input, Role::Input) => named.push((0, value)),
            _ => {}
        }
    }
    if region == Region::Activations {
        named.extend(workload.sites().map(|(at, op)| (at, &workload.values[op.output.0])));
    }
    // How many check words there are is the scheme's, not the workload's.
    let mut elements = Vec::new();
    for (at, value) in named {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        elements.push((at, value.name.as_str(), value.dtype, value.elements()));
    }
    elements
}

/// What a conditional trial drew.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Which of the campaign's inputs a transient fault strikes; `None` for weights.
    pub input: Option<u32>,
    /// The faults in the order they strike.
    pub faults: Vec<Fault>,
}

/// Draws trial `trial`: `count` distinct sites, uniformly, in random order; input and activation
/// faults strike one of `inputs` inputs. Each fault has its own u for the struck replica.
///
/// Distinct sites come from Floyd's algorithm (Bentley and Floyd 1987, doi 10.1145/30401.315746),
/// their order from a shuffle.
///
/// # Panics
/// Where there are fewer sites than `count`, or no input for a transient fault.
pub fn draw(
    seed: u64,
    trial: u64,
    sites: &Sites,
    count: u32,
    kind: FaultKind,
    inputs: u32,
) -> Draw {
    let mut draws = stream(seed, Domain::Conditional, &[trial]);
    let bits = sites.bits();
    assert!(u64::from(count) <= bits, "{count} distinct sites of {bits}");
    #[expect(clippy::cast_possible_truncation, reason = "below a u32")]
    let input =
        sites.region().is_of_one_inference().then(|| below(&mut draws, u64::from(inputs)) as u32);
    let mut chosen = Vec::with_capacity(count as usize);
    let mut taken = HashSet::with_capacity(count as usize);
    for last in bits - u64::from(count)..bits {
        let candidate = below(&mut draws, last + 1);
        let logical = if taken.contains(&candidate) { last } else { candidate };
        taken.insert(logical);
        chosen.push(logical);
    }
    for end in (1..chosen.len()).rev() {
        #[expect(clippy::cast_possible_truncation, reason = "below a length")]
        let other = below(&mut draws, end as u64 + 1) as usize;
        chosen.swap(end, other);
    }
    let faults = chosen.into_iter().map(|logical| {
        let site = sites.at(logical);
        sites.fault(site, kind, Replica::Share(unit(&mut draws)))
    });
    Draw { input, faults: faults.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::bench::mlp;
    use proptest::prelude::*;

    fn sites(region: Region, names: Option<&[String]>, bits: Option<&[u32]>) -> Sites {
        Sites::new(&mlp(&[8, 6, 4], 5), region, names, bits).expect("known names")
    }

    #[test]
    fn regions_have_their_words() {
        assert_eq!(sites(Region::Weights, None, None).elements(), 8 * 6 + 6 + 6 * 4 + 4);
        assert_eq!(sites(Region::Input, None, None).elements(), 8);
        assert_eq!(sites(Region::Activations, None, None).elements(), 6 + 6 + 4);
        let names = ["fc2.bias".to_owned(), "fc1.bias".to_owned()];
        let few = sites(Region::Weights, Some(&names), Some(&[31, 23]));
        assert_eq!(few.bits(), (6 + 4) * 2);
        assert_eq!(few.at(12), Site { tensor: 3, index: 0, bit: 23 });
        assert_eq!(few.find(Site { tensor: 3, index: 0, bit: 22 }), None);
        assert_eq!(few.find(Site { tensor: 0, index: 0, bit: 23 }), None);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_valid_ones() {
        let workload = mlp(&[8, 6, 4], 5);
        let refused = Sites::new(&workload, Region::Activations, Some(&["fc9".into()]), None);
        assert_eq!(
            refused.expect_err("no such op").to_string(),
            "expected one of fc1, relu1, fc2, found \"fc9\""
        );
    }

    #[test]
    fn a_draw_is_uniform_over_sites_inputs_and_replicas() {
        let sites = sites(Region::Input, None, Some(&[0, 1, 2, 3]));
        let [mut by_site, mut by_input, mut by_replica] = [[0_u32; 32], [0; 32], [0; 32]];
        for trial in 0..32_000 {
            let drawn = draw(5, trial, &sites, 2, FaultKind::Xor, 32);
            by_input[drawn.input.expect("an input") as usize] += 1;
            for fault in drawn.faults {
                let site = Site { tensor: 0, index: fault.index, bit: fault.mask.trailing_zeros() };
                by_site[usize::try_from(sites.find(site).expect("a site")).expect("small")] += 1;
                by_replica[fault.place.of(32).expect("all schemes") as usize] += 1;
            }
        }
        for (counts, mean) in [(by_site, 2000.0), (by_input, 1000.0), (by_replica, 2000.0)] {
            let chi2: f64 = counts.iter().map(|c| (f64::from(*c) - mean).powi(2) / mean).sum();
            assert!(chi2 < 61.1, "chi² {chi2} with 31 degrees of freedom: p < 0.001");
        }
    }

    #[test]
    fn both_orders_of_a_pair_are_drawn() {
        let sites = sites(Region::Input, None, Some(&[0]));
        let rising = (0..4000).filter(|trial| {
            let drawn = draw(9, *trial, &sites, 2, FaultKind::Xor, 1);
            drawn.faults[0].index < drawn.faults[1].index
        });
        let rising = rising.count();
        assert!((1860..2140).contains(&rising), "{rising} of 4000 rise");
    }

    proptest! {
        #[test]
        fn sites_and_numbers_are_a_bijection(
            region in proptest::sample::select(Region::ALL.to_vec()),
            bits in proptest::collection::vec(0_u32..32, 1..8),
        ) {
            let sites = sites(region, None, Some(&bits));
            let all: HashSet<Site> = (0..sites.bits()).map(|logical| sites.at(logical)).collect();
            prop_assert_eq!(all.len() as u64, sites.bits());
            for logical in 0..sites.bits() {
                prop_assert_eq!(sites.find(sites.at(logical)), Some(logical));
            }
        }

        #[test]
        fn a_draw_has_distinct_sites_and_repeats(seed: u64, trial: u64, count in 1_u32..=64) {
            let sites = sites(Region::Input, None, Some(&[0, 5, 9, 12, 22, 23, 30, 31]));
            let drawn = draw(seed, trial, &sites, count, FaultKind::StuckAt1, 3);
            let distinct: HashSet<(u32, u32)> =
                drawn.faults.iter().map(|fault| (fault.index, fault.mask)).collect();
            prop_assert_eq!(distinct.len(), count as usize);
            prop_assert!(drawn.input.is_some_and(|input| input < 3));
            prop_assert_eq!(drawn, draw(seed, trial, &sites, count, FaultKind::StuckAt1, 3));
        }
    }
}
