//! Sending.

use async_trait::async_trait;
use email_model::Timestamp;
use email_provider::{
    ByteStream, Call, DraftRef, ErrorKind, MessageCopy, MessageRef, Outgoing, ProviderError,
    ProviderResult, SendLimits, Settled, Submission, Submitted, Submitter, Unsettled,
};
use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{
    Sending, draft_key::DraftKey, folders::remove, header::invalid, sent_copy::Copy,
    stored_draft::versions,
};
use crate::{
    cursor::{read, write},
    provider::ImapProvider,
    smtp::{Content, ContentFacts, Envelope},
};

/// How a draft was sent, so that the copy kept of it is the same message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    /// Its `Date`, in seconds since 1970.
    date: i64,
    /// Octets after the header.
    body: u64,
}

const RECEIPT_FORMAT: u8 = 1;

impl ImapProvider {
    fn sending(&self) -> ProviderResult<&Sending> {
        self.sending.as_ref().ok_or_else(|| {
            ProviderError::new(
                ErrorKind::Unsupported,
                "no server to send through is known (serverUrl2)",
            )
        })
    }

    async fn submit_message(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<Submitted> {
        let sending = self.sending()?;
        let envelope = checked(sending, &outgoing.envelope)?;
        let content = Content {
            octets: outgoing.octets.read(MessageCopy::Wire),
            facts: ContentFacts {
                length: outgoing.octets.length(MessageCopy::Wire),
                is_exact: true,
                eight_bit: false,
            },
        };
        let accepted = sending.pool.send(&envelope, content, call.deadline).await?;
        Ok(Submitted {
            refused: accepted.refused,
            ..Submitted::default()
        })
    }

    async fn submit_draft(&self, call: Call, draft: &DraftRef) -> ProviderResult<Submitted> {
        let sending = self.sending()?;
        let found = self.find_unchanged(call, draft).await?;
        let key = found.key;
        drop(found.connection);
        let opened = self.open_draft(call, &key).await?;
        if !key.message_id.is_empty() && key.message_id != opened.header.message_id {
            return Err(invalid("the draft's Message-ID is not the one it had"));
        }
        let envelope = checked(sending, &opened.header.envelope)?;
        // To the second, as `Date` has it.
        let date = sending.clock.now().timestamp();
        let header = opened
            .header
            .write(MessageCopy::Wire, Timestamp::from_timestamp(date, 0));
        let header_length = header.len() as u64;
        let content = Content {
            octets: stream::iter([Ok(header)]).chain(opened.body).boxed(),
            facts: ContentFacts {
                length: header_length.max(opened.size),
                is_exact: false,
                eight_bit: true,
            },
        };
        let accepted = sending.pool.send(&envelope, content, call.deadline).await?;
        let receipt = Receipt {
            date,
            body: accepted.octets.saturating_sub(header_length),
        };
        Ok(Submitted {
            refused: accepted.refused,
            // The message is sent: without a receipt its copy has the draft's own date.
            receipt: write(RECEIPT_FORMAT, &receipt).unwrap_or_default(),
            at: None,
        })
    }

    async fn file_draft(
        &self,
        call: Call,
        draft: &DraftRef,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>> {
        let sending = self.sending()?;
        let key = DraftKey::read(draft)?;
        let is_there = {
            let mut connection = self.short(call).await?;
            let versions = versions(&mut connection, &key, call).await?;
            versions.is_same_validity && versions.uids.contains(key.uid)
        };
        if !is_there {
            return self.find_sent(call, &key.message_id).await;
        }
        let copy = DraftCopy {
            provider: self,
            call,
            key: &key,
            receipt: read(RECEIPT_FORMAT, &submitted.receipt),
        };
        let filed = self
            .sent_copy(call, sending, &key.message_id, &copy)
            .await?;
        let mut connection = self.short(call).await?;
        let left = versions(&mut connection, &key, call).await?;
        if left.is_same_validity {
            // Later versions are somebody's who went on writing.
            remove(&mut connection, &left.uids.within(1, key.uid), call).await?;
        }
        Ok(filed)
    }
}

/// The envelope, as far as this mailbox can send it.
fn checked(sending: &Sending, envelope: &email_provider::SendEnvelope) -> ProviderResult<Envelope> {
    let most = sending.limits().recipients;
    if envelope.recipients.len() > most {
        return Err(invalid(format!(
            "a message from this mailbox has at most {most} recipients"
        )));
    }
    Ok(Envelope::new(envelope)?)
}

/// A draft as it was sent, blind copies included.
struct DraftCopy<'a> {
    provider: &'a ImapProvider,
    call: Call,
    key: &'a DraftKey,
    receipt: Option<Receipt>,
}

#[async_trait]
impl Copy for DraftCopy<'_> {
    async fn read(&self) -> ProviderResult<(u64, ByteStream)> {
        let date = self
            .receipt
            .and_then(|receipt| Timestamp::from_timestamp(receipt.date, 0));
        let body = match self.receipt {
            Some(receipt) => receipt.body,
            None => {
                let mut body = self.provider.open_draft(self.call, self.key).await?.body;
                let mut octets = 0;
                while let Some(piece) = body.next().await {
                    octets += piece?.len() as u64;
                }
                octets
            }
        };
        let opened = self.provider.open_draft(self.call, self.key).await?;
        let header = opened.header.write(MessageCopy::Kept, date);
        let length = header.len() as u64 + body;
        let octets = stream::iter([Ok(header)]).chain(opened.body).boxed();
        Ok((length, octets))
    }
}

#[async_trait]
impl Submitter for ImapProvider {
    fn limits(&self) -> SendLimits {
        match &self.sending {
            Some(sending) => sending.limits(),
            None => SendLimits {
                recipients: 0,
                octets: 0,
                internationalised: false,
                drafts_only: false,
            },
        }
    }

    async fn submit(&self, call: Call, submission: Submission<'_>) -> ProviderResult<Submitted> {
        match submission {
            Submission::Message(outgoing) => self.submit_message(call, outgoing).await,
            Submission::Draft(draft) => self.submit_draft(call, draft).await,
        }
    }

    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled> {
        match self.find_sent(call, send.message_id).await {
            Ok(Some(at)) => Ok(Settled::Sent(Some(at))),
            Ok(None) => Ok(Settled::Unknown),
            Err(error) => {
                tracing::debug!(%error, "sent mail cannot be looked for");
                Ok(Settled::Unknown)
            }
        }
    }

    async fn file(
        &self,
        call: Call,
        submission: Submission<'_>,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>> {
        match submission {
            Submission::Message(outgoing) => {
                let id = &outgoing.message_id;
                self.sent_copy(call, self.sending()?, id, &outgoing).await
            }
            Submission::Draft(draft) => self.file_draft(call, draft, submitted).await,
        }
    }
}
