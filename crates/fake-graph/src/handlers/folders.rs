//! `mailFolders`, one at a time.

use serde_json::Value;

use super::{Request, mailbox, mailbox_mut};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::mailbox::{FolderKey, Search};
use crate::render::{FolderView, folder_json};
use crate::settings::DeletedFolders;
use crate::world::World;

pub(super) fn run(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let now_ms = request.now_ms;
    let manner = world.settings.deleted_folders;
    let key = match request.method.id {
        "mailFolders.create" => {
            let root = mailbox(world, request)?.root();
            create(world, request, root)?
        }
        "mailFolders.childFolders.create" => {
            let parent = request.folder(mailbox(world, request)?)?;
            create(world, request, parent)?
        }
        id => {
            let key = request.folder(mailbox(world, request)?)?;
            if id == "mailFolders.update" {
                update(world, request, key)?;
            }
            let mailbox = mailbox_mut(world, request)?;
            match id {
                "mailFolders.delete" => {
                    mailbox.delete_folder(key, manner, now_ms)?;
                    return Ok(Answer::empty(204));
                }
                "mailFolders.permanentDelete" => {
                    mailbox.delete_folder(key, DeletedFolders::Gone, now_ms)?;
                    return Ok(Answer::empty(204));
                }
                "mailFolders.move" => {
                    let to = mailbox.folder(destination(request)?)?.key;
                    mailbox.move_folder(key, to, now_ms)?;
                }
                "mailFolders.copy" => {
                    return Err(ApiError::wrong(
                        501,
                        "NotImplemented",
                        "This server copies no folders.",
                    ));
                }
                _ => {}
            }
            key
        }
    };
    show(world, request, key)
}

fn destination(request: &Request) -> Result<&str, ApiError> {
    request
        .text("destinationId")
        .ok_or_else(|| ApiError::wrong(400, "ErrorInvalidRequest", "destinationId is required."))
}

fn show(world: &World, request: &Request, key: FolderKey) -> Result<Answer, ApiError> {
    let mailbox = mailbox(world, request)?;
    let folder = mailbox.folders.get(&key).ok_or_else(ApiError::not_found)?;
    let view = FolderView { mailbox, folder };
    let mut value = folder_json(&view, &request.query.select, &request.query.expand, false);
    value["@odata.context"] = request.context("users('me')/mailFolders/$entity");
    Ok(Answer::json(request.method.status, &value))
}

/// What a client may set, besides what search folders have.
const WRITEABLE: [&str; 2] = ["displayName", "isHidden"];

fn check(request: &Request, create: bool) -> Result<bool, ApiError> {
    let fields = request.body.as_object().cloned().unwrap_or_default();
    let search = fields.get("@odata.type").and_then(Value::as_str)
        == Some("microsoft.graph.mailSearchFolder")
        || fields.get("@odata.type").and_then(Value::as_str)
            == Some("#microsoft.graph.mailSearchFolder");
    for key in fields.keys().filter(|key| !key.starts_with('@')) {
        let plain = WRITEABLE.contains(&key.as_str()) && (create || key != "isHidden");
        let of_search = matches!(
            key.as_str(),
            "includeNestedFolders" | "sourceFolderIds" | "filterQuery"
        );
        if !plain && !of_search {
            return Err(ApiError::wrong(
                400,
                "ErrorInvalidPropertySet",
                format!("The property '{key}' cannot be set."),
            ));
        }
    }
    Ok(search)
}

fn create(world: &mut World, request: &Request, parent: FolderKey) -> Result<FolderKey, ApiError> {
    let search = check(request, true)?;
    let name = request
        .text("displayName")
        .ok_or_else(|| ApiError::wrong(400, "ErrorInvalidRequest", "displayName is required."))?;
    let hidden = request
        .field("isHidden")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    let mailbox = mailbox_mut(world, request)?;
    let key = mailbox.create_folder(name, parent, hidden, request.now_ms)?;
    if search {
        let sources = request.field("sourceFolderIds").and_then(Value::as_array);
        let search = Search {
            filter: request.text("filterQuery").unwrap_or_default().to_owned(),
            nested: request
                .field("includeNestedFolders")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            sources: sources
                .into_iter()
                .flatten()
                .filter_map(|id| Some(id.as_str()?.to_owned()))
                .collect(),
        };
        mailbox.set_search(key, search, request.now_ms);
    }
    Ok(key)
}

fn update(world: &mut World, request: &Request, key: FolderKey) -> Result<(), ApiError> {
    check(request, false)?;
    let name = request.text("displayName").ok_or_else(|| {
        ApiError::wrong(400, "ErrorInvalidRequest", "There is nothing to update.")
    })?;
    let mailbox = mailbox_mut(world, request)?;
    mailbox.rename_folder(key, name, request.now_ms)
}
