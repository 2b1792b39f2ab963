//! What the binary says of input that it refuses: each cause once, the place shown, what was meant.

mod support;

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const MISSION: &str = r#"name = "small"
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
[workload]
name = "digits-mlp"
inputs = 8
[[scheme]]
name = "none"
protection = "none"
"#;

const CAMPAIGN: &str = r#"name = "small"
seed = 11
[workload]
name = "digits-mlp"
inputs = 16
[faults]
mode = "conditional"
count = 1
regions = ["weights"]
[[scheme]]
name = "none"
protection = "none"
[stop]
trials = 64
"#;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_beamline"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BEAMLINE_ADAPTER", support::adapter())
        .output()
        .expect("the binary starts")
}

/// What is said where a command line is refused as wrong input.
fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    // Loaders of drivers have their own word on standard error.
    message.split_once("beamline: ").map_or(String::new(), |(_, message)| message.to_owned())
}

fn name(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The refusal of a mission or a campaign that was changed.
fn changed(verb: &str, text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("file.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).expect("a written file");
    let message = refusal(&[verb, name(&path), "--no-tui", "--results", name(folder.path())]);
    message.replace(&format!("{}/", name(folder.path())), "")
}

#[test]
fn a_cause_is_told_once() {
    for arguments in [
        &["run", "no/such.toml"][..],
        &["mission", "no/such.toml"],
        &["orbit", "--tle", "no/such.tle"],
        &["orbit", "--preset", "suncatcher", "--device", "no/such.toml"],
        &["orbit", "--preset", "suncatcher", "--proton-spectrum", "no/such.csv"],
        &["report", "no/such/archive"],
        &["report", "no/such.toml"],
        &["replay", "no/such/archive", "--trial", "1"],
    ] {
        let message = refusal(arguments);
        assert!(message.matches("No such file").count() <= 1, "{arguments:?}: {message}");
        assert_eq!(message.matches("no/such").count(), 1, "{arguments:?}: {message}");
    }
}

#[test]
fn a_refusal_holds_no_refusal() {
    for (from, to) in [
        ("tpu-v6e-32gb", "tpu-v6-32gb"),
        ("name = \"trillium-hbm\"", "name = \"trilium-hbm\""),
        ("suncatcher", "suncacher"),
        ("days = 1", "days = 0"),
        ("weights = \"4GiB\"", "weights = \"4GB\""),
        ("lasts = \"20y\"", "lasts = \"20 years\""),
    ] {
        let message = changed("mission", MISSION, from, to);
        assert_eq!(message.matches("expected").count(), 1, "{to}: {message}");
        assert_eq!(message.matches("found").count(), 1, "{to}: {message}");
    }
}

#[test]
fn the_place_is_shown_with_a_caret_under_what_stands_there() {
    let message = changed("mission", MISSION, "tpu-v6e-32gb", "tpu-v6-32gb");
    let (first, place) = message.split_once('\n').expect("lines");
    assert!(first.starts_with("file.toml:9:10: expected a memory ("), "{first}");
    assert_eq!(place, "  9 | preset = \"tpu-v6-32gb\"\n    |          ^^^^^^^^^^^^^\n");
    let message = changed("run", CAMPAIGN, "count = 1", "count = 0");
    let place = "\n  8 | count = 0\n    |         ^\n";
    assert!(message.starts_with("file.toml:8:9: ") && message.ends_with(place), "{message}");
    let message = changed("run", CAMPAIGN, "count = 1", "coumt = 1");
    assert!(message.ends_with("\n  8 | coumt = 1\n    | ^^^^^\n"), "the key: {message}");
}

#[test]
fn a_word_that_is_nearly_right_is_suggested() {
    for (from, to, meant) in [
        ("seed", "sead", "seed"),
        ("lasts", "last", "lasts"),
        ("tpu-v6e-32gb", "tpu-v6-32gb", "tpu-v6e-32gb"),
        ("trillium-hbm", "trilium-hbm", "trillium-hbm"),
        ("[\"upset\"]", "[\"upsets\"]", "upset"),
        ("suncatcher", "sun-catcher", "suncatcher"),
        ("digits-mlp", "digit-mlp", "digits-mlp"),
        ("protection = \"none\"", "protection = \"tmr-storge\"", "tmr-storage"),
        ("protection = \"none\"", "protection = \"none\"\nvoter = \"bitwize\"", "bitwise"),
    ] {
        let message = changed("mission", MISSION, from, to);
        assert!(message.contains(&format!("did you mean `{meant}`?")), "{to}: {message}");
    }
    for (from, to, meant) in [
        ("count", "coumt", "count"),
        ("\"conditional\"", "\"conditonal\"", "conditional"),
        ("\"weights\"", "\"weigths\"", "weights"),
        (
            "regions = [\"weights\"]",
            "regions = [\"weights\"]\ntensors = [\"fc1.wieght\"]",
            "fc1.weight",
        ),
    ] {
        let message = changed("run", CAMPAIGN, from, to);
        assert!(message.contains(&format!("did you mean `{meant}`?")), "{to}: {message}");
    }
    let message = refusal(&["orbit", "--preset", "suncacher"]);
    assert!(message.contains("did you mean `suncatcher`?"), "{message}");
    let message = refusal(&["orbit", "--preset", "suncatcher", "--device", "trillium-hbn"]);
    assert!(message.contains("did you mean `trillium-hbm`?"), "{message}");
}

#[test]
fn a_value_with_a_unit_says_its_form() {
    let scrub =
        "protection = \"none\"\ncode = \"hsiao-72-64\"\nscrub = { every = 3600, by = \"ecc\" }";
    for (from, to, form) in [
        ("lasts = \"20y\"", "lasts = 5", "\"5y\""),
        ("lasts = \"20y\"", "lasts = \"5\"", "\"5y\""),
        ("protection = \"none\"", scrub, "\"1h\""),
        ("weights = \"4GiB\"", "weights = 1.5", "\"16GiB\""),
        ("weights = \"4GiB\"", "weights = -1", "\"16GiB\""),
        ("weights = \"4GiB\"", "weights = \"4GB\"", "\"16GiB\""),
        ("weights = \"4GiB\"", "weights = \"4GiB\"\nkv_cache = true", "\"16GiB\""),
        ("[workload]", "[service]\nreset = 30\n[workload]", "\"30s\""),
        (
            "[workload]",
            "[requirement]\nno_critical_sdc_for = 1\nprobability = 0.9\n[workload]",
            "\"1h\"",
        ),
    ] {
        let message = changed("mission", MISSION, from, to);
        assert!(message.contains(form), "{to}: {message}");
        let value = to.lines().rev().find(|line| message.contains(line));
        assert!(value.is_some(), "its line is shown: {to}: {message}");
    }
}

#[test]
fn a_file_of_another_kind_is_told_its_verb() {
    let folder = TempDir::new().expect("a folder");
    let write = |file: &str, text: &str| {
        std::fs::write(folder.path().join(file), text).expect("a written file");
        name(&folder.path().join(file)).to_owned()
    };
    let (mission, campaign) = (write("mission.toml", MISSION), write("campaign.toml", CAMPAIGN));
    let archive = write("archive.h5", "\u{89}HDF\r\n");
    std::fs::write(&archive, b"\x89HDF\r\n\x1a\n").expect("a written file");
    for (arguments, verb) in [
        (vec!["mission", &campaign], format!("`beamline run {campaign}`")),
        (vec!["run", &mission], format!("`beamline mission {mission}`")),
        (vec!["report", &mission], format!("`beamline mission {mission}`")),
        (vec!["report", &campaign], format!("`beamline run {campaign}`")),
        (vec!["replay", &campaign, "--trial", "0"], format!("`beamline run {campaign}`")),
        (vec!["run", &archive], "`beamline report`".to_owned()),
        (vec!["mission", name(folder.path())], "`beamline report`".to_owned()),
    ] {
        let message = refusal(&arguments);
        assert!(message.contains(&verb), "{arguments:?}: {message}");
    }
}

#[test]
fn what_was_found_moves_no_terminal() {
    let message = changed("mission", MISSION, "\"upset\"", "\"up\\u001B[2J\\u202E\"");
    assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message:?}");
    assert!(message.contains("up\\u{1b}[2J\\u{202e}"), "{message:?}");
}

#[test]
fn an_adapter_is_chosen_by_its_number() {
    let list = run(&["adapters", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    for (at, adapter) in list.as_array().expect("a list").iter().enumerate() {
        let number = at.to_string();
        let one = run(&["selftest", "--problems", "1", "--format", "json", "--adapter", &number]);
        let one: serde_json::Value = serde_json::from_slice(&one.stdout).expect("JSON");
        assert_eq!(one["adapter"]["name"], adapter["name"]);
    }
    let none = run(&["selftest", "--adapter", "99"]);
    let message = String::from_utf8_lossy(&none.stderr).into_owned();
    assert_eq!(none.status.code(), Some(3), "{message}");
    assert!(message.contains("found:\n  0  "), "{message}");
}
