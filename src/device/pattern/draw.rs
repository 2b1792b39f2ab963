//! The draws of an event: which bits of which entries it strikes.

use super::{Event, Pattern, PatternShape, Persistence};
use crate::device::memory::{AddressMap, Location, Memory};
use crate::seed::{below, unit};
use rand::Rng;
use std::collections::HashSet;

/// Words of a mask: eight of data, one of the sideband.
const MASK_WORDS: usize = 9;

/// The struck bits of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StruckEntry {
    /// The entry, by the map under which the event was drawn.
    pub entry: u64,
    /// The bits: words 0 to 7 of data, word 8 of the sideband. Never empty.
    pub mask: [u32; MASK_WORDS],
}

impl StruckEntry {
    /// How many bits it strikes.
    pub fn bits(&self) -> u32 {
        self.mask.iter().map(|word| word.count_ones()).sum()
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What its struck bits form.
    pub shape: PatternShape,
    /// What becomes of them later.
    pub persistence: Persistence,
    /// The struck entries, each once.
    pub strikes: Vec<StruckEntry>,
}

/// How far from its origin an event can reach, within the origin's bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventReach {
    /// The entry where it begins.
    Entry,
    /// The row where it begins, and as many to either side.
    Rows(u32),
    /// The whole bank.
    Bank,
}

impl Pattern {
    /// An event that begins at an entry: its shape by the shares, then as [`Self::draw_shape`].
    ///
    /// # Panics
    /// Where the memory has no such entry, or the pattern has no events.
    pub fn draw(&self, rng: &mut impl Rng, memory: &Memory, map: AddressMap, origin: u64) -> Hit {
        let mut rest = unit(rng);
        let last = self.events.len() - 1;
        let chosen = self.events.iter().position(|event| {
            rest -= event.share;
            rest < 0.0
        });
        let index = chosen.unwrap_or(last);
        self.draw_shape(index, rng, memory, map, origin)
    }

    /// An event of the shape with an index in [`Self::events`], that begins at an entry.
    ///
    /// Entries follow one another along the columns of a row, then in the next row of the same
    /// bank; a run that would leave the bank begins so much earlier that it ends with it. The bits
    /// of an entry are the fewest that the shape has plus a binomial draw from the others, so that
    /// their mean is the file's, and lie at distinct places. Where the memory has fewer bits or
    /// entries than the event asks for ([`Self::fits`] says so), it strikes all of them.
    ///
    /// # Panics
    /// Where the memory has no such entry, or the pattern no such event.
    pub fn draw_shape(
        &self,
        index: usize,
        rng: &mut impl Rng,
        memory: &Memory,
        map: AddressMap,
        origin: u64,
    ) -> Hit {
        let event = &self.events[index];
        let begin = memory.locate(origin, map);
        let begin = begin.unwrap_or_else(|| panic!("entry {origin} of {}", memory.entries()));
        let most = event.shape.entries(memory);
        let entries = event.breadth.as_ref().map_or(1, |breadth| breadth.draw(rng)).min(most);
        let places = places(event.shape, entries, &begin, memory, rng);
        let mut common = None;
        let strikes = places.into_iter().filter_map(|at| {
            let mask = match common {
                Some(mask) => mask,
                None => event.mask(rng, memory),
            };
            if event.shape == PatternShape::Column {
                common = Some(mask);
            }
            memory.entry_of(&at, map).map(|entry| StruckEntry { entry, mask })
        });
        let strikes = strikes.collect();
        Hit { shape: event.shape, persistence: event.persistence(), strikes }
    }

    /// How far an event of the shape with an index in [`Self::events`] can reach.
    ///
    /// # Panics
    /// Where the pattern has no such event.
    pub fn reach(&self, index: usize, memory: &Memory) -> EventReach {
        let event = &self.events[index];
        let most = event.breadth.as_ref().map_or(1, |breadth| breadth.entries_max);
        match event.shape {
            PatternShape::Entries => {
                EventReach::Rows((most - 1).div_ceil(memory.columns).min(memory.rows - 1))
            }
            PatternShape::Column => EventReach::Rows((most - 1).min(memory.rows - 1)),
            PatternShape::Row => EventReach::Rows(0),
            PatternShape::Bank => EventReach::Bank,
            _ => EventReach::Entry,
        }
    }
}

/// Where the entries of an event lie.
fn places(
    shape: PatternShape,
    entries: u64,
    begin: &Location,
    memory: &Memory,
    rng: &mut impl Rng,
) -> Vec<Location> {
    let columns = u64::from(memory.columns);
    let size = shape.entries(memory);
    let in_bank = u64::from(begin.row) * columns + u64::from(begin.column);
    let at = |place: u64| {
        let row = u32::try_from(place / columns).unwrap_or(u32::MAX);
        let column = u32::try_from(place % columns).unwrap_or(u32::MAX);
        Location { row, column, ..*begin }
    };
    match shape {
        PatternShape::Entries => {
            let first = in_bank.min(size - entries);
            (first..first + entries).map(at).collect()
        }
        PatternShape::Column => {
            let first = u64::from(begin.row).min(size - entries);
            let rows = first..first + entries;
            rows.map(|row| at(row * columns + u64::from(begin.column))).collect()
        }
        PatternShape::Row => {
            let chosen = with_others(u64::from(begin.column), entries, size, rng);
            let row = u64::from(begin.row) * columns;
            chosen.into_iter().map(|column| at(row + column)).collect()
        }
        PatternShape::Bank => {
            with_others(in_bank, entries, size, rng).into_iter().map(at).collect()
        }
        _ => vec![*begin],
    }
}

/// `first` and so many others below `size` that there are `count` distinct ones.
fn with_others(first: u64, count: u64, size: u64, rng: &mut impl Rng) -> Vec<u64> {
    let mut seen = HashSet::new();
    let mut chosen = vec![first];
    for last in size - count..size - 1 {
        let draw = below(rng, last + 1);
        let other = if seen.insert(draw) { draw } else { last };
        seen.insert(other);
        chosen.push(if other < first { other } else { other + 1 });
    }
    chosen
}

impl Event {
    /// The struck bits of one entry.
    fn mask(&self, rng: &mut impl Rng, memory: &Memory) -> [u32; MASK_WORDS] {
        let domain = self.shape.domain(memory);
        let least = self.shape.least_bits().min(domain);
        let others = domain - least;
        let chance = ((self.bits - f64::from(least)) / f64::from(others)).min(1.0);
        let count = least + binomial(others, chance, rng);
        let within = |count: u32, rng: &mut _| low_u32(below(rng, u64::from(count)));
        let part = match self.shape {
            PatternShape::AlignedByte => within(memory.entry_bits() / 8, rng),
            PatternShape::Pin => within(memory.entry_pins(), rng),
            PatternShape::Beat => within(memory.beats, rng),
            _ => 0,
        };
        let bit = |place: u32| match self.shape {
            PatternShape::AlignedByte => 8 * part + place,
            PatternShape::Pin => memory.bit(place, part),
            PatternShape::Beat => memory.bit(part, place),
            _ => place,
        };
        let mut mask = [0; MASK_WORDS];
        for last in domain - count..domain {
            let draw = bit(within(last + 1, rng));
            let bit = if has(&mask, draw) { bit(last) } else { draw };
            mask[bit as usize / 32] |= 1 << (bit % 32);
        }
        mask
    }
}

const fn has(mask: &[u32; MASK_WORDS], bit: u32) -> bool {
    mask[bit as usize / 32] >> (bit % 32) & 1 == 1
}

/// Successes among `trials`, by the gaps between them.
fn binomial(trials: u32, chance: f64, rng: &mut impl Rng) -> u32 {
    if chance <= 0.0 {
        return 0;
    }
    let (mut successes, mut at) = (0, 0.0);
    loop {
        at += 1.0 + ((1.0 - unit(rng)).ln() / (-chance).ln_1p()).floor();
        if at > f64::from(trials) {
            return successes;
        }
        successes += 1;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "drawn below a bound of 32 bits")]
const fn low_u32(n: u64) -> u32 {
    n as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::pattern::Breadth;
    use crate::seed::{Domain, stream};
    use std::path::Path;

    fn memory(name: &str) -> Memory {
        Memory::load(name).expect("shipped").0
    }

    fn pattern(name: &str) -> Pattern {
        Pattern::find(name, Path::new("")).expect("well-formed").expect("shipped")
    }

    /// The struck bits of an event, all entries together.
    fn bits(hit: &Hit) -> f64 {
        hit.strikes.iter().map(|strike| f64::from(strike.bits())).sum()
    }

    fn shapes(text: &str) -> Pattern {
        let head = "name = \"t\"\nsource = \"a test\"\n[[event]]\nshare = 1.0\nmark = \"assumed\"\n\
                    bits_mark = \"assumed\"\n";
        Pattern::parse(Path::new("t.toml"), &format!("{head}{text}\n")).expect("well-formed")
    }

    #[test]
    fn the_mean_of_draws_is_that_of_the_file() {
        const STRIKES: f64 = 200_000.0;
        let memory = memory("h100-80gb");
        for (key, name) in (0..).zip(Pattern::names()) {
            let pattern = pattern(name);
            let mut rng = stream(1, Domain::Generate, &[key]);
            let mut total = 0.0;
            for (index, event) in pattern.events.iter().enumerate() {
                let entries = event.breadth.as_ref().map_or(1.0, Breadth::mean_entries);
                let expected = event.bits * entries;
                let draws = (STRIKES / entries).min(20_000.0).round();
                let (mut drawn, mut sum) = (0.0, 0.0);
                while drawn < draws {
                    let origin = below(&mut rng, memory.entries());
                    sum += bits(&pattern.draw_shape(index, &mut rng, &memory, memory.map, origin));
                    drawn += 1.0;
                }
                let squares = event.breadth.as_ref().map_or(1.0, mean_square);
                let variance = squares * (event.bits.powi(2) + event.bits) - expected.powi(2);
                let (found, off) = (sum / draws, 4.0 * (variance / draws).sqrt());
                let shape = event.shape.name();
                assert!(
                    (found - expected).abs() <= off,
                    "{name}, {shape}: {found}, expected {expected} ± {off}"
                );
                total += event.share * expected;
            }
            assert!((total / pattern.mean_bits() - 1.0).abs() < 1e-12);
        }
    }

    /// The mean of the squares of a breadth: the variance of bits follows from it, as the bits of
    /// an entry vary by less than their mean.
    fn mean_square(breadth: &Breadth) -> f64 {
        let weigh = |n: u32, power: f64| f64::from(n).powf(power - breadth.exponent);
        let all = |power| -> f64 {
            (breadth.entries_min..=breadth.entries_max).map(|n| weigh(n, power)).sum()
        };
        all(2.0) / all(0.0)
    }

    #[test]
    fn shapes_are_drawn_by_their_shares() {
        let (memory, pattern) = (memory("ddr4"), pattern("hbm2-neutron"));
        let mut rng = stream(2, Domain::Generate, &[0]);
        let mut counts = [0_u32; 3];
        for _ in 0..20_000 {
            let hit = pattern.draw(&mut rng, &memory, AddressMap::Linear, 77);
            let index = pattern.events.iter().position(|event| event.shape == hit.shape);
            counts[index.expect("a shape of the file")] += 1;
        }
        let chi2: f64 = counts
            .iter()
            .zip(&pattern.events)
            .map(|(count, event)| {
                let expected = 20_000.0 * event.share;
                (f64::from(*count) - expected).powi(2) / expected
            })
            .sum();
        assert!(chi2 < 13.8, "chi² {chi2} with 2 degrees of freedom: p < 0.001; {counts:?}");
    }

    #[test]
    fn every_shape_strikes_what_it_says_in_every_memory() {
        let pattern = pattern("all-shapes");
        for (key, name) in (0..).zip(Memory::names()) {
            let memory = memory(name);
            let mut rng = stream(3, Domain::Generate, &[key]);
            for (index, event) in pattern.events.iter().enumerate() {
                for round in 0..40 {
                    let map = AddressMap::ALL[round % 2];
                    let origin = below(&mut rng, memory.entries());
                    let hit = pattern.draw_shape(index, &mut rng, &memory, map, origin);
                    assert_eq!(hit.persistence, event.persistence());
                    check(&hit, &memory, map, origin, event);
                    stays_within(&hit, &memory, map, origin, pattern.reach(index, &memory));
                }
            }
        }
    }

    /// The struck bits and entries are those of the shape.
    fn check(hit: &Hit, memory: &Memory, map: AddressMap, origin: u64, event: &Event) {
        let mut seen = HashSet::new();
        for strike in &hit.strikes {
            let name = event.shape.name();
            assert!(seen.insert(strike.entry), "{name}: entry {} twice", strike.entry);
            assert!(strike.entry < memory.entries(), "{name}");
            let struck = (0..9 * 32).filter(|bit| has(&strike.mask, *bit));
            let struck: Vec<u32> = struck.collect();
            assert!(struck.iter().all(|bit| *bit < memory.entry_bits()), "{name}: {struck:?}");
            let pins: HashSet<_> = struck.iter().map(|bit| memory.beat_and_pin(*bit)).collect();
            let alike = |same: &dyn Fn(u32) -> u32| {
                assert!(struck.len() >= 2, "{name}: {struck:?}");
                assert!(struck.windows(2).all(|two| same(two[0]) == same(two[1])), "{struck:?}");
            };
            match event.shape {
                PatternShape::SingleBit => assert_eq!(struck.len(), 1),
                PatternShape::TwoBits => assert_eq!(struck.len(), 2),
                PatternShape::ThreeBits => assert_eq!(struck.len(), 3),
                PatternShape::AlignedByte => alike(&|bit| bit / 8),
                PatternShape::Pin => alike(&|bit| memory.beat_and_pin(bit).1),
                PatternShape::Beat => alike(&|bit| memory.beat_and_pin(bit).0),
                PatternShape::Entry => assert!(struck.len() >= 2),
                _ => assert!(!struck.is_empty()),
            }
            assert_eq!(pins.len(), struck.len());
        }
        assert!(hit.strikes.iter().any(|strike| strike.entry == origin), "the origin is struck");
        let most = event.breadth.as_ref().map_or(1, |breadth| breadth.entries_max);
        assert!((1..=u64::from(most)).contains(&(hit.strikes.len() as u64)));
        let at = |strike: &StruckEntry| memory.locate(strike.entry, map).expect("inside");
        let along = |place: &dyn Fn(&Location) -> u64| {
            let places: Vec<u64> = hit.strikes.iter().map(|strike| place(&at(strike))).collect();
            assert!(places.windows(2).all(|two| two[1] == two[0] + 1), "{places:?}");
        };
        let columns = u64::from(memory.columns);
        match event.shape {
            PatternShape::Entries => {
                along(&|at| u64::from(at.row) * columns + u64::from(at.column));
            }
            PatternShape::Column => {
                along(&|at| u64::from(at.row));
                let first = (at(&hit.strikes[0]).column, hit.strikes[0].mask);
                let mut same = hit.strikes.iter().map(|strike| (at(strike).column, strike.mask));
                assert!(same.all(|column| column == first));
            }
            _ => {}
        }
    }

    /// No entry is farther from the origin than the reach.
    fn stays_within(hit: &Hit, memory: &Memory, map: AddressMap, origin: u64, reach: EventReach) {
        let begin = memory.locate(origin, map).expect("inside");
        for strike in &hit.strikes {
            let at = memory.locate(strike.entry, map).expect("inside");
            assert_eq!(memory.bank_index(&at), memory.bank_index(&begin), "{:?}", hit.shape);
            match reach {
                EventReach::Entry => assert_eq!(strike.entry, origin),
                EventReach::Rows(rows) => {
                    let off = at.row.abs_diff(begin.row);
                    assert!(off <= rows, "{:?}: {off} rows of {rows}", hit.shape);
                }
                EventReach::Bank => {}
            }
        }
    }

    #[test]
    fn a_run_at_the_end_of_a_bank_stays_in_it_and_reaches_the_origin() {
        let memory = Memory { rows: 4, ..memory("h100-80gb") };
        let run = shapes(
            "shape = \"entries\"\nbits = 2.0\n\
             breadth = { entries_min = 100, entries_max = 100, exponent = 0.0 }",
        );
        let column = shapes(
            "shape = \"column\"\nbits = 1.0\n\
             breadth = { entries_min = 3, entries_max = 3, exponent = 0.0 }",
        );
        assert_eq!(run.reach(0, &memory), EventReach::Rows(3), "no more than the bank has");
        assert_eq!(column.reach(0, &memory), EventReach::Rows(2));
        let mut rng = stream(4, Domain::Generate, &[0]);
        let last = u64::from(memory.rows * memory.columns) - 1;
        for (pattern, count) in [(run, 100), (column, 3)] {
            let hit = pattern.draw_shape(0, &mut rng, &memory, AddressMap::Linear, last);
            assert_eq!(hit.strikes.len(), count);
            check(&hit, &memory, AddressMap::Linear, last, &pattern.events[0]);
        }
    }

    #[test]
    fn a_pattern_that_a_memory_is_too_small_for_is_refused() {
        let hbm3 = memory("h100-80gb");
        for (text, expected) in [
            ("shape = \"pin\"\nbits = 9.0", "expected 8 bits at most in memory h100-80gb, found 9"),
            ("shape = \"beat\"\nbits = 40.0", "expected 36 bits at most"),
            (
                "shape = \"row\"\nbits = 2.0\nbreadth = { entries_max = 33, exponent = 1.0 }",
                "shape row: expected 32 entries at most in memory h100-80gb, found 33",
            ),
        ] {
            let error = shapes(text).fits(&hbm3).expect_err(expected);
            assert!(error.contains(expected), "{error}");
            let hit = shapes(text).draw_shape(
                0,
                &mut stream(5, Domain::Generate, &[0]),
                &hbm3,
                AddressMap::Linear,
                0,
            );
            assert!(hit.strikes.len() <= 32);
        }
        for name in Memory::names() {
            for pattern in Pattern::names() {
                assert_eq!(self::pattern(pattern).fits(&memory(name)), Ok(()), "{pattern}, {name}");
            }
        }
    }

    #[test]
    fn all_bits_of_an_entry_are_struck_alike() {
        let (memory, pattern) = (memory("v100-32gb"), pattern("single-bit"));
        let mut rng = stream(7, Domain::Generate, &[0]);
        let mut counts = vec![0_u32; 288];
        for _ in 0..288_000 {
            let hit = pattern.draw(&mut rng, &memory, memory.map, 0);
            let bit = (0..288).find(|bit| has(&hit.strikes[0].mask, *bit)).expect("one");
            counts[bit as usize] += 1;
        }
        let chi2: f64 = counts.iter().map(|c| (f64::from(*c) - 1000.0).powi(2) / 1000.0).sum();
        assert!((200.0..370.0).contains(&chi2), "chi² {chi2} with 287 degrees of freedom");
    }
}
