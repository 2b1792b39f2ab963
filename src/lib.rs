//! beamline: a radiation test beam for GPU inference, in software.
//!
//! The experiment reads from the top of this list to its end; a layer uses only those above it.
//! `docs/architecture.md` has the shape of the whole.

pub mod bounded;
pub mod estimate;
pub mod name;
pub mod op;
pub mod outcome;
pub mod output;
pub mod place;
pub mod ranges;
pub mod seed;
pub mod stats;
pub mod units;
pub mod words;

pub mod device;
pub mod environment;
pub mod scheme;
pub mod workload;

pub mod fault;
pub mod gpu;
pub mod rate;

pub mod stage;

pub mod engine;

pub mod campaign;
pub mod mission;

pub mod archive;

pub mod report;
pub mod tui;

pub mod command;

pub mod cli;
