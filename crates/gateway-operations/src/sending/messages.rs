//! Sending a message that is no draft.

use std::sync::{Arc, OnceLock};

use email_mime::compose::{Purpose, reply};
use email_model::MessageId;
use email_provider::{MessageRef, Outgoing, SendLimits};
use gateway_store::{Account, OpenedSend, SendId, SendRow, SendState};

use super::{
    Held, NewMessage, SendOptions, SendOutcome, SentView,
    answers::{Earlier, key_of},
    compose::{Stamp, outgoing, own_mailboxes},
    delivery::{Delivery, answer_in_time, in_progress},
    record::{SendRecord, to_value},
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult, ReadRequest};

impl Gateway {
    /// Sends a message, once where a key is given. It goes on when the caller stops waiting.
    ///
    /// # Errors
    /// `Unprocessable` names the field that cannot be sent; `Forbidden` for a sender that is not the
    /// mailbox's; `Conflict` while the same is being sent; `SendUnconfirmed` where no answer came.
    pub async fn send_message(
        &self,
        account: &Account,
        message: NewMessage,
        options: SendOptions,
    ) -> OperationResult<SentView> {
        self.send_new(account, message, None, options).await
    }

    /// Answers a message: its conversation, and where they are left out recipients and subject, are those of
    /// what it answers.
    ///
    /// # Errors
    /// As [`Self::send_message`]; `NotFound` for what it answers.
    pub async fn send_reply(
        &self,
        account: &Account,
        to: MessageId,
        mut message: NewMessage,
        options: SendOptions,
    ) -> OperationResult<SentView> {
        if let Some(sent) = self.sent_before(account, &options).await? {
            return Ok(sent);
        }
        let original = self.message(account, to, ReadRequest::default()).await?;
        let envelope = original.envelope.ok_or_else(|| {
            let what = "what is answered could not be read";
            OperationError::new(OperationErrorKind::Provider, what)
        })?;
        let derived = reply(&envelope, &own_mailboxes(account));
        if message.to.is_empty() {
            message.to = derived.to;
        }
        message.subject = message.subject.or(Some(derived.subject));
        message.in_reply_to = derived.in_reply_to;
        message.references = Some(derived.references.join(" "));
        let answers = self.place_of(account, to).await?;
        self.send_new(account, message, answers, options).await
    }

    /// The answer of a send that was made with this key, without looking at what is sent.
    async fn sent_before(
        &self,
        account: &Account,
        options: &SendOptions,
    ) -> OperationResult<Option<SentView>> {
        let Some(idempotency) = &options.idempotency else {
            return Ok(None);
        };
        let key = key_of(idempotency);
        let Some(row) = self.inner.store.send_of_key(account.id, &key).await? else {
            return Ok(None);
        };
        match self.earlier(row, &idempotency.request)? {
            Earlier::Answered(SendOutcome::Sent(view)) => Ok(Some(view)),
            Earlier::Answered(SendOutcome::Scheduled { .. }) => Err(in_progress()),
            Earlier::Again(_) => Ok(None),
        }
    }

    async fn send_new(
        &self,
        account: &Account,
        message: NewMessage,
        answers: Option<MessageRef>,
        options: SendOptions,
    ) -> OperationResult<SentView> {
        if let Some(sent) = self.sent_before(account, &options).await? {
            return Ok(sent);
        }
        let (mailbox, journal) = self.reach(account).await?;
        let Some(submitter) = mailbox.provider.submitter() else {
            return Err(OperationError::new(
                OperationErrorKind::NotSupported,
                "send: this mailbox cannot send",
            ));
        };
        let limits = submitter.limits();
        let keywords = message.keywords.clone();
        let mut stamp = self.stamp();
        let opening = Opening {
            options: &options,
            keywords,
        };
        let answers = match answers {
            None => {
                let parent = message.in_reply_to.as_deref();
                self.parent_if_found(account, &mailbox, &journal, parent)
                    .await
            }
            answers => answers,
        };
        let (asked, holds) = self.written(account, message, &stamp)?;
        stamp.message_id = Some(asked.message_id.clone());
        let mut composed = outgoing(asked, holds.clone(), Purpose::Send, Some(limits), answers)?;
        let (row, record) = match self.open(account, &composed, &stamp, &opening).await? {
            Opened::New(row, record) => (row, record),
            Opened::Again(row, record) => {
                // The same message as before, to its id.
                let mut again = (*composed.message).clone();
                again.message_id.clone_from(&record.message_id);
                again.date = record.date;
                let answers = composed.answers.clone();
                composed = outgoing(again, holds, Purpose::Send, Some(limits), answers)?;
                (row, record)
            }
            Opened::Answered(view) => return Ok(view),
        };
        let message_id = Arc::new(OnceLock::from(composed.message_id.clone()));
        let (gateway, account) = (self.clone(), account.clone());
        let sending = self.inner.tasks.spawn(async move {
            let delivery = Delivery {
                gateway: &gateway,
                account: &account,
                mailbox,
                journal,
                lease: gateway.lease(&row),
                row: *row,
                record,
                outgoing: Some(composed),
            };
            delivery.deliver().await
        });
        answer_in_time(sending, &message_id).await
    }

    /// Puts a send into the outbox, held by this process.
    async fn open(
        &self,
        account: &Account,
        composed: &Outgoing,
        stamp: &Stamp,
        opening: &Opening<'_>,
    ) -> OperationResult<Opened> {
        let record = SendRecord {
            message_id: composed.message_id.clone(),
            date: stamp.date,
            return_ids: opening.options.return_ids,
            keywords: opening.keywords.clone(),
            draft: None,
            answers: composed.answers.clone(),
            scheduled_for: None,
            handed_over_at: None,
            submitted: None,
            attempts: 0,
            outcome: None,
            failure: None,
            never_begun: false,
        };
        let id = SendId(random_number());
        let until = self.held_until();
        let idempotency = opening.options.idempotency.as_ref();
        let mut row = SendRow {
            id,
            account: account.id,
            key: idempotency.map(key_of),
            request: idempotency
                .map(|idempotency| idempotency.request)
                .unwrap_or_default(),
            draft: None,
            state: SendState::Queued,
            due_at: Some(self.now()),
            holder: Some(self.inner.process.clone()),
            held_until: Some(until),
            version: 0,
            record: to_value(&record)?,
            content: self.seal_content(id, &composed.message)?,
            created_at: self.now(),
        };
        let earlier = match self.inner.store.open_send(&row).await? {
            OpenedSend::New => return Ok(Opened::New(Box::new(row), record)),
            OpenedSend::Existing(earlier) => *earlier,
        };
        match self.earlier(earlier, &row.request)? {
            Earlier::Answered(SendOutcome::Sent(view)) => Ok(Opened::Answered(view)),
            Earlier::Answered(SendOutcome::Scheduled { .. }) => Err(in_progress()),
            Earlier::Again(again) => {
                let (earlier, before) = *again;
                let record = SendRecord {
                    message_id: before.message_id,
                    date: before.date,
                    ..record
                };
                row.id = earlier.id;
                row.version = earlier.version;
                row.content = self.seal_content(row.id, &composed.message)?;
                row.record = to_value(&record)?;
                if !self.inner.store.write_send(&row).await? {
                    return Err(in_progress());
                }
                row.version += 1;
                Ok(Opened::Again(Box::new(row), record))
            }
        }
    }

    /// The message of a send that another process, or this one before, has left behind.
    pub(super) fn outgoing_again(&self, row: &SendRow, record: &SendRecord) -> Option<Outgoing> {
        let message = self.open_content(row)?;
        let limits = SendLimits {
            recipients: usize::MAX,
            octets: u64::MAX,
            internationalised: true,
            drafts_only: false,
        };
        let answers = record.answers.clone();
        outgoing(
            message,
            Held::default(),
            Purpose::Send,
            Some(limits),
            answers,
        )
        .ok()
    }
}

struct Opening<'a> {
    options: &'a SendOptions,
    keywords: Vec<String>,
}

enum Opened {
    New(Box<SendRow>, SendRecord),
    Again(Box<SendRow>, SendRecord),
    Answered(SentView),
}

/// A number that is hard to guess and fits JSON readers that know doubles only.
pub(super) fn random_number() -> i64 {
    let bytes = *uuid::Uuid::new_v4().as_bytes();
    let number = u64::from_be_bytes([
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[9], bytes[10],
    ]);
    i64::try_from(number & ((1 << 53) - 1)).unwrap_or(i64::MAX)
}
