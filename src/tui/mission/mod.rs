//! The live view of a mission: the first history plays in simulated time while the run goes on.
//!
//! [`update`] and [`render`] are pure; [`run`] joins them to a terminal.

mod app;
mod banks;
mod events;
mod growth;
mod progress;
mod replay;
mod run;
mod schemes;
mod sweep;
mod view;
mod world;

pub use app::{App, KEYS, Key, Message, SPEEDS, Screen, message_of, update};
pub use progress::progress;
pub use run::run;
pub use view::{picture, render};
