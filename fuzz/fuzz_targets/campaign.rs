//! Campaign files: any text is a campaign or is refused.
#![no_main]

use beamline::campaign::Campaign;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    let _ = Campaign::parse(Path::new("campaign.toml"), text);
});
