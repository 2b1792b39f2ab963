//! Files that others made, read up to a limit: one that was named by mistake, or made to do harm,
//! must not take the machine's memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

/// The bytes of the file at `path`, of which there may be `most`.
///
/// # Errors
/// What the system says; [`ErrorKind::FileTooLarge`] where there are more,
/// [`ErrorKind::OutOfMemory`] where they do not fit the memory.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let refused = |found: String| {
        let message = format!("expected at most {most} bytes, found {found}");
        Err(Error::new(ErrorKind::FileTooLarge, message))
    };
    if length > most {
        return refused(length.to_string());
    }
    let mut bytes = Vec::new();
    let room = usize::try_from(length).map_err(|_| ErrorKind::OutOfMemory)?;
    bytes.try_reserve_exact(room).map_err(|_| ErrorKind::OutOfMemory)?;
    // A pipe or a device has no length that it tells.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { refused("more".into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.bin");
        std::fs::write(&path, [7; 64]).expect("a new file");
        assert_eq!(read(&path, 64).expect("a file of 64 bytes"), [7; 64]);
        let error = read(&path, 63).expect_err("one byte too many");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "expected at most 63 bytes, found 64");
        assert_eq!(
            read(&path.with_extension("no"), 9).expect_err("no file").kind(),
            ErrorKind::NotFound
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_end_is_refused() {
        let error = read(Path::new("/dev/zero"), 1000).expect_err("a device without end");
        assert_eq!(error.to_string(), "expected at most 1000 bytes, found more");
    }
}
