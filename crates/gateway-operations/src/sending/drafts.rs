//! Drafts: made, changed, read, removed, sent.

use email_mime::compose::Purpose;
use email_model::DraftId;
use email_provider::{Call, DraftQuery, ErrorKind, KeptDraft, Outgoing, Priority, ProviderResult};
use gateway_store::{Account, DraftRow};

use super::{
    DraftView, NewMessage, SavedDraft,
    compose::{Stamp, outgoing},
    delivery::drafts_of,
    kept_drafts::Kept,
    messages::random_number,
    record::{DraftRecord, to_value},
    scheduled::scheduled,
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult, ReadRequest};

impl Gateway {
    /// Keeps a draft.
    ///
    /// # Errors
    /// `Unprocessable` names the field that cannot be; `NotSupported` where the mailbox keeps no drafts.
    pub async fn create_draft(
        &self,
        account: &Account,
        message: NewMessage,
    ) -> OperationResult<SavedDraft> {
        let (mailbox, journal) = self.reach(account).await?;
        let drafts = drafts_of(&mailbox)?;
        let keywords = message.keywords.clone();
        let limits = mailbox
            .provider
            .submitter()
            .map(|submitter| submitter.limits());
        let parent = message.in_reply_to.clone();
        let (asked, holds) = self.written(account, message, &self.stamp())?;
        let answers = self
            .parent_if_found(account, &mailbox, &journal, parent.as_deref())
            .await;
        let composed = outgoing(asked, holds, Purpose::Draft, limits, answers)?;
        let call = self.transfer(&composed);
        let kept = match drafts.create(call, &composed).await {
            Err(error) if error.kind == ErrorKind::OutcomeUnknown => {
                let query = DraftQuery::MessageId(composed.message_id.clone());
                drafts
                    .find(call, &query)
                    .await
                    .and_then(|found| found.ok_or(error))
            }
            answer => answer,
        };
        let kept = self.told(account, kept).await?;
        let message = self
            .first_look(account, &mailbox, &journal, &kept, &keywords)
            .await?;
        let id = DraftId(random_number().unsigned_abs());
        let record = DraftRecord {
            draft: kept.draft,
            message_id: composed.message_id.clone(),
            web_link: kept.web_link.clone(),
            answers: composed.answers.clone(),
            send: None,
            stale: false,
        };
        let row = DraftRow {
            id,
            message,
            version: 0,
            record: to_value(&record)?,
        };
        self.inner.store.insert_draft(account.id, &row).await?;
        self.changed(account);
        Ok(SavedDraft {
            id,
            web_link: kept.web_link,
        })
    }

    /// Puts another content in the place of a draft's; its ids stay, and so does the time at which it is to be
    /// sent.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where somebody else has changed it since it was read, or it is being sent; those
    /// of [`Self::create_draft`].
    pub async fn update_draft(
        &self,
        account: &Account,
        id: DraftId,
        message: NewMessage,
    ) -> OperationResult<SavedDraft> {
        let mut kept = self.kept_draft(account, id).await?;
        self.refuse_while_sending(account, &kept).await?;
        let keywords = message.keywords.clone();
        let stamp = Stamp {
            message_id: Some(kept.record.message_id.clone()),
            ..self.stamp()
        };
        let parent = message.in_reply_to.clone();
        let (asked, holds) = self.written(account, message, &stamp)?;
        if let Some(parent) = parent {
            let found = self
                .parent(account, &kept.mailbox, &kept.journal, &parent)
                .await;
            match found {
                Ok(found) => kept.record.answers = found,
                Err(error) => {
                    tracing::debug!(account = %account.id, %error, "what a draft answers could not be looked for");
                }
            }
        }
        let limits = kept
            .mailbox
            .provider
            .submitter()
            .map(|submitter| submitter.limits());
        let answers = kept.record.answers.clone();
        let composed = outgoing(asked, holds, Purpose::Draft, limits, answers)?;
        self.expect(&kept.journal, &kept.record, kept.row.message)
            .await?;
        let replaced = self.replace(account, &mut kept, &composed).await;
        let saved = match replaced {
            Ok(revised) => {
                self.look_again(account, &mut kept, revised, &keywords)
                    .await
            }
            Err(error) => Err(error),
        };
        if saved.as_ref().err().is_none_or(leaves_it_as_it_was)
            && let Err(error) = kept.journal.found(&kept.record.message_id).await
        {
            tracing::debug!(account = %account.id, %error, "an expected message is still waited for");
        }
        self.changed(account);
        saved
    }

    async fn replace(
        &self,
        account: &Account,
        kept: &mut Kept,
        composed: &Outgoing,
    ) -> OperationResult<KeptDraft> {
        let call = self.transfer(composed);
        let drafts = drafts_of(&kept.mailbox)?;
        let answer = match drafts.replace(call, &kept.record.draft, composed).await {
            Err(error) if error.kind == ErrorKind::OutcomeUnknown => {
                let query = DraftQuery::MessageId(composed.message_id.clone());
                drafts
                    .find(call, &query)
                    .await
                    .and_then(|found| found.ok_or(error))
            }
            answer => answer,
        };
        let refused = answer.as_ref().err().map(|error| error.kind);
        match refused {
            Some(ErrorKind::Conflict) => {
                kept.record.stale = true;
                self.write_draft(account, kept).await?;
            }
            Some(ErrorKind::NotFound) => {
                self.inner
                    .store
                    .remove_draft(account.id, kept.row.id)
                    .await?;
            }
            _ => {}
        }
        self.told(account, answer).await
    }

    /// Notes a draft's new place; its message keeps its id.
    pub(super) async fn look_again(
        &self,
        account: &Account,
        kept: &mut Kept,
        revised: KeptDraft,
        keywords: &[String],
    ) -> OperationResult<SavedDraft> {
        kept.record.draft = revised.draft.clone();
        kept.record.web_link.clone_from(&revised.web_link);
        kept.record.stale = false;
        self.write_draft(account, kept).await?;
        let (mailbox, journal) = (kept.mailbox.clone(), kept.journal.clone());
        let message = self
            .first_look(account, &mailbox, &journal, &revised, keywords)
            .await?;
        if message != kept.row.message {
            // Somebody may have asked for the message as a draft of its own.
            if let Some(other) = self
                .inner
                .store
                .draft_of_message(account.id, message)
                .await?
            {
                self.inner.store.remove_draft(account.id, other.id).await?;
            }
            kept.row.message = message;
            self.write_draft(account, kept).await?;
        }
        Ok(SavedDraft {
            id: kept.row.id,
            web_link: revised.web_link,
        })
    }

    /// A draft as it is now.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn draft(
        &self,
        account: &Account,
        id: DraftId,
        request: ReadRequest,
    ) -> OperationResult<DraftView> {
        let mut kept = self.kept_draft(account, id).await?;
        let message = match self.message(account, kept.row.message, request).await {
            Err(error) if error.kind == OperationErrorKind::NotFound => {
                self.find_again(account, &mut kept, request).await?
            }
            answer => answer?,
        };
        if kept.record.stale {
            self.refresh_draft(account, &mut kept).await?;
        }
        let send = self
            .inner
            .store
            .send_of_draft(account.id, kept.row.id)
            .await?;
        let scheduled = send.as_ref().map(scheduled).transpose()?.flatten();
        Ok(DraftView {
            id: kept.row.id,
            message,
            scheduled,
        })
    }

    /// Removes a draft for good, and with it the send that it is scheduled for.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it is being sent.
    pub async fn delete_draft(&self, account: &Account, id: DraftId) -> OperationResult<()> {
        let kept = self.kept_draft(account, id).await?;
        self.call_off(account, &kept, None).await?;
        let call = self.interactive();
        let drafts = drafts_of(&kept.mailbox)?;
        let removed = match drafts.discard(call, &kept.record.draft).await {
            // The same once more does no harm.
            Err(error) if error.kind == ErrorKind::OutcomeUnknown => drafts
                .discard(call, &kept.record.draft)
                .await
                .or_else(gone_is_done),
            answer => answer,
        };
        let is_gone = matches!(&removed, Err(error) if error.kind == ErrorKind::NotFound);
        if is_gone || removed.is_ok() {
            self.inner
                .store
                .remove_draft(account.id, kept.row.id)
                .await?;
        }
        self.told(account, removed).await?;
        self.changed(account);
        Ok(())
    }

    fn transfer(&self, composed: &Outgoing) -> Call {
        let octets = composed.octets.length(email_provider::MessageCopy::Kept);
        self.call(Priority::Interactive, self.patience(Some(octets)))
    }

    fn changed(&self, account: &Account) {
        self.inner.contents.note_change(account.id, self.now());
        self.hint_pass(account.id);
    }
}

/// Whether a failed change has certainly not been made.
fn leaves_it_as_it_was(error: &OperationError) -> bool {
    matches!(
        error.kind,
        OperationErrorKind::Conflict
            | OperationErrorKind::NotFound
            | OperationErrorKind::Unprocessable
            | OperationErrorKind::Forbidden
    )
}

fn gone_is_done(error: email_provider::ProviderError) -> ProviderResult<()> {
    match error.kind {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}
