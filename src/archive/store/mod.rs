//! A store: what a campaign or a mission archives, while it runs and once it has finished.
//!
//! A running store is a folder of segments, each a complete file with the rows of a stretch of trials or
//! histories, and `header.h5`, which says once what is common to them. A finished one is a single file
//! with the header, the rows of all segments and a summary. A kind of store says what its rows are
//! ([`Stored`]); everything else is here, once: the lock, the order of segments, resuming, merging.

mod existing;
mod follow;
mod join;
mod read;
mod segment;
mod writer;

pub(super) use existing::Existing;
pub use existing::set_aside;
pub use follow::{Follow, News};
pub use join::join;
pub(super) use writer::Writer;

pub(super) use read::{Read, read};
pub(super) use segment::{HEADER_FILE, SUMMARY, segment_paths};

use super::Error;
use super::Fingerprint;
use super::flaw::Flaw;
use super::kind::ArchiveKind;
use super::tables::Tables;
use hdf5::File;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::path::Path;

/// What is common to the segments of a store.
pub trait StoredHeader:
    Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync + 'static
{
    /// What makes another run the same experiment.
    fn fingerprint(&self) -> &Fingerprint;

    /// The version and commit of beamline that made it.
    fn program(&self) -> (&str, &str);

    /// What cannot be in it.
    fn check(&self) -> Result<(), Flaw>;

    /// Writes what is too long for JSON.
    fn put_series(&self, to: &File) -> hdf5::Result<()>;

    /// Reads it back.
    fn take_series(&mut self, from: &File) -> hdf5::Result<()>;

    /// Writes its figures as attributes and tables for other programs. They are not read back.
    fn show(&self, to: &File) -> hdf5::Result<()>;
}

/// A stretch of trials or histories, which is stored at once.
pub trait Stored: Debug + Sized + Send + 'static {
    /// What the store is of.
    const KIND: ArchiveKind;
    /// What a segment counts: one of them, several of them.
    const COUNTED: [&'static str; 2];

    /// What is common to all segments.
    type Header: StoredHeader;
    /// Their rows.
    type Rows: Tables;
    /// What the summary is made of beside rows.
    type Given: Send;
    /// What is gathered of rows on their way into a finished archive.
    type Gathered<'h>;

    /// The first trial or history, and how many there are.
    fn stretch(&self) -> (u64, u64);

    /// Puts rows in the order of the archive.
    fn sort(&mut self);

    /// What cannot be in it.
    fn check(&self, header: &Self::Header) -> Result<(), Flaw>;

    /// Its rows, in the order of the archive.
    fn into_rows(self) -> Self::Rows;

    /// The stretch with these rows, checked.
    fn of_rows(
        rows: Self::Rows,
        stretch: (u64, u64),
        header: &Self::Header,
        path: &Path,
    ) -> Result<Self, Error>;

    /// Says what the codes in columns mean.
    fn name_codes(open: &<Self::Rows as Tables>::Open, header: &Self::Header) -> hdf5::Result<()>;

    /// Begins to gather.
    fn gather(header: &Self::Header) -> Self::Gathered<'_>;

    /// Gathers the rows of this stretch.
    fn add_to(&self, gathered: &mut Self::Gathered<'_>);

    /// Writes the summary.
    fn summarise(to: &File, gathered: Self::Gathered<'_>, given: Self::Given) -> hdf5::Result<()>;

    /// How many a run has that ends with its last one.
    fn total(header: &Self::Header) -> u64;

    /// What a finished archive must count, where that is known before it has finished.
    fn planned(header: &Self::Header) -> Option<u64>;
}
