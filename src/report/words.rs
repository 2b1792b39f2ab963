//! Numbers as text: as many digits as a reader can use, and no more.

use crate::stats::{Interval, Ratio};
use crate::units::{DAY_S, YEAR_S};

/// A whole number with thousands separated.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits; powers of ten where there would be many zeros.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if !(1e-3..1e6).contains(&size) {
        let text = format!("{value:.2e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = if digits.contains('.') { trimmed(digits) } else { digits };
        let power = superscript(power);
        if digits == "1" { format!("10{power}") } else { format!("{digits}·10{power}") }
    } else if size >= 1000.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive and below a million"
        )]
        let whole = count(size.round() as u64);
        if value < 0.0 { format!("-{whole}") } else { whole }
    } else {
        format!("{value:.*}", decimals(size))
    }
}

fn trimmed(digits: &str) -> &str {
    digits.trim_end_matches('0').trim_end_matches('.')
}

fn superscript(digits: &str) -> String {
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => digit.to_digit(10).and_then(|n| char::from_u32(0x2070 + n)).unwrap_or(digit),
    };
    digits.chars().map(raised).collect()
}

/// A round share in percent, as an axis bears it.
pub(super) fn tick(share: f64) -> String {
    let text = format!("{:.6}", 100.0 * share);
    format!("{} %", trimmed(&text))
}

fn decimals(size: f64) -> usize {
    match size {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.1.. => 3,
        0.01.. => 4,
        _ => 5,
    }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", bare_percent(share))
}

/// A share in percent, without the sign: two significant digits or one decimal.
fn bare_percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        0.0 => "0".into(),
        100.0 => "100".into(),
        // What is missing matters: never rounded up to certainty.
        99.95..100.0 => bare_confidence(1.0 - share),
        10.0.. => format!("{percent:.1}"),
        0.1.. => format!("{percent:.2}"),
        0.01.. => format!("{percent:.3}"),
        0.001.. => format!("{percent:.4}"),
        _ => number(percent),
    }
}

/// 1 − `missing` in percent, without the sign.
fn bare_confidence(missing: f64) -> String {
    crate::stats::confidence(missing).trim_end_matches(" %").to_owned()
}

/// The ends of an interval in percent.
pub(super) fn interval(interval: Interval) -> String {
    format!("{}–{} %", bare_percent(interval.low), bare_percent(interval.high))
}

/// A share with its interval, where it has one.
pub(super) fn share(share: f64, of: Option<Interval>) -> String {
    of.map_or_else(
        || percent(share),
        |of| {
            let (low, high) = (bare_percent(of.low), bare_percent(of.high));
            format!("{} % ({low}–{high})", bare_percent(share))
        },
    )
}

/// How many times fewer, or how many times as many where there are more: with the interval.
pub(super) fn fewer(of: &Ratio) -> String {
    let more = of.estimate.is_some_and(|estimate| estimate < 1.0);
    let word = if more { "times as many" } else { "times fewer" };
    let (estimate, low, high) = match more {
        // Upside down: what had no end above has none below.
        true => {
            let over = |value: f64| (value > 0.0).then(|| 1.0 / value);
            (of.estimate.and_then(over), of.high.and_then(over).unwrap_or(0.0), over(of.low))
        }
        false => (of.estimate, of.low, of.high),
    };
    match (estimate, high) {
        // Exact, as in a census.
        (Some(estimate), Some(high)) if low >= high => format!("{} {word}", times(estimate)),
        (Some(estimate), Some(high)) => {
            format!("{} {word} ({}–{})", times(estimate), times(low), times(high))
        }
        (Some(estimate), None) => {
            format!("{} {word} (≥ {})", times(estimate), times(low))
        }
        (None, _) => format!("≥ {} {word}", times(low)),
    }
}

/// A factor in a sentence: two digits.
pub(super) fn times(factor: f64) -> String {
    match factor {
        ..10.0 => format!("{factor:.1}"),
        10.0..1e6 => format!("{factor:.0}"),
        _ => number(factor),
    }
}

/// A ratio to the baseline.
pub(super) fn ratio(ratio: f64) -> String {
    match ratio {
        100.0.. => format!("×{ratio:.0}"),
        10.0.. => format!("×{ratio:.1}"),
        _ => format!("×{ratio:.2}"),
    }
}

/// A number of bytes, in decimal multiples.
pub(crate) fn bytes(bytes: f64) -> String {
    scaled(bytes, &[(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")])
}

/// A time.
pub(super) fn seconds(seconds: f64) -> String {
    scaled(seconds, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")])
}

/// A span of time in the unit that fits, up to years.
pub(super) fn span(seconds: f64) -> String {
    if seconds < 60.0 {
        return self::seconds(seconds);
    }
    scaled(seconds, &[(YEAR_S, "y"), (DAY_S, "d"), (3600.0, "h"), (60.0, "min")])
}

/// The ends of an interval.
pub(super) fn range(interval: Interval) -> String {
    format!("{}–{}", number(interval.low), number(interval.high))
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fits = units.iter().find(|(scale, _)| value >= *scale).or(units.last());
    let (scale, unit) = fits.copied().unwrap_or((1.0, ""));
    format!("{} {unit}", number(value / scale))
}

/// A p-value.
pub(super) fn p_value(p: f64) -> String {
    if p < 1e-4 { "< 0.0001".into() } else { format!("{p:.4}") }
}

/// A list in a sentence.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A noun with its number.
pub(crate) fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        let numbers = [0.0, 0.5, 12.345, 1234.5, 2e-8, 1e7, 0.0123, -3.1361];
        let texts = ["0", "0.500", "12.3", "1,235", "2·10⁻⁸", "10⁷", "0.0123", "-3.14"];
        assert_eq!(numbers.map(number), texts);
        let shares = [0.0, 1.0, 0.1327, 0.0393, 0.000_45, 1.7e-6, 2e-9];
        let texts = ["0 %", "100 %", "13.3 %", "3.93 %", "0.045 %", "1.7·10⁻⁴ %", "2·10⁻⁷ %"];
        assert_eq!(shares.map(percent), texts);
        let shares = [0.9991, 0.9996, 0.9999, 0.999_999_99];
        let texts = ["99.9 %", "99.96 %", "99.99 %", "99.999999 %"];
        assert_eq!(shares.map(percent), texts);
        assert_eq!([0.0, 0.025, 0.5, 1.0].map(tick), ["0 %", "2.5 %", "50 %", "100 %"]);
        assert_eq!(interval(Interval { low: 0.0, high: 0.002_45 }), "0–0.24 %");
        assert_eq!([1.0, 3.0, 12.34, 250.0].map(ratio), ["×1.00", "×3.00", "×12.3", "×250"]);
        assert_eq!([999.0, 21_320.0, 3.2e9].map(bytes), ["999 B", "21.3 kB", "3.20 GB"]);
        assert_eq!([2.0, 0.0032, 5e-5].map(seconds), ["2.00 s", "3.20 ms", "50.0 µs"]);
        assert_eq!(
            [0.0, 59.0, 90.0, 7200.0, DAY_S, 2.0 * YEAR_S].map(span),
            ["0 ns", "59.0 s", "1.50 min", "2.00 h", "1.00 d", "2.00 y"]
        );
        assert_eq!(range(Interval { low: 0.0, high: 3.69 }), "0–3.69");
        assert_eq!([0.5, 1e-9].map(p_value), ["0.5000", "< 0.0001"]);
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(plural(1, "trial", "trials"), "1 trial");
        let ratio = |estimate, low, high| fewer(&Ratio { estimate, low, high, of_events: false });
        assert_eq!(ratio(Some(8.17), 6.1, Some(10.9)), "8.2 times fewer (6.1–11)");
        assert_eq!(ratio(Some(8.17), 8.17, Some(8.17)), "8.2 times fewer");
        assert_eq!(ratio(Some(40.0), 11.2, None), "40 times fewer (≥ 11)");
        assert_eq!(ratio(None, 18.4, None), "≥ 18 times fewer");
        assert_eq!(ratio(Some(0.5), 0.25, Some(0.8)), "2.0 times as many (1.2–4.0)");
        assert_eq!(ratio(Some(0.0), 0.0, Some(0.1)), "≥ 10 times as many");
    }
}
