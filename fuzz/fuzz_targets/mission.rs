//! Mission files: any text is a mission or is refused.
#![no_main]

use beamline::mission::Mission;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let _ = Mission::parse(Path::new("mission.toml"), text);
});
