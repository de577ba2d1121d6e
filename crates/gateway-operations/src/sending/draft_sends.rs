//! Sending a draft, now or at a time.

use std::sync::{Arc, OnceLock};

use email_model::{DraftId, MessageId, Timestamp};
use gateway_store::{Account, OpenedSend, SendId, SendRow, SendState};

use super::{
    SendOptions, SendOutcome,
    answers::{Earlier, key_of},
    delivery::{Delivery, answer_in_time, in_progress, unconfirmed},
    kept_drafts::Kept,
    messages::random_number,
    record::{DraftRecord, SendRecord, to_value},
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

impl Gateway {
    /// Sends a draft: now, or at a time that is still to come. The message keeps its id.
    ///
    /// # Errors
    /// As [`Self::send_message`]; `NotFound`; `Conflict` where somebody else has changed it since it was read.
    pub async fn send_draft(
        &self,
        account: &Account,
        id: DraftId,
        at: Option<Timestamp>,
        options: SendOptions,
    ) -> OperationResult<SendOutcome> {
        if let Some(outcome) = self.answered_before(account, id, &options).await? {
            return Ok(outcome);
        }
        let message_id = Arc::new(OnceLock::new());
        let (gateway, account) = (self.clone(), account.clone());
        let known = Arc::clone(&message_id);
        let sending = self.inner.tasks.spawn(async move {
            gateway
                .begin_draft_send(&account, id, at, &options, &known)
                .await
        });
        answer_in_time(sending, &message_id).await
    }

    /// What an earlier request with the same key was answered. `None`: nothing, and nobody is at it.
    ///
    /// # Errors
    /// As [`Self::earlier`].
    async fn answered_before(
        &self,
        account: &Account,
        id: DraftId,
        options: &SendOptions,
    ) -> OperationResult<Option<SendOutcome>> {
        let Some(idempotency) = &options.idempotency else {
            return Ok(None);
        };
        let key = key_of(idempotency);
        let Some(row) = self.inner.store.send_of_key(account.id, &key).await? else {
            return Ok(None);
        };
        let number = row.id.0;
        match self.earlier(row, &idempotency.request)? {
            Earlier::Again(_) => Ok(None),
            // Whoever put it into the outbox may have died before the draft knew of it.
            Earlier::Answered(SendOutcome::Scheduled { .. })
                if !self.is_send_of(account, id, number).await? =>
            {
                Ok(None)
            }
            Earlier::Answered(outcome) => Ok(Some(outcome)),
        }
    }

    /// Whether a draft knows this send as its own.
    async fn is_send_of(&self, account: &Account, id: DraftId, send: i64) -> OperationResult<bool> {
        let store = &self.inner.store;
        let row = match store.draft(account.id, id).await? {
            Some(row) => Some(row),
            None => {
                let message = MessageId(id.0);
                store.draft_of_message(account.id, message).await?
            }
        };
        let record = row.map(|row| DraftRecord::of(&row.record)).transpose()?;
        Ok(record.is_some_and(|record| record.send == Some(send)))
    }

    /// Goes on when the caller stops waiting: what is in the outbox is known to its draft.
    async fn begin_draft_send(
        &self,
        account: &Account,
        id: DraftId,
        at: Option<Timestamp>,
        options: &SendOptions,
        message_id: &OnceLock<String>,
    ) -> OperationResult<SendOutcome> {
        let kept = self.kept_draft(account, id).await;
        // Another request with the same key may have begun while this one waited for the mailbox: what it has
        // put into the outbox before the draft was read is the answer.
        if let Some(outcome) = self.answered_before(account, id, options).await? {
            return Ok(outcome);
        }
        let mut kept = kept?;
        message_id.get_or_init(|| kept.record.message_id.clone());
        if kept.mailbox.provider.submitter().is_none() {
            return Err(OperationError::new(
                OperationErrorKind::NotSupported,
                "send: this mailbox cannot send",
            ));
        }
        let at = at.filter(|at| *at > self.now());
        if self.is_unknown_for_good(account, &kept).await? {
            return Err(unconfirmed(&kept.record.message_id));
        }
        let key = options.idempotency.as_ref().map(key_of);
        self.call_off(account, &kept, key).await?;
        let (mut row, record) = match self.open_draft_send(account, &kept, at, options).await? {
            Ok(opened) => opened,
            Err(answered) => return Ok(answered),
        };
        kept.record.send = Some(row.id.0);
        let mut begun = self.write_draft(account, &mut kept).await;
        if begun.is_ok() && at.is_none() {
            begun = self
                .expect(&kept.journal, &kept.record, kept.row.message)
                .await;
        }
        if let Err(error) = begun {
            self.never_begun(row, record).await?;
            return Err(error);
        }
        if let Some(at) = at {
            // Until now nobody was told of it.
            row.holder = None;
            row.held_until = None;
            if let Err(error) = self.inner.store.write_send(&row).await {
                tracing::debug!(account = %account.id, %error, "a scheduled send is held for a while still");
            }
            self.inner.clerk.wake();
            return Ok(SendOutcome::Scheduled { at });
        }
        let delivery = Delivery {
            gateway: self,
            account,
            mailbox: kept.mailbox,
            journal: kept.journal,
            lease: self.lease(&row),
            row,
            record,
            outgoing: None,
        };
        let sent = delivery.deliver().await;
        if let Err(error) = &sent
            && error.kind == OperationErrorKind::Conflict
        {
            let mut kept = self.kept_draft(account, kept.row.id).await?;
            kept.record.stale = true;
            self.write_draft(account, &mut kept).await?;
        }
        sent.map(SendOutcome::Sent)
    }

    /// Puts the send of a draft into the outbox: to wait for its time, or held by this process.
    async fn open_draft_send(
        &self,
        account: &Account,
        kept: &Kept,
        at: Option<Timestamp>,
        options: &SendOptions,
    ) -> OperationResult<Result<(SendRow, SendRecord), SendOutcome>> {
        let record = SendRecord {
            message_id: kept.record.message_id.clone(),
            date: self.now(),
            return_ids: options.return_ids,
            keywords: Vec::new(),
            draft: Some(kept.record.draft.clone()),
            answers: kept.record.answers.clone(),
            scheduled_for: at,
            handed_over_at: None,
            submitted: None,
            attempts: 0,
            outcome: None,
            failure: None,
            never_begun: false,
        };
        let until = self.held_until();
        let idempotency = options.idempotency.as_ref();
        let mut row = SendRow {
            id: SendId(random_number()),
            account: account.id,
            key: idempotency.map(key_of),
            request: idempotency
                .map(|idempotency| idempotency.request)
                .unwrap_or_default(),
            draft: Some(kept.row.id),
            state: SendState::Queued,
            due_at: Some(at.unwrap_or_else(|| self.now())),
            holder: Some(self.inner.process.clone()),
            held_until: Some(until),
            version: 0,
            record: to_value(&record)?,
            content: None,
            created_at: at.unwrap_or_else(|| self.now()),
        };
        let earlier = match self.inner.store.open_send(&row).await? {
            OpenedSend::New => return Ok(Ok((row, record))),
            OpenedSend::Existing(earlier) => *earlier,
        };
        let (number, version) = (earlier.id, earlier.version);
        if let Earlier::Answered(outcome) = self.earlier(earlier, &row.request)?
            && (!matches!(outcome, SendOutcome::Scheduled { .. })
                || kept.record.send == Some(number.0))
        {
            return Ok(Err(outcome));
        }
        row.id = number;
        row.version = version;
        if !self.inner.store.write_send(&row).await? {
            return Err(in_progress());
        }
        row.version += 1;
        Ok(Ok((row, record)))
    }

    /// Ends a send that waits for its time, unless it has this key: then it is the one that is asked for.
    ///
    /// # Errors
    /// `Conflict` where it is being sent; `NotFound` where it was.
    pub(super) async fn call_off(
        &self,
        account: &Account,
        kept: &Kept,
        key: Option<[u8; 32]>,
    ) -> OperationResult<()> {
        let Some(number) = kept.record.send else {
            return Ok(());
        };
        let Some(row) = self.inner.store.send(account.id, SendId(number)).await? else {
            return Ok(());
        };
        if key.is_some() && row.key == key {
            return Ok(());
        }
        match row.state {
            SendState::Failed | SendState::Cancelled => Ok(()),
            SendState::Unknown if row.due_at.is_none() => Ok(()),
            SendState::Sent => Err(OperationError::not_found("draft")),
            SendState::Queued if !self.is_held(&row) => self.cancel(row).await,
            SendState::Queued | SendState::Sending | SendState::Unknown | SendState::Accepted => {
                Err(in_progress())
            }
        }
    }

    /// # Errors
    /// `Conflict` where the draft is being sent.
    pub(super) async fn refuse_while_sending(
        &self,
        account: &Account,
        kept: &Kept,
    ) -> OperationResult<()> {
        let Some(number) = kept.record.send else {
            return Ok(());
        };
        let row = self.inner.store.send(account.id, SendId(number)).await?;
        if row.as_ref().is_some_and(is_given_up) {
            return Ok(());
        }
        match row.map(|row| (row.state, self.is_held(&row))) {
            None | Some((SendState::Failed | SendState::Cancelled, _)) => Ok(()),
            Some((SendState::Queued, false)) => Ok(()),
            Some((SendState::Sent, _)) => Err(OperationError::not_found("draft")),
            Some(_) => Err(in_progress()),
        }
    }

    async fn is_unknown_for_good(&self, account: &Account, kept: &Kept) -> OperationResult<bool> {
        let Some(number) = kept.record.send else {
            return Ok(false);
        };
        let row = self.inner.store.send(account.id, SendId(number)).await?;
        Ok(row.as_ref().is_some_and(is_given_up))
    }

    fn is_held(&self, row: &SendRow) -> bool {
        row.held_until.is_some_and(|until| until > self.now())
    }

    /// Ends a send that its draft never knew of, and that may be asked for again with its key.
    async fn never_begun(&self, mut row: SendRow, record: SendRecord) -> OperationResult<()> {
        let record = SendRecord {
            never_begun: true,
            ..record
        };
        row.record = to_value(&record)?;
        self.cancel(row).await
    }

    async fn cancel(&self, mut row: SendRow) -> OperationResult<()> {
        row.state = SendState::Cancelled;
        row.due_at = None;
        row.holder = None;
        row.held_until = None;
        row.content = None;
        match self.inner.store.write_send(&row).await? {
            true => Ok(()),
            false => Err(in_progress()),
        }
    }
}

/// Whether it was handed over, and nobody looks for it any more.
fn is_given_up(row: &SendRow) -> bool {
    row.state == SendState::Unknown && row.due_at.is_none()
}
