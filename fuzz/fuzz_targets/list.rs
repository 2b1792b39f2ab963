//! Fault lists for a shipped workload.
#![no_main]

use beamline::fault::read_list;
use beamline::workload::{self, Overrides, Workload};
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::OnceLock;

fn workload() -> &'static Workload {
    static WORKLOAD: OnceLock<Workload> = OnceLock::new();
    WORKLOAD.get_or_init(|| {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels/digits-mlp"));
        workload::load(folder, &Overrides::default()).expect("a shipped workload")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let _ = read_list(&beamline_fuzz::file("faults.csv", bytes), workload(), 100);
});
