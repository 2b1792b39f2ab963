//! HDF5 files as archives use them: no object times, UTF-8 text of fixed length, compressed tables
//! with a checksum on every chunk, and a finished file under its name or none.
//!
//! Text has a fixed length because the library follows the pointers of variable-length text
//! without checking them: one wrong byte there ends the process.

use super::kind::own_file;
use super::{Error, checksum};
use crate::output::{self, Draft};
use bytemuck::NoUninit;
use hdf5::filters::Filter;
use hdf5::types::{FixedUnicode, TypeDescriptor};
use hdf5::{Extent, File, Group, H5Type, Location};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The attribute with the digest of a dataset: SHA-256 of its rows as they lie in memory, in hexadecimal.
const SHA256: &str = "sha256";

/// The most rows of a chunk, which are some 200 to 400 KiB before compression.
pub(super) const CHUNK_ROWS: usize = 4096;
/// The most bytes of a chunk before compression.
pub(super) const CHUNK_BYTES: usize = 1 << 20;
/// How every chunk is stored: compressed, with a checksum over what lies in the file.
pub(super) const FILTERS: [Filter; 3] = [Filter::Shuffle, Filter::Deflate(4), Filter::Fletcher32];

/// The most bytes of a name.
pub(super) const NAME: usize = 256;
/// A name in a table.
type Name = FixedUnicode<NAME>;
/// A text in a column, at its longest.
pub(super) type Text = FixedUnicode<4096>;
/// The longest text of an attribute, which HDF5 bounds at 64 KiB.
type AttributeText = FixedUnicode<16_384>;

/// Creates a file without object times, so that its bytes follow from what is written, and with
/// the checksums on metadata that HDF5 1.10 knows.
pub(super) fn create(path: &Path) -> hdf5::Result<File> {
    let mut options = unlocked();
    options.with_fapl(|access| access.file_locking(false).libver_v110());
    options.with_fcpl(|file| file.obj_track_times(false)).create(path)
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> hdf5::Result<File> {
    unlocked().open(path)
}

/// Without HDF5's own locks: a file is complete from the moment it has its name, network file
/// systems may refuse such locks, and a child process would hold them on.
fn unlocked() -> hdf5::FileBuilder {
    let mut options = File::with_options();
    options.with_fapl(|access| access.file_locking(false));
    options
}

/// What a file holds in place of what it should.
pub(super) fn unexpected(
    expected: impl std::fmt::Display,
    found: impl std::fmt::Display,
) -> hdf5::Error {
    hdf5::Error::Internal(format!("expected {expected}, found {found}"))
}

/// Creates a group.
pub(super) fn group(parent: &Group, name: &str) -> hdf5::Result<Group> {
    parent.create_group_builder().obj_track_times(false).create(name)
}

/// Text of at most `N` bytes as HDF5 keeps it: a NUL would end it, and becomes U+FFFD.
pub(super) fn text<const N: usize>(value: &str) -> hdf5::Result<FixedUnicode<N>> {
    let safe = value.replace('\0', "\u{fffd}");
    let long = |_| {
        unexpected(
            format!("a text of at most {N} bytes"),
            format!("{} bytes: {value:.60}…", safe.len()),
        )
    };
    safe.parse().map_err(long)
}

/// The text, which must be UTF-8.
fn string<const N: usize>(text: &FixedUnicode<N>) -> hdf5::Result<String> {
    utf8(text.as_bytes().to_vec())
}

fn utf8(bytes: Vec<u8>) -> hdf5::Result<String> {
    String::from_utf8(bytes).map_err(|error| unexpected("text in UTF-8", error))
}

/// Writes a scalar attribute.
pub(super) fn set<T: H5Type>(at: &Location, name: &str, value: &T) -> hdf5::Result<()> {
    at.new_attr::<T>().create(name)?.write_scalar(value)
}

/// Writes a text attribute, as long as the text.
pub(super) fn set_text(at: &Location, name: &str, value: &str) -> hdf5::Result<()> {
    let text: AttributeText = text(value)?;
    let length = TypeDescriptor::FixedUnicode(text.as_bytes().len().max(1));
    at.new_attr_builder().empty_as(length).create(name)?.write_scalar(&text)
}

/// Says what the codes 0, 1, … of a column mean.
pub(super) fn set_names(at: &Location, name: &str, names: &[&str]) -> hdf5::Result<()> {
    let names = names.iter().map(|name| text(name)).collect::<hdf5::Result<Vec<Name>>>()?;
    let longest = names.iter().map(|name| name.as_bytes().len()).max().unwrap_or(0);
    let length = TypeDescriptor::FixedUnicode(longest.max(1));
    at.new_attr_builder().empty_as(length).shape(names.len()).create(name)?.write_raw(&names)
}

/// Reads a scalar attribute, which must be of this very type.
pub(super) fn get<T: H5Type>(at: &Location, name: &str) -> hdf5::Result<T> {
    let attribute = at.attr(name)?;
    let (expected, found) = (T::type_descriptor(), attribute.dtype()?.to_descriptor()?);
    if expected != found || !attribute.is_scalar() {
        return Err(unexpected(format!("{name}, one {expected}"), found));
    }
    attribute.read_scalar()
}

/// Reads a text attribute.
pub(super) fn get_text(at: &Location, name: &str) -> hdf5::Result<String> {
    let attribute = at.attr(name)?;
    let found = attribute.dtype()?.to_descriptor()?;
    let room = AttributeText::capacity();
    let known = matches!(found, TypeDescriptor::FixedUnicode(length) if length <= room);
    if !known || !attribute.is_scalar() {
        return Err(unexpected(format!("{name}, text of at most {room} bytes"), found));
    }
    string(&attribute.read_scalar::<AttributeText>()?)
}

/// Writes a text as a dataset of its bytes, however long, with their digest.
pub(super) fn put_text(at: &Group, name: &str, value: &str) -> hdf5::Result<()> {
    put_table(at, name, value.as_bytes())?;
    let dataset = at.dataset(name)?;
    set_text(&dataset, "encoding", "utf-8")?;
    set_text(&dataset, SHA256, &hex(&Sha256::digest(value)))
}

/// Reads a text dataset, which must be as its digest says.
pub(super) fn take_text(at: &Group, name: &str) -> hdf5::Result<String> {
    utf8(take_series(at, name)?)
}

/// Writes a value as JSON in a text dataset.
pub(super) fn put_json(at: &Group, name: &str, value: &impl Serialize) -> hdf5::Result<()> {
    put_text(at, name, &json(value)?)
}

/// Reads a value from JSON in a text dataset.
pub(super) fn take_json<T: DeserializeOwned>(at: &Group, name: &str) -> hdf5::Result<T> {
    let error = |error: serde_json::Error| {
        unexpected(format!("JSON as beamline writes it in {name}"), error)
    };
    serde_json::from_str(&take_text(at, name)?).map_err(error)
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> hdf5::Result<String> {
    serde_json::to_string(value).map_err(|error| hdf5::Error::Internal(error.to_string()))
}

/// Writes a table at once, and says what it holds.
pub(super) fn put_series<T: H5Type + NoUninit>(
    at: &Group,
    name: &str,
    rows: &[T],
    about: &str,
) -> hdf5::Result<()> {
    let mut table = LongTable::create(at, name, rows.len(), about)?;
    table.push(rows)?;
    table.finish()
}

/// Writes a small table.
fn put_table<T: H5Type + Clone>(at: &Group, name: &str, rows: &[T]) -> hdf5::Result<()> {
    let dataset = create_table::<T>(at, name, rows.len())?;
    if rows.is_empty() { Ok(()) } else { dataset.write_raw(rows) }
}

/// Rows of a chunk of a table of `rows` rows of `bytes` each.
pub(super) const fn chunk_rows(rows: usize, bytes: usize) -> usize {
    let most = if bytes == 1 { CHUNK_BYTES } else { CHUNK_ROWS };
    let fit = if bytes > CHUNK_BYTES { 1 } else { CHUNK_BYTES / bytes };
    let most = if fit < most { fit } else { most };
    if rows == 0 {
        1
    } else if rows < most {
        rows
    } else {
        most
    }
}

fn create_table<T: H5Type>(at: &Group, name: &str, rows: usize) -> hdf5::Result<hdf5::Dataset> {
    at.new_dataset_builder()
        .obj_track_times(false)
        .empty::<T>()
        .shape([Extent::resizable(rows)])
        .chunk([chunk_rows(rows, size_of::<T>())])
        .set_filters(&FILTERS)
        .create(name)
}

/// Reads a table, whose columns must be those of `T`, and whose rows must be as its digest says.
pub(super) fn take_series<T: H5Type + NoUninit>(at: &Group, name: &str) -> hdf5::Result<Vec<T>> {
    let rows = take_table::<T>(at, name)?;
    let expected = get_text(&*at.dataset(name)?, SHA256)?;
    let found = hex(&Sha256::digest(bytemuck::cast_slice::<T, u8>(&rows)));
    if expected != found {
        return Err(unexpected(
            format!("{name} whose rows have the SHA-256 digest {expected}"),
            found,
        ));
    }
    Ok(rows)
}

/// Likewise, without a look at its digest: a column that is missing would leave memory as it was
/// found.
fn take_table<T: H5Type>(at: &Group, name: &str) -> hdf5::Result<Vec<T>> {
    let dataset = at.dataset(name)?;
    let (expected, found) = (T::type_descriptor(), dataset.dtype()?.to_descriptor()?);
    if let Some((expected, found)) = difference(&expected, &found) {
        return Err(unexpected(format!("in {name} {expected}"), found));
    }
    if dataset.ndim() != 1 {
        return Err(unexpected(format!("{name} of one dimension"), dataset.ndim()));
    }
    if dataset.size() == 0 { Ok(Vec::new()) } else { dataset.read_raw() }
}

/// The first thing in which a type is not what it should be.
fn difference(expected: &TypeDescriptor, found: &TypeDescriptor) -> Option<(String, String)> {
    let (TypeDescriptor::Compound(ours), TypeDescriptor::Compound(theirs)) = (expected, found)
    else {
        return (expected != found).then(|| (expected.to_string(), found.to_string()));
    };
    let columns = ours.fields.iter().map(Some).chain(std::iter::repeat(None));
    let theirs_too = theirs.fields.iter().map(Some).chain(std::iter::repeat(None));
    let count = ours.fields.len().max(theirs.fields.len());
    for (at, (ours, theirs)) in columns.zip(theirs_too).take(count).enumerate() {
        if ours == theirs {
            continue;
        }
        let named = |field: Option<&hdf5::types::CompoundField>| match field {
            Some(field) => format!("{} ({}, from byte {})", field.name, field.ty, field.offset),
            None => "none".to_owned(),
        };
        return Some((format!("column {} {}", at + 1, named(ours)), named(theirs)));
    }
    let bytes = |size: usize| format!("rows of {size} bytes");
    (ours.size != theirs.size).then(|| (bytes(ours.size), bytes(theirs.size)))
}

/// A long table of rows, chunked and compressed, written chunk by chunk.
///
/// Only whole chunks are written before the last, so that each is compressed once and the stored
/// bytes do not depend on how the rows were grouped when they came.
pub(super) struct LongTable<T> {
    dataset: hdf5::Dataset,
    chunk: usize,
    waiting: Vec<T>,
    written: usize,
    digest: Sha256,
}

impl<T: H5Type + NoUninit> LongTable<T> {
    /// Creates the table for exactly `count` rows.
    pub(super) fn create(
        at: &Group,
        name: &str,
        count: usize,
        description: &str,
    ) -> hdf5::Result<Self> {
        let dataset = create_table::<T>(at, name, count)?;
        set_text(&dataset, "description", description)?;
        let chunk = chunk_rows(count, size_of::<T>());
        Ok(Self { dataset, chunk, waiting: Vec::new(), written: 0, digest: Sha256::new() })
    }

    /// The dataset, for its attributes.
    pub(super) fn location(&self) -> &Location {
        &self.dataset
    }

    /// Takes rows in.
    pub(super) fn push(&mut self, rows: &[T]) -> hdf5::Result<()> {
        self.digest.update(bytemuck::cast_slice::<T, u8>(rows));
        self.waiting.extend_from_slice(rows);
        let whole = self.waiting.len() / self.chunk * self.chunk;
        self.write(whole)
    }

    /// Writes what is left, and the digest of all rows.
    pub(super) fn finish(mut self) -> hdf5::Result<()> {
        self.write(self.waiting.len())?;
        set_text(&self.dataset, SHA256, &hex(&self.digest.finalize()))
    }

    fn write(&mut self, count: usize) -> hdf5::Result<()> {
        if count > 0 {
            let end = self.written + count;
            self.dataset.write_slice(&self.waiting[..count], self.written..end)?;
            self.waiting.drain(..count);
            self.written = end;
        }
        Ok(())
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes a file: complete under its name, with its digest beside it, or not there. The digest has
/// its name first, so that a file under its name always has one.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(&File) -> Result<(), Error>,
) -> Result<(), Error> {
    own_file(path)?;
    let draft = Draft::new(path).map_err(Error::output)?;
    let fail = |source| Error::hdf5(path, "written")(source);
    let to = create(draft.path()).map_err(fail)?;
    write(&to)?;
    to.flush().map_err(fail)?;
    to.close().map_err(fail)?;
    fs::File::open(draft.path())
        .and_then(|file| file.sync_all())
        .map_err(Error::io(path, "written"))?;
    checksum::write(draft.path(), path)?;
    draft.finish().map_err(Error::output)
}

/// Writes a file in memory and forgets it: what cannot be written is known before there is anything
/// to lose. `path` is what messages call it.
pub(super) fn rehearse(
    path: &Path,
    write: impl FnOnce(&File) -> hdf5::Result<()>,
) -> Result<(), Error> {
    let mut options = unlocked();
    options.with_fapl(|access| access.core_filebacked(false).libver_v110());
    let written = options.create(path.with_extension("rehearsed")).and_then(|to| write(&to));
    written.map_err(Error::hdf5(path, "written"))
}

/// Removes what a killed run did not finish.
pub(super) fn remove_drafts(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder, "read"))? {
        let path = entry.map_err(Error::io(folder, "read"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if name.starts_with(output::DRAFT) && name.ends_with(".tmp") {
            fs::remove_file(&path).map_err(Error::io(&path, "removed"))?;
        }
    }
    Ok(())
}
