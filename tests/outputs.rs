//! What the binary writes, and where: standard output that fails, and files that are not its own.
#![cfg(unix)]

mod fixture;
mod support;

use beamline::archive::Writer;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// An orbit that is computed at once.
const ORBIT: [&str; 6] = ["orbit", "--preset", "suncatcher", "--days", "0.1", "--years"];

fn beamline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BEAMLINE_ADAPTER", support::adapter());
    command
}

fn orbit(more: &[&str]) -> Command {
    let mut command = beamline(&ORBIT);
    command.arg("1").args(more);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

fn succeeds(mut command: Command) -> Output {
    let output = command.output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    output
}

fn archive(folder: &Path) {
    let mut writer = Writer::start(folder, fixture::header()).expect("a writer");
    writer.send(fixture::segment(0, 20)).expect("a segment");
    writer.finish(()).expect("an archive");
}

/// Every verb that ends by itself, with the forms that it prints.
fn verbs(archive: &Path) -> Vec<Vec<&str>> {
    let archive = name(archive);
    let mut verbs = vec![
        vec!["--help"],
        vec!["--version"],
        vec!["help", "orbit"],
        vec!["orbit", "--help"],
        vec!["completions", "bash"],
        vec!["completions", "zsh"],
        vec!["adapters"],
        vec!["adapters", "--format", "json"],
        vec!["selftest", "--problems", "1"],
        vec!["selftest", "--problems", "1", "--format", "json"],
        vec!["selftest", "--long", "--cases", "1"],
        vec!["infer", "digits-mlp"],
        vec!["infer", "digits-mlp", "--format", "json"],
        vec!["infer", "digits-mlp", "--output", "-"],
        vec!["orbit", "--list"],
        vec!["orbit", "--list", "--format", "json"],
        vec!["orbit", "--preset", "suncatcher", "--days", "0.1"],
        vec!["orbit", "--preset", "suncatcher", "--days", "0.1", "--format", "json"],
        vec!["orbit", "--preset", "suncatcher", "--days", "0.1", "--svg", "-"],
        vec!["report", archive, "--output", "-"],
    ];
    for format in ["table", "markdown", "csv", "json"] {
        verbs.push(vec!["report", archive, "--format", format]);
    }
    verbs
}

#[test]
fn a_full_standard_output_is_an_error_of_the_environment_in_every_verb() {
    let results = folder();
    archive(results.path());
    for verb in verbs(results.path()) {
        let full = File::options().write(true).open("/dev/full").expect("a full device");
        let output = beamline(&verb).stdout(full).output().expect("the binary starts");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{verb:?}: {message}");
        assert!(message.contains("standard output: cannot be written: No space"), "{message}");
    }
}

/// Runs on the adapter, each by its verb, file and further arguments.
const RUNS: [(&str, &str, &str, &[&str]); 2] = [
    ("run", "tiny.toml", CAMPAIGN, &["--no-tui", "--lanes", "8"]),
    ("mission", "far.toml", MISSION, &["--no-tui", "--lanes", "8", "--singles", "0"]),
];

const CAMPAIGN: &str = "name = \"tiny\"\nseed = 1\n[workload]\nname = \"gemm\"\nsize = 4\n[faults]\n\
    mode = \"conditional\"\ncount = 1\nregions = [\"weights\"]\n[[scheme]]\nname = \"none\"\n\
    protection = \"none\"\n[stop]\ntrials = 4\n";

const MISSION: &str = "name = \"far\"\nseed = 1\nlasts = \"30d\"\nhistories = 1\n[environment]\n\
    orbit = \"deep-space\"\n[memory]\npreset = \"h100-80gb\"\nweights = \"1GiB\"\n[[device]]\n\
    name = \"trillium-hbm\"\nmodes = [\"upset\"]\n[workload]\nname = \"gemm\"\nsize = 4\n[[scheme]]\n\
    name = \"none\"\nprotection = \"none\"\n";

#[test]
fn a_full_standard_output_fails_runs_and_replays_and_keeps_their_archives() {
    let folder = folder();
    let full = || File::options().write(true).open("/dev/full").expect("a full device");
    let fails = |mut command: Command| {
        let output = command.stdout(full()).output().expect("the binary starts");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{command:?}: {message}");
        assert!(message.contains("standard output: cannot be written: No space"), "{message}");
    };
    for (verb, file, toml, more) in RUNS {
        let path = folder.path().join(file);
        fs::write(&path, toml).expect("a written file");
        let run = |results: &Path| {
            let mut command = beamline(&[verb, name(&path), "--results", name(results)]);
            command.args(more);
            command
        };
        fails(run(&folder.path().join("failed")));
        succeeds(run(&folder.path().join("whole")));
    }
    let whole = folder.path().join("whole/tiny");
    fails(beamline(&["replay", name(&whole), "--trial", "0"]));
    fails(beamline(&["bench", "--rounds", "1", "--only", "memory", "--format", "json"]));
}

#[test]
fn two_reports_of_one_folder_at_once_do_not_mix() {
    let folder = folder();
    archive(folder.path());
    let page = folder.path().join("report.html");
    succeeds(beamline(&["report", name(folder.path())]));
    let whole = fs::read(&page).expect("a page");
    let mut formats = ["html", "markdown", "html", "html", "csv", "html"].into_iter().cycle();
    for _ in 0..4 {
        let write = |format| {
            let mut command = beamline(&["report", name(folder.path()), "--format", format, "-o"]);
            command.arg(&page).stdout(Stdio::null()).spawn().expect("the binary starts")
        };
        let mut both: Vec<_> = formats.by_ref().take(3).map(write).collect();
        assert!(both.iter_mut().all(|child| child.wait().expect("an end").success()));
        let found = fs::read(&page).expect("a page");
        let is_whole = |format| {
            let command = beamline(&["report", name(folder.path()), "--format", format, "-o", "-"]);
            found == succeeds(command).stdout
        };
        assert!(found == whole || ["markdown", "csv"].into_iter().any(is_whole));
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 3, "an archive, its digest and a page");
    }
}

#[test]
fn a_closed_pipe_ends_every_verb_without_a_word() {
    let results = folder();
    archive(results.path());
    for verb in verbs(results.path()) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = beamline(&verb).stdout(writer).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(141), "{verb:?}");
        let message = text(&output.stderr);
        let is_ours = message.contains("beamline:") || message.contains("panicked");
        assert!(!is_ours, "{verb:?}: {message}");
    }
}

#[test]
fn a_standard_error_that_fails_changes_no_exit_code() {
    for (verb, code) in [(&["report", "no/such/archive"][..], 2), (&["no-such-verb"], 2)] {
        let full = File::options().write(true).open("/dev/full").expect("a full device");
        let status = beamline(verb).stderr(full).status().expect("the binary starts");
        assert_eq!(status.code(), Some(code), "{verb:?}");
    }
}

#[test]
fn a_dash_is_standard_output_and_the_drawing_stands_alone_there() {
    let folder = folder();
    let path = folder.path().join("map.svg");
    succeeds(orbit(&["--svg", name(&path)]));
    let output = succeeds(orbit(&["--svg", "-"]));
    assert_eq!(output.stdout, fs::read(&path).expect("a drawing"));
    archive(folder.path());
    let page = text(&succeeds(beamline(&["report", name(folder.path()), "-o", "-"])).stdout);
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
}

#[test]
fn a_device_and_a_pipe_are_written_to_and_stay() {
    let folder = folder();
    let path = folder.path().join("map.svg");
    succeeds(orbit(&["--svg", name(&path)]));
    let whole = fs::read(&path).expect("a drawing");

    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo starts");
    assert!(made.success());
    let child = orbit(&["--svg", name(&fifo)]).stdout(Stdio::null()).spawn();
    let received = fs::read(&fifo).expect("a pipe to read");
    let status = child.expect("the binary starts").wait().expect("an end");
    assert!(status.success());
    assert!(received == whole, "the pipe carried {} bytes", received.len());
    assert!(fs::symlink_metadata(&fifo).expect("a pipe").file_type().is_fifo());

    let link = folder.path().join("full");
    symlink("/dev/full", &link).expect("a link");
    for full in [Path::new("/dev/full"), &link] {
        let output = orbit(&["--svg", name(full)]).output().expect("the binary starts");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{message}");
        assert!(message.contains("cannot be written: No space left"), "{message}");
    }
    let device = fs::metadata("/dev/full").expect("a device").file_type();
    assert!(device.is_char_device(), "the device is a device no more");
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    succeeds(orbit(&["--svg", "/dev/null"]));
    assert!(fs::metadata("/dev/null").expect("a device").file_type().is_char_device());
}

#[test]
fn a_symbolic_link_is_followed_also_where_it_leads_to_nothing_yet() {
    let folder = folder();
    let (there, here) = (folder.path().join("there"), folder.path().join("here"));
    for made in [&there, &here] {
        fs::create_dir(made).expect("a folder");
    }
    let target = there.join("map.svg");
    symlink("../there/map.svg", here.join("once.svg")).expect("a link");
    symlink("once.svg", here.join("twice.svg")).expect("a link");
    for before in [None, Some("an older map")] {
        if let Some(before) = before {
            fs::write(&target, before).expect("a written file");
        }
        succeeds(orbit(&["--svg", name(&here.join("twice.svg"))]));
        assert!(fs::read_to_string(&target).expect("a drawing").starts_with("<svg"));
        for link in ["once.svg", "twice.svg"] {
            assert!(fs::symlink_metadata(here.join(link)).expect("a link").is_symlink());
        }
    }
    symlink("circle.svg", here.join("circle.svg")).expect("a link");
    let output = orbit(&["--svg", name(&here.join("circle.svg"))]).output().expect("a start");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[test]
fn permissions_and_the_users_temporary_files_stay() {
    let folder = folder();
    let path = folder.path().join("map.svg");
    fs::write(&path, "an older map").expect("a written file");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
    let owned = ["map.tmp", "map.svg.tmp", "map.svg~"];
    for other in owned {
        fs::write(folder.path().join(other), other).expect("a written file");
    }
    let before = fs::metadata(&path).expect("a file");
    succeeds(orbit(&["--svg", name(&path)]));
    let after = fs::metadata(&path).expect("a file");
    assert!(after.len() > 1000);
    assert_eq!(after.mode() & 0o7777, 0o600);
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    for other in owned {
        let kept = fs::read_to_string(folder.path().join(other)).expect("the user's file");
        assert_eq!(kept, other);
    }
    let all = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(all, 1 + owned.len(), "a temporary was left behind");

    // A new file has the permissions that any program would give it.
    let (new, like) = (folder.path().join("new.svg"), folder.path().join("like"));
    succeeds(orbit(&["--svg", name(&new)]));
    fs::write(&like, "").expect("a written file");
    let mode = |path: &Path| fs::metadata(path).expect("a file").mode();
    assert_eq!(mode(&new), mode(&like));
}

#[test]
fn the_spectra_and_reports_of_a_folder_replace_no_device() {
    let folder = folder();
    let link = folder.path().join("let-behind.csv");
    symlink("/dev/null", &link).expect("a link");
    succeeds(orbit(&["--spectra-out", name(folder.path())]));
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    let page = folder.path().join("report.html");
    symlink("/dev/null", &page).expect("a link");
    archive(folder.path());
    succeeds(beamline(&["report", name(folder.path())]));
    assert!(fs::symlink_metadata(&page).expect("a link").is_symlink());
}

#[test]
fn a_file_that_cannot_be_written_is_named_once_with_its_reason() {
    let folder = folder();
    let path = folder.path().join("no/such/folder/map.svg");
    let output = orbit(&["--svg", name(&path)]).output().expect("the binary starts");
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert_eq!(message.matches("No such file").count(), 1, "{message}");
    let output = orbit(&["--svg", name(folder.path())]).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("Is a directory"), "{}", text(&output.stderr));
}
