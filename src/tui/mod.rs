//! The live view of a campaign: screens on a terminal, lines elsewhere. [`orbit`] is a screen of
//! its own, [`mission`] are those of a mission.
//!
//! [`update`] and [`view`] are pure; [`run`] joins them to a terminal, [`progress`] needs none.
//! Both read snapshots from a `watch` channel and never hold the runner up.

mod app;
mod cells;
pub mod mission;
pub mod orbit;
mod progress;
mod run;
mod view;

pub use app::{App, KEYS, Key, Message, Screen, message_of, update};
pub use progress::progress;
pub use run::run;
pub use view::{HEIGHT_MIN, WIDTH_MIN, picture, view};
