//! From the number of an entry to its place in the array, and back.

use super::Memory;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Consecutive entries that stay in one channel where addresses are interleaved: 256 bytes.
const GRANULE: u32 = 8;

/// How addresses are spread over the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AddressMap {
    /// Over pseudo-channels, channels and stacks first, in steps of 256 bytes; rows change last.
    Interleaved,
    /// One row after another, bank after bank, stack after stack.
    Linear,
}

impl AddressMap {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Interleaved, Self::Linear];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interleaved => "interleaved",
            Self::Linear => "linear",
        }
    }
}

/// Where an entry lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location {
    /// The stack.
    pub stack: u32,
    /// The channel of the stack.
    pub channel: u32,
    /// The pseudo-channel of the channel.
    pub pseudo_channel: u32,
    /// The rank of the pseudo-channel.
    pub sid: u32,
    /// The bank group of the rank.
    pub bank_group: u32,
    /// The bank of the group.
    pub bank: u32,
    /// The row of the bank.
    pub row: u32,
    /// The entry of the row.
    pub column: u32,
}

impl Location {
    const fn axis(&mut self, axis: Axis) -> &mut u32 {
        match axis {
            Axis::Stack => &mut self.stack,
            Axis::Channel => &mut self.channel,
            Axis::PseudoChannel => &mut self.pseudo_channel,
            Axis::Sid => &mut self.sid,
            Axis::BankGroup => &mut self.bank_group,
            Axis::Bank => &mut self.bank,
            Axis::Row => &mut self.row,
            Axis::Column => &mut self.column,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Stack,
    Channel,
    PseudoChannel,
    Sid,
    BankGroup,
    Bank,
    Row,
    Column,
}

/// One digit of an entry's number, written in a mixed radix.
struct Digit {
    axis: Axis,
    radix: u32,
    /// What one step of the digit adds to the coordinate.
    step: u32,
}

impl Memory {
    /// Where an entry lies; `None` where the memory has no such entry.
    pub fn locate(&self, entry: u64, map: AddressMap) -> Option<Location> {
        let mut rest = entry;
        let mut at = Location::default();
        for Digit { axis, radix, step } in self.digits(map) {
            let radix = u64::from(radix);
            *at.axis(axis) += u32::try_from(rest % radix).ok()? * step;
            rest /= radix;
        }
        (rest == 0).then_some(at)
    }

    /// The number of the entry that lies there: the inverse of [`Self::locate`].
    pub fn entry_of(&self, at: &Location, map: AddressMap) -> Option<u64> {
        let inside = at.stack < self.stacks
            && at.channel < self.channels
            && at.pseudo_channel < self.pseudo_channels
            && at.sid < self.sids
            && at.bank_group < self.bank_groups
            && at.bank < self.banks
            && at.row < self.rows
            && at.column < self.columns;
        if !inside {
            return None;
        }
        let mut at = *at;
        let digits = self.digits(map).into_iter().rev();
        Some(digits.fold(0, |entry, Digit { axis, radix, step }| {
            entry * u64::from(radix) + u64::from(*at.axis(axis) / step % radix)
        }))
    }

    /// The digits of an entry's number, the fastest first.
    fn digits(&self, map: AddressMap) -> [Digit; 9] {
        let digit = |axis, radix| Digit { axis, radix, step: 1 };
        let granule = GRANULE.min(1 << self.columns.trailing_zeros().min(3));
        let near = digit(Axis::Column, granule);
        let far = Digit { axis: Axis::Column, radix: self.columns / granule, step: granule };
        let stack = digit(Axis::Stack, self.stacks);
        let channel = digit(Axis::Channel, self.channels);
        let pseudo_channel = digit(Axis::PseudoChannel, self.pseudo_channels);
        let sid = digit(Axis::Sid, self.sids);
        let bank_group = digit(Axis::BankGroup, self.bank_groups);
        let bank = digit(Axis::Bank, self.banks);
        let row = digit(Axis::Row, self.rows);
        match map {
            AddressMap::Linear => {
                [near, far, row, bank, bank_group, sid, pseudo_channel, channel, stack]
            }
            AddressMap::Interleaved => {
                [near, pseudo_channel, channel, stack, far, bank_group, bank, sid, row]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, below, stream};
    use std::collections::HashSet;

    /// A small memory with no size that is a power of two, but for the granule's.
    fn small() -> Memory {
        Memory {
            stacks: 5,
            channels: 3,
            pseudo_channels: 2,
            sids: 3,
            bank_groups: 2,
            banks: 3,
            rows: 7,
            columns: 12,
            ..Memory::load("h100-80gb").expect("shipped").0
        }
    }

    #[test]
    fn all_entries_of_a_small_memory_have_places_of_their_own() {
        let memory = small();
        for map in AddressMap::ALL {
            let mut seen = HashSet::new();
            for entry in 0..memory.entries() {
                let at = memory.locate(entry, map).expect("inside");
                assert_eq!(memory.entry_of(&at, map), Some(entry));
                assert!(seen.insert(at), "{at:?} again at {entry}");
            }
            assert_eq!(memory.locate(memory.entries(), map), None);
            assert_eq!(memory.locate(u64::MAX, map), None);
        }
    }

    #[test]
    fn random_entries_of_every_shipped_memory_return() {
        let mut draws = stream(3, Domain::Generate, &[0]);
        for name in Memory::names() {
            let memory = Memory::load(name).expect("well-formed").0;
            for map in AddressMap::ALL {
                let ends = [0, memory.entries() - 1];
                let random: Vec<u64> =
                    (0..10_000).map(|_| below(&mut draws, memory.entries())).collect();
                for entry in ends.into_iter().chain(random) {
                    let at = memory.locate(entry, map).expect("inside");
                    assert_eq!(memory.entry_of(&at, map), Some(entry), "{name} {map:?} {at:?}");
                }
                assert_eq!(memory.locate(memory.entries(), map), None, "{name}");
            }
        }
    }

    #[test]
    fn places_outside_are_no_entries() {
        let memory = small();
        let inside = memory.locate(0, AddressMap::Linear).expect("inside");
        for outside in [
            Location { stack: 5, ..inside },
            Location { channel: 3, ..inside },
            Location { pseudo_channel: 2, ..inside },
            Location { sid: 3, ..inside },
            Location { bank_group: 2, ..inside },
            Location { bank: 3, ..inside },
            Location { row: 7, ..inside },
            Location { column: 12, ..inside },
        ] {
            for map in AddressMap::ALL {
                assert_eq!(memory.entry_of(&outside, map), None, "{outside:?}");
            }
        }
    }

    #[test]
    fn linear_entries_run_along_rows_and_interleaved_ones_over_channels() {
        let memory = Memory::load("h100-80gb").expect("shipped").0;
        let place = |entry, map| memory.locate(entry, map).expect("inside");
        let second = place(1, AddressMap::Linear);
        assert_eq!(second, Location { column: 1, ..Location::default() });
        let next_row = place(u64::from(memory.columns), AddressMap::Linear);
        assert_eq!(next_row, Location { row: 1, ..Location::default() });

        let near = place(7, AddressMap::Interleaved);
        assert_eq!(near, Location { column: 7, ..Location::default() });
        let across = place(8, AddressMap::Interleaved);
        assert_eq!(across, Location { pseudo_channel: 1, ..Location::default() });
        let stacks = place(8 * 2 * 16, AddressMap::Interleaved);
        assert_eq!(stacks, Location { stack: 1, ..Location::default() });
        let along = place(8 * 2 * 16 * 5, AddressMap::Interleaved);
        assert_eq!(along, Location { column: 8, ..Location::default() });
    }

    #[test]
    fn a_contiguous_range_covers_few_rows_of_every_bank() {
        let memory = small();
        let per_row = memory.banks_total() * u64::from(memory.columns);
        let covered: Vec<Location> = (0..2 * per_row)
            .map(|entry| memory.locate(entry, AddressMap::Interleaved).expect("inside"))
            .collect();
        assert!(covered.iter().all(|at| at.row < 2));
        let banks: HashSet<u64> = covered.iter().map(|at| memory.bank_index(at)).collect();
        assert_eq!(u64::try_from(banks.len()).expect("small"), memory.banks_total());
    }
}
