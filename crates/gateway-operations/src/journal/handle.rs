//! An account's journal, as this process knows it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use gateway_store::{
    AccountId, Journal, NewJournal, Store, StoreError, StoreResult,
    sealing::{Place, Sealer},
};
use secrecy::SecretBox;

use super::{Directory, lineage::extended};
use crate::{Gateway, OperationError, OperationResult, mailboxes::OpenMailbox};

/// The journals of this process.
#[derive(Debug, Default)]
pub(crate) struct Journals {
    open: Mutex<HashMap<AccountId, Arc<JournalHandle>>>,
}

impl Journals {
    fn get(&self, account: AccountId) -> Option<Arc<JournalHandle>> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&account)
            .cloned()
    }

    /// Keeps a handle, unless another task has opened the same journal meanwhile; returns the one
    /// that is kept, so that all tasks share one directory and one lock.
    fn keep(&self, handle: JournalHandle) -> Arc<JournalHandle> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get(&handle.account) {
            Some(kept) if kept.mailbox == handle.mailbox && kept.epoch == handle.epoch => {
                Arc::clone(kept)
            }
            _ => {
                let handle = Arc::new(handle);
                open.insert(handle.account, Arc::clone(&handle));
                handle
            }
        }
    }

    pub fn forget(&self, account: AccountId) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&account);
    }
}

/// An account's journal. Commits of one process go one after another, so that they meet conflicts
/// only with other processes.
#[derive(Debug)]
pub(crate) struct JournalHandle {
    pub account: AccountId,
    /// The root of every id.
    pub mailbox: Arc<str>,
    pub epoch: i64,
    /// Opens and seals envelopes and tokens.
    pub sealer: Sealer,
    pub store: Arc<dyn Store>,
    pub(super) committing: tokio::sync::Mutex<()>,
    directory: RwLock<Arc<Directory>>,
}

impl JournalHandle {
    /// Folders and scopes as last seen.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(
            &self
                .directory
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(super) fn set_directory(&self, directory: Directory) {
        *self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }

    /// Reads folders and scopes anew.
    pub async fn reload(&self) -> StoreResult<Arc<Directory>> {
        // What is read here must not take the place of what is committed meanwhile.
        let _lock = self.committing.lock().await;
        self.reload_while_committing().await
    }

    /// As [`Self::reload`]; the caller holds `committing`.
    pub(super) async fn reload_while_committing(&self) -> StoreResult<Arc<Directory>> {
        let folders = self.store.folders(self.account).await?;
        let scopes = self.store.scopes(self.account).await?;
        self.set_directory(Directory::new(folders, scopes));
        Ok(self.directory())
    }

    /// The journal's row.
    pub async fn journal(&self) -> OperationResult<Journal> {
        let journal = self.store.journal(self.account).await?;
        journal.ok_or_else(|| OperationError::not_found("account"))
    }
}

fn key_place(row: &str) -> Place<'_> {
    Place {
        table: "journal",
        row,
        column: "key",
    }
}

impl Gateway {
    /// The journal of a mailbox, opened if there is none.
    pub(crate) async fn journal_of(
        &self,
        mailbox: &OpenMailbox,
    ) -> OperationResult<Arc<JournalHandle>> {
        self.journal_named(mailbox.account, &mailbox.identity).await
    }

    /// The journal of an account whose mailbox identity is this.
    pub(crate) async fn journal_named(
        &self,
        account: AccountId,
        identity: &Arc<str>,
    ) -> OperationResult<Arc<JournalHandle>> {
        if let Some(handle) = self.inner.journals.get(account)
            && handle.mailbox == *identity
        {
            return Ok(handle);
        }
        let journal = match self.inner.store.journal(account).await? {
            Some(journal) => journal,
            None => {
                self.inner
                    .store
                    .open_journal(account, &self.new_journal(account)?)
                    .await?
            }
        };
        let handle = self.handle(account, identity, journal).await?;
        handle.reload().await?;
        Ok(self.inner.journals.keep(handle))
    }

    async fn handle(
        &self,
        account: AccountId,
        identity: &Arc<str>,
        journal: Journal,
    ) -> OperationResult<JournalHandle> {
        let row = account.to_string();
        let key = self
            .inner
            .sealer
            .open(key_place(&row), &journal.key)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| OperationError::internal("the journal's key cannot be opened"))?;
        self.begin_stretch(account, journal.clone()).await?;
        Ok(JournalHandle {
            account,
            mailbox: Arc::clone(identity),
            epoch: journal.epoch,
            sealer: Sealer::new(&SecretBox::new(Box::new(key))),
            store: Arc::clone(&self.inner.store),
            committing: tokio::sync::Mutex::new(()),
            directory: RwLock::default(),
        })
    }

    /// A journal with a key of its own.
    pub(crate) fn new_journal(&self, account: AccountId) -> OperationResult<NewJournal> {
        use secrecy::ExposeSecret;
        let sealing_failed = |_| OperationError::internal("sealing failed");
        let key = Sealer::random_key().map_err(sealing_failed)?;
        let row = account.to_string();
        let key = self
            .inner
            .sealer
            .seal(key_place(&row), key.expose_secret())
            .map_err(sealing_failed)?;
        Ok(NewJournal {
            epoch: random_i64(),
            key,
            record: Default::default(),
        })
    }

    /// Notes that this process writes the journal from here on, so that a token of a future that a
    /// restored backup undid is recognised.
    async fn begin_stretch(&self, account: AccountId, mut journal: Journal) -> OperationResult<()> {
        let [a, b, c, d, ..] = random_i64().to_be_bytes();
        let tag = u32::from_be_bytes([a, b, c, d]);
        let kept = chrono::Duration::from_std(self.inner.config.tombstones)
            .unwrap_or(chrono::Duration::MAX);
        loop {
            let mut record = journal.record.clone();
            record.lineage = extended(&journal, tag, self.now(), kept);
            let commit = gateway_store::Commit {
                revision: journal.revision,
                record: Some(record),
                ..Default::default()
            };
            match self.inner.store.commit(account, &commit).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict) => {
                    let again = self.inner.store.journal(account).await?;
                    journal = again.ok_or_else(|| OperationError::not_found("account"))?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A random number, positive.
pub(crate) fn random_i64() -> i64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let mut half = [0; 8];
    half.copy_from_slice(&bytes[8..]);
    half[0] &= 0x7f;
    i64::from_be_bytes(half)
}
