//! What fuzz targets share: files in memory for readers that take a path, and a small workload.
//!
//! A target reads a file of the project before it fuzzes, and stops where that is refused: mangled
//! input tells nothing of a reader that refuses everything.

use beamline::workload::{self, Error, Overrides, Workload};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A folder of this process for the files under test; `fuzz/run` has it in memory and removes it.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("beamline-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the files under test");
        folder
    })
}

/// Writes `bytes` under `name` and gives the path.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("a file under test");
    path
}

/// The path of a file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// The text of a file of the project.
pub fn text(path: &str) -> String {
    fs::read_to_string(project(path)).expect("a file of the project")
}

/// The files of the small workload, and where each comes from.
const TINY: [(&str, &str); 6] = [
    ("workload.toml", "tests/accepted/workload/tiny.toml"),
    ("weights.safetensors", "fuzz/seeds/tiny/weights.safetensors"),
    ("data.safetensors", "fuzz/seeds/tiny/data.safetensors"),
    ("x.npy", "fuzz/seeds/tiny/x.npy"),
    ("y.npy", "fuzz/seeds/tiny/y.npy"),
    ("golden.npy", "fuzz/seeds/tiny/golden.npy"),
];

/// Loads the small workload of the tests with other bytes for one of its files.
pub fn tiny_with(name: &str, bytes: &[u8]) -> Result<Workload, Error> {
    static TINY_FOLDER: OnceLock<(PathBuf, Vec<Vec<u8>>)> = OnceLock::new();
    let (tiny, whole) = TINY_FOLDER.get_or_init(|| {
        let tiny = folder().join("tiny");
        fs::create_dir_all(&tiny).expect("a folder of a workload");
        let read = |(name, from): (&str, &str)| {
            let bytes = fs::read(project(from)).expect("a file of the project");
            fs::write(tiny.join(name), &bytes).expect("a file of the workload");
            bytes
        };
        let whole = TINY.map(read).to_vec();
        workload::load(&tiny, &Overrides::default()).expect("a workload that is read");
        (tiny, whole)
    });
    fs::write(tiny.join(name), bytes).expect("a file under test");
    let loaded = workload::load(tiny, &Overrides::default());
    let at = TINY.iter().position(|(known, _)| *known == name).expect("a file of the workload");
    fs::write(tiny.join(name), &whole[at]).expect("a file of the workload");
    loaded
}
