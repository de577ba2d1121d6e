use email_model::{FolderKey, FolderKind, FolderRole};
use email_provider::{Folder, ProviderResult, ScopeKey};

use super::{FolderRecord, Scope, State};
use crate::error;

impl State {
    /// Most folders of a mailbox.
    const MOST_FOLDERS: usize = 10_000;

    pub(crate) fn role(&self, role: FolderRole) -> Option<FolderKey> {
        let found = self
            .folders
            .iter()
            .find(|(_, folder)| folder.role == Some(role));
        found.map(|(key, _)| key.clone())
    }

    pub(crate) fn has_role(&self, folder: &FolderKey, role: FolderRole) -> bool {
        self.folders
            .get(folder)
            .is_some_and(|record| record.role == Some(role))
    }

    /// Path of a folder, elements joined by `/`.
    pub(crate) fn full_name(&self, key: &FolderKey) -> String {
        match self.folders.get(key) {
            Some(FolderRecord {
                name,
                parent: Some(parent),
                ..
            }) => {
                format!("{}/{name}", self.full_name(parent))
            }
            Some(FolderRecord {
                name, parent: None, ..
            }) => name.clone(),
            None => key.0.clone(),
        }
    }

    pub(crate) fn folder(&self, key: &FolderKey) -> ProviderResult<Folder> {
        let record = self.folders.get(key).ok_or_else(error::no_folder)?;
        Ok(Folder {
            key: key.clone(),
            name: record.name.clone(),
            full_name: self.full_name(key),
            parent: record.parent.clone(),
            role: record.role,
            kind: if self.shape.labels {
                FolderKind::Label
            } else {
                FolderKind::Folder
            },
            selectable: true,
        })
    }

    /// Makes a folder. Keys are names where keys of messages are numbers, as on IMAP.
    pub(crate) fn create_folder(
        &mut self,
        name: &str,
        parent: Option<&FolderKey>,
    ) -> ProviderResult<FolderKey> {
        if name.is_empty()
            || name.len() > 255
            || name.contains('/')
            || name.contains(char::is_control)
        {
            return Err(error::invalid("not a folder name"));
        }
        if parent.is_some_and(|parent| !self.folders.contains_key(parent)) {
            return Err(error::no_folder());
        }
        let taken = |folder: &FolderRecord| folder.name == name && folder.parent.as_ref() == parent;
        if self.folders.values().any(taken) {
            return Err(error::exists());
        }
        if self.folders.len() >= Self::MOST_FOLDERS {
            return Err(error::invalid("too many folders"));
        }
        Ok(self.insert_folder(name, parent, None))
    }

    pub(super) fn insert_folder(
        &mut self,
        name: &str,
        parent: Option<&FolderKey>,
        role: Option<FolderRole>,
    ) -> FolderKey {
        let number = self.next_number;
        self.next_number += 1;
        let key = match (self.shape.native_identity, parent) {
            (true, _) => FolderKey(format!("folder-{}-{number}", self.epoch)),
            (false, Some(parent)) => FolderKey(format!("{parent}/{name}")),
            (false, None) => FolderKey(name.to_owned()),
        };
        let record = FolderRecord {
            name: name.to_owned(),
            parent: parent.cloned(),
            role,
        };
        self.folders.insert(key.clone(), record);
        // A folder made again under its old name is another one: its epoch differs.
        let epoch = self.epoch + number;
        let scope = self.scope_of(&key);
        self.scopes
            .entry(scope)
            .or_insert_with(|| Scope::new(epoch));
        key
    }

    /// Deletes a folder, the folders below it and what is in them. A label only leaves its messages.
    pub(crate) fn delete_folder(&mut self, key: &FolderKey) -> ProviderResult<()> {
        self.folders.remove(key).ok_or_else(error::no_folder)?;
        let below = |folder: &FolderRecord| folder.parent.as_ref() == Some(key);
        let below: Vec<_> = self
            .folders
            .iter()
            .filter(|(_, folder)| below(folder))
            .map(|(key, _)| key.clone())
            .collect();
        for child in below {
            self.delete_folder(&child)?;
        }
        if !self.shape.labels {
            self.scopes.remove(&self.scope_of(key));
            return Ok(());
        }
        for scope in self.scopes.values_mut() {
            let mut labelled: Vec<_> = scope.records.values().cloned().collect();
            labelled.retain(|record| record.folders.contains(key));
            for mut record in labelled {
                record.folders.remove(key);
                scope.put(record);
            }
        }
        Ok(())
    }

    /// Gives a folder another name. Where keys are names, it and all below get new keys, and the
    /// scopes keep their epoch under new keys.
    pub(crate) fn rename_folder(
        &mut self,
        key: &FolderKey,
        name: &str,
    ) -> ProviderResult<FolderKey> {
        let record = self.folders.get_mut(key).ok_or_else(error::no_folder)?;
        record.name = name.to_owned();
        if self.shape.native_identity {
            return Ok(key.clone());
        }
        let renamed = match record.parent.clone() {
            Some(parent) => FolderKey(format!("{parent}/{name}")),
            None => FolderKey(name.to_owned()),
        };
        if self.folders.contains_key(&renamed) {
            return Err(error::exists());
        }
        self.rekey(key, &renamed);
        Ok(renamed)
    }

    fn rekey(&mut self, old: &FolderKey, new: &FolderKey) {
        if let Some(record) = self.folders.remove(old) {
            self.folders.insert(new.clone(), record);
        }
        if let Some(mut scope) = self.scopes.remove(&ScopeKey(old.0.clone())) {
            for record in scope.records.values_mut() {
                record.folders = [new.clone()].into();
            }
            self.scopes.insert(ScopeKey(new.0.clone()), scope);
        }
        let below: Vec<_> = self
            .folders
            .iter()
            .filter(|(_, folder)| folder.parent.as_ref() == Some(old))
            .map(|(key, folder)| (key.clone(), FolderKey(format!("{new}/{}", folder.name))))
            .collect();
        for (old_child, new_child) in below {
            if let Some(child) = self.folders.get_mut(&old_child) {
                child.parent = Some(new.clone());
            }
            self.rekey(&old_child, &new_child);
        }
    }
}
