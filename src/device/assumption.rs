//! The figures that a rate rests on, each as a reader of results meets it.

use super::{Event, Figure, Level, Mark, Memory, Mode, Pattern, Per};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A figure with its band, how well it is known, and its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assumption {
    /// What it is of: a mode of a device, a memory, a pattern.
    pub subject: String,
    /// Which figure, by the key of its file.
    pub figure: String,
    /// The low end of its band, the value that was used, the high end.
    #[serde(flatten, with = "levels")]
    #[schemars(with = "Levels")]
    pub values: [f64; 3],
    /// The unit; `1` for a plain number.
    pub unit: String,
    /// How well it is known.
    pub mark: String,
    /// Where it comes from.
    pub source: String,
}

/// A figure at its three levels, as an object of archives and exports.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Levels {
    /// The low end of its band.
    low: f64,
    /// The value that was used.
    value: f64,
    /// The high end of its band.
    high: f64,
}

/// Serde: [`Levels`].
pub(crate) mod levels {
    use super::Levels;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &[f64; 3], to: S) -> Result<S::Ok, S::Error> {
        let [low, value, high] = *values;
        Levels { low, value, high }.serialize(to)
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<[f64; 3], D::Error> {
        let Levels { low, value, high } = Levels::deserialize(from)?;
        Ok([low, value, high])
    }
}

impl Assumption {
    /// A figure that the user's own file states.
    pub fn stated(subject: &str, figure: &str, value: f64, unit: &str, source: &str) -> Self {
        Self {
            subject: subject.into(),
            figure: figure.into(),
            values: [value; 3],
            unit: unit.into(),
            mark: "stated".into(),
            source: source.into(),
        }
    }

    /// A rate of a mode that follows from its cross-section: low, as used, high; no better known
    /// than the weakest of the figures behind it.
    pub fn rate(device: &str, mode: &Mode, values: [f64; 3], unit: &str, source: &str) -> Self {
        let marks = mode.figures().map(|(_, figure)| figure.mark);
        Self {
            subject: subject(device, mode),
            figure: "rate".into(),
            values,
            unit: unit.into(),
            mark: marks.fold(Mark::Derived, Mark::max).name().into(),
            source: source.into(),
        }
    }

    /// The figures of a mode's cross-section at a level, and those of its pattern.
    pub fn of_mode(
        device: &str,
        mode: &Mode,
        level: Level,
        pattern: Option<&Pattern>,
    ) -> Vec<Self> {
        let of = |(key, figure): (String, &Figure)| Self {
            subject: subject(device, mode),
            values: [figure.at(Level::Low), figure.at(level), figure.at(Level::High)],
            unit: unit(&key, Some(mode.per)),
            mark: figure.mark.name().into(),
            source: figure.source.clone(),
            figure: key,
        };
        let pattern = pattern.into_iter().flat_map(Self::of_pattern);
        mode.figures().map(of).chain(pattern).collect()
    }

    /// The shares of a pattern's shapes and the bits that each strikes.
    fn of_pattern(pattern: &Pattern) -> Vec<Self> {
        let row = |at: usize, event: &Event, key: &str, value: f64, mark: Mark| Self {
            subject: format!("pattern {}", pattern.name),
            figure: format!("event {} ({}), {key}", at + 1, event.shape.name()),
            values: [value; 3],
            unit: "1".into(),
            mark: mark.name().into(),
            source: pattern.source.clone(),
        };
        let of = |(at, event): (usize, &Event)| {
            [
                row(at, event, "share", event.share, event.mark),
                row(at, event, "bits", event.bits, event.bits_mark),
            ]
        };
        pattern.events.iter().enumerate().flat_map(of).collect()
    }

    /// The figures of a memory.
    pub fn of_memory(memory: &Memory) -> Vec<Self> {
        let of = |(key, figure): &(String, Figure)| Self {
            subject: format!("memory {}", memory.name),
            figure: key.clone(),
            values: Level::ALL.map(|level| figure.at(level)),
            unit: unit(key, None),
            mark: figure.mark.name().into(),
            source: figure.source.clone(),
        };
        memory.figures.iter().map(of).collect()
    }

    /// Each figure once, where modes share a pattern.
    #[must_use]
    pub fn once(mut all: Vec<Self>) -> Vec<Self> {
        let mut known = std::collections::HashSet::new();
        all.retain(|row| known.insert((row.subject.clone(), row.figure.clone())));
        all
    }
}

fn subject(device: &str, mode: &Mode) -> String {
    format!("{device}, {}", mode.name)
}

/// The unit that the end of a key names.
fn unit(key: &str, per: Option<Per>) -> String {
    const UNITS: [(&str, &str); 6] = [
        ("_mev_cm2_per_mg", "MeV cm²/mg"),
        ("_bytes_s", "bytes/s"),
        ("_mev", "MeV"),
        ("_um", "µm"),
        ("_bytes", "bytes"),
        ("_s", "s"),
    ];
    if key.ends_with("_cm2") {
        return per.map_or_else(|| "cm²".into(), |per| format!("cm²/{}", per.name()));
    }
    let known = UNITS.into_iter().find(|(end, _)| key.ends_with(end));
    known.map_or("1", |(_, unit)| unit).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    #[test]
    fn units_are_those_that_keys_end_in() {
        for (key, found) in [
            ("proton.anchor_cm2", "cm²/data-bit"),
            ("proton.onset_mev", "MeV"),
            ("heavy_ion.onset_let_mev_cm2_per_mg", "MeV cm²/mg"),
            ("heavy_ion.depth_um", "µm"),
            ("proton.exponent", "1"),
            ("bandwidth_bytes_s", "bytes/s"),
            ("reset_s", "s"),
        ] {
            assert_eq!(unit(key, Some(Per::DataBit)), found, "{key}");
        }
    }

    #[test]
    fn every_figure_of_a_mode_has_its_row_and_a_rate_the_weakest_mark() {
        let (device, _) = Device::load("trillium-hbm").expect("a shipped device");
        let mode = device.modes.iter().find(|mode| mode.name == "upset").expect("its mode");
        let rows = Assumption::of_mode(&device.name, mode, Level::Nominal, mode.pattern.as_ref());
        let shapes = mode.pattern.as_ref().map_or(0, |pattern| pattern.events.len());
        assert_eq!(rows.len(), mode.figures().count() + 2 * shapes);
        let anchor = rows.iter().find(|row| row.figure == "proton.anchor_cm2").expect("its row");
        assert_eq!(
            (anchor.values, anchor.unit.as_str()),
            ([1.05e-20, 3.5e-20, 1.05e-19], "cm²/data-bit")
        );
        assert_eq!(anchor.mark, "assumed");
        let rate = Assumption::rate(&device.name, mode, [1.0, 2.0, 3.0], "1/day", "a test");
        assert_eq!(rate.mark, "assumed", "no better known than the shape of the curve");
    }
}
