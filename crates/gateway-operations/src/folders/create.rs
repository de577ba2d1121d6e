//! Making folders.

use email_model::FolderId;
use email_provider::NewFolder;
use gateway_store::{Account, FolderRow};

use crate::{Gateway, OperationError, OperationErrorKind, OperationResult, journal::folder_id};

/// Longest name, in characters. Backends may allow fewer and say so.
const LONGEST_NAME: usize = 255;

impl Gateway {
    /// Makes a folder or label, at the top or below another one.
    ///
    /// # Errors
    /// `BadRequest` for a name that can be none, `NotFound` for an unknown parent, `Conflict` where it
    /// exists, `NotSupported` where the mailbox makes none.
    pub async fn create_folder(
        &self,
        account: &Account,
        name: String,
        parent: Option<FolderId>,
    ) -> OperationResult<FolderRow> {
        let name = name.trim().to_owned();
        if name.is_empty()
            || name.chars().count() > LONGEST_NAME
            || name.chars().any(char::is_control)
        {
            return Err(OperationError::bad_request(
                "a folder's name is 1 to 255 characters, none of them a control character",
            ));
        }
        let call = self.interactive();
        let (mailbox, journal) = self.reach(account).await?;
        if !mailbox.provider.capabilities().create_folders {
            let message = "create_folders: this mailbox cannot create folders";
            return Err(OperationError::new(
                OperationErrorKind::NotSupported,
                message,
            ));
        }
        let parent = match parent {
            Some(id) => Some(
                self.folder_row(account, &mailbox, &journal, id, call)
                    .await?,
            ),
            None => None,
        };
        let folder = NewFolder {
            name,
            parent: parent.as_ref().map(|row| row.key.clone()),
        };
        let made = self
            .told(account, mailbox.provider.create_folder(call, folder).await)
            .await?;
        self.hint_pass(account.id);
        let row = FolderRow {
            id: folder_id(&journal.mailbox, &made.key),
            key: made.key,
            name: made.name,
            full_name: made.full_name,
            parent: made.parent.map(|key| folder_id(&journal.mailbox, &key)),
            role: made.role,
            kind: made.kind,
            selectable: made.selectable,
        };
        // The folder is made, whatever becomes of the list of folders.
        if let Err(error) = self
            .refresh_folders(account, &mailbox, &journal, call)
            .await
        {
            tracing::debug!(account = %account.id, %error, "folders were not listed after one was made");
        }
        Ok(self
            .directory_of(account, &journal)
            .folder(row.id)
            .cloned()
            .unwrap_or(row))
    }
}
