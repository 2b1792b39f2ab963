//! The live view of a mission: the first history plays in simulated time while the run goes on.
//!
//! [`update`] and [`render`] are pure; [`super::run`] joins them to a terminal.

mod app;
mod banks;
mod events;
mod growth;
mod replay;
mod schemes;
mod sweep;
mod view;
mod world;

pub use app::{App, KEYS, Key, Message, SPEEDS, Screen, message_of, update};
pub use view::{picture, render};
