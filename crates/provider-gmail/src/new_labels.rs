//! Labels that are made: as folders, and as keywords.

use std::sync::Arc;

use email_provider::{Call, ErrorKind, Folder, NewFolder, ProviderError, ProviderResult};
use google_gmail1::api::Label;

use crate::{
    api::Hub,
    error,
    ids::LabelId,
    labels::{self, LabelTable, ancestors},
    mailbox::Mailbox,
    quota::Method,
};

/// Longest name, in octets.
const LONGEST_NAME: usize = 225;

pub(crate) async fn create_folder(
    mailbox: &Mailbox,
    call: Call,
    folder: &NewFolder,
) -> ProviderResult<Folder> {
    let table = mailbox.labels_to_write(call).await?;
    let name = match &folder.parent {
        None => folder.name.clone(),
        Some(parent) if labels::is_place(&parent.0) => {
            return Err(error::unsupported("a folder below one of the system's"));
        }
        Some(parent) => {
            let above = table.name(&parent.0).ok_or_else(error::no_folder)?;
            format!("{above}/{}", folder.name)
        }
    };
    check_name(&name)?;
    if folder.name.contains('/') {
        return Err(error::invalid("a folder's name cannot hold a slash"));
    }
    if table.by_name(&name).is_some() {
        return Err(ProviderError::new(
            ErrorKind::Conflict,
            "there is a folder of this name",
        ));
    }
    let (id, table) = create(mailbox, call, &table, &name).await?;
    let made = table.folders().into_iter();
    let mut made = made.filter(|folder| folder.key.0 == id);
    made.next().ok_or_else(error::unreadable)
}

/// The id of the user's own label of this name, made with those above it if it is not there.
pub(crate) async fn label_of(
    mailbox: &Mailbox,
    call: Call,
    mut table: Arc<LabelTable>,
    name: &str,
) -> ProviderResult<(String, Arc<LabelTable>)> {
    let mut missing: Vec<&str> = ancestors(name).collect();
    missing.reverse();
    missing.push(name);
    for name in missing {
        if table.by_name(name).is_some() {
            continue;
        }
        table = match create(mailbox, call, &table, name).await {
            // Somebody else made it meanwhile.
            Err(error) if error.kind == ErrorKind::Conflict => {
                mailbox.labels_to_write(call).await?
            }
            made => made?.1,
        };
    }
    match table.by_name(name).map(str::to_owned) {
        Some(id) => Ok((id, table)),
        None => Err(error::invalid("this name is not allowed for a keyword")),
    }
}

/// Makes a label; its id, and the labels with it.
async fn create(
    mailbox: &Mailbox,
    call: Call,
    table: &LabelTable,
    name: &str,
) -> ProviderResult<(String, Arc<LabelTable>)> {
    let label = Label {
        name: Some(name.to_owned()),
        label_list_visibility: Some("labelShow".to_owned()),
        message_list_visibility: Some("show".to_owned()),
        ..Label::default()
    };
    let made = mailbox
        .api
        .make(call, Method::LabelsCreate, |hub: Hub, mut seen| {
            let label = label.clone();
            async move {
                let create = hub.users().labels_create(label, "me").delegate(&mut seen);
                Ok(create.doit().await?.1)
            }
        });
    let id = made.await?.id.filter(|id| LabelId::parse(id).is_some());
    let id = id.ok_or_else(error::unreadable)?;
    let table = mailbox.keep_labels(table.with(&id, name));
    Ok((id, table))
}

/// A name that is worth asking for; the rest is the API's to refuse.
pub(crate) fn check_name(name: &str) -> ProviderResult<()> {
    let is_odd = name.trim().is_empty()
        || name != name.trim()
        || name.len() > LONGEST_NAME
        || name.contains(char::is_control);
    match is_odd {
        true => Err(error::invalid("not a name for a label")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_refused() {
        for name in ["", " ", " a", "a\n", &"x".repeat(226)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name("Büro & Co").is_ok());
    }
}
