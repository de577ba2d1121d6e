//! After a message went out: the sender's copy, its keywords, its ids.

use email_provider::{
    Call, Detail, ErrorKind, MessageEdit, MessageRef, ProviderResult, Settled, Submission,
    Submitter, Unsettled,
};
use gateway_store::SendState;

use super::{delivery::Delivery, record::Outcome};
use crate::{AccountDetails, SentView};

/// How often the copy is looked for, at growing intervals.
const ATTEMPTS: u32 = 8;

impl Delivery<'_> {
    /// Sees to the copy of an accepted message. What cannot be done now is tried again later, and does not keep
    /// the caller.
    pub async fn finish(&mut self) -> SentView {
        let mut outcome = Outcome::default();
        let submitted = self.record.submitted.clone().unwrap_or_default();
        for refused in &submitted.refused {
            let remark = format!("{} was refused: {}", refused.address, refused.reason);
            outcome.remarks.push(remark);
        }
        let filed = self.lease.while_held(self.file()).await;
        let place = match filed.unwrap_or(Ok(None)) {
            Ok(place) => place,
            Err(error) => {
                tracing::debug!(account = %self.account.id, %error, "the copy of a sent message could not be seen to");
                None
            }
        };
        outcome.copy_missing = place.is_none();
        if outcome.copy_missing && self.submission().is_none() {
            let remark = "the sender's copy could not be filed: the gateway was stopped before";
            outcome.remarks.push(remark.to_owned());
        }
        if let Some(at) = place {
            self.look_at(at, &mut outcome).await;
        } else {
            outcome.keywords_failed = !self.record.keywords.is_empty();
        }
        let is_complete = !outcome.copy_missing || !self.keeps_copies();
        self.record.outcome = Some(outcome);
        let view = self.record.view();
        let noted = if is_complete || self.record.attempts >= ATTEMPTS {
            self.forget_expectation().await;
            let noted = self.let_go(SendState::Sent, None).await;
            self.forget_draft().await;
            noted
        } else {
            self.record.attempts += 1;
            let due = self.gateway.now() + super::settling::wait(self.record.attempts);
            self.let_go(SendState::Accepted, Some(due)).await
        };
        if let Err(error) = noted {
            tracing::warn!(account = %self.account.id, %error, "the copy of a sent message was not noted");
        }
        self.gateway
            .inner
            .contents
            .note_change(self.account.id, self.gateway.now());
        self.gateway.hint_pass(self.account.id);
        view
    }

    /// The draft that was sent is none any more; one that was sent at its time still tells of that.
    async fn forget_draft(&self) {
        let Some(draft) = self
            .row
            .draft
            .filter(|_| self.record.scheduled_for.is_none())
        else {
            return;
        };
        let removed = self
            .gateway
            .inner
            .store
            .remove_draft(self.account.id, draft);
        if let Err(error) = removed.await {
            tracing::debug!(account = %self.account.id, %error, "a draft that was sent is still known");
        }
    }

    fn keeps_copies(&self) -> bool {
        AccountDetails::of(self.account).copy_to_sent != Some(false)
    }

    async fn file(&self) -> ProviderResult<Option<MessageRef>> {
        let call = self.call();
        let submitted = self.record.submitted.clone().unwrap_or_default();
        let Ok(submitter) = self.submitter() else {
            return Ok(None);
        };
        match self.submission() {
            Some(submission @ Submission::Draft(draft)) => {
                // A backend that sends drafts alone files what it sends, under the name of the draft.
                if self.keeps_copies() || submitter.limits().drafts_only {
                    return submitter.file(call, submission, &submitted).await;
                }
                if let Some(drafts) = self.mailbox.provider.drafts() {
                    match drafts.discard(call, draft).await {
                        Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                }
                self.find(submitter, call).await
            }
            Some(submission @ Submission::Message(_)) if self.keeps_copies() => {
                submitter.file(call, submission, &submitted).await
            }
            // Nothing to file it from, or not wanted: the backend may have done so.
            _ => self.find(submitter, call).await,
        }
    }

    async fn find(
        &self,
        submitter: &dyn Submitter,
        call: Call,
    ) -> ProviderResult<Option<MessageRef>> {
        match submitter.settle(call, self.unsettled()).await? {
            Settled::Sent(place) => Ok(place),
            Settled::NotSent | Settled::Unknown => Ok(None),
        }
    }

    pub fn unsettled(&self) -> Unsettled<'_> {
        Unsettled {
            message_id: &self.record.message_id,
            draft: self.record.draft.as_ref(),
            since: self.record.handed_over_at.unwrap_or(self.row.created_at),
        }
    }

    /// Keywords and ids of the copy.
    async fn look_at(&self, mut at: MessageRef, outcome: &mut Outcome) {
        let provider = &self.mailbox.provider;
        let call = self.gateway.interactive();
        if !self.record.keywords.is_empty() {
            let edit = MessageEdit {
                keywords: Some(self.record.keywords.clone()),
                ..MessageEdit::default()
            };
            match provider.update(call, &at, &edit).await {
                Ok(moved) => at = moved.unwrap_or(at),
                Err(error) => {
                    outcome.keywords_failed = true;
                    outcome.remarks.push(format!("keywords: {}", error.message));
                }
            }
        }
        let refs = [at];
        let fetched = match provider.fetch(call, &refs, Detail::Envelope).await {
            Ok(fetched) => fetched,
            Err(error) => {
                tracing::debug!(account = %self.account.id, %error, "a sent message was not read");
                return;
            }
        };
        let recognised = self
            .gateway
            .recognise(&self.mailbox, &self.journal, call, &fetched)
            .await;
        match recognised {
            Ok(recognised) => {
                if let Some((id, row)) = recognised.into_iter().next() {
                    outcome.id = Some(id);
                    outcome.thread = row.thread;
                }
            }
            Err(error) => {
                tracing::debug!(account = %self.account.id, %error, "a sent message has no id yet");
            }
        }
    }

    pub async fn forget_expectation(&self) {
        if self.row.draft.is_none() {
            return;
        }
        if let Err(error) = self.journal.found(&self.record.message_id).await {
            tracing::debug!(account = %self.account.id, %error, "an expected message is still waited for");
        }
    }
}
