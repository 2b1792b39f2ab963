//! Workload files, beside the data that they may name.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = beamline_fuzz::tiny_with("workload.toml", text.as_bytes());
});
