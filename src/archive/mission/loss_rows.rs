//! Time away, and rows and pages that were replaced, as rows and back.

use crate::device::Location;
use crate::mission::{Away, Replaced, Why};
use bytemuck::NoUninit;
use hdf5::H5Type;
use schemars::JsonSchema;

/// A row of `/away`.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct AwayRow {
    /// The history.
    pub(super) history: u64,
    /// When it was asked for.
    time_s: f64,
    /// When the stretch begins that it adds to the time away: at the end of an earlier one where they
    /// overlap.
    start_s: f64,
    /// How long that stretch is; 0 where other devices carry on.
    length_s: f64,
    /// Index into `/mission/schemes`.
    pub(super) scheme: u32,
    /// The device; the largest number for all that the scheme uses.
    device: u32,
    /// The upset that caused it; the largest number where a read did.
    upset: u32,
    /// The reason: code.
    why: u32,
}

/// A row of `/replaced`.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ReplacedRow {
    /// The history.
    pub(super) history: u64,
    /// When.
    time_s: f64,
    /// The entry whose error led to it.
    entry: u64,
    /// The page; the largest number where the row was replaced.
    page: u64,
    /// Index into `/mission/schemes`.
    pub(super) scheme: u32,
    /// The device.
    device: u32,
    /// Where the entry lies: its stack.
    stack: u32,
    /// Its channel.
    channel: u32,
    /// Its pseudo-channel.
    pseudo_channel: u32,
    /// Its rank.
    sid: u32,
    /// Its bank group.
    bank_group: u32,
    /// Its bank.
    bank: u32,
    /// Its row.
    row: u32,
    /// Its column.
    column: u32,
}

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
