//! Protection of what an earlier archive found most critical: the set, what it does, refusals.

mod fixture;
mod support;

use beamline::archive::critical::candidates;
use beamline::archive::mission::MissionArchive;
use beamline::archive::{Archive, Header, Writer};
use beamline::fault::Region;
use beamline::scheme::{Choice, ChosenBy, Protect};
use std::collections::BTreeMap;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Every bit of a product of small matrices, once.
const GEMM: &str = r#"name = "gemm-all"
seed = 5
[workload]
name = "gemm"
size = 4
[faults]
mode = "exhaustive"
regions = ["weights"]
"#;

/// A sample of single faults in a network.
const DIGITS: &str = r#"name = "digits-some"
seed = 5
[workload]
name = "digits-mlp"
inputs = 16
[faults]
mode = "conditional"
count = 1
regions = ["weights"]
[stop]
trials = 1200
"#;

const NONE: &str = "[[scheme]]\nname = \"none\"\nprotection = \"none\"\n";
const CODED: &str = "[[scheme]]\nname = \"coded\"\nprotection = \"none\"\ncode = \"hsiao-72-64\"\n";

/// A scheme that votes what `protect` says.
fn voted(name: &str, protect: &str) -> String {
    format!(
        "[[scheme]]\nname = \"{name}\"\nprotection = \"tmr-storage\"\nprotect = {{ {protect} }}\n"
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `beamline VERB FILE` with results beside the file.
fn beamline(folder: &TempDir, verb: &str, file: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beamline"));
    command.args([verb]).arg(folder.path().join(file)).args(more);
    if verb != "replay" {
        command.args(["--no-tui", "--lanes", "32", "--results"]).arg(folder.path().join("results"));
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("BEAMLINE_ADAPTER", support::adapter());
    command.output().expect("the binary starts")
}

/// Writes a campaign or mission under its name and runs it.
fn run(folder: &TempDir, verb: &str, file: &str, content: &str, more: &[&str]) -> Output {
    std::fs::write(folder.path().join(file), content).expect("a written file");
    beamline(folder, verb, file, more)
}

/// Likewise; it must succeed.
fn done(folder: &TempDir, verb: &str, file: &str, content: &str) -> String {
    let output = run(folder, verb, file, content, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn archive(folder: &TempDir, name: &str) -> Archive {
    Archive::open(&folder.path().join("results").join(name)).expect("an archive")
}

/// By bit or tensor: single faults of a scheme in weights, and those with a wrong answer.
fn counted(
    archive: &Archive,
    scheme: u16,
    key: impl Fn(u32, u32) -> u32,
) -> BTreeMap<u32, (u64, u64)> {
    let wrong: BTreeMap<u64, u8> = archive
        .outcomes()
        .iter()
        .filter(|row| row.scheme == scheme)
        .map(|row| (row.trial, row.wrong))
        .collect();
    let mut counted = BTreeMap::new();
    for fault in archive.faults().iter().filter(|fault| fault.scheme == scheme) {
        assert_eq!(fault.region, Region::Weights as u8);
        let entry = counted.entry(key(fault.tensor, fault.mask.ilog2())).or_insert((0, 0));
        entry.0 += 1;
        entry.1 += u64::from(wrong[&fault.trial]);
    }
    counted
}

/// Trials with a wrong answer under a scheme.
fn wrong(archive: &Archive, scheme: u16) -> u64 {
    let rows = archive.outcomes();
    rows.iter().filter(|row| row.scheme == scheme).map(|row| u64::from(row.wrong)).sum()
}

fn protect(header: &Header, scheme: usize) -> &Protect {
    header.schemes[scheme].definition.protect.as_ref().expect("a partial protection")
}

#[test]
fn the_fewest_bits_that_a_census_finds_critical_are_protected_and_no_others() {
    let folder = TempDir::new().expect("a folder");
    // The coded scheme comes first and is not the one that counts.
    done(&folder, "run", "all.toml", &format!("{GEMM}{CODED}{NONE}"));
    let all = archive(&folder, "gemm-all");
    let mut ranked: Vec<(u32, u64)> = counted(&all, 1, |_, bit| bit)
        .into_iter()
        .map(|(bit, (n, k))| {
            assert_eq!(n, 16, "a census of 16 words");
            (bit, k)
        })
        .collect();
    ranked.sort_by_key(|(bit, critical)| (std::cmp::Reverse(*critical), 31 - bit));
    let total: u64 = ranked.iter().map(|(_, critical)| critical).sum();
    let share = 0.9;
    let (mut size, mut sum) = (0, 0);
    while (sum as f64) < share * total as f64 {
        sum += ranked[size].1;
        size += 1;
    }
    assert!(size > 1 && sum < total, "{size} bits have {sum} of {total} critical trials");
    let bits: Vec<u32> = ranked[..size].iter().map(|(bit, _)| *bit).collect();
    let others = [&bits[..size - 1], &[&bits[..size - 1], &[ranked[size].0]].concat()];
    let others: Vec<String> = others
        .iter()
        .map(|bits| voted(&format!("{bits:?}"), &format!("bits = {bits:?}")))
        .collect();

    let chosen = voted("chosen", "from = \"results/gemm-all\", by = \"bits\", share = 0.9");
    let text = GEMM.replace("gemm-all", "gemm-chosen");
    let printed = done(
        &folder,
        "run",
        "chosen.toml",
        &format!("{text}{CODED}{NONE}{chosen}{}", others.concat()),
    );
    let after = archive(&folder, "gemm-chosen");
    let set = protect(after.header(), 2);
    assert_eq!(set.bits.as_deref(), Some(&bits[..]));
    assert_eq!(set.tensors, None);
    let Some(Choice { found: Some(found), .. }) = &set.choice else { panic!("{set:?}") };
    assert_eq!(found.fingerprint, all.header().fingerprint.whole());
    assert_eq!((found.faults, found.critical, found.not_struck), (512, total, 0));
    assert!((found.covered - sum as f64 / total as f64).abs() < 1e-12);

    // The census strikes every bit again: what is protected is gone, and nothing else.
    let found = [1, 2, 3, 4].map(|scheme| wrong(&after, scheme));
    assert_eq!(found[0], total);
    assert_eq!(found[1], total - sum, "the chosen set");
    assert!(found[2] > found[1], "a bit less");
    assert!(found[3] >= found[1], "its next neighbour");

    // Where the set comes from is told at the start, in the archive and in the report.
    let source = set.provenance().expect("where it comes from");
    assert!(printed.contains(&source), "{printed}");
    assert!(after.header().sources.iter().any(|row| row.source == source));
    let report = folder.path().join("results/gemm-chosen/report.html");
    let report = std::fs::read_to_string(report).expect("a report");
    assert!(report.contains("protected set of chosen") && report.contains("results/gemm-all"));

    // A campaign whose set comes from another archive is another campaign.
    done(&folder, "run", "all.toml", &format!("{GEMM}{NONE}").replace("seed = 5", "seed = 6"));
    let again = beamline(&folder, "run", "chosen.toml", &["--resume"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        self::text(&again.stderr).contains("another campaign"),
        "{}",
        self::text(&again.stderr)
    );

    // A replay takes the set from the archive: the earlier one may be gone.
    std::fs::remove_dir_all(folder.path().join("results/gemm-all")).expect("removed");
    let more = ["--trial", "0", "--scheme", "chosen"];
    let replayed = beamline(&folder, "replay", "results/gemm-chosen", &more);
    assert_eq!(replayed.status.code(), Some(0), "{}", self::text(&replayed.stderr));
}

#[test]
fn only_single_faults_in_weights_without_protection_count() {
    let folder = TempDir::new().expect("a folder");
    let rows = fixture::segment(0, 1500);
    let mut writer = Writer::start(folder.path(), fixture::header()).expect("a writer");
    writer.send(rows.clone()).expect("a segment");
    writer.finish(()).expect("an archive");
    let archive = Archive::open(folder.path()).expect("an archive");
    let found = candidates(&archive, ChosenBy::Bits).expect("a baseline");
    assert_eq!(found.iter().map(|candidate| candidate.which).collect::<Vec<_>>()[..2], [31, 30]);
    let mut counted = 0;
    for candidate in found {
        let faults = rows.faults.iter().filter(|fault| {
            let of_trial = rows
                .faults
                .iter()
                .filter(|other| (other.scheme, other.trial) == (fault.scheme, fault.trial));
            fault.scheme == 0
                && fault.region == Region::Weights as u8
                && fault.mask == 1 << candidate.which
                && of_trial.count() == 1
        });
        let wrong = faults.clone().filter(|fault| {
            rows.outcomes
                .iter()
                .any(|row| (row.scheme, row.trial) == (0, fault.trial) && row.wrong == 1)
        });
        let by_hand = (faults.clone().count() as u64, wrong.count() as u64);
        assert_eq!((candidate.faults, candidate.critical), by_hand, "bit {}", candidate.which);
        assert_eq!(candidate.sites, 4096 + 64 + 640);
        counted += candidate.faults;
    }
    let single = rows.outcomes.iter().filter(|row| row.scheme == 0 && row.faults == 1).count();
    assert!(counted > 0 && counted <= single as u64, "{counted} of {single} single faults");
}

#[test]
fn tensors_weigh_by_their_sites_and_missions_take_them_too() {
    let folder = TempDir::new().expect("a folder");
    done(&folder, "run", "some.toml", &format!("{DIGITS}{NONE}"));
    let some = archive(&folder, "digits-some");
    let tensors = &some.header().workload.tensors;
    let counted = counted(&some, 0, |tensor, _| tensor);
    let mut upsets: Vec<(usize, f64)> = counted
        .iter()
        .map(|(tensor, (n, k))| {
            let tensor = *tensor as usize;
            (tensor, (32 * tensors[tensor].words * k) as f64 / *n as f64)
        })
        .collect();
    upsets.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f64 = upsets.iter().map(|(_, upsets)| upsets).sum();
    let share = (upsets[0].1 + 0.5 * upsets[1].1) / total;
    let expected: Vec<String> =
        upsets[..2].iter().map(|(tensor, _)| tensors[*tensor].name.clone()).collect();

    let from = folder.path().join("results/digits-some/archive.h5");
    let chosen = format!("from = {from:?}, by = \"tensors\", share = {share}");
    let mission = format!(
        "name = \"m\"\nseed = 1\nlasts = \"10d\"\nhistories = 1\n[environment]\norbit = \"suncatcher\"\n\
         days = 1\n[memory]\npreset = \"tpu-v6e-32gb\"\n[[device]]\nname = \"trillium-hbm\"\n\
         modes = [\"upset\"]\n[workload]\nname = \"digits-mlp\"\ninputs = 4\n{NONE}{}",
        voted("chosen", &chosen)
    );
    done(&folder, "mission", "m.toml", &mission);
    let flown = MissionArchive::read(&folder.path().join("results/m")).expect("an archive");
    let set = flown.header.schemes[1].protect.as_ref().expect("a partial protection");
    assert_eq!((set.tensors.as_deref(), &set.bits), (Some(&expected[..]), &None));
    let source = set.provenance().expect("where it comes from");
    assert!(flown.header.sources.iter().any(|row| row.source == source));
    let report = std::fs::read_to_string(folder.path().join("results/m/report.md"));
    assert!(report.expect("a report").contains("protected set of chosen"));
    refused(&folder, &of("m", DIGITS), &["the archive of a campaign", "found that of a mission"]);
}

#[test]
fn an_archive_that_tells_nothing_of_the_weights_is_refused_with_its_line() {
    let folder = TempDir::new().expect("a folder");
    let named = |name: &str, text: &str| text.replace("digits-some", name).replace("1200", "32");
    let struck = |name: &str, from: &str, to: &str| named(name, DIGITS).replace(from, to);
    let inputs = struck("inputs", "\"weights\"", "\"input\"");
    let dummy = struck("dummy", "seed = 5", "seed = 5\ndummy = true");
    for (name, content) in [
        ("some", format!("{}{NONE}", named("some", DIGITS))),
        ("inputs", format!("{inputs}{NONE}")),
        ("dummy", format!("{dummy}{NONE}")),
        ("pairs", format!("{}{NONE}", struck("pairs", "count = 1", "count = 2"))),
        ("coded", format!("{}{CODED}", named("coded", DIGITS))),
        ("least", format!("{}{NONE}", struck("least", "count = 1", "count = 1\nbits = [0]"))),
    ] {
        done(&folder, "run", &format!("{name}.toml"), &content);
    }
    std::fs::write(folder.path().join("results/no.h5"), "no archive").expect("a written file");
    let running = Writer::start(&folder.path().join("results/running"), fixture::header());
    let mut running = running.expect("a writer");
    running.send(fixture::segment(0, 40)).expect("a segment");
    running.stop().expect("a stop");
    for (name, parts) in [
        ("missing", &["missing: no archive here"][..]),
        ("no.h5", &["found a truncated or foreign one"]),
        ("running", &["the archive of a finished campaign", "fixture, which is not finished"]),
        ("inputs", &["single faults in stored weights", "none of 0 such faults"]),
        ("dummy", &["single faults in stored weights", "none of 0 such faults"]),
        ("pairs", &["single faults in stored weights", "none of 0 such faults"]),
        ("least", &["critical outcomes", "none of 32 such faults"]),
        ("coded", &["a scheme of protection none and no code", "found none"]),
    ] {
        refused(&folder, &of(name, DIGITS), parts);
    }
    refused(&folder, &of("some", GEMM), &["of workload gemm", "found one of digits-mlp"]);
    let size = GEMM.replace("gemm-all", "some");
    done(&folder, "run", "size.toml", &format!("{size}{NONE}"));
    let larger = GEMM.replace("size = 4", "size = 5");
    refused(&folder, &of("some", &larger), &["found one of gemm with other weights"]);
}

/// A campaign that protects what the archive `name` says.
fn of(name: &str, campaign: &str) -> String {
    let chosen = format!("from = \"results/{name}\", by = \"bits\", share = 0.5");
    format!("{campaign}{NONE}{}", voted("chosen", &chosen))
}

/// The campaign is refused at the line of its `protect`, before anything runs.
fn refused(folder: &TempDir, content: &str, parts: &[&str]) {
    let line = content.lines().position(|line| line.starts_with("protect =")).expect("a line") + 1;
    let output = run(folder, "run", "refused.toml", content, &[]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains(&format!("refused.toml:{line}:")), "{message}");
    assert_eq!(message.matches("expected").count(), 1, "{message}");
    for part in parts.iter().chain(&["protect.from"]) {
        assert!(message.contains(part), "expected {part:?} in {message}");
    }
}
