//! What is stored, as JSON of the model's types.

mod attachment;
mod folder;
mod message;

pub(crate) use attachment::{attachment_json, attachment_with_id};
pub(crate) use folder::{FolderView, folder_json};
pub(crate) use message::{Shown, View, message_json, recipient};
