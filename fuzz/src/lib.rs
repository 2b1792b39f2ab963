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

/// A workload of one layer of 64 features, with the table of its weights.
pub fn workload(weights: &str) -> String {
    format!(
        "name = \"fuzz\"\ndescription = \"One layer.\"\nsource = \"The fuzz target.\"\n{weights}\n\
         [inputs]\nshape = [64]\nfile = \"array.npy\"\n\
         [[op]]\nname = \"fc1\"\nkind = \"linear\"\nweight = \"weight\"\n"
    )
}

/// A `.npy` file of one row of 64 zeros.
pub fn npy() -> Vec<u8> {
    let mut header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 64), }".to_owned();
    // The whole header is a multiple of 64 bytes and ends with a line break.
    header.push_str(&" ".repeat(128 - 10 - 1 - header.len()));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a short header").to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[0; 256]].concat()
}
