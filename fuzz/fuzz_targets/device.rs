//! Device, memory and pattern files: what is read can be used.
#![no_main]

use beamline::device::{Device, Level, Memory, Pattern};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let path = Path::new("file.toml");
    if let Ok(device) = Device::parse(path, text) {
        for mode in &device.modes {
            let cm2 = Level::ALL.map(|level| mode.proton_cm2(60.0, level));
            assert!(cm2.iter().all(|cm2| cm2.is_finite() && *cm2 >= 0.0), "{cm2:?}");
        }
    }
    if let Ok(memory) = Memory::parse(path, text) {
        let last = memory.entries() - 1;
        let at = memory.locate(last, memory.map).expect("the last entry has a place");
        assert_eq!(memory.entry_of(&at, memory.map), Some(last));
    }
    let _ = Pattern::parse(path, text);
});
