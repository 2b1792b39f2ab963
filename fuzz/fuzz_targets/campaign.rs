//! Campaign files: any text is a campaign or is refused.
#![no_main]

use beamline::campaign::Campaign;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fn read(text: &str) -> bool {
    Campaign::parse(Path::new("campaign.toml"), text).is_ok()
}

fuzz_target!(
    init: assert!(read(&beamline_fuzz::text("campaigns/leo-demo.toml"))),
    |text: &str| {
        read(text);
    }
);
