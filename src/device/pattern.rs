//! Which bits one event flips: shapes with their shares, as data.

use super::figure::{At, Mark, said};
use crate::place::{Error, Place};
use serde::Deserialize;
use std::path::Path;

/// The patterns that are built in, by name.
const SHIPPED: [(&str, &str); 2] = [
    ("single-bit", include_str!("../../fault-models/patterns/single-bit.toml")),
    ("hbm2-neutron", include_str!("../../fault-models/patterns/hbm2-neutron.toml")),
];

/// The widest event that a pattern may hold, in entries.
const ENTRIES_MAX: u32 = 1 << 20;
/// Bits of an entry: 32 bytes, what one access to HBM moves.
const ENTRY_BITS: f64 = 256.0;
/// How far the shares may be from a sum of 1.
const SUM_TOLERANCE: f64 = 1e-9;

/// What the struck bits of one event form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One bit.
    SingleBit,
    /// Two or more bits of one aligned byte.
    AlignedByte,
    /// Bits in one entry of 32 bytes or in many.
    Entries,
}

/// One shape of a pattern.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What the struck bits form.
    pub shape: Shape,
    /// Its share of the events.
    pub share: f64,
    /// How well the share is known.
    pub mark: Mark,
    /// Mean flipped bits of one entry.
    pub bits: f64,
    /// How well the bits, and the breadth, are known.
    pub bits_mark: Mark,
    /// The breadth, where the shape has one.
    pub breadth: Option<Breadth>,
}

/// How many entries one event strikes: a power law from 1 to `entries_max`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breadth {
    /// The most entries.
    pub entries_max: u32,
    /// γ of P(n) ∝ n^−γ.
    pub exponent: f64,
}

impl Breadth {
    /// The mean number of entries, Σ n^(1−γ) / Σ n^−γ for n from 1 to the most.
    pub fn mean_entries(&self) -> f64 {
        let (mut entries, mut all) = (0.0, 0.0);
        for n in (1..=self.entries_max).rev().map(f64::from) {
            let share = n.powf(-self.exponent);
            entries += n * share;
            all += share;
        }
        entries / all
    }
}

/// The bits that one event flips.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// The name by which modes choose it.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
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
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text).map(Some),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// Checks the text of a pattern; `path` is what messages call it.
    ///
    /// # Errors
    /// Where anything in it cannot be meant.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let place = Place::parse(path, text)?;
        let pattern: Self = place.read()?;
        let at = At::root(&place);
        said(&pattern.name, &at.key("name"))?;
        said(&pattern.source, &at.key("source"))?;
        if pattern.events.is_empty() {
            return Err(at.value("one [[event]] or more", "none"));
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

    /// The mean flipped bits of one event.
    pub fn mean_bits(&self) -> f64 {
        let bits = self.events.iter().map(|event| {
            let entries = event.breadth.as_ref().map_or(1.0, Breadth::mean_entries);
            event.share * event.bits * entries
        });
        bits.sum()
    }
}

impl Event {
    fn check(&self, at: &At) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(at.key("share").value("a share from 0 to 1", self.share));
        }
        let (range, expected) = match self.shape {
            Shape::SingleBit => (1.0..=1.0, "1 bit"),
            Shape::AlignedByte => (2.0..=8.0, "2 to 8 bits of a byte"),
            Shape::Entries => (1.0..=ENTRY_BITS, "1 to 256 bits of an entry"),
        };
        if !range.contains(&self.bits) {
            return Err(at.key("bits").value(expected, self.bits));
        }
        match (&self.breadth, self.shape) {
            (None, Shape::Entries) => Err(at.value("a breadth for this shape", "none")),
            (Some(_), Shape::SingleBit | Shape::AlignedByte) => {
                Err(at.key("breadth").value("no breadth: this shape is of one entry", "one"))
            }
            (Some(breadth), Shape::Entries) => breadth.check(&at.key("breadth")),
            (None, _) => Ok(()),
        }
    }
}

impl Breadth {
    fn check(&self, at: &At) -> Result<(), Error> {
        if !(1..=ENTRIES_MAX).contains(&self.entries_max) {
            let expected = format!("1 to {ENTRIES_MAX} entries");
            return Err(at.key("entries_max").value(expected, self.entries_max));
        }
        if !(0.0..=20.0).contains(&self.exponent) {
            return Err(at.key("exponent").value("an exponent from 0 to 20", self.exponent));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Pattern::parse(Path::new("p.toml"), text).expect_err("a refusal").to_string()
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
    fn a_power_law_has_its_mean() {
        let two = Breadth { entries_max: 2, exponent: 1.0 };
        assert!((two.mean_entries() - 2.0 / 1.5).abs() < 1e-12);
        assert_eq!(Breadth { entries_max: 1, exponent: 2.0 }.mean_entries(), 1.0);
        assert!((Breadth { entries_max: 9, exponent: 0.0 }.mean_entries() - 5.0).abs() < 1e-12);
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
                format!("{head}{}", event(1.0, "shape = \"word\"\nbits = 2.0")),
                "p.toml:7:9: unknown",
            ),
        ] {
            let found = refusal(&text);
            assert!(found.contains(expected), "{found} is not {expected}");
        }
    }
}

/// SHIM
#[derive(Clone, Debug, PartialEq)]
pub struct Strike {
    /// Entry.
    pub entry: u64,
    /// Mask.
    pub mask: [u32; 9],
}

/// SHIM
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Persistence {
    /// T.
    Transient,
    /// S.
    Stuck,
}

impl Persistence {
    /// SHIM
    pub fn retention_s(self) -> f64 {
        0.0
    }
}

/// SHIM
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Shape.
    pub shape: Shape,
    /// P.
    pub persistence: Persistence,
    /// Strikes.
    pub strikes: Vec<Strike>,
}

impl Hit {
    /// SHIM
    pub fn anti(&self, _: &Strike) -> bool {
        false
    }
    /// SHIM
    pub fn after(&self, present: u32, mask: u32, _: bool) -> u32 {
        present ^ mask
    }
}

impl Shape {
    /// SHIM
    pub fn name(self) -> &'static str {
        "x"
    }
}

impl Pattern {
    /// SHIM
    pub fn draw(
        &self,
        rng: &mut impl rand::Rng,
        _: &super::Memory,
        _: super::AddressMap,
        origin: u64,
    ) -> Hit {
        let bit = crate::seed::below(rng, 288) as usize;
        let mut mask = [0; 9];
        mask[bit / 32] = 1 << (bit % 32);
        Hit {
            shape: Shape::SingleBit,
            persistence: Persistence::Transient,
            strikes: vec![Strike { entry: origin, mask }],
        }
    }
    /// SHIM
    pub fn draw_shape(
        &self,
        _: usize,
        rng: &mut impl rand::Rng,
        m: &super::Memory,
        map: super::AddressMap,
        origin: u64,
    ) -> Hit {
        self.draw(rng, m, map, origin)
    }
}
