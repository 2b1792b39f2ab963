//! The digest of a file beside it, as `sha256sum -c` reads it: whether a file is as it was written
//! is known before the HDF5 library sees any of it.

use super::Error;
use super::file::hex;
use super::kind::own_file;
use crate::output;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where the digest of `path` stands.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sha256");
    PathBuf::from(name)
}

/// Writes the digest of the file that lies at `temporary` and will be `path`.
pub(super) fn write(temporary: &Path, path: &Path) -> Result<(), Error> {
    let digest = of(temporary).map_err(Error::io(path, "read"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = beside(path);
    own_file(&beside)?;
    output::write(&beside, format!("{digest}  {name}\n").as_bytes()).map_err(Error::output)
}

/// Whether the file has a digest beside it.
///
/// # Errors
/// Where it has one and is another file, or one of them cannot be read.
pub(super) fn verify(path: &Path) -> Result<bool, Error> {
    let beside = beside(path);
    let text = match fs::read_to_string(&beside) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io(&beside, "read")(error)),
    };
    let expected = text.split_whitespace().next().unwrap_or("");
    let found = of(path).map_err(Error::io(path, "read"))?;
    if expected == found {
        return Ok(true);
    }
    let expected = format!("the file whose SHA-256 digest stands in {}", beside.display());
    Err(Error::content(path, expected, format!("{found}: it is damaged or was changed")))
}

/// The SHA-256 digest of a file, in hexadecimal.
fn of(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let (mut hash, mut part) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let count = file.read(&mut part)?;
        if count == 0 {
            break;
        }
        hash.update(&part[..count]);
    }
    Ok(hex(&hash.finalize()))
}
