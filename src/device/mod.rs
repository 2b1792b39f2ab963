//! Devices: what a particle does to a part, as cross-sections with their sources; the memories
//! that parts are made of, and which of their bits an event strikes.
//!
//! A device is a file: its modes, each with a cross-section for protons, for heavy ions or for
//! both, and every figure with its band, its mark and its source. Reading is strict, and says the
//! line of what is wrong. What was not measured stays absent and is named by [`Device::gaps`]: no
//! data is no zero. `docs/file-formats.md` describes the format.

mod assumption;
mod chord;
mod figure;
mod ion;
mod limits;
mod memory;
mod mode;
mod pattern;
mod proton;

pub use assumption::Assumption;
pub(crate) use assumption::{Levels, levels};
pub use chord::Volume;
pub use figure::{Figure, Level, Mark};
pub use ion::IonResponse;
pub use memory::{
    AddressMap, DATA_BITS, ENTRY_BYTES, Location, Memory, Ras, RasAction, RasPolicy, RasState,
    Scrub,
};
pub use mode::{EventKind, HeavyIon, Link, Mode, ObservedAt, Per};
pub use pattern::{
    AntiRows, Breadth, Event, EventReach, Hit, Pattern, PatternShape, Persistence, Polarity,
    StruckEntry, apply,
};
pub use proton::{Proton, ProtonForm};

use crate::place::{self, Place};
use crate::words;
use figure::At;
use limits::{named, said};
use mode::ModeTable;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Ways to fail that a device may have.
const MODES_MAX: usize = 100;

/// Why a device cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is neither built in nor a file.
    #[error(
        "expected a {what} ({known}) or the path of a .toml file, found \"{name}\"{}",
        words::meant(name, known.split(", "))
    )]
    Unknown {
        /// What it should have been: a device or a memory.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Those that are built in.
        known: String,
    },
    /// Its file cannot be used.
    #[error(transparent)]
    File(#[from] place::Error),
    /// An address is not one of the memory.
    #[error(
        "expected an address below {capacity} ({capacity:#x}, the bytes of memory {memory}), \
         found {address} ({address:#x})"
    )]
    Beyond {
        /// The memory's name.
        memory: String,
        /// Its capacity in bytes.
        capacity: u64,
        /// The address in bytes.
        address: u64,
    },
}

/// What is known of latch-ups that destroy the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DestructiveSel {
    /// Nobody published a test.
    Untested,
    /// Tested, and none seen.
    NoneObserved,
    /// Seen.
    Observed,
}

impl DestructiveSel {
    /// The name used in TOML, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Untested => "untested",
            Self::NoneObserved => "none-observed",
            Self::Observed => "observed",
        }
    }
}

/// A part and the ways in which it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The name by which it is chosen.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Where its figures come from.
    pub source: String,
    /// The publication: an identifier or an address.
    pub reference: String,
    /// What else is worth knowing.
    pub note: Option<String>,
    /// The bits that the modes per bit are counted for.
    pub bits: Option<u64>,
    /// Check bits that are stored besides; 0 of a device as its file has it, whose `bits` are all
    /// that were counted.
    pub check_bits: u64,
    /// Whether latch-ups that destroy it were looked for, and seen.
    pub destructive_sel: DestructiveSel,
    /// Under which conditions, and where it says so.
    pub destructive_sel_note: Option<String>,
    /// The ways in which it fails.
    pub modes: Vec<Mode>,
}

/// A device as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceTable {
    name: String,
    title: String,
    source: String,
    reference: String,
    note: Option<String>,
    bits: Option<u64>,
    destructive_sel: DestructiveSel,
    destructive_sel_note: Option<String>,
    #[serde(default, rename = "mode")]
    modes: Vec<ModeTable>,
}

include!(concat!(env!("OUT_DIR"), "/devices.rs"));

impl Device {
    /// The names of the devices that are built in.
    pub fn names() -> Vec<&'static str> {
        SHIPPED.iter().map(|(name, _)| *name).collect()
    }

    /// A device that is built in, or else that of the file at a path; with its text, verbatim.
    ///
    /// # Errors
    /// Where it is neither, the file cannot be read, or anything in it cannot be meant.
    pub fn load(name_or_path: &str) -> Result<(Self, String), Error> {
        let (path, text) = text_of("device", &SHIPPED, name_or_path)?;
        Ok((Self::parse(&path, &text)?, text))
    }

    /// The JSON Schema of its file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(DeviceTable)
    }

    /// Checks the text of a device; `path` is what messages call it, and patterns in files are
    /// looked for beside it.
    ///
    /// # Errors
    /// Where anything in it cannot be meant.
    pub fn parse(path: &Path, text: &str) -> Result<Self, place::Error> {
        let place = Place::parse(path, text)?;
        crate::ranges::lengths(&place)?;
        let table: DeviceTable = place.read()?;
        let at = At::root(&place);
        named(&table.name, &at.key("name"))?;
        let texts = [("title", &table.title), ("source", &table.source)];
        for (key, text) in texts.into_iter().chain([("reference", &table.reference)]) {
            said(text, &at.key(key))?;
        }
        let sel = table.destructive_sel;
        let sel_note = table.destructive_sel_note.as_deref().unwrap_or("");
        if sel != DestructiveSel::Untested && sel_note.trim().is_empty() {
            let expected = "destructive_sel_note: under which conditions, and who says so";
            return Err(at.key("destructive_sel").value(expected, "none"));
        }
        if table.modes.is_empty() {
            return Err(at.key("mode").value("one [[mode]] or more", "none"));
        }
        if table.modes.len() > MODES_MAX {
            let expected = format!("{MODES_MAX} [[mode]] at most");
            return Err(at.key("mode").value(expected, table.modes.len()));
        }
        if let Some(note) = &table.note {
            said(note, &at.key("note"))?;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let modes = table.modes.iter().enumerate();
        let modes = modes.map(|(index, mode)| mode.read(folder, &at.key("mode").key(index)));
        let modes = modes.collect::<Result<Vec<_>, _>>()?;
        check_modes(&modes, table.bits, &at)?;
        Ok(Self {
            name: table.name,
            title: table.title,
            source: table.source,
            reference: table.reference,
            note: table.note,
            bits: table.bits,
            check_bits: 0,
            destructive_sel: sel,
            destructive_sel_note: table.destructive_sel_note,
            modes,
        })
    }

    /// How many times a cross-section of this kind counts in the whole device: once, or for each
    /// of its bits; `None` where it states no bits.
    pub fn count(&self, per: Per) -> Option<f64> {
        match per {
            Per::StoredBit => self.bits.map(|bits| bits as f64 + self.check_bits as f64),
            Per::DataBit => self.bits.map(|bits| bits as f64),
            Per::Device => Some(1.0),
        }
    }

    /// What to say of latch-ups that destroy the part, under its figures.
    ///
    /// A part that nobody tested has no rate of them, least of all zero.
    pub fn sel_statement(&self) -> String {
        let status = match self.destructive_sel {
            DestructiveSel::Untested => "untested",
            DestructiveSel::NoneObserved => "none observed",
            DestructiveSel::Observed => "observed",
        };
        let note = self.destructive_sel_note.as_deref().map(|note| format!(" ({note})"));
        format!("destructive SEL: {status}{}", note.unwrap_or_default())
    }

    /// What nobody measured, one thing a line: it is absent from the rates, not zero.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = missing("proton", &self.modes, Mode::has_proton);
        gaps.extend(missing("heavy-ion", &self.modes, Mode::has_ion));
        if self.destructive_sel == DestructiveSel::Untested {
            gaps.push(self.sel_statement());
        }
        gaps
    }
}

/// The text of what is built in under a name, or else of the file at a path; and its path.
fn text_of(
    what: &'static str,
    shipped: &[(&str, &str)],
    name_or_path: &str,
) -> Result<(PathBuf, String), Error> {
    if let Some((name, text)) = shipped.iter().find(|(name, _)| *name == name_or_path) {
        let plural = if what == "device" { "devices" } else { "memories" };
        let path = format!("fault-models/{plural}/{name}.toml");
        return Ok((path.into(), (*text).to_owned()));
    }
    let path = PathBuf::from(name_or_path);
    let is_path = name_or_path.ends_with(".toml") || path.components().count() > 1;
    if !is_path && !path.is_file() {
        let known = shipped.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(Error::Unknown { what, name: name_or_path.into(), known });
    }
    let text = place::read(&path)?;
    Ok((path, text))
}

/// The modes without data, or that none has any.
fn missing(particle: &str, modes: &[Mode], has: impl Fn(&Mode) -> bool) -> Vec<String> {
    if !modes.iter().any(&has) {
        return vec![format!("no {particle} data")];
    }
    let without = modes.iter().filter(|mode| !has(mode));
    without.map(|mode| format!("no {particle} data for mode {}", mode.name)).collect()
}

/// Refuses modes that share a name, or need bits that the device does not state.
fn check_modes(modes: &[Mode], bits: Option<u64>, at: &At) -> Result<(), place::Error> {
    if bits == Some(0) {
        return Err(at.key("bits").value("1 bit or more", "0"));
    }
    let mut names = HashSet::new();
    for (index, mode) in modes.iter().enumerate() {
        let at = at.key("mode").key(index);
        let name = &mode.name;
        if !names.insert(name) {
            let found = format!("\"{name}\" again");
            return Err(at.key("name").value("each mode's name once", found));
        }
        if mode.per.is_bit() && bits.is_none() {
            let expected = "the device's `bits`, as this mode is per bit";
            return Err(at.key("per").value(expected, "none"));
        }
        let all = mode.limit_cm2() * bits.filter(|_| mode.per.is_bit()).unwrap_or(1) as f64;
        if let Some(expected) = limits::DEVICE_CM2.expected(all) {
            let expected = format!("a cross-section of all bits together: {expected}");
            return Err(at.value(expected, format!("{all:e} cm²")));
        }
    }
    Ok(())
}

/// The normalised Weibull curve, `1 − exp(−((x − onset)/width)^exponent)` above the onset, else 0.
fn weibull(x: f64, onset: f64, width: f64, exponent: f64) -> f64 {
    if x <= onset {
        return 0.0;
    }
    -(-((x - onset) / width).powf(exponent)).exp_m1()
}
