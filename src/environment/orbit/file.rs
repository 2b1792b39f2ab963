//! Files of elements: two-line elements or orbit mean-elements messages, of one satellite or many.

use super::omm::{Format, Message};
use super::satellite::{MeanElements, Misplaced, Satellite};
use super::tle::{self, TwoLines};
use crate::place;
use std::path::Path;

/// The most satellites that a refusal lists.
const LISTED: usize = 20;
/// The most characters of a satellite's name.
const NAME_MAX: usize = 100;

/// One satellite of a file.
enum Entry<'t> {
    Tle(TwoLines<'t>),
    Omm(Message),
}

impl Entry<'_> {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Tle(lines) => lines.name,
            Self::Omm(message) => message.name(),
        }
    }

    fn number(&self) -> Option<u64> {
        match self {
            Self::Tle(lines) => lines.number(),
            Self::Omm(message) => message.number(),
        }
    }

    const fn line(&self) -> usize {
        match self {
            Self::Tle(lines) => lines.line(),
            Self::Omm(message) => message.line(),
        }
    }

    fn elements(&self) -> Result<MeanElements, Misplaced> {
        match self {
            Self::Tle(lines) => lines.elements(),
            Self::Omm(message) => message.elements(),
        }
    }

    /// Whether it is the satellite of a name or a catalogue number.
    fn is(&self, asked: &str) -> bool {
        let asked = asked.trim();
        let named = self.name().is_some_and(|name| name.eq_ignore_ascii_case(asked));
        named || (self.number().is_some() && self.number() == tle::number(asked))
    }

    /// Its number and its name.
    fn said(&self) -> String {
        let number = self.number().map(|number| number.to_string());
        let parts = [number.as_deref(), self.name()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn called(&self) -> String {
        match (self.name(), self.number()) {
            (Some(name), _) => name.to_owned(),
            (None, Some(number)) => format!("catalogue number {number}"),
            (None, None) => "unnamed".to_owned(),
        }
    }
}

/// The satellite of a file: the only one, or the one of a name or a catalogue number.
///
/// # Errors
/// With the line, where the format or a value is wrong; where the satellite is not in the file, or
/// none is named and there are several: with the list of those that are there.
pub(super) fn read(
    path: &Path,
    text: &str,
    satellite: Option<&str>,
) -> Result<Satellite, place::Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refused = |(line, (expected, found))| place::Error::Value {
        path: path.into(),
        line,
        expected,
        found,
    };
    let entries: Vec<Entry<'_>> = match Format::of(text) {
        Some(format) => format.read(text).map_err(refused)?.into_iter().map(Entry::Omm).collect(),
        None => tle::read(path, text)?.into_iter().map(Entry::Tle).collect(),
    };
    let entry = chosen(&entries, satellite).map_err(refused)?;
    let name = entry.called();
    if name.chars().any(char::is_control) || name.chars().count() > NAME_MAX {
        let expected = format!("a name of at most {NAME_MAX} characters, none of them control");
        return Err(refused((entry.line(), (expected, format!("{name:?}")))));
    }
    let elements = entry.elements().map_err(refused)?;
    Satellite::new(name, elements).map_err(|refusal| refused((entry.line(), refusal)))
}

/// The one entry that is meant.
fn chosen<'e, 't>(
    entries: &'e [Entry<'t>],
    satellite: Option<&str>,
) -> Result<&'e Entry<'t>, Misplaced> {
    let meant: Vec<&Entry<'_>> =
        entries.iter().filter(|entry| satellite.is_none_or(|asked| entry.is(asked))).collect();
    match (&meant[..], satellite) {
        ([one], _) => Ok(*one),
        ([], None) => {
            let expected = "the elements of a satellite".to_owned();
            Err((1, (expected, "none".to_owned())))
        }
        ([], Some(asked)) => {
            let expected = format!("a satellite of the file: {}", list(entries.iter()));
            Err((1, (expected, format!("satellite {asked:?}"))))
        }
        ([first, ..], None) => {
            let expected = format!(
                "the name or number of a satellite (--satellite, or `satellite` beside the file) \
                 of the {} of the file: {}",
                entries.len(),
                list(entries.iter())
            );
            Err((first.line(), (expected, "no satellite named".to_owned())))
        }
        ([_, second, ..], Some(asked)) => {
            let expected = format!("one set of elements of satellite {asked:?}");
            let found = format!("{} of them: {}", meant.len(), list(meant.iter().copied()));
            Err((second.line(), (expected, found)))
        }
    }
}

/// Satellites by number and name, the first so many.
fn list<'e, 't: 'e>(entries: impl ExactSizeIterator<Item = &'e Entry<'t>>) -> String {
    let more = entries.len().saturating_sub(LISTED);
    let mut said: Vec<String> = entries
        .take(LISTED)
        .map(|entry| entry.said().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect())
        .collect();
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    said.join(", ")
}
