//! The live view of a campaign: screens on a terminal, lines elsewhere. [`orbit`] is a screen of
//! its own, [`mission`] are those of a mission.
//!
//! [`update`] and [`view`] are pure; [`run`] joins screens to a terminal, [`progress`] needs none.
//! Both read snapshots from a `watch` channel and never hold the runner up. [`Stops`] are signals.

mod app;
mod cells;
mod live;
pub mod mission;
pub mod orbit;
mod stop;
mod terminal;
mod theme;
mod view;

pub use app::{App, KEYS, Key, Message, Screen, message_of, update};
pub use live::{Screens, Standing, Telling, event, progress, run};
pub use stop::{Signal, Stops};
pub use terminal::draws;
pub use view::{HEIGHT_MIN, WIDTH_MIN, picture, view};
