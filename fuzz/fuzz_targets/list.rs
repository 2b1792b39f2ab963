//! Fault lists for a shipped workload.
#![no_main]

use beamline::fault::read_list;
use beamline::workload::{self, Overrides, Workload};
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::OnceLock;

fn read(list: &Path) -> bool {
    static WORKLOAD: OnceLock<Workload> = OnceLock::new();
    let workload = WORKLOAD.get_or_init(|| {
        let folder = beamline_fuzz::project("kernels/digits-mlp");
        workload::load(&folder, &Overrides::default()).expect("a shipped workload")
    });
    read_list(list, workload, 128).is_ok()
}

fuzz_target!(
    init: for list in ["mlp_neuron_sampled_4000.csv", "mlp_weight_sampled_4000.csv"] {
        assert!(read(&beamline_fuzz::project(&format!("campaigns/lists/{list}"))), "{list}");
    },
    |bytes: &[u8]| {
        read(&beamline_fuzz::file("faults.csv", bytes));
    }
);
