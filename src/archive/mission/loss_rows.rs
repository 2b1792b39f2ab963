//! Time away, and rows and pages that were replaced, as rows and back.

use crate::device::Location;
use crate::mission::{Away, Replaced, Why};
use hdf5::H5Type;

/// A row of `/away`.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct AwayRow {
    pub(super) history: u64,
    time_s: f64,
    start_s: f64,
    length_s: f64,
    pub(super) scheme: u32,
    device: u32,
    upset: u32,
    why: u32,
}

/// A row of `/replaced`.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct ReplacedRow {
    pub(super) history: u64,
    time_s: f64,
    entry: u64,
    page: u64,
    pub(super) scheme: u32,
    device: u32,
    stack: u32,
    channel: u32,
    pseudo_channel: u32,
    sid: u32,
    bank_group: u32,
    bank: u32,
    row: u32,
    column: u32,
}

// Rows go to the file as they stand in memory, and must have no holes.
const _: () = assert!(size_of::<AwayRow>() == 48);
const _: () = assert!(size_of::<ReplacedRow>() == 72);

impl AwayRow {
    pub(super) const fn of(history: u64, scheme: u32, of: &Away) -> Self {
        let Away { time_s, start_s, length_s, device, upset, why } = *of;
        Self { history, time_s, start_s, length_s, scheme, device, upset, why: why as u32 }
    }

    /// The stretch; `None` where a code has no meaning.
    pub(super) fn away(&self) -> Option<Away> {
        let Self { time_s, start_s, length_s, device, upset, .. } = *self;
        let why = *Why::ALL.get(self.why as usize)?;
        Some(Away { time_s, start_s, length_s, device, upset, why })
    }
}

impl ReplacedRow {
    pub(super) fn of(history: u64, scheme: u32, of: &Replaced) -> Self {
        let Location { stack, channel, pseudo_channel, sid, bank_group, bank, row, column } = of.at;
        Self {
            history,
            time_s: of.time_s,
            entry: of.entry,
            page: of.page.unwrap_or(u64::MAX),
            scheme,
            device: of.device,
            stack,
            channel,
            pseudo_channel,
            sid,
            bank_group,
            bank,
            row,
            column,
        }
    }

    pub(super) fn replaced(&self) -> Replaced {
        let Self { stack, channel, pseudo_channel, sid, bank_group, bank, row, column, .. } = *self;
        Replaced {
            time_s: self.time_s,
            device: self.device,
            entry: self.entry,
            at: Location { stack, channel, pseudo_channel, sid, bank_group, bank, row, column },
            page: Some(self.page).filter(|page| *page != u64::MAX),
        }
    }
}
