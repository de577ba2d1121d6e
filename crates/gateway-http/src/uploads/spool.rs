use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tempfile::{NamedTempFile, TempDir, TempPath};

use crate::error::{ApiError, ApiResult};

/// What names of directories of this program begin with.
const PREFIX: &str = "polypost-files-";

/// Within such a directory: locked for as long as its process lives.
const LOCK: &str = "lock";

/// Told with a refusal for want of room.
const ROOM_AFTER: Duration = Duration::from_secs(30);

/// Where attachments wait until they are sent: files that only this process can read, in a directory of its own,
/// and not more octets of them than the operator allows.
#[derive(Debug)]
pub(crate) struct Spool {
    parent: PathBuf,
    limit: u64,
    used: AtomicU64,
    place: Mutex<Option<Place>>,
}

/// The directory of this process.
#[derive(Debug)]
struct Place {
    directory: TempDir,
    _lock: File,
}

impl Spool {
    /// A spool below `parent`, which need not be there yet.
    pub(super) fn new(parent: PathBuf, limit: u64) -> Self {
        Self {
            parent,
            limit,
            used: AtomicU64::new(0),
            place: Mutex::new(None),
        }
    }

    /// Makes the directory, and removes those of processes that were killed.
    pub(super) fn prepare(&self) -> io::Result<PathBuf> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever tidies up temporary files may have removed it.
        if let Some(place) = place.as_ref().filter(|p| p.directory.path().is_dir()) {
            return Ok(place.directory.path().to_owned());
        }
        let made = Place::below(&self.parent)?;
        let path = made.directory.path().to_owned();
        remove_orphans(&self.parent, &path)?;
        *place = Some(made);
        Ok(path)
    }

    /// A new file, empty.
    pub(super) fn file(self: &Arc<Self>) -> ApiResult<SpoolFile> {
        let made = self.prepare().and_then(NamedTempFile::new_in);
        let (file, path) = made.map_err(failed)?.into_parts();
        Ok(SpoolFile {
            file,
            kept: SpooledFile {
                path,
                size: 0,
                spool: Arc::clone(self),
            },
        })
    }

    /// Octets in files now.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn reserve(&self, octets: u64) -> ApiResult<()> {
        let reserved = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(octets).filter(|used| *used <= self.limit)
            });
        reserved.map(drop).map_err(|_| no_room())
    }
}

impl Place {
    fn below(parent: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.try_lock()?;
        Ok(Self {
            directory,
            _lock: lock,
        })
    }
}

/// Removes directories whose processes are gone: they left them when they were killed. Others' are left alone, whatever
/// they are called.
fn remove_orphans(parent: &Path, own: &Path) -> io::Result<()> {
    let owner = fs::metadata(own)?.uid();
    for entry in fs::read_dir(parent)?.flatten() {
        let is_ours = entry.path() != own
            && entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == owner);
        if !is_ours {
            continue;
        }
        let lock = File::open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let removed = fs::remove_dir_all(entry.path());
            tracing::info!(?removed, "files of a process that was killed");
        }
    }
    Ok(())
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct SpoolFile {
    file: File,
    kept: SpooledFile,
}

impl SpoolFile {
    /// Appends octets.
    pub(super) fn write(&mut self, octets: &[u8]) -> ApiResult<()> {
        self.kept.spool.reserve(octets.len() as u64)?;
        self.kept.size += octets.len() as u64;
        self.file.write_all(octets).map_err(failed)
    }

    /// It is complete.
    pub(super) fn done(self) -> SpooledFile {
        self.kept
    }
}

/// A file in the spool. Removed when it is dropped.
#[derive(Debug)]
pub(super) struct SpooledFile {
    path: TempPath,
    size: u64,
    spool: Arc<Spool>,
}

impl SpooledFile {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Octets.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl Drop for SpooledFile {
    fn drop(&mut self) {
        self.spool.used.fetch_sub(self.size, Ordering::Relaxed);
    }
}

fn no_room() -> ApiError {
    ApiError::busy("there is no room for more attachments at the moment")
        .with_retry_after(ROOM_AFTER)
}

fn failed(error: io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            tracing::error!(%error, "the disk that attachments wait on is full");
            no_room()
        }
        _ => ApiError::internal().with_cause(format!("an attachment could not be kept: {error}")),
    }
}

#[cfg(test)]
mod tests;
