//! The binary as a user meets it: exit codes, messages, a real kill, a replay.

mod support;

use beamline::archive::{Archive, FaultRow, OutcomeRow};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SMALL: &str = r#"name = "small"
seed = 11
[workload]
name = "digits-mlp"
inputs = 16
[faults]
mode = "conditional"
count = 1
regions = ["weights", "activations"]
[[scheme]]
name = "none"
protection = "none"
[[scheme]]
name = "tmr"
protection = "tmr-output"
[stop]
trials = 640
segment_trials = 20
"#;

fn beamline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BEAMLINE_ADAPTER", support::adapter());
    command
}

fn run(arguments: &[&str]) -> Output {
    beamline(arguments).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A folder with campaign.toml, beside a copy of the kernels.
fn bench(campaign: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("campaign.toml"), campaign).expect("a written file");
    support::copy_digits(folder.path());
    folder
}

/// Runs the campaign of a bench; results land in the bench.
fn campaign(folder: &TempDir, more: &[&str]) -> Output {
    let (file, results) = (folder.path().join("campaign.toml"), folder.path().join("results"));
    let mut arguments = vec!["run", path(&file), "--results", path(&results), "--no-tui"];
    arguments.extend(more);
    run(&arguments)
}

/// The campaign is refused with this exit code and a message that holds all of `parts`, and
/// leaves nothing behind.
fn refused(folder: &TempDir, code: i32, parts: &[&str]) {
    let output = campaign(folder, &[]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for part in parts {
        assert!(message.contains(part), "expected {part:?} in {message}");
    }
    let results = folder.path().join("results");
    assert!(!results.is_dir(), "{} was left behind", results.display());
}

fn change(folder: &TempDir, file: &str, from: &str, to: &str) {
    let file = folder.path().join(file);
    let before = std::fs::read_to_string(&file).expect("a file");
    assert!(before.contains(from));
    std::fs::write(&file, before.replace(from, to)).expect("a written file");
}

#[test]
fn bad_campaign_files_are_refused_with_their_line() {
    refused(&bench(&SMALL.replace("seed = 11", "seed = = 11")), 2, &["campaign.toml:2:"]);
    refused(&bench(&SMALL.replace("count = 1", "coumt = 1")), 2, &["campaign.toml:", "coumt"]);
    let unknown = SMALL.replace("name = \"digits-mlp\"", "name = \"digits-xyz\"");
    refused(&bench(&unknown), 2, &["digits-xyz", "workload.toml"]);
    let missing = TempDir::new().expect("a folder");
    refused(&missing, 2, &["campaign.toml", "cannot be read"]);
}

#[test]
fn bad_weights_are_refused_with_their_file() {
    let weights = "digits-mlp/weights.safetensors";
    let folder = bench(SMALL);
    std::fs::remove_file(folder.path().join(weights)).expect("a removed file");
    refused(&folder, 2, &["weights.safetensors"]);
    let folder = bench(SMALL);
    let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(weights));
    let whole = whole.expect("weights");
    std::fs::write(folder.path().join(weights), &whole[..whole.len() / 2]).expect("a written file");
    refused(&folder, 2, &["weights.safetensors", "expected", "found"]);
    let folder = bench(SMALL);
    change(&folder, "digits-mlp/workload.toml", "shape = [64]", "shape = [63]");
    refused(&folder, 2, &["expected", "found"]);
}

#[test]
fn a_golden_run_that_is_not_what_it_must_be_is_refused() {
    let folder = bench(SMALL);
    change(&folder, "digits-mlp/workload.toml", "tolerance = 1e-4", "tolerance = 1e-9");
    refused(&folder, 3, &["digits-mlp: golden output", "expected", "on this adapter"]);
    let guarded = SMALL.replace("\"tmr-output\"", "\"none\"\nguard = \"non-finite\"");
    let folder = bench(&guarded.replace("\"activations\"", "\"input\""));
    support::spoil_digits(folder.path());
    refused(&folder, 2, &["digits-mlp: golden output", "expected a finite number", "found NaN"]);
}

#[test]
fn a_fault_list_with_an_index_out_of_range_is_refused_with_its_line() {
    let faults = SMALL.find("[faults]").expect("a table");
    let schemes = SMALL.find("[[scheme]]").expect("a table");
    let stop = SMALL.find("[stop]").expect("a table");
    let list = "[faults]\nmode = \"list\"\nfile = \"faults.csv\"\n";
    let folder = bench(&format!("{}{list}{}", &SMALL[..faults], &SMALL[schemes..stop]));
    let rows = "tensor,index,bit\nfc1.weight,8191,3\nfc1.weight,8192,3\n";
    std::fs::write(folder.path().join("faults.csv"), rows).expect("a written file");
    refused(&folder, 2, &["faults.csv:3", "8192", "expected"]);
}

#[test]
fn results_that_cannot_be_written_are_the_environments_fault() {
    let folder = bench(SMALL);
    std::fs::write(folder.path().join("results"), "a file, not a folder").expect("a written file");
    refused(&folder, 3, &["results"]);
}

/// Needs a small file system of its own, which only root can mount.
#[test]
fn a_full_disk_is_told_and_leaves_a_campaign_that_goes_on() {
    let folder = bench(&SMALL.replace("segment_trials = 20", "segment_trials = 320"));
    let disk = folder.path().join("results");
    std::fs::create_dir(&disk).expect("a new folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=48k", "tmpfs", path(&disk)])
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("not run: no small file system can be mounted here");
        return;
    }
    let full = campaign(&folder, &[]);
    let halves: Vec<PathBuf> = files(&disk).into_iter().filter(|p| is_tmp(p)).collect();
    let grown = Command::new("mount").args(["-o", "remount,size=4m", path(&disk)]).status();
    let resumed = campaign(&folder, &["--resume"]);
    let unmounted = Command::new("umount").arg(path(&disk)).status();
    assert!(grown.is_ok_and(|s| s.success()) && unmounted.is_ok_and(|s| s.success()));
    assert_eq!(full.status.code(), Some(3), "{}", text(&full.stderr));
    assert!(text(&full.stderr).contains("No space left"), "{}", text(&full.stderr));
    assert!(halves.is_empty(), "half-written: {halves:?}");
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
}

fn is_tmp(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![folder.into()] };
    entries.filter_map(|entry| Some(files(&entry.ok()?.path()))).flatten().collect()
}

fn rows(folder: &TempDir) -> (Vec<FaultRow>, Vec<OutcomeRow>, String) {
    let archive = Archive::open(&folder.path().join("results/small")).expect("an archive");
    let summary = format!("{:?}", archive.summary());
    (archive.faults().to_vec(), archive.outcomes().to_vec(), summary)
}

#[test]
fn a_killed_campaign_goes_on_to_the_rows_of_one_never_killed() {
    let undisturbed = bench(SMALL);
    let output = campaign(&undisturbed, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(undisturbed.path().join("results/small/report.html").is_file());

    let killed = bench(SMALL);
    let (file, results) = (killed.path().join("campaign.toml"), killed.path().join("results"));
    let mut child = beamline(&["run", path(&file), "--results", path(&results), "--no-tui"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let segments = results.join("small/segments");
    let whole =
        || files(&segments).iter().filter(|p| p.extension().is_some_and(|e| e == "h5")).count();
    let patience = Instant::now();
    while whole() < 2 && patience.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("a kill");
    child.wait().expect("an end");
    assert!(whole() >= 2 && !results.join("small/archive.h5").exists(), "killed on its way");

    change(&killed, "campaign.toml", "seed = 11", "seed = 12");
    let other = campaign(&killed, &["--resume"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("campaign"), "{}", text(&other.stderr));
    change(&killed, "campaign.toml", "seed = 12", "seed = 11");

    let resumed = campaign(&killed, &["--resume"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stdout).contains("going on from trial"));
    assert!(rows(&killed) == rows(&undisturbed), "a resumed run differs");
    assert_eq!(rows(&killed).1.len(), 2 * 640);

    // What an interruption between the archive and the report leaves.
    let report = results.join("small/report.html");
    std::fs::remove_file(&report).expect("a report");
    std::fs::create_dir(&segments).expect("a folder");
    std::fs::write(segments.join("lock"), "").expect("a lock");
    let healed = campaign(&killed, &["--resume"]);
    assert_eq!(healed.status.code(), Some(0), "{}", text(&healed.stderr));
    assert!(text(&healed.stdout).contains("finished already"), "{}", text(&healed.stdout));
    assert!(report.is_file() && !segments.exists());

    let again = campaign(&killed, &[]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let kept = std::fs::read_dir(&results).expect("results").count();
    assert_eq!(kept, 2, "the earlier results are still there");
}

#[test]
fn a_trial_is_replayed_to_its_archived_outcome() {
    let folder = bench(&SMALL.replace("trials = 640", "trials = 40"));
    assert_eq!(campaign(&folder, &[]).status.code(), Some(0));
    let archive = folder.path().join("results/small");
    let (faults, outcomes, _) = rows(&folder);
    for trial in [0u64, 1, 7] {
        for (index, scheme) in ["none", "tmr"].into_iter().enumerate() {
            let number = trial.to_string();
            let output = run(&[
                "replay",
                path(&archive),
                "--trial",
                &number,
                "--scheme",
                scheme,
                "--format",
                "json",
            ]);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let mine = |t: u64, s: u16| t == trial && usize::from(s) == index;
            let row = outcomes.iter().find(|r| mine(r.trial, r.scheme)).expect("a row");
            assert_eq!(value["outcome"], row.worst().name());
            let fault = faults.iter().find(|r| mine(r.trial, r.scheme)).expect("a fault");
            assert_eq!(fault.word_before ^ fault.mask, fault.word_after);
            assert_eq!(value["faults"][0]["before"], format!("{:#010x}", fault.word_before));
            assert_eq!(value["faults"][0]["after"], format!("{:#010x}", fault.word_after));
            let axis = value["faults"][0]["at"][0][0].as_str().expect("an axis");
            assert!(["output", "feature"].contains(&axis), "a weight's or a value's: {value}");
            assert!(value["ops"].as_array().is_some_and(|ops| !ops.is_empty()));
        }
    }
    let missing = run(&["replay", path(&archive), "--trial", "40"]);
    assert_eq!(missing.status.code(), Some(2), "{}", text(&missing.stderr));
    for format in ["json", "csv", "markdown", "table"] {
        let report = run(&["report", path(&archive), "--format", format]);
        assert_eq!(report.status.code(), Some(0), "{}", text(&report.stderr));
        assert!(text(&report.stdout).contains("tmr"), "{format}");
    }
}

#[test]
fn the_other_verbs() {
    let adapters = run(&["adapters", "--format", "json"]);
    assert_eq!(adapters.status.code(), Some(0));
    let list: serde_json::Value = serde_json::from_slice(&adapters.stdout).expect("JSON");
    assert!(list.as_array().is_some_and(|list| list.iter().any(|a| a["name"].is_string())));

    let selftest = run(&["selftest", "--problems", "2"]);
    assert_eq!(selftest.status.code(), Some(0), "{}", text(&selftest.stdout));
    assert!(text(&selftest.stdout).contains("output_vote"));

    let engines = run(&["selftest", "--long", "--cases", "1", "--seed", "3", "--format", "json"]);
    assert_eq!(engines.status.code(), Some(0), "{}", text(&engines.stderr));
    let found: serde_json::Value = serde_json::from_slice(&engines.stdout).expect("JSON");
    assert_eq!(found["seeds"], serde_json::json!([3, 3]));
    assert!(found["agreement"]["cases"].as_u64() > Some(0));
    let alone = run(&["selftest", "--cases", "1"]);
    assert_eq!(alone.status.code(), Some(2), "{}", text(&alone.stderr));

    let unknown = run(&["selftest", "--adapter", "no such adapter"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(text(&unknown.stderr).contains("found:"), "{}", text(&unknown.stderr));

    let completions = run(&["completions", "bash"]);
    assert!(text(&completions.stdout).contains("beamline"));

    let nothing = run(&["report", "no/such/archive"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", text(&nothing.stderr));
}

#[test]
fn infer_says_what_a_workload_decides() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let y = folder.path().join("y.npy");
    let found = run(&["infer", "digits-mlp", "-o", path(&y), "--format", "json"]);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let value: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!((&value["inputs"], &value["labels_right"]), (&512.into(), &499.into()));
    let decisions = value["decisions"].as_array().expect("decisions");
    let golden = std::fs::read("kernels/digits-mlp/golden_logits.npy").expect("PyTorch's logits");
    let ours = std::fs::read(&y).expect("outputs");
    let floats = |bytes: &[u8]| -> Vec<f32> {
        let data = &bytes[bytes.len() - 4 * 512 * 10..];
        data.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    for (at, (ours, theirs)) in floats(&ours).iter().zip(floats(&golden)).enumerate() {
        assert!((ours - theirs).abs() <= 1e-4, "output {at}: {ours} and {theirs}");
    }

    // The same inputs from a file have no labels; what is decided is the same.
    let input = "kernels/digits-data/test_x.npy";
    let again = run(&["infer", "digits-mlp", "--input", input, "--format", "json"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let again: serde_json::Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(again["decisions"].as_array(), Some(decisions));
    assert!(again["labels_right"].is_null());

    let table = run(&["infer", "gemm"]);
    assert_eq!(table.status.code(), Some(0), "{}", text(&table.stderr));
    assert!(text(&table.stdout).contains("outputs each"));
    let labels = "kernels/digits-data/test_y.npy";
    for (arguments, said) in [
        (vec!["infer", "digits-mpl"], "digits-mlp"),
        (vec!["infer", "digits-mlp", "--input", labels], "test_y.npy: expected elements of F32"),
        (vec!["infer", "digits-cnn", "--input", "kernels/none.npy"], "none.npy: cannot be read"),
    ] {
        let refused = run(&arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(text(&refused.stderr).contains(said), "{}", text(&refused.stderr));
    }
}

#[test]
fn parts_run_elsewhere_become_the_result_of_one_run() {
    let folder = bench(&SMALL.replace("trials = 640", "trials = 130"));
    let campaign = folder.path().join("campaign.toml");
    let campaign = path(&campaign);
    let results = |name: &str| folder.path().join(name);
    let whole = results("whole");
    let output = run(&["run", campaign, "--no-tui", "--results", path(&whole)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let parts = results("parts");
    for part in ["3/3", "1/3", "2/3"] {
        let arguments = ["run", campaign, "--no-tui", "--results", path(&parts), "--part", part];
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let part = |index: u32| parts.join(format!("small-part-{index}-of-3"));
    let [a, b, c] = [1, 2, 3].map(part);
    let archive = Archive::open(&b).expect("a part");
    assert!(!archive.finished());
    let (first, count) = archive.part().expect("its stretch");
    assert_eq!(archive.outcomes().first().map(|row| row.trial), Some(first));
    assert_eq!(archive.outcomes().len() as u64, 2 * count);

    let merged = results("merged");
    let output = run(&["merge", path(&c), path(&a), path(&b), "-o", path(&merged)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let [one, other] =
        [whole.join("small"), merged.clone()].map(|path| Archive::open(&path).expect("an archive"));
    assert!(other.finished() && other.part().is_none());
    assert_eq!(one.outcomes(), other.outcomes());
    assert_eq!(one.faults(), other.faults());
    assert_eq!(one.summary(), other.summary());
    assert!(merged.join("report.html").is_file());

    for (parts, expected) in [
        (vec![&a, &c], "expected a part that begins with trial 40"),
        (vec![&a, &b, &b], "expected a part that begins with trial 80"),
        (vec![&a, &b], "expected 130 trials in all parts, found 80 of them"),
    ] {
        let other = results("other");
        let paths: Vec<&str> = parts.into_iter().map(|part| path(part)).collect();
        let output = run(&[&["merge"], &paths[..], &["-o", path(&other)]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
        assert!(!other.join("archive.h5").exists());
    }
    let another = SMALL.replace("trials = 640", "trials = 130").replace("seed = 11", "seed = 12");
    std::fs::write(folder.path().join("campaign.toml"), another).expect("a campaign");
    let strange = results("strange");
    let arguments = ["run", campaign, "--no-tui", "--results", path(&strange), "--part", "3/3"];
    assert_eq!(run(&arguments).status.code(), Some(0));
    let strange = strange.join("small-part-3-of-3");
    let other = results("other");
    let output = run(&["merge", path(&a), path(&b), path(&strange), "-o", path(&other)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("made with another campaign"),
        "{}",
        text(&output.stderr)
    );

    for (part, expected) in [
        ("0/3", "expected a part such as 2/4"),
        ("4/3", "expected a part such as 2/4"),
        ("1", "expected a part such as 2/4"),
        ("1/90", "--part: expected 7 parts at most, found 90"),
    ] {
        let output = run(&["run", campaign, "--part", part]);
        assert_eq!(output.status.code(), Some(2), "{part}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    let early = SMALL.replace("trials = 640", "trials = 640\nhalf_width = 0.1");
    std::fs::write(folder.path().join("campaign.toml"), early).expect("a campaign");
    let output = run(&["run", campaign, "--part", "1/2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("found one that stop.half_width ends"));
}

#[test]
fn progress_comes_as_lines_of_json_and_notes_where_they_are_asked_for() {
    let folder = bench(SMALL);
    let (campaign, results) = (folder.path().join("campaign.toml"), folder.path().join("results"));
    let arguments = ["run", path(&campaign), "--results", path(&results), "--progress", "json"];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let events: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(kinds.contains(&"progress"), "{kinds:?}");
    let last = events.last().expect("an event");
    assert_eq!(last["event"], "finished");
    assert!(Path::new(last["archive"].as_str().expect("a path")).is_file());
    let over = events.iter().rfind(|event| event["event"] == "progress").expect("progress");
    assert_eq!((&over["done"], &over["planned"]), (&640.into(), &640.into()));
    assert_eq!(over["figures"]["schemes"][0]["trials"], 640);
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));

    let quiet = ["run", path(&campaign), "--results", path(&results), "--quiet"];
    let output = run(&quiet);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", text(&output.stderr));
    let output = run(&["run", path(&campaign), "--results", path(&results), "--no-tui", "-v"]);
    assert!(text(&output.stderr).contains("adapter opened"), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("segment written"), "{}", text(&output.stderr));
    let mut command = beamline(&["run", path(&campaign), "--results", path(&results), "-q"]);
    let output = command.env("RUST_LOG", "beamline::archive=debug").output().expect("a run");
    assert!(text(&output.stderr).contains("segment written"), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("adapter opened"), "{}", text(&output.stderr));
    assert_eq!(run(&["list", "codes", "-q", "-v"]).status.code(), Some(2));
    assert!(text(&run(&["list", "codes", "-q"]).stdout).contains("parity"), "results are said");
}
