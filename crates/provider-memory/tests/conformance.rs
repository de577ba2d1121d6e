//! The behaviour suite on the mailbox in memory, in every shape.

use std::sync::Arc;

use async_trait::async_trait;
use email_model::{Flags, FolderKey};
use email_provider::{EmailProvider, MessageRef};
use provider_conformance::{Harness, HarnessFacts, NewMail, provider_conformance};
use provider_memory::{MemoryMailbox, MemoryProvider, Shape};

struct MemoryHarness {
    mailbox: MemoryMailbox,
}

impl MemoryHarness {
    fn new(shape: Shape) -> Self {
        Self {
            mailbox: MemoryMailbox::new("ann@memory.example", shape, 1),
        }
    }

    fn at(&self, folder: &FolderKey, message_id: &str) -> MessageRef {
        self.mailbox
            .find(folder, message_id)
            .expect("the message is there")
    }
}

#[async_trait]
impl Harness for MemoryHarness {
    fn facts(&self) -> HarnessFacts {
        HarnessFacts {
            copies: !self.mailbox.shape().labels,
            ..HarnessFacts::default()
        }
    }

    async fn provider(&self) -> Arc<dyn EmailProvider> {
        Arc::new(MemoryProvider::new(self.mailbox.clone()))
    }

    async fn append(&self, folder: &FolderKey, mail: NewMail) {
        let NewMail {
            raw,
            received_at,
            flags,
            keywords,
        } = mail;
        let mail = provider_memory::NewMail {
            raw: raw.into(),
            received_at,
            flags,
            keywords,
        };
        self.mailbox.deliver(folder, mail).unwrap();
    }

    async fn set_flags(
        &self,
        folder: &FolderKey,
        message_id: &str,
        flags: Flags,
        keywords: &[String],
    ) {
        let at = self.at(folder, message_id);
        self.mailbox
            .set_labels(&at, flags, keywords.to_vec())
            .unwrap();
    }

    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        self.mailbox
            .move_message(&self.at(folder, message_id), folder, to)
            .unwrap();
    }

    async fn copy_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        self.mailbox
            .copy_message(&self.at(folder, message_id), to)
            .unwrap();
    }

    async fn mark_deleted(&self, folder: &FolderKey, message_id: &str, deleted: bool) {
        self.mailbox
            .mark_deleted(&self.at(folder, message_id), deleted)
            .unwrap();
    }

    async fn expunge(&self, folder: &FolderKey, message_id: &str) {
        self.mailbox.expunge(&self.at(folder, message_id)).unwrap();
    }

    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey {
        self.mailbox.create_folder(name, parent).unwrap()
    }

    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey {
        self.mailbox.rename_folder(folder, name).unwrap()
    }

    async fn delete_folder(&self, folder: &FolderKey) {
        self.mailbox.delete_folder(folder).unwrap();
    }

    async fn forget_cursors(&self) -> bool {
        self.mailbox.forget_cursors();
        true
    }

    async fn reset_keys(&self, folder: &FolderKey) -> bool {
        self.mailbox.reset_keys(folder).unwrap()
    }
}

mod folders {
    use super::*;
    provider_conformance!(MemoryHarness::new(Shape::folders()));
}

mod listing {
    use super::*;
    provider_conformance!(MemoryHarness::new(Shape::listing()));
}

mod labels {
    use super::*;
    provider_conformance!(MemoryHarness::new(Shape::labels()));
}

mod delta {
    use super::*;
    provider_conformance!(MemoryHarness::new(Shape::delta()));
}
