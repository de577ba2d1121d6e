//! What has become of a send.

use email_model::FolderRole;
use email_provider::{Call, ErrorKind, MessageRef, ProviderResult, Settled, Unsettled};

use super::{draft::Draft, found};
use crate::{
    api::Prefer,
    convert,
    ids::{FolderId, ItemId},
    mailbox::Mailbox,
    names, wanted,
    wire::{MailFolder, Message},
};

/// For how long a request to send may still be carried out after nobody waits for its answer any more, in seconds. The
/// vendor's servers give a request up after less; what they have accepted is no draft among the drafts any more, but on
/// its way in the Outbox.
const UNDER_WAY: i64 = 120;

/// - No draft any more: sent, under the id that the draft had.
/// - Still a draft, long after and not on its way: nobody has accepted it, and nobody will.
/// - Not to be found: on its way, sent and moved by a rule, or thrown away.
pub(super) async fn settle(
    mailbox: &Mailbox,
    call: Call,
    send: Unsettled<'_>,
) -> ProviderResult<Settled> {
    let draft = send.draft.and_then(|draft| Draft::of(draft).ok());
    if let Some(draft) = &draft {
        match found::message(mailbox, call, &draft.id).await {
            Ok(message) if message.is_draft == Some(false) => {
                return Ok(Settled::Sent(place(&message)));
            }
            Ok(message) => {
                let passed = mailbox.api.now() - send.since;
                let is_over = passed.num_seconds() >= UNDER_WAY;
                return Ok(
                    match is_over && !is_in_outbox(mailbox, call, &message).await? {
                        true => Settled::NotSent,
                        false => Settled::Unknown,
                    },
                );
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let Some(sent) = mailbox.roles().get(FolderRole::Sent) else {
        return Ok(Settled::Unknown);
    };
    let found = found::by_message_id(mailbox, call, Some(&sent), send.message_id).await?;
    let mut found = found
        .iter()
        .filter(|message| message.is_draft == Some(false));
    Ok(match found.next() {
        Some(message) => Settled::Sent(place(message)),
        None => Settled::Unknown,
    })
}

fn place(message: &Message) -> Option<MessageRef> {
    let id = ItemId::parse(&message.id)?;
    Some(id.at(&convert::folder(message)?))
}

async fn is_in_outbox(mailbox: &Mailbox, call: Call, message: &Message) -> ProviderResult<bool> {
    let Some(outbox) = FolderId::parse("outbox") else {
        return Ok(false);
    };
    let address = names::folder(&outbox).with("$select", wanted::FOLDER);
    let outbox: MailFolder = mailbox.api.read(call, address, Prefer::default()).await?;
    Ok(message.parent_folder_id.as_ref() == Some(&outbox.id))
}
