//! A stranger's archive: whatever stands in it, reading it ends in rows that can be or in an error
//! that names the file, what was expected and what was found. Never in a panic or a crash.

#[path = "../fixture/mod.rs"]
mod fixture;
mod paths;

use beamline::archive::{Archive, Existing, FaultRow, OutcomeRow, TimingRow, Writer};
use beamline::report::{self, Format};
use fixture::{fingerprint, header, segment};
use hdf5::types::{FixedUnicode, TypeDescriptor, VarLenUnicode};
use hdf5::{File, Group, H5Type, Location, LocationType};
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
    fs::read(writer.finish().expect("an archive")).expect("its bytes")
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
    Existing::open(folder, &fingerprint()).map(|_| ()).map_err(|error| error.to_string())
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

/// Opens a file for a change.
fn open(path: &Path) -> File {
    File::open_rw(path).expect("a file")
}

/// Changes rows of a table.
fn rows<T: H5Type>(path: &Path, table: &str, change: impl FnOnce(&mut Vec<T>)) {
    let table = open(path).dataset(table).expect("a table");
    let mut rows = table.read_raw::<T>().expect("rows");
    let count = rows.len();
    change(&mut rows);
    if rows.len() != count {
        table.resize([rows.len()]).expect("another size");
    }
    table.write_raw(&rows).expect("rows");
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
    let changes: [(&str, Change); 27] = [
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
    let changes: [(&str, Change); 16] = [
        ("trial", |row| row.trial += 1),
        ("trial", |row| row.trial = u64::MAX),
        ("scheme", |row| row.scheme += 1),
        ("order", |row| row.order += 1),
        ("order", |row| row.order = u16::MAX),
        ("region", |row| row.region = 5),
        ("kind", |row| row.kind = 3),
        ("proved", |row| row.proved = 2),
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
        // The summary and where it ran are not read back, and a campaign may have no rate.
        if ["/summary", "/run", "/campaign/rate"].iter().any(|of| path.starts_with(of)) {
            let _ = changed(&path, change);
        } else {
            refused_somehow(&path, change);
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
            // Descriptions are for people, and the summary is not read back.
            let read_back = !path.starts_with("/summary")
                && path != "/run"
                && !name.ends_with("_names")
                && !["description", "encoding", "whole", "trials"].contains(&name.as_str());
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

/// A truth value and one more.
#[derive(H5Type, Clone, Copy)]
#[repr(u8)]
#[expect(dead_code, reason = "the values that a truth value has")]
enum Three {
    False = 0,
    True = 1,
    Perhaps = 7,
}

#[test]
fn numbers_and_flags_of_the_header_are_checked() {
    fn put<T: H5Type>(path: &str, name: &str, value: T) -> impl FnOnce(&Path) {
        let (path, name) = (path.to_owned(), name.to_owned());
        move |at: &Path| {
            let file = open(at);
            let at = locate(&file, &path);
            at.attr(&name).and_then(|of| of.write_scalar(&value)).expect("a value");
        }
    }
    for value in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
        refused("alpha", put("/campaign", "alpha", value));
    }
    for name in
        ["upsets_per_bit_day", "acceleration", "trial_s", "inference_period_s", "execution_time_s"]
    {
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            refused(name, put("/campaign/rate", name, value));
        }
    }
    refused("steps", put("/campaign", "steps", 0_u32));
    refused("looks", put("/campaign", "looks", 0_u32));
    refused("schema_version", put("/", "schema_version", 3_u32));
    refused("schema_version", put("/", "schema_version", u32::MAX));
    // Rust's `bool` has no room for a third value.
    for (path, name) in [
        ("/campaign", "dummy"),
        ("/campaign", "census"),
        ("/adapter", "software"),
        ("/workload", "labelled"),
    ] {
        refused(name, |at| {
            let file = open(at);
            let at = locate(&file, path);
            at.delete_attr(name).expect("a removed attribute");
            let attribute = at.new_attr::<Three>().create(name).expect("an attribute");
            attribute.write_scalar(&Three::Perhaps).expect("a value");
        });
    }
    let escape: FixedUnicode<16> = "\u{1b}[2J".parse().expect("text");
    refused("name", put("/campaign", "name", escape));
}

#[test]
fn texts_that_are_none_are_refused() {
    let bytes = |table: &'static str, bytes: &'static [u8]| {
        move |path: &Path| {
            let table = open(path).dataset(table).expect("a table");
            table.resize([bytes.len()]).expect("another length");
            table.write_raw(bytes).expect("bytes");
        }
    };
    refused("not UTF-8", bytes("campaign/toml", b"\xff\xfe\xfd"));
    refused("not UTF-8", bytes("campaign/definitions", b"[\xff]"));
    refused_somehow("no JSON", bytes("campaign/definitions", b"[{\"name\": 7}"));
    refused_somehow("deep JSON", bytes("campaign/definitions", &[b'['; 100_000]));
    refused("too few", bytes("campaign/definitions", b"[]"));
}

#[test]
fn a_scheme_has_one_name() {
    #[derive(H5Type, Clone, Copy)]
    #[repr(C)]
    struct Column {
        name: FixedUnicode<256>,
    }
    refused("another name", |path| {
        rows::<Column>(path, "campaign/schemes", |rows| {
            rows[1].name = "another".parse().expect("a name");
        });
    });
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
    for table in
        ["faults", "outcomes", "timing", "campaign/schemes", "campaign/toml", "workload/ops"]
    {
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
