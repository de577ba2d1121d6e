//! The folders and scopes of a journal, as this process last saw them.

use std::collections::{BTreeMap, HashMap};

use email_model::{FolderId, FolderKey, FolderKind, FolderRole, ScopeKey};
use email_provider::{Folder, MessageRef};
use gateway_store::{FolderRow, ScopeNumber, ScopeRow};

use super::{Place, identity::folder_id};

/// Folders and scopes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    pub folders: Vec<FolderRow>,
    pub scopes: BTreeMap<ScopeNumber, ScopeRow>,
    by_scope_key: HashMap<ScopeKey, ScopeNumber>,
}

impl Directory {
    pub fn new(folders: Vec<FolderRow>, scopes: Vec<ScopeRow>) -> Self {
        let by_scope_key = scopes
            .iter()
            .map(|row| (row.key.clone(), row.number))
            .collect();
        let scopes = scopes.into_iter().map(|row| (row.number, row)).collect();
        Self {
            folders,
            scopes,
            by_scope_key,
        }
    }

    pub fn scope_by_key(&self, key: &ScopeKey) -> Option<&ScopeRow> {
        self.by_scope_key
            .get(key)
            .and_then(|number| self.scopes.get(number))
    }

    /// The provider's reference of a place.
    pub fn reference(&self, place: &Place) -> Option<MessageRef> {
        let scope = self.scopes.get(&place.0)?;
        Some(MessageRef {
            scope: scope.key.clone(),
            key: place.1.clone(),
        })
    }

    pub fn put_scope(&mut self, row: ScopeRow) {
        self.by_scope_key.insert(row.key.clone(), row.number);
        self.scopes.insert(row.number, row);
    }

    pub fn folder(&self, id: FolderId) -> Option<&FolderRow> {
        self.folders.iter().find(|row| row.id == id)
    }

    pub fn folder_by_key(&self, key: &FolderKey) -> Option<&FolderRow> {
        self.folders.iter().find(|row| row.key == *key)
    }

    pub fn folder_by_role(&self, role: FolderRole) -> Option<&FolderRow> {
        self.folders.iter().find(|row| row.role == Some(role))
    }

    pub fn roles_of(&self, folders: &[FolderId]) -> Vec<FolderRole> {
        let mut roles: Vec<_> = folders
            .iter()
            .filter_map(|id| self.folder(*id)?.role)
            .collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

/// What a backend's folders are as rows.
pub(crate) fn folder_rows(mailbox: &str, folders: &[Folder]) -> Vec<FolderRow> {
    folders
        .iter()
        .map(|folder| FolderRow {
            id: folder_id(mailbox, &folder.key),
            key: folder.key.clone(),
            name: folder.name.clone(),
            full_name: folder.full_name.clone(),
            parent: folder.parent.as_ref().map(|key| folder_id(mailbox, key)),
            role: folder.role,
            kind: folder.kind,
            selectable: folder.selectable,
        })
        .collect()
}

/// Whether a label of the user's got another name: labels are keywords of messages.
pub(crate) fn has_renamed_label(old: &[FolderRow], new: &[FolderRow]) -> bool {
    let old: HashMap<_, _> = old.iter().map(|row| (&row.key, &row.full_name)).collect();
    let is_own = |row: &&FolderRow| row.kind == FolderKind::Label && row.role.is_none();
    new.iter().filter(is_own).any(|row| {
        let name = old.get(&row.key);
        name.is_some_and(|name| **name != row.full_name)
    })
}
