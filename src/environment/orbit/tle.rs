//! Two-line elements, and their propagation with SGP4.

use super::position::Position;
use super::{ALTITUDE_MIN_KM, Error, RADIUS_MAX_KM};
use crate::environment::epoch::Epoch;
use crate::place;
use crate::units::{DAY_S, EARTH_RADIUS_KM};
use std::f64::consts::TAU;
use std::path::Path;

/// Characters of a line of elements.
const LENGTH: usize = 69;

/// Elements of a satellite and what SGP4 derives from them.
#[derive(Clone, Debug)]
pub(super) struct Tle {
    /// The name above the elements, or the catalogue number.
    pub(super) name: String,
    /// The instant that the elements are of.
    pub(super) epoch: Epoch,
    elements: sgp4::Elements,
    constants: sgp4::Constants,
}

/// A line of a file, and its number counted from 1.
type Line<'t> = (usize, &'t str);

impl Tle {
    /// Reads one satellite: two lines of elements, after a line with its name or without one.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, place::Error> {
        let refused = |line, expected: &str, found: String| place::Error::Value {
            path: path.into(),
            line,
            expected: expected.into(),
            found,
        };
        let lines: Vec<Line<'_>> = (1..)
            .zip(text.lines().map(str::trim_end))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        let (name, first, second) = match lines[..] {
            [first, second] => (None, first, second),
            [(_, name), first, second] => {
                (Some(name.strip_prefix("0 ").unwrap_or(name).trim()), first, second)
            }
            _ => {
                let line = lines.get(3).or(lines.last()).map_or(1, |(number, _)| *number);
                let found = format!("{} lines", lines.len());
                let expected =
                    "the two lines of elements of one satellite, after its name or alone";
                return Err(refused(line, expected, found));
            }
        };
        for ((number, line), digit) in [(first, '1'), (second, '2')] {
            check(line, digit).map_err(|(expected, found)| refused(number, &expected, found))?;
        }
        let epoch = epoch(first.1).ok_or_else(|| {
            let expected =
                "an epoch in columns 19 to 32, a year of two digits and a day of it from 1";
            refused(first.0, expected, format!("{:?}", &first.1[18..32]))
        })?;
        let elements = sgp4::Elements::from_tle(None, first.1.as_bytes(), second.1.as_bytes())
            .map_err(|error| {
                // The error keeps its line to itself and says it in its message only.
                let message = error.to_string();
                let number = if message.contains("line 1") { first.0 } else { second.0 };
                refused(number, "two lines of elements in the format of NORAD", message)
            })?;
        let constants = sgp4::Constants::from_elements_afspc_compatibility_mode(&elements)
            .map_err(|error| {
                refused(second.0, "elements that SGP4 can propagate", error.to_string())
            })?;
        let name = name
            .filter(|name| !name.is_empty())
            .map_or_else(|| format!("catalogue number {}", elements.norad_id), ToString::to_string);
        let tle = Self { name, epoch, elements, constants };
        if tle.perigee_km().is_nan() || tle.perigee_km() < ALTITUDE_MIN_KM {
            let found = format!("a perigee of {:.1} km", tle.perigee_km());
            return Err(refused(second.0, "a perigee of 100 km or more, below it decays", found));
        }
        if tle.apogee_km() + EARTH_RADIUS_KM > RADIUS_MAX_KM {
            let found = format!("an apogee of {:.1} km", tle.apogee_km());
            return Err(refused(
                second.0,
                "an apogee within 66000 km of the Earth's centre",
                found,
            ));
        }
        Ok(tle)
    }

    /// The period in s of one anomalistic revolution, as the elements give it.
    pub(super) const fn period_s(&self) -> f64 {
        DAY_S / self.elements.mean_motion
    }

    /// The inclination in degrees.
    pub(super) const fn inclination_deg(&self) -> f64 {
        self.elements.inclination
    }

    /// The semi-major axis in km of the elements' mean motion, a = (μ/n²)^(1/3).
    fn semi_major_axis_km(&self) -> f64 {
        let n = TAU / self.period_s();
        (super::kepler::MU_KM3_S2 / (n * n)).cbrt()
    }

    /// The altitude of the perigee in km.
    pub(super) fn perigee_km(&self) -> f64 {
        self.semi_major_axis_km() * (1.0 - self.elements.eccentricity) - EARTH_RADIUS_KM
    }

    /// The altitude of the apogee in km.
    pub(super) fn apogee_km(&self) -> f64 {
        self.semi_major_axis_km() * (1.0 + self.elements.eccentricity) - EARTH_RADIUS_KM
    }

    /// The positions at `start` + k `step_s` for k below `count`.
    ///
    /// SGP4 in the form of Hoots and Roehrich 1980 and Vallado et al. 2006 (doi 10.2514/6.2006-6753),
    /// with the constants of WGS 72, that the elements are made with. Its places are in TEME, the
    /// true equator and mean equinox of date, which Greenwich mean sidereal time turns to the Earth.
    pub(super) fn track(
        &self,
        start: Epoch,
        step_s: f64,
        count: u32,
    ) -> Result<Vec<Position>, Error> {
        let since_epoch_s = start.seconds_since(self.epoch);
        let position = |k| {
            let time_s = f64::from(k) * step_s;
            let at = start.plus_seconds(time_s);
            let decayed = |found| Error::Decayed { name: self.name.clone(), at, found };
            let minutes = sgp4::MinutesSinceEpoch((since_epoch_s + time_s) / 60.0);
            let place = self
                .constants
                .propagate_afspc_compatibility_mode(minutes)
                .map_err(|error| decayed(error.to_string()))?;
            let position = Position::of_inertial(time_s, place.position, at.gmst_rad());
            if position.radius_km.is_nan() || position.altitude_km() < ALTITUDE_MIN_KM {
                return Err(decayed(format!("it is below {ALTITUDE_MIN_KM} km")));
            }
            Ok(position)
        };
        (0..count).map(position).collect()
    }
}

/// What is wrong with the length, first character or checksum of a line: expected and found.
///
/// The checksum is the sum of the digits of columns 1 to 68, a minus counting 1, modulo 10.
fn check(line: &str, digit: char) -> Result<(), (String, String)> {
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
