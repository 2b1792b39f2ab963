//! Which bits one event strikes: shapes with their shares, as data, and the draws from them.

mod breadth;
mod draw;
mod polarity;

pub use breadth::Breadth;
pub use draw::{EventReach, Hit, StruckEntry};
pub use polarity::{AntiRows, Persistence, Polarity, apply};

use super::figure::{At, Mark};
use super::limits::{named, said};
use super::memory::{DATA_BITS, Memory};
use crate::place::{self, Error, Place};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/patterns.rs"));

/// Shapes that a pattern may have.
const EVENTS_MAX: usize = 100;
/// How far the shares may be from a sum of 1.
const SUM_TOLERANCE: f64 = 1e-9;

/// What the struck bits of one event form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PatternShape {
    /// One bit.
    SingleBit,
    /// Two bits of one entry, anywhere.
    TwoBits,
    /// Three bits of one entry, anywhere.
    ThreeBits,
    /// Two or more bits of one aligned byte.
    AlignedByte,
    /// Two or more bits that pass one pin.
    Pin,
    /// Two or more bits that pass in one beat.
    Beat,
    /// Two or more bits of one entry.
    Entry,
    /// Bits in one entry or in many that follow one another in a bank, row after row.
    Entries,
    /// The same bits of entries in rows that follow one another: one column of a bank.
    Column,
    /// Bits in entries of one row.
    Row,
    /// Bits in entries all over one bank.
    Bank,
}

impl PatternShape {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::SingleBit,
        Self::TwoBits,
        Self::ThreeBits,
        Self::AlignedByte,
        Self::Pin,
        Self::Beat,
        Self::Entry,
        Self::Entries,
        Self::Column,
        Self::Row,
        Self::Bank,
    ];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SingleBit => "single-bit",
            Self::TwoBits => "two-bits",
            Self::ThreeBits => "three-bits",
            Self::AlignedByte => "aligned-byte",
            Self::Pin => "pin",
            Self::Beat => "beat",
            Self::Entry => "entry",
            Self::Entries => "entries",
            Self::Column => "column",
            Self::Row => "row",
            Self::Bank => "bank",
        }
    }

    /// Whether an event of it can strike more than one entry.
    pub const fn is_wide(self) -> bool {
        matches!(self, Self::Entries | Self::Column | Self::Row | Self::Bank)
    }

    /// The fewest bits of one entry that an event of it strikes.
    const fn least_bits(self) -> u32 {
        match self {
            Self::ThreeBits => 3,
            Self::TwoBits | Self::AlignedByte | Self::Pin | Self::Beat | Self::Entry => 2,
            _ => 1,
        }
    }

    /// The most that a file may ask for; how many a memory has is for [`Pattern::fits`].
    const fn most_bits(self) -> u32 {
        match self {
            Self::SingleBit | Self::TwoBits | Self::ThreeBits => self.least_bits(),
            Self::AlignedByte => 8,
            _ => DATA_BITS,
        }
    }

    /// The bits among which it chooses those of one entry.
    const fn domain(self, memory: &Memory) -> u32 {
        match self {
            Self::AlignedByte => 8,
            Self::Pin => memory.beats,
            Self::Beat => memory.entry_pins(),
            _ => memory.entry_bits(),
        }
    }

    /// The entries that an event of it can strike at most.
    fn entries(self, memory: &Memory) -> u64 {
        match self {
            Self::Column => u64::from(memory.rows),
            Self::Row => u64::from(memory.columns),
            Self::Entries | Self::Bank => u64::from(memory.rows) * u64::from(memory.columns),
            _ => 1,
        }
    }
}

/// One shape of a pattern.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What the struck bits form.
    pub shape: PatternShape,
    /// Its share of the events.
    pub share: f64,
    /// How well the share is known.
    pub mark: Mark,
    /// Mean struck bits of one entry.
    pub bits: f64,
    /// How well the bits, and the breadth, are known.
    pub bits_mark: Mark,
    /// The breadth, where the shape has one.
    pub breadth: Option<Breadth>,
    #[serde(default)]
    persistence: polarity::PersistenceName,
    retention_s: Option<f64>,
}

/// The bits that one event strikes.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// The name by which modes choose it.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
    /// What becomes of a struck bit.
    #[serde(default)]
    pub polarity: Polarity,
    /// Which rows hold a 0 as charge.
    #[serde(default)]
    pub anti_rows: AntiRows,
    /// Its shapes.
    #[serde(default, rename = "event")]
    pub events: Vec<Event>,
}

impl Pattern {
    /// The names of the patterns that are built in.
    pub fn names() -> Vec<&'static str> {
        SHIPPED.iter().map(|(name, _)| *name).collect()
    }

    /// A pattern that is built in, or, where the name ends in `.toml`, that of a file in `folder`.
    ///
    /// `None` where the name is neither.
    ///
    /// # Errors
    /// Where the file cannot be read, or anything in it cannot be meant.
    pub fn find(name: &str, folder: &Path) -> Result<Option<Self>, Error> {
        if let Some((name, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(Path::new(&format!("{name}.toml")), text).map(Some);
        }
        if !name.ends_with(".toml") {
            return Ok(None);
        }
        let path = folder.join(name);
        Self::parse(&path, &place::read(&path)?).map(Some)
    }

    /// Checks the text of a pattern; `path` is what messages call it.
    ///
    /// # Errors
    /// Where anything in it cannot be meant.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let place = Place::parse(path, text)?;
        crate::ranges::lengths(&place)?;
        let pattern: Self = place.read()?;
        let at = At::root(&place);
        named(&pattern.name, &at.key("name"))?;
        said(&pattern.source, &at.key("source"))?;
        if pattern.polarity == Polarity::Toggle && pattern.anti_rows != AntiRows::None {
            let expected = "no anti_rows for polarity = \"toggle\", which does not look at charge";
            return Err(at.key("anti_rows").value(expected, "some"));
        }
        if pattern.events.is_empty() {
            return Err(at.value("one [[event]] or more", "none"));
        }
        if pattern.events.len() > EVENTS_MAX {
            let expected = format!("{EVENTS_MAX} [[event]] at most");
            return Err(at.key("event").value(expected, pattern.events.len()));
        }
        for (index, event) in pattern.events.iter().enumerate() {
            event.check(&at.key("event").key(index))?;
        }
        let sum: f64 = pattern.events.iter().map(|event| event.share).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(at.key("event").value("shares with a sum of 1", sum));
        }
        Ok(pattern)
    }

    /// The mean struck bits of one event.
    pub fn mean_bits(&self) -> f64 {
        let bits = self.events.iter().enumerate();
        bits.map(|(at, event)| event.share * event.bits * self.mean_entries_of(at)).sum()
    }

    /// The mean struck entries of one event.
    pub fn mean_entries(&self) -> f64 {
        (0..self.events.len()).map(|at| self.events[at].share * self.mean_entries_of(at)).sum()
    }

    /// The mean struck entries of an event of the shape with an index in [`Self::events`].
    pub fn mean_entries_of(&self, index: usize) -> f64 {
        let breadth = self.events.get(index).and_then(|event| event.breadth.as_ref());
        breadth.map_or(1.0, Breadth::mean_entries)
    }

    /// Whether a memory is large enough for every event.
    ///
    /// # Errors
    /// Where one asks for more bits or entries than the memory has: which, and how many it has.
    pub fn fits(&self, memory: &Memory) -> Result<(), String> {
        for event in &self.events {
            let (shape, bits) = (event.shape, event.shape.domain(memory));
            let refuse = |most: u64, what: &str, found: f64| {
                let (pattern, shape, memory) = (&self.name, shape.name(), &memory.name);
                Err(format!(
                    "pattern {pattern}, shape {shape}: expected {most} {what} at most in memory \
                     {memory}, found {found}"
                ))
            };
            if event.bits > f64::from(bits) {
                return refuse(bits.into(), "bits", event.bits);
            }
            let entries = event.breadth.as_ref().map_or(1, |breadth| breadth.entries_max);
            let most = shape.entries(memory);
            if u64::from(entries) > most {
                return refuse(most, "entries", entries.into());
            }
        }
        Ok(())
    }
}

impl Event {
    /// What becomes of the struck bits later.
    pub const fn persistence(&self) -> Persistence {
        self.persistence.with(self.retention_s)
    }

    fn check(&self, at: &At) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(at.key("share").value("a share from 0 to 1", self.share));
        }
        let (least, most) = (self.shape.least_bits(), self.shape.most_bits());
        if !(f64::from(least)..=f64::from(most)).contains(&self.bits) {
            let plural = if most == 1 { "" } else { "s" };
            let expected = if self.shape == PatternShape::AlignedByte {
                "2 to 8 bits of a byte".to_owned()
            } else if least == most {
                format!("{most} bit{plural}")
            } else {
                format!("{least} to {most} bits of an entry")
            };
            return Err(at.key("bits").value(expected, self.bits));
        }
        match (&self.breadth, self.shape.is_wide()) {
            (None, true) => return Err(at.value("a breadth for this shape", "none")),
            (Some(_), false) => {
                let expected = "no breadth: this shape is of one entry";
                return Err(at.key("breadth").value(expected, "one"));
            }
            (Some(breadth), true) => breadth.check(&at.key("breadth"))?,
            (None, false) => {}
        }
        self.persistence.check(self.retention_s, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let error = Pattern::parse(Path::new("p.toml"), text).expect_err("a refusal");
        place::by_line(&error.to_string())
    }

    #[test]
    fn shipped_patterns_have_sources_and_mean_bits() {
        for name in Pattern::names() {
            let pattern =
                Pattern::find(name, Path::new("")).expect("well-formed").expect("shipped");
            assert_eq!(pattern.name, name);
            assert!(pattern.mean_bits() >= 1.0);
        }
        let single = Pattern::find("single-bit", Path::new("")).expect("well-formed");
        assert_eq!(single.expect("shipped").mean_bits(), 1.0);
    }

    #[test]
    fn shares_of_hbm2_are_those_of_the_paper() {
        let pattern = Pattern::find("hbm2-neutron", Path::new("")).expect("well-formed");
        let events = pattern.expect("shipped").events;
        assert!((events[0].share - 0.685).abs() < 1e-12);
        assert!((events[1].share - 0.75 * 0.315).abs() < 1e-12);
        assert!((events[2].share - 0.25 * 0.315).abs() < 1e-12);
        assert_eq!(events[2].breadth.as_ref().map(|breadth| breadth.entries_max), Some(5359));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        let head = "name = \"p\"\nsource = \"s\"\n";
        let event = |share: f64, rest: &str| {
            format!(
                "[[event]]\nshare = {share}\nmark = \"assumed\"\nbits_mark = \"assumed\"\n{rest}\n"
            )
        };
        let single = "shape = \"single-bit\"\nbits = 1.0";
        let half = event(0.5, single);
        let wide = "shape = \"row\"\nbits = 2.0\nbreadth = { ";
        let law = "entries_max = 8, exponent = 1.0 }";
        for (text, expected) in [
            (format!("{head}{half}"), "p.toml:3: expected shares with a sum of 1, found 0.5"),
            (head.into(), "p.toml:1: expected one [[event]] or more, found none"),
            (format!("name = \"p\"\nsource = \"\"\n{half}{half}"), "p.toml:2: expected a text"),
            (
                format!("{head}{half}{}", event(0.5, "shape = \"single-bit\"\nbits = 2.0")),
                "p.toml:14: expected 1 bit, found 2",
            ),
            (
                format!("{head}{}", event(1.0, "shape = \"entries\"\nbits = 2.0")),
                "p.toml:3: expected a breadth",
            ),
            (format!("{head}{}", event(1.5, single)), "p.toml:4: expected a share from 0 to 1"),
            (
                format!("{head}{}", event(1.0, "shape = \"pin\"\nbits = 1.5")),
                "p.toml:8: expected 2 to 256 bits of an entry, found 1.5",
            ),
            (
                format!("{head}{}", event(1.0, &format!("{single}\npersistence = \"weak\""))),
                "p.toml:9: expected `retention_s` for persistence = \"weak\"",
            ),
            (
                format!("{head}{}", event(1.0, &format!("{single}\nretention_s = 1.0"))),
                "p.toml:9: expected no `retention_s` for persistence = \"transient\"",
            ),
            (
                format!("{head}{}", event(1.0, &format!("{wide}entries_min = 9, {law}"))),
                "p.toml:9: expected 1 to 8 entries, found 9",
            ),
            (
                format!("{head}anti_rows = \"odd\"\n{}", event(1.0, single)),
                "p.toml:3: expected no anti_rows for polarity = \"toggle\"",
            ),
            (format!("{head}{}", event(1.0, "shape = \"word\"\nbits = 2.0")), "p.toml:7: unknown"),
        ] {
            let found = refusal(&text);
            assert!(found.contains(expected), "{found} is not {expected}");
        }
    }
}
