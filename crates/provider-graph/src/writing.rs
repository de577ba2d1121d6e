//! Changes to messages.

use email_model::{Flags, FolderRole};
use email_provider::{Call, Detail, ErrorKind, MessageEdit, MessageRef, ProviderResult, Removal};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    convert, error,
    ids::{FolderId, ItemId},
    mailbox::Mailbox,
    names, wanted,
    wire::Message,
};

/// Most keywords of a message.
const MOST_KEYWORDS: usize = 100;
/// Longest keyword, in characters: that of a category.
const LONGEST_KEYWORD: usize = 255;

/// Flags and keywords in one request, the place in another.
pub(crate) async fn update(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    edit: &MessageEdit,
) -> ProviderResult<MessageRef> {
    let id = ItemId::required(at)?;
    let properties = properties(edit)?;
    let place = place(mailbox, edit)?;
    let is_changed = !properties.is_empty();
    if is_changed {
        let body = Value::Object(properties);
        let message = names::message(&id);
        mailbox
            .api
            .write(call, Method::PATCH, message, Some(&body))
            .await?;
    }
    match place {
        Some(place) => {
            if is_in(mailbox, call, &id, at, &place).await? {
                return Ok(id.at(&place));
            }
            move_to(mailbox, call, &id, &place).await
        }
        None if is_changed => Ok(at.clone()),
        None => match folder_of(mailbox, call, &id).await? {
            Some(folder) => Ok(id.at(&folder)),
            None => Err(error::no_message()),
        },
    }
}

/// What is to be set, each thing whole.
fn properties(edit: &MessageEdit) -> ProviderResult<Map<String, Value>> {
    let known = Flags::SEEN | Flags::FLAGGED;
    let odd = (edit.add_flags | edit.remove_flags) - known;
    if !odd.is_empty() {
        let odd: Vec<&str> = odd.iter_names().map(|(name, _)| name).collect();
        return Err(error::unsupported(&format!("the flag {}", odd.join(", "))));
    }
    let mut properties = Map::new();
    for (flags, is_set) in [(edit.add_flags, true), (edit.remove_flags, false)] {
        if flags.contains(Flags::SEEN) {
            properties.insert("isRead".into(), is_set.into());
        }
        if flags.contains(Flags::FLAGGED) {
            let status = if is_set { "flagged" } else { "notFlagged" };
            properties.insert("flag".into(), json!({"flagStatus": status}));
        }
    }
    if let Some(keywords) = &edit.keywords {
        if keywords.len() > MOST_KEYWORDS {
            return Err(error::invalid("too many keywords"));
        }
        let is_word = |word: &String| {
            (1..=LONGEST_KEYWORD).contains(&word.chars().count())
                && !word.contains(char::is_control)
                && word.trim() == word
        };
        if !keywords.iter().all(is_word) {
            return Err(error::invalid(
                "a keyword has 1 to 255 characters, none of them a control character, and no space at its ends",
            ));
        }
        properties.insert("categories".into(), json!(keywords));
    }
    Ok(properties)
}

/// Where to move to.
fn place(mailbox: &Mailbox, edit: &MessageEdit) -> ProviderResult<Option<FolderId>> {
    Ok(match (&edit.move_to, edit.archived) {
        (Some(key), _) => Some(FolderId::of_key(key)?),
        (None, Some(true)) => {
            Some(mailbox.role(FolderRole::Archive, "archiving, without an archive")?)
        }
        (None, Some(false)) => Some(mailbox.role(FolderRole::Inbox, "un-archiving")?),
        (None, None) => None,
    })
}

/// Whether a message that was last seen in a folder is there: what a move to where a message is does is not documented.
async fn is_in(
    mailbox: &Mailbox,
    call: Call,
    id: &ItemId,
    at: &MessageRef,
    folder: &FolderId,
) -> ProviderResult<bool> {
    Ok(at.scope == folder.scope() && folder_of(mailbox, call, id).await?.as_ref() == Some(folder))
}

async fn folder_of(mailbox: &Mailbox, call: Call, id: &ItemId) -> ProviderResult<Option<FolderId>> {
    let address = wanted::of(names::message(id), Detail::Exists);
    let message: Message = mailbox.api.read_to_write(call, address).await?;
    Ok(convert::folder(&message))
}

async fn move_to(
    mailbox: &Mailbox,
    call: Call,
    id: &ItemId,
    folder: &FolderId,
) -> ProviderResult<MessageRef> {
    let body = json!({"destinationId": folder.as_str()});
    let address = names::message_move(id);
    let moved = mailbox
        .api
        .write(call, Method::POST, address, Some(&body))
        .await?;
    // The id stays. What the answer calls the message is believed nonetheless.
    let told: Option<Message> = moved.and_then(|body| serde_json::from_slice(&body).ok());
    let told = told.and_then(|message| ItemId::parse(&message.id));
    Ok(told.unwrap_or_else(|| id.clone()).at(folder))
}

pub(crate) async fn remove(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    removal: Removal,
) -> ProviderResult<()> {
    let id = ItemId::required(at)?;
    match removal {
        Removal::Trash => {
            let trash = mailbox.role(FolderRole::Trash, "the trash")?;
            if !is_in(mailbox, call, &id, at, &trash).await? {
                move_to(mailbox, call, &id, &trash).await?;
            }
        }
        // To delete a message puts it where the user can get it back from: that is no substitute where it cannot be ended,
        // as in national clouds (<https://learn.microsoft.com/graph/api/message-permanentdelete>).
        Removal::Forever => {
            let address = names::message_end(&id);
            let ended = mailbox.api.write(call, Method::POST, address, None).await;
            ended.map_err(|error| match error.kind {
                ErrorKind::Invalid | ErrorKind::Unsupported => {
                    error::unsupported("deleting for good, instead of into the trash")
                        .with_source(error)
                }
                _ => error,
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_a_flag_counts() {
        let edit = MessageEdit {
            add_flags: Flags::SEEN | Flags::FLAGGED,
            remove_flags: Flags::FLAGGED,
            keywords: Some(vec!["a".into()]),
            ..MessageEdit::default()
        };
        assert_eq!(
            Value::Object(properties(&edit).unwrap()),
            json!({"isRead": true, "flag": {"flagStatus": "notFlagged"}, "categories": ["a"]})
        );
    }

    #[test]
    fn what_the_store_has_no_property_for_is_refused_by_name() {
        let edit = MessageEdit {
            add_flags: Flags::ANSWERED | Flags::IMPORTANT,
            ..MessageEdit::default()
        };
        let error = properties(&edit).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("ANSWERED") && error.message.contains("IMPORTANT"));
        for word in ["", " a", "a\n", &"a".repeat(256)] {
            let edit = MessageEdit {
                keywords: Some(vec![word.to_owned()]),
                ..MessageEdit::default()
            };
            assert_eq!(
                properties(&edit).unwrap_err().kind,
                ErrorKind::Invalid,
                "{word:?}"
            );
        }
    }
}
