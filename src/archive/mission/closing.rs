//! What a mission comes to, beside its histories.

use crate::mission::figures::SchemeFigures;
use crate::mission::fleet::FleetPoint;
use crate::mission::strata::{Expected, Stratum};
use crate::mission::sweep::Point;
use serde::{Deserialize, Serialize};

/// The tables that sum a mission up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// The figures of each scheme. They follow from the histories, and are not read back.
    #[serde(skip_deserializing)]
    pub figures: Vec<SchemeFigures>,
    /// What single events of each kind do.
    pub strata: Vec<Stratum>,
    /// The rates that follow from them, of each scheme.
    pub expected: Vec<Expected>,
    /// The sweep of scrub periods; empty where none was asked for.
    pub sweep: Vec<Point>,
    /// Fleets, by the number of satellites; empty where none was asked for.
    pub fleet: Vec<FleetPoint>,
}
