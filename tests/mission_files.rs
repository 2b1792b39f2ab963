//! Mission files as users write them: the ready ones are planned, the refused ones say why and where.

use beamline::mission::{Mission, Plan};
use beamline::workload::{self, Overrides, Workload};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("a folder of the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(end));
    files.sort();
    files
}

fn digits() -> Arc<Workload> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/digits-mlp");
    Arc::new(workload::load(&folder, &Overrides::default()).expect("shipped"))
}

/// Why a mission is refused, by its file or by its plan.
fn refusal(path: &Path, workload: &Arc<Workload>) -> Option<String> {
    let (mission, text) = match Mission::load(path) {
        Ok(loaded) => loaded,
        Err(error) => return Some(error.to_string()),
    };
    let folder = path.parent().expect("a folder");
    let refused = Plan::new(&mission, Arc::clone(workload), folder).err()?;
    Some(refused.placed(path, &text).to_string())
}

#[test]
fn ready_missions_are_planned_and_written_out_again_are_the_same() {
    let files = files("missions", ".toml");
    assert!(!files.is_empty());
    for path in files {
        assert_eq!(refusal(&path, &digits()), None, "{}", path.display());
        let (mission, _) = Mission::load(&path).expect("it is planned");
        let again = toml::to_string(&mission).expect("a mission as TOML");
        assert_eq!(Mission::parse(&path, &again).expect("its own text"), mission);
    }
}

#[test]
fn refused_missions_say_what_and_where() {
    let files = files("tests/refused/mission", ".toml");
    assert!(files.len() >= 20, "{} files", files.len());
    let workload = digits();
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a refused mission");
        let line = text.lines().next().and_then(|line| line.strip_prefix("# expect: "));
        let (at, expected) = line.and_then(|line| line.split_once(" | ")).expect("LINE | message");
        let file = path.file_name().expect("a name").to_string_lossy();
        let message = refusal(&path, &workload).unwrap_or_else(|| "nothing: it is planned".into());
        let placed = message.contains(&format!("{file}:{at}:"));
        if !placed || !message.contains(expected) || message.contains('\n') {
            wrong.push(format!("{file}\n  expected {at}: {expected}\n  found    {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
