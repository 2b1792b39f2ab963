//! The archive of a mission: what happened in each history, under each scheme, and what follows.
//!
//! Its segments hold a history each. Names and columns are in `docs/archive-format.md`.

mod closing;
mod flaw;
mod history_rows;
mod loss_rows;
mod read;
mod rows;
mod schema;
mod segment;

pub use closing::Closing;
pub use history_rows::{ChangeRow, EpisodeRow, HistoryRow, SumsRow};
pub use loss_rows::{AwayRow, ReplacedRow};
pub use read::MissionArchive;
pub use rows::{UpsetRow, WHAT_NAMES};
pub use schema::{Made, MemoryInfo, MissionHeader, OrbitInfo, Organisation, TrackPlace};
pub use segment::{Histories, MissionRun, TimeRow};

/// Writes the histories of a running mission.
pub type MissionWriter = super::store::Writer<Histories>;
/// What an earlier run of a mission left.
pub type MissionExisting = super::store::Existing<Histories>;
