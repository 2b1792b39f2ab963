//! What a mission leaves behind: upsets, episodes, changes of state, and their sums.

use super::layout::Tenant;
use super::loss::{Away, Replaced, Why};
use crate::device::Hit;
use crate::outcome::Outcome;

/// One event of a history, the same for every scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct Upset {
    /// Its number in the history, in the order of time.
    pub id: u32,
    /// Seconds of flight since the start.
    pub time_s: f64,
    /// The device: replicas placed on other devices have devices of their own.
    pub device: u32,
    /// The mode, as its place among the modes of the plan; `u16::MAX` where it has none.
    pub mode: u16,
    /// The place of the orbit, as its place among the places of the timeline.
    pub place: u32,
    /// What it does.
    pub what: What,
}

/// What an event does.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Bits of memory flip.
    Memory(Hit),
    /// Memory reports an entry that its own ECC could not correct.
    Uncorrectable {
        /// The entry.
        entry: u64,
    },
    /// Logic delivers a wrong result.
    LogicSdc,
    /// The device stops until it is reset.
    Sefi,
    /// The host stops until it is restarted.
    HostSefi,
    /// The host's memory fails: it is restarted.
    HostRam,
    /// A latch-up: the device is without power until it is restarted.
    Sel,
    /// A bit of the scrubber's buffer flips.
    Scrubber {
        /// The bit of the entry that is in the buffer.
        bit: u32,
    },
    /// A bit of the storage that reloads come from flips.
    Hardened {
        /// The word of the image.
        word: u32,
        /// The bit.
        mask: u32,
    },
}

impl What {
    /// Its name in archives, reports and on the screen.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Uncorrectable { .. } => "uncorrectable",
            Self::LogicSdc => "logic-sdc",
            Self::Sefi => "sefi",
            Self::HostSefi => "host-sefi",
            Self::HostRam => "host-ram",
            Self::Sel => "sel",
            Self::Scrubber { .. } => "scrubber",
            Self::Hardened { .. } => "hardened-storage",
        }
    }

    /// Why the service is away after it, where it stops a device or a host.
    pub fn stops(&self) -> Option<Why> {
        Why::of_upset(self.name())
    }
}

/// What an episode began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    /// Stored memory differs from golden.
    Memory = 0,
    /// A value in flight was struck.
    Value = 1,
    /// Logic delivered a wrong result.
    Logic = 2,
    /// Memory reported an uncorrectable error, observed after its own ECC.
    Uncorrectable = 3,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Memory, Self::Value, Self::Logic, Self::Uncorrectable];

    /// The name used in HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Value => "value",
            Self::Logic => "logic",
            Self::Uncorrectable => "uncorrectable",
        }
    }
}

/// How memory came to be golden again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Restored {
    /// The mission ended first.
    Mission = 0,
    /// A scrub.
    Scrub = 1,
    /// A read that wrote back.
    Read = 2,
    /// A reload after a DUE or a mismatch.
    Reload = 3,
    /// A reset of the device or the host.
    Reset = 4,
    /// It lasted for one inference.
    Itself = 5,
    /// A later upset that happened to set it back.
    Upset = 6,
}

impl Restored {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Mission,
        Self::Scrub,
        Self::Read,
        Self::Reload,
        Self::Reset,
        Self::Itself,
        Self::Upset,
    ];

    /// The name used in HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mission => "mission-end",
            Self::Scrub => "scrub",
            Self::Read => "read",
            Self::Reload => "reload",
            Self::Reset => "reset",
            Self::Itself => "one-inference",
            Self::Upset => "upset",
        }
    }
}

/// Stands for a copy where all copies of the cohort are meant: those that are alike and followed as
/// one.
pub const COHORT: u64 = u64::MAX;

/// From an upset to the cleared state, in one copy of the weights or one inference.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// What it began with.
    pub cause: Cause,
    /// The upset that began it.
    pub upset: u32,
    /// Upsets that took part.
    pub upsets: u32,
    /// The copy, or [`COHORT`].
    pub copy: u64,
    /// When it began, in seconds of flight.
    pub start_s: f64,
    /// When the first inference was not masked or corrected.
    pub first_effect_s: Option<f64>,
    /// When the first answer was wrong (a critical SDC).
    pub first_critical_s: Option<f64>,
    /// When memory was golden again, or the mission ended.
    pub end_s: f64,
    /// How it ended.
    pub ended: Restored,
    /// Inferences that read the copy meanwhile, by outcome.
    pub outcomes: [u64; 7],
}

impl Episode {
    /// An episode that begins, without an upset counted to it yet.
    pub(super) const fn new(cause: Cause, upset: u32, copy: u64, start_s: f64) -> Self {
        Self {
            cause,
            upset,
            upsets: 0,
            copy,
            start_s,
            first_effect_s: None,
            first_critical_s: None,
            end_s: start_s,
            ended: Restored::Mission,
            outcomes: [0; 7],
        }
    }

    /// The worst outcome of its inferences.
    pub fn worst(&self) -> Outcome {
        let worst = |o: &Outcome| self.outcomes[*o as usize] > 0;
        Outcome::ALL.into_iter().rev().find(worst).unwrap_or(Outcome::Masked)
    }

    /// Whether it is an error episode: an answer differed, or none was delivered.
    pub fn is_error(&self) -> bool {
        self.worst() >= Outcome::TolerableSdc
    }

    /// Notes when its first inferences with an effect, and with a wrong answer, happened, unless it
    /// has them; `first` gives when the first of the inferences at hand with such an outcome did.
    pub(super) fn note_firsts(&mut self, first: impl Fn(&dyn Fn(Outcome) -> bool) -> Option<f64>) {
        if self.first_effect_s.is_none() {
            self.first_effect_s = first(&|outcome| outcome >= Outcome::DueRecovered);
        }
        if self.first_critical_s.is_none() {
            self.first_critical_s = first(&|outcome| outcome == Outcome::CriticalSdc);
        }
    }

    /// Counts one inference at `time_s`.
    pub(super) fn count_one(&mut self, outcome: Outcome, time_s: f64) {
        self.outcomes[outcome as usize] += 1;
        self.note_firsts(|is| is(outcome).then_some(time_s));
    }

    /// Its inferences with this outcome.
    pub const fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }
}

/// A change of the state of memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// When, in seconds of flight.
    pub time_s: f64,
    /// The copy, or [`COHORT`].
    pub copy: u64,
    /// What changed it: the upset's number, or `u32::MAX`.
    pub upset: u32,
    /// How it ended, where the copy is golden again or joins the cohort.
    pub ended: Option<Restored>,
    /// Words that differ from golden afterwards, in all replicas.
    pub words: u32,
}

/// What happened in one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantCounts {
    /// Upsets that changed it.
    pub upsets: u64,
    /// Of them those whose bits a code, where there is one, corrects by itself.
    pub corrected: u64,
    /// Of them those that a code detects and cannot correct.
    pub uncorrectable: u64,
    /// Of them those that leave wrong bits which no code reports.
    pub silent: u64,
}

/// Windows of a wanted length, each from a fresh start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// How many.
    pub flown: u64,
    /// Of them those without a critical SDC.
    pub held: u64,
}

/// One history under one scheme.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchemeHistory {
    /// Inferences asked for.
    pub inferences: u64,
    /// Of them those that found the service away.
    pub unavailable: u64,
    /// The others by outcome.
    pub outcomes: [u64; 7],
    /// Reloads of one copy from hardened storage.
    pub reloads: u64,
    /// Blocks that scrubs put right.
    pub scrub_repaired: u64,
    /// Blocks that a scrub found and could not put right.
    pub scrub_uncorrectable: u64,
    /// Blocks that reads wrote back.
    pub read_repaired: u64,
    /// Repairs asked for when nothing was spare.
    pub exhausted: u64,
    /// Bytes that are lost to remapped rows and retired pages.
    pub lost_bytes: u64,
    /// Upsets that changed weights or their check words.
    pub struck: u64,
    /// Of them those that changed the same word in two or more replicas.
    pub common_cause: u64,
    /// By tenant.
    pub tenants: [TenantCounts; Tenant::ALL.len()],
    /// Copies that became golden again, and the sum of the seconds that this took.
    pub repairs: (u64, f64),
    /// Windows of the requirement's length from a fresh start, where there is a requirement.
    pub windows: Windows,
    /// When the first answer was wrong.
    pub first_critical_s: Option<f64>,
    /// When the service was first away.
    pub first_away_s: Option<f64>,
    /// Episodes with at least one inference that was not masked.
    pub episodes: Vec<Episode>,
    /// Changes of state, of histories that keep them.
    pub changes: Vec<Change>,
    /// Resets of the device and restarts of the host, in the order of time.
    pub away: Vec<Away>,
    /// Rows and pages that were replaced, in the order of time.
    pub replaced: Vec<Replaced>,
}

impl SchemeHistory {
    /// Wrong answers: critical SDC.
    pub const fn wrong(&self) -> u64 {
        self.outcomes[Outcome::CriticalSdc as usize]
    }

    /// Seconds for which the service was away.
    pub fn dead_s(&self) -> f64 {
        self.away.iter().map(|away| away.length_s).sum()
    }

    /// Resets of the device after a SEFI, a latch-up or a DUE.
    pub fn resets(&self) -> u64 {
        self.away.iter().filter(|away| !away.why.is_host()).count() as u64
    }

    /// Restarts of the host.
    pub fn host_resets(&self) -> u64 {
        self.away.iter().filter(|away| away.why.is_host()).count() as u64
    }

    /// Rows replaced by spare ones.
    pub fn rows_remapped(&self) -> u64 {
        self.replaced.iter().filter(|of| of.page.is_none()).count() as u64
    }

    /// Pages left out.
    pub fn pages_retired(&self) -> u64 {
        self.replaced.iter().filter(|of| of.page.is_some()).count() as u64
    }

    /// Error episodes whose worst outcome is this one.
    pub fn error_episodes(&self) -> u64 {
        self.episodes.iter().filter(|episode| episode.is_error()).count() as u64
    }
}
