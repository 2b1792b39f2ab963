//! Rows of campaigns and missions are those of earlier versions, bit for bit: outcomes, alarms, landings,
//! retries and reloads of every trial, everything that a mission records of every history.
//!
//! `digests.txt` holds a digest of the rows of each scheme. It was written before the core was rebuilt and
//! changes only where results are meant to change, with the reason in the commit. With `BEAMLINE_FREEZE=1`
//! the lines found go to `campaign.new` and `mission.new` beside it. Adapters whose arithmetic differs give
//! other bits and are left out.

#[path = "../support/mod.rs"]
mod support;

use beamline::campaign::{Campaign, Plan};
use beamline::engine::direct::{Direct, Kernels};
use beamline::engine::wavefront::Wavefront;
use beamline::engine::{Engine, Job, TrialResult, Windows};
use beamline::gpu::Gpu;
use beamline::mission::run::HistoryRun;
use beamline::mission::{self, Mission, Verdicts, run};
use beamline::workload::{self, Overrides, Workload};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DIGESTS: &str = include_str!("digests.txt");

/// The digest of words.
fn digest(words: impl IntoIterator<Item = u64>) -> String {
    let mut sha = Sha256::new();
    words.into_iter().for_each(|word| sha.update(word.to_le_bytes()));
    sha.finalize().iter().take(12).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen")
}

fn workload_of(name: &str) -> Arc<Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(name);
    Arc::new(workload::load(&folder, &Overrides::default()).expect("a shipped workload"))
}

/// All that a trial's row in the archive is made of.
fn trial_words(result: &TrialResult) -> Vec<u64> {
    let mut words = vec![result.trial];
    words.extend(result.rows.iter().map(|row| u64::from(row.0)));
    words.extend(result.tally.outcomes.map(u64::from));
    words.extend([result.tally.alarms, result.tally.non_finite].map(u64::from));
    words.push(u64::from(result.tally.label_correct));
    let mut landings = result.landings.clone();
    landings.sort_by_key(|landing| (landing.fault, landing.replica));
    for landing in landings {
        words
            .extend([landing.fault, landing.replica, landing.before, landing.after].map(u64::from));
    }
    words.extend([result.scrub_repaired, result.scrub_uncorrectable]);
    words.extend([u64::from(result.retries), u64::from(result.reloads)]);
    words
}

/// The wavefront engine or the direct one, with 39 trials at once.
fn engine(
    kernels: Arc<Kernels>,
    gpu: Arc<Gpu>,
    (workload, windows, copies): (&Arc<Workload>, &Windows, u32),
    wavefront: bool,
) -> Box<dyn Engine> {
    let (workload, windows) = (Arc::clone(workload), windows.clone());
    if wavefront {
        let engine = Wavefront::new(kernels, gpu, workload, windows, copies).expect("an engine");
        return Box::new(engine.with_lanes(39));
    }
    Box::new(Direct::with(kernels, gpu, workload, windows, 40, copies).expect("an engine"))
}

/// A line a scheme: the outcomes of its inferences, and the digest of its rows, by one of the engines.
fn campaign(file: &str, wavefront: bool) -> Vec<String> {
    let path = folder().join(file);
    let text = std::fs::read_to_string(&path).expect("a campaign of this test");
    let campaign = Campaign::parse(&path, &text).expect("a campaign");
    let workload = workload_of(&campaign.workload.name);
    let plan = Plan::new(&campaign, &workload, &folder()).expect("a plan");
    let gpu = support::gpu();
    let kernels = Arc::new(Kernels::new(&gpu).expect("kernels"));
    let mut engines: Vec<Box<dyn Engine>> = (plan.strata().iter())
        .map(|stratum| {
            let (kernels, gpu) = (Arc::clone(&kernels), Arc::clone(&gpu));
            engine(kernels, gpu, (&workload, &stratum.windows, 3), wavefront)
        })
        .collect();
    let mut lines = Vec::new();
    for scheme in &campaign.scheme {
        let mut words = Vec::new();
        let mut outcomes = [0u64; 7];
        for (at, engine) in engines.iter_mut().enumerate() {
            let trials = (0..plan.trials_max()).filter(|trial| plan.stratum_of(*trial) == at);
            let jobs: Vec<Job> = trials.map(|trial| plan.job(trial)).collect();
            for result in engine.run(scheme, plan.course(), &jobs).expect("trials") {
                words.extend(trial_words(&result));
                for (sum, count) in outcomes.iter_mut().zip(result.tally.outcomes) {
                    *sum += u64::from(count);
                }
            }
        }
        lines.push(format!("{file} {:?} {outcomes:?} {}", scheme.name, digest(words)));
    }
    lines
}

/// The numbers of a record in the order of its fields, whatever these are called.
fn numbers(record: &str) -> Vec<u64> {
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e');
    record
        .split(|c: char| !(number(c) || c.is_alphabetic() || c == '_'))
        .filter_map(|word| word.parse::<f64>().ok())
        .map(f64::to_bits)
        .collect()
}

/// A line a scheme: its episodes and the digest of all that histories record, by one of the engines.
fn mission(file: &str, wavefront: bool) -> Vec<String> {
    let path = folder().join(file);
    let text = std::fs::read_to_string(&path).expect("a mission of this test");
    let mission = Mission::parse(&path, &text).expect("a mission");
    let workload = workload_of(&mission.workload.name);
    let plan = mission::Plan::new(&mission, Arc::clone(&workload), &folder()).expect("a plan");
    let gpu = support::gpu();
    let kernels = Arc::new(Kernels::new(&gpu).expect("kernels"));
    let of = (&plan.workload, &plan.windows, plan.copies());
    let mut engine = engine(kernels, gpu, of, wavefront);
    let mut verdicts = Verdicts::new(workload, &plan.mission.scheme);
    let mut runs: Vec<HistoryRun> = Vec::new();
    let mut keep = |event: run::Event<'_>| {
        if let run::Event::History(history) = event {
            runs.push(history.clone());
        }
        ControlFlow::Continue(())
    };
    run::histories(
        &plan,
        &mut *engine,
        &mut verdicts,
        (0, u64::from(mission.histories)),
        &mut keep,
    )
    .expect("histories");
    let line = |(at, scheme): (usize, &beamline::scheme::Scheme)| {
        let records: Vec<String> = runs
            .iter()
            .map(|run| format!("{} {:?} {:?}", run.start_s, run.upsets, run.schemes[at]))
            .collect();
        let words = records.iter().flat_map(|record| numbers(record));
        let episodes: usize = runs.iter().map(|run| run.schemes[at].episodes.len()).sum();
        format!("{file} {:?} {episodes} {}", scheme.name, digest(words))
    };
    mission.scheme.iter().enumerate().map(line).collect()
}

/// Holds the files of one kind to their frozen lines.
fn hold(kind: &str, lines: impl Fn(&str) -> Vec<String>) {
    let arithmetic = support::gpu().adapter().arithmetic;
    let of = format!(
        "# fma_fused {}, flushes_subnormals {}",
        arithmetic.fma_fused, arithmetic.flushes_subnormals
    );
    let entries =
        std::fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut files: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(kind) && name.ends_with(".toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    let frozen: Vec<&str> = DIGESTS.lines().filter(|line| line.starts_with(kind)).collect();
    let found: Vec<String> = files.iter().flat_map(|file| lines(file)).collect();
    if std::env::var_os("BEAMLINE_FREEZE").is_some() {
        let path = folder().join(format!("{kind}.new"));
        std::fs::write(path, format!("{of}\n{}\n", found.join("\n"))).expect("written");
        return;
    }
    if !DIGESTS.lines().any(|line| line == of) {
        eprintln!("frozen rows are of another arithmetic than {of}");
        return;
    }
    for (found, frozen) in found.iter().zip(&frozen) {
        assert_eq!(found, frozen);
    }
    assert_eq!(found.len(), frozen.len());
}

#[test]
fn campaigns_give_the_rows_that_they_gave_before() {
    hold("campaign", |file| campaign(file, false));
}

#[test]
fn campaigns_give_the_same_rows_on_the_wavefront_engine() {
    hold("campaign", |file| campaign(file, true));
}

#[test]
fn missions_record_what_they_recorded_before() {
    hold("mission", |file| mission(file, false));
}

#[test]
fn missions_record_the_same_on_the_wavefront_engine() {
    hold("mission", |file| mission(file, true));
}
