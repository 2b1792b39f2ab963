//! Mission files: any text is a mission or is refused.
#![no_main]

use beamline::mission::Mission;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fn read(text: &str) -> bool {
    Mission::parse(Path::new("mission.toml"), text).is_ok()
}

fuzz_target!(
    init: assert!(read(&beamline_fuzz::text("missions/suncatcher.toml"))),
    |text: &str| {
        read(text);
    }
);
