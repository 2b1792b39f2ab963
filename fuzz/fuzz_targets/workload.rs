//! Workload files, beside the weights and inputs of a shipped workload.
#![no_main]

use beamline::workload::{self, Overrides};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let path = beamline_fuzz::file("workload.toml", text.as_bytes());
    let folder = path.parent().expect("a file has a folder");
    for name in ["weights.safetensors", "inputs.npy", "labels.npy", "golden.npy"] {
        let to = folder.join(name);
        let from = Path::new("../kernels/digits-mlp").join(name);
        if !to.exists() && from.exists() {
            std::fs::copy(from, to).expect("a copied file");
        }
    }
    let _ = workload::load(folder, &Overrides::default());
});
