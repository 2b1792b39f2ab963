//! What beamline writes for a user: files, which appear whole or not at all, and standard output,
//! where a failed write is an error.
//!
//! Nothing is destroyed that the user did not ask to replace: a symbolic link is followed, a pipe or
//! a device is written to, permissions and owner stay, and the temporary has a name that no other
//! file has.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// The path that stands for standard output.
pub const STDOUT: &str = "-";

/// How the name of a file on its way begins.
pub const DRAFT: &str = ".beamline-";

/// Links followed to find a file before they are taken for a circle, as Linux does.
const LINKS_MAX: usize = 40;

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {source}", path.display())]
pub struct Error {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Error {
    /// Standard output cannot be written.
    pub fn stdout(source: io::Error) -> Self {
        Self { path: "standard output".into(), source }
    }
}

/// Whether a path stands for standard output.
pub fn is_stdout(path: &Path) -> bool {
    [STDOUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

/// Writes a file, whole or not at all; what is no file, such as a pipe or a device, is written to,
/// and `-` is standard output.
///
/// # Errors
/// [`Error`] with the path and what the system said.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if is_stdout(path) {
        return print(bytes);
    }
    write_at(path, bytes).map_err(|source| Error { path: path.into(), source })
}

/// Writes to standard output, as far as the system.
///
/// # Errors
/// [`Error`] where it cannot be written.
pub fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(Error::stdout)
}

fn write_at(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(found) = found(path)?
        && !found.is_file()
    {
        let mut stream = OpenOptions::new().write(true).open(path)?;
        stream.write_all(bytes)?;
        return stream.flush();
    }
    let mut draft = Draft::open(path)?;
    draft.temporary.write_all(bytes)?;
    draft.keep()
}

/// A file on its way: written under a temporary name in its folder, then given its own. One that is
/// dropped is removed.
#[derive(Debug)]
pub struct Draft {
    temporary: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// Begins a file, which replaces what `path` names. The temporary is created exclusively, with a
    /// random name that ends in `.tmp`.
    ///
    /// # Errors
    /// [`Error`] where `path` names what is no file, or a file that must not be written.
    pub fn new(path: &Path) -> Result<Self, Error> {
        Self::open(path).map_err(|source| Error { path: path.into(), source })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the file its name, once all of it is on the disk.
    ///
    /// # Errors
    /// [`Error`] where the disk or the folder refuses.
    pub fn finish(self) -> Result<(), Error> {
        let target = self.target.clone();
        self.keep().map_err(|source| Error { path: target, source })
    }

    fn open(path: &Path) -> io::Result<Self> {
        let before = found(path)?;
        if before.as_ref().is_some_and(|before| !before.is_file()) {
            let text = "expected a file or nothing, found something else under this name";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let target = followed(path)?;
        if before.is_some() {
            // A file that must not be written is not to be replaced either.
            OpenOptions::new().write(true).open(&target)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        if let Some(before) = &before {
            no_wider_than(&mut options, before);
        }
        let temporary = Builder::new()
            .prefix(DRAFT)
            .suffix(".tmp")
            .make_in(folder(&target), |path| options.open(path))?;
        if let Some(before) = before {
            keep_owner(temporary.as_file(), &before);
            // The mask of the process does not apply to a file that has its permissions already,
            // and a new owner may have cost it some.
            temporary.as_file().set_permissions(before.permissions())?;
        }
        Ok(Self { temporary, target })
    }

    fn keep(self) -> io::Result<()> {
        // The file may have been written by its name, through another handle.
        self.temporary.as_file().sync_all()?;
        self.temporary.persist(&self.target).map_err(|error| error.error)?;
        sync_folder(folder(&self.target))
    }
}

/// What a path names, its links followed; `None` where there is nothing.
fn found(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the links of a path lead, also where nothing is there yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            // Not a link: a file, or nothing.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file is not open to more readers while it is written than it was before.
#[cfg(unix)]
fn no_wider_than(options: &mut OpenOptions, before: &Metadata) {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    options.mode(before.permissions().mode() & 0o7777);
}

#[cfg(not(unix))]
fn no_wider_than(_options: &mut OpenOptions, _before: &Metadata) {}

#[cfg(unix)]
fn keep_owner(file: &File, before: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    // Only root may give a file away; for others it is theirs already, or becomes theirs.
    let _ = fchown(file, Some(before.uid()), Some(before.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _before: &Metadata) {}

/// The name itself reaches the disk with its folder.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder may be open for writing alone, and a file system without such a call.
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
