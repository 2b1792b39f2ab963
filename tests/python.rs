//! `python/beamline.py` and the example of `docs/archive-format.md`, run by Python on archives.
//!
//! `BEAMLINE_PYTHON` names a Python with h5py, pandas and xarray. Where it is not set, `python3` is taken,
//! and the tests are left out where it lacks one of them.

mod fixture;
mod flown;

use beamline::archive::Writer;
use fixture::{header, segment};
use std::path::Path;
use std::process::{Command, Output};

const TRIALS: u64 = 1500;

/// The Python to use; `None` where there is none with what the tests need.
fn python() -> Option<String> {
    if let Ok(named) = std::env::var("BEAMLINE_PYTHON") {
        return Some(named);
    }
    let has_all = |python: &&str| {
        let found = Command::new(python).args(["-c", "import h5py, pandas, xarray"]).output();
        found.is_ok_and(|output| output.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_all);
    if found.is_none() {
        eprintln!("left out: no Python with h5py, pandas and xarray");
    }
    found.map(str::to_owned)
}

/// Runs a script with `python/` on its path; what it printed.
fn run(python: &str, script: &str) -> String {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let output: Output = Command::new(python)
        .args(["-c", script])
        .env("PYTHONPATH", library)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A finished campaign in `folder`.
fn campaign(folder: &Path) {
    let mut writer = Writer::start(folder, header()).expect("a writer");
    writer.send(segment(0, TRIALS)).expect("a segment");
    writer.finish(()).expect("an archive");
}

#[test]
fn the_page_s_example_reads_an_archive() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    campaign(folder.path());
    let page = include_str!("../docs/archive-format.md");
    let (_, example) = page.split_once("```python\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let path = folder.path().join("archive.h5").display().to_string();
    let example = example.replace("results/leo-demo/archive.h5", &path);
    assert!(example.contains(&path));
    let printed = run(&python, &example);
    assert!(printed.starts_with("fixture name = \"fixture\"\nseed = 7\n# Naïve text"), "{printed}");
    assert!(printed.contains("tmr-storage"), "{printed}");
}

#[test]
fn rows_are_a_frame_as_they_are() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    campaign(folder.path());
    let script = format!(
        "import h5py, pandas\n\
         with h5py.File({:?}) as f:\n    \
         frame = pandas.DataFrame(f['outcomes'][:])\n    \
         print(len(frame), frame['inferences'].sum(), frame.groupby('scheme')['wrong'].sum().tolist())",
        folder.path().join("archive.h5")
    );
    let rows = segment(0, TRIALS).outcomes;
    let wrong: Vec<u64> = (0..4)
        .map(|scheme| {
            let of_scheme = rows.iter().filter(|row| row.scheme == scheme);
            of_scheme.map(|row| u64::from(row.wrong)).sum()
        })
        .collect();
    let inferences: u64 = rows.iter().map(|row| u64::from(row.inferences)).sum();
    assert_eq!(run(&python, &script), format!("{} {inferences} {wrong:?}\n", rows.len()));
}

#[test]
fn the_library_gives_frames_and_datasets_with_units() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    campaign(folder.path());
    let script = format!(
        "import beamline\n\
         with beamline.open({:?}) as result:\n    \
         result.verify()\n    \
         print(result.kind, result.schemes)\n    \
         frame = result.table('figures')\n    \
         print(frame.attrs['units']['time_to_critical_s'], frame.attrs['descriptions']['wrong_trials'])\n    \
         every = frame[frame.breakdown == 'scheme']\n    \
         print(every.scheme_name.tolist(), every.trials.tolist(), every.bit.tolist())\n    \
         faults = result.table('faults')\n    \
         print(sorted(faults.region.unique()), len(faults))\n    \
         data = result.outcomes()\n    \
         print(dict(data.sizes), int(data.wrong.sel(scheme='none').sum()))\n    \
         print(data.time_to_critical_s.attrs['units'])\n    \
         print(result.dataset('comparisons').p.attrs['description'])\n    \
         print([name for name in result.tables if '/' not in name])\n    \
         try:\n        \
         result.table('nothing')\n    \
         except KeyError as error:\n        \
         print('expected one of' in str(error))",
        folder.path()
    );
    let printed = run(&python, &script);
    let segment = segment(0, TRIALS);
    let wrong = segment.outcomes.iter().filter(|row| row.scheme == 0 && row.wrong == 1).count();
    let expected = [
        "campaign ['none', 'dmr', 'tmr-storage', 'tmr-output']".to_owned(),
        "s Trials with a wrong answer.".into(),
        "['none', 'dmr', 'tmr-storage', 'tmr-output'] [1500, 1500, 1500, 1500] [-1, -1, -1, -1]"
            .into(),
        format!("['weights'] {}", segment.faults.len()),
        format!("{{'trial': 1500, 'scheme': 4}} {wrong}"),
        "s".into(),
        "The exact two-sided `McNemar` test.".into(),
    ];
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..7], expected, "{printed}");
    for table in ["faults", "outcomes", "timing", "figures", "comparisons", "fit", "schemes"] {
        assert!(lines[7].contains(&format!("'{table}'")), "{}", lines[7]);
    }
    assert_eq!(lines[8], "True");
}

#[test]
fn a_mission_is_read_too() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    flown::finished(folder.path());
    let script = format!(
        "import beamline\n\
         with beamline.open({:?}) as result:\n    \
         result.verify()\n    \
         print(result.kind, result.schemes)\n    \
         print(result.table('histories').attrs['units'])\n    \
         print(sorted(result.table('upsets').what.unique())[:1])\n    \
         figures = result.table('figures')\n    \
         print(figures.name.tolist() == result.schemes, figures.attrs['units']['wrong_per_year_value'])\n    \
         print(result.dataset('track').altitude_km.attrs['units'])\n    \
         print([len(result.table(name)) > 0 for name in ('strata_schemes', 'figures_away', 'episodes')])",
        folder.path()
    );
    let printed = run(&python, &script);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("mission ["), "{printed}");
    assert_eq!(lines[1], "{'history': '1', 'start_s': 's', 'upsets': '1'}");
    assert_eq!(lines[3], "True 1/yr", "{printed}");
    assert_eq!(lines[4], "km");
    assert_eq!(lines[5], "[True, True, True]", "{printed}");
}
