//! Folders: <https://learn.microsoft.com/graph/api/resources/mailfolder>.
//!
//! What a folder is for is told by well-known names that stand for ids; the names that are shown are of the user's
//! language. Search folders show what is elsewhere; hidden folders hold what is no mail, such as chats.

use std::collections::{HashMap, HashSet};

use email_model::{FolderKey, FolderKind, FolderRole};
use email_provider::{Call, ErrorKind, Folder, NewFolder, ProviderError, ProviderResult};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    address::Address,
    api::{Api, MOST_PARTS, Prefer},
    error,
    ids::FolderId,
    mailbox::Mailbox,
    names, wanted,
    wire::{MailFolder, Page},
};

/// Roles, and the names that stand for their folders' ids.
const WELL_KNOWN: [(FolderRole, &str); 6] = [
    (FolderRole::Inbox, "inbox"),
    (FolderRole::Sent, "sentitems"),
    (FolderRole::Drafts, "drafts"),
    (FolderRole::Trash, "deleteditems"),
    (FolderRole::Junk, "junkemail"),
    (FolderRole::Archive, "archive"),
];
/// Most folders that a mailbox may have.
const MOST_FOLDERS: usize = 20_000;
/// Most pages of a list of folders.
const MOST_PAGES: usize = 100;
/// Deepest nesting that is followed.
const MOST_LEVELS: usize = 300;

/// The folders that have a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Roles(Vec<(FolderRole, String)>);

impl Roles {
    /// Asks for them. A mailbox need not have all.
    pub(crate) async fn of(api: &Api, call: Call) -> ProviderResult<Self> {
        let asked: Vec<(FolderRole, FolderId)> = WELL_KNOWN
            .into_iter()
            .filter_map(|(role, name)| Some((role, FolderId::parse(name)?)))
            .collect();
        let parts: Vec<(Address, Prefer)> = asked
            .iter()
            .map(|(_, name)| names::folder(name).with("$select", "id"))
            .map(|address| (address, Prefer::default()))
            .collect();
        let mut roles = Self::default();
        for ((role, name), answer) in asked.into_iter().zip(api.batch(call, &parts).await?) {
            let answer = answer.parsed::<MailFolder>();
            let answer = match answer.map_err(|failure| api.part_failed(failure)) {
                // A part alone may be throttled or fail for the moment.
                Err(error) if error.is_transient() => {
                    let address = names::folder(&name).with("$select", "id");
                    api.read(call, address, Prefer::default()).await
                }
                answer => answer,
            };
            match answer {
                Ok(folder) => roles.0.push((role, folder.id)),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        match roles.get(FolderRole::Inbox) {
            Some(_) => Ok(roles),
            None => Err(ProviderError::new(
                ErrorKind::Forbidden,
                "the user has no mailbox that the API can reach",
            )),
        }
    }

    /// The folder of a role.
    pub(crate) fn get(&self, role: FolderRole) -> Option<FolderId> {
        let (_, id) = self.0.iter().find(|(had, _)| *had == role)?;
        FolderId::parse(id)
    }

    /// Those that are had.
    pub(crate) fn all(&self) -> Vec<FolderRole> {
        let usable = self
            .0
            .iter()
            .filter(|(_, id)| FolderId::parse(id).is_some());
        usable.map(|(role, _)| *role).collect()
    }

    fn of_folder(&self, id: &FolderId) -> Option<FolderRole> {
        let (role, _) = self.0.iter().find(|(_, had)| had == id.as_str())?;
        Some(*role)
    }
}

/// The folders at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct FolderTable {
    /// As the gateway is told.
    pub folders: Vec<Folder>,
    /// How many items are in each.
    counts: HashMap<String, u64>,
}

impl FolderTable {
    fn new(found: Vec<MailFolder>, roles: &Roles) -> Self {
        let found: HashMap<FolderId, MailFolder> = found
            .into_iter()
            .filter_map(|folder| Some((FolderId::parse(&folder.id)?, folder)))
            .collect();
        let parent = |folder: &MailFolder| {
            let parent = FolderId::parse(folder.parent_folder_id.as_deref()?)?;
            found.contains_key(&parent).then_some(parent)
        };
        let mut table = Self::default();
        for (id, folder) in &found {
            // The way up, which a broken answer could make a circle.
            let mut path = vec![name(folder)];
            let (mut above, mut seen) = (parent(folder), HashSet::from([id.clone()]));
            while let Some(id) = above.filter(|id| seen.insert(id.clone())) {
                path.push(name(&found[&id]));
                above = parent(&found[&id]);
            }
            path.reverse();
            table.folders.push(Folder {
                key: id.key(),
                name: name(folder),
                full_name: path.join("/"),
                parent: parent(folder).map(|parent| parent.key()),
                role: roles.of_folder(id),
                kind: FolderKind::Folder,
                selectable: true,
            });
            if let Some(count) = folder.total_item_count {
                table.counts.insert(folder.id.clone(), count);
            }
        }
        table
            .folders
            .sort_by(|a, b| (&a.full_name, &a.key).cmp(&(&b.full_name, &b.key)));
        table
    }

    /// Whether there is such a folder.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.folders.iter().any(|folder| folder.key.0 == key)
    }

    /// Items in a folder, where told.
    pub(crate) fn count(&self, key: &FolderKey) -> Option<u64> {
        self.counts.get(&key.0).copied()
    }
}

/// What a folder is called, on one line.
fn name(folder: &MailFolder) -> String {
    let shown = folder.display_name.as_deref().unwrap_or_default();
    let shown: String = shown
        .chars()
        .filter(|c| !c.is_control())
        .take(255)
        .collect();
    match shown.is_empty() {
        true => "?".to_owned(),
        false => shown,
    }
}

/// A folder that mail is in.
fn is_place(folder: &MailFolder) -> bool {
    let is_search = folder
        .kind
        .as_deref()
        .is_some_and(|kind| kind.ends_with("mailSearchFolder"));
    !is_search && folder.is_hidden != Some(true)
}

impl Mailbox {
    /// The folders as they are now: a complete listing, level by level. The feed of folders would be cheaper, but it may be
    /// behind, and what a survey does not name does not exist.
    pub(crate) async fn folders_now(
        &self,
        call: Call,
    ) -> ProviderResult<std::sync::Arc<FolderTable>> {
        let mut found = Vec::new();
        let mut level = self.folder_list(call, top(names::folders())).await?;
        for _ in 0..MOST_LEVELS {
            level.retain(is_place);
            let parents = level
                .iter()
                .filter(|folder| folder.child_folder_count != Some(0));
            let parents: Vec<FolderId> = parents
                .filter_map(|folder| FolderId::parse(&folder.id))
                .collect();
            found.append(&mut level);
            if parents.is_empty() {
                break;
            }
            if found.len() > MOST_FOLDERS {
                return Err(too_many());
            }
            for parents in parents.chunks(MOST_PARTS) {
                level.append(&mut self.children(call, parents).await?);
            }
        }
        let table = FolderTable::new(found, &self.roles());
        Ok(self.keep_folders(table))
    }

    /// The folders in these folders.
    async fn children(&self, call: Call, parents: &[FolderId]) -> ProviderResult<Vec<MailFolder>> {
        let parts: Vec<(Address, Prefer)> = parents
            .iter()
            .map(|parent| (top(names::child_folders(parent)), page_size()))
            .collect();
        let mut found = Vec::new();
        for (answer, (address, _)) in self.api.batch(call, &parts).await?.into_iter().zip(&parts) {
            let answer = answer.parsed::<Page<MailFolder>>();
            match answer.map_err(|failure| self.api.part_failed(failure)) {
                Ok(page) => {
                    found.extend(page.value);
                    if let Some(next) = page.next_link {
                        let next = self.api.link(&next)?;
                        found.append(&mut self.folder_list(call, next).await?);
                    }
                }
                // It went meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) if error.is_transient() => {
                    found.append(&mut self.folder_list(call, address.clone()).await?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// All pages of a list of folders.
    async fn folder_list(&self, call: Call, first: Address) -> ProviderResult<Vec<MailFolder>> {
        let (mut found, mut next) = (Vec::new(), Some(first));
        for _ in 0..MOST_PAGES {
            let Some(address) = next else {
                return Ok(found);
            };
            let page: Page<MailFolder> = match self.api.read(call, address, page_size()).await {
                Err(error) if error.kind == ErrorKind::NotFound && found.is_empty() => {
                    return Ok(found);
                }
                page => page?,
            };
            found.extend(page.value);
            next = page
                .next_link
                .map(|link| self.api.link(&link))
                .transpose()?;
        }
        Err(too_many())
    }
}

fn too_many() -> ProviderError {
    ProviderError::new(ErrorKind::Unexpected, "too many folders")
}

fn page_size() -> Prefer {
    Prefer::page(250)
}

fn top(folders: Address) -> Address {
    folders.with("$select", wanted::FOLDER).with("$top", "250")
}

/// Makes a folder.
pub(crate) async fn create(
    mailbox: &Mailbox,
    call: Call,
    folder: &NewFolder,
) -> ProviderResult<Folder> {
    let (address, above) = match &folder.parent {
        None => (names::folders(), None),
        Some(key) => {
            let table = mailbox.folders_now(call).await?;
            let above = table.folders.iter().find(|listed| listed.key == *key);
            let above = above.ok_or_else(error::no_folder)?.clone();
            (names::child_folders(&FolderId::of_key(key)?), Some(above))
        }
    };
    let body = json!({"displayName": folder.name});
    let made: MailFolder = mailbox.api.make(call, address, &body).await?;
    let id = FolderId::parse(&made.id).ok_or_else(error::unreadable)?;
    let full_name = match &above {
        Some(above) => format!("{}/{}", above.full_name, name(&made)),
        None => name(&made),
    };
    Ok(Folder {
        key: id.key(),
        name: name(&made),
        full_name,
        parent: above.map(|above| above.key),
        role: None,
        kind: FolderKind::Folder,
        selectable: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, name: &str, parent: &str) -> MailFolder {
        MailFolder {
            id: id.into(),
            display_name: Some(name.into()),
            parent_folder_id: Some(parent.into()),
            ..MailFolder::default()
        }
    }

    #[test]
    fn paths_lead_from_the_top_and_roles_are_those_of_ids() {
        let roles = Roles(vec![(FolderRole::Inbox, "I".into())]);
        let found = vec![
            folder("B", "Straße", "A"),
            folder("A", "Büro", "root"),
            folder("I", "Posteingang", "root"),
            folder("../x", "odd", "root"),
        ];
        let table = FolderTable::new(found, &roles);
        let shown: Vec<_> = table
            .folders
            .iter()
            .map(|folder| {
                (
                    folder.full_name.as_str(),
                    folder.role,
                    folder.parent.clone(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("Büro", None, None),
                ("Büro/Straße", None, Some(FolderKey("A".into()))),
                ("Posteingang", Some(FolderRole::Inbox), None),
            ]
        );
    }

    #[test]
    fn a_circle_of_folders_ends() {
        let found = vec![
            folder("A", "a", "B"),
            folder("B", "b", "A"),
            folder("C", "c", "C"),
        ];
        let table = FolderTable::new(found, &Roles::default());
        assert_eq!(table.folders.len(), 3);
    }

    #[test]
    fn hidden_folders_and_searches_are_no_places() {
        let mut hidden = folder("A", "a", "root");
        hidden.is_hidden = Some(true);
        let mut search = folder("B", "b", "root");
        search.kind = Some("#microsoft.graph.mailSearchFolder".into());
        assert!(!is_place(&hidden) && !is_place(&search));
        assert!(is_place(&folder("C", "c", "root")));
    }
}
