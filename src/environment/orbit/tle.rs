//! Two-line elements, as they stand in a file.

use super::satellite::{MeanElements, Misplaced, Refusal};
use crate::environment::epoch::Epoch;
use crate::place;
use crate::units::DAY_S;
use std::path::Path;

/// Characters of a line of elements.
const LENGTH: usize = 69;
/// A line of elements is longer than this, a line with a name is not: `0 ` and 24 characters.
const NAME_MAX: usize = 26;
/// The type of ephemeris that SGP4 cannot propagate: SGP4-XP.
const EXTRAPOLATED: &str = "4";

/// A line of a file, and its number counted from 1.
type Line<'t> = (usize, &'t str);

/// The two lines of one satellite, and the name above them.
#[derive(Clone, Copy, Debug)]
pub(super) struct TwoLines<'t> {
    /// The name, where there is one.
    pub(super) name: Option<&'t str>,
    first: Line<'t>,
    second: Line<'t>,
}

/// The satellites of a text: two lines of elements each, after a line with its name or without one.
pub(super) fn read<'t>(path: &Path, text: &'t str) -> Result<Vec<TwoLines<'t>>, place::Error> {
    let refused =
        |line, (expected, found)| place::Error::Value { path: path.into(), line, expected, found };
    let lines: Vec<Line<'_>> =
        (1..).zip(text.lines().map(str::trim_end)).filter(|(_, line)| !line.is_empty()).collect();
    let mut rest = &lines[..];
    let mut all = Vec::new();
    while let Some((head, _)) = rest.split_first() {
        let is_named = !(head.1.starts_with("1 ") && head.1.len() > NAME_MAX);
        let name = is_named.then(|| head.1.strip_prefix("0 ").unwrap_or(head.1).trim());
        let [first, second, after @ ..] = &rest[usize::from(is_named)..] else {
            let expected =
                "the two lines of elements of a satellite, after its name or alone".to_owned();
            return Err(refused(head.0, (expected, format!("{} lines", rest.len()))));
        };
        for ((number, line), digit) in [(first, '1'), (second, '2')] {
            check(line, digit).map_err(|refusal| refused(*number, refusal))?;
        }
        let name = name.filter(|name| !name.is_empty());
        all.push(TwoLines { name, first: *first, second: *second });
        rest = after;
    }
    if all.is_empty() {
        let expected = "the elements of a satellite".to_owned();
        return Err(refused(1, (expected, "an empty file".to_owned())));
    }
    Ok(all)
}

impl TwoLines<'_> {
    /// The line of the second of the two lines.
    pub(super) const fn line(&self) -> usize {
        self.second.0
    }

    /// The catalogue number, from 1 to 339,999 (numbers above 99,999 begin with a letter).
    pub(super) fn number(&self) -> Option<u64> {
        number(self.first.1.get(2..7)?)
    }

    /// The elements.
    ///
    /// # Errors
    /// The line, and what is wrong with it.
    pub(super) fn elements(&self) -> Result<MeanElements, Misplaced> {
        let Self { first, second, .. } = *self;
        let epoch = epoch(first.1).ok_or_else(|| {
            let expected =
                "an epoch in columns 19 to 32, a year of two digits and a day of it from 1";
            (first.0, (expected.to_owned(), format!("{:?}", &first.1[18..32])))
        })?;
        if &first.1[62..63] == EXTRAPOLATED {
            let expected = "elements of SGP4, with a type of ephemeris of 0 in column 63";
            let found = "4, elements of SGP4-XP".to_owned();
            return Err((first.0, (expected.to_owned(), found)));
        }
        let read = sgp4::Elements::from_tle(None, first.1.as_bytes(), second.1.as_bytes())
            .map_err(|error| {
                // The error keeps its line to itself and says it in its message only.
                let message = error.to_string();
                let number = if message.contains("line 1") { first.0 } else { second.0 };
                (number, ("two lines of elements in the format of NORAD".to_owned(), message))
            })?;
        Ok(MeanElements {
            epoch,
            mean_motion_per_day: read.mean_motion,
            eccentricity: read.eccentricity,
            inclination_deg: read.inclination,
            node_deg: read.right_ascension,
            perigee_deg: read.argument_of_perigee,
            mean_anomaly_deg: read.mean_anomaly,
            drag: read.drag_term,
        })
    }
}

/// The first characters of Alpha-5, from 10 on: the letters without I and O.
const ALPHA_5: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A catalogue number in digits, or in five characters of which the first is a letter (Alpha-5).
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let in_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if in_digits(text) {
        return text.parse().ok();
    }
    let first = text.chars().next()?;
    let leading = 10 + u64::try_from(ALPHA_5.find(first)?).ok()?;
    let rest = text.get(1..).filter(|rest| rest.len() == 4 && in_digits(rest))?;
    Some(10_000 * leading + rest.parse::<u64>().ok()?)
}

/// What is wrong with the length, first character or checksum of a line: expected and found.
///
/// The checksum is the sum of the digits of columns 1 to 68, a minus counting 1, modulo 10.
fn check(line: &str, digit: char) -> Result<(), Refusal> {
    if !line.is_ascii() {
        let other = line.chars().find(|c| !c.is_ascii()).unwrap_or(' ');
        return Err(("ASCII characters".into(), format!("{other:?}")));
    }
    if !line.starts_with(digit) {
        let found = line.chars().next().unwrap_or(' ');
        return Err((format!("a line of elements that begins with {digit}"), format!("{found:?}")));
    }
    if line.len() != LENGTH {
        return Err((format!("{LENGTH} characters"), format!("{} characters", line.len())));
    }
    let sum: u32 = line[..LENGTH - 1]
        .chars()
        .map(|c| if c == '-' { 1 } else { c.to_digit(10).unwrap_or(0) })
        .sum();
    let last = &line[LENGTH - 1..];
    if last != (sum % 10).to_string() {
        return Err((format!("checksum {} in column {LENGTH}", sum % 10), format!("{last:?}")));
    }
    Ok(())
}

/// The epoch of a first line: columns 19 and 20 are the year, from 1957 to 2056; the rest counts
/// days of it from 1.
fn epoch(line: &str) -> Option<Epoch> {
    let two_digits: i64 = line.get(18..20)?.trim().parse().ok()?;
    let year = two_digits + if two_digits < 57 { 2000 } else { 1900 };
    let day: f64 = line.get(20..32)?.trim().parse().ok()?;
    let start = Epoch::civil(year, 1, 1);
    let length_s = Epoch::civil(year + 1, 1, 1).seconds_since(start);
    let seconds = (day - 1.0) * DAY_S;
    (0.0..length_s).contains(&seconds).then(|| start.plus_seconds(seconds))
}
