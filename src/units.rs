//! Conversions between the units of the field, each with its source.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Radius of the sphere that altitudes are counted from, in km: the reference radius of the IGRF
/// (Alken et al. 2021, doi 10.1186/s40623-020-01288-x).
pub const EARTH_RADIUS_KM: f64 = 6371.2;

/// Radius of the Earth at the equator, in km (WGS 84).
pub const EQUATOR_KM: f64 = 6378.137;

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

/// Seconds of a Julian year of 365.25 days.
pub const YEAR_S: f64 = 365.25 * DAY_S;

/// Areal density of one millimetre of aluminium of 2.6989 g/cm³ (NIST), in g/cm².
pub const G_PER_CM2_OF_MM_AL: f64 = 0.269_89;

/// One MeV per gram in rad: 1.602176634e-13 J over 1e-3 kg is 1.602e-10 Gy, and 1 Gy is 100 rad.
pub const RAD_PER_MEV_G: f64 = 1.602_176_634e-8;

/// Units of time by their names, the largest last, in seconds.
const DURATIONS: [(&str, f64); 6] =
    [("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", DAY_S), ("y", YEAR_S)];

/// What a duration looks like.
const DURATION_FORMS: &str = "\"30s\", \"10min\", \"1h\", \"2d\" or \"5y\"";

/// A length of time in seconds, in TOML a text such as `"5y"`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String")]
pub struct Duration(pub f64);

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration_text(duration.0)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": format!("A duration with its unit, such as {DURATION_FORMS}."),
            "pattern": "^\\s*[0-9.eE+-]+\\s*(ms|s|min|h|d|y)\\s*$"
        })
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a duration with its unit, such as {DURATION_FORMS}")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
                duration_s(text).map(Duration).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The shortest duration, a tick of a fast clock, and the longest: in seconds of an `f64` a moment of
/// it is known to 4 ms.
const DURATION_S_LEAST: f64 = 1e-9;
const DURATION_S_MOST: f64 = 1e6 * YEAR_S;

/// A duration such as `30s`, `10min`, `1.5h`, `2d` or `5y`, in seconds.
///
/// # Errors
/// Where the text is none, or not above zero and finite; says what was expected and found.
pub fn duration_s(text: &str) -> Result<f64, String> {
    let refusal = || {
        format!(
            "expected a duration above zero such as {DURATION_FORMS}, from 1 ns to a million years, \
             found {text:?}"
        )
    };
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(refusal)?;
    let (number, unit) = text.split_at(split);
    let (_, scale) = DURATIONS.iter().find(|(name, _)| *name == unit).ok_or_else(refusal)?;
    let value: f64 = number.trim().parse().map_err(|_| refusal())?;
    let seconds = value * scale;
    let within = (DURATION_S_LEAST..=DURATION_S_MOST).contains(&seconds);
    if within { Ok(seconds) } else { Err(refusal()) }
}

/// A duration in the largest unit of which it is a whole number, or else in seconds.
pub fn duration_text(seconds: f64) -> String {
    let whole = |scale: f64| (seconds / scale).fract() == 0.0 && seconds >= scale;
    let unit = DURATIONS.iter().rev().find(|(name, scale)| *name != "ms" && whole(*scale));
    match unit {
        Some((name, scale)) => format!("{}{name}", seconds / scale),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, seconds) in [("30s", 30.0), ("10min", 600.0), ("1h", 3600.0), ("2.5s", 2.5)] {
            assert_eq!(duration_s(text), Ok(seconds));
            assert_eq!(duration_text(seconds), text);
        }
        assert_eq!(duration_s("1y"), Ok(YEAR_S));
        for text in ["-1h", "0s", "1", "h", "1 fortnight", "nan s", "infs", "2e6y", "1e-9ms"] {
            assert!(duration_s(text).is_err_and(|e| e.contains("expected a duration")), "{text}");
        }
    }
}
