use std::{collections::BTreeSet, sync::Arc};

use email_model::{Flags, FolderKey, FolderRole, Labels};
use email_provider::{MessageRef, ProviderResult, SendLimits};

use super::{Message, Record, State};
use crate::{SentMail, shape::Shape};

/// What is on its way out.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub limits: SendLimits,
    /// Everything that was accepted, oldest first.
    pub sent: Vec<SentMail>,
    /// Addresses, in lower case, that are not written to and may not write.
    pub refused: BTreeSet<String>,
    /// Copies that are to be filed later; `None`: they are filed at once.
    pub held: Option<Vec<Arc<Message>>>,
}

impl Outbox {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            limits: SendLimits {
                recipients: 100,
                octets: 25 << 20,
                internationalised: true,
                drafts_only: shape.drafts_only,
            },
            sent: Vec::new(),
            refused: BTreeSet::new(),
            held: None,
        }
    }
}

impl State {
    /// The newest message of this `Message-ID` in the folder of a role.
    pub(crate) fn newest(&self, role: FolderRole, message_id: &str) -> Option<MessageRef> {
        let folder = self.role(role)?;
        let key = self.scope_of(&folder);
        let scope = self.scopes.get(&key)?;
        let is_it = |record: &&Record| {
            let id = record.message.content.envelope.message_id.as_deref();
            record.folders.contains(&folder) && id == Some(message_id)
        };
        let record = scope.newest_first(None).find(is_it)?;
        Some(MessageRef {
            key: self.key(scope, record),
            scope: key,
        })
    }

    /// Whether the server sends a draft by itself, so that it is no draft from then on.
    pub(crate) fn sends_drafts(&self) -> bool {
        self.shape.native_identity && self.shape.files_sent
    }

    /// Files the sender's copy, at once or when it is no longer held back. `None` too where there is no
    /// folder for it.
    pub(crate) fn file_sent(
        &mut self,
        message: Arc<Message>,
    ) -> ProviderResult<Option<MessageRef>> {
        if let Some(held) = &mut self.outbox.held {
            held.push(message);
            return Ok(None);
        }
        let folder: Option<FolderKey> = self.role(FolderRole::Sent);
        let labels = || Labels::new(Flags::SEEN, Vec::new());
        folder
            .map(|folder| self.place(&folder, message, labels()))
            .transpose()
    }
}
