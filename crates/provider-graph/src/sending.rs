//! Sending. A message is kept as a draft first and then sent: so its id is known beforehand, and it is the id of the copy in
//! Sent Items too: <https://learn.microsoft.com/graph/outlook-immutable-id>.

mod attaching;
mod draft;
mod drafts;
mod files;
mod found;
mod parts;
mod settling;

use async_trait::async_trait;
use email_model::FolderRole;
use email_provider::{
    Call, Detail, ErrorKind, MessageRef, ProviderResult, SendLimits, Settled, Submission,
    Submitted, Submitter, Unsettled,
};
use reqwest::Method;
use tokio::time::Duration;

use self::draft::Draft;
use crate::{
    api::Prefer, convert, error, ids::ItemId, mailbox::Mailbox, names, provider::GraphProvider,
    wait, wanted, wire::Message,
};

/// Recipients of one message, unless an administrator has set another limit
/// (<https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>).
const RECIPIENTS: usize = 500;
/// Between looks for the sent copy, in milliseconds.
const LOOKS: [u64; 5] = [100, 250, 500, 1_000, 2_000];

#[async_trait]
impl Submitter for GraphProvider {
    fn limits(&self) -> SendLimits {
        SendLimits {
            recipients: RECIPIENTS,
            octets: self.mailbox.largest_message,
            // Exchange Online writes to addresses in other scripts, though it gives nobody one.
            internationalised: true,
            drafts_only: true,
        }
    }

    async fn submit(&self, call: Call, submission: Submission<'_>) -> ProviderResult<Submitted> {
        let Submission::Draft(draft) = submission else {
            return Err(error::unsupported("sending what is no draft"));
        };
        send(&self.mailbox, call, &Draft::of(draft)?).await
    }

    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled> {
        settling::settle(&self.mailbox, call, send).await
    }

    async fn file(
        &self,
        call: Call,
        submission: Submission<'_>,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>> {
        let id = match (&submitted.at, submission) {
            (Some(at), _) => ItemId::of(at),
            (None, Submission::Draft(draft)) => Draft::of(draft).ok().map(|draft| draft.id),
            (None, Submission::Message(_)) => None,
        };
        match id {
            Some(id) => filed(&self.mailbox, call, &id).await,
            None => Ok(None),
        }
    }
}

/// The version is compared before: the request itself takes whatever the draft is by then.
async fn send(mailbox: &Mailbox, call: Call, draft: &Draft) -> ProviderResult<Submitted> {
    let message = found::draft(mailbox, call, &draft.id).await?;
    if message.change_key.as_deref() != Some(&draft.version) {
        return Err(error::changed_elsewhere());
    }
    let lists = [
        &message.to_recipients,
        &message.cc_recipients,
        &message.bcc_recipients,
    ];
    if lists
        .into_iter()
        .all(|list| list.value().is_none_or(Vec::is_empty))
    {
        return Err(error::invalid("the draft names nobody to send it to"));
    }
    let address = names::message_send(&draft.id);
    mailbox.api.write(call, Method::POST, address, None).await?;
    let sent = mailbox.roles().get(FolderRole::Sent);
    Ok(Submitted {
        at: sent.map(|sent| draft.id.at(&sent)),
        ..Submitted::default()
    })
}

/// The store files by itself, a moment later; until then it does not find the message.
async fn filed(mailbox: &Mailbox, call: Call, id: &ItemId) -> ProviderResult<Option<MessageRef>> {
    let mut waits = LOOKS.into_iter().map(Duration::from_millis);
    loop {
        let address = wanted::of(names::message(id), Detail::State);
        let read: ProviderResult<Message> =
            mailbox.api.read(call, address, Prefer::default()).await;
        match read {
            Ok(message) if message.is_draft == Some(false) => {
                return Ok(convert::folder(&message).map(|folder| id.at(&folder)));
            }
            Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match waits.next() {
            Some(next) if wait(call, next).await => {}
            _ => return Ok(None),
        }
    }
}
