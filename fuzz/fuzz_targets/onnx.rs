//! ONNX models: any bytes, read as they are and with folded normalisations.
#![no_main]

use beamline::workload::Overrides;
use beamline::workload::import::{Reading, load};
use beamline_fuzz::{file, project};
use libfuzzer_sys::fuzz_target;
use std::sync::Once;

static WHOLE: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    WHOLE.call_once(|| {
        let model = project("tests/onnx/Conv1d_groups/model.onnx");
        load(&model, &Reading::default(), &Overrides::default()).expect("a model that is read");
    });
    let path = file("model.onnx", bytes);
    for fold in [false, true] {
        let reading = Reading { shape: Some(vec![2, 4, 6]), fold, ..Reading::default() };
        let _ = load(&path, &Reading { shape: None, ..reading.clone() }, &Overrides::default());
        let _ = load(&path, &reading, &Overrides::default());
    }
});
