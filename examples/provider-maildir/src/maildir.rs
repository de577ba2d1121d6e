//! The directory: folders, files, flags.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use email_model::{EntryKey, Flags, FolderKey, Labels, Timestamp};
use email_provider::{EntryState, MessageRef, ProviderResult};

use crate::error;

/// The key of the directory itself.
pub(crate) const INBOX: &str = "INBOX";
/// Flags and their letters.
pub(crate) const LETTERS: [(Flags, u8); 5] = [
    (Flags::DRAFT, b'D'),
    (Flags::FLAGGED, b'F'),
    (Flags::FORWARDED, b'P'),
    (Flags::ANSWERED, b'R'),
    (Flags::SEEN, b'S'),
];
/// The letter of a message that is to be deleted.
const TRASHED: u8 = b'T';
/// How often a folder or a file that changes underneath is looked at again.
const TRIES: usize = 8;

/// A Maildir and the folders in it.
#[derive(Clone, Debug)]
pub(crate) struct Maildir(pub PathBuf);

/// A message's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageFile {
    /// The part of its name that stays: no two messages ever have the same.
    pub key: EntryKey,
    /// The letters at the end of its name.
    pub letters: Vec<u8>,
    pub path: PathBuf,
}

/// The messages of a folder, by key.
pub(crate) type Listing = BTreeMap<EntryKey, MessageFile>;

impl MessageFile {
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.as_bytes();
        let end = name.windows(3).position(|part| part == b":2,");
        let (key, letters) = match end {
            Some(end) => (&name[..end], &name[end + 3..]),
            None => (name, [].as_slice()),
        };
        let (key, letters) = (EntryKey(key.to_vec()), letters.to_vec());
        (name.first() != Some(&b'.')).then_some(Self { key, letters, path })
    }

    pub(crate) fn state(&self, folder: &str) -> EntryState {
        let has = |letter: &u8| self.letters.contains(letter);
        let set = LETTERS.iter().filter(|(_, letter)| has(letter));
        let flags = set.fold(Flags::empty(), |all, (flag, _)| all | *flag);
        EntryState {
            labels: Labels::new(flags, Vec::new()),
            folders: vec![FolderKey(folder.to_owned())],
        }
    }

    /// When it was delivered, in whole seconds, and its size: what does not change when the file is moved.
    pub(crate) fn facts(&self) -> io::Result<(Timestamp, u64)> {
        let facts = fs::metadata(&self.path)?;
        let seconds = Timestamp::from(facts.modified()?).timestamp();
        let received = Timestamp::from_timestamp(seconds, 0).unwrap_or_default();
        Ok((received, facts.len()))
    }
}

impl Maildir {
    /// The directory of a folder that is there. What was not listed is no path.
    pub(crate) fn folder(&self, key: &str) -> ProviderResult<PathBuf> {
        let path = match key {
            INBOX => self.0.clone(),
            _ if is_path(key) => self.0.join(format!(".{key}")),
            _ => return Err(error::no_folder()),
        };
        match path.join("cur").is_dir() {
            true => Ok(path),
            false => Err(error::no_folder()),
        }
    }

    /// The keys of all folders, the inbox first.
    pub(crate) fn folders(&self) -> ProviderResult<Vec<String>> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(error::of_disk)? {
            let name = entry.map_err(error::of_disk)?.file_name();
            let key = name.to_str().and_then(|name| name.strip_prefix('.'));
            keys.extend(key.filter(|key| *key != INBOX).map(str::to_owned));
        }
        keys.retain(|key| self.folder(key).is_ok());
        keys.sort();
        keys.insert(0, INBOX.to_owned());
        Ok(keys)
    }

    /// The messages of a folder but those that are to be deleted: complete, since a file that was renamed
    /// while the directory was read may have been passed over, and is not twice.
    pub(crate) fn listing(&self, folder: &str) -> ProviderResult<Listing> {
        let mut all = self.all(folder)?;
        all.retain(|_, file| !file.letters.contains(&TRASHED));
        Ok(all)
    }

    pub(crate) fn all(&self, folder: &str) -> ProviderResult<Listing> {
        let directory = self.folder(folder)?;
        let mut before = None;
        for _ in 0..TRIES {
            let now = Some(files(&directory).map_err(error::of_disk)?);
            match before == now {
                true => return now.ok_or_else(error::unsettled),
                false => before = now,
            }
        }
        Err(error::unsettled())
    }

    /// Does something to a message's file. Where another program has renamed it meanwhile, to its new name.
    pub(crate) fn with_file<T>(
        &self,
        at: &MessageRef,
        mut act: impl FnMut(&MessageFile) -> io::Result<T>,
    ) -> ProviderResult<T> {
        for _ in 0..TRIES {
            let listing = self.listing(&at.scope.0);
            let listing = listing.map_err(|error| match error.kind {
                email_provider::ErrorKind::NotFound => error::no_message(),
                _ => error,
            })?;
            let file = listing.get(&at.key).ok_or_else(error::no_message)?;
            match act(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => return done.map_err(error::of_disk),
            }
        }
        Err(error::unsettled())
    }
}

/// `new` first: what is moved to `cur` in between is then seen twice rather than never.
fn files(directory: &Path) -> io::Result<Listing> {
    let mut found = Listing::new();
    for part in ["new", "cur"] {
        for entry in fs::read_dir(directory.join(part))? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            if let Some(file) = MessageFile::of(entry.path()) {
                found.insert(file.key.clone(), file);
            }
        }
    }
    Ok(found)
}

/// Names of folders with points in between: nothing that leads out of the directory.
fn is_path(key: &str) -> bool {
    key.len() < 250 && key.split('.').all(is_name)
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_control() || c == '/' || c == '.')
}
