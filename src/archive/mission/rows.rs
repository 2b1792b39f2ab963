//! The rows of a mission's archive. Field names are those of `docs/archive-format.md`.

use super::schema::MissionHeader;
use crate::device::Persistence;
use crate::mission::{Plan, Upset, What};
use crate::rate::TrackPoint;
use bytemuck::NoUninit;
use hdf5::H5Type;
use schemars::JsonSchema;

/// What the codes of [`UpsetRow::what`] mean, from 0: the names of [`What`].
pub const WHAT_NAMES: [&str; 9] = [
    "memory",
    "uncorrectable",
    "logic-sdc",
    "sefi",
    "host-sefi",
    "host-ram",
    "sel",
    "scrubber",
    "hardened-storage",
];
/// What the codes of [`UpsetRow::persistence`] mean, from 0.
pub(super) const PERSISTENCE_NAMES: [&str; 3] = ["transient", "stuck", "weak"];

/// One event of a history, the same for every scheme. What does not apply is the largest number in
/// an index, and NaN in a figure.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct UpsetRow {
    /// The history.
    pub history: u64,
    /// Seconds of flight since the start.
    pub time_s: f64,
    /// Geocentric latitude in degrees, north positive.
    pub latitude_deg: f64,
    /// Longitude in degrees, east positive.
    pub longitude_deg: f64,
    /// Mean local solar time there, in hours.
    pub local_time_h: f64,
    /// The first entry of 32 bytes that it strikes.
    pub first_entry: u64,
    /// Of memory: the first bit of that entry that flips. Of the scrubber: the bit of the entry in
    /// its buffer. Of hardened storage: the bit of the workload's image.
    pub first_bit: u64,
    /// Its number in the history.
    pub id: u32,
    /// Entries that it strikes; 0 where it strikes no memory.
    pub entries: u32,
    /// Bits that it flips, in all of them.
    pub flipped_bits: u32,
    /// The bank of the first entry, counted over the whole memory.
    pub bank: u32,
    /// The row of the first entry in its bank.
    pub row: u32,
    /// The place of the orbit: so many steps after the start of the track.
    pub place: u32,
    /// The device.
    pub device: u32,
    /// Index into `/mission/modes`.
    pub mode: u32,
    /// What it does: index into [`WHAT_NAMES`].
    pub what: u16,
    /// The shape of its bits: index into [`MissionHeader::shapes`].
    pub shape: u16,
    /// What becomes of its bits: 0 transient, 1 stuck, 2 weak.
    pub persistence: u16,
    /// 1 where the place is within the South Atlantic Anomaly.
    pub in_saa: u16,
}

impl UpsetRow {
    /// The row of an upset of history `history`.
    pub(super) fn of(header: &MissionHeader, plan: &Plan, history: u64, upset: &Upset) -> Self {
        let place = plan.timeline.places.get(upset.place as usize);
        let figure = |of: &dyn Fn(&TrackPoint) -> f64| place.map_or(f64::NAN, of);
        let mut row = Self {
            history,
            time_s: upset.time_s,
            latitude_deg: figure(&|place| place.position.latitude_deg),
            longitude_deg: figure(&|place| place.position.longitude_deg),
            local_time_h: figure(&|p| p.position.local_time_h(plan.timeline.conditions.start)),
            first_entry: u64::MAX,
            first_bit: u64::MAX,
            id: upset.id,
            entries: 0,
            flipped_bits: 0,
            bank: u32::MAX,
            row: u32::MAX,
            place: upset.place,
            device: upset.device,
            mode: if upset.mode == u16::MAX { u32::MAX } else { u32::from(upset.mode) },
            what: code(WHAT_NAMES.iter().position(|name| *name == upset.what.name())),
            shape: u16::MAX,
            persistence: u16::MAX,
            in_saa: u16::from(place.is_some_and(TrackPoint::in_saa)),
        };
        match &upset.what {
            What::Memory(hit) => {
                let ones = hit.strikes.iter().flat_map(|strike| strike.mask);
                row.flipped_bits = ones.map(u32::count_ones).sum();
                row.entries = u32::try_from(hit.strikes.len()).unwrap_or(u32::MAX);
                row.shape = code(header.shapes.iter().position(|name| name == hit.shape.name()));
                let kinds = [Persistence::Transient, Persistence::Stuck];
                let kind = kinds.iter().position(|kind| *kind == hit.persistence);
                row.persistence = code(Some(kind.unwrap_or(2)));
                if let Some(first) = hit.strikes.iter().min_by_key(|strike| strike.entry) {
                    row.locate(plan, first.entry);
                    row.first_bit = first_bit(&first.mask);
                }
            }
            What::Uncorrectable { entry } => {
                row.entries = 1;
                row.locate(plan, *entry);
            }
            What::Scrubber { bit } => {
                (row.first_bit, row.flipped_bits) = (u64::from(*bit), 1);
            }
            What::Hardened { word, mask } => {
                row.first_bit = 32 * u64::from(*word) + u64::from(mask.trailing_zeros());
                row.flipped_bits = mask.count_ones();
            }
            What::LogicSdc | What::Sefi | What::HostSefi | What::HostRam | What::Sel => {}
        }
        row
    }

    fn locate(&mut self, plan: &Plan, entry: u64) {
        self.first_entry = entry;
        if let Some(at) = plan.ground.memory.locate(entry, plan.ground.map) {
            let bank = plan.ground.memory.bank_index(&at);
            (self.bank, self.row) = (u32::try_from(bank).unwrap_or(u32::MAX), at.row);
        }
    }

    /// What it does, by name.
    pub fn what(&self) -> &'static str {
        WHAT_NAMES.get(usize::from(self.what)).copied().unwrap_or("?")
    }
}

/// The first bit of an entry that a mask flips.
fn first_bit(mask: &[u32; 9]) -> u64 {
    let word = mask.iter().position(|word| *word != 0);
    word.map_or(u64::MAX, |word| 32 * word as u64 + u64::from(mask[word].trailing_zeros()))
}

fn code(index: Option<usize>) -> u16 {
    index.and_then(|index| u16::try_from(index).ok()).unwrap_or(u16::MAX)
}
