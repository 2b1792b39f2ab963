//! The draws of an event: which bits of which entries it strikes.

use super::{Breadth, Event, Pattern, Persistence, Shape};
use crate::device::memory::{AddressMap, Location, Memory};
use crate::seed::{below, unit};
use rand::Rng;
use std::collections::HashSet;

/// Words of a mask: eight of data, one of the sideband.
const MASK_WORDS: usize = 9;

/// The struck bits of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// The entry, by the map under which the event was drawn.
    pub entry: u64,
    /// The bits: words 0 to 7 of data, word 8 of the sideband. Never empty.
    pub mask: [u32; MASK_WORDS],
}

impl Strike {
    /// How many bits it strikes.
    pub fn bits(&self) -> u32 {
        self.mask.iter().map(|word| word.count_ones()).sum()
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What its struck bits form.
    pub shape: Shape,
    /// What becomes of them later.
    pub persistence: Persistence,
    /// The struck entries, each once.
    pub strikes: Vec<Strike>,
}

/// How far from its origin an event can reach, within the origin's bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
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
            if event.shape == Shape::Column {
                common = Some(mask);
            }
            memory.entry_of(&at, map).map(|entry| Strike { entry, mask })
        });
        let strikes = strikes.collect();
        Hit { shape: event.shape, persistence: event.persistence(), strikes }
    }

    /// How far an event of the shape with an index in [`Self::events`] can reach.
    ///
    /// # Panics
    /// Where the pattern has no such event.
    pub fn reach(&self, index: usize, memory: &Memory) -> Reach {
        let event = &self.events[index];
        let most = event.breadth.as_ref().map_or(1, |breadth| breadth.entries_max);
        match event.shape {
            Shape::Entries => Reach::Rows((most - 1).div_ceil(memory.columns).min(memory.rows - 1)),
            Shape::Column => Reach::Rows((most - 1).min(memory.rows - 1)),
            Shape::Row => Reach::Rows(0),
            Shape::Bank => Reach::Bank,
            _ => Reach::Entry,
        }
    }
}

/// Where the entries of an event lie.
fn places(
    shape: Shape,
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
        Shape::Entries => {
            let first = in_bank.min(size - entries);
            (first..first + entries).map(at).collect()
        }
        Shape::Column => {
            let first = u64::from(begin.row).min(size - entries);
            let rows = first..first + entries;
            rows.map(|row| at(row * columns + u64::from(begin.column))).collect()
        }
        Shape::Row => {
            let chosen = with_others(u64::from(begin.column), entries, size, rng);
            let row = u64::from(begin.row) * columns;
            chosen.into_iter().map(|column| at(row + column)).collect()
        }
        Shape::Bank => with_others(in_bank, entries, size, rng).into_iter().map(at).collect(),
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
            Shape::AlignedByte => within(memory.entry_bits() / 8, rng),
            Shape::Pin => within(memory.entry_pins(), rng),
            Shape::Beat => within(memory.beats, rng),
            _ => 0,
        };
        let bit = |place: u32| match self.shape {
            Shape::AlignedByte => 8 * part + place,
            Shape::Pin => memory.bit(place, part),
            Shape::Beat => memory.bit(part, place),
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

impl Breadth {
    /// A number of entries, by rejection from x^−γ over the reals.
    ///
    /// The real line gives n the weight ∫ x^−γ from n to n + 1, which falls short of n^−γ the most
    /// at the fewest entries; draws are kept with the chance that makes up for it.
    fn draw(&self, rng: &mut impl Rng) -> u64 {
        let (least, most) = (f64::from(self.entries_min), f64::from(self.entries_max));
        let power = 1.0 - self.exponent;
        let is_log = power.abs() < 1e-9;
        let integral = |x: f64| if is_log { x.ln() } else { x.powf(power) / power };
        let inverse = |y: f64| if is_log { y.exp() } else { (y * power).powf(1.0 / power) };
        let excess = |n: f64| n.powf(-self.exponent) / (integral(n + 1.0) - integral(n));
        let (low, high) = (integral(least), integral(most + 1.0));
        loop {
            let n = inverse(low + unit(rng) * (high - low)).floor().clamp(least, most);
            if unit(rng) * excess(least) < excess(n) {
                return whole(n);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of entries, 2^20 at most"
)]
const fn whole(n: f64) -> u64 {
    n as u64
}

#[expect(clippy::cast_possible_truncation, reason = "drawn below a bound of 32 bits")]
const fn low_u32(n: u64) -> u32 {
    n as u32
}
