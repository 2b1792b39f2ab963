//! What becomes of a struck bit: at once, and later.

use crate::device::figure::At;
use crate::device::limits::RETENTION_S;
use crate::place::Error;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a strike does to a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Polarity {
    /// It flips.
    #[default]
    Toggle,
    /// Its cell loses its charge; a cell without charge stays as it is.
    Discharge,
}

/// Which rows hold a 0 as charge, and a 1 as its absence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AntiRows {
    /// None: all cells are true cells.
    #[default]
    None,
    /// Those with an odd number.
    Odd,
}

impl AntiRows {
    /// Whether the cells of a row are anti-cells.
    pub const fn is_anti(self, row: u32) -> bool {
        match self {
            Self::None => false,
            Self::Odd => row % 2 == 1,
        }
    }
}

/// A word after a strike; `present` is what it held until then.
pub const fn apply(polarity: Polarity, anti: bool, present: u32, mask: u32) -> u32 {
    match (polarity, anti) {
        (Polarity::Toggle, _) => present ^ mask,
        (Polarity::Discharge, false) => present & !mask,
        (Polarity::Discharge, true) => present | mask,
    }
}

/// What becomes of struck bits later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Persistence {
    /// They are as good as new when they are written.
    Transient,
    /// They keep the value that the strike left, whatever is written.
    Stuck,
    /// Each write holds for a while, and then the strike shows again.
    Weak {
        /// How long a write holds, in seconds.
        retention_s: f64,
    },
}

/// The name of it in TOML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PersistenceName {
    #[default]
    Transient,
    Stuck,
    Weak,
}

impl PersistenceName {
    const fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Stuck => "stuck",
            Self::Weak => "weak",
        }
    }

    /// With the retention, which [`Self::check`] has found for weak cells.
    pub(super) const fn with(self, retention_s: Option<f64>) -> Persistence {
        match (self, retention_s) {
            (Self::Transient, _) => Persistence::Transient,
            (Self::Weak, Some(retention_s)) => Persistence::Weak { retention_s },
            (Self::Stuck | Self::Weak, _) => Persistence::Stuck,
        }
    }

    pub(super) fn check(self, retention_s: Option<f64>, at: &At) -> Result<(), Error> {
        let name = self.name();
        match (self, retention_s) {
            (Self::Weak, None) => {
                let expected = format!("`retention_s` for persistence = \"{name}\"");
                Err(at.key("persistence").value(expected, "none"))
            }
            (Self::Transient | Self::Stuck, Some(_)) => {
                let expected = format!("no `retention_s` for persistence = \"{name}\"");
                Err(at.key("retention_s").value(expected, "one"))
            }
            (Self::Weak, Some(seconds)) => match RETENTION_S.expected(seconds) {
                Some(expected) => Err(at.key("retention_s").value(expected, seconds)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};
    use rand::Rng;

    #[test]
    fn a_toggled_bit_returns_and_a_discharged_one_does_not() {
        let mut draws = stream(1, Domain::Generate, &[0]);
        for _ in 0..1000 {
            let (word, mask) = (draws.next_u32(), draws.next_u32());
            let twice = |polarity, anti| {
                let once = apply(polarity, anti, word, mask);
                (once, apply(polarity, anti, once, mask))
            };
            assert_eq!(twice(Polarity::Toggle, false), (word ^ mask, word));
            assert_eq!(twice(Polarity::Toggle, true), (word ^ mask, word));
            let (once, again) = twice(Polarity::Discharge, false);
            assert_eq!((once & mask, once & !mask), (0, word & !mask), "true cells fall to 0");
            assert_eq!(once, again, "a second discharge changes nothing");
            let (once, again) = twice(Polarity::Discharge, true);
            assert_eq!((once & mask, once & !mask), (mask, word & !mask), "anti-cells rise to 1");
            assert_eq!(once, again, "a second discharge changes nothing");
        }
    }

    #[test]
    fn anti_cells_are_those_of_odd_rows() {
        assert!([0, 1, 2, 7].into_iter().all(|row| !AntiRows::None.is_anti(row)));
        assert_eq!([0, 1, 2, 7].map(|row| AntiRows::Odd.is_anti(row)), [false, true, false, true]);
    }
}
