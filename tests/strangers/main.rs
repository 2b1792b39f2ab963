//! A stranger's archive: whatever stands in it, reading it ends in rows that can be or in an error
//! that names the file, what was expected and what was found. Never in a panic or a crash.

#[path = "../edited/mod.rs"]
mod edited;
#[path = "../fixture/mod.rs"]
mod fixture;
mod paths;

use beamline::archive::{Archive, Existing, FaultRow, OutcomeRow, TimingRow, Writer};
use beamline::report::{self, Format};
use edited::{open, pointers, put, rows};
use fixture::{fingerprint, header, segment};
use hdf5::types::{TypeDescriptor, VarLenUnicode};
use hdf5::{File, Group, H5Type, Location, LocationType};
use serde_json::{Value, json};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;

const TRIALS: u64 = 40;

/// The archive of one finished campaign, whose bytes every test changes.
static CAMPAIGN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::start(folder.path(), header()).expect("a writer");
    writer.send(segment(0, TRIALS)).expect("a segment");
    fs::read(writer.finish(()).expect("an archive")).expect("its bytes")
});

/// A folder with the archive, without its digest.
fn finished() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("archive.h5"), &*CAMPAIGN).expect("an archive");
    folder
}

/// Reads an archive in all ways that there are; the error, where there is one.
fn read(path: &Path) -> Result<(), String> {
    let archive = Archive::open(path).map_err(|error| error.to_string())?;
    for format in [Format::Html, Format::Markdown, Format::Csv, Format::Json, Format::Table] {
        let mut out = Vec::new();
        report::write(&archive, format, &mut out).map_err(|error| error.to_string())?;
    }
    for by in [beamline::scheme::ChosenBy::Bits, beamline::scheme::ChosenBy::Tensors] {
        beamline::archive::critical::candidates(&archive, by);
    }
    let _ = archive.header().upset_rate();
    for scheme in 0..archive.header().schemes.len() {
        let _ = archive.header().live_events_per_scrub(scheme);
    }
    let folder = path.parent().expect("a folder");
    Existing::open(folder, &fingerprint(), &mut |_| {})
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// Changes the archive of a campaign in a way and reads it; what it was refused for.
fn changed(what: &str, change: impl FnOnce(&Path)) -> Result<(), String> {
    let folder = finished();
    let path = folder.path().join("archive.h5");
    change(&path);
    catch_unwind(AssertUnwindSafe(|| read(&path))).unwrap_or_else(|_| panic!("{what}"))
}

#[track_caller]
fn refused(what: &str, change: impl FnOnce(&Path)) -> String {
    let message = changed(what, change).expect_err(what);
    assert!(message.contains("archive.h5"), "{what}: {message}");
    assert!(message.contains("expected") && message.contains("found"), "{what}: {message}");
    message
}

#[test]
fn an_archive_without_a_digest_is_read_and_said_to_be_unverified() {
    changed("nothing", |path| {
        assert!(!Archive::open(path).expect("an archive").verified());
    })
    .expect("an archive");
}

#[test]
fn outcomes_that_no_run_gives_are_refused() {
    type Change = fn(&mut OutcomeRow);
    let changes: [(&str, Change); 28] = [
        ("trial", |row| row.trial += 1),
        ("trial", |row| row.trial = u64::MAX),
        ("scheme", |row| row.scheme = 9),
        ("scheme", |row| row.scheme = u16::MAX),
        ("stratum", |row| row.stratum = 1),
        ("stratum", |row| row.stratum = u16::MAX),
        ("worst", |row| row.worst = 7),
        ("worst", |row| row.worst = u8::MAX),
        ("censored", |row| row.censored = 2),
        ("wrong", |row| row.wrong ^= 1),
        ("wrong", |row| row.wrong = 255),
        ("events_needed", |row| row.events_needed = 4),
        ("time_to_critical_s", |row| row.time_to_critical_s = f64::NAN),
        ("time_to_critical_s", |row| row.time_to_critical_s = f64::INFINITY),
        ("time_to_critical_s", |row| row.time_to_critical_s = -1.0),
        ("time_to_critical_s", |row| row.time_to_critical_s = -0.0),
        ("faults", |row| row.faults += 1),
        ("faults", |row| row.faults = 0),
        ("outcomes", |row| row.masked = u32::MAX),
        ("inferences", |row| row.inferences += 1),
        ("alarm_raised", |row| row.alarm_raised = 65),
        ("non_finite", |row| row.non_finite = 65),
        ("label_correct", |row| row.label_correct = 65),
        ("averted", |row| row.averted = u32::MAX),
        ("listed", |row| row.listed = 8),
        ("decided", |row| row.decided = 2),
        ("first_error", |row| row.first_error = u32::MAX),
        ("armed_steps", |row| row.armed_steps = 5),
    ];
    for (column, change) in changes {
        for at in [0, 77, 159] {
            refused(column, |path| rows(path, "outcomes", |rows| change(&mut rows[at])));
        }
    }
    // Counts that sum to what they should, of more inferences than the stratum has.
    refused("inferences", |path| {
        rows::<OutcomeRow>(path, "outcomes", |rows| {
            (rows[5].inferences, rows[5].masked) = (u32::MAX, u32::MAX);
            (rows[5].due_recovered, rows[5].alarm_raised) = (0, 0);
        });
    });
}

#[test]
fn faults_that_no_run_gives_are_refused() {
    type Change = fn(&mut FaultRow);
    let changes: [(&str, Change); 15] = [
        ("trial", |row| row.trial += 1),
        ("trial", |row| row.trial = u64::MAX),
        ("scheme", |row| row.scheme += 1),
        ("order", |row| row.order += 1),
        ("order", |row| row.order = u16::MAX),
        ("region", |row| row.region = 5),
        ("kind", |row| row.kind = 3),
        ("tensor", |row| row.tensor = 3),
        ("tensor", |row| row.tensor = u32::MAX),
        ("index", |row| row.index = 4096),
        ("index", |row| row.index = u64::MAX),
        ("inference", |row| row.inference = 128),
        ("step", |row| row.step = 4),
        ("time_s", |row| row.time_s = f64::NAN),
        ("time_s", |row| row.time_s = -1.0),
    ];
    for (column, change) in changes {
        for at in [0, 100] {
            refused(column, |path| rows(path, "faults", |rows| change(&mut rows[at])));
        }
    }
}

#[test]
fn times_that_no_run_takes_are_refused() {
    type Change = fn(&mut TimingRow);
    let changes: [(&str, Change); 8] = [
        ("scheme", |row| row.scheme = 4),
        ("first_trial", |row| row.first_trial = 40),
        ("first_trial", |row| row.first_trial = u64::MAX),
        ("trials", |row| row.trials = 41),
        ("trials", |row| row.trials = u64::MAX),
        ("inferences", |row| row.inferences = u64::MAX),
        ("seconds", |row| row.seconds = f64::NAN),
        ("seconds", |row| row.seconds = -1.0),
    ];
    for (column, change) in changes {
        refused(column, |path| rows(path, "timing", |rows| change(&mut rows[1])));
    }
}

#[test]
fn rows_that_are_missing_doubled_or_elsewhere_are_refused() {
    refused("a row less", |path| rows::<OutcomeRow>(path, "outcomes", |rows| rows.truncate(159)));
    refused("no rows", |path| rows::<OutcomeRow>(path, "outcomes", Vec::clear));
    refused("no faults", |path| rows::<FaultRow>(path, "faults", Vec::clear));
    refused("a row more", |path| rows::<OutcomeRow>(path, "outcomes", |rows| rows.push(rows[159])));
    refused("rows swapped", |path| rows::<OutcomeRow>(path, "outcomes", |rows| rows.swap(3, 40)));
    refused("a row twice", |path| rows::<OutcomeRow>(path, "outcomes", |rows| rows[4] = rows[3]));
    refused("rows backwards", |path| rows::<OutcomeRow>(path, "outcomes", |rows| rows.reverse()));
    refused("faults swapped", |path| rows::<FaultRow>(path, "faults", |rows| rows.swap(0, 50)));
    refused("a fault twice", |path| rows::<FaultRow>(path, "faults", |rows| rows.push(rows[0])));
    refused("more rows than the file holds", |path| {
        open(path).dataset("outcomes").and_then(|table| table.resize([1 << 50])).expect("a size");
    });
    refused("more faults than the file holds", |path| {
        open(path).dataset("faults").and_then(|table| table.resize([1 << 40])).expect("a size");
    });
}

/// Every object of a file by its path, groups before what is in them.
fn objects(at: &Group, path: &str, found: &mut Vec<String>) {
    for name in at.member_names().expect("names") {
        let path = format!("{path}/{name}");
        found.push(path.clone());
        if at.loc_type_by_name(&name).expect("a type") == LocationType::Group {
            objects(&at.group(&name).expect("a group"), &path, found);
        }
    }
}

fn objects_of_an_archive() -> Vec<String> {
    let folder = finished();
    let file = File::open(folder.path().join("archive.h5")).expect("a file");
    let mut found = Vec::new();
    objects(&file, "", &mut found);
    found
}

/// The object at a path.
fn locate(file: &File, path: &str) -> Location {
    match file.loc_type_by_name(path).expect("a type") {
        LocationType::Group => (*file.group(path).expect("a group")).clone(),
        _ => (**file.dataset(path).expect("a table")).clone(),
    }
}

#[test]
fn a_group_or_table_that_is_missing_is_refused() {
    for path in objects_of_an_archive() {
        let change = |at: &Path| open(at).unlink(&path).expect("a removed object");
        if ["/json", "/json/header", "/faults", "/outcomes", "/timing"].contains(&path.as_str()) {
            refused_somehow(&path, change);
        } else {
            // What is shown to other programs is not read back.
            let _ = changed(&path, change);
        }
    }
}

/// Refused with the name of the file and what is the matter.
#[track_caller]
fn refused_somehow(what: &str, change: impl FnOnce(&Path)) {
    let message = changed(what, change).expect_err(what);
    assert!(message.contains("archive.h5"), "{what}: {message}");
}

#[test]
fn attributes_that_are_missing_or_of_another_type_are_refused() {
    let mut count = 0;
    for path in std::iter::once("/".to_owned()).chain(objects_of_an_archive()) {
        let names = {
            let folder = finished();
            let file = File::open(folder.path().join("archive.h5")).expect("a file");
            locate(&file, &path).attr_names().expect("names")
        };
        for name in names {
            let what = format!("{path} {name}");
            let read_back = match path.as_str() {
                "/" => !name.starts_with("beamline_"),
                "/json/header" | "/faults" | "/outcomes" | "/timing" => name == "sha256",
                _ => false,
            };
            let changes: [fn(&Location, &str); 5] = [
                |_, _| {},
                |at, name| {
                    at.new_attr::<f32>()
                        .create(name)
                        .and_then(|of| of.write_scalar(&1.5f32))
                        .expect("one");
                },
                |at, name| at.new_attr::<u64>().shape([3]).create(name).map(|_| ()).expect("three"),
                |at, name| {
                    let text: VarLenUnicode = "text".parse().expect("text");
                    at.new_attr::<VarLenUnicode>()
                        .create(name)
                        .and_then(|of| of.write_scalar(&text))
                        .expect("text");
                },
                |at, name| {
                    let huge = TypeDescriptor::FixedUnicode(60_000);
                    at.new_attr_builder()
                        .empty_as(huge)
                        .create(name)
                        .map(|_| ())
                        .expect("a long text");
                },
            ];
            for change in changes {
                let change = |at: &Path| {
                    let file = open(at);
                    let at = locate(&file, &path);
                    at.delete_attr(&name).expect("a removed attribute");
                    change(&at, &name);
                };
                if read_back {
                    refused_somehow(&what, change);
                } else {
                    let _ = changed(&what, change);
                }
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count} attributes");
}

#[test]
fn figures_of_the_header_that_cannot_be_are_refused() {
    let numbers = [json!(0), json!(1.0), json!(-1), json!(null), json!(1e308), json!("1")];
    for (pointer, possible) in [
        ("/campaign/alpha", 0),
        ("/rate/upsets_per_bit_day", 3),
        ("/rate/acceleration", 2),
        ("/rate/trial_s", 3),
        ("/rate/inference_period_s", 3),
        ("/rate/execution_time_s", 3),
    ] {
        let fine = |value: &Value| match possible {
            0 => false,
            2 => value.as_f64().is_some_and(|value| value > 0.0),
            _ => value.as_f64().is_some_and(|value| value >= 0.0),
        };
        for value in &numbers {
            let change = |path: &Path| put(path, "json/header", pointer, Some(value.clone()));
            if fine(value) {
                let _ = changed(pointer, change);
            } else {
                refused(&format!("{pointer} {value}"), change);
            }
        }
    }
    for (pointer, value) in [
        ("/campaign/steps", json!(0)),
        ("/campaign/looks", json!(0)),
        ("/campaign/dummy", json!(2)),
        ("/campaign/census", json!("perhaps")),
        ("/campaign/name", json!("\u{1b}[2J")),
        ("/workload/labelled", json!(null)),
        ("/workload/inputs", json!(-1)),
        ("/schemes/1/definition/name", json!("")),
        ("/schemes/1/definition/protection", json!("fourfold")),
        ("/schemes", json!([])),
        ("/strata/0/region", json!("nowhere")),
        ("/strata/0/inferences_per_trial", json!(0)),
        ("/workload/tensors/0/words", json!(u64::MAX)),
    ] {
        refused(pointer, |path| put(path, "json/header", pointer, Some(value)));
    }
    for version in [4_u32, u32::MAX] {
        refused("schema_version", |path| {
            let file = open(path);
            file.attr("schema_version").and_then(|of| of.write_scalar(&version)).expect("a value");
        });
    }
}

#[test]
fn a_stretch_that_ends_past_what_can_be_counted_is_refused() {
    for (first, part) in [(u64::MAX - 1, None), (u64::MAX - 1, Some(40_u64)), (0, Some(u64::MAX))] {
        refused("a stretch", |path| {
            let file = open(path);
            file.attr("first_trial").and_then(|of| of.write_scalar(&first)).expect("a value");
            for (name, value) in [("part_first", first), ("part_count", part.unwrap_or(0))] {
                if part.is_some() {
                    let attribute = file.new_attr::<u64>().create(name).expect("an attribute");
                    attribute.write_scalar(&value).expect("a value");
                }
            }
        });
    }
}

/// Whatever stands in the place of any value of the header, and where it is missing.
#[test]
fn any_value_in_any_place_of_the_header_ends_in_an_error_or_in_a_report() {
    let folder = finished();
    let header = edited::json(&folder.path().join("archive.h5"), "json/header");
    let all = pointers(&header);
    assert!(all.len() > 100, "{} values", all.len());
    for pointer in &all {
        let values = [json!(null), json!(-1), json!(1e308), json!("x"), json!([]), json!({})];
        for value in values.into_iter().map(Some).chain([None]) {
            let what = format!("{pointer} {value:?}");
            let _ = changed(&what, |path| put(path, "json/header", pointer, value));
        }
    }
}

#[test]
fn texts_that_are_none_are_refused() {
    let bytes = |bytes: &'static [u8]| move |path: &Path| edited::text(path, "json/header", bytes);
    refused("not UTF-8", bytes(b"\xff\xfe\xfd"));
    refused("no JSON", bytes(b"{\"campaign\": 7"));
    refused("deep JSON", bytes(&[b'['; 100_000]));
    refused("empty", bytes(b"{}"));
}

#[test]
fn rows_that_differ_from_their_digest_are_refused() {
    let message = refused("a changed row", |path| {
        let table = open(path).dataset("outcomes").expect("a table");
        let mut rows = table.read_raw::<OutcomeRow>().expect("rows");
        rows[3].retries += 1;
        table.write_raw(&rows).expect("rows");
    });
    assert!(message.contains("outcomes whose rows have the SHA-256 digest"), "{message}");
    changed("the same with its digest", |path| {
        rows::<OutcomeRow>(path, "outcomes", |rows| rows[3].retries += 1);
    })
    .expect("an archive that says what it holds");
}

/// A table with the columns of the outcomes but one.
#[derive(H5Type, Clone, Copy)]
#[repr(C)]
struct Short {
    trial: u64,
    scheme: u16,
    stratum: u16,
    faults: u32,
}

#[test]
fn tables_of_another_type_or_layout_are_refused() {
    let replace = |table: &'static str, with: fn(&Group, &str)| {
        move |path: &Path| {
            let file = open(path);
            file.unlink(table).expect("a removed table");
            with(&file, table);
        }
    };
    for table in ["faults", "outcomes", "timing", "json/header"] {
        let changes: [fn(&Group, &str); 9] = [
            |at, name| {
                drop(create(
                    at.new_dataset_builder().empty::<Short>().shape([160]).chunk([160]),
                    name,
                ));
            },
            |at, name| {
                drop(create(
                    at.new_dataset_builder().empty::<f64>().shape([160]).chunk([160]),
                    name,
                ));
            },
            |at, name| {
                let text = at.new_dataset_builder().empty::<VarLenUnicode>().shape([4]);
                drop(text.chunk([4]).create(name).expect("a table"));
            },
            |at, name| {
                drop(create(
                    at.new_dataset_builder().empty::<u8>().shape([4, 4]).chunk([4, 4]),
                    name,
                ));
            },
            |at, name| {
                let rows = at.new_dataset_builder().empty::<OutcomeRow>();
                let rows = rows.shape([hdf5::Extent::resizable(160)]);
                drop(create(rows.chunk([1 << 24]), name));
            },
            |at, name| {
                drop(
                    at.new_dataset_builder()
                        .empty::<OutcomeRow>()
                        .shape([160])
                        .create(name)
                        .expect("contiguous"),
                );
            },
            |at, name| {
                drop(at.new_dataset_builder().empty::<u64>().create(name).expect("a scalar"));
            },
            |at, name| drop(at.create_group(name).expect("a group")),
            |at, name| {
                drop(
                    at.new_dataset_builder()
                        .empty::<u8>()
                        .shape([160])
                        .external("/etc/passwd", 0, 160)
                        .create(name)
                        .expect("external"),
                );
            },
        ];
        for change in changes {
            refused_somehow(table, replace(table, change));
        }
    }
}

fn create(builder: hdf5::DatasetBuilderEmptyShape, name: &str) -> hdf5::Dataset {
    builder.shuffle().deflate(4).fletcher32().create(name).expect("a table")
}
