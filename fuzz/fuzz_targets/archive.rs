//! Archives of campaigns and missions, without the digest that would refuse a changed file.
#![no_main]

use beamline::archive::{Archive, MissionArchive};
use beamline::report::mission::{MissionView, write};
use beamline::report::{self, Format};
use libfuzzer_sys::fuzz_target;

/// Whether a file is an archive of a campaign, and of a mission.
fn read(bytes: &[u8]) -> [bool; 2] {
    let path = beamline_fuzz::file("archive.h5", bytes);
    let campaign = Archive::open(&path);
    if let Ok(archive) = &campaign {
        let _ = report::write(archive, Format::Json, &mut std::io::sink());
    }
    let mission = MissionArchive::read(&path);
    if let Ok(archive) = &mission {
        let _ = write(&MissionView::of(archive), Format::Json, &mut std::io::sink());
    }
    [campaign.is_ok(), mission.is_ok()]
}

fn init() {
    for (name, expected) in [("campaign", [true, false]), ("mission", [false, true])] {
        let path = beamline_fuzz::project(&format!("fuzz/seeds/archive/{name}.h5"));
        assert_eq!(read(&std::fs::read(path).expect("a seed")), expected, "{name}");
    }
}

fuzz_target!(init: init(), |bytes: &[u8]| {
    read(bytes);
});
