//! Missions as a user meets them: exit codes, messages, a real kill, what a control shows.

mod support;

use beamline::archive::mission::MissionArchive;
use beamline::outcome::Outcome;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SMALL: &str = r#"name = "small"
seed = 11
lasts = "20y"
histories = 24
[environment]
orbit = "suncatcher"
days = 1
[memory]
preset = "tpu-v6e-32gb"
weights = "4GiB"
[[device]]
name = "trillium-hbm"
modes = ["upset"]
[[device]]
name = "trillium-tpu"
modes = ["sdc", "sefi"]
[workload]
name = "digits-mlp"
inputs = 8
[[scheme]]
name = "none"
protection = "none"
[[scheme]]
name = "TMR + scrub"
protection = "tmr-storage"
scrub = { every = "1h", by = "vote" }
"#;

fn beamline(folder: &TempDir, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    command
        .arg("mission")
        .arg(folder.path().join("mission.toml"))
        .args(["--no-tui", "--singles", "0", "--lanes", "32", "--results"])
        .arg(folder.path().join("results"))
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BEAMLINE_ADAPTER", support::adapter());
    command
}

fn bench(mission: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("mission.toml"), mission).expect("a written file");
    folder
}

/// The mission is refused with this exit code and a message that holds all of `parts`, and leaves
/// nothing behind.
fn refused(folder: &TempDir, code: i32, parts: &[&str]) {
    let output = run(folder, &[]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for part in parts {
        assert!(message.contains(part), "expected {part:?} in {message}");
    }
    assert!(!results(folder).exists(), "{} was left behind", results(folder).display());
}

#[test]
fn a_golden_run_that_is_not_what_it_must_be_is_refused() {
    let folder = bench(SMALL);
    support::copy_digits(folder.path());
    let workload = folder.path().join("digits-mlp/workload.toml");
    let with = std::fs::read_to_string(&workload).expect("a workload");
    let strict = with.replace("tolerance = 1e-4", "tolerance = 1e-9");
    std::fs::write(&workload, strict).expect("a written workload");
    refused(&folder, 3, &["digits-mlp: golden output", "expected", "on this adapter"]);
    std::fs::write(&workload, with).expect("a written workload");
    support::spoil_digits(folder.path());
    refused(&folder, 2, &["digits-mlp: golden output", "expected a number", "found NaN"]);
}

fn run(folder: &TempDir, more: &[&str]) -> Output {
    beamline(folder, more).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn results(folder: &TempDir) -> PathBuf {
    folder.path().join("results/small")
}

fn histories(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".h5") && name != "header.h5").count()
}

#[test]
fn a_killed_mission_goes_on_to_the_rows_of_one_never_killed() {
    let undisturbed = bench(SMALL);
    let output = run(&undisturbed, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for file in ["archive.h5", "report.html", "report.md", "map.svg"] {
        assert!(results(&undisturbed).join(file).is_file(), "{file} is missing");
    }
    let archive = MissionArchive::read(&results(&undisturbed)).expect("an archive");
    for schemes in archive.runs.iter().map(|run| &run.schemes) {
        for history in schemes {
            let served: u64 = history.outcomes.iter().sum();
            assert_eq!(served + history.unavailable, history.inferences);
        }
    }
    let wrong =
        |scheme: usize| archive.closing.figures[scheme].outcomes[Outcome::CriticalSdc as usize];
    assert!(wrong(0) > 0, "without protection some answers are wrong in 480 years");

    let killed = bench(SMALL);
    let mut child = beamline(&killed, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let segments = results(&killed).join("segments");
    let patience = Instant::now();
    while histories(&segments) < 2 && patience.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("a kill");
    child.wait().expect("an end");
    assert!(histories(&segments) >= 2, "killed on its way");
    if !results(&killed).join("archive.h5").exists() {
        let resumed = run(&killed, &["--resume"]);
        assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
        assert!(text(&resumed.stdout).contains("going on from history"));
    }
    let other = MissionArchive::read(&results(&killed)).expect("an archive");
    assert!(other.runs == archive.runs, "a resumed mission differs");
    assert!(other.closing == archive.closing);

    let finished = run(&killed, &["--resume"]);
    assert_eq!(finished.status.code(), Some(0), "{}", text(&finished.stderr));
    assert!(text(&finished.stdout).contains("finished already"));
}

#[test]
fn a_mission_in_deep_space_is_archived_and_has_no_map() {
    let folder = bench(&SMALL.replace("\"suncatcher\"\ndays = 1", "\"deep-space\""));
    let output = run(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let archive = MissionArchive::read(&results(&folder)).expect("an archive");
    assert!(archive.header.track.len() == 1 && archive.header.track[0].altitude_km.is_infinite());
    assert!(!results(&folder).join("map.svg").exists(), "a map without a track");
    let page = std::fs::read_to_string(results(&folder).join("report.html")).expect("a report");
    assert!(!page.contains("Where upsets fell"), "a map without a track");
}

/// The archive, which has every event, is no part of the report.
#[test]
fn the_report_of_the_demonstration_stays_below_a_megabyte() {
    let folder = TempDir::new().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    command.args(["mission", "missions/suncatcher.toml", "--no-tui", "--results"]);
    command.arg(folder.path()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.env("BEAMLINE_ADAPTER", support::adapter()).output();
    let output = output.expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(folder.path().join("suncatcher")).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        if !name.starts_with("archive.h5") {
            sizes.push((name, entry.metadata().expect("a file").len()));
        }
    }
    assert_eq!(sizes.len(), 5, "{sizes:?}");
    assert!(sizes.iter().map(|(_, bytes)| bytes).sum::<u64>() < 1_000_000, "{sizes:?}");
}

#[test]
fn the_exit_code_is_1_only_where_a_requirement_is_refuted() {
    let required = |length: &str, probability: f64| {
        let mission = SMALL.replace("histories = 24", "histories = 3");
        let asked = format!(
            "[requirement]\nno_critical_sdc_for = \"{length}\"\nprobability = {probability}\n[workload]"
        );
        let folder = bench(&mission.replace("[workload]", &asked));
        let output = run(&folder, &[]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    // Wrong answers of logic come a few times a year, with a vote on storage or without.
    let (code, table, message) = required("1y", 0.9);
    assert_eq!(code, Some(1), "{table}{message}");
    assert!(message.contains("refuted under none, TMR + scrub"), "{message}");
    assert!(table.contains("required: P(none in 1.00 y) ≥ 90.0 %"), "{table}");
    assert!(table.contains("report.html"), "the report is written all the same");
    let (code, table, message) = required("1d", 0.5);
    assert_eq!(code, Some(0), "{table}{message}");
    assert!(!message.contains("refuted"), "{message}");
    assert!(table.contains("shown") && !table.contains("refuted"), "{table}");
    // Three windows decide nothing at this level.
    let (code, table, message) = required("20y", 1e-9);
    assert_eq!(code, Some(0), "{table}{message}");
    assert!(!message.contains("refuted"), "{message}");
    assert!(table.contains("undecided"), "{table}");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_line_and_leaves_nothing() {
    for (from, to, parts) in [
        ("lasts = \"20y\"", "lasts = \"-20y\"", vec!["mission.toml:3", "expected a duration"]),
        ("every = \"1h\"", "every = \"-1h\"", vec!["mission.toml:", "expected a duration"]),
        ("weights = \"4GiB\"", "weights = \"16GiB\"", vec!["mission.toml:25", "34359738368 bytes"]),
        ("by = \"vote\"", "by = \"ecc\"", vec!["mission.toml:26", "code"]),
        ("\"tpu-v6e-32gb\"", "\"tpu-v9\"", vec!["mission.toml:9", "h100-80gb"]),
        (
            "modes = [\"sdc\", \"sefi\"]",
            "modes = [\"sdc\", \"sofi\"]",
            vec!["mission.toml:16", "\"sofi\""],
        ),
        ("every = \"1h\"", "every = \"1ms\"", vec!["mission.toml:26", "s or more"]),
    ] {
        assert!(SMALL.contains(from));
        let folder = bench(&SMALL.replace(from, to));
        let output = run(&folder, &[]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{to}: {message}");
        for part in parts {
            assert!(message.contains(part), "expected {part:?} in {message}");
        }
        assert!(!folder.path().join("results").exists(), "results were left behind");
    }
}

fn verb(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    let command = command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("BEAMLINE_ADAPTER", support::adapter()).output().expect("the binary starts")
}

#[test]
fn an_event_is_replayed_and_says_what_it_did() {
    let folder = bench(&SMALL.replace("histories = 24", "histories = 3"));
    let output = run(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let results = results(&folder);
    let archive = MissionArchive::read(&results).expect("an archive");
    let path = results.to_str().expect("a path");
    // An event that began an episode of a wrong answer under the first scheme.
    let mut episodes = archive
        .runs
        .iter()
        .flat_map(|run| run.schemes[0].episodes.iter().map(move |episode| (run.history, episode)));
    let (history, episode) = episodes.next().expect("an episode");
    let (history, event) = (history.to_string(), episode.upset.to_string());
    let arguments = ["replay", path, "--history", &history, "--event", &event];
    let output = verb(&arguments);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(shown.starts_with(&format!("event {event} of history {history} of small")), "{shown}");
    assert!(shown.contains("scheme none:\n") && shown.contains("scheme TMR + scrub"), "{shown}");
    let output = verb(&[&arguments[..], &["--format", "json"]].concat());
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(value["event"]["id"], episode.upset);
    assert_eq!(value["schemes"][0]["episodes"][0]["end_s"], episode.end_s);
    for (arguments, expected) in [
        (["--history", "3", "--event", "0"], "--history: expected one from 0 to 2, found 3"),
        (["--history", "0", "--event", "999999"], "--event: expected a number below"),
        (["--history", "0", "--trial", "0"], "--trial: expected no such flag for a mission"),
    ] {
        let output = verb(&[&["replay", path], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    // Without a terminal for screens the table comes.
    let [viewed, reported] =
        [vec!["view", path], vec!["report", path, "--format", "table"]].map(|of| verb(&of));
    assert_eq!(viewed.status.code(), Some(0));
    assert_eq!(text(&viewed.stdout).trim_end(), text(&reported.stdout).trim_end());
}

#[test]
fn a_mission_that_names_files_is_replayed_with_its_own() {
    let folder = bench(&SMALL.replace("histories = 24", "histories = 1"));
    let device =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fault-models/devices/trillium-hbm.toml");
    let text_of = std::fs::read_to_string(device).expect("a device");
    std::fs::write(folder.path().join("mine.toml"), text_of).expect("a device");
    let file = folder.path().join("mission.toml");
    let mission = std::fs::read_to_string(&file).expect("a mission");
    let mission = mission.replace("\"trillium-hbm\"", "\"mine.toml\"");
    std::fs::write(&file, mission).expect("a mission");
    let output = run(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let results = results(&folder);
    let replay = ["replay", results.to_str().expect("a path"), "--event", "0"];
    let output = verb(&replay);
    assert_eq!(output.status.code(), Some(2));
    let expected = "--mission: expected the mission's file, since it names \"mine.toml\"";
    assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    let file = file.to_str().expect("a path");
    let output = verb(&[&replay[..], &["--mission", file]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let other = std::fs::read_to_string(file).expect("a mission").replace("20y", "21y");
    std::fs::write(file, other).expect("a mission");
    let output = verb(&[&replay[..], &["--mission", file]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("mission: expected that of the archive"));
}

#[test]
fn parts_of_a_mission_become_the_result_of_one_run() {
    let folder = bench(&SMALL.replace("histories = 24", "histories = 5"));
    let output = run(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for part in ["1/2", "2/2"] {
        let output = run(&folder, &["--part", part]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let at = |name: &str| folder.path().join("results").join(name);
    let [a, b] = [1, 2].map(|index| at(&format!("small-part-{index}-of-2")));
    let part = MissionArchive::read(&b).expect("a part");
    assert!(!part.finished);
    assert_eq!((part.runs.len(), part.runs[0].history), (3, 2));
    // A history of a part is called by its number in the whole.
    let replay = ["replay", b.to_str().expect("a path"), "--event", "0", "--history"];
    let output = verb(&[&replay[..], &["4"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = verb(&[&replay[..], &["0"]].concat());
    assert!(text(&output.stderr).contains("--history: expected one from 2 to 4, found 0"));
    let merged = at("merged");
    let paths = [&b, &a, &merged].map(|path| path.to_str().expect("a path"));
    let output = verb(&["merge", paths[0], paths[1], "--output", paths[2]]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let [one, other] =
        [results(&folder), merged].map(|path| MissionArchive::read(&path).expect("an archive"));
    assert!(other.finished);
    assert_eq!(one.runs, other.runs);
    assert_eq!(one.closing, other.closing);
}
