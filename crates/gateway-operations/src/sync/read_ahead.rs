//! Reading ahead: while a client takes a page with bodies, the contents of the one after it are fetched.
//!
//! It begins when the contents of the page before it are there, so that the two never compete, and it is only a guess: a
//! page that was not read ahead, or not to its end, fetches what is missing itself and tells of what it cannot have.

use std::sync::Arc;

use email_provider::Priority;
use gateway_store::{Account, Journal};
use tokio::sync::Mutex;

use super::{pages::step, supervisor::AccountSync, tokens::SyncToken};
use crate::{Gateway, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox};

/// Pages that this process reads ahead at once.
pub(super) const PAGES: usize = 4;
/// Contents that are fetched and kept at a time.
const AT_ONCE: usize = 50;

/// Held while a page of the account is read ahead.
pub(super) type Turn = Arc<Mutex<()>>;

/// A page that a client is likely to come for.
pub(super) struct PageAhead {
    pub account: Account,
    pub journal: Arc<JournalHandle>,
    /// The journal's row as it was for the page before.
    pub row: Journal,
    pub token: SyncToken,
    pub limit: u32,
}

impl Gateway {
    /// Waits while a page of the account is read ahead: it is likely the one that the client has come for. Half of the time
    /// that a page may take is left.
    pub(super) async fn wait_for_reading_ahead(&self, sync: &AccountSync) {
        let most = self.inner.config.page_wait / 2;
        let _ = tokio::time::timeout(most, sync.ahead.lock()).await;
    }

    /// Begins to take the contents of a page into memory, where that costs nothing that others need: not at backends that
    /// charge for reading, not while another page of the account is read ahead, and not if the mailbox is not open.
    pub(super) fn read_ahead(&self, sync: &AccountSync, page: PageAhead) {
        let Some(mailbox) = self.open_mailbox(page.account.id) else {
            return;
        };
        let budget = mailbox.budget.state();
        if budget.units_at_most.is_some() || !budget.paused_for.is_zero() {
            return;
        }
        let places = Arc::clone(&self.inner.supervisor.reading_ahead);
        let (Ok(turn), Ok(place)) = (
            Arc::clone(&sync.ahead).try_lock_owned(),
            places.try_acquire_owned(),
        ) else {
            return;
        };
        let gateway = self.clone();
        self.inner.tasks.spawn(async move {
            let _held = (turn, place);
            tokio::select! {
                () = gateway.inner.stopping.cancelled() => {}
                read = gateway.read_page_ahead(&mailbox, page) => {
                    if let Err(error) = read {
                        tracing::debug!(%error, "a page could not be read ahead");
                    }
                }
            }
        });
    }

    async fn read_page_ahead(&self, mailbox: &OpenMailbox, page: PageAhead) -> OperationResult<()> {
        let call = self.call(Priority::Background, self.inner.config.page_wait);
        let step = step(&page.journal, &page.row, page.token, page.limit, None).await?;
        let items = page.journal.items_of(&step.rows).await?;
        // What the memory cannot hold beside the other pages would be fetched in vain.
        let most = self.inner.config.content_cache_bytes / PAGES as u64;
        let mut octets = 0;
        for some in items.chunks(AT_ONCE) {
            octets += self
                .fetch_contents(&page.account, mailbox, &page.journal, some.to_vec(), call)
                .await?;
            if octets >= most {
                break;
            }
        }
        Ok(())
    }
}
