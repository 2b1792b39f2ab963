//! Missions: years on an orbit, with upsets that arrive, scrubbers that run, and inferences that
//! read whatever is in memory.
//!
//! A [`Plan`] lays the schemes out in one memory; [`upset::history`] draws what happens, the same
//! for every scheme; [`simulate()`] lets time jump from event to scrub to read; [`Verdicts`] asks
//! the engine what the workload makes of each faulty state, once. All times are seconds of flight:
//! an acceleration compresses every period alike, so that a mission of `lasts` stands for
//! `lasts` × acceleration of flight.

mod estimate;
pub mod figures;
mod file;
pub mod fleet;
mod layout;
pub mod live;
mod loss;
mod patrol;
mod plan;
mod reads;
mod record;
pub mod run;
mod simulate;
mod state;
pub mod strata;
pub mod sweep;
pub mod upset;
mod values;
mod verdicts;

pub use crate::campaign::Error;
pub use crate::scheme::memory::{Block, Blocks, Read, Reader};
pub use file::{Bytes, DeviceModes, Duration, MemoryChoice, Mission, Requirement, Service};
pub use layout::{SchemeLayout, Site, Tenant, Tiling};
pub use loss::{Away, Replaced, Why};
pub use patrol::Patrol;
pub use plan::{Plan, PlanMode};
pub use reads::{InferenceRun, Reads};
pub use record::{
    COHORT, Cause, Change, Episode, Restored, SchemeHistory, TenantCounts, Upset, What, Windows,
};
pub use simulate::{Ground, StateRows, Terms, simulate};
pub use state::{Flip, State, ValueFlip, Word};
pub use values::Values;
pub use verdicts::Verdicts;
