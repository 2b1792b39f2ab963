//! Runs that are stopped from outside, and taken up again: exit codes, what is saved, the hint, the
//! terminal.
#![cfg(target_os = "linux")]

mod support;

use beamline::archive::Archive;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

const CAMPAIGN: &str = r#"name = "long"
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
trials = 4000000
segment_trials = 200
"#;

const MISSION: &str = r#"name = "long"
seed = 11
lasts = "1y"
histories = 8
[environment]
orbit = "suncatcher"
days = 1
[memory]
preset = "tpu-v6e-32gb"
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

/// A folder with a blank in its name and a file in it.
fn bench(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("my files/run.toml");
    std::fs::create_dir(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, text).expect("a written file");
    (folder, file)
}

fn beamline(verb: &str, file: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    command.arg(verb).arg(file).args(["--lanes", "32", "--results"]);
    command.arg(results(file)).args(more);
    prepared(command)
}

/// A line as a shell runs it.
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {line}")]);
    prepared(command)
}

fn prepared(mut command: Command) -> Command {
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BEAMLINE_ADAPTER", support::adapter())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn results(file: &Path) -> PathBuf {
    file.with_file_name("all results")
}

fn segments(file: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(results(file).join("long/segments")) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with("seg-") && name.ends_with(".h5")).count()
}

fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process hears SIGTERM.
fn listens(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> 14 & 1 == 1
}

fn send(signal: &str, id: u32) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "a signal");
}

fn ended(child: Child) -> Output {
    child.wait_with_output().expect("an end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The command that a stopped run printed.
fn hint(output: &Output) -> String {
    let message = text(&output.stderr);
    assert!(message.contains("this goes on:\n"), "{message}");
    message.trim_end().lines().last().expect("a line").to_owned()
}

#[test]
fn a_signal_saves_the_segment_in_flight_and_the_hint_goes_on() {
    let (_folder, file) = bench(CAMPAIGN);
    let mut command = beamline("run", &file, &["--no-tui"]);
    let mut done = 0;
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let child = command.spawn().expect("the binary starts");
        wait_for("a segment", || segments(&file) > done);
        send(signal, child.id());
        let output = ended(child);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        let archive = Archive::open(&results(&file).join("long")).expect("whole segments");
        let trials = archive.outcomes().len();
        assert!(trials.is_multiple_of(200) && trials > 200 * done, "{trials} trials");
        let message = text(&output.stderr);
        assert!(message.contains(&format!("stopped after trial {trials} of 4000000")), "{message}");
        assert!(message.contains(&format!("SIG{signal}: stopping after the segment in flight")));
        done = segments(&file);
        command = shell(&hint(&output));
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let (_folder, file) =
        bench(&CAMPAIGN.replace("segment_trials = 200", "segment_trials = 100000"));
    let mut child = beamline("run", &file, &["--no-tui"]).spawn().expect("the binary starts");
    wait_for("a listener", || listens(child.id()));
    send("TERM", child.id());
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let told = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("stopping after")));
    assert!(told.is_some(), "the first one was heard");
    let begun = Instant::now();
    send("INT", child.id());
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(segments(&file), 0, "nothing was complete");
}

#[test]
fn an_ignored_hangup_stays_ignored() {
    let (_folder, file) = bench(&CAMPAIGN.replace("4000000", "6000"));
    let own = env!("CARGO_BIN_EXE_beamline");
    let (name, into) = (file.display(), results(&file).display().to_string());
    let line = format!("'{own}' run '{name}' --lanes 32 --no-tui --results '{into}'");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("trap '' HUP; exec {line}")]);
    let child = prepared(command).spawn().expect("the binary starts");
    wait_for("a segment", || segments(&file) > 0);
    send("HUP", child.id());
    let output = ended(child);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_mission_stops_in_every_phase_and_goes_on() {
    let (_folder, file) = bench(MISSION);
    let mut child = beamline("mission", &file, &["--no-tui", "--singles", "200000"])
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let reached =
        lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("expected rates")));
    assert!(reached.is_some(), "the histories end");
    send("TERM", child.id());
    let message: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("an end").code(), Some(143), "{message:?}");
    assert!(
        message.iter().any(|line| line.contains("stopped after history 8 of 8")),
        "{message:?}"
    );
    assert_eq!(segments(&file), 8, "all histories are kept");
    assert!(!results(&file).join("long/archive.h5").exists());
    let line = message.last().expect("a hint").replace("--singles 200000", "--singles 10");
    let output = shell(&line).output().expect("the shell starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("going on from history 8 of 8"));
    // What an interruption between the archive and its last report leaves.
    let report = results(&file).join("long/report.json");
    std::fs::remove_file(&report).expect("a report");
    let output = shell(&line).output().expect("the shell starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("finished already"), "{}", text(&output.stdout));
    assert!(report.is_file());
    let output = shell(&format!("{line} --sweep scrub_period=1h")).output().expect("a start");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("finished without a sweep"));
}

/// A command on a terminal of its own, by `script` of util-linux; `None` where there is none.
fn on_a_terminal(line: &str, term: &str) -> Option<Child> {
    let mut command = Command::new("script");
    command.args(["-qec", &format!("stty rows 40 cols 120; exec {line}"), "/dev/null"]);
    command.env("TERM", term).env_remove("BEAMLINE_ADAPTER").stdin(Stdio::piped());
    let child = prepared(command).spawn();
    if child.is_err() {
        eprintln!("not run: there is no `script` here");
    }
    child.ok()
}

/// The process that runs a file, which `script` started.
fn runner(file: &Path) -> Option<u32> {
    let name = file.to_str().expect("a path in UTF-8");
    std::fs::read_dir("/proc").ok()?.find_map(|entry| {
        let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let words = std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
        let words: Vec<&str> = words.split('\0').collect();
        (words[0].ends_with("beamline") && words.contains(&name) && listens(id)).then_some(id)
    })
}

fn line(file: &Path) -> String {
    let (own, adapter) = (env!("CARGO_BIN_EXE_beamline"), support::adapter());
    let (name, into) = (file.display(), results(file).display().to_string());
    format!("'{own}' --adapter '{adapter}' run '{name}' --lanes 32 --results '{into}'")
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let (_folder, file) = bench(CAMPAIGN);
        let Some(mut child) = on_a_terminal(&line(&file), "xterm") else { return };
        wait_for("a segment", || segments(&file) > 0);
        let id = runner(&file).expect("the process");
        send(signal, id);
        let mut shown = String::new();
        child.stdout.take().expect("a pipe").read_to_string(&mut shown).expect("text");
        assert_eq!(child.wait().expect("an end").code(), Some(code), "{shown:?}");
        let (entered, left) = (shown.find("\x1b[?1049h"), shown.rfind("\x1b[?1049l"));
        let after = &shown[left.expect("left the alternate screen")..];
        assert!(entered < left && shown.matches("\x1b[?1049l").count() == 1, "{shown:?}");
        assert!(after.contains("\x1b[?25h"), "the cursor: {after:?}");
        assert!(after.contains("this goes on:"), "{after:?}");
    }
}

#[test]
fn a_dumb_terminal_gets_lines() {
    let (_folder, file) = bench(&CAMPAIGN.replace("4000000", "400"));
    let Some(mut child) = on_a_terminal(&line(&file), "dumb") else { return };
    let mut shown = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut shown).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{shown:?}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
    assert!(shown.contains("400 of 400 trials"), "{shown:?}");
}
