//! A flight along an orbit: the ground track over the trapped protons, and the rates at each
//! place. [`update`] and [`view`] are pure.

mod flight;
mod state;
mod view;

pub use flight::{Flight, Instant, ModeOfFlight};
pub use state::{Cockpit, Key, SPEEDS, message_of, update};
pub use view::{picture, view};
