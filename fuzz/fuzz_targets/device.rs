//! Device, memory and pattern files: what is read can be used.
#![no_main]

use beamline::device::{Device, Level, Memory, Pattern};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// Which of the three readers take a text.
fn read(text: &str) -> [bool; 3] {
    let path = Path::new("file.toml");
    let device = Device::parse(path, text);
    if let Ok(device) = &device {
        for mode in &device.modes {
            let cm2 = Level::ALL.map(|level| mode.proton_cm2(60.0, level));
            assert!(cm2.iter().all(|cm2| cm2.is_finite() && *cm2 >= 0.0), "{cm2:?}");
        }
    }
    let memory = Memory::parse(path, text);
    if let Ok(memory) = &memory {
        let last = memory.entries() - 1;
        let at = memory.locate(last, memory.map).expect("the last entry has a place");
        assert_eq!(memory.entry_of(&at, memory.map), Some(last));
    }
    [device.is_ok(), memory.is_ok(), Pattern::parse(path, text).is_ok()]
}

fn init() {
    for (reader, file) in
        ["devices/trillium-hbm.toml", "memories/h100-80gb.toml", "patterns/hbm2-neutron.toml"]
            .iter()
            .enumerate()
    {
        assert!(read(&beamline_fuzz::text(&format!("fault-models/{file}")))[reader], "{file}");
    }
}

fuzz_target!(init: init(), |text: &str| {
    read(text);
});
