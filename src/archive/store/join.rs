//! Parts of one run, made elsewhere, become one result.

use super::read::{Read, read};
use super::segment::refuse_other;
use super::writer::Writer;
use super::{Stored, StoredHeader};
use crate::archive::Error;
use std::path::{Path, PathBuf};

/// Joins the parts at `paths` into one result in `folder`; `close` makes what the summary needs beside rows
/// from the header and all of them. Gives the path of the archive.
///
/// # Errors
/// Where a part cannot be read, is of another experiment than the first or overlaps another one, where one is
/// missing, or where `folder` holds results or cannot be written.
pub fn join<S: Stored>(
    paths: &[PathBuf],
    folder: &Path,
    close: impl FnOnce(&S::Header, &[S]) -> Result<S::Given, Error>,
) -> Result<PathBuf, Error> {
    let mut parts = Vec::new();
    for path in paths {
        let Read { header, rows, .. } = read::<S>(path)?;
        parts.push((path, header, rows));
    }
    parts.sort_by_key(|(_, _, rows)| rows.stretch().0);
    let missing = || Error::Missing { path: folder.to_path_buf() };
    let header = parts.first().map(|(_, header, _)| header.clone()).ok_or_else(missing)?;
    let [one, several] = S::COUNTED;
    let mut next = 0;
    for (path, theirs, rows) in &parts {
        refuse_other::<S>(path, header.fingerprint(), theirs.fingerprint())?;
        let (first, count) = rows.stretch();
        if first != next {
            let expected = format!("a part that begins with {one} {next}");
            return Err(Error::content(
                path,
                expected,
                format!("one that begins with {one} {first}"),
            ));
        }
        next += count;
    }
    let total = S::total(&header);
    if next != total {
        let expected = format!("{total} {several} in all parts");
        return Err(Error::content(folder, expected, format!("{next} of them")));
    }
    let parts: Vec<S> = parts.into_iter().map(|(_, _, rows)| rows).collect();
    let given = close(&header, &parts)?;
    let mut writer = Writer::start(folder, header)?;
    for part in parts {
        writer.send(part)?;
    }
    writer.finish(given)
}
