//! Sending. The API files what it sends by itself: the sent message has the label `SENT`.

use std::time::Duration;

use async_trait::async_trait;
use email_provider::{
    Call, DraftRef, ErrorKind, MessageRef, Outgoing, ProviderError, ProviderResult, SendLimits,
    Settled, Submission, Submitted, Submitter, Unsettled,
};
use serde_json::json;

use crate::{
    api::LARGEST_MESSAGE, drafts::Known, error, finding::Among, ids::HexId, mailbox::Mailbox,
    provider::GmailProvider, quota::Method, uploading::Destination, wire::Message,
};

/// Recipients of one message: <https://developers.google.com/workspace/gmail/api/guides/handle-errors>.
const MOST_RECIPIENTS: usize = 500;
/// A request that nothing was heard of may be carried out still; after this time it is not.
const UNDER_WAY: Duration = Duration::from_secs(120);
/// Longest receipt: a `Message-ID`.
const LONGEST_RECEIPT: usize = 1_000;

#[async_trait]
impl Submitter for GmailProvider {
    fn limits(&self) -> SendLimits {
        SendLimits {
            recipients: MOST_RECIPIENTS,
            octets: LARGEST_MESSAGE,
            internationalised: true,
            drafts_only: false,
        }
    }

    async fn submit(&self, call: Call, submission: Submission<'_>) -> ProviderResult<Submitted> {
        match submission {
            Submission::Message(outgoing) => self.mailbox.send(call, outgoing).await,
            Submission::Draft(draft) => self.mailbox.send_draft(call, draft).await,
        }
    }

    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled> {
        match self.mailbox.settle(call, send).await {
            // This grant will never tell.
            Err(error) if error.kind == ErrorKind::Forbidden => Ok(Settled::Unknown),
            settled => settled,
        }
    }

    /// Nothing is to be done but to tell where it is; a draft that is sent is gone.
    async fn file(
        &self,
        call: Call,
        submission: Submission<'_>,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>> {
        if submitted.at.is_some() {
            return Ok(submitted.at.clone());
        }
        let message_id = match submission {
            Submission::Message(outgoing) => outgoing.message_id.as_str(),
            Submission::Draft(_) => std::str::from_utf8(&submitted.receipt).unwrap_or_default(),
        };
        self.mailbox.sent(call, message_id).await
    }
}

impl Mailbox {
    async fn send(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<Submitted> {
        let sender = outgoing.envelope.sender.as_deref();
        let sender = sender.ok_or_else(|| error::invalid("a message needs a sender"))?;
        if outgoing.envelope.recipients.is_empty() {
            return Err(error::invalid("a message needs a recipient"));
        }
        self.may_send_as(call, sender).await?;
        let sent: Option<Message> = self.put(call, outgoing, Destination::Recipients).await?;
        Ok(submitted(sent, &outgoing.message_id))
    }

    /// What the draft holds now is looked at first. Between that and the sending lies a moment in which
    /// somebody may change it: the API has no way to forbid that.
    async fn send_draft(&self, call: Call, draft: &DraftRef) -> ProviderResult<Submitted> {
        let known = Known::of(draft)?;
        let held = self.draft_with_headers(call, &known.draft).await?;
        if !known.is_still(&held) {
            return Err(error::another_draft());
        }
        let part = held.message.payload.unwrap_or_default();
        // Without a sender it is sent as the account's own address.
        if let Some(from) = part.header("From").filter(|from| !from.trim().is_empty()) {
            self.may_send_as(call, &address_of(from)?).await?;
        }
        let path = "gmail/v1/users/me/drafts/send?fields=id";
        let request = json!({ "id": known.draft.as_str() });
        let sent: Option<Message> = self
            .api
            .post(call, Method::DraftsSend, path, &request)
            .await?;
        let message_id = part.header("Message-ID").unwrap_or_default();
        Ok(submitted(sent, message_id.trim()))
    }

    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled> {
        // What cannot be read is of another mailbox or kind: its draft tells nothing.
        if let Some(known) = send.draft.and_then(|draft| Known::of(draft).ok()) {
            match self.draft(call, &known.draft).await {
                Ok(held) if known.is_still(&held) => {
                    let age = (self.api.now() - send.since).to_std().unwrap_or_default();
                    return Ok(match age >= UNDER_WAY {
                        true => Settled::NotSent,
                        false => Settled::Unknown,
                    });
                }
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(match self.sent(call, send.message_id).await? {
            Some(at) => Settled::Sent(Some(at)),
            None => Settled::Unknown,
        })
    }

    async fn sent(&self, call: Call, message_id: &str) -> ProviderResult<Option<MessageRef>> {
        if message_id.is_empty() {
            return Ok(None);
        }
        let found = self.by_message_id(call, message_id, Among::Sent).await?;
        Ok(found.map(|id| id.at()))
    }
}

fn submitted(sent: Option<Message>, message_id: &str) -> Submitted {
    let id = sent.and_then(|message| HexId::parse(&message.id));
    let is_receipt = message_id.len() <= LONGEST_RECEIPT;
    Submitted {
        at: id.map(|id| id.at()),
        refused: Vec::new(),
        receipt: match is_receipt {
            true => message_id.as_bytes().to_vec(),
            false => Vec::new(),
        },
    }
}

/// The address of the first mailbox in a `From` field.
fn address_of(from: &str) -> ProviderResult<String> {
    let line = from.replace(['\r', '\n'], " ");
    let parsed = email_mime::parse(format!("From: {line}\r\n\r\n").as_bytes()).ok();
    let from = parsed.and_then(|parsed| parsed.content.envelope.from);
    from.and_then(|from| from.address)
        .ok_or_else(|| ProviderError::new(ErrorKind::Forbidden, "From holds no address"))
}
