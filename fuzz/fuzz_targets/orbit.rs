//! Files of elements: two-line elements and OMM in JSON, XML, KVN and CSV.
#![no_main]

use beamline::environment::orbit::Orbit;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let satellites = [None, Some("25544")];
    for satellite in satellites {
        if let Ok(orbit) = Orbit::of_elements(Path::new("elements"), &text, satellite) {
            // A tenth of a day: a track is refused or all of it is in the models' range.
            let _ = orbit.track(orbit.default_start(), 0.1, 60.0);
        }
    }
});
