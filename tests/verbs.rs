//! Verbs that run nothing: what can be named, what a file would do, schemas, pages of the manual, and
//! results side by side.

mod fixture;
mod flown;

use beamline::archive::Writer;
use fixture::{header, segment};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_beamline"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts")
}

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).expect("text")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A finished campaign in `folder`, with another seed.
fn campaign(folder: &Path, seed: u64) {
    let mut header = header();
    header.campaign.seed = seed;
    header.campaign.toml = header.campaign.toml.replace("seed = 7", &format!("seed = {seed}"));
    let mut writer = Writer::start(folder, header).expect("a writer");
    writer.send(segment(0, 200 + 100 * seed)).expect("a segment");
    writer.finish(()).expect("an archive");
}

#[test]
fn everything_that_can_be_named_is_listed() {
    for (what, some) in [
        ("devices", "trillium-hbm"),
        ("memories", "h100-80gb"),
        ("orbits", "suncatcher"),
        ("patterns", "hbm2-neutron"),
        ("protections", "tmr-storage"),
        ("codes", "hsiao-72-64"),
        ("workloads", "digits-mlp"),
        ("ops", "conv2d"),
    ] {
        let table = printed(&["list", what]);
        assert!(table.lines().any(|line| line == some), "{what}: {table}");
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        let list = json(&printed(&["list", what, "--format", "json"]));
        let list = list.as_array().expect("a list");
        assert!(list.len() > 2, "{what}");
        for entry in list {
            for key in ["name", "title"] {
                let text = entry[key].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{what} without {key}: {entry}");
            }
        }
    }
}

#[test]
fn a_file_says_what_it_is_and_what_it_would_do() {
    for (file, kind, line) in [
        ("campaigns/leo-demo.toml", "campaign leo-demo", "192 trials of each scheme"),
        ("missions/suncatcher.toml", "mission suncatcher", "8 histories of 5y"),
        ("fault-models/devices/trillium-hbm.toml", "device trillium-hbm", "upset: multi-bit"),
        ("fault-models/memories/h100-80gb.toml", "memory h100-80gb", "85.9 GB of data"),
        ("fault-models/patterns/hbm2-neutron.toml", "pattern hbm2-neutron", "shapes: single-bit"),
        ("kernels/digits-mlp", "workload digits-mlp", "ops: fc1 (linear)"),
        ("kernels/digits-mlp/workload.toml", "workload digits-mlp", "512 inputs"),
    ] {
        let text = printed(&["check", file]);
        assert!(text.lines().next().is_some_and(|first| first.ends_with(kind)), "{file}: {text}");
        assert!(text.contains(line), "{file}: {text}");
        let value = json(&printed(&["check", file, "--format", "json"]));
        let (of, name) = kind.split_once(' ').expect("two words");
        assert_eq!((value["kind"].as_str(), value["name"].as_str()), (Some(of), Some(name)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.toml");
    let name = path.to_str().expect("a path");
    for (text, expected) in [
        ("a = 1\n", "expected a campaign ([faults]), a mission (lasts)"),
        ("[faults]\nmode = \"conditionl\"\n", "x.toml:2:8: expected"),
        ("lasts = \"5 years\"\n", "x.toml:1:9: "),
        ("name = \n", "x.toml:1:"),
    ] {
        std::fs::write(&path, text).expect("a file");
        let message = refused(&["check", name]);
        assert!(message.contains(expected), "{message}");
    }
    assert!(refused(&["check", "nowhere.toml"]).contains("cannot be read"));
}

#[test]
fn pages_and_schemas_are_printed_and_written() {
    assert!(printed(&["man"]).contains(".SH SUBCOMMANDS"));
    let folder = tempfile::tempdir().expect("a folder");
    printed(&["man", "--output", folder.path().to_str().expect("a path")]);
    for page in ["beamline.1", "beamline-run.1", "beamline-list.1"] {
        assert!(folder.path().join(page).is_file(), "{page}");
    }
    let schema = json(&printed(&["schema", "mission"]));
    assert_eq!(schema["title"], "A mission of beamline");
}

#[test]
fn results_stand_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = [("a", 1), ("b", 2)].map(|(name, seed)| {
        let path = folder.path().join(name);
        campaign(&path, seed);
        path.to_str().expect("a path").to_owned()
    });
    let text = printed(&["report", &a, &b]);
    assert!(text.contains("Settings that differ") && text.contains("seed"), "{text}");
    assert!(text.contains("wrong trials") && text.contains("tmr-storage"), "{text}");
    let value = json(&printed(&["report", &a, &b, "--format", "json"]));
    assert_eq!(value["settings"][0]["setting"], "seed");
    assert_eq!(value["settings"][0]["values"], serde_json::json!([1, 2]));
    let figures = value["compared"][0]["figures"].as_array().expect("figures");
    assert_eq!(figures.len(), 8, "two of each of four schemes");
    for figure in figures {
        let of = |key: &str| figure[key].as_f64().expect("a number");
        assert!((of("other") - of("first") - of("difference")).abs() < 1e-12, "{figure}");
        assert!(of("low") <= of("difference") && of("difference") <= of("high"), "{figure}");
        assert_eq!(figure["differs"], of("low") > 0.0 || of("high") < 0.0, "{figure}");
    }
    let csv = printed(&["report", &a, &b, "--format", "csv"]);
    assert_eq!(csv.lines().count(), 9, "{csv}");
    assert!(printed(&["report", &a, &b, "--format", "markdown"]).starts_with("# Results"));
    assert!(refused(&["report", &a, &b, "--format", "html"]).contains("found html"));

    let mission = folder.path().join("m");
    flown::finished(&mission);
    let mission = mission.to_str().expect("a path").to_owned();
    let message = refused(&["report", &a, &mission]);
    assert!(message.contains("expected a campaign as") && message.contains("found a mission"));
    let same = json(&printed(&["report", &mission, &mission, "--format", "json"]));
    assert_eq!(same["settings"], serde_json::json!([]));
    let figures = same["compared"][0]["figures"].as_array().expect("figures");
    assert!(!figures.is_empty() && figures.iter().all(|figure| figure["difference"] == 0.0));
}

/// The screens on a terminal of their own, which `q` leaves.
#[test]
fn a_finished_result_is_viewed_on_a_terminal() {
    use std::io::Write;
    use std::process::Stdio;
    let folder = tempfile::tempdir().expect("a folder");
    campaign(folder.path(), 1);
    let binary = env!("CARGO_BIN_EXE_beamline");
    let line = format!("stty cols 80 rows 24; exec '{binary}' view '{}'", folder.path().display());
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env("SHELL", "/bin/sh");
    let Ok(mut child) = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        eprintln!("not run: there is no `script` here");
        return;
    };
    let mut keys = child.stdin.take().expect("a terminal");
    std::thread::sleep(std::time::Duration::from_secs(2));
    keys.write_all(b"q").expect("a key");
    let output = child.wait_with_output().expect("an end");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("fixture") && shown.contains("tmr-storage"), "{shown}");
}

#[test]
fn events_and_outcomes_are_rows_of_csv() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    campaign(&path, 1);
    let path = path.to_str().expect("a path");
    let rows = segment(0, 300);
    let count = |text: &str| text.lines().count() - 1;
    let events = printed(&["report", path, "--table", "events"]);
    assert_eq!(count(&events), rows.faults.len());
    assert!(events.starts_with("trial,scheme,stratum,order,time_s,"), "{events:.80}");
    let outcomes = printed(&["report", path, "--table", "outcomes", "--format", "csv"]);
    assert_eq!(count(&outcomes), rows.outcomes.len());
    let mut reader = csv::Reader::from_reader(outcomes.as_bytes());
    let heads = reader.headers().expect("heads").clone();
    let critical = heads.iter().position(|head| head == "critical_sdc").expect("a column");
    let sum: u64 = reader
        .records()
        .map(|record| record.expect("a row")[critical].parse::<u64>().expect("a count"))
        .sum();
    assert_eq!(sum, rows.outcomes.iter().map(|row| u64::from(row.critical_sdc)).sum::<u64>());
    let message = refused(&["report", path, "--table", "events", "--format", "json"]);
    assert!(message.contains("--table: expected one result and --format csv"), "{message}");

    let mission = folder.path().join("m");
    flown::finished(&mission);
    let mission = mission.to_str().expect("a path");
    let upsets = printed(&["report", mission, "--table", "events"]);
    assert_eq!(
        count(&upsets),
        (0..flown::HISTORIES).map(|at| flown::run(at).upsets.len()).sum::<usize>()
    );
    let episodes = printed(&["report", mission, "--table", "outcomes"]);
    let schemes = (0..flown::HISTORIES).flat_map(|at| flown::run(at).schemes);
    assert_eq!(count(&episodes), schemes.map(|of| of.episodes.len()).sum::<usize>());
}
