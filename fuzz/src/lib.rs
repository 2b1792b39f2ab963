//! What fuzz targets share: a file in memory for readers that take a path.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A folder of this process for the files under test, in memory where the system has such a place.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = base.join(format!("beamline-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the files under test");
        folder
    })
}

/// Writes `bytes` under `name` and gives the path.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, bytes).expect("a file under test");
    path
}
