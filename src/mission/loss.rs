//! What a mission loses: time in which the service is away, rows and pages that are replaced.

use crate::device::Location;
use schemars::JsonSchema;
use serde::Serialize;

/// Why the service was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Why {
    /// A reset of the device after a DUE.
    Due = 0,
    /// A functional interrupt of the device.
    Sefi = 1,
    /// A latch-up of the device.
    Sel = 2,
    /// A functional interrupt of the host.
    HostSefi = 3,
    /// An error in the host's memory.
    HostRam = 4,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Due, Self::Sefi, Self::Sel, Self::HostSefi, Self::HostRam];

    /// The reason that an upset of this name is, where it stops a device or its host.
    pub fn of_upset(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| *why != Self::Due && why.name() == name)
    }

    /// The name used in HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sefi => "sefi",
            Self::Sel => "sel",
            Self::HostSefi => "host-sefi",
            Self::HostRam => "host-ram",
        }
    }

    /// Whether the host is restarted; else the device is reset.
    pub const fn is_host(self) -> bool {
        matches!(self, Self::HostSefi | Self::HostRam)
    }
}

/// A reset of a device or a restart of its host, and the time for which the service is away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Away {
    /// When it was asked for, in seconds of flight.
    pub time_s: f64,
    /// From when on the service is away for it: later than asked for where it was away already.
    pub start_s: f64,
    /// Seconds that it adds to the time away; 0 where other devices carry on.
    pub length_s: f64,
    /// The device; `u32::MAX` for all that the scheme uses.
    pub device: u32,
    /// The upset that caused it; `u32::MAX` where a read did.
    pub upset: u32,
    /// Why.
    pub why: Why,
}

impl Away {
    /// When the service is back.
    pub const fn end_s(&self) -> f64 {
        self.start_s + self.length_s
    }
}

/// A row that a spare one replaced, or a page that was left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replaced {
    /// When, in seconds of flight.
    pub time_s: f64,
    /// The device.
    pub device: u32,
    /// The entry whose error led to it.
    pub entry: u64,
    /// Where that entry lies.
    pub at: Location,
    /// The page, counted from the start of memory; `None` where the row was replaced.
    pub page: Option<u64>,
}
