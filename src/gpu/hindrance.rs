//! Why a machine with adapters shows none.

use std::fs::{File, read_dir};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// Files that a Vulkan loader and a driver open at once, in round figures.
const FILES: usize = 32;

/// What keeps adapters from being opened, where that can be told: too few file descriptors, or no
/// permission on a device.
pub(super) fn hindrance() -> Option<String> {
    exhausted(|| File::open("/dev/null")).or_else(|| denied(Path::new("/dev/dri")))
}

/// Whether as many files as a driver opens can be open at once.
fn exhausted(open: impl FnMut() -> Result<File, Error>) -> Option<String> {
    let files: Result<Vec<File>, Error> = std::iter::repeat_with(open).take(FILES).collect();
    let error = files.err().filter(|error| error.kind() != ErrorKind::NotFound)?;
    Some(format!("a driver opens some {FILES} files: {error}; a higher `ulimit -n` helps"))
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
    fn too_few_file_descriptors_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, "").expect("a file");
        assert_eq!(exhausted(|| File::open(&path)), None);
        assert_eq!(
            exhausted(|| File::open(folder.path().join("none"))),
            None,
            "no fault of the limit"
        );
        let mut left = FILES - 1;
        let limited = || match left.checked_sub(1) {
            Some(fewer) => {
                left = fewer;
                File::open(&path)
            }
            // EMFILE
            None => Err(Error::from_raw_os_error(24)),
        };
        let said = exhausted(limited).expect("a reason");
        assert!(said.contains("Too many open files") && said.contains("ulimit -n"), "{said}");
    }

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
