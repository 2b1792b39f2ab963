//! A campaign: what the user asked for, the plan it becomes, and the run that carries it out.
//!
//! `file` reads the TOML, with how faults arrive in `faults`; `plan` turns it into trials; `runner`
//! takes trials through an engine in segments and emits [`event::Event`]s. It knows none of those who
//! listen.

mod attribute;
mod beam;
mod check;
mod error;
pub mod event;
pub mod faults;
pub mod file;
mod keys;
pub mod plan;
pub mod runner;
mod struck;
mod trial;
mod upsets;

pub(crate) use check::{PER_BIT_DAY, PER_BIT_DAY_WHY};
pub use error::Error;
pub use faults::{Beam, Mode, Particle};
pub use file::Campaign;
pub use plan::Plan;
pub use struck::NotInjected;
pub use upsets::{Relative, UpsetRate};
