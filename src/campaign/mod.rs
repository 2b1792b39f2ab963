//! A campaign: what the user asked for, the plan it becomes, and the run that carries it out.
//!
//! `file` reads the TOML, `plan` turns it into trials, `runner` takes trials through an engine in
//! segments and emits [`event::Event`]s. It knows none of those who listen.

mod arrival;
mod attribute;
mod beam;
mod check;
pub mod event;
pub mod file;
pub mod plan;
mod ranges;
pub mod runner;
mod upsets;

pub use beam::{Beam, Particle};
pub use file::{Campaign, Mode};
pub use plan::Plan;
pub(crate) use ranges::{PER_BIT_DAY, PER_BIT_DAY_WHY};
pub use upsets::{NotInjected, Relative, UpsetRate};
