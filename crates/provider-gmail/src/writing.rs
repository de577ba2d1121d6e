//! Changes to messages.

use std::collections::BTreeMap;

use email_model::{Flags, FolderKey};
use email_provider::{Call, Detail, MessageEdit, MessageRef, ProviderResult, Removal};
use google_gmail1::api::ModifyMessageRequest;

use crate::{
    api::Hub,
    error, fetching,
    ids::HexId,
    labels::{self, INBOX, SPAM, TRASH},
    mailbox::Mailbox,
    new_labels::{check_name, label_of},
    quota::Method,
};

/// Most labels that one request adds, or takes away.
const MOST_LABELS: usize = 100;

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

#[cfg(test)]
mod tests {
    use email_provider::ErrorKind;

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
}
