//! Weights: any bytes in place of the weights of a small workload.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = beamline_fuzz::tiny_with("weights.safetensors", bytes);
});
