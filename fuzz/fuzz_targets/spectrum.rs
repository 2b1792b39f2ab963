//! Spectra of other tools: with what they say of themselves, and with what a user says of them.
#![no_main]

use beamline::environment::exchange::{self, Statement};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// Whether any reader takes a file.
fn read(path: &Path) -> bool {
    let said = |words: &str| words.parse::<Statement>().expect("a statement");
    let own = exchange::read(path, &Statement::default()).is_ok();
    let of_segment = exchange::read(path, &said("segment=2")).is_ok();
    let protons = exchange::protons(path, &said("trapped, before-shield, mean")).is_ok();
    let ions = exchange::ions(path, &said("from-helium, behind-shield, mean"), 2.54).is_ok();
    own || of_segment || protons || ions
}

fn init() {
    let seeds = beamline_fuzz::project("fuzz/seeds/spectrum");
    for seed in std::fs::read_dir(seeds).expect("the seeds") {
        let path = seed.expect("a seed").path();
        assert!(read(&path), "{}", path.display());
    }
}

fuzz_target!(init: init(), |bytes: &[u8]| {
    read(&beamline_fuzz::file("spectrum.txt", bytes));
});
