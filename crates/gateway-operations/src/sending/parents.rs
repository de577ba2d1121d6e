//! The message that another one answers.

use email_mime::compose::parse_message_ids;
use email_provider::{MessageRef, ThreadModel};
use gateway_store::{Account, LoadRequest};

use crate::{Gateway, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox};

impl Gateway {
    /// Where the message is that an `In-Reply-To` names, as the journal knows. Backends that group messages into
    /// conversations by themselves are asked for one that it has never met.
    ///
    /// # Errors
    /// It could not be looked for.
    pub(super) async fn parent(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        in_reply_to: &str,
    ) -> OperationResult<Option<MessageRef>> {
        // What is no id is refused with the rest of the message.
        let Some(message_id) = parse_message_ids(in_reply_to, "inReplyTo")
            .ok()
            .and_then(|ids| ids.into_iter().next())
        else {
            return Ok(None);
        };
        let request = LoadRequest {
            message_ids: vec![message_id.clone()],
            ..LoadRequest::default()
        };
        let known = journal.entries_of(&request).await?;
        if let Some(at) = known.into_iter().next() {
            return Ok(Some(at));
        }
        if mailbox.provider.capabilities().threads == ThreadModel::Derived {
            return Ok(None);
        }
        let call = self.interactive();
        let found = self
            .copies(account, mailbox, journal, &message_id, call)
            .await?;
        Ok(found.into_iter().next().map(|(_, at)| at))
    }

    /// The same for a new message: one that cannot be looked for keeps it from nobody.
    pub(super) async fn parent_if_found(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        in_reply_to: Option<&str>,
    ) -> Option<MessageRef> {
        let found = self.parent(account, mailbox, journal, in_reply_to?).await;
        found.unwrap_or_else(|error| {
            tracing::debug!(account = %account.id, %error, "what a message answers could not be looked for");
            None
        })
    }
}
