//! The archive of a mission: histories come back as they went in, whatever happened to the run.

mod flown;

use beamline::archive::mission::{Histories, Made, WHAT_NAMES};
use beamline::archive::{
    Archive, ArchiveKind, Error, Existing, Fingerprint, MissionArchive, MissionExisting,
    MissionHeader, MissionRun, MissionWriter, set_aside,
};
use beamline::mission::figures::figures;
use beamline::mission::upset;
use flown::{
    HISTORIES, MISSION, PLAN, closing, fingerprint, finished, header, made, plan_of, run, write,
};
use std::fs;
use std::path::Path;

/// What an earlier run left in a folder.
fn look(folder: &Path, fingerprint: &Fingerprint) -> Result<Option<MissionExisting>, Error> {
    MissionExisting::open(folder, fingerprint, &mut |_| {})
}

#[test]
fn a_mission_comes_back_as_it_went_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = MissionWriter::start(folder.path(), header()).expect("a writer");
    write(&mut writer, 0..4);
    writer.stop().expect("histories");
    let running = MissionArchive::read(folder.path()).expect("a running mission");
    assert!(!running.finished && running.header == header());
    assert_eq!(running.runs, (0..4).map(run).collect::<Vec<_>>());
    let so_far: Vec<_> = running.runs.iter().map(|run| run.schemes.clone()).collect();
    assert_eq!(running.closing.figures, figures(&PLAN.facts(), &so_far));
    assert!(running.closing.strata.is_empty());

    let existing = look(folder.path(), &fingerprint()).expect("a look");
    let mut writer = MissionWriter::resume(existing.expect("one"), header()).expect("a writer");
    write(&mut writer, 4..HISTORIES);
    let path = writer.finish(closing()).expect("an archive");
    assert_eq!(path, folder.path().join("archive.h5"));
    assert!(!folder.path().join("segments").exists());
    for path in [folder.path(), path.as_path()] {
        let archive = MissionArchive::read(path).expect("a finished mission");
        assert!(archive.finished);
        assert_eq!(archive.header, header());
        assert_eq!(archive.runs, (0..HISTORIES).map(run).collect::<Vec<_>>());
        assert_eq!(archive.closing, closing());
    }
}

#[test]
fn an_upset_says_where_it_fell() {
    let (header, plan) = (header(), &*PLAN);
    let drawn = upset::history(plan, 0);
    let rows = run(0).upsets;
    assert_eq!(rows.len(), drawn.len());
    assert!(rows.len() > 20, "{} upsets", rows.len());
    for (row, upset) in rows.iter().zip(&drawn) {
        assert_eq!(WHAT_NAMES[usize::from(row.what)], upset.what.name());
        assert_eq!((row.id, row.time_s), (upset.id, upset.time_s));
        let place = &plan.timeline.places[row.place as usize];
        assert_eq!(row.latitude_deg, place.position.latitude_deg);
        assert_eq!(row.longitude_deg, place.position.longitude_deg);
        assert!((0.0..24.0).contains(&row.local_time_h));
        assert_eq!(row.what() == "memory", header.shape(row).is_some());
        assert_eq!(row.what() == "hardened-storage", header.mode(row).is_none());
        let banks = plan.ground.memory.banks_total();
        assert_eq!(row.what() == "memory", u64::from(row.bank) < banks);
        assert_eq!(row.what() == "memory", row.first_entry < plan.ground.memory.entries());
    }
    let kinds: std::collections::BTreeSet<_> = rows.iter().map(|row| row.what()).collect();
    assert!(kinds.contains("memory") && kinds.len() > 1, "{kinds:?}");
    assert_eq!(header.track.len(), plan.timeline.places.len());
    assert!(header.track.iter().any(|place| place.in_saa == 1 && place.events_per_s > 0.0));
}

#[test]
fn the_rate_along_the_track_has_the_mean_of_all_modes() {
    // 23,040 places of a lap, of which the track has every second: a row is the mean over its own.
    let long = MISSION.replace("days = 1.0", "days = 16.0\nstep_s = 60.0");
    for text in [MISSION, &long] {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = plan_of(text);
        let header = MissionHeader::of(&plan, text, &made());
        let mut writer = MissionWriter::start(folder.path(), header).expect("a writer");
        write(&mut writer, 0..1);
        drop(writer);
        let header = MissionArchive::read(folder.path()).expect("a running mission").header;
        let step = header.orbit.place_step;
        let stands_for = |at: u64| (header.orbit.places - at * step).min(step) as f64;
        let track = (0..).zip(&header.track);
        let sum: f64 = track.map(|(at, place)| stands_for(at) * place.events_per_s).sum();
        let mean = sum / header.orbit.places as f64;
        let modes: f64 = header.facts.modes.iter().map(|mode| mode.per_device_s[1]).sum();
        assert!(modes > 0.0 && (mean / modes - 1.0).abs() < 1e-9, "{mean} a second, {modes}");
        assert_eq!(step, if text == MISSION { 1 } else { 2 });
    }
}

#[test]
fn a_mission_that_was_killed_ends_as_one_that_was_not() {
    let [whole, broken] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
    let whole_path = finished(whole.path());
    let mut writer = MissionWriter::start(broken.path(), header()).expect("a writer");
    write(&mut writer, 0..2);
    drop(writer);
    // What a kill leaves: a file half-written under its temporary name.
    let torn = broken.path().join("segments/.beamline-Xq71.tmp");
    fs::write(&torn, b"\x89HDF\r\n\x1a\n and then nothing").expect("a torn file");
    let mut runs = Vec::new();
    let mut open = || {
        let mut keep = |segment: &Histories| runs.extend(segment.runs.clone());
        MissionExisting::open(broken.path(), &fingerprint(), &mut keep).expect("a look")
    };
    let existing = open().expect("histories");
    assert!(!torn.exists() && !existing.finished);
    assert_eq!(existing.next, 2);
    let mut writer = MissionWriter::resume(existing, header()).expect("a writer");
    write(&mut writer, 2..5);
    drop(writer);
    let existing = open().expect("histories");
    assert_eq!(existing.next, 5);
    let mut writer = MissionWriter::resume(existing, header()).expect("a writer");
    write(&mut writer, 5..HISTORIES);
    let broken_path = writer.finish(closing()).expect("an archive");

    let rows = ["histories", "upsets", "episodes", "changes", "schemes", "track"];
    for table in rows {
        let [a, b] = [&whole_path, &broken_path].map(|path| stored(path, table));
        assert!(!a.is_empty(), "{table}");
        assert_eq!(a, b, "{table}");
    }
    let [a, b] = [&whole_path, &broken_path].map(|path| MissionArchive::read(path).expect("one"));
    assert_eq!(a, b);
    let existing = open().expect("a mission");
    assert!(existing.finished);
    let seen: Vec<MissionRun> = runs.into_iter().map(|(run, _)| run).collect();
    assert_eq!(seen[..2], [run(0), run(1)]);
    let error = MissionWriter::resume(existing, header()).expect_err("finished");
    assert!(matches!(error, Error::Occupied { .. }));
}

/// The bytes of a chunked dataset as they lie in the file.
fn stored(path: &Path, table: &str) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file");
    let file = hdf5::File::open(path).expect("an HDF5 file");
    let dataset = file.dataset(table).expect("a table");
    let chunks = (0..dataset.num_chunks().expect("chunks")).map(|index| {
        let chunk = dataset.chunk_info(index).expect("a chunk");
        let start = usize::try_from(chunk.addr).expect("an offset");
        bytes[start..start + usize::try_from(chunk.size).expect("a size")].to_vec()
    });
    chunks.flatten().collect()
}

#[test]
fn another_experiment_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = MissionWriter::start(folder.path(), header()).expect("a writer");
    write(&mut writer, 0..1);
    drop(writer);
    let refusal = |fingerprint: &Fingerprint| {
        look(folder.path(), fingerprint).expect_err("another").to_string()
    };
    let other = Made { golden: vec![9], ..made() };
    let message = refusal(&MissionHeader::of(&PLAN, MISSION, &other).fingerprint);
    assert!(message.contains("header.h5: made with another golden;"), "{message}");
    let longer = MISSION.replace("2y", "3y");
    let message = refusal(&MissionHeader::of(&plan_of(&longer), &longer, &made()).fingerprint);
    assert!(message.contains("made with another mission;"), "{message}");
    // A comment decides nothing.
    let told = MISSION.replace("# a comment", "# another comment");
    let same = MissionHeader::of(&plan_of(&told), &told, &made()).fingerprint;
    let existing = look(folder.path(), &same).expect("a look").expect("one");
    assert_eq!(existing.next, 1);
    let done = tempfile::tempdir().expect("a folder");
    finished(done.path());
    let other = MissionHeader::of(&PLAN, MISSION, &other).fingerprint;
    let message = look(done.path(), &other).expect_err("another").to_string();
    assert!(message.contains("archive.h5: made with another golden;"), "{message}");
    assert!(!done.path().join("segments").exists(), "a refusal left a folder");
}

#[test]
fn torn_and_missing_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = MissionWriter::start(folder.path(), header()).expect("a writer");
    write(&mut writer, 0..3);
    drop(writer);
    let refusals = || {
        let existing = look(folder.path(), &fingerprint()).expect_err("a flaw");
        let archive = MissionArchive::read(folder.path()).expect_err("a flaw");
        assert_eq!(existing.to_string(), archive.to_string());
        existing.to_string()
    };
    let path = folder.path().join("segments/seg-000000000001.h5");
    let whole = fs::read(&path).expect("a history");
    fs::write(&path, &whole[..whole.len() / 2]).expect("a torn history");
    let message = refusals();
    assert!(message.contains("seg-000000000001.h5: expected the file whose"), "{message}");
    fs::remove_file(path.with_extension("h5.sha256")).expect("a removed digest");
    let message = refusals();
    assert!(message.contains("seg-000000000001.h5: expected a complete HDF5 file"), "{message}");
    fs::remove_file(&path).expect("a removed history");
    let message = refusals();
    assert!(
        message.contains(
            "seg-000000000002.h5: expected a segment before it that begins with history 1"
        ),
        "{message}"
    );
    fs::write(&path, &whole).expect("the history");
    fs::remove_file(folder.path().join("segments/header.h5")).expect("a removed header");
    let message = refusals();
    assert!(message.contains("header.h5: cannot be read"), "{message}");
}

#[test]
fn histories_come_in_order_and_all_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || MissionWriter::start(folder.path(), header()).expect("a writer");
    let refused = |run: MissionRun| {
        let mut writer = start();
        // What goes wrong on the writer's thread is told by the next call.
        writer.send((run, 0.5).into()).expect("handed over");
        writer.stop().expect_err("refused").to_string()
    };
    let message = refused(run(1));
    let expected = "expected a segment that begins with history 0, found 1 histories from 1";
    assert!(message.contains(expected), "{message}");
    let mut short = run(0);
    short.schemes.pop();
    let message = refused(short);
    assert!(message.contains("found history 0 under 1"), "{message}");
    let mut writer = start();
    write(&mut writer, 0..2);
    let message = writer.finish(closing()).expect_err("too few").to_string();
    assert!(message.ends_with("expected 6 histories, found 2 of them"), "{message}");
    assert_eq!(MissionArchive::read(folder.path()).expect("kept").runs.len(), 2);
}

#[test]
fn missions_and_campaigns_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = folder.path().join("running");
    let mut writer = MissionWriter::start(&running, header()).expect("a writer");
    assert!(matches!(MissionWriter::start(&running, header()), Err(Error::Locked { .. })));
    write(&mut writer, 0..1);
    drop(writer);
    let done = folder.path().join("done");
    finished(&done);
    for path in [&running, &done] {
        assert_eq!(ArchiveKind::of(path).expect("a kind"), ArchiveKind::Mission);
        let message = Archive::open(path).expect_err("no campaign").to_string();
        let expected = "expected the archive of a campaign, found that of a mission";
        assert!(message.contains(expected), "{message}");
        let message = Existing::open(path, &fingerprint(), &mut |_| {});
        let message = message.expect_err("no campaign").to_string();
        assert!(message.contains(expected), "{message}");
        let error = MissionWriter::start(path, header()).expect_err("taken");
        assert!(matches!(error, Error::Occupied { .. }));
        let aside = set_aside(path).expect("a rename").expect("something to keep");
        assert_eq!(MissionArchive::read(&aside).expect("kept").header, header());
        assert_eq!(set_aside(path).expect("a look"), None);
    }
    assert!(matches!(ArchiveKind::of(&running), Err(Error::Missing { .. })));
    assert!(matches!(MissionArchive::read(&running), Err(Error::Missing { .. })));
}
