//! What one open mailbox shares among its calls.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use email_model::FolderRole;
use email_provider::{Call, ProviderResult};
use tokio::time::Instant;

use crate::{
    api::Api,
    error,
    folders::{FolderTable, Roles},
    ids::FolderId,
    push::PushTarget,
};

/// How long the folders' counts of a survey are believed.
const COUNTS_KEPT: Duration = Duration::from_secs(60);
/// How long the roles of folders are believed: an archive may be made later than the mailbox.
const ROLES_KEPT: Duration = Duration::from_secs(3_600);

/// A signed-in mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub api: Api,
    /// Where its hints are pushed to, if anywhere.
    pub push: Option<PushTarget>,
    /// Octets of the largest message that it sends.
    pub largest_message: u64,
    roles: Mutex<(Instant, Roles)>,
    folders: Mutex<Option<(Instant, Arc<FolderTable>)>>,
}

impl Mailbox {
    pub(crate) fn new(
        api: Api,
        roles: Roles,
        push: Option<PushTarget>,
        largest_message: u64,
    ) -> Self {
        Self {
            api,
            push,
            largest_message,
            roles: Mutex::new((Instant::now(), roles)),
            folders: Mutex::default(),
        }
    }

    /// The folders that have a role.
    pub(crate) fn roles(&self) -> Roles {
        self.kept_roles().1.clone()
    }

    /// The same, asked for again from time to time.
    pub(crate) async fn learn_roles(&self, call: Call) -> ProviderResult<()> {
        let learned_at = self.kept_roles().0;
        if learned_at.elapsed() < ROLES_KEPT {
            return Ok(());
        }
        let roles = Roles::of(&self.api, call).await?;
        *self.kept_roles() = (Instant::now(), roles);
        Ok(())
    }

    /// The folder of a role.
    ///
    /// # Errors
    /// `Unsupported` where there is none.
    pub(crate) fn role(&self, role: FolderRole, what: &str) -> ProviderResult<FolderId> {
        let folder = self.kept_roles().1.get(role);
        folder.ok_or_else(|| error::unsupported(what))
    }

    /// Keeps folders as they are known to be now.
    pub(crate) fn keep_folders(&self, table: FolderTable) -> Arc<FolderTable> {
        let table = Arc::new(table);
        *self.kept_folders() = Some((Instant::now(), Arc::clone(&table)));
        table
    }

    /// The folders as they were lately.
    pub(crate) async fn folders(&self, call: Call) -> ProviderResult<Arc<FolderTable>> {
        let kept = self.kept_folders().clone();
        match kept {
            Some((at, table)) if at.elapsed() < COUNTS_KEPT => Ok(table),
            _ => self.folders_now(call).await,
        }
    }

    /// Items in a folder, if they were counted lately.
    pub(crate) fn count(&self, folder: &FolderId) -> Option<u64> {
        let kept = self.kept_folders();
        let (at, table) = kept.as_ref()?;
        (at.elapsed() < COUNTS_KEPT).then(|| table.count(&folder.key()))?
    }

    fn kept_roles(&self) -> MutexGuard<'_, (Instant, Roles)> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_folders(&self) -> MutexGuard<'_, Option<(Instant, Arc<FolderTable>)>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
