//! Listing folders.

use email_model::FolderId;
use email_provider::Call;
use gateway_store::{Account, FolderRow};

use crate::{
    Gateway, OperationError, OperationResult,
    journal::{Directory, JournalHandle},
    mailboxes::OpenMailbox,
};

impl Gateway {
    /// Every folder and label as the mailbox has them now.
    pub async fn folders(&self, account: &Account) -> OperationResult<Vec<FolderRow>> {
        let (mailbox, journal) = self.reach(account).await?;
        self.refresh_folders(account, &mailbox, &journal, self.interactive())
            .await?;
        Ok(self.directory_of(account, &journal).folders.clone())
    }

    /// A folder or label.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn folder(&self, account: &Account, id: FolderId) -> OperationResult<FolderRow> {
        let (mailbox, journal) = self.reach(account).await?;
        self.folder_row(account, &mailbox, &journal, id, self.interactive())
            .await
    }

    /// A folder as last seen; the mailbox is asked once where it is not known.
    pub(crate) async fn folder_row(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        id: FolderId,
        call: Call,
    ) -> OperationResult<FolderRow> {
        let known = |directory: &Directory| directory.folder(id).cloned();
        if let Some(row) = known(&self.directory_of(account, journal)) {
            return Ok(row);
        }
        self.refresh_folders(account, mailbox, journal, call)
            .await?;
        known(&self.directory_of(account, journal))
            .ok_or_else(|| OperationError::not_found("folder"))
    }

    /// Asks the mailbox for its folders.
    pub(crate) async fn refresh_folders(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        call: Call,
    ) -> OperationResult<()> {
        let folders = self
            .told(account, mailbox.provider.folders(call).await)
            .await?;
        self.put_folders(journal, &folders).await
    }
}
