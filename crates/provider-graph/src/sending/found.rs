//! Messages by their `Message-ID`, and what is told of a draft.

use std::time::Duration;

use email_model::FolderRole;
use email_provider::{Call, ErrorKind, KeptDraft, ProviderResult};

use super::draft::{Draft, Mark, version};
use crate::{
    address::Address,
    api::Prefer,
    convert, error,
    fetching::ABSENCES,
    ids::{FolderId, ItemId},
    mailbox::Mailbox,
    names, wait,
    wire::{Message, Page},
};

/// What is asked of a draft.
const DRAFT: &str = "id,parentFolderId,isDraft,changeKey,webLink,lastModifiedDateTime,\
    toRecipients,ccRecipients,bccRecipients";
/// Most messages of a page of one `Message-ID`, and most pages, some of which may be empty.
const MOST: &str = "50";
const MOST_PAGES: usize = 20;
/// Between two looks for a message that was said to be absent.
const BETWEEN: Duration = Duration::from_millis(50);
/// Longest link, in octets.
const LONGEST_LINK: usize = 4_096;

/// With what is told of a draft.
pub(super) fn told(message: Address) -> Address {
    message.with("$select", DRAFT)
}

/// A draft as the answer to a request tells it; `None` where that is no draft.
pub(super) fn kept(
    message: &Message,
    fields: Option<Mark>,
    files: Option<Mark>,
) -> Option<KeptDraft> {
    let id = ItemId::parse(&message.id)?;
    let at = id.at(&convert::folder(message)?);
    let draft = Draft {
        id,
        version: version(message.change_key.as_deref()?)?,
        fields,
        files,
    };
    let is_plain = |link: &&String| {
        link.len() <= LONGEST_LINK
            && link.starts_with("https://")
            && link.bytes().all(|byte| byte.is_ascii_graphic())
    };
    (message.is_draft == Some(true)).then(|| KeptDraft {
        draft: draft.to_ref(),
        at,
        web_link: message.web_link.as_ref().filter(is_plain).cloned(),
    })
}

/// A message by its id, as a draft is told. Its absence is believed when it is told several times.
pub(super) async fn message(mailbox: &Mailbox, call: Call, id: &ItemId) -> ProviderResult<Message> {
    let mut absences = 0;
    loop {
        let address = told(names::message(id));
        match mailbox.api.read_to_write(call, address).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                absences += 1;
                if absences == ABSENCES || !wait(call, BETWEEN).await {
                    return Err(error);
                }
            }
            read => return read,
        }
    }
}

/// The same, if it is a draft: `NotFound` where it is none (any more).
pub(super) async fn draft(mailbox: &Mailbox, call: Call, id: &ItemId) -> ProviderResult<Message> {
    let message = message(mailbox, call, id).await?;
    match message.is_draft {
        Some(true) => Ok(message),
        _ => Err(error::no_draft()),
    }
}

/// The messages of a `Message-ID`, in a folder or in all.
pub(super) async fn by_message_id(
    mailbox: &Mailbox,
    call: Call,
    folder: Option<&FolderId>,
    message_id: &str,
) -> ProviderResult<Vec<Message>> {
    let messages = folder.map_or_else(names::messages, names::folder_messages);
    let quoted = message_id.replace('\'', "\'\'");
    let address = told(messages)
        .with("$filter", &format!("internetMessageId eq '{quoted}'"))
        .with("$top", MOST);
    let mut found = Vec::new();
    let mut next = Some(address);
    for _ in 0..MOST_PAGES {
        let Some(address) = next else { break };
        let page: Page<Message> = mailbox.api.read(call, address, Prefer::default()).await?;
        found.extend(page.value);
        let link = page.next_link.map(|link| mailbox.api.link(&link));
        next = link.transpose()?;
    }
    Ok(found)
}

/// The drafts of a `Message-ID` that nobody has thrown away, newest first.
pub(super) async fn drafts(
    mailbox: &Mailbox,
    call: Call,
    message_id: &str,
) -> ProviderResult<Vec<Message>> {
    let mut found = by_message_id(mailbox, call, None, message_id).await?;
    let trash = mailbox.roles().get(FolderRole::Trash);
    found.retain(|message| {
        message.is_draft == Some(true) && (trash.is_none() || convert::folder(message) != trash)
    });
    found.sort_by_key(|message| std::cmp::Reverse(message.last_modified_date_time));
    Ok(found)
}
