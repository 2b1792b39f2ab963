//! Archives of campaigns and missions, without the digest that would refuse a changed file.
#![no_main]

use beamline::archive::{Archive, MissionArchive};
use beamline::report::mission::{MissionView, write};
use beamline::report::{self, Format};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = beamline_fuzz::file("archive.h5", bytes);
    if let Ok(archive) = Archive::open(&path) {
        let _ = report::write(&archive, Format::Json, &mut std::io::sink());
    }
    if let Ok(archive) = MissionArchive::read(&path) {
        let _ = write(&MissionView::of(&archive), Format::Json, &mut std::io::sink());
    }
});
