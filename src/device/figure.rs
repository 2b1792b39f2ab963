//! One published number: its band, how well it is known, and where it comes from.

use super::limits::{Range, said};
use crate::place::{Error, Place};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// Which value of every figure's band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The end that gives fewer events.
    Low,
    /// The best estimate.
    #[default]
    Nominal,
    /// The end that gives more events.
    High,
}

impl Level {
    /// All of them, from low to high.
    pub const ALL: [Self; 3] = [Self::Low, Self::Nominal, Self::High];

    /// The name used in TOML, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Nominal => "nominal",
            Self::High => "high",
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Low => 0,
            Self::Nominal => 1,
            Self::High => 2,
        }
    }
}

/// How well a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Read in the source itself.
    Verified,
    /// Read in a text that cites the source.
    #[serde(rename = "verified-2nd")]
    Verified2nd,
    /// Arithmetic from figures that were read.
    Derived,
    /// Known, and not read again in a source.
    Recalled,
    /// Nobody published it: a choice, with its reason.
    Assumed,
}

impl Mark {
    /// The name used in TOML, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Verified2nd => "verified-2nd",
            Self::Derived => "derived",
            Self::Recalled => "recalled",
            Self::Assumed => "assumed",
        }
    }
}

/// A number with its band, mark and source. The unit is the end of its key.
///
/// Low, nominal and high name the outcome: the low value of an onset may be the largest, as it
/// gives the fewest events. Cross-sections ascend.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    values: [f64; 3],
    /// How well it is known.
    pub mark: Mark,
    /// The paper, part and arithmetic that it comes from.
    pub source: String,
}

impl Figure {
    /// The value at a level.
    pub const fn at(&self, level: Level) -> f64 {
        self.values[level.index()]
    }

    /// Whether the three values are alike.
    pub fn is_point(&self) -> bool {
        self.values.iter().all(|value| *value == self.values[0])
    }
}

/// A figure as written: one `value`, or `low`, `nominal` and `high`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FigureTable {
    value: Option<f64>,
    low: Option<f64>,
    nominal: Option<f64>,
    high: Option<f64>,
    mark: Mark,
    source: String,
}

impl FigureTable {
    /// The figure, if its values are such as `range` allows.
    pub(super) fn read(&self, at: &At, range: Range) -> Result<Figure, Error> {
        let values = match (self.value, self.low, self.nominal, self.high) {
            (Some(value), None, None, None) => [value; 3],
            (None, Some(low), Some(nominal), Some(high)) => [low, nominal, high],
            (given, ..) => {
                let found = if given.is_some() { "both" } else { "part of them" };
                return Err(at.value("`value`, or all of `low`, `nominal`, `high`", found));
            }
        };
        for (level, value) in Level::ALL.into_iter().zip(values) {
            if let Some(expected) = range.expected(value) {
                let key = if self.value.is_some() { "value" } else { level.name() };
                return Err(at.key(key).value(expected, value));
            }
        }
        let [low, nominal, high] = values;
        let ascends = low <= nominal && nominal <= high;
        let descends = low >= nominal && nominal >= high;
        if !ascends && (range.ascends || !descends) {
            let found = format!("{low:e}, {nominal:e}, {high:e}");
            let either = if range.ascends { "" } else { ", or low ≥ nominal ≥ high" };
            return Err(at.value(format!("low ≤ nominal ≤ high{either}"), found));
        }
        said(&self.source, &at.key("source"))?;
        Ok(Figure { values, mark: self.mark, source: self.source.clone() })
    }
}

/// A key of the file that is being read.
#[derive(Clone)]
pub(super) struct At<'p, 't> {
    place: &'p Place<'t>,
    keys: Vec<String>,
}

impl<'p, 't> At<'p, 't> {
    /// The document.
    pub(super) const fn root(place: &'p Place<'t>) -> Self {
        Self { place, keys: Vec::new() }
    }

    /// A key, or an element, below this one.
    pub(super) fn key(&self, key: impl Display) -> Self {
        let mut keys = self.keys.clone();
        keys.push(key.to_string());
        Self { place: self.place, keys }
    }

    /// The error that the value cannot be used.
    pub(super) fn value(&self, expected: impl Into<String>, found: impl Display) -> Error {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        self.place.value(&keys, expected, found)
    }
}
