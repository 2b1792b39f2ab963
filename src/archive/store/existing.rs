//! What an earlier run left, for a run that goes on from there; and who may write in a folder.

use super::read::{Read, read_file};
use super::segment::{
    HEADER_FILE, SegmentFile, header_beside, read_segment, refuse_gap, refuse_other, segment_paths,
};
use super::{Stored, StoredHeader};
use crate::archive::kind::{own_file, own_folder};
use crate::archive::{ARCHIVE_FILE, Error, Fingerprint, SEGMENTS_FOLDER, checksum, file};
use std::fs;
use std::path::{Path, PathBuf};

/// What an earlier run of the same experiment left, checked and locked.
#[derive(Debug)]
pub struct Existing<S: Stored> {
    /// The trial or history to go on with.
    pub next: u64,
    /// Whether the earlier run finished: there is nothing to resume.
    pub finished: bool,
    /// Its stretch, where it is a part of a whole: the first trial or history, and how many.
    pub share: Option<(u64, u64)>,
    pub(super) folder: PathBuf,
    pub(super) segments: Vec<SegmentFile>,
    pub(super) lock: fs::File,
    kind: std::marker::PhantomData<fn() -> S>,
}

impl<S: Stored> Existing<S> {
    /// Finds what an earlier run left in `folder`; `None` where there is nothing to go on from. Shows
    /// `see` each segment in order, and removes what was not finished.
    ///
    /// # Errors
    /// Where a file belongs to another experiment (it names what differs), is torn, or a segment is
    /// missing; where another run writes there.
    pub fn open(
        folder: &Path,
        fingerprint: &Fingerprint,
        see: &mut dyn FnMut(&S),
    ) -> Result<Option<Self>, Error> {
        Self::open_part(folder, fingerprint, None, see)
    }

    /// Likewise of a part of a whole: its first trial or history, and how many it has.
    ///
    /// # Errors
    /// Where it holds another part, too.
    pub fn open_part(
        folder: &Path,
        fingerprint: &Fingerprint,
        share: Option<(u64, u64)>,
        see: &mut dyn FnMut(&S),
    ) -> Result<Option<Self>, Error> {
        let segments = folder.join(SEGMENTS_FOLDER);
        let before = segments.exists();
        let found = Self::find(folder, fingerprint, share, see);
        if !before && found.as_ref().is_err_and(|error| !matches!(error, Error::Locked { .. })) {
            // The lock alone can stand there; what else does, another made.
            let _ = fs::remove_file(segments.join("lock"));
            let _ = fs::remove_dir(&segments);
        }
        found
    }

    fn find(
        folder: &Path,
        fingerprint: &Fingerprint,
        wanted: Option<(u64, u64)>,
        see: &mut dyn FnMut(&S),
    ) -> Result<Option<Self>, Error> {
        let (archive, segments) = (folder.join(ARCHIVE_FILE), folder.join(SEGMENTS_FOLDER));
        if !archive.exists() && !segments.exists() {
            return Ok(None);
        }
        let mut existing = Self {
            next: 0,
            finished: archive.exists(),
            share: None,
            folder: folder.to_path_buf(),
            segments: Vec::new(),
            lock: lock(folder)?,
            kind: std::marker::PhantomData,
        };
        file::remove_drafts(folder)?;
        if existing.finished {
            let Read { header, rows, verified, share, .. } = read_file::<S>(&archive)?;
            existing.share = share;
            refuse_share::<S>(&archive, wanted, share)?;
            refuse_other::<S>(&archive, fingerprint, header.fingerprint())?;
            if !verified {
                // Its rows are what they should be; only its digest was lost.
                checksum::write(&archive, &archive)?;
            }
            existing.next = rows.stretch().0 + rows.stretch().1;
            // The segments that a finished archive was made from may have outlived a kill.
            fs::remove_dir_all(&segments).map_err(Error::io(&segments, "removed"))?;
            return Ok(Some(existing));
        }
        file::remove_drafts(&segments)?;
        let paths = segment_paths(&segments)?;
        let Some(first) = paths.first() else { return Ok(None) };
        let (header, share) = header_beside::<S>(first)?;
        (existing.share, existing.next) = (share, share.map_or(0, |(first, _)| first));
        let path = first.with_file_name(HEADER_FILE);
        refuse_other::<S>(&path, fingerprint, header.fingerprint())?;
        refuse_share::<S>(&path, wanted, share)?;
        for path in &paths {
            let (about, rows) = read_segment::<S>(path, &header)?;
            refuse_gap::<S>(&about, existing.next)?;
            see(&rows);
            existing.next += about.stretch.1;
            existing.segments.push(about);
        }
        Ok(Some(existing))
    }
}

/// Refuses another part than the one that is wanted.
fn refuse_share<S: Stored>(
    path: &Path,
    wanted: Option<(u64, u64)>,
    found: Option<(u64, u64)>,
) -> Result<(), Error> {
    if wanted == found {
        return Ok(());
    }
    let [_, several] = S::COUNTED;
    let words = |share: Option<(u64, u64)>| match share {
        Some((first, count)) => format!("a part of {count} {several} from {first} on"),
        None => format!("all {several}"),
    };
    Err(Error::content(path, words(wanted), words(found)))
}

/// Refuses a folder that holds results.
pub(super) fn refuse_results(folder: &Path) -> Result<(), Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    let held = segments.exists() && !segment_paths(&segments)?.is_empty();
    if held || folder.join(ARCHIVE_FILE).exists() {
        return Err(Error::Occupied { path: folder.to_path_buf() });
    }
    Ok(())
}

/// Makes the folder of segments and holds its lock, so that a second run is refused. The lock goes
/// with the process, however it ends.
pub(super) fn lock(folder: &Path) -> Result<fs::File, Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    own_folder(&segments)?;
    fs::create_dir_all(&segments).map_err(Error::io(&segments, "made"))?;
    let path = segments.join("lock");
    own_file(&path)?;
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(Error::io(&path, "written"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Locked { path: folder.to_path_buf() }),
        Err(fs::TryLockError::Error(error)) => Err(Error::io(&path, "locked")(error)),
    }
}

/// Renames a results folder that holds results to the first free `NAME.1`, `NAME.2`, …, so that a
/// new run loses nothing of an earlier one. Gives the new name, or `None` where there was nothing.
///
/// # Errors
/// Where the folder cannot be renamed, or another run writes there.
pub fn set_aside(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let segments = folder.join(SEGMENTS_FOLDER);
    let held = segments.exists() && !segment_paths(&segments)?.is_empty();
    if !held && !folder.join(ARCHIVE_FILE).exists() {
        return Ok(None);
    }
    let guard = if segments.exists() { Some(lock(folder)?) } else { None };
    let aside = (1u32..).map(|n| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    });
    let free = aside.into_iter().find(|path| !path.exists()).ok_or(Error::WriterGone)?;
    fs::rename(folder, &free).map_err(Error::io(folder, "set aside"))?;
    drop(guard);
    Ok(Some(free))
}
