//! Files of elements: two-line elements and OMM in JSON, XML, KVN and CSV.
#![no_main]

use beamline::environment::orbit::Orbit;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// Whether a satellite is read and has a track. A track is refused, or all of it is within the models.
fn read(text: &str, satellite: Option<&str>) -> bool {
    match Orbit::of_elements(Path::new("elements"), text, satellite) {
        Ok(orbit) => orbit.track(orbit.default_start(), 0.01, 60.0).is_ok(),
        Err(_) => false,
    }
}

fuzz_target!(
    init: for form in ["tle", "json", "xml", "kvn", "csv"] {
        let text = beamline_fuzz::text(&format!("tests/data/elements/two.{form}"));
        assert!(read(&text, Some("25544")), "{form}");
    },
    |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for satellite in [None, Some("25544")] {
            read(&text, satellite);
        }
    }
);
