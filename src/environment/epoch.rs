//! An instant of UTC, and the angles of the Earth and of the mean sun at it.
//!
//! UTC stands for UT1 throughout: they differ by less than 0.9 s, which turns the Earth by less
//! than 0.004°. Leap seconds are not counted: a day has 86,400 s.

use crate::units::DAY_S;
use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

/// Julian date of J2000, 2000-01-01T12:00:00.
const J2000_JD: f64 = 2_451_545.0;

/// Julian date of 1970-01-01T00:00:00, from which civil days are counted here.
const UNIX_JD: f64 = 2_440_587.5;

/// The years that the formulas of the sun and of the Earth's rotation are used for.
const YEARS: std::ops::RangeInclusive<i64> = 1950..=2100;

/// What a date must look like.
const EXPECTED: &str = "a UTC date such as 2026-01-01 or 2026-01-01T12:30:00Z";

/// Why a text is no epoch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct Error {
    /// What would have been right.
    pub expected: String,
    /// What was given.
    pub found: String,
}

/// An instant of UTC.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Epoch {
    seconds_since_j2000: f64,
}

impl Default for Epoch {
    /// 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::civil(2026, 1, 1)
    }
}

impl Epoch {
    /// The start of a day of the proleptic Gregorian calendar.
    pub(super) const fn civil(year: i64, month: i64, day: i64) -> Self {
        let days = days_from_civil(year, month, day) as f64;
        Self { seconds_since_j2000: (days + (UNIX_JD - J2000_JD)) * DAY_S }
    }

    /// An epoch as CCSDS 301.0-B writes it: a date and a time in UTC, with or without a Z, the date
    /// as month and day or as a day of the year (2026-194T01:19:07).
    ///
    /// # Errors
    /// Where the text is none.
    pub(super) fn of_ccsds(text: &str) -> Result<Self, Error> {
        let plain = text.strip_suffix('Z').unwrap_or(text);
        let refused = |expected: String| Error { expected, found: text.into() };
        let ordinal = plain.split_once('T').and_then(|(date, time)| {
            let (year, day) = date.split_once('-')?;
            let digits = [(year, 4), (day, 3)].iter().all(|(part, count)| {
                part.len() == *count && part.bytes().all(|byte| byte.is_ascii_digit())
            });
            let (year, day): (i64, i64) = (year.parse().ok()?, day.parse().ok()?);
            digits.then_some((year, day, time))
        });
        let plain = match ordinal {
            None => plain.to_owned(),
            Some((year, day, time)) => {
                let before = days_from_civil(year, 1, 1) - 1;
                let length = days_from_civil(year + 1, 1, 1) - before - 1;
                if !(1..=length).contains(&day) {
                    return Err(refused(format!("a day from 001 to {length} of {year}")));
                }
                let (year, month, day) = civil_from_days(before + day);
                format!("{year:04}-{month:02}-{day:02}T{time}")
            }
        };
        format!("{plain}Z").parse().map_err(|error: Error| refused(error.expected))
    }

    /// Seconds of UTC since 2000-01-01T12:00:00Z, leap seconds not counted.
    pub const fn seconds_since_j2000(self) -> f64 {
        self.seconds_since_j2000
    }

    /// Days of UTC since 2000-01-01T12:00:00Z.
    pub const fn days_since_j2000(self) -> f64 {
        self.seconds_since_j2000 / DAY_S
    }

    /// The Julian date, in days.
    pub const fn julian_date(self) -> f64 {
        J2000_JD + self.days_since_j2000()
    }

    /// The instant `seconds` later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: f64) -> Self {
        Self { seconds_since_j2000: self.seconds_since_j2000 + seconds }
    }

    /// Seconds from `earlier` to this instant.
    pub const fn seconds_since(self, earlier: Self) -> f64 {
        self.seconds_since_j2000 - earlier.seconds_since_j2000
    }

    /// The year with its fraction: 2026.5 is the middle of 2026.
    pub fn decimal_year(self) -> f64 {
        let (year, ..) = civil_from_days(self.civil_day());
        let start = Self::civil(year, 1, 1);
        let length_s = Self::civil(year + 1, 1, 1).seconds_since(start);
        year as f64 + self.seconds_since(start) / length_s
    }

    /// Seconds since the last midnight of UTC, in [0, 86,400).
    pub fn seconds_of_day(self) -> f64 {
        (self.seconds_since_j2000 + 0.5 * DAY_S).rem_euclid(DAY_S)
    }

    /// Greenwich mean sidereal time in rad, in [0, 2π).
    ///
    /// With T in Julian centuries of 36,525 days since J2000 (IAU 1982; Aoki et al. 1982,
    /// Astron. Astrophys. 105, 359; Vallado 2013, eq. 3-47):
    ///
    /// GMST = 67,310.54841 s + (876,600·3,600 + 8,640,184.812866) T + 0.093104 T² − 6.2e-6 T³,
    /// where 86,400 s are one turn.
    pub fn gmst_rad(self) -> f64 {
        let days = self.days_since_j2000();
        let t = days / 36_525.0;
        // The whole turns of 876,600·3,600 T are one a day and are left out before the rest is
        // added, which keeps the precision.
        let turns = days.rem_euclid(1.0)
            + (67_310.548_41 + (8_640_184.812_866 + (0.093_104 - 6.2e-6 * t) * t) * t) / DAY_S;
        turns.rem_euclid(1.0) * TAU
    }

    /// Right ascension of the mean sun in rad, in [0, 2π).
    ///
    /// It is the mean longitude of the sun, 280.460° + 0.9856474° n with n in days since J2000
    /// (the low-precision solar coordinates of the Astronomical Almanac, page C5).
    pub fn mean_sun_right_ascension_rad(self) -> f64 {
        (280.460 + 0.985_647_4 * self.days_since_j2000()).to_radians().rem_euclid(TAU)
    }

    /// Days since 1970-01-01 of the civil date.
    fn civil_day(self) -> i64 {
        whole((self.days_since_j2000() + (J2000_JD - UNIX_JD)).floor())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a count of days, or of milliseconds a day")]
const fn whole(number: f64) -> i64 {
    number as i64
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
///
/// A year is counted from March, so that a leap day is its last; the days before month m (0 for
/// March) are floor((153 m + 2) / 5) (Richards 2013, in the Explanatory Supplement to the
/// Astronomical Almanac, section 15.11).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let from_march = (month + 9) % 12;
    let year = if month < 3 { year - 1 } else { year };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,469 days lie between 0000-03-01, less one day, and 1970-01-01.
    365 * year + leap_days + (153 * from_march + 2) / 5 + day - 719_469
}

/// Year, month and day of a count of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // 146,097 days are 400 years; the estimate is at most one year off.
    let mut year = 1970 + (days * 400).div_euclid(146_097);
    while days_from_civil(year, 1, 1) > days {
        year -= 1;
    }
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (1..=12).rev().find(|m| days_from_civil(year, *m, 1) <= days).unwrap_or(1);
    (year, month, days - days_from_civil(year, month, 1) + 1)
}

impl fmt::Display for Epoch {
    /// ISO 8601 in UTC, to the millisecond where it is not a whole second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = Self { seconds_since_j2000: (self.seconds_since_j2000 * 1e3).round() / 1e3 };
        let (year, month, day) = civil_from_days(rounded.civil_day());
        let ms = whole((rounded.seconds_of_day() * 1e3).round());
        let (seconds, ms) = (ms / 1000, ms % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if ms != 0 {
            write!(f, ".{ms:03}")?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Epoch {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = |expected: &str| Error { expected: expected.into(), found: text.into() };
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = numbers(date, '-', [4, 2, 2]).ok_or_else(|| refused(EXPECTED))?;
        if !YEARS.contains(&year) {
            return Err(refused("a year from 1950 to 2100"));
        }
        if !(1..=12).contains(&month) {
            return Err(refused("a month from 01 to 12"));
        }
        let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let length = days_from_civil(next.0, next.1, 1) - days_from_civil(year, month, 1);
        if !(1..=length).contains(&day) {
            return Err(refused(&format!("a day from 01 to {length} of month {month:02}")));
        }
        let midnight = Self::civil(year, month, day);
        let Some(time) = time else { return Ok(midnight) };
        let time = time.strip_suffix('Z').ok_or_else(|| refused(EXPECTED))?;
        let (clock, fraction) = match time.split_once('.') {
            Some((clock, digits)) => (clock, fraction(digits).ok_or_else(|| refused(EXPECTED))?),
            None => (time, 0.0),
        };
        let [hour, minute, second] =
            numbers(clock, ':', [2, 2, 2]).ok_or_else(|| refused(EXPECTED))?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(refused("a time from 00:00:00 to 23:59:59"));
        }
        Ok(midnight.plus_seconds((hour * 3600 + minute * 60 + second) as f64 + fraction))
    }
}

/// Three numbers of the given counts of digits, between separators.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(found)
}

/// The fraction of a second that the digits behind a point stand for.
fn fraction(digits: &str) -> Option<f64> {
    let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| format!("0.{digits}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn epoch(text: &str) -> Epoch {
        text.parse().expect("an epoch")
    }

    #[test]
    fn texts_are_read_and_written() {
        for (text, written, julian_date) in [
            ("2026-01-01", "2026-01-01T00:00:00Z", 2_461_041.5),
            ("2026-01-01T12:30:00Z", "2026-01-01T12:30:00Z", 2_461_042.020_833_333),
            ("2000-01-01T12:00:00Z", "2000-01-01T12:00:00Z", 2_451_545.0),
            ("2024-02-29T23:59:59.250Z", "2024-02-29T23:59:59.250Z", 2_460_370.499_991_319),
            ("1957-10-04T19:28:34Z", "1957-10-04T19:28:34Z", 2_436_116.311_504_63),
            ("2100-12-31", "2100-12-31T00:00:00Z", 2_488_433.5),
        ] {
            assert_eq!(epoch(text).to_string(), written);
            assert!((epoch(text).julian_date() - julian_date).abs() < 1e-8, "{text}");
        }
        assert_eq!(Epoch::default(), epoch("2026-01-01T00:00:00Z"));
        assert_eq!(epoch("2026-01-01").plus_seconds(-0.0004).to_string(), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_wrong_text_is_refused_with_what_was_expected() {
        for (text, expected) in [
            ("", EXPECTED),
            ("2026", EXPECTED),
            ("2026-1-1", EXPECTED),
            ("2026-01-01T12:30:00", EXPECTED),
            ("2026-01-01 12:30:00Z", EXPECTED),
            ("2026-01-01T12:30Z", EXPECTED),
            ("2026-01-01T12:30:00.Z", EXPECTED),
            ("+026-01-01", EXPECTED),
            ("1949-01-01", "a year from 1950 to 2100"),
            ("2026-13-01", "a month from 01 to 12"),
            ("2026-02-29", "a day from 01 to 28 of month 02"),
            ("2026-12-32", "a day from 01 to 31 of month 12"),
            ("2026-01-01T24:00:00Z", "a time from 00:00:00 to 23:59:59"),
        ] {
            let error = text.parse::<Epoch>().expect_err("refused");
            assert_eq!(error, Error { expected: expected.into(), found: text.into() });
        }
        let message = "tomorrow".parse::<Epoch>().expect_err("refused").to_string();
        assert_eq!(
            message,
            "expected a UTC date such as 2026-01-01 or 2026-01-01T12:30:00Z, found \"tomorrow\""
        );
    }

    #[test]
    fn sidereal_time_is_that_of_the_books() {
        for (text, degrees) in [
            ("2000-01-01T12:00:00Z", 280.460_618),
            // Vallado 2013, example 3-5: 20 August 1992, 12:14 UT1.
            ("1992-08-20T12:14:00Z", 152.578_788),
            // Meeus 1998, example 12.b: 10 April 1987, 19:21 UT, 8 h 34 min 57.0896 s.
            ("1987-04-10T19:21:00Z", 128.737_873),
        ] {
            let found = epoch(text).gmst_rad().to_degrees();
            assert!((found - degrees).abs() < 2e-6, "{text}: {found}");
        }
    }

    #[test]
    fn the_mean_sun_is_at_noon_where_the_clock_says_so() {
        // GMST less the mean sun's right ascension is UT − 12 h, by the definition of UT.
        for text in ["1960-01-01", "2000-06-21", "2026-03-20T18:00:00Z", "2060-12-31"] {
            let at = epoch(text);
            let hour_angle = at.gmst_rad() - at.mean_sun_right_ascension_rad();
            let off = hour_angle - (at.seconds_of_day() / DAY_S - 0.5) * TAU;
            let off = (off + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
            assert!(off.to_degrees().abs() < 0.02, "{text}: {}°", off.to_degrees());
        }
    }

    #[test]
    fn decimal_years_count_leap_days() {
        for (text, year) in [
            ("2026-01-01", 2026.0),
            ("2026-07-02T12:00:00Z", 2026.5),
            ("2024-07-02", 2024.5),
            ("2000-12-31", 2000.0 + 365.0 / 366.0),
        ] {
            assert!((epoch(text).decimal_year() - year).abs() < 1e-9, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_millisecond_comes_back(ms in -1_500_000_000_000_i64..3_100_000_000_000) {
            let at = Epoch::civil(2000, 1, 1).plus_seconds(ms as f64 / 1e3);
            prop_assert!((epoch(&at.to_string()).seconds_since(at)).abs() < 1e-5);
        }

        #[test]
        fn every_day_has_one_date(days in -10_000_i64..50_000) {
            let (year, month, day) = civil_from_days(days);
            prop_assert_eq!(days_from_civil(year, month, day), days);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
        }
    }
}
