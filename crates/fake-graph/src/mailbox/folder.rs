//! Folders: those that every mailbox has, and the user's own.

use super::{FolderChange, Mailbox};
use crate::error::ApiError;
use crate::settings::DeletedFolders;

pub(crate) type FolderKey = u32;

#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub key: FolderKey,
    pub id: String,
    pub name: String,
    /// None for the roots.
    pub parent: Option<FolderKey>,
    pub well_known: Option<&'static str>,
    pub hidden: bool,
    pub search: Option<Search>,
    pub version: u64,
}

/// What a search folder shows.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub filter: String,
    pub nested: bool,
    pub sources: Vec<String>,
}

/// Well-known names ("mailFolder resource type"), names in English, the parent's well-known name, and whether hidden.
const SYSTEM: &[(&str, &str, &str, bool)] = &[
    ("msgfolderroot", "Top of Information Store", "", false),
    ("recoverableitemsroot", "Recoverable Items", "", true),
    ("archive", "Archive", "msgfolderroot", false),
    (
        "conversationhistory",
        "Conversation History",
        "msgfolderroot",
        false,
    ),
    ("deleteditems", "Deleted Items", "msgfolderroot", false),
    ("drafts", "Drafts", "msgfolderroot", false),
    ("inbox", "Inbox", "msgfolderroot", false),
    ("junkemail", "Junk Email", "msgfolderroot", false),
    ("outbox", "Outbox", "msgfolderroot", false),
    ("sentitems", "Sent Items", "msgfolderroot", false),
    ("clutter", "Clutter", "msgfolderroot", true),
    ("scheduled", "Scheduled", "msgfolderroot", true),
    ("searchfolders", "Finder", "", true),
    (
        "recoverableitemsdeletions",
        "Deletions",
        "recoverableitemsroot",
        true,
    ),
];

/// Names that may be asked for without being there in every mailbox.
const OTHER_NAMES: [&str; 5] = [
    "conflicts",
    "localfailures",
    "serverfailures",
    "syncissues",
    "recoverableitemspurges",
];

impl Mailbox {
    pub(super) fn make_system_folders(&mut self) {
        for (well_known, name, parent, hidden) in SYSTEM {
            let parent = self.well_known(parent);
            let key = self.new_folder(name, parent, 0);
            if let Some(folder) = self.folders.get_mut(&key) {
                folder.well_known = Some(well_known);
                folder.hidden = *hidden;
            }
        }
    }

    pub fn well_known(&self, name: &str) -> Option<FolderKey> {
        self.folders
            .values()
            .find(|folder| folder.well_known == Some(name))
            .map(|folder| folder.key)
    }

    /// The root of what the user sees.
    pub fn root(&self) -> FolderKey {
        self.well_known("msgfolderroot").unwrap_or_default()
    }

    /// The folder with this id or well-known name.
    pub fn folder(&self, id: &str) -> Result<&Folder, ApiError> {
        let by_id = self.folders.values().find(|folder| folder.id == id);
        let named = by_id.or_else(|| {
            let name = id.to_lowercase();
            self.folders
                .values()
                .find(|folder| folder.well_known == Some(name.as_str()))
        });
        match named {
            Some(folder) => Ok(folder),
            None if OTHER_NAMES.contains(&id.to_lowercase().as_str()) => Err(ApiError::refused(
                404,
                "ErrorFolderNotFound",
                "The specified folder could not be found in the store.",
            )),
            None if !crate::validate::looks_like_id(id) => Err(ApiError::malformed_id()),
            None => Err(ApiError::not_found()),
        }
    }

    /// The folders right under one, in the order of their names.
    pub fn children(&self, parent: FolderKey) -> Vec<&Folder> {
        let mut children: Vec<&Folder> = self
            .folders
            .values()
            .filter(|folder| folder.parent == Some(parent))
            .collect();
        children.sort_by_key(|folder| (folder.name.to_lowercase(), folder.key));
        children
    }

    /// Whether a folder is in the tree that the user sees.
    pub fn in_tree(&self, key: FolderKey) -> bool {
        self.is_under(key, self.root())
    }

    /// Whether a folder is below another, however deep; a folder is not below itself.
    pub fn is_under(&self, key: FolderKey, above: FolderKey) -> bool {
        let mut at = self.folders.get(&key).and_then(|folder| folder.parent);
        while let Some(parent) = at {
            if parent == above {
                return true;
            }
            at = self.folders.get(&parent).and_then(|folder| folder.parent);
        }
        false
    }

    fn new_folder(&mut self, name: &str, parent: Option<FolderKey>, now_ms: i64) -> FolderKey {
        self.last_folder += 1;
        let key = self.last_folder;
        let folder = Folder {
            key,
            id: self.ids.folder(),
            name: name.to_owned(),
            parent,
            well_known: None,
            hidden: false,
            search: None,
            version: 0,
        };
        self.folders.insert(key, folder);
        self.log_folder(key, false, now_ms);
        key
    }

    fn log_folder(&mut self, key: FolderKey, counts: bool, now_ms: i64) {
        // A count changes with the message that makes it change.
        let seq = if counts {
            self.log.seq
        } else {
            self.log.next(now_ms)
        };
        let Some(folder) = self.folders.get_mut(&key) else {
            return;
        };
        if !counts {
            folder.version = seq;
        }
        let change = FolderChange {
            seq,
            key,
            id: folder.id.clone(),
            removed: false,
            counts,
        };
        self.log.folder(change);
    }

    pub(super) fn log_counts(&mut self, key: FolderKey) {
        self.log_folder(key, true, 0);
    }

    /// Whether a name is taken under a parent.
    pub fn check_name(
        &self,
        name: &str,
        parent: FolderKey,
        except: Option<FolderKey>,
    ) -> Result<(), ApiError> {
        if name.is_empty() || name.chars().count() > 255 {
            return Err(ApiError::wrong(
                400,
                "ErrorInvalidParameter",
                "The folder name is empty or too long.",
            ));
        }
        let taken = self.folders.values().any(|folder| {
            folder.parent == Some(parent)
                && Some(folder.key) != except
                && folder.name.to_lowercase() == name.to_lowercase()
        });
        if taken {
            return Err(ApiError::refused(
                409,
                "ErrorFolderExists",
                "A folder with the specified name already exists.",
            ));
        }
        Ok(())
    }

    pub fn create_folder(
        &mut self,
        name: &str,
        parent: FolderKey,
        hidden: bool,
        now_ms: i64,
    ) -> Result<FolderKey, ApiError> {
        self.check_name(name, parent, None)?;
        let key = self.new_folder(name, Some(parent), now_ms);
        if let Some(folder) = self.folders.get_mut(&key) {
            folder.hidden = hidden;
        }
        Ok(key)
    }

    pub fn rename_folder(
        &mut self,
        key: FolderKey,
        name: &str,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        let parent = self.folders.get(&key).and_then(|folder| folder.parent);
        self.check_name(name, parent.unwrap_or_default(), Some(key))?;
        if let Some(folder) = self.folders.get_mut(&key) {
            name.clone_into(&mut folder.name);
        }
        self.log_folder(key, false, now_ms);
        Ok(())
    }

    pub fn set_search(&mut self, key: FolderKey, search: Search, now_ms: i64) {
        if let Some(folder) = self.folders.get_mut(&key) {
            folder.search = Some(search);
        }
        self.log_folder(key, false, now_ms);
    }

    /// Moves a folder with all that is in it.
    pub fn move_folder(
        &mut self,
        key: FolderKey,
        parent: FolderKey,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        self.protect(key)?;
        if key == parent || self.is_under(parent, key) {
            return Err(ApiError::wrong(
                400,
                "ErrorMoveCopyFailed",
                "A folder cannot go into itself.",
            ));
        }
        let name = self
            .folders
            .get(&key)
            .map(|folder| folder.name.clone())
            .unwrap_or_default();
        self.check_name(&name, parent, Some(key))?;
        if let Some(folder) = self.folders.get_mut(&key) {
            folder.parent = Some(parent);
        }
        self.log_folder(key, false, now_ms);
        Ok(())
    }

    fn protect(&self, key: FolderKey) -> Result<(), ApiError> {
        match self.folders.get(&key).and_then(|folder| folder.well_known) {
            Some(_) => Err(ApiError::wrong(
                403,
                "ErrorDeleteDistinguishedFolder",
                "Distinguished folders cannot be deleted.",
            )),
            None => Ok(()),
        }
    }

    /// Deletes a folder of the user's own.
    pub fn delete_folder(
        &mut self,
        key: FolderKey,
        manner: DeletedFolders,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        self.protect(key)?;
        let bin = self.well_known("deleteditems").unwrap_or_default();
        if manner == DeletedFolders::Moved && !self.is_under(key, bin) {
            let mut name = self
                .folders
                .get(&key)
                .map(|folder| folder.name.clone())
                .unwrap_or_default();
            while self.check_name(&name, bin, None).is_err() {
                name.push('1');
            }
            if let Some(folder) = self.folders.get_mut(&key) {
                folder.parent = Some(bin);
                folder.name = name;
            }
            self.log_folder(key, false, now_ms);
            return Ok(());
        }
        self.end_folder(key, now_ms);
        Ok(())
    }

    fn end_folder(&mut self, key: FolderKey, now_ms: i64) {
        let children: Vec<FolderKey> = self.children(key).iter().map(|folder| folder.key).collect();
        for child in children {
            self.end_folder(child, now_ms);
        }
        let numbers: Vec<u64> = self.in_folder(key).map(|stored| stored.number).collect();
        for number in numbers {
            self.purge(number, now_ms);
        }
        if let Some(folder) = self.folders.remove(&key) {
            let seq = self.log.next(now_ms);
            self.log.folder(FolderChange {
                seq,
                key,
                id: folder.id,
                removed: true,
                counts: false,
            });
        }
    }
}
