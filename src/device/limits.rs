//! What figures of a part can be: ranges that hold every part made, each with its reason.

use super::figure::At;
use crate::place::Error;

/// The longest name of a device, a mode, a memory or a pattern, in characters.
const NAME_MAX: usize = 64;

/// What a figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    /// Whether 0 is in it.
    zero: bool,
    most: f64,
    why: &'static str,
    /// Whether low ≤ nominal ≤ high; a figure of which less gives more events may descend.
    pub(super) ascends: bool,
}

impl Range {
    const fn new(zero: bool, most: f64, why: &'static str) -> Self {
        Self { zero, most, why, ascends: false }
    }

    const fn ascending(self) -> Self {
        Self { ascends: true, ..self }
    }

    /// The cross-section of a bit, or of a device.
    pub(super) const fn cm2(per_bit: bool) -> Self {
        if per_bit { BIT_CM2 } else { DEVICE_CM2 }
    }

    /// What would have been right, where a value is not in it.
    pub(super) fn expected(&self, value: f64) -> Option<String> {
        let inside = value <= self.most && if self.zero { value >= 0.0 } else { value > 0.0 };
        let least = if self.zero { "a number of 0 or more" } else { "a number above 0" };
        (!inside).then(|| format!("{least}, {} at most: {}", self.most, self.why))
    }
}

/// Of a bit: a square of 100 µm, wider than any cell. The widest in the shipped files, 2e-5 cm², is
/// the reference part of a CREME96 run.
const BIT_CM2: Range =
    Range::new(true, 1e-4, "no cell is wider than 100 µm, and none upsets where it is not")
        .ascending();
/// Of a device: the largest chip made has 462 cm² (Cerebras WSE-3, 46,225 mm²).
pub(super) const DEVICE_CM2: Range =
    Range::new(true, 500.0, "no chip is larger (the largest has 462 cm²)").ascending();
pub(super) const SHARE: Range = Range::new(false, 1.0, "a factor that takes away").ascending();
/// Cosmic-ray protons are counted to 100 GeV.
pub(super) const ENERGY_MEV: Range =
    Range::new(false, 1e5, "MeV, the highest energy that is counted");
pub(super) const ONSET_MEV: Range =
    Range::new(true, 1e3, "MeV, above the beams that parts are tested in");
pub(super) const WIDTH_MEV: Range =
    Range::new(false, 1e4, "MeV, beyond it the curve is flat in any beam");
/// Uranium has some 118 MeV cm²/mg at most in silicon; nothing heavier flies.
pub(super) const ONSET_LET: Range =
    Range::new(true, 120.0, "MeV cm²/mg, no ion up to uranium has more in silicon");
pub(super) const WIDTH_LET: Range =
    Range::new(false, 1e4, "MeV cm²/mg, beyond it the curve is flat for any ion");
pub(super) const EXPONENT: Range = Range::new(false, 20.0, "a steeper curve is a step");
/// Thickness of a wafer of 300 mm (SEMI M1): 775 µm.
pub(super) const DEPTH_UM: Range = Range::new(false, 1000.0, "µm, wafers are 775 µm thick");
/// The longer side of the field that one exposure prints: 33 mm.
pub(super) const SIDE_UM: Range = Range::new(false, 33_000.0, "µm, a die is 33 mm long at most");
pub(super) const TIME_S: Range = Range::new(true, 3e6, "seconds, about a month");
pub(super) const PERIOD_S: Range = Range::new(false, 3.2e9, "seconds, about a century");
pub(super) const RETENTION_S: Range = Range::new(false, 3e6, "seconds, about a month");
pub(super) const BYTES_S: Range =
    Range::new(false, 1e17, "bytes/s, ten thousand times the fastest part");
/// Any count of a memory; each has limits of its own.
pub(super) const COUNT: Range = Range::new(true, 4_294_967_295.0, "counts have 32 bits");

/// Refuses a text that says nothing, or holds what a terminal obeys.
pub(super) fn said(text: &str, at: &At) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(at.value("a text that names the source or the reason", "\"\""));
    }
    match text.chars().find(|c| c.is_control() && !"\n\t".contains(*c)) {
        Some(c) => Err(at.value("a text without control characters", format!("{c:?}"))),
        None => Ok(()),
    }
}

/// Refuses a name that says nothing, is long, or has characters that paths, tables or terminals
/// keep for themselves.
pub(super) fn named(name: &str, at: &At) -> Result<(), Error> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let good = |c: char| c.is_ascii_alphanumeric() || " -_.+()".contains(c);
    if first && name.len() <= NAME_MAX && name.chars().all(good) {
        return Ok(());
    }
    let expected = format!(
        "a name of 1 to {NAME_MAX} letters, digits, spaces and - _ . + ( ), a letter or digit first"
    );
    let found: String = name.chars().take(NAME_MAX + 1).collect();
    Err(at.value(expected, format!("{found:?}")))
}
