//! Drafts: made, changed, read, removed, sent.

use chrono::Duration;
use email_mime::compose::Purpose;
use email_model::{DraftId, Flags, MessageId, Timestamp};
use email_provider::{
    Call, Detail, DraftQuery, ErrorKind, KeptDraft, MessageEdit, Outgoing, Priority, ProviderResult,
};
use gateway_store::{Account, DraftRow, ExpectedMessage, MessageRow, StoreError};

use super::{
    DraftView, NewMessage, SavedDraft,
    compose::{Stamp, outgoing},
    delivery::{Delivery, drafts_of},
    messages::random_number,
    record::{DraftRecord, to_value},
    scheduled::scheduled,
};
use crate::{
    Gateway, OperationError, OperationErrorKind, OperationResult, ReadRequest,
    journal::JournalHandle, mailboxes::OpenMailbox,
};

/// How long a message that was put into another place is waited for.
const EXPECTED: Duration = Duration::minutes(15);
/// How often a new draft is looked for before it has an id.
const LOOKS: u32 = 5;

/// A draft of the gateway's, and what it takes to change it.
pub(super) struct Kept {
    pub row: DraftRow,
    pub record: DraftRecord,
    pub mailbox: OpenMailbox,
    pub journal: std::sync::Arc<JournalHandle>,
}

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
        let (asked, holds) = self.written(account, message, &self.stamp())?;
        let composed = outgoing(asked, holds, Purpose::Draft, limits, None)?;
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
            answers: None,
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
        let (asked, holds) = self.written(account, message, &stamp)?;
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
        kept.journal.found(&kept.record.message_id).await?;
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
    async fn look_again(
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

    /// Somebody else has changed the draft, and the mailbox made another message of it.
    async fn find_again(
        &self,
        account: &Account,
        kept: &mut Kept,
        request: ReadRequest,
    ) -> OperationResult<crate::MessageView> {
        let query = DraftQuery::MessageId(kept.record.message_id.clone());
        let found = drafts_of(&kept.mailbox)?
            .find(self.interactive(), &query)
            .await;
        let Some(found) = self.told(account, found).await? else {
            if self
                .inner
                .store
                .send_of_draft(account.id, kept.row.id)
                .await?
                .is_none()
            {
                self.inner
                    .store
                    .remove_draft(account.id, kept.row.id)
                    .await?;
            }
            return Err(OperationError::not_found("draft"));
        };
        self.look_again(account, kept, found, &[]).await?;
        self.message(account, kept.row.message, request).await
    }

    /// Asks the backend for its name of a draft that somebody else may have changed.
    pub(super) async fn refresh_draft(
        &self,
        account: &Account,
        kept: &mut Kept,
    ) -> OperationResult<()> {
        let at = match self.place_of(account, kept.row.message).await {
            Err(error) if error.kind == OperationErrorKind::NotFound => None,
            answer => answer?,
        };
        let call = self.interactive();
        let mut found = None;
        if let Some(at) = at {
            let query = DraftQuery::Message(at);
            let answer = drafts_of(&kept.mailbox)?.find(call, &query).await;
            found = self.told(account, answer).await?;
        }
        if found.is_none() {
            let query = DraftQuery::MessageId(kept.record.message_id.clone());
            let answer = drafts_of(&kept.mailbox)?.find(call, &query).await;
            found = self.told(account, answer).await?;
        }
        if let Some(found) = found {
            kept.record.draft = found.draft;
            kept.record.stale = false;
            self.write_draft(account, kept).await?;
        }
        Ok(())
    }

    /// Removes a draft for good, and with it the send that it is scheduled for.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it is being sent.
    pub async fn delete_draft(&self, account: &Account, id: DraftId) -> OperationResult<()> {
        let kept = self.kept_draft(account, id).await?;
        self.call_off(account, &kept).await?;
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

    /// A draft of ours, or one that somebody else made, by the id of its message.
    pub(super) async fn kept_draft(&self, account: &Account, id: DraftId) -> OperationResult<Kept> {
        let (mailbox, journal) = self.reach(account).await?;
        let message = MessageId(id.0);
        let row = match self.inner.store.draft(account.id, id).await? {
            Some(row) => Some(row),
            None => {
                self.inner
                    .store
                    .draft_of_message(account.id, message)
                    .await?
            }
        };
        if let Some(row) = row {
            let record = DraftRecord::of(&row.record)?;
            return Ok(Kept {
                row,
                record,
                mailbox,
                journal,
            });
        }
        let not_found = || OperationError::not_found("draft");
        let Some((found, places)) = journal.places(message).await? else {
            return Err(not_found());
        };
        let at = places
            .into_iter()
            .next()
            .filter(|_| is_draft(&found))
            .ok_or_else(not_found)?;
        let query = DraftQuery::Message(at);
        let draft = drafts_of(&mailbox)?.find(self.interactive(), &query).await;
        let draft = self.told(account, draft).await?.ok_or_else(not_found)?;
        let message_id = found.message_id.clone();
        let record = DraftRecord {
            draft: draft.draft,
            message_id: message_id.ok_or_else(not_found)?,
            web_link: draft.web_link,
            answers: None,
            send: None,
            stale: false,
        };
        let row = DraftRow {
            id,
            message,
            version: 0,
            record: to_value(&record)?,
        };
        match self.inner.store.insert_draft(account.id, &row).await {
            Ok(()) | Err(StoreError::Exists) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Kept {
            row,
            record,
            mailbox,
            journal,
        })
    }

    /// # Errors
    /// `Conflict` where somebody else has written it.
    pub(super) async fn write_draft(
        &self,
        account: &Account,
        kept: &mut Kept,
    ) -> OperationResult<()> {
        kept.row.record = to_value(&kept.record)?;
        if !self.inner.store.write_draft(account.id, &kept.row).await? {
            return Err(OperationError::new(
                OperationErrorKind::Conflict,
                "the draft is being changed by another request",
            ));
        }
        kept.row.version += 1;
        Ok(())
    }

    /// The id of a draft's message, read as it is now. The backend may need a moment to show it.
    async fn first_look(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        kept: &KeptDraft,
        keywords: &[String],
    ) -> OperationResult<MessageId> {
        let call = self.interactive();
        let mut at = kept.at.clone();
        if !keywords.is_empty() {
            let edit = MessageEdit {
                keywords: Some(keywords.to_vec()),
                ..MessageEdit::default()
            };
            let edited = mailbox.provider.update(call, &at, &edit).await;
            at = self.told(account, edited).await?.unwrap_or(at);
        }
        for attempt in 0..LOOKS {
            let refs = std::slice::from_ref(&at);
            let fetched = mailbox.provider.fetch(call, refs, Detail::Envelope).await;
            let fetched = self.told(account, fetched).await?;
            let recognised = self.recognise(mailbox, journal, call, &fetched).await?;
            if let Some((id, _)) = recognised.first() {
                return Ok(*id);
            }
            tokio::time::sleep(super::settling::wait(attempt)).await;
        }
        Err(OperationError::new(
            OperationErrorKind::Provider,
            "the draft was kept, and the mailbox does not show it",
        ))
    }

    pub(super) async fn expect(
        &self,
        journal: &JournalHandle,
        record: &DraftRecord,
        message: MessageId,
    ) -> OperationResult<()> {
        let now: Timestamp = self.now();
        let expected = ExpectedMessage {
            message_id: record.message_id.clone(),
            id: message,
            until: now + EXPECTED,
        };
        Ok(journal.expect(&expected, now).await?)
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

impl Delivery<'_> {
    /// The sent message is the one that the draft was.
    pub async fn expect(&self, draft: &DraftRow) -> OperationResult<()> {
        let record = DraftRecord::of(&draft.record)?;
        self.gateway
            .expect(&self.journal, &record, draft.message)
            .await
    }
}

fn is_draft(row: &MessageRow) -> bool {
    let flags = row.labels.as_ref().map(|labels| labels.flags);
    !row.gone && flags.is_some_and(|flags| flags.contains(Flags::DRAFT))
}

fn gone_is_done(error: email_provider::ProviderError) -> ProviderResult<()> {
    match error.kind {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}
