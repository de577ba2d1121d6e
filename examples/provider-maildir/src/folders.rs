//! Folders: what they are for, and new ones.

use std::{fs, io};

use email_model::{FolderKey, FolderKind, FolderRole};
use email_provider::{ErrorKind, Folder, NewFolder, ProviderError, ProviderResult};

use crate::{
    error,
    maildir::{INBOX, Maildir, is_name},
};

/// Names by which mail programs know folders.
const ROLES: [(&str, FolderRole); 6] = [
    (INBOX, FolderRole::Inbox),
    ("Archive", FolderRole::Archive),
    ("Drafts", FolderRole::Drafts),
    ("Junk", FolderRole::Junk),
    ("Sent", FolderRole::Sent),
    ("Trash", FolderRole::Trash),
];

pub(crate) fn role(key: &str) -> Option<FolderRole> {
    ROLES
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, role)| *role)
}

/// The folder of a role, if it is there.
pub(crate) fn with_role(maildir: &Maildir, role: FolderRole) -> Option<String> {
    let (name, _) = ROLES.iter().find(|(_, one)| *one == role)?;
    maildir.folder(name).ok().map(|_| (*name).to_owned())
}

pub(crate) fn all(maildir: &Maildir) -> ProviderResult<Vec<Folder>> {
    let keys = maildir.folders()?;
    let folders = keys.iter().map(|key| folder(key, &keys)).collect();
    Ok(folders)
}

/// A folder by its key, as one of these.
fn folder(key: &str, keys: &[String]) -> Folder {
    let (above, name) = key.rsplit_once('.').unwrap_or_default();
    let name = if name.is_empty() { key } else { name };
    let parent = keys.iter().find(|other| *other == above);
    Folder {
        key: FolderKey(key.to_owned()),
        name: name.to_owned(),
        full_name: key.replace('.', "/"),
        parent: parent.map(|parent| FolderKey(parent.clone())),
        role: role(key),
        kind: FolderKind::Folder,
        selectable: true,
    }
}

pub(crate) fn create(maildir: &Maildir, new: &NewFolder) -> ProviderResult<Folder> {
    let key = match &new.parent {
        Some(FolderKey(parent)) if parent != INBOX => {
            maildir.folder(parent)?;
            format!("{parent}.{}", new.name)
        }
        _ => new.name.clone(),
    };
    if !is_name(&new.name) || key.len() >= 250 {
        let message = "a folder's name has no point, no slash, and is not too long";
        return Err(ProviderError::new(ErrorKind::Invalid, message));
    }
    let directory = maildir.0.join(format!(".{key}"));
    match fs::create_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = "there is a folder of this name";
            return Err(ProviderError::new(ErrorKind::Conflict, message));
        }
        made => made.map_err(error::of_disk)?,
    }
    // `cur` last: with it the folder is there.
    for part in ["tmp", "new", "cur"] {
        fs::create_dir(directory.join(part)).map_err(error::of_disk)?;
    }
    Ok(folder(&key, &maildir.folders()?))
}
