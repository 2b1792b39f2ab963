//! What a user writes in TOML: where its keys stand, and what is wrong with it, by its line.

use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

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
    /// The TOML is malformed, has an unknown field or a value of the wrong type.
    #[error("{path}:{line}:{column}: {message}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1 in characters.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// A value cannot be used.
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

    /// The table under a key of the document, if it is one.
    pub fn table(&self, key: &str) -> Option<&DeTable<'t>> {
        self.root.get_ref().get(key)?.get_ref().as_table()
    }

    /// The line of a key such as `["scheme", "0", "name"]`, where a number counts the elements of
    /// an array; of the innermost part that stands in the text, where a default does not.
    pub fn line(&self, keys: &[&str]) -> usize {
        let mut offset = 0;
        let mut table = Some(self.root.get_ref());
        let mut value: Option<&Spanned<DeValue<'t>>> = None;
        for key in keys {
            let next =
                if let Some((name, found)) = table.and_then(|table| table.get_key_value(*key)) {
                    offset = name.span().start;
                    found
                } else if let Some(element) = element(value, key) {
                    offset = element.span().start;
                    element
                } else {
                    break;
                };
            value = Some(next);
            table = next.get_ref().as_table();
        }
        line_and_column(self.text, offset).0
    }

    /// The error that a key's value cannot be used.
    pub fn value(&self, keys: &[&str], expected: impl Into<String>, found: impl Display) -> Error {
        Error::Value {
            path: self.path.clone(),
            line: self.line(keys),
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}

fn refused(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    Error::Toml { path: path.into(), line, column, message }
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
}
