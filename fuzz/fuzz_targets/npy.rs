//! Arrays in `.npy` files: any bytes as the inputs of a small workload.
#![no_main]

use beamline::workload::{self, Overrides};
use libfuzzer_sys::fuzz_target;

const WEIGHTS: &str = "[weights.generate]\nseed = 1\ndistribution = \"uniform\"\nscale = 0.5\n\
                       [[weights.generate.tensor]]\nname = \"weight\"\nshape = [2, 64]";

fuzz_target!(|bytes: &[u8]| {
    let text = beamline_fuzz::workload(WEIGHTS);
    let path = beamline_fuzz::file("workload.toml", text.as_bytes());
    beamline_fuzz::file("array.npy", bytes);
    let _ = workload::load(path.parent().expect("a file has a folder"), &Overrides::default());
});
