//! Workload files, beside weights and inputs that shipped and accepted workloads may name.
#![no_main]

use beamline::workload::{self, Overrides};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let path = beamline_fuzz::file("workload.toml", text.as_bytes());
    let folder = path.parent().expect("a file has a folder");
    let weights = folder.join("weights.safetensors");
    if !weights.exists() {
        let shipped =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels/digits-mlp/weights.safetensors");
        std::fs::copy(Path::new(shipped), &weights).expect("the shipped weights");
        beamline_fuzz::file("array.npy", &beamline_fuzz::npy());
    }
    let _ = workload::load(folder, &Overrides::default());
});
