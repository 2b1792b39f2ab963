//! A stranger's archive of a mission: whatever stands in it, reading it ends in histories that can be
//! or in an error that names the file, what was expected and what was found.

mod edited;
mod flown;

use beamline::archive::mission::{
    AwayRow, ChangeRow, EpisodeRow, HistoryRow, ReplacedRow, SumsRow, TimeRow, TrackPlace, UpsetRow,
};
use beamline::archive::{MissionArchive, MissionExisting};
use beamline::report::Format;
use beamline::report::mission::{MissionView, write};
use edited::{json, pointers, put, rehash};
use flown::{fingerprint, finished, header};
use hdf5::{File, H5Type};
use serde_json::json;
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
    MissionExisting::open(folder, &fingerprint(), &mut |_| {})
        .map(|_| ())
        .map_err(|error| error.to_string())
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
    ($table:literal $Row:ty, $column:ident: $type:ty = $($value:expr),+) => {{
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
                rehash::<$Row>(&table);
            });
        })+
    }};
}

#[test]
fn a_mission_without_a_digest_is_read_and_its_digest_is_written_again() {
    changed("nothing", |path| {
        assert!(!MissionArchive::read(path).expect("an archive").verified);
        let folder = path.parent().expect("a folder");
        MissionExisting::open(folder, &fingerprint(), &mut |_| {}).expect("a look");
        assert!(MissionArchive::read(path).expect("an archive").verified);
    })
    .expect("an archive");
}

#[test]
fn histories_and_upsets_that_cannot_be_are_refused() {
    refused!("histories" HistoryRow, history: u64 = 9, u64::MAX);
    refused!("histories" HistoryRow, start_s: f64 = f64::NAN, -1.0, f64::INFINITY);
    refused!("histories" HistoryRow, upsets: u64 = 0, u64::MAX);
    refused!("timing" TimeRow, history: u64 = 9);
    refused!("timing" TimeRow, seconds: f64 = f64::NAN, -1.0);
    refused!("upsets" UpsetRow, history: u64 = 9, u64::MAX);
    refused!("upsets" UpsetRow, time_s: f64 = f64::NAN, -1.0, f64::INFINITY, 1e12);
    refused!("upsets" UpsetRow, latitude_deg: f64 = 91.0, f64::INFINITY);
    refused!("upsets" UpsetRow, longitude_deg: f64 = 1e9, f64::NEG_INFINITY);
    refused!("upsets" UpsetRow, local_time_h: f64 = 25.0, f64::INFINITY);
    refused!("upsets" UpsetRow, id: u32 = u32::MAX);
    refused!("upsets" UpsetRow, place: u32 = u32::MAX);
    refused!("upsets" UpsetRow, mode: u32 = 9, 65_536);
    refused!("upsets" UpsetRow, what: u16 = 9, u16::MAX);
    refused!("upsets" UpsetRow, shape: u16 = 99);
    refused!("upsets" UpsetRow, persistence: u16 = 3);
    refused!("upsets" UpsetRow, in_saa: u16 = 2);
}

#[test]
fn sums_episodes_and_losses_that_cannot_be_are_refused() {
    refused!("schemes" SumsRow, history: u64 = 9);
    refused!("schemes" SumsRow, scheme: u64 = 2, u64::MAX);
    refused!("schemes" SumsRow, inferences: u64 = 0, u64::MAX);
    refused!("schemes" SumsRow, unavailable: u64 = u64::MAX);
    refused!("schemes" SumsRow, critical_sdc: u64 = u64::MAX, 1 << 60);
    refused!("schemes" SumsRow, lost_bytes: u64 = u64::MAX);
    refused!("schemes" SumsRow, common_cause: u64 = 1 << 40);
    refused!("schemes" SumsRow, repair_s: f64 = f64::NAN, -1.0);
    refused!("schemes" SumsRow, first_critical_s: f64 = -1.0, f64::INFINITY);
    refused!("schemes" SumsRow, first_away_s: f64 = -1.0, f64::INFINITY);
    refused!("schemes" SumsRow, episodes: u64 = 1_000_000, u64::MAX);
    refused!("schemes" SumsRow, changes: u64 = u64::MAX);
    refused!("schemes" SumsRow, away: u64 = u64::MAX);
    refused!("schemes" SumsRow, replaced: u64 = u64::MAX);
    refused!("episodes" EpisodeRow, history: u64 = 9);
    refused!("episodes" EpisodeRow, scheme: u16 = 7);
    refused!("episodes" EpisodeRow, cause: u16 = 4, u16::MAX);
    refused!("episodes" EpisodeRow, ended: u16 = 7);
    refused!("episodes" EpisodeRow, start_s: f64 = f64::NAN, -1.0, 1e12);
    refused!("episodes" EpisodeRow, end_s: f64 = f64::NAN, -1.0);
    refused!("episodes" EpisodeRow, first_effect_s: f64 = -1.0, f64::INFINITY);
    refused!("episodes" EpisodeRow, first_critical_s: f64 = -1.0, f64::INFINITY);
    refused!("episodes" EpisodeRow, hang: u64 = u64::MAX);
    refused!("changes" ChangeRow, time_s: f64 = f64::NAN);
    refused!("changes" ChangeRow, ended: i32 = 7, -2);
    refused!("changes" ChangeRow, scheme: u32 = 7);
    refused!("away" AwayRow, why: u32 = 5, u32::MAX);
    refused!("away" AwayRow, time_s: f64 = f64::NAN);
    refused!("away" AwayRow, length_s: f64 = f64::NAN, -1.0);
    refused!("replaced" ReplacedRow, time_s: f64 = f64::INFINITY);
}

#[test]
fn closing_tables_and_a_header_that_cannot_be_are_refused() {
    for (pointer, values) in [
        ("/strata/0/within", vec![json!(2), json!("x")]),
        ("/strata/0/per_year", vec![json!(null), json!(-1)]),
        ("/strata/0/drawn", vec![json!(u64::MAX), json!(-1)]),
        ("/strata/0/schemes", vec![json!([]), json!(null)]),
        ("/strata/0/schemes/0/tolerable", vec![json!(u64::MAX)]),
        ("/expected/0/ap8_factor", vec![json!(0), json!(null)]),
        ("/expected/0/scheme", vec![json!("another")]),
        ("/sweep/0/period_s", vec![json!(0), json!(-1)]),
        ("/sweep/0/traffic_bytes_s", vec![json!(null), json!(-1)]),
        ("/fleet/0/satellites", vec![json!(0), json!(u64::MAX)]),
        ("/fleet/0/years", vec![json!(null)]),
        ("/fleet/0/wrong", vec![json!([1]), json!([1, 2, 3])]),
        ("/fleet/0/satellites_wrong/0", vec![json!(u64::MAX)]),
        ("/fleet/0/seconds", vec![json!(null), json!(-1)]),
    ] {
        for value in values {
            let what = format!("{pointer} {value}");
            refused(&what, |path| put(path, "json/summary", pointer, Some(value)));
        }
    }
    for (pointer, values) in [
        ("/facts/modes/0/per_device_s/value", vec![json!(null), json!(-1)]),
        ("/facts/schemes/0/scrub_bytes_s", vec![json!(-1)]),
        ("/facts/schemes/0/stored_bytes", vec![json!(u64::MAX)]),
        ("/facts/schemes/0/name", vec![json!("another")]),
        ("/histories", vec![json!(0), json!(u64::MAX)]),
        ("/orbit/places", vec![json!(0)]),
        ("/orbit/place_step", vec![json!(0)]),
        ("/facts/horizon_s", vec![json!(0), json!(-1), json!(null)]),
        ("/facts/acceleration", vec![json!(0), json!(-1), json!(null)]),
        ("/facts/inferences_per_s", vec![json!(0), json!(-1), json!(null)]),
        ("/facts/bandwidth_bytes_s", vec![json!(0), json!(-1), json!(null)]),
    ] {
        for value in values {
            let what = format!("{pointer} {value}");
            refused(&what, |path| put(path, "json/header", pointer, Some(value)));
        }
    }
    refused!("track" TrackPlace, time_s: f64 = -1.0);
    refused!("track" TrackPlace, events_per_s: f64 = f64::NAN);
    refused!("track" TrackPlace, latitude_deg: f64 = f64::NAN);
    refused!("track" TrackPlace, altitude_km: f64 = f64::NAN, f64::INFINITY);
    refused!("track" TrackPlace, in_saa: u64 = 2);
}

/// Whatever stands in the place of any value of header and summary, and where it is missing.
#[test]
fn any_value_in_any_place_of_the_json_ends_in_an_error_or_in_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("archive.h5");
    fs::write(&path, &*MISSION).expect("an archive");
    for dataset in ["json/header", "json/summary"] {
        // Of a long list the first entries stand for all.
        let all = pointers(&json(&path, dataset));
        let some = all
            .iter()
            .filter(|pointer| !pointer.split('/').any(|n| n.parse::<u32>().is_ok_and(|n| n > 0)));
        for (at, pointer) in some.enumerate() {
            let values = [json!(null), json!(-1), json!(1e308), json!("x"), json!([])];
            let value = values.get(at % 6).cloned();
            let what = format!("{pointer} {value:?}");
            let _ = changed(&what, |path| put(path, dataset, pointer, value));
        }
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
        "timing",
        "json/header",
        "json/summary",
        "track",
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
