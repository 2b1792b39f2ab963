//! Why a machine with adapters shows none.

use std::fs::{File, read_dir};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// Files that a Vulkan loader and a driver open at once, in round figures.
const FILES: usize = 32;

/// What keeps adapters from being opened, where that can be told: too few file descriptors, or no
/// permission on a device.
pub(super) fn hindrance() -> Option<String> {
    let files: Result<Vec<File>, Error> = (0..FILES).map(|_| File::open("/dev/null")).collect();
    let exhausted = files.err().filter(|error| error.kind() != ErrorKind::NotFound);
    let exhausted = exhausted.map(|error| {
        format!("a driver opens some {FILES} files: {error}; a higher `ulimit -n` helps")
    });
    exhausted.or_else(|| denied(Path::new("/dev/dri")))
}

/// The first device of a folder that may not be opened.
fn denied(folder: &Path) -> Option<String> {
    let devices = read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut renderers: Vec<_> = devices
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("renderD"))
        })
        .collect();
    renderers.sort();
    renderers.into_iter().find_map(|path| {
        let error = File::open(&path).err()?;
        Some(format!("{}: {error}; its group is often `render`", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(denied(folder.path()), None);
        // A link to nothing cannot be opened, by root neither.
        #[cfg(unix)]
        std::os::unix::fs::symlink("nothing", folder.path().join("renderD128")).expect("a link");
        #[cfg(unix)]
        assert!(denied(folder.path()).expect("a reason").contains("renderD128: No such file"));
    }
}
