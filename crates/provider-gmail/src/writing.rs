//! Changes to messages, and new labels.

use std::{collections::BTreeMap, sync::Arc};

use email_model::{Flags, FolderKey};
use email_provider::{
    Call, Detail, ErrorKind, Folder, MessageEdit, MessageRef, NewFolder, ProviderResult, Removal,
};
use google_gmail1::api::{Label, ModifyMessageRequest};

use crate::{
    api::Hub,
    error, fetching,
    ids::{HexId, LabelId},
    labels::{self, INBOX, LabelTable, SPAM, TRASH, ancestors},
    mailbox::Mailbox,
    quota::Method,
};

/// Most labels that one request adds, or takes away.
const MOST_LABELS: usize = 100;
/// Longest name of a label, in octets (RFC 9051 names are no longer either).
const LONGEST_NAME: usize = 225;

/// Labels to be there afterwards, or not. The last word on each counts.
#[derive(Debug, Default)]
struct Wanted(BTreeMap<String, bool>);

impl Wanted {
    fn set(&mut self, label: &str, is_there: bool) {
        self.0.insert(label.to_owned(), is_there);
    }

    fn of(&self, is_there: bool) -> Option<Vec<String>> {
        let labels = self.0.iter().filter(|(_, there)| **there == is_there);
        let labels: Vec<String> = labels.map(|(label, _)| label.clone()).collect();
        (!labels.is_empty()).then_some(labels)
    }
}

/// All of the edit in one request.
pub(crate) async fn update(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    edit: &MessageEdit,
) -> ProviderResult<MessageRef> {
    let id = HexId::required(at)?;
    let mut wanted = Wanted::default();
    flags(&mut wanted, edit)?;
    let place = place(mailbox, call, edit).await?;
    if let Some(keywords) = &edit.keywords {
        self::keywords(mailbox, call, at, keywords, &mut wanted).await?;
    }
    match (place, edit.archived) {
        (Some(place), _) => {
            for left in [INBOX, TRASH, SPAM] {
                wanted.set(left, false);
            }
            wanted.set(place, true);
        }
        (None, Some(true)) => wanted.set(INBOX, false),
        (None, Some(false)) => {
            for left in [TRASH, SPAM] {
                wanted.set(left, false);
            }
            wanted.set(INBOX, true);
        }
        (None, None) => {}
    }
    if wanted.0.is_empty() {
        let found =
            fetching::fetch(mailbox, call, std::slice::from_ref(at), Detail::Exists).await?;
        return found
            .into_iter()
            .next()
            .map(|found| found.at)
            .ok_or_else(error::no_message);
    }
    modify(mailbox, call, &id, &wanted).await?;
    Ok(id.at())
}

fn flags(wanted: &mut Wanted, edit: &MessageEdit) -> ProviderResult<()> {
    let known = Flags::SEEN | Flags::FLAGGED | Flags::IMPORTANT;
    for (flags, is_set) in [(edit.add_flags, true), (edit.remove_flags, false)] {
        if !known.contains(flags) {
            let odd: Vec<&str> = (flags - known).iter_names().map(|(name, _)| name).collect();
            return Err(error::unsupported(&format!("the flag {}", odd.join(", "))));
        }
        for (flag, label, there_if) in [
            (Flags::SEEN, labels::UNREAD, !is_set),
            (Flags::FLAGGED, labels::STARRED, is_set),
            (Flags::IMPORTANT, labels::IMPORTANT, is_set),
        ] {
            if flags.contains(flag) {
                wanted.set(label, there_if);
            }
        }
    }
    Ok(())
}

/// The folder to move to, checked.
async fn place<'a>(
    mailbox: &Mailbox,
    call: Call,
    edit: &'a MessageEdit,
) -> ProviderResult<Option<&'a str>> {
    let Some(FolderKey(place)) = &edit.move_to else {
        return Ok(None);
    };
    if [labels::SENT, labels::DRAFT].contains(&place.as_str()) {
        return Err(error::unsupported(
            "moving a message among those sent or drafted",
        ));
    }
    let is_known = labels::is_place(place) || mailbox.labels_to_write(call).await?.is_folder(place);
    match is_known {
        true => Ok(Some(place)),
        false => Err(error::no_folder()),
    }
}

/// The user's own labels, all of them: those that are not there are made, all others are taken away.
async fn keywords(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    keywords: &[String],
    wanted: &mut Wanted,
) -> ProviderResult<()> {
    if keywords.len() > MOST_LABELS {
        return Err(error::invalid("too many keywords"));
    }
    for keyword in keywords {
        check_name(keyword)?;
    }
    let mut table = mailbox.labels_to_write(call).await?;
    let mut kept = Vec::new();
    for keyword in keywords {
        let label;
        (label, table) = label_of(mailbox, call, table, keyword).await?;
        kept.push(label);
    }
    let mut own: Vec<String> = table.own().map(str::to_owned).collect();
    if own.len() > MOST_LABELS {
        // More than one request can take away: only what the message has.
        let found = fetching::fetch(mailbox, call, std::slice::from_ref(at), Detail::State).await?;
        let found = found.into_iter().next().ok_or_else(error::no_message)?;
        let has = found.state.map(|state| state.folders).unwrap_or_default();
        own.retain(|label| has.iter().any(|key| key.0 == *label));
    }
    for label in own {
        wanted.set(&label, false);
    }
    for label in kept {
        wanted.set(&label, true);
    }
    Ok(())
}

async fn modify(mailbox: &Mailbox, call: Call, id: &HexId, wanted: &Wanted) -> ProviderResult<()> {
    let request = ModifyMessageRequest {
        add_label_ids: wanted.of(true),
        remove_label_ids: wanted.of(false),
    };
    let ask = |hub: Hub, mut seen| {
        let request = request.clone();
        async move {
            let modify = hub.users().messages_modify(request, "me", id.as_str());
            modify
                .param("fields", "id")
                .delegate(&mut seen)
                .doit()
                .await
        }
    };
    mailbox.api.write(call, Method::MessagesModify, ask).await
}

pub(crate) async fn remove(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    removal: Removal,
) -> ProviderResult<()> {
    let id = HexId::required(at)?;
    let id = id.as_str();
    match removal {
        Removal::Trash => {
            let ask = |hub: Hub, mut seen| async move {
                let trash = hub.users().messages_trash("me", id);
                trash.param("fields", "id").delegate(&mut seen).doit().await
            };
            mailbox.api.write(call, Method::MessagesTrash, ask).await
        }
        Removal::Forever => {
            let ask = |hub: Hub, mut seen| async move {
                let delete = hub.users().messages_delete("me", id);
                delete.delegate(&mut seen).doit().await
            };
            mailbox.api.write(call, Method::MessagesDelete, ask).await
        }
    }
}

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
        return Err(email_provider::ProviderError::new(
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
async fn label_of(
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

fn check_name(name: &str) -> ProviderResult<()> {
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
    fn the_last_word_on_a_label_counts() {
        let mut wanted = Wanted::default();
        let edit = MessageEdit {
            add_flags: Flags::SEEN | Flags::FLAGGED,
            remove_flags: Flags::FLAGGED,
            ..MessageEdit::default()
        };
        flags(&mut wanted, &edit).unwrap();
        assert_eq!(wanted.of(true), None);
        let removed = [labels::STARRED, labels::UNREAD]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(wanted.of(false), Some(removed));
    }

    #[test]
    fn a_flag_without_a_label_is_refused_by_name() {
        let edit = MessageEdit {
            add_flags: Flags::ANSWERED,
            ..MessageEdit::default()
        };
        let error = flags(&mut Wanted::default(), &edit).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("ANSWERED"));
    }

    #[test]
    fn odd_names_are_refused() {
        for name in ["", " ", " a", "a\n", &"x".repeat(226)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name("Büro & Co").is_ok());
    }
}
