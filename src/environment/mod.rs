//! The radiation environment: where the orbit goes, and which particles are there.

pub mod orbit;
pub mod solar;
