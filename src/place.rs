//! What a user writes in TOML: where its keys stand, and what is wrong with it, by its line.

use crate::{bounded, words};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a file that a user writes is.
const TOML: &str = "a text in TOML";
/// Bytes of one, at most: the shipped ones have some thousand.
const BYTES_MAX: u64 = 16 << 20;
/// The most columns of a line that a message shows.
const SHOWN_MAX: usize = 96;

/// What is wrong with a file that a user wrote.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is a file of another kind.
    #[error("{path}: expected {expected}, found {found}")]
    Kind {
        /// The file.
        path: PathBuf,
        /// What would have been right.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A place in a TOML file is malformed, unknown, of the wrong type or says what cannot be meant.
    #[error("{path}:{line}:{column}: {message}{shown}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1 in characters.
        column: usize,
        /// What was expected and what was found.
        message: String,
        /// The line itself with a caret under the place, each after a line break; or nothing.
        shown: String,
    },
    /// A line of another text cannot be used.
    #[error("{path}:{line}: expected {expected}, found {found}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
}

impl Error {
    /// What is wrong with bytes of a TOML text, which are shown.
    pub fn at(path: &Path, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        let (line, column) = line_and_column(text, span.start);
        let message = message.into();
        // A message that shows a line of another file has no need of this one.
        let shown = if message.contains('\n') { String::new() } else { shown(text, span) };
        Self::Toml { path: path.into(), line, column, message, shown }
    }
}

/// Reads a TOML file that a user wrote.
///
/// # Errors
/// [`Error::Read`] where it cannot be read, [`Error::Kind`] where it is no text.
pub fn read(path: &Path) -> Result<String, Error> {
    let refused =
        |found: &str| Error::Kind { path: path.into(), expected: TOML.into(), found: found.into() };
    let reads_archives = "which `beamline report` reads";
    if path.join("archive.h5").exists() || path.join("segments").is_dir() {
        return Err(refused(&format!("a folder of results, {reads_archives}")));
    }
    let unread = |source| Error::Read { path: path.into(), source };
    let mut file = File::open(path).map_err(unread)?;
    // An archive is longer than any text: its beginning says what it is.
    let mut begin = [0; 6];
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    if is_file && file.read_exact(&mut begin).is_ok() && begin == *b"\x89HDF\r\n" {
        return Err(refused(&format!("an archive, {reads_archives}")));
    }
    tracing::debug!(path = %path.display(), "file read");
    read_text(path, TOML, BYTES_MAX)
}

/// Reads a text of `most` bytes at most; `expected` says what it is.
///
/// # Errors
/// [`Error::Read`] where it cannot be read or is longer, [`Error::Kind`] where it is no text.
pub fn read_text(path: &Path, expected: &str, most: u64) -> Result<String, Error> {
    let bytes = bounded::read(path, most);
    let bytes = bytes.map_err(|source| Error::Read { path: path.into(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let found = format!("bytes in line {line} that are no UTF-8");
        Error::Kind { path: path.into(), expected: expected.into(), found }
    })
}

/// A TOML text with the places of its keys.
pub struct Place<'t> {
    path: PathBuf,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Place<'t> {
    /// Parses `text`; `path` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Toml`] where it is no TOML.
    pub fn parse(path: &Path, text: &'t str) -> Result<Self, Error> {
        let root = DeTable::parse(text).map_err(|error| refused(path, text, &error))?;
        Ok(Self { path: path.into(), text, root })
    }

    /// The document as a `T`.
    ///
    /// # Errors
    /// [`Error::Toml`] with the place of a field that is unknown, missing or of a wrong type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        toml::from_str(self.text).map_err(|error| refused(&self.path, self.text, &error))
    }

    /// The whole document.
    pub fn root(&self) -> &DeTable<'t> {
        self.root.get_ref()
    }

    /// The table under a key of the document, if it is one.
    pub fn table(&self, key: &str) -> Option<&DeTable<'t>> {
        self.root.get_ref().get(key)?.get_ref().as_table()
    }

    /// Whether the document has a key.
    pub fn has(&self, key: &str) -> bool {
        self.root.get_ref().contains_key(key)
    }

    /// The line of a key such as `["scheme", "0", "name"]`, where a number counts the elements of
    /// an array; of the innermost part that stands in the text, where a default does not.
    pub fn line(&self, keys: &[&str]) -> usize {
        line_and_column(self.text, self.span(keys).start).0
    }

    /// The bytes of a key's value; of the key, where the value is a table; of the innermost part
    /// that stands in the text, where a default does not.
    fn span(&self, keys: &[&str]) -> Range<usize> {
        let (name, value) = self.spans(keys);
        value.unwrap_or(name)
    }

    /// The bytes of the innermost key that stands in the text, and of its value where that is the
    /// last key and no table.
    fn spans(&self, keys: &[&str]) -> (Range<usize>, Option<Range<usize>>) {
        let mut span = 0..0;
        let mut of_value = None;
        let mut table = Some(self.root.get_ref());
        let mut value: Option<&Spanned<DeValue<'t>>> = None;
        for (at, key) in keys.iter().enumerate() {
            let next =
                if let Some((name, found)) = table.and_then(|table| table.get_key_value(*key)) {
                    span = name.span();
                    found
                } else if let Some(element) = element(value, key) {
                    span = element.span();
                    element
                } else {
                    break;
                };
            if at + 1 == keys.len() && !holds_tables(next.get_ref()) {
                of_value = Some(next.span());
            }
            value = Some(next);
            table = next.get_ref().as_table();
        }
        (span, of_value)
    }

    /// The error that a key itself cannot be used.
    pub fn key(&self, keys: &[&str], expected: impl Display, found: impl Display) -> Error {
        let message = format!("expected {expected}, found {}", words::line(&found.to_string()));
        Error::at(&self.path, self.text, &self.spans(keys).0, message)
    }

    /// The error that a key's value cannot be used.
    pub fn value(&self, keys: &[&str], expected: impl Into<String>, found: impl Display) -> Error {
        let found = found.to_string();
        self.said(keys, format!("expected {}, found {}", expected.into(), words::line(&found)))
    }

    /// The error that a key's value cannot be used, in the words of what refused it.
    pub fn said(&self, keys: &[&str], message: impl Into<String>) -> Error {
        Error::at(&self.path, self.text, &self.span(keys), message)
    }
}

/// The line of a place and a caret under it, each after a line break.
fn shown(text: &str, span: &Range<usize>) -> String {
    let (line, column) = line_and_column(text, span.start);
    let Some(whole) = text.lines().nth(line - 1).filter(|line| !line.trim().is_empty()) else {
        return String::new();
    };
    // One character each, so that the caret stands where it should.
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let first = column.saturating_sub(1);
    let from = (first + 8).saturating_sub(SHOWN_MAX);
    let excerpt: String = whole.chars().map(plain).skip(from).take(SHOWN_MAX).collect();
    let left = excerpt.chars().count().saturating_sub(first - from).max(1);
    let wide = text
        .get(span.clone())
        .map_or(1, |part| part.lines().next().map_or(1, |part| part.trim_end().chars().count()));
    let number = line.to_string();
    let (margin, before) = (" ".repeat(number.len()), " ".repeat(first - from));
    let carets = "^".repeat(wide.clamp(1, left));
    let excerpt = words::line(&excerpt);
    format!("\n  {number} | {}\n  {margin} | {before}{carets}", excerpt.trim_end())
}

/// Whether a value is a table, or an array of tables.
fn holds_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(elements) => {
            elements.iter().next().is_some_and(|element| element.get_ref().is_table())
        }
        _ => false,
    }
}

/// What the parser refuses, with the name that was probably meant.
pub fn refused(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let mut message = error.message().lines().collect::<Vec<_>>().join(", ");
    if message.starts_with("unknown ") {
        // unknown field `a`, expected one of `b`, `c`
        let mut names = message.split('`').skip(1).step_by(2);
        let found = names.next().unwrap_or_default();
        let meant = words::meant(found, names);
        message.push_str(&meant);
    }
    if let (Some(date), Some((_, expected))) = (date(text, error), message.split_once("expected "))
    {
        let quotes = if expected.contains("string") {
            format!(": write it in quotes, \"{date}\"")
        } else {
            String::new()
        };
        message = format!("expected {expected}, found a date{quotes}");
    }
    match error.span() {
        // What the whole document lacks stands on no line of it.
        Some(span) if !(span.start == 0 && text[span.clone()].contains('\n')) => {
            Error::at(path, text, &span, message)
        }
        _ => {
            let shown = String::new();
            Error::Toml { path: path.into(), line: 1, column: 1, message, shown }
        }
    }
}

/// The bare date of TOML that an error is about, which its own message calls a map.
fn date<'t>(text: &'t str, error: &toml::de::Error) -> Option<&'t str> {
    let part = text.get(error.span()?)?;
    part.parse::<toml::value::Datetime>().is_ok().then_some(part)
}

fn element<'v, 't>(
    array: Option<&'v Spanned<DeValue<'t>>>,
    key: &str,
) -> Option<&'v Spanned<DeValue<'t>>> {
    array?.get_ref().as_array()?.get(key.parse::<usize>().ok()?)
}

/// Line and column of a byte of `text`, both counted from 1.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

/// The first line of a message, without the column of its place.
#[cfg(test)]
pub(crate) fn by_line(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let parts: Vec<&str> = first.splitn(4, ':').collect();
    match parts[..] {
        [path, line, column, rest] if column.parse::<usize>().is_ok() => {
            format!("{path}:{line}:{rest}")
        }
        _ => first.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tables_elements_and_absent_keys_have_lines() {
        let text = "name = \"a\"\n\n[faults]\nbits = [\n  1,\n  2,\n]\n\n[[scheme]]\nname = \"x\"\n\n\
                    [[scheme]]\nname = \"y\"\n[scheme.scrub]\nby = \"vote\"\n";
        let place = Place::parse(Path::new("a.toml"), text).expect("well-formed");
        for (keys, line) in [
            (&["name"][..], 1),
            (&["faults"], 3),
            (&["faults", "bits"], 4),
            (&["faults", "bits", "1"], 6),
            (&["faults", "count"], 3),
            (&["scheme", "0", "name"], 10),
            (&["scheme", "1"], 12),
            (&["scheme", "1", "name"], 13),
            (&["scheme", "1", "scrub", "by"], 15),
            (&["stop"], 1),
        ] {
            assert_eq!(place.line(keys), line, "{keys:?}");
        }
        assert_eq!(line_and_column("é\nab", 4), (2, 2));
    }

    #[test]
    fn a_refusal_shows_the_line_with_a_caret_under_the_value() {
        let text = "name = \"a\"\n\n[memory]\n\tpreset = \"hbm9\" # fast\n[[scheme]]\nname = \"x\"\n\
                    scrub = { every = \"1h\" }\n";
        let place = Place::parse(Path::new("a.toml"), text).expect("well-formed");
        let shown = |keys: &[&str]| place.value(keys, "a", "b\u{1b}").to_string();
        assert_eq!(
            shown(&["memory", "preset"]),
            "a.toml:4:11: expected a, found b\\u{1b}\n  4 |  preset = \"hbm9\" # fast\n    \
             |           ^^^^^^"
        );
        assert_eq!(
            shown(&["scheme", "0", "scrub", "every"]),
            "a.toml:7:19: expected a, found b\\u{1b}\n  7 | scrub = { every = \"1h\" }\n    \
             |                   ^^^^"
        );
        // A table is shown by its name, what is not there by what it would stand in.
        assert!(shown(&["memory", "map"]).ends_with("\n  3 | [memory]\n    |  ^^^^^^"));
        assert!(shown(&["scheme", "0", "scrub"]).ends_with("\n    | ^^^^^"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("name = \"a\"\nlist = [{}, true]\n", vec!["1"; 300].join(", "));
        let place = Place::parse(Path::new("a.toml"), &text).expect("well-formed");
        let error = place.value(&["list", "300"], "a number", "true").to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert!(lines[1].chars().count() <= SHOWN_MAX + 8, "{error}");
        let caret = lines[2].find('^').expect("a caret");
        assert!(lines[1][caret..].starts_with("true]"), "{error}");
    }

    #[test]
    fn a_bare_date_is_named_with_the_quotes_that_it_lacks() {
        #[derive(Debug, serde::Deserialize)]
        struct Table {
            #[serde(rename = "start")]
            _start: String,
            #[serde(rename = "days")]
            _days: f64,
        }
        let read = |text: &str| {
            let place = Place::parse(Path::new("a.toml"), text).expect("well-formed");
            by_line(&place.read::<Table>().expect_err("a date").to_string())
        };
        assert_eq!(
            read("start = 2026-01-01\ndays = 1\n"),
            "a.toml:1: expected a string, found a date: write it in quotes, \"2026-01-01\""
        );
        let found = read("start = \"2026-01-01\"\ndays = 2026-01-01T06:00:00Z\n");
        assert!(found.ends_with(", found a date"), "{found}");
    }

    #[test]
    fn a_word_that_is_nearly_right_is_suggested() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(rename = "count")]
            _count: u32,
        }
        let text = "coumt = 1\n";
        let place = Place::parse(Path::new("a.toml"), text).expect("well-formed");
        let error = place.read::<Table>().expect_err("no such field").to_string();
        assert!(
            error.contains("unknown field `coumt`, expected `count`; did you mean `count`?"),
            "{error}"
        );
        assert!(error.ends_with("\n  1 | coumt = 1\n    | ^^^^^"), "{error}");
    }
}
