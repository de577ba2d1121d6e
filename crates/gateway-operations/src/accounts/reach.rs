//! The way from an account to its mailbox.

use std::sync::Arc;

use email_provider::ProviderResult;
use gateway_store::Account;

use crate::{
    Gateway, OperationError, OperationErrorKind, OperationResult, journal::JournalHandle,
    mailboxes::OpenMailbox,
};

impl Gateway {
    /// The account's mailbox and journal.
    ///
    /// # Errors
    /// `Forbidden` while the account is not active: it can be looked at and removed, its mail not.
    pub(crate) async fn reach(
        &self,
        account: &Account,
    ) -> OperationResult<(OpenMailbox, Arc<JournalHandle>)> {
        if !account.active {
            let message = "this account is not active";
            return Err(OperationError::new(OperationErrorKind::Forbidden, message));
        }
        let mailbox = self.mailbox(account).await?;
        let journal = self.journal_of(&mailbox).await?;
        Ok((mailbox, journal))
    }

    /// What a call to the provider gave, the state of the credentials noted.
    pub(crate) async fn told<T>(
        &self,
        account: &Account,
        answer: ProviderResult<T>,
    ) -> OperationResult<T> {
        match answer {
            Ok(value) => {
                self.note_success(account).await?;
                Ok(value)
            }
            Err(error) => Err(self.note_failure(account, error).await),
        }
    }
}
