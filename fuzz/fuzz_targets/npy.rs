//! Arrays in `.npy` files.
#![no_main]

use beamline::workload::read_npy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_npy(&beamline_fuzz::file("array.npy", bytes));
});
