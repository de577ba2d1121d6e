//! What a mailbox has sent, and what becomes of its sending and its drafts behind the gateway's back.

use bytes::Bytes;
use email_model::Timestamp;
use email_provider::{MessageRef, ProviderResult, SendLimits};

use crate::{MemoryMailbox, drafts};

/// A message that was accepted, as a transport is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMail {
    /// The sender's address.
    pub sender: String,
    /// Everybody who got it.
    pub recipients: Vec<String>,
    /// What they got.
    pub octets: Bytes,
}

/// Sending and drafts. Faults of single calls are ordered with [`MemoryMailbox::inject`], by the names
/// `submit`, `settle`, `file`, `create_draft`, `replace_draft`, `discard_draft` and `find_draft`.
impl MemoryMailbox {
    /// Everything that was sent, oldest first.
    pub fn sent_mail(&self) -> Vec<SentMail> {
        self.state().outbox.sent.clone()
    }

    /// Refuses this address from now on, as a recipient and as a sender.
    pub fn refuse(&self, address: &str) {
        self.change(|state| state.outbox.refused.insert(address.to_lowercase()));
    }

    /// Sends no more than this from now on.
    pub fn limit_sending(&self, limits: SendLimits) {
        self.change(|state| state.outbox.limits = limits);
    }

    /// Holds back the copies that the server files, until [`Self::release_sent_copies`].
    pub fn hold_sent_copies(&self) {
        self.change(|state| {
            state.outbox.held.get_or_insert_default();
        });
    }

    /// Files the copies that were held back, and later ones at once.
    pub fn release_sent_copies(&self) -> ProviderResult<()> {
        self.change(|state| {
            for message in state.outbox.held.take().into_iter().flatten() {
                state.file_sent(message)?;
            }
            Ok(())
        })
    }

    /// Changes a draft as another program does; returns where it is now. `NotFound` where there is none.
    pub fn edit_draft(
        &self,
        at: &MessageRef,
        raw: Bytes,
        received_at: Timestamp,
    ) -> ProviderResult<MessageRef> {
        self.change(|state| drafts::rewrite(state, at, raw, received_at))
    }
}
