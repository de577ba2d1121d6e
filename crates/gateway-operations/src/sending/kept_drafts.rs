//! The drafts that the gateway knows: which message each is, and what the backend calls it.

use chrono::Duration;
use email_model::{DraftId, Flags, MessageId, Timestamp};
use email_provider::{Detail, DraftQuery, KeptDraft, MessageEdit};
use gateway_store::{Account, DraftRow, ExpectedMessage, MessageRow, StoreError};

use super::{
    delivery::{Delivery, drafts_of},
    record::{DraftRecord, to_value},
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
    /// Somebody else has changed the draft, and the mailbox made another message of it.
    pub(super) async fn find_again(
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
    pub(super) async fn first_look(
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
