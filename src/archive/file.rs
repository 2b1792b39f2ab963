//! HDF5 files as archives use them: no object times, UTF-8 text, compressed row tables, and a
//! finished file under its name or none.

use super::Error;
use hdf5::types::VarLenUnicode;
use hdf5::{Extent, File, Group, H5Type, Location};
use std::fs;
use std::path::Path;

/// Rows of a chunk: some 200 to 400 KiB before compression.
const CHUNK_ROWS: usize = 4096;

/// Creates a file without object times, so that its bytes follow from what is written.
pub(super) fn create(path: &Path) -> hdf5::Result<File> {
    unlocked().with_fcpl(|file| file.obj_track_times(false)).create(path)
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

/// Creates a group.
pub(super) fn group(parent: &Group, name: &str) -> hdf5::Result<Group> {
    parent.create_group_builder().obj_track_times(false).create(name)
}

/// Text as HDF5 keeps it: a NUL would end it, and becomes U+FFFD.
pub(super) fn text(value: &str) -> hdf5::Result<VarLenUnicode> {
    let safe = value.replace('\0', "\u{fffd}");
    safe.parse().map_err(|error| hdf5::Error::Internal(format!("{error}")))
}

/// Writes a scalar attribute.
pub(super) fn set<T: H5Type>(at: &Location, name: &str, value: &T) -> hdf5::Result<()> {
    at.new_attr::<T>().create(name)?.write_scalar(value)
}

/// Writes a text attribute.
pub(super) fn set_text(at: &Location, name: &str, value: &str) -> hdf5::Result<()> {
    set(at, name, &text(value)?)
}

/// Reads a scalar attribute.
pub(super) fn get<T: H5Type>(at: &Location, name: &str) -> hdf5::Result<T> {
    at.attr(name)?.read_scalar()
}

/// Reads a text attribute.
pub(super) fn get_text(at: &Location, name: &str) -> hdf5::Result<String> {
    Ok(get::<VarLenUnicode>(at, name)?.as_str().to_owned())
}

/// Writes a text as a dataset, however long.
pub(super) fn put_text(at: &Group, name: &str, value: &str) -> hdf5::Result<()> {
    let dataset =
        at.new_dataset_builder().obj_track_times(false).empty::<VarLenUnicode>().create(name)?;
    dataset.write_scalar(&text(value)?)
}

/// Reads a text dataset.
pub(super) fn take_text(at: &Group, name: &str) -> hdf5::Result<String> {
    Ok(at.dataset(name)?.read_scalar::<VarLenUnicode>()?.as_str().to_owned())
}

/// Writes a small table, whose rows may hold text.
pub(super) fn put_table<T: H5Type>(at: &Group, name: &str, rows: &[T]) -> hdf5::Result<()> {
    let builder = at.new_dataset_builder().obj_track_times(false).empty::<T>();
    let dataset = builder.shape(rows.len()).create(name)?;
    if rows.is_empty() { Ok(()) } else { dataset.write_raw(rows) }
}

/// Reads a table of text or numbers.
pub(super) fn take_table<T: H5Type>(at: &Group, name: &str) -> hdf5::Result<Vec<T>> {
    let dataset = at.dataset(name)?;
    if dataset.size() == 0 { Ok(Vec::new()) } else { dataset.read_raw() }
}

/// A long table of rows, chunked and compressed, written chunk by chunk.
///
/// Only whole chunks are written before the last, so that each is compressed once and the stored
/// bytes do not depend on how the rows were grouped when they came.
pub(super) struct Rows<T> {
    dataset: hdf5::Dataset,
    waiting: Vec<T>,
    written: usize,
}

impl<T: H5Type + Clone> Rows<T> {
    /// Creates the table for exactly `count` rows.
    pub(super) fn create(
        at: &Group,
        name: &str,
        count: usize,
        description: &str,
    ) -> hdf5::Result<Self> {
        let dataset = at
            .new_dataset_builder()
            .obj_track_times(false)
            .empty::<T>()
            .shape([Extent::resizable(count)])
            .chunk([CHUNK_ROWS])
            .shuffle()
            .deflate(4)
            .create(name)?;
        set_text(&dataset, "description", description)?;
        Ok(Self { dataset, waiting: Vec::new(), written: 0 })
    }

    /// The dataset, for its attributes.
    pub(super) fn location(&self) -> &Location {
        &self.dataset
    }

    /// Takes rows in.
    pub(super) fn push(&mut self, rows: &[T]) -> hdf5::Result<()> {
        self.waiting.extend_from_slice(rows);
        let whole = self.waiting.len() / CHUNK_ROWS * CHUNK_ROWS;
        self.write(whole)
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> hdf5::Result<()> {
        self.write(self.waiting.len())
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

/// Reads a table of rows whose columns must be those of `T`.
pub(super) fn take_rows<T: H5Type>(file: &File, path: &Path, name: &str) -> Result<Vec<T>, Error> {
    let read = |source| Error::hdf5(path, "read")(source);
    let dataset = file.dataset(name).map_err(read)?;
    let columns = dataset.dtype().and_then(|dtype| dtype.to_descriptor()).map_err(read)?;
    if columns != T::type_descriptor() {
        return Err(Error::content(path, format!("the columns of {name}"), columns.to_string()));
    }
    if dataset.size() == 0 { Ok(Vec::new()) } else { dataset.read_raw().map_err(read) }
}

/// Gives a file that was written under `temporary` its name, once all of it is on the disk; removes
/// it where writing failed, to leave the disk as it was.
pub(super) fn commit<T>(
    temporary: &Path,
    path: &Path,
    written: Result<T, Error>,
) -> Result<T, Error> {
    let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all());
    let named = written.and_then(|written| {
        sync(temporary).map_err(Error::io(path, "written"))?;
        fs::rename(temporary, path).map_err(Error::io(path, "written"))?;
        Ok(written)
    });
    if named.is_err() {
        // The first error is the one to tell; a leftover is removed by the next run.
        let _ = fs::remove_file(temporary);
    }
    if let (true, Some(folder)) = (named.is_ok(), path.parent()) {
        sync(folder).map_err(Error::io(folder, "written"))?;
    }
    named
}
