//! Drafts that are sent at their time.

use gateway_store::{SendRow, SendState};

use super::{
    ScheduledSend, ScheduledStatus, delivery::Delivery, kept_drafts::Kept, record::SendRecord,
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// How long a scheduled send is tried while the provider is down.
const TRIED_FOR: chrono::Duration = chrono::Duration::hours(24);

impl Delivery<'_> {
    /// Sends the draft whose time has come. Nothing of it has been handed over.
    pub async fn send_scheduled(mut self) -> OperationResult<()> {
        let kept = match self.scheduled_draft().await {
            Ok(Some(kept)) => kept,
            Ok(None) => {
                self.failed(OperationError::not_found("draft")).await;
                return Ok(());
            }
            Err(error) => {
                let error = self.failed(error).await;
                return match may_pass(&error) {
                    true => self.try_later(&error).await,
                    false => Ok(()),
                };
            }
        };
        if kept.record.send != Some(self.row.id.0) {
            // The draft knows of another send: this one was begun and never answered.
            return self.let_go(SendState::Cancelled, None).await;
        }
        self.record.draft = Some(kept.record.draft);
        self.expect(&kept.row).await?;
        let (gateway, account) = (self.gateway, self.account);
        let (mailbox, journal) = (self.mailbox.clone(), self.journal.clone());
        let id = self.row.id;
        match self.deliver().await {
            Ok(_) => Ok(()),
            Err(error) if may_pass(&error) => {
                let Some(row) = gateway.inner.store.send(account.id, id).await? else {
                    return Ok(());
                };
                let mut again = Delivery {
                    gateway,
                    account,
                    mailbox,
                    journal,
                    record: SendRecord::of(&row)?,
                    lease: gateway.lease(&row),
                    row,
                    outgoing: None,
                };
                again.try_later(&error).await
            }
            Err(_) => Ok(()),
        }
    }

    /// The draft as it is now: whoever changed it meanwhile wants it sent as it was changed.
    async fn scheduled_draft(&self) -> OperationResult<Option<Kept>> {
        let Some(id) = self.row.draft else {
            return Ok(None);
        };
        let found = match self.gateway.kept_draft(self.account, id).await {
            Ok(mut kept) => {
                let refreshed = self.gateway.refresh_draft(self.account, &mut kept).await;
                refreshed.map(|()| kept)
            }
            Err(error) => Err(error),
        };
        match found {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if error.kind == OperationErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What was not handed over is tried again, for a day.
    async fn try_later(&mut self, error: &OperationError) -> OperationResult<()> {
        if self.row.state != SendState::Failed {
            return Ok(());
        }
        let now = self.gateway.now();
        let since = self.record.scheduled_for.unwrap_or(self.row.created_at);
        if now.signed_duration_since(since) > TRIED_FOR {
            return Ok(());
        }
        self.record.attempts += 1;
        self.record.failure = Some(error.message.clone());
        let wait = super::settling::wait(self.record.attempts + 2);
        let wait = error.retry_after.map_or(wait, |asked| asked.max(wait));
        self.let_go(SendState::Queued, Some(now + wait)).await
    }
}

/// Whether the same may work later.
fn may_pass(error: &OperationError) -> bool {
    matches!(
        error.kind,
        OperationErrorKind::ProviderUnavailable
            | OperationErrorKind::RateLimited
            | OperationErrorKind::MailboxUnavailable
            | OperationErrorKind::TokenRefreshFailed
            // It is being changed at this moment.
            | OperationErrorKind::Conflict
    )
}

impl Gateway {
    /// The mailbox of a send cannot be opened now, or not any more.
    pub(super) async fn out_of_reach(
        &self,
        mut row: SendRow,
        mut record: SendRecord,
        error: OperationError,
    ) -> OperationResult<()> {
        let now = self.now();
        let is_over = matches!(
            error.kind,
            OperationErrorKind::TokenDead | OperationErrorKind::Forbidden
        );
        let since = record.scheduled_for.unwrap_or(row.created_at);
        let is_late = now.signed_duration_since(since) > TRIED_FOR;
        record.attempts += 1;
        record.failure = Some(error.message.clone());
        let wait = super::settling::wait(record.attempts + 2);
        (row.state, row.due_at) = match row.state {
            SendState::Queued if is_over || is_late => (SendState::Failed, None),
            SendState::Sending | SendState::Unknown if is_late => (SendState::Unknown, None),
            SendState::Accepted if is_late => (SendState::Sent, None),
            SendState::Sending => (SendState::Unknown, Some(now + wait)),
            state => (state, Some(now + wait)),
        };
        row.holder = None;
        row.held_until = None;
        row.record = super::record::to_value(&record)?;
        self.inner.store.write_send(&row).await?;
        Ok(())
    }
}

/// A send as its draft tells of it. `None`: it was not scheduled.
pub(super) fn scheduled(row: &SendRow) -> OperationResult<Option<ScheduledSend>> {
    let record = SendRecord::of(row)?;
    let Some(send_time) = record.scheduled_for else {
        return Ok(None);
    };
    let (status, error_message) = match row.state {
        SendState::Cancelled => return Ok(None),
        SendState::Queued | SendState::Sending => (ScheduledStatus::Scheduled, record.failure),
        SendState::Unknown if row.due_at.is_some() => (ScheduledStatus::Scheduled, None),
        SendState::Unknown => {
            let unknown = "it was handed over and no answer came";
            (ScheduledStatus::Failed, Some(unknown.to_owned()))
        }
        SendState::Accepted | SendState::Sent => (ScheduledStatus::Sent, None),
        SendState::Failed => (ScheduledStatus::Failed, record.failure),
    };
    Ok(Some(ScheduledSend {
        job: row.id.0,
        send_time,
        status,
        error_message,
    }))
}
