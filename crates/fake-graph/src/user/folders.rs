//! Folders, and what becomes of them.

use super::{User, key};
use crate::mailbox::{FolderKey, Mailbox, Search};
use crate::settings::DeletedFolders;

/// A folder as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueFolder {
    /// Its id, which it keeps.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// The parent's id; none for the roots.
    pub parent: Option<String>,
    /// The name that can stand for the id.
    pub well_known: Option<String>,
    /// Not listed unless asked for.
    pub hidden: bool,
    /// It shows what a search finds.
    pub search: bool,
    /// Messages in it.
    pub total: usize,
    /// Messages in it that were not read.
    pub unread: usize,
}

impl User {
    fn change_folder(
        &self,
        id: &str,
        act: impl FnOnce(&mut Mailbox, FolderKey, i64) -> bool,
    ) -> bool {
        self.with(|mailbox, now_ms| match key(mailbox, id) {
            Some(key) => act(mailbox, key, now_ms),
            None => false,
        })
    }

    /// Makes a folder under another, or at the top, and gives its id; none where the name is taken.
    #[must_use]
    pub fn create_folder(&self, name: &str, parent: Option<&str>) -> Option<String> {
        self.make_folder(name, parent, false)
    }

    /// The same, not listed unless asked for.
    #[must_use]
    pub fn create_hidden_folder(&self, name: &str, parent: Option<&str>) -> Option<String> {
        self.make_folder(name, parent, true)
    }

    fn make_folder(&self, name: &str, parent: Option<&str>, hidden: bool) -> Option<String> {
        self.with(|mailbox, now_ms| {
            let parent = key(mailbox, parent.unwrap_or("msgfolderroot"))?;
            let made = mailbox.create_folder(name, parent, hidden, now_ms).ok()?;
            mailbox.folders.get(&made).map(|folder| folder.id.clone())
        })
    }

    /// Makes a search folder at the top that shows the messages of the inbox that match a `$filter`, and gives its id.
    #[must_use]
    pub fn create_search_folder(&self, name: &str, filter: &str) -> Option<String> {
        let id = self.make_folder(name, None, false)?;
        self.with(|mailbox, now_ms| {
            let made = key(mailbox, &id)?;
            let inbox = mailbox.folder("inbox").ok()?.id.clone();
            let search = Search {
                filter: filter.to_owned(),
                nested: true,
                sources: vec![inbox],
            };
            mailbox.set_search(made, search, now_ms);
            Some(id)
        })
    }

    /// Renames a folder, a well-known one too: its name is of the user's language. False where that cannot be.
    pub fn rename_folder(&self, folder: &str, name: &str) -> bool {
        self.change_folder(folder, |mailbox, key, now_ms| {
            mailbox.rename_folder(key, name, now_ms).is_ok()
        })
    }

    /// Moves a folder with all that is in it; false where that cannot be.
    pub fn move_folder(&self, folder: &str, parent: &str) -> bool {
        self.change_folder(folder, |mailbox, moved, now_ms| {
            key(mailbox, parent)
                .is_some_and(|parent| mailbox.move_folder(moved, parent, now_ms).is_ok())
        })
    }

    /// Deletes a folder as the user does: into Deleted Items, or from there for ever; false where that cannot be.
    pub fn delete_folder(&self, folder: &str) -> bool {
        let manner = self.inner.world().settings.deleted_folders;
        self.change_folder(folder, |mailbox, key, now_ms| {
            mailbox.delete_folder(key, manner, now_ms).is_ok()
        })
    }

    /// Deletes a folder and all that is in it for ever; false where that cannot be.
    pub fn delete_folder_permanently(&self, folder: &str) -> bool {
        self.change_folder(folder, |mailbox, key, now_ms| {
            mailbox
                .delete_folder(key, DeletedFolders::Gone, now_ms)
                .is_ok()
        })
    }

    /// The id of a folder that goes by this id or well-known name.
    #[must_use]
    pub fn folder_id(&self, folder: &str) -> Option<String> {
        self.with(|mailbox, _| mailbox.folder(folder).ok().map(|folder| folder.id.clone()))
    }

    /// All folders that the user sees, hidden ones among them, but not the root.
    #[must_use]
    pub fn folders(&self) -> Vec<TrueFolder> {
        self.with(|mailbox, _| {
            mailbox
                .folders
                .values()
                .filter(|folder| mailbox.in_tree(folder.key))
                .map(|folder| TrueFolder {
                    id: folder.id.clone(),
                    name: folder.name.clone(),
                    parent: folder
                        .parent
                        .and_then(|parent| Some(mailbox.folders.get(&parent)?.id.clone())),
                    well_known: folder.well_known.map(str::to_owned),
                    hidden: folder.hidden,
                    search: folder.search.is_some(),
                    total: mailbox.total(folder.key),
                    unread: mailbox.unread(folder.key),
                })
                .collect()
        })
    }
}
