//! Which message is which, where a mailbox replaces one by another with the same Message-ID.

use std::time::Duration;

use email_model::{Flags, FolderRole, MessageId, Timestamp};
use email_provider::MessageRef;
use gateway_operations::{OperationsConfig, StartSync, SyncPageRequest};
use provider_memory::Shape;

use crate::harness::{Harness, Mail};

/// A client that follows both streams.
struct Client {
    harness: Harness,
    updated: String,
    deleted: String,
}

/// A message as a page tells it.
#[derive(Debug, PartialEq)]
struct Told {
    id: MessageId,
    subject: String,
    received_at: Option<Timestamp>,
}

impl Client {
    async fn of(shape: Shape) -> Self {
        let config = OperationsConfig {
            freshness: Duration::ZERO,
            ..OperationsConfig::default()
        };
        let harness = Harness::with(shape, config).await;
        let start = StartSync {
            await_ready: true,
            ..StartSync::default()
        };
        let started = harness.gateway.start_sync(&harness.account, start);
        let started = started.await.unwrap();
        let mut client = Self {
            updated: started.updated_token,
            deleted: started.deleted_token,
            harness,
        };
        client.follow().await;
        client
    }

    async fn follow(&mut self) -> (Vec<Told>, Vec<MessageId>) {
        let (gateway, account) = (&self.harness.gateway, &self.harness.account);
        let since = |token: &str| SyncPageRequest {
            delta_token: Some(token.to_owned()),
            limit: Some(500),
            ..SyncPageRequest::default()
        };
        let mut request = since(&self.updated);
        let mut told = Vec::new();
        self.updated = loop {
            let page = gateway.sync_updated(account, request).await.unwrap();
            told.extend(page.records.into_iter().map(|view| {
                let envelope = view.envelope.unwrap();
                Told {
                    id: view.id,
                    subject: envelope.subject.unwrap_or_default(),
                    received_at: envelope.received_at,
                }
            }));
            match (page.next_delta_token, page.next_page_token) {
                (Some(token), _) => break token,
                (None, next) => {
                    request = SyncPageRequest {
                        page_token: next,
                        ..SyncPageRequest::default()
                    };
                }
            }
        };
        let page = gateway.sync_deleted(account, since(&self.deleted));
        let page = page.await.unwrap();
        self.deleted = page.next_delta_token.unwrap();
        let removed = page.records.iter().map(|record| record.id).collect();
        (told, removed)
    }

    /// Puts a message in the place of another.
    fn replace(&self, old: &MessageRef, role: FolderRole, mail: &Mail<'_>) {
        self.harness.deliver(role, mail);
        self.harness.mailbox.expunge(old).unwrap();
    }
}

#[tokio::test]
async fn a_draft_that_the_mailbox_replaces_is_another_message() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let mut client = Client::of(shape).await;
        let draft = |subject, minute| Mail {
            id: "draft",
            subject,
            flags: Flags::DRAFT | Flags::SEEN,
            minute,
            ..Mail::default()
        };
        let old = client
            .harness
            .deliver(FolderRole::Drafts, &draft("first", 1));
        let (told, _) = client.follow().await;
        let first = told[0].id;
        client.replace(&old, FolderRole::Drafts, &draft("second", 2));
        let (told, removed) = client.follow().await;
        assert_eq!(removed, [first]);
        assert_eq!(told.len(), 1);
        assert_ne!(told[0].id, first);
        assert_eq!(told[0].subject, "second");
    }
}

#[tokio::test]
async fn a_message_recognised_by_its_message_id_alone_shows_its_new_date() {
    let mut client = Client::of(Shape::delta()).await;
    let mail = |subject, minute| Mail {
        id: "moved",
        subject,
        minute,
        ..Mail::default()
    };
    let old = client
        .harness
        .deliver(FolderRole::Inbox, &mail("as it was", 1));
    let (told, _) = client.follow().await;
    let was = &told[0];
    client.replace(&old, FolderRole::Archive, &mail("as rewritten", 5));
    let (told, removed) = client.follow().await;
    assert_eq!(removed, []);
    let [now] = &told[..] else { panic!("{told:?}") };
    assert_eq!((now.id, now.subject.as_str()), (was.id, "as rewritten"));
    assert!(now.received_at > was.received_at);
}
