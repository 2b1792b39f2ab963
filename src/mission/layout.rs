//! Where everything lies: the replicas of the weights, their check words, and the other tenants.
//!
//! Each device of a scheme has one address space of 32-byte entries. From its start lie the
//! replicas that the scheme keeps there, then check words that do not fit the sideband, then the
//! key-value cache and the activations; the rest is unused. Weights are tiled: copy c of the
//! workload's image fills `copy_words` words, whatever the code, so that copies lie alike in every
//! scheme.

use super::Error;
use crate::device::{AddressMap, Location, Memory};
use crate::scheme::{Code, Placement, Scheme};
use std::ops::Range;

/// Words of an entry.
const ENTRY_WORDS: u64 = 8;
/// A copy is a multiple of this many words: whole entries, and whole blocks of every code.
const COPY_UNIT: u64 = 576;

/// What lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tenant {
    /// Weights and their check words.
    Weights = 0,
    /// The key-value cache; no shipped workload reads one.
    KvCache = 1,
    /// Activations.
    Activations = 2,
    /// Nothing.
    Unused = 3,
}

impl Tenant {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Weights, Self::KvCache, Self::Activations, Self::Unused];

    /// The name used in HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::KvCache => "kv-cache",
            Self::Activations => "activations",
            Self::Unused => "unused",
        }
    }
}

/// The tiling of weights, alike in every scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Words of the workload's weights.
    pub image_words: u32,
    /// Words from one copy to the next.
    pub copy_words: u32,
    /// Copies in a replica.
    pub copies: u64,
}

impl Tiling {
    /// Tiles an image over `bytes` of memory, or once.
    ///
    /// # Errors
    /// Where not even one copy fits.
    pub fn new(image_words: u32, bytes: Option<u64>) -> Result<Self, Error> {
        let copy_words = u64::from(image_words.max(1)).next_multiple_of(COPY_UNIT);
        let copies = bytes.map_or(1, |bytes| bytes / (4 * copy_words));
        let (Ok(narrow), 1..) = (u32::try_from(copy_words), copies) else {
            let expected = format!("{} bytes or more: one image of the workload", 4 * copy_words);
            return Err(Error::value("memory.weights", expected, bytes.unwrap_or(0)));
        };
        Ok(Self { image_words, copy_words: narrow, copies })
    }

    /// Entries of a replica.
    pub const fn entries(&self) -> u64 {
        self.copies * (self.copy_words as u64) / ENTRY_WORDS
    }
}

/// A word of a scheme's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// A word of a copy's image.
    Data {
        /// The replica.
        replica: u8,
        /// The copy.
        copy: u64,
        /// The word of the copy.
        word: u32,
    },
    /// A check word of a copy.
    Check {
        /// The replica.
        replica: u8,
        /// The copy.
        copy: u64,
        /// The block of the copy.
        block: u32,
    },
    /// A word of the key-value cache.
    KvCache,
    /// A word of the activations, from their start.
    Activations(u64),
    /// A word that holds nothing.
    Unused,
}

/// The memory of one scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemeLayout {
    /// The tiling.
    pub tiling: Tiling,
    /// Data words of a block: those of the code, or of an entry where there is none.
    pub block_words: u32,
    /// The code, where there is one.
    pub code: Option<Code>,
    /// Whether check words lie in the sideband of the entries.
    pub sideband: bool,
    /// Devices that the scheme uses.
    pub devices: u32,
    /// By replica: the device, the first entry of its weights, the first of its inline check words.
    replicas: Vec<(u32, u64, u64)>,
    inline_entries: u64,
    kv_cache: Range<u64>,
    activations: Range<u64>,
}

impl SchemeLayout {
    /// Lays a scheme out.
    ///
    /// # Errors
    /// Where it does not fit the memory, or the memory has no such places for replicas.
    pub fn new(
        (index, scheme): (usize, &Scheme),
        tiling: Tiling,
        (memory, map): (&Memory, AddressMap),
        (kv_cache, activations): (u64, u64),
    ) -> Result<Self, Error> {
        let count = scheme.copies();
        let block_words = scheme.block_words();
        let sideband = block_words == 8 && memory.sideband_bits >= 32;
        let checks = u64::from(tiling.copy_words / block_words) * tiling.copies;
        let inline = scheme.code.is_some() && !sideband;
        let inline_entries = if inline { checks.div_ceil(ENTRY_WORDS) } else { 0 };
        let spread = scheme.placement == Placement::Device && count > 1;
        let on_device = if spread { 1 } else { u64::from(count) };
        let mut bases = Vec::new();
        let mut next = 0;
        if spread {
            bases = (0..count).map(|device| (device, 0)).collect();
            next = tiling.entries();
        } else {
            let (step, radix) = digit(scheme.placement, memory, map);
            for _ in 0..count {
                let mut unit = u64::div_ceil(next, step);
                while bases.iter().any(|(_, base)| base / step % radix == unit % radix) {
                    if bases.len() as u64 >= radix {
                        let place = scheme.placement.name();
                        let expected = format!("a {place} of its own for each of {count} replicas");
                        let found = format!("{radix} in memory {}", memory.name);
                        return Err(Error::scheme(index, "placement", expected, found));
                    }
                    unit += 1;
                }
                bases.push((0, unit * step));
                next = unit * step + tiling.entries();
            }
        }
        let mut replicas = Vec::new();
        for (at, (device, base)) in (0u64..).zip(bases) {
            let at = if spread { 0 } else { at };
            replicas.push((device, base, next + at * inline_entries));
        }
        next += on_device * inline_entries;
        let entries = |bytes: u64| bytes.div_ceil(4 * ENTRY_WORDS);
        let kv = next..next + entries(kv_cache);
        let values = kv.end..kv.end + entries(activations);
        if values.end > memory.entries() {
            let expected =
                format!("at most the {} bytes of {}", memory.capacity_bytes(), memory.name);
            let found = format!("{} bytes with {count} replicas", 4 * ENTRY_WORDS * values.end);
            return Err(Error::scheme(index, "protection", expected, found));
        }
        Ok(Self {
            tiling,
            block_words,
            code: scheme.code,
            sideband: scheme.code.is_some() && sideband,
            devices: if spread { count } else { 1 },
            replicas,
            inline_entries,
            kv_cache: kv,
            activations: values,
        })
    }

    /// Entries in use on each device.
    pub const fn used_entries(&self) -> u64 {
        self.activations.end
    }

    /// Bytes of all replicas with their check words, wherever those lie.
    pub fn protected_bytes(&self) -> u64 {
        let entry = 4 * ENTRY_WORDS + if self.sideband { 4 } else { 0 };
        self.replicas.len() as u64
            * (self.tiling.entries() * entry + 4 * ENTRY_WORDS * self.inline_entries)
    }

    /// Replicas.
    pub const fn replica_count(&self) -> usize {
        self.replicas.len()
    }

    /// Check words of a copy: one a block.
    pub const fn blocks(&self) -> u32 {
        self.tiling.copy_words / self.block_words
    }

    /// What word `word` (0 to 7 data, 8 sideband) of an entry of a device is to this scheme;
    /// `None` where the scheme has no use for it.
    pub fn site(&self, device: u32, entry: u64, word: usize) -> Option<Site> {
        if device >= self.devices {
            return None;
        }
        let data = u32::try_from(word).ok().filter(|word| u64::from(*word) < ENTRY_WORDS);
        for (replica, (on, base, inline)) in (0u8..).zip(&self.replicas) {
            if *on != device {
                continue;
            }
            let per_copy = u64::from(self.tiling.copy_words) / ENTRY_WORDS;
            if let Some(at) = entry.checked_sub(*base).filter(|at| *at < self.tiling.entries()) {
                let (copy, within) = (at / per_copy, narrow(at % per_copy));
                return match data {
                    Some(word) => {
                        let word = within * narrow(ENTRY_WORDS) + word;
                        Some(Site::Data { replica, copy, word })
                    }
                    None if self.sideband => Some(Site::Check { replica, copy, block: within }),
                    None => None,
                };
            }
            if let Some(at) = entry.checked_sub(*inline).filter(|at| *at < self.inline_entries) {
                let check = at * ENTRY_WORDS + u64::from(data?);
                let blocks = u64::from(self.blocks());
                let (copy, block) = (check / blocks, narrow(check % blocks));
                return (copy < self.tiling.copies).then_some(Site::Check { replica, copy, block });
            }
        }
        let data = u64::from(data?);
        if self.activations.contains(&entry) {
            Some(Site::Activations((entry - self.activations.start) * ENTRY_WORDS + data))
        } else if self.kv_cache.contains(&entry) {
            Some(Site::KvCache)
        } else {
            Some(Site::Unused)
        }
    }

    /// The device and entry that hold the first data word of a block.
    pub fn home(&self, replica: u8, copy: u64, block: u32) -> (u32, u64) {
        let (device, base, _) = self.replicas[usize::from(replica)];
        let word = copy * u64::from(self.tiling.copy_words)
            + u64::from(block) * u64::from(self.block_words);
        (device, base + word / ENTRY_WORDS)
    }

    /// The tenant of an entry of a device.
    pub fn tenant(&self, device: u32, entry: u64) -> Tenant {
        match self.site(device, entry, 0) {
            Some(Site::Data { .. } | Site::Check { .. }) => Tenant::Weights,
            Some(Site::KvCache) => Tenant::KvCache,
            Some(Site::Activations(_)) => Tenant::Activations,
            Some(Site::Unused) | None => Tenant::Unused,
        }
    }
}

/// The step in entries from one place to the next of this kind, and how many there are.
fn digit(placement: Placement, memory: &Memory, map: AddressMap) -> (u64, u64) {
    let next = |location: Location| memory.entry_of(&location, map);
    let origin = Location::default();
    let bank = Location { bank: 1, ..origin };
    let (location, radix) = match placement {
        Placement::Bank if memory.banks > 1 => (bank, memory.banks),
        Placement::Bank => (Location { bank_group: 1, ..origin }, memory.bank_groups),
        Placement::Channel => (Location { channel: 1, ..origin }, memory.channels),
        Placement::Stack => (Location { stack: 1, ..origin }, memory.stacks),
        Placement::Device => (origin, 1),
    };
    next(location).map_or((1, 1), |step| (step.max(1), u64::from(radix)))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "within a copy, whose words are counted in u32"
)]
const fn narrow(value: u64) -> u32 {
    value as u32
}
