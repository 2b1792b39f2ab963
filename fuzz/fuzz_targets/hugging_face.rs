//! Hugging Face folders: two bytes say how long `config.json` is, the rest is `model.safetensors`.
#![no_main]

use beamline::workload::Overrides;
use beamline::workload::import::{Reading, load};
use beamline_fuzz::{file, project};
use libfuzzer_sys::fuzz_target;
use std::sync::Once;

static WHOLE: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    let input = project("fuzz/seeds/hugging_face/ids.npy");
    let read = |bytes: &[u8], new_tokens| {
        let (length, rest) = bytes.split_at(bytes.len().min(2));
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (config, tensors) = rest.split_at(length.min(rest.len()));
        let path = file("config.json", config);
        file("model.safetensors", tensors);
        let folder = path.parent().expect("the folder of a file");
        let reading = Reading { input: Some(input.clone()), new_tokens, ..Reading::default() };
        load(folder, &reading, &Overrides::default())
    };
    WHOLE.call_once(|| {
        let seed = std::fs::read(project("fuzz/seeds/hugging_face/tiny.bin")).expect("a seed");
        read(&seed, Some(3)).expect("a folder that is read");
    });
    let _ = read(bytes, None);
    let _ = read(bytes, Some(3));
});
