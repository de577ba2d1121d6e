//! The behaviour suite on the mailbox in memory, in every shape.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_model::{Flags, FolderKey};
use email_provider::{
    Charged, EmailProvider, ErrorKind, MessageRef,
    layers::{self, Budget, BudgetConfig, RetryConfig},
};
use provider_conformance::{
    Correspondents, Delivered, Harness, HarnessFacts, NewMail, provider_conformance,
};
use provider_memory::{Fault, MemoryMailbox, MemoryProvider, Shape};

struct MemoryHarness {
    mailbox: MemoryMailbox,
    is_layered: bool,
    /// The next connection is lost late.
    is_late: AtomicBool,
}

impl MemoryHarness {
    fn new(shape: Shape) -> Self {
        let mailbox = MemoryMailbox::new("ann@memory.example", shape, 1);
        Self {
            mailbox,
            is_layered: false,
            is_late: AtomicBool::new(false),
        }
    }

    /// With every layer around it.
    fn layered() -> Self {
        Self {
            is_layered: true,
            ..Self::new(Shape::folders())
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
            sends: true,
            drafts: true,
            patience: Duration::from_secs(2),
            ..HarnessFacts::default()
        }
    }

    async fn provider(&self) -> Arc<dyn EmailProvider> {
        let provider = Arc::new(MemoryProvider::new(self.mailbox.clone()));
        if !self.is_layered {
            return provider;
        }
        let budget = Budget::new(BudgetConfig::default());
        let charged = Charged::Operation(|_| 1);
        layers::layered(provider, "memory", budget, charged, RetryConfig::default())
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
        self.mailbox.deliver(folder, mail).expect("it is done");
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
            .expect("it is done");
    }

    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        self.mailbox
            .move_message(&self.at(folder, message_id), folder, to)
            .expect("it is done");
    }

    async fn copy_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        self.mailbox
            .copy_message(&self.at(folder, message_id), to)
            .expect("it is done");
    }

    async fn mark_deleted(&self, folder: &FolderKey, message_id: &str, deleted: bool) {
        self.mailbox
            .mark_deleted(&self.at(folder, message_id), deleted)
            .expect("it is done");
    }

    async fn expunge(&self, folder: &FolderKey, message_id: &str) {
        self.mailbox
            .expunge(&self.at(folder, message_id))
            .expect("it is done");
    }

    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey {
        self.mailbox
            .create_folder(name, parent)
            .expect("it is done")
    }

    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey {
        self.mailbox
            .rename_folder(folder, name)
            .expect("it is done")
    }

    async fn delete_folder(&self, folder: &FolderKey) {
        self.mailbox.delete_folder(folder).expect("it is done");
    }

    async fn forget_cursors(&self) -> bool {
        self.mailbox.forget_cursors();
        true
    }

    async fn sever(&self) -> bool {
        // Before the request has arrived, or before its answer has.
        let fault = match self.is_late.fetch_not(Ordering::Relaxed) {
            true => Fault::LoseAnswer,
            false => Fault::Fail(ErrorKind::Unavailable),
        };
        self.mailbox.inject(None, fault, 1);
        true
    }

    async fn reset_keys(&self, folder: &FolderKey) -> bool {
        self.mailbox.reset_keys(folder).expect("it is done")
    }

    fn correspondents(&self) -> Correspondents {
        let refused = "nobody@refused.example".to_owned();
        self.mailbox.refuse(&refused);
        Correspondents {
            refused: Some(refused),
            ..Correspondents::default()
        }
    }

    async fn delivered(&self, message_id: &str) -> Vec<Delivered> {
        let field = format!("Message-ID: {message_id}\r\n").into_bytes();
        let has = |raw: &[u8]| raw.windows(field.len()).any(|window| window == field);
        let mut sent = self.mailbox.sent_mail();
        sent.retain(|mail| has(&mail.octets));
        sent.into_iter()
            .map(|mail| Delivered {
                recipients: mail.recipients,
                octets: mail.octets.to_vec(),
            })
            .collect()
    }

    async fn edit_draft(&self, folder: &FolderKey, message_id: &str, mail: NewMail) -> bool {
        let at = self.at(folder, message_id);
        self.mailbox
            .edit_draft(&at, mail.raw.into(), mail.received_at)
            .expect("it is done");
        true
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

mod layered {
    use super::*;
    provider_conformance!(MemoryHarness::layered());
}
