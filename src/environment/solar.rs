//! Solar particle events.
