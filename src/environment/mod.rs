//! The radiation environment: where the orbit goes, and which particles are there.

pub mod cosmic;
pub mod curve;
pub mod cutoff;
pub mod epoch;
pub mod exchange;
pub mod field;
pub mod matter;
pub mod orbit;
pub mod shield;
pub mod solar;
pub mod table;
pub mod trapped;
