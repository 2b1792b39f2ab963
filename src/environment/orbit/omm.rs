//! Orbit mean-elements messages (CCSDS 502.0-B) in JSON, XML, KVN and CSV, as Celestrak and
//! Space-Track deliver them: one satellite or several.

mod format;

use super::satellite::{MeanElements, Misplaced};
use super::tle;
use crate::environment::epoch::Epoch;
pub(super) use format::Format;

/// One value of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// Its keyword, such as `MEAN_MOTION`.
    key: String,
    /// The value as text, without its unit.
    value: String,
    /// Its line in the file.
    line: usize,
}

/// One satellite's message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message {
    /// Where it begins.
    line: usize,
    fields: Vec<Field>,
}

/// What values must be where they are given: what else than SGP4 in TEME about the Earth, beamline
/// cannot propagate.
const FIXED: [(&str, &[&str]); 5] = [
    ("CENTER_NAME", &["EARTH"]),
    ("REF_FRAME", &["TEME"]),
    ("TIME_SYSTEM", &["UTC"]),
    ("MEAN_ELEMENT_THEORY", &["SGP4", "SGP/SGP4", "SGP"]),
    // 0 is what is distributed, 2 is SGP4; 4 is SGP4-XP.
    ("EPHEMERIS_TYPE", &["0", "2"]),
];

impl Message {
    fn new(line: usize) -> Self {
        Self { line, fields: Vec::new() }
    }

    /// Adds a value; a keyword comes once, an empty value is none.
    ///
    /// # Errors
    /// The line of a keyword that is there already.
    fn add(&mut self, key: &str, value: &str, line: usize) -> Result<(), Misplaced> {
        let (key, value) = (key.trim(), value.trim());
        if key == "COMMENT" || value.is_empty() {
            return Ok(());
        }
        if self.field(key).is_some() {
            let expected = "each keyword once in the message of a satellite".to_owned();
            return Err((line, (expected, format!("{key} again"))));
        }
        self.fields.push(Field { key: key.to_owned(), value: value.to_owned(), line });
        Ok(())
    }

    fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// Where it begins.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// The satellite's name, or else its international designator.
    pub(super) fn name(&self) -> Option<&str> {
        let field = self.field("OBJECT_NAME").or_else(|| self.field("OBJECT_ID"));
        field.map(|field| &*field.value)
    }

    /// The catalogue number.
    pub(super) fn number(&self) -> Option<u64> {
        tle::number(&self.field("NORAD_CAT_ID")?.value)
    }

    /// The elements.
    ///
    /// # Errors
    /// The line, and what is wrong there.
    pub(super) fn elements(&self) -> Result<MeanElements, Misplaced> {
        for (key, values) in FIXED {
            let Some(field) = self.field(key) else { continue };
            if !values.iter().any(|value| field.value.eq_ignore_ascii_case(value)) {
                let expected = format!("{key} of {}", values.join(" or "));
                return Err((field.line, (expected, format!("{:?}", field.value))));
            }
        }
        let epoch = self.required("EPOCH")?;
        let epoch = Epoch::of_ccsds(&epoch.value)
            .map_err(|error| (epoch.line, (error.expected, format!("{:?}", error.found))))?;
        Ok(MeanElements {
            epoch,
            mean_motion_per_day: self.number_in("MEAN_MOTION", 0.01, 20.0)?,
            eccentricity: self.number_in("ECCENTRICITY", 0.0, 0.999)?,
            inclination_deg: self.number_in("INCLINATION", 0.0, 180.0)?,
            node_deg: self.number_in("RA_OF_ASC_NODE", -360.0, 360.0)?,
            perigee_deg: self.number_in("ARG_OF_PERICENTER", -360.0, 360.0)?,
            mean_anomaly_deg: self.number_in("MEAN_ANOMALY", -360.0, 360.0)?,
            drag: self.number_in("BSTAR", -10.0, 10.0)?,
        })
    }

    fn required(&self, key: &str) -> Result<&Field, Misplaced> {
        self.field(key).ok_or_else(|| {
            let expected = format!("{key} in the message of a satellite");
            (self.line, (expected, "none".to_owned()))
        })
    }

    /// A number between two others.
    fn number_in(&self, key: &str, low: f64, high: f64) -> Result<f64, Misplaced> {
        let field = self.required(key)?;
        let number = field.value.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| {
            let expected = format!("{key} from {low} to {high}");
            (field.line, (expected, format!("{:?}", field.value)))
        })
    }
}
