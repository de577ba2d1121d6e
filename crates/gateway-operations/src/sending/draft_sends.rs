//! Sending a draft, now or at a time.

use email_model::{DraftId, Timestamp};
use gateway_store::{Account, OpenedSend, SendId, SendRow, SendState};

use super::{
    SendOptions, SendOutcome,
    answers::{Earlier, key_of},
    delivery::{Delivery, answer_in_time, in_progress, unconfirmed},
    kept_drafts::Kept,
    messages::random_number,
    record::{SendRecord, to_value},
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
        if let Some(idempotency) = &options.idempotency {
            let key = key_of(idempotency);
            if let Some(row) = self.inner.store.send_of_key(account.id, &key).await?
                && let Earlier::Answered(outcome) = self.earlier(row, &idempotency.request)?
            {
                return Ok(outcome);
            }
        }
        let (gateway, account) = (self.clone(), account.clone());
        let sending = self
            .inner
            .tasks
            .spawn(async move { gateway.begin_draft_send(&account, id, at, &options).await });
        answer_in_time(sending).await
    }

    /// Goes on when the caller stops waiting: what is in the outbox is known to its draft.
    async fn begin_draft_send(
        &self,
        account: &Account,
        id: DraftId,
        at: Option<Timestamp>,
        options: &SendOptions,
    ) -> OperationResult<SendOutcome> {
        let mut kept = self.kept_draft(account, id).await?;
        if kept.mailbox.provider.submitter().is_none() {
            return Err(OperationError::new(
                OperationErrorKind::NotSupported,
                "send: this mailbox cannot send",
            ));
        }
        let at = at.filter(|at| *at > self.now());
        if self.is_unknown_for_good(account, &kept).await? {
            return Err(unconfirmed());
        }
        self.call_off(account, &kept).await?;
        let (row, record) = match self.open_draft_send(account, &kept, at, options).await? {
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
            self.cancel(row).await?;
            return Err(error);
        }
        if let Some(at) = at {
            self.inner.clerk.wake();
            return Ok(SendOutcome::Scheduled { at });
        }
        let delivery = Delivery {
            gateway: self,
            account,
            mailbox: kept.mailbox,
            journal: kept.journal,
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
            answers: None,
            scheduled_for: at,
            handed_over_at: None,
            submitted: None,
            attempts: 0,
            outcome: None,
            failure: None,
        };
        let until = self.held_until(None);
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
            holder: at.is_none().then(|| self.inner.process.clone()),
            held_until: at.is_none().then_some(until),
            version: 0,
            record: to_value(&record)?,
            content: None,
            created_at: at.unwrap_or_else(|| self.now()),
        };
        let earlier = match self.inner.store.open_send(&row).await? {
            OpenedSend::New => return Ok(Ok((row, record))),
            OpenedSend::Existing(earlier) => *earlier,
        };
        match self.earlier(earlier, &row.request)? {
            Earlier::Answered(outcome) => Ok(Err(outcome)),
            Earlier::Again(again) => {
                let (earlier, _) = *again;
                row.id = earlier.id;
                row.version = earlier.version;
                if !self.inner.store.write_send(&row).await? {
                    return Err(in_progress());
                }
                row.version += 1;
                Ok(Ok((row, record)))
            }
        }
    }

    /// Ends a send that waits for its time.
    ///
    /// # Errors
    /// `Conflict` where it is being sent; `NotFound` where it was.
    pub(super) async fn call_off(&self, account: &Account, kept: &Kept) -> OperationResult<()> {
        let Some(number) = kept.record.send else {
            return Ok(());
        };
        let Some(row) = self.inner.store.send(account.id, SendId(number)).await? else {
            return Ok(());
        };
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
