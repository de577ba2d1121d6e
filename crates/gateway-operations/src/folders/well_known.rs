//! The folders that clients may choose for what the mailbox's own roles leave open or get wrong.

use std::sync::Arc;

use email_model::{FolderId, FolderKey, FolderRole};
use gateway_store::Account;

use super::{WellKnownChange, WellKnownFolders};
use crate::{
    AccountDetails, Gateway, OperationError, OperationErrorKind, OperationResult,
    journal::{Directory, JournalHandle},
};

impl Gateway {
    /// The archive and sent folders: the chosen ones, else the mailbox's own.
    pub async fn well_known(&self, account: &Account) -> OperationResult<WellKnownFolders> {
        let (mailbox, journal) = self.reach(account).await?;
        if journal.directory().folders.is_empty() {
            self.refresh_folders(account, &mailbox, &journal, self.interactive())
                .await?;
        }
        let directory = self.directory_of(account, &journal);
        let of = |role| directory.folder_by_role(role).map(|row| row.id);
        Ok(WellKnownFolders {
            archive: of(FolderRole::Archive),
            sent: of(FolderRole::Sent),
        })
    }

    /// Chooses archive and sent folders.
    ///
    /// # Errors
    /// `NotFound` for an unknown folder, `Unprocessable` for one that holds no messages.
    pub async fn set_well_known(
        &self,
        account: &Account,
        change: WellKnownChange,
    ) -> OperationResult<WellKnownFolders> {
        let (mailbox, journal) = self.reach(account).await?;
        let call = self.interactive();
        for id in [change.archive, change.sent].into_iter().flatten() {
            if !self
                .folder_row(account, &mailbox, &journal, id, call)
                .await?
                .selectable
            {
                let message = format!("folder {id} cannot hold messages");
                return Err(OperationError::new(
                    OperationErrorKind::Unprocessable,
                    message,
                ));
            }
        }
        // What came with the call may be older than what a sign-in has noted since.
        let stored = self.inner.store.account(account.id).await?;
        let mut account = stored.ok_or_else(|| OperationError::not_found("account"))?;
        let mut details = AccountDetails::of(&account);
        details.well_known_archive = change.archive.or(details.well_known_archive);
        details.well_known_sent = change.sent.or(details.well_known_sent);
        details.store_in(&mut account)?;
        account.updated_at = self.now();
        self.inner.store.update_account(&account).await?;
        self.well_known(&account).await
    }

    /// Folders and scopes, the roles as the account's clients have chosen them.
    pub(crate) fn directory_of(
        &self,
        account: &Account,
        journal: &JournalHandle,
    ) -> Arc<Directory> {
        let directory = journal.directory();
        let details = AccountDetails::of(account);
        let chosen = [
            (FolderRole::Archive, details.well_known_archive),
            (FolderRole::Sent, details.well_known_sent),
        ];
        let mut changed = None;
        for (role, id) in chosen {
            if let Some(id) = id
                && directory
                    .folder(id)
                    .is_some_and(|row| row.role != Some(role))
            {
                give_role(
                    changed.get_or_insert_with(|| Directory::clone(&directory)),
                    role,
                    id,
                );
            }
        }
        changed.map_or(directory, Arc::new)
    }

    /// The key of the archive folder that the account's clients have chosen.
    pub(crate) fn chosen_archive(
        &self,
        account: &Account,
        journal: &JournalHandle,
    ) -> Option<FolderKey> {
        let id = AccountDetails::of(account).well_known_archive?;
        journal.directory().folder(id).map(|row| row.key.clone())
    }
}

/// The folder takes the role; the one that had it loses it.
fn give_role(directory: &mut Directory, role: FolderRole, id: FolderId) {
    for row in &mut directory.folders {
        if row.id == id {
            row.role = Some(role);
        } else if row.role == Some(role) {
            row.role = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use email_model::FolderKind;
    use gateway_store::FolderRow;

    use super::*;

    #[test]
    fn a_chosen_folder_takes_the_role_and_the_former_one_loses_it() {
        let row = |id: u64, role| FolderRow {
            id: FolderId(id),
            key: FolderKey(id.to_string()),
            name: id.to_string(),
            full_name: id.to_string(),
            parent: None,
            role,
            kind: FolderKind::Folder,
            selectable: true,
        };
        let folders = vec![
            row(1, Some(FolderRole::Archive)),
            row(2, None),
            row(3, Some(FolderRole::Sent)),
        ];
        let mut directory = Directory::new(folders, Vec::new());
        give_role(&mut directory, FolderRole::Archive, FolderId(2));
        let roles: Vec<_> = directory.folders.iter().map(|row| row.role).collect();
        assert_eq!(
            roles,
            [None, Some(FolderRole::Archive), Some(FolderRole::Sent)]
        );
    }
}
