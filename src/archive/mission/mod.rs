//! The archive of a mission: what happened in each history, under each scheme, and what follows.
//!
//! A running mission is a folder with one file a history, and `header.h5`, which says once what is
//! the same for all of them; a finished one is a single file with the rows of all and the tables
//! that sum them up. [`MissionWriter`] writes them, [`MissionExisting`] is what a resumed run
//! finds, [`MissionArchive`] reads either form. Names and columns are in `docs/archive-format.md`.

mod closing;
mod closing_rows;
mod figure_rows;
mod flaw;
mod header;
mod history_rows;
mod loss_rows;
mod read;
mod rows;
mod run;
mod schema;
mod segment;
mod writer;

pub use closing::Closing;
pub use rows::{UpsetRow, WHAT_NAMES};
pub use run::MissionRun;
pub use schema::{Made, MemoryInfo, MissionHeader, OrbitInfo, Organisation, TrackPlace};
pub use writer::{MissionExisting, MissionWriter};

/// A mission's archive, read: all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MissionArchive {
    /// What it says of its mission.
    pub header: MissionHeader,
    /// Whether the mission has finished; of a running one there are the histories so far.
    pub finished: bool,
    /// Whether a digest beside each of its files says that it is as it was written.
    pub verified: bool,
    /// The histories, from 0.
    pub runs: Vec<MissionRun>,
    /// What they come to. The figures follow from the histories; the other tables are empty until
    /// the mission has finished.
    pub closing: Closing,
}
