//! Arrays in `.npy` files: any bytes as the inputs of a small workload, and as its labels.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["x.npy", "y.npy"] {
        let _ = beamline_fuzz::tiny_with(name, bytes);
    }
});
