//! An orbit and a device on it: as a table for people, and as a map.

mod land;
pub(super) mod map;
mod table;

pub use map::map;
pub use table::{Sheet, table, wrapped};
