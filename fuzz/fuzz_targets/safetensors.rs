//! Weights: any bytes in place of the weights of a small workload.
#![no_main]

use beamline::workload::{self, Overrides};
use libfuzzer_sys::fuzz_target;

const WORKLOAD: &str = include_str!("../../tests/accepted/workload/tiny.toml");

fuzz_target!(|bytes: &[u8]| {
    let path = beamline_fuzz::file("workload.toml", WORKLOAD.as_bytes());
    beamline_fuzz::file("weights.safetensors", bytes);
    let _ = workload::load(path.parent().expect("a file has a folder"), &Overrides::default());
});
