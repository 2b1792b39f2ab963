//! Spectra of other tools.
#![no_main]

use beamline::environment::exchange::{self, Statement};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = exchange::parse(Path::new("spectrum.txt"), &text, &Statement::default());
});
