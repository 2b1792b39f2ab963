//! A stranger's archive of a mission: whatever stands in it, reading it ends in histories that can be
//! or in an error that names the file, what was expected and what was found.

mod flown;

use beamline::archive::{MissionArchive, MissionExisting};
use beamline::report::Format;
use beamline::report::mission::{MissionView, write};
use flown::{fingerprint, finished, header};
use hdf5::{File, H5Type};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One finished mission, whose bytes every test changes.
static MISSION: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    fs::read(finished(folder.path())).expect("an archive")
});

/// Reads an archive in all ways that there are; the error, where there is one.
fn read(path: &Path) -> Result<(), String> {
    let archive = MissionArchive::read(path).map_err(|error| error.to_string())?;
    let view = MissionView::of(&archive);
    for format in [Format::Html, Format::Markdown, Format::Csv, Format::Json, Format::Table] {
        write(&view, format, &mut Vec::new()).map_err(|error| error.to_string())?;
    }
    let folder = path.parent().expect("a folder");
    MissionExisting::open(folder, &fingerprint()).map(|_| ()).map_err(|error| error.to_string())
}

fn changed(what: &str, change: impl FnOnce(&Path)) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("archive.h5");
    fs::write(&path, &*MISSION).expect("an archive");
    change(&path);
    catch_unwind(AssertUnwindSafe(|| read(&path))).unwrap_or_else(|_| panic!("{what}"))
}

#[track_caller]
fn refused(what: &str, change: impl FnOnce(&Path)) {
    let message = changed(what, change).expect_err(what);
    assert!(message.contains("archive.h5"), "{what}: {message}");
    assert!(message.contains("expected") && message.contains("found"), "{what}: {message}");
}

/// Puts a value into one column of one row, and refuses what comes of it.
macro_rules! refused {
    ($table:literal, $column:ident: $type:ty = $($value:expr),+) => {{
        #[derive(H5Type, Clone, Copy)]
        #[repr(C)]
        struct Column {
            $column: $type,
        }
        $(for last in [false, true] {
            let what = format!("{} {} {}", $table, stringify!($column), stringify!($value));
            refused(&what, |path| {
                let file = File::open_rw(path).expect("a file");
                let table = file.dataset($table).expect("a table");
                let mut rows = table.read_raw::<Column>().expect("rows");
                let at = if last { rows.len() - 1 } else { 0 };
                rows[at].$column = $value;
                table.write_raw(&rows).expect("rows");
            });
        })+
    }};
}

#[test]
fn a_mission_without_a_digest_is_read_and_its_digest_is_written_again() {
    changed("nothing", |path| {
        assert!(!MissionArchive::read(path).expect("an archive").verified);
        MissionExisting::open(path.parent().expect("a folder"), &fingerprint()).expect("a look");
        assert!(MissionArchive::read(path).expect("an archive").verified);
    })
    .expect("an archive");
}

#[test]
fn histories_and_upsets_that_cannot_be_are_refused() {
    refused!("histories", history: u64 = 9, u64::MAX);
    refused!("histories", start_s: f64 = f64::NAN, -1.0, f64::INFINITY);
    refused!("histories", upsets: u64 = 0, u64::MAX);
    refused!("timing/histories", history: u64 = 9);
    refused!("timing/histories", seconds: f64 = f64::NAN, -1.0);
    refused!("upsets", history: u64 = 9, u64::MAX);
    refused!("upsets", time_s: f64 = f64::NAN, -1.0, f64::INFINITY, 1e12);
    refused!("upsets", latitude_deg: f64 = 91.0, f64::INFINITY);
    refused!("upsets", longitude_deg: f64 = 1e9, f64::NEG_INFINITY);
    refused!("upsets", local_time_h: f64 = 25.0, f64::INFINITY);
    refused!("upsets", id: u32 = u32::MAX);
    refused!("upsets", place: u32 = u32::MAX);
    refused!("upsets", mode: u32 = 9, 65_536);
    refused!("upsets", what: u16 = 9, u16::MAX);
    refused!("upsets", shape: u16 = 99);
    refused!("upsets", persistence: u16 = 3);
    refused!("upsets", in_saa: u16 = 2);
}

#[test]
fn sums_episodes_and_losses_that_cannot_be_are_refused() {
    refused!("schemes", history: u64 = 9);
    refused!("schemes", scheme: u64 = 2, u64::MAX);
    refused!("schemes", inferences: u64 = 0, u64::MAX);
    refused!("schemes", unavailable: u64 = u64::MAX);
    refused!("schemes", critical_sdc: u64 = u64::MAX, 1 << 60);
    refused!("schemes", lost_bytes: u64 = u64::MAX);
    refused!("schemes", common_cause: u64 = 1 << 40);
    refused!("schemes", repair_s: f64 = f64::NAN, -1.0);
    refused!("schemes", first_critical_s: f64 = -1.0, f64::INFINITY);
    refused!("schemes", first_away_s: f64 = -1.0, f64::INFINITY);
    refused!("schemes", episodes: u64 = 1_000_000, u64::MAX);
    refused!("schemes", changes: u64 = u64::MAX);
    refused!("schemes", away: u64 = u64::MAX);
    refused!("schemes", replaced: u64 = u64::MAX);
    refused!("episodes", history: u64 = 9);
    refused!("episodes", scheme: u16 = 7);
    refused!("episodes", cause: u16 = 4, u16::MAX);
    refused!("episodes", ended: u16 = 7);
    refused!("episodes", start_s: f64 = f64::NAN, -1.0, 1e12);
    refused!("episodes", end_s: f64 = f64::NAN, -1.0);
    refused!("episodes", first_effect_s: f64 = -1.0, f64::INFINITY);
    refused!("episodes", first_critical_s: f64 = -1.0, f64::INFINITY);
    refused!("episodes", hang: u64 = u64::MAX);
    refused!("changes", time_s: f64 = f64::NAN);
    refused!("changes", ended: i32 = 7, -2);
    refused!("changes", scheme: u32 = 7);
    refused!("away", why: u32 = 5, u32::MAX);
    refused!("away", time_s: f64 = f64::NAN);
    refused!("away", length_s: f64 = f64::NAN, -1.0);
    refused!("replaced", time_s: f64 = f64::INFINITY);
}

#[test]
fn closing_tables_and_a_header_that_cannot_be_are_refused() {
    refused!("strata", within: i64 = 2, -2);
    refused!("strata", per_year: f64 = f64::NAN, -1.0);
    refused!("strata", drawn: u64 = u64::MAX);
    refused!("strata_shares", stratum: u64 = 9, u64::MAX);
    refused!("strata_shares", scheme: u64 = 5);
    refused!("strata_shares", tolerable: u64 = u64::MAX);
    refused!("expected", ap8_factor: f64 = 0.0, f64::NAN);
    refused!("sweep", period_s: f64 = 0.0, -1.0);
    refused!("sweep", traffic_bytes_s: f64 = f64::NAN);
    refused!("fleet", satellites: u64 = 0, u64::MAX);
    refused!("fleet", years: f64 = f64::NAN);
    refused!("fleet_wrong", point: u64 = 9);
    refused!("fleet_wrong", scheme: u64 = 3);
    refused!("fleet_wrong", satellites_wrong: u64 = u64::MAX);
    refused!("timing/fleet", seconds: f64 = f64::NAN);
    refused!("mission/modes", per_device_s: f64 = f64::NAN, -1.0);
    refused!("mission/schemes", scrub_bytes_s: f64 = -1.0);
    refused!("mission/schemes", stored_bytes: u64 = u64::MAX);
    refused!("orbit/track", time_s: f64 = -1.0);
    refused!("orbit/track", events_per_s: f64 = f64::NAN);
    refused!("orbit/track", latitude_deg: f64 = f64::NAN);
    refused!("orbit/track", altitude_km: f64 = f64::NAN, f64::INFINITY);
    refused!("orbit/track", in_saa: u64 = 2);
    for name in ["horizon_s", "acceleration", "inferences_per_s", "bandwidth_bytes_s"] {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(name, |path| {
                let file = File::open_rw(path).expect("a file");
                let at = file.group("mission").expect("a group");
                at.attr(name).and_then(|of| of.write_scalar(&value)).expect("a value");
            });
        }
    }
    for (group, name, value) in [
        ("mission", "histories", 0_u64),
        ("mission", "histories", u64::MAX),
        ("orbit", "places", 0),
        ("orbit", "place_step", 0),
    ] {
        refused(name, |path| {
            let file = File::open_rw(path).expect("a file");
            let at = file.group(group).expect("a group");
            at.attr(name).and_then(|of| of.write_scalar(&value)).expect("a value");
        });
    }
}

#[test]
fn tables_that_are_missing_or_lead_elsewhere_are_refused() {
    let tables = [
        "histories",
        "upsets",
        "schemes",
        "episodes",
        "changes",
        "away",
        "replaced",
        "strata",
        "sweep",
        "fleet",
        "timing/histories",
        "timing/fleet",
        "mission/toml",
        "mission/definitions",
        "mission/shapes",
        "orbit/track",
        "memory",
    ];
    for table in tables {
        let message = changed(table, |path| {
            File::open_rw(path).and_then(|file| file.unlink(table)).expect("a removed table");
        });
        let message = message.expect_err(table);
        assert!(message.contains("archive.h5"), "{message}");
        refused(table, |path| {
            let file = File::open_rw(path).expect("a file");
            file.unlink(table).expect("a removed table");
            file.link_external("/etc/passwd", "x", table).expect("an external link");
        });
    }
    assert_eq!(header().schemes.len(), 2);
}
