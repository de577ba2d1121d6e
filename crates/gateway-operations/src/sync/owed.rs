//! Messages that were reported without their content: reported again once it can be had.

use email_model::MessageId;
use email_provider::Detail;
use gateway_store::{Account, Commit, LoadRequest, Seq};

use crate::{Gateway, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox};

/// Most messages kept in mind for one account.
const MOST: usize = 1000;

impl Gateway {
    /// Keeps in mind messages that a page named without content.
    pub(super) async fn owe(
        &self,
        journal: &JournalHandle,
        ids: Vec<MessageId>,
    ) -> OperationResult<()> {
        journal
            .amend_record(|record| {
                record.owed.extend(&ids);
                record.owed.sort_unstable();
                record.owed.dedup();
                record.owed.truncate(MOST);
            })
            .await?;
        Ok(())
    }

    /// Reports again those whose content can be had now; those that are gone are forgotten.
    pub(super) async fn repay(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
    ) -> OperationResult<()> {
        let owed = journal.journal().await?.record.owed;
        if owed.is_empty() {
            return Ok(());
        }
        let places = journal.places_of(owed.clone()).await?;
        let mut settled: Vec<MessageId> = owed
            .iter()
            .filter(|id| !places.contains_key(id))
            .copied()
            .collect();
        let mut found = Vec::new();
        for (id, at) in places {
            match mailbox
                .provider
                .fetch(self.background(), &[at], Detail::Content)
                .await
            {
                Ok(read) if read.is_empty() => settled.push(id),
                Ok(_) => found.push(id),
                Err(error) => {
                    tracing::debug!(account = %account.id, kind = ?error.kind, "still no content")
                }
            }
        }
        settled.extend(&found);
        if settled.is_empty() {
            return Ok(());
        }
        let now = self.now().timestamp_micros();
        let request = LoadRequest {
            ids: found,
            ..LoadRequest::default()
        };
        journal
            .amend(&request, |loaded, _| {
                let state = &loaded.journal;
                let mut head = state.head.0;
                let mut messages = Vec::new();
                for mut row in loaded.messages.iter().cloned() {
                    if row.seq.is_announced() && !row.gone {
                        head = (head + 1).max(now);
                        row.seq = Seq(head);
                        messages.push(row);
                    }
                }
                let mut record = state.record.clone();
                record.owed.retain(|id| !settled.contains(id));
                let head = (head > state.head.0).then_some(Seq(head));
                Ok(Some((
                    Commit {
                        head,
                        messages,
                        record: Some(record),
                        ..Commit::default()
                    },
                    (),
                )))
            })
            .await?;
        Ok(())
    }
}
