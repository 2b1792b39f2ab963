//! What a run will take, said before it starts; and the most of it that can be had.
//!
//! Campaigns and missions fill in what they expect. One line says it, and what is too much is
//! refused with its limit and with the keys that it follows from.

use std::fmt::Write;

/// Bytes of results in an archive, at most: what one disk holds, 1 TiB.
pub const ARCHIVE_BYTES_MAX: f64 = 1e12;
/// Bytes that a run may hold in memory at once beside the adapter's: 4 GiB, that of a small machine.
pub const MEMORY_BYTES_MAX: f64 = 4_294_967_296.0;
/// Inferences that a time in flight is counted in, at most. Time is an `f64` of 53 bits: up to here
/// a moment between two inferences can be told from both.
pub const INFERENCES_MAX: f64 = 1_125_899_906_842_624.0;
/// Sums over histories, satellites and single events are held in 64 bits.
pub const SUM_MAX: f64 = 9.2e18;

/// How an amount is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count of things.
    Count,
    /// Bytes.
    Bytes,
}

/// One thing that a run takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// What, in the plural, as in `12 events`.
    pub what: &'static str,
    /// How many, on average or at most.
    pub expected: f64,
    /// The most that can be had; infinite where there is no limit.
    pub most: f64,
    /// How it is written.
    pub unit: Unit,
    /// The key that it follows from, whose line a refusal names.
    pub key: String,
    /// What else would make it less.
    pub lower: &'static str,
    /// Whether the line says it.
    pub said: bool,
}

/// What a run takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    amounts: Vec<Amount>,
}

/// Why a run is refused before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key, its parts joined by dots.
    pub key: String,
    /// What would have been right.
    pub expected: String,
    /// What it would take.
    pub found: String,
}

impl Amount {
    /// A count of things.
    pub fn count(what: &'static str, expected: f64, most: f64) -> Self {
        let unit = Unit::Count;
        Self { what, expected, most, unit, key: String::new(), lower: "", said: true }
    }

    /// Bytes.
    pub fn bytes(what: &'static str, expected: f64, most: f64) -> Self {
        Self { unit: Unit::Bytes, ..Self::count(what, expected, most) }
    }

    /// Names the key that it follows from, and what would make it less.
    #[must_use]
    pub fn of(self, key: &str, lower: &'static str) -> Self {
        Self { key: key.into(), lower, ..self }
    }

    /// Leaves it out of the line: a limit that few come near is not news.
    #[must_use]
    pub fn unsaid(self) -> Self {
        Self { said: false, ..self }
    }
}

impl Estimate {
    /// Adds an amount.
    pub fn add(&mut self, amount: Amount) {
        self.amounts.push(amount);
    }

    /// The first amount that cannot be had. One that is no number cannot.
    pub fn refusal(&self) -> Option<Refusal> {
        let many = self.amounts.iter().find(|of| of.expected.is_nan() || of.expected > of.most)?;
        let text = |amount| amount_text(amount, many.unit);
        Some(Refusal {
            key: many.key.clone(),
            expected: format!("{} {} at most: {}", text(many.most), many.what, many.lower),
            found: text(many.expected),
        })
    }

    /// All of it in a line: `expected: 1,234 events, 12 MiB in the archive`.
    pub fn line(&self) -> String {
        let mut line = String::from("expected: ");
        for (at, of) in self.amounts.iter().filter(|of| of.said).enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let text = amount_text(of.expected, of.unit);
            let _ = write!(line, "{comma}{text} {}", of.what);
        }
        line
    }
}

/// `12 MiB`.
pub fn bytes_text(bytes: f64) -> String {
    amount_text(bytes, Unit::Bytes)
}

/// `1,234`, `12 MiB`; large ones with an exponent.
fn amount_text(amount: f64, unit: Unit) -> String {
    match unit {
        Unit::Count if amount < 1e15 => grouped(amount),
        Unit::Count => format!("{amount:.1e}"),
        Unit::Bytes => {
            let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
            let mut rest = amount;
            let mut at = 0;
            while rest >= 1024.0 && at + 1 < units.len() {
                rest /= 1024.0;
                at += 1;
            }
            match rest {
                rest if rest >= 1e6 => format!("{rest:.1e} {}", units[at]),
                rest if rest < 9.95 && at > 0 => format!("{rest:.1} {}", units[at]),
                rest => format!("{rest:.0} {}", units[at]),
            }
        }
    }
}

/// A whole number with a comma before every third digit; one below ten with a decimal.
fn grouped(amount: f64) -> String {
    if amount > 0.0 && amount < 9.95 && amount.fract() != 0.0 {
        return format!("{amount:.1}");
    }
    let digits = format!("{amount:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(what: &'static str, expected: f64, most: f64, unit: Unit) -> Amount {
        Amount { unit, ..Amount::count(what, expected, most).of("lasts", "a shorter flight") }
    }

    #[test]
    fn a_line_says_what_is_expected_and_a_refusal_what_is_too_much() {
        let mut estimate = Estimate::default();
        estimate.add(amount("events", 1234.4, f64::INFINITY, Unit::Count));
        estimate.add(amount("in the archive", 12.0 * 1_048_576.0, ARCHIVE_BYTES_MAX, Unit::Bytes));
        assert_eq!(estimate.line(), "expected: 1,234 events, 12 MiB in the archive");
        assert_eq!(estimate.refusal(), None);
        estimate.add(amount("in memory", 1e13, MEMORY_BYTES_MAX, Unit::Bytes));
        let refusal = estimate.refusal().expect("too much");
        assert_eq!(refusal.expected, "4.0 GiB in memory at most: a shorter flight");
        assert_eq!((&*refusal.key, &*refusal.found), ("lasts", "9.1 TiB"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for none in [f64::NAN, f64::INFINITY] {
            let mut estimate = Estimate::default();
            estimate.add(amount("events", none, 1e300, Unit::Count));
            assert!(estimate.refusal().is_some(), "{none}");
        }
    }

    #[test]
    fn amounts_are_short_at_any_size() {
        let count = |amount| amount_text(amount, Unit::Count);
        assert_eq!([0.0, 0.25, 9.0, 999.6].map(count), ["0", "0.2", "9", "1,000"]);
        assert_eq!(
            [1_234_567.0, 1e14, 2.5e20].map(count),
            ["1,234,567", "100,000,000,000,000", "2.5e20"]
        );
        let bytes = |amount| amount_text(amount, Unit::Bytes);
        assert_eq!(
            [0.0, 900.0, 1536.0, 1e30].map(bytes),
            ["0 bytes", "900 bytes", "1.5 KiB", "9.1e17 TiB"]
        );
    }
}
