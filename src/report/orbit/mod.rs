//! An orbit and a device on it: as a table for people, and as a map.

mod table;

pub use table::{Sheet, table, wrapped};
