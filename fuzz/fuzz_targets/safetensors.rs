//! Weights: any bytes in place of the weights of a small workload.
#![no_main]

use beamline::workload::{self, Overrides};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = beamline_fuzz::workload("[weights]\nfile = \"weights.safetensors\"");
    let path = beamline_fuzz::file("workload.toml", text.as_bytes());
    beamline_fuzz::file("array.npy", &beamline_fuzz::npy());
    beamline_fuzz::file("weights.safetensors", bytes);
    let _ = workload::load(path.parent().expect("a file has a folder"), &Overrides::default());
});
