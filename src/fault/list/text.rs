//! The text of a fault list: comments, lines, what the CSV parser refuses.

use super::Error;
use std::path::Path;

/// Bytes of a line, at most.
const LINE_MAX: usize = 1 << 16;

/// The text with its comments and its lines of blanks emptied, so that lines keep their numbers. A
/// comment begins with `#`, which a spreadsheet may have put in quotes.
pub(super) fn without_comments(path: &Path, text: &[u8]) -> Result<Vec<u8>, Error> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let mut kept = Vec::with_capacity(text.len());
    for (line, content) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        if content.len() > LINE_MAX {
            let expected = format!("a line of at most {LINE_MAX} bytes");
            let found = format!("{} bytes", content.len());
            return Err(Error::Value { path: path.into(), line, expected, found });
        }
        let trimmed = content.trim_ascii();
        let comment = trimmed.strip_prefix(b"\"").unwrap_or(trimmed).starts_with(b"#");
        kept.extend_from_slice(if comment || trimmed.is_empty() { b"\n" } else { content });
    }
    Ok(kept)
}

/// Counts lines up to a record. The reader's own count stands still at the blank lines before a
/// record, and at the second half of a line that ends in CR LF.
pub(super) struct Lines<'t> {
    text: &'t [u8],
    offset: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { text, offset: 0, line: 1 }
    }

    /// The line of a record that begins at a position, or of the next one.
    pub(super) fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let start = position.and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(self.offset);
        let ends = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let rest = self.text.get(start..).unwrap_or_default();
        let start = (start + rest.iter().take_while(ends).count()).max(self.offset);
        let passed = self.text.get(self.offset..start).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.offset = start;
        self.line
    }
}

/// What the parser refuses, in this project's words.
pub(super) fn csv_error(path: &Path, line: u64, error: csv::Error) -> Error {
    let path = path.into();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::Read { path, source },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => Error::Value {
            path,
            line,
            expected: format!("{expected_len} cells, as the header has"),
            found: len.to_string(),
        },
        csv::ErrorKind::Utf8 { err, .. } => Error::Csv {
            path,
            line,
            message: format!("expected UTF-8, found another encoding: {err}"),
        },
        other => Error::Csv { path, line, message: format!("malformed CSV: {other:?}") },
    }
}
