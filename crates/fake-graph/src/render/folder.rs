//! Folders.

use serde_json::{Map, Value, json};

use crate::encoding::change_key;
use crate::mailbox::{Folder, Mailbox};
use crate::odata::{Expand, Select, Source};

/// A folder as a request sees it.
pub(crate) struct FolderView<'a> {
    pub mailbox: &'a Mailbox,
    pub folder: &'a Folder,
}

/// `slim`: without what a search or a count must find.
pub(crate) fn folder_json(
    view: &FolderView<'_>,
    select: &Select,
    expand: &Expand,
    slim: bool,
) -> Value {
    let mut value = Map::new();
    let folder = view.folder;
    if folder.search.is_some() {
        value.insert(
            "@odata.type".to_owned(),
            json!("#microsoft.graph.mailSearchFolder"),
        );
    }
    value.insert(
        "@odata.etag".to_owned(),
        json!(format!("W/\"{}\"", change_key(folder.version))),
    );
    value.insert("id".to_owned(), json!(folder.id));
    let mut names = vec!["displayName", "parentFolderId"];
    if !slim {
        names.extend([
            "childFolderCount",
            "unreadItemCount",
            "totalItemCount",
            "isHidden",
        ]);
    }
    if folder.search.is_some() && !slim {
        names.extend([
            "isSupported",
            "includeNestedFolders",
            "sourceFolderIds",
            "filterQuery",
        ]);
    }
    for name in names.into_iter().filter(|name| select.wants(name)) {
        value.insert(name.to_owned(), view.property(name));
    }
    if expand.child_folders {
        let children: Vec<Value> = view
            .mailbox
            .children(folder.key)
            .into_iter()
            .filter(|child| !child.hidden)
            .map(|child| {
                let inner = FolderView {
                    mailbox: view.mailbox,
                    folder: child,
                };
                folder_json(&inner, &Select::default(), &Expand::default(), false)
            })
            .collect();
        value.insert("childFolders".to_owned(), json!(children));
    }
    Value::Object(value)
}

impl Source for FolderView<'_> {
    fn property(&self, name: &str) -> Value {
        let (mailbox, folder) = (self.mailbox, self.folder);
        match name {
            "id" => json!(folder.id),
            "displayName" => json!(folder.name),
            "parentFolderId" => json!(
                folder
                    .parent
                    .and_then(|parent| mailbox.folders.get(&parent))
                    .map(|parent| &parent.id)
            ),
            "childFolderCount" => {
                let children = mailbox.children(folder.key);
                json!(children.iter().filter(|child| !child.hidden).count())
            }
            "unreadItemCount" => json!(mailbox.unread(folder.key)),
            "totalItemCount" => json!(mailbox.total(folder.key)),
            "isHidden" => json!(folder.hidden),
            "isSupported" => json!(true),
            "includeNestedFolders" => json!(folder.search.as_ref().map(|search| search.nested)),
            "sourceFolderIds" => json!(folder.search.as_ref().map(|search| &search.sources)),
            "filterQuery" => json!(folder.search.as_ref().map(|search| &search.filter)),
            _ => Value::Null,
        }
    }
}
