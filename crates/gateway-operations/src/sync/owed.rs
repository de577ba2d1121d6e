//! Messages that were reported without their content: reported again once it can be had.

use std::{sync::Arc, time::Duration};

use email_model::MessageId;
use gateway_store::{Account, Commit, LoadRequest, Seq};

use super::supervisor::AccountSync;
use crate::{Gateway, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox};

/// Most messages kept in mind for one account.
///
/// Only single messages that cannot be had come here: a page ends where the backend gives nothing more.
const MOST: usize = 1000;
/// Contents looked for at a time.
const AT_ONCE: usize = 50;
/// Until the next try, where some were not to be had.
const AGAIN: Duration = Duration::from_secs(60);

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

    /// Begins to look for the content that is owed, unless that goes on or was in vain a moment ago. Beside the passes, which
    /// clients wait for.
    pub(super) fn start_repaying(
        &self,
        sync: &Arc<AccountSync>,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &Arc<JournalHandle>,
    ) {
        let Some(turn) = sync.may_repay() else {
            return;
        };
        let (gateway, sync, account, mailbox, journal) = (
            self.clone(),
            Arc::clone(sync),
            account.clone(),
            mailbox.clone(),
            Arc::clone(journal),
        );
        self.inner.tasks.spawn(async move {
            let _held = turn;
            tokio::select! {
                () = gateway.inner.stopping.cancelled() => {}
                paid = gateway.repay(&account, &mailbox, &journal) => match paid {
                    Ok(true) => {}
                    Ok(false) => sync.repay_later(AGAIN),
                    Err(error) => {
                        tracing::debug!(account = %account.id, %error, "still no content");
                        sync.repay_later(AGAIN);
                    }
                },
            }
        });
    }

    /// Reports again those whose content can be had now, and keeps it for who comes for it; those that are gone are
    /// forgotten. Whether nothing is owed any more.
    async fn repay(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
    ) -> OperationResult<bool> {
        let owed = journal.journal().await?.record.owed;
        let mut is_all = true;
        for some in owed.chunks(AT_ONCE) {
            let request = LoadRequest {
                ids: some.to_vec(),
                ..LoadRequest::default()
            };
            let loaded = journal.store.load(journal.account, &request).await?;
            let settled = self
                .content_of(account, mailbox, journal, loaded.messages)
                .await?;
            // What the journal does not have any more is owed to nobody.
            is_all &= settled.failed.is_empty();
            let still_owed = |id: &MessageId| settled.failed.contains(id);
            let done = some.iter().copied().filter(|id| !still_owed(id)).collect();
            self.settle(journal, done, settled.found).await?;
        }
        Ok(is_all)
    }

    /// Takes messages off what is owed, and tells of those found once more.
    async fn settle(
        &self,
        journal: &JournalHandle,
        settled: Vec<MessageId>,
        found: Vec<MessageId>,
    ) -> OperationResult<()> {
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
