//! Ways out of an archive's file, and bytes flipped in it.

use super::*;

#[test]
fn links_out_of_the_file_are_not_followed() {
    for table in ["faults", "campaign", "json/header"] {
        let message = refused("external", |path| {
            let file = open(path);
            file.unlink(table).expect("a removed object");
            file.link_external("/etc/passwd", "x", table).expect("an external link");
        });
        assert!(message.contains("links within the file alone"), "{message}");
        let message = refused("soft", |path| {
            let file = open(path);
            file.unlink(table).expect("a removed object");
            file.link_soft("/timing", table).expect("a soft link");
        });
        assert!(message.contains("links within the file alone"), "{message}");
    }
    refused("a circle", |path| {
        let file = open(path);
        file.group("campaign").and_then(|at| at.link_hard("/", "again")).expect("a link");
    });
}

#[test]
fn a_symbolic_link_among_segments_is_not_followed() {
    for name in ["seg-000000000000.h5", "lock"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::start(folder.path(), header()).expect("a writer");
        writer.send(segment(0, 5)).expect("a segment");
        writer.stop().expect("a segment");
        let path = folder.path().join("segments").join(name);
        let away = folder.path().join("elsewhere");
        fs::rename(&path, &away).expect("a move");
        std::os::unix::fs::symlink(&away, &path).expect("a link");
        let message = Existing::open(folder.path(), &fingerprint(), &mut |_| {});
        let message = message.expect_err("a link").to_string();
        assert!(message.contains("found a symbolic link") && message.contains(name), "{message}");
        if name != "lock" {
            let message = Archive::open(folder.path()).expect_err("a link").to_string();
            assert!(message.contains("found a symbolic link"), "{message}");
        }
    }
}

#[test]
fn a_replay_opens_no_path_that_an_archive_names() {
    let list = "mode = \"list\"\nfile = \"/etc/passwd\"";
    let bits = "mode = \"conditional\"\ncount = 1\nregions = [\"weights\"]";
    for (workload, faults, flag) in [
        ("digits-mlp", list, "--list"),
        ("/etc", bits, "--workload"),
        ("../kernels/digits-mlp", bits, "--workload"),
        ("..", bits, "--workload"),
        ("no-such-workload", bits, "--workload"),
    ] {
        let stop = if faults == bits { "[stop]\ntrials = 10\n" } else { "" };
        let mut header = header();
        header.campaign.toml = format!(
            "name = \"x\"\nseed = 1\n[workload]\nname = \"{workload}\"\n[faults]\n{faults}\n\
             [[scheme]]\nname = \"none\"\nprotection = \"none\"\n{stop}"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::start(folder.path(), header).expect("a writer");
        writer.send(segment(0, 5)).expect("a segment");
        writer.finish(()).expect("an archive");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_beamline"))
            .arg("replay")
            .arg(folder.path())
            .args(["--trial", "0"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("the binary starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(flag) && message.contains("expected"), "{message}");
    }
}

/// Bytes of an archive without a digest, flipped: what the library makes of it is an error or the
/// rows that were written.
#[test]
fn flipped_bytes_end_in_an_error_or_change_nothing() {
    let folder = finished();
    let path = folder.path().join("archive.h5");
    let whole = fs::read(&path).expect("an archive");
    let rows = |path: &Path| Archive::open(path).map(|archive| archive.outcomes().to_vec());
    let expected = rows(&path).expect("rows");
    let (mut refused, mut same) = (0, 0);
    for n in 0..3000_u64 {
        let mut bytes = whole.clone();
        let draw = beamline::seed::mix(n);
        let at = usize::try_from(draw % whole.len() as u64).expect("a place");
        bytes[at] ^= 1 << (draw >> 61);
        fs::write(&path, bytes).expect("a changed archive");
        match catch_unwind(|| rows(&path)) {
            Ok(Ok(found)) => {
                assert_eq!(found, expected, "byte {at}");
                same += 1;
            }
            Ok(Err(_)) => refused += 1,
            Err(_) => panic!("byte {at}"),
        }
    }
    assert!(refused > 1000, "{refused} refused, {same} the same");
}
