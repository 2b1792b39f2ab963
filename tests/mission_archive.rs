//! The archive of a mission: histories come back as they went in, whatever happened to the run.

use beamline::archive::mission::{Closing, Made, WHAT_NAMES};
use beamline::archive::schema::AdapterInfo;
use beamline::archive::{
    Archive, Error, Existing, Fingerprint, Kind, MissionArchive, MissionExisting, MissionHeader,
    MissionRun, MissionWriter, set_aside,
};
use beamline::device::Location;
use beamline::mission::figures::{PerYear, figures};
use beamline::mission::fleet::FleetPoint;
use beamline::mission::run::HistoryRun;
use beamline::mission::strata::{Expected, Share, Stratum, Sum};
use beamline::mission::sweep::Point;
use beamline::mission::{
    Away, Cause, Change, Ended, Episode, Mission, Plan, Replaced, SchemeHistory, TenantCounts, Why,
    upset,
};
use beamline::seed::mix;
use beamline::stats::Interval;
use beamline::workload::{self, Overrides};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

const HISTORIES: u64 = 6;

const MISSION: &str = r#"
name = "archived"   # a comment
seed = 7
lasts = "2y"
histories = 6

[environment]
orbit = "suncatcher"
shielding_mm_al = 10.0
days = 1.0

[memory]
preset = "h100-80gb"
weights = "20GiB"

[[device]]
name = "trillium-hbm"
modes = ["upset"]

[[device]]
name = "trillium-tpu"
modes = ["sdc", "sefi"]

[hardened]
upsets_per_bit_day = 1e-7
source = "an invented rate of this test"

[requirement]
no_critical_sdc_for = "30d"
probability = 0.5

[workload]
name = "digits-mlp"
inputs = 16

[[scheme]]
name = "none"
protection = "none"

[[scheme]]
name = "TMR + scrub"
protection = "tmr-storage"
scrub = { every = "1h", by = "vote" }
"#;

fn plan_of(text: &str) -> Plan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("kernels/digits-mlp");
    let workload = workload::load(&folder, &Overrides::default()).expect("a workload");
    let mission = Mission::parse(Path::new("archived.toml"), text).expect("a mission");
    Plan::new(&mission, Arc::new(workload), &root.join("campaigns")).expect("a plan")
}

static PLAN: LazyLock<Plan> = LazyLock::new(|| plan_of(MISSION));

fn made() -> Made {
    Made {
        version: "0.1.0".into(),
        commit: "0123456".into(),
        adapter: AdapterInfo {
            name: "Test adapter".into(),
            driver: "test-driver".into(),
            driver_info: "version 1".into(),
            backend: "vulkan".into(),
            device_type: "cpu".into(),
            software: true,
            fma_fused: false,
        },
        shaders: vec!["a shader".into()],
        golden: vec![1, 2, 3],
    }
}

static HEADER: LazyLock<MissionHeader> =
    LazyLock::new(|| MissionHeader::of(&PLAN, MISSION, &made()));

fn header() -> MissionHeader {
    HEADER.clone()
}

fn fingerprint() -> Fingerprint {
    header().fingerprint
}

/// A history with the upsets that the mission draws, and with episodes that look like those of a
/// run and are none: a function of the history alone.
fn run(history: u64) -> MissionRun {
    let upsets = upset::history(&PLAN, history);
    let start_s = upset::start_s(&PLAN, history);
    let schemes = (0..2).map(|scheme| scheme_history(history, scheme)).collect();
    MissionRun::of(&HEADER, &PLAN, &HistoryRun { history, start_s, upsets, schemes })
}

#[expect(clippy::cast_possible_truncation, reason = "draws are below small bounds")]
fn scheme_history(history: u64, scheme: u64) -> SchemeHistory {
    let draw = |n: u64, below: u64| mix(mix(history ^ (scheme << 32)) ^ n) % below;
    let time_s = |n: u64| draw(n, 1 << 40) as f64 / 1e6;
    let outcomes = |n: u64| [0, 1, 2, 3, 4, 5, 6].map(|o| draw(100 * n + o, 50));
    let maybe = |n: u64| (draw(n, 2) == 1).then(|| time_s(n));
    let episode = |n: u64| Episode {
        cause: Cause::ALL[draw(n, 4) as usize],
        upset: draw(n + 1, 1000) as u32,
        upsets: 1 + draw(n + 2, 3) as u32,
        copy: draw(n + 3, 1 << 40),
        start_s: time_s(n + 4),
        first_effect_s: maybe(n + 5),
        first_critical_s: maybe(n + 6),
        end_s: time_s(n + 7),
        ended: Ended::ALL[draw(n + 8, 7) as usize],
        outcomes: outcomes(n),
    };
    let change = |n: u64| Change {
        time_s: time_s(n),
        copy: if n.is_multiple_of(3) { u64::MAX } else { n },
        upset: if n.is_multiple_of(2) { u32::MAX } else { n as u32 },
        ended: (n.is_multiple_of(2)).then(|| Ended::ALL[draw(n, 7) as usize]),
        words: draw(n, 9) as u32,
    };
    let away = |n: u64| Away {
        time_s: time_s(n),
        start_s: time_s(n + 1),
        length_s: time_s(n + 2),
        device: if n.is_multiple_of(3) { u32::MAX } else { draw(n, 3) as u32 },
        upset: draw(n + 3, 1000) as u32,
        why: Why::ALL[draw(n + 4, 5) as usize],
    };
    let part = |n: u64| draw(n, 64) as u32;
    let replaced = |n: u64| Replaced {
        time_s: time_s(n),
        device: draw(n + 1, 3) as u32,
        entry: draw(n + 2, 1 << 40),
        at: Location { stack: part(n), bank: part(n + 1), row: part(n + 2), ..Location::default() },
        page: (draw(n + 3, 2) == 1).then(|| draw(n + 4, 1 << 30)),
    };
    let tenant = |n: u64| TenantCounts {
        upsets: draw(n, 90),
        corrected: draw(n + 1, 90),
        uncorrectable: draw(n + 2, 90),
        silent: draw(n + 3, 90),
    };
    // More rows than a chunk of the archive holds, over all histories.
    let episodes = if scheme == 0 { 900 } else { draw(5, 40) };
    SchemeHistory {
        inferences: 5_000_000,
        unavailable: draw(1, 100),
        outcomes: outcomes(2),
        reloads: draw(6, 9),
        scrub_repaired: draw(7, 9),
        scrub_uncorrectable: draw(8, 9),
        read_repaired: draw(9, 9),
        exhausted: draw(12, 9),
        lost_bytes: draw(13, 1 << 40),
        struck: draw(14, 900),
        common_cause: draw(15, 9),
        tenants: [20, 30, 40, 50].map(tenant),
        repairs: (draw(16, 900), time_s(17)),
        first_critical_s: maybe(18),
        first_away_s: maybe(19),
        episodes: (0..episodes).map(|n| episode(1000 + 10 * n)).collect(),
        changes: (0..draw(21, 9)).map(|n| change(100_000 + n)).collect(),
        away: (0..draw(22, 9)).map(|n| away(200_000 + 10 * n)).collect(),
        replaced: (0..draw(23, 9)).map(|n| replaced(300_000 + 10 * n)).collect(),
    }
}

fn closing() -> Closing {
    let runs: Vec<_> = (0..HISTORIES).map(|history| run(history).schemes).collect();
    let interval = Interval { low: 0.5, high: 2.5 };
    let share = |critical| Share {
        critical: Sum { events: critical, sum: 9, squares: 33.0, most: 4 },
        due: Sum { events: 2, sum: 3, squares: 5.0, most: 2 },
        tolerable: 3,
        wrong: Sum { events: 3, sum: 4, squares: 8.0, most: 2 },
    };
    let stratum = |shape: Option<&str>, within| Stratum {
        device: "trillium-hbm".into(),
        mode: "upset".into(),
        shape: shape.map(str::to_owned),
        within,
        per_year: 12.5,
        drawn: 64,
        schemes: vec![share(5), share(0)],
    };
    let point = |period_s, refused: Option<&str>| Point {
        scheme: "TMR + scrub".into(),
        period_s,
        traffic_bytes_s: 1e9,
        wrong_per_year: (1.5, interval),
        error_episodes: PerYear { count: 3, rate: 1.0, interval },
        optimum: refused.is_none(),
        refused: refused.map(str::to_owned),
    };
    let expected = |scheme: &str| Expected {
        scheme: scheme.into(),
        critical: (1.0, interval),
        due: (0.0, interval),
        wrong: (17.0, interval),
        ap8_factor: 2.0,
    };
    let fleet = |satellites: u64| FleetPoint {
        satellites,
        years: 0.16 * satellites as f64,
        events: 50 * satellites,
        events_reaching: 40 * satellites,
        states_run: 1000,
        wrong: vec![satellites, 0],
        satellites_wrong: vec![satellites / 2, 0],
        seconds: 1.25,
    };
    Closing {
        figures: figures(&PLAN.facts(), &runs),
        strata: vec![
            stratum(Some("single-bit"), Some(true)),
            stratum(Some("single-bit"), Some(false)),
            stratum(None, None),
        ],
        expected: vec![expected("none"), expected("TMR + scrub")],
        sweep: vec![point(Some(60.0), None), point(None, None), point(Some(0.1), Some("too fast"))],
        fleet: vec![fleet(1000), fleet(1_000_000)],
    }
}

fn write(writer: &mut MissionWriter, histories: std::ops::Range<u64>) {
    for history in histories {
        writer.append(&run(history)).expect("a history");
    }
}

/// A folder with a finished mission.
fn finished(folder: &Path) -> PathBuf {
    let mut writer = MissionWriter::start(folder, header()).expect("a writer");
    write(&mut writer, 0..HISTORIES);
    writer.finish(&closing()).expect("an archive")
}

#[test]
fn a_mission_comes_back_as_it_went_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = MissionWriter::start(folder.path(), header()).expect("a writer");
    write(&mut writer, 0..4);
    let running = MissionArchive::read(folder.path()).expect("a running mission");
    assert!(!running.finished && running.header == header());
    assert_eq!(running.runs, (0..4).map(run).collect::<Vec<_>>());
    let so_far: Vec<_> = running.runs.iter().map(|run| run.schemes.clone()).collect();
    assert_eq!(running.closing.figures, figures(&PLAN.facts(), &so_far));
    assert!(running.closing.strata.is_empty());

    write(&mut writer, 4..HISTORIES);
    let path = writer.finish(&closing()).expect("an archive");
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
    let torn = broken.path().join("segments/seg-000000000002.tmp");
    fs::write(&torn, b"\x89HDF\r\n\x1a\n and then nothing").expect("a torn file");
    let open = || MissionExisting::open(broken.path(), &fingerprint()).expect("a look");
    let existing = open().expect("histories");
    assert!(!torn.exists() && !existing.finished);
    assert_eq!(existing.next_history, 2);
    assert_eq!(existing.runs, [run(0).schemes, run(1).schemes]);
    let mut writer = MissionWriter::resume(existing, header()).expect("a writer");
    write(&mut writer, 2..5);
    drop(writer);
    let mut writer = MissionWriter::resume(open().expect("histories"), header()).expect("a writer");
    assert_eq!(writer.next_history(), 5);
    write(&mut writer, 5..HISTORIES);
    let broken_path = writer.finish(&closing()).expect("an archive");

    let rows = ["histories", "upsets", "episodes", "changes", "schemes", "orbit/track"];
    for table in rows {
        let [a, b] = [&whole_path, &broken_path].map(|path| stored(path, table));
        assert!(!a.is_empty(), "{table}");
        assert_eq!(a, b, "{table}");
    }
    let [a, b] = [&whole_path, &broken_path].map(|path| MissionArchive::read(path).expect("one"));
    assert_eq!(a, b);
    let existing = open().expect("a mission");
    assert!(existing.finished);
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
        MissionExisting::open(folder.path(), fingerprint).expect_err("another").to_string()
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
    let existing = MissionExisting::open(folder.path(), &same).expect("a look").expect("one");
    assert_eq!(existing.next_history, 1);
}

#[test]
fn torn_and_missing_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = MissionWriter::start(folder.path(), header()).expect("a writer");
    write(&mut writer, 0..3);
    drop(writer);
    let refusals = || {
        let existing = MissionExisting::open(folder.path(), &fingerprint()).expect_err("a flaw");
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
        message.contains("seg-000000000002.h5: expected seg-000000000001.h5 before it"),
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
    let mut writer = MissionWriter::start(folder.path(), header()).expect("a writer");
    let message = writer.append(&run(1)).expect_err("not the first").to_string();
    assert!(message.contains("expected history 0 under 2 schemes, found history 1"), "{message}");
    let mut short = run(0);
    short.schemes.pop();
    let message = writer.append(&short).expect_err("one scheme").to_string();
    assert!(message.contains("found history 0 under 1"), "{message}");
    write(&mut writer, 0..2);
    let message = writer.finish(&closing()).expect_err("too few").to_string();
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
        assert_eq!(Kind::of(path).expect("a kind"), Kind::Mission);
        let message = Archive::open(path).expect_err("no campaign").to_string();
        let expected = "expected the archive of a campaign, found that of a mission";
        assert!(message.contains(expected), "{message}");
        let message = Existing::open(path, &fingerprint()).expect_err("no campaign").to_string();
        assert!(message.contains(expected), "{message}");
        let error = MissionWriter::start(path, header()).expect_err("taken");
        assert!(matches!(error, Error::Occupied { .. }));
        let aside = set_aside(path).expect("a rename").expect("something to keep");
        assert_eq!(MissionArchive::read(&aside).expect("kept").header, header());
        assert_eq!(set_aside(path).expect("a look"), None);
    }
    assert!(matches!(Kind::of(&running), Err(Error::Missing { .. })));
    assert!(matches!(MissionArchive::read(&running), Err(Error::Missing { .. })));
}
