//! What is forgotten in the course of time, and what is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use email_model::{FolderRole, MessageId, Timestamp};
use email_provider::{Clock, MessageRef, ProviderRegistry, SystemClock};
use gateway_operations::{
    DeletedPage, ListRequest, OperationErrorKind, OperationResult, OperationsConfig, StartSync,
    SyncPageRequest,
};
use gateway_store::{Seq, Stream};
use provider_memory::Shape;

use crate::harness::{Harness, Mail};

const RETENTION: u64 = 40;

/// The machine's clock, put forward.
#[derive(Debug, Default)]
struct Forward(AtomicI64);

impl Forward {
    fn days(&self, days: i64) {
        self.0.fetch_add(days, Ordering::SeqCst);
    }
}

impl Clock for Forward {
    fn now(&self) -> Timestamp {
        SystemClock.now() + chrono::Duration::days(self.0.load(Ordering::SeqCst))
    }
}

/// A client of a mailbox whose removals are kept for [`RETENTION`] days.
struct Client {
    harness: Harness,
    clock: Arc<Forward>,
    updated: String,
    deleted: String,
}

impl Client {
    async fn of(mails: usize) -> (Self, Vec<MessageRef>) {
        Self::with(Shape::folders(), OperationsConfig::default(), mails).await
    }

    async fn with(shape: Shape, config: OperationsConfig, mails: usize) -> (Self, Vec<MessageRef>) {
        let clock = Arc::new(Forward::default());
        let config = OperationsConfig {
            tombstones: Duration::from_secs(RETENTION * 24 * 3600),
            ..config
        };
        let by = Arc::clone(&clock) as Arc<dyn Clock>;
        let harness = Harness::at(shape, config, by, |plugin| {
            ProviderRegistry::default().register(plugin)
        })
        .await;
        let mails = (0..mails)
            .map(|number| {
                let id = number.to_string();
                let mail = Mail {
                    id: &id,
                    ..Mail::default()
                };
                harness.deliver(FolderRole::Inbox, &mail)
            })
            .collect();
        let start = StartSync {
            await_ready: true,
            ..StartSync::default()
        };
        let started = harness
            .gateway
            .start_sync(&harness.account, start)
            .await
            .unwrap();
        let mut client = Self {
            harness,
            clock,
            updated: started.updated_token,
            deleted: started.deleted_token,
        };
        client.walk_updated().await;
        client.walk_deleted().await;
        (client, mails)
    }

    async fn walk_updated(&mut self) -> Vec<MessageId> {
        let mut ids = Vec::new();
        let mut request = SyncPageRequest {
            delta_token: Some(self.updated.clone()),
            ..SyncPageRequest::default()
        };
        loop {
            let account = &self.harness.account;
            let page = self.harness.gateway.sync_updated(account, request).await;
            let page = page.unwrap();
            ids.extend(page.records.iter().map(|record| record.id));
            if let Some(token) = page.next_delta_token {
                self.updated = token;
                return ids;
            }
            request = SyncPageRequest {
                page_token: page.next_page_token,
                ..SyncPageRequest::default()
            };
        }
    }

    async fn deleted_page(&self, token: &str) -> OperationResult<DeletedPage> {
        let request = SyncPageRequest {
            delta_token: Some(token.to_owned()),
            limit: Some(500),
            ..SyncPageRequest::default()
        };
        let account = &self.harness.account;
        self.harness.gateway.sync_deleted(account, request).await
    }

    /// The removals of one page, which must be all.
    async fn walk_deleted(&mut self) -> Vec<MessageId> {
        let page = self.deleted_page(&self.deleted).await.unwrap();
        self.deleted = page.next_delta_token.unwrap();
        page.records.iter().map(|record| record.id).collect()
    }

    fn expunge(&self, at: &MessageRef) {
        self.harness.mailbox.expunge(at).unwrap();
    }

    /// Has a pass made at the clock's time, and waits until as many removals are left.
    async fn until_left(&mut self, left: usize) {
        for _ in 0..2_400 {
            self.walk_updated().await;
            if self.removals().await.len() == left {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} removals are left", self.removals().await.len());
    }

    /// What is kept: the `seq` of each removal.
    async fn removals(&self) -> Vec<Seq> {
        let account = self.harness.account.id;
        let far = Seq(i64::MAX);
        let rows = self
            .harness
            .store
            .changes(account, Stream::Deleted, Seq(0), far, 5_000)
            .await;
        rows.unwrap().iter().map(|row| row.seq).collect()
    }

    async fn horizon(&self) -> Seq {
        let journal = self.harness.store.journal(self.harness.account.id).await;
        journal.unwrap().unwrap().horizon
    }
}

#[tokio::test]
async fn removals_are_told_until_they_are_older_than_promised() {
    let (mut client, mails) = Client::of(3).await;
    let before = client.deleted.clone();
    client.expunge(&mails[0]);
    assert_eq!(client.walk_deleted().await.len(), 1);
    let first = client.removals().await[0];
    let between = client.deleted.clone();

    client.clock.days(30);
    client.expunge(&mails[1]);
    client.walk_updated().await;
    client.clock.days(9);
    assert_eq!(client.deleted_page(&before).await.unwrap().records.len(), 2);
    assert_eq!(client.horizon().await, Seq(0));

    client.clock.days(2);
    client.until_left(1).await;
    assert_eq!(client.horizon().await, first);
    let refused = client.deleted_page(&before).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::SyncTokenExpired);
    // A token that stands exactly at the horizon misses nothing.
    assert_eq!(
        client.deleted_page(&between).await.unwrap().records.len(),
        1
    );
}

#[tokio::test]
async fn a_walk_that_was_left_in_the_middle_expires_with_what_it_had_yet_to_tell() {
    let (mut client, mails) = Client::of(3).await;
    mails.iter().for_each(|at| client.expunge(at));
    let request = SyncPageRequest {
        delta_token: Some(client.deleted.clone()),
        limit: Some(1),
        ..SyncPageRequest::default()
    };
    let gateway = client.harness.gateway.clone();
    let account = client.harness.account.clone();
    let page = gateway.sync_deleted(&account, request).await.unwrap();
    let go_on = SyncPageRequest {
        page_token: page.next_page_token,
        ..SyncPageRequest::default()
    };
    let rest = gateway.sync_deleted(&account, go_on.clone()).await.unwrap();
    assert_eq!(rest.records.len(), 2);
    client.clock.days(41);
    client.until_left(0).await;
    let refused = gateway.sync_deleted(&account, go_on).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::SyncTokenExpired);
}

#[tokio::test]
async fn tokens_of_a_client_that_was_away_go_on_where_nothing_was_forgotten() {
    let (mut client, mails) = Client::of(3).await;
    client.expunge(&mails[0]);
    client.walk_deleted().await;
    let deleted = client.deleted.clone();
    client.clock.days(400);
    client.until_left(0).await;
    client.expunge(&mails[1]);
    client.deleted = deleted;
    assert_eq!(client.walk_deleted().await.len(), 1);
    assert!(client.walk_updated().await.is_empty());
}

#[tokio::test]
async fn an_updated_token_never_ages() {
    let (mut client, mails) = Client::of(3).await;
    let old = client.updated.clone();
    client.expunge(&mails[0]);
    client.walk_updated().await;
    client.clock.days(400);
    client.until_left(0).await;
    let new = Mail {
        id: "new",
        ..Mail::default()
    };
    client.harness.deliver(FolderRole::Inbox, &new);
    client.updated = old;
    assert_eq!(client.walk_updated().await.len(), 1);
}

#[tokio::test]
async fn many_removals_are_forgotten_some_at_a_time() {
    let (mut client, mails) = Client::of(1_201).await;
    mails[1..].iter().for_each(|at| client.expunge(at));
    client.until_left(1_200).await;
    let last = client.removals().await[1_199];
    client.clock.days(41);
    let account = client.harness.account.id;
    let mut seen = vec![1_200];
    client.walk_updated().await;
    for _ in 0..2_000 {
        let horizon = client.horizon().await;
        let left = client.removals().await;
        assert!(left.iter().all(|seq| *seq > horizon));
        if seen.last() != Some(&left.len()) {
            seen.push(left.len());
        }
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(seen.iter().all(|left| [1_200, 700, 200, 0].contains(left)));
    assert_eq!(client.horizon().await, last);
    let walk = client.harness.store.walk(account, 0, last, None, 9).await;
    assert_eq!(walk.unwrap().len(), 1);
}

#[tokio::test]
async fn a_removal_names_the_folder_that_its_message_was_told_in() {
    let config = OperationsConfig::default();
    let (mut client, mails) = Client::with(Shape::labels(), config, 1).await;
    for name in ["a", "b", "c", "d", "e"] {
        let mailbox = &client.harness.mailbox;
        let label = mailbox.create_folder(name, None).unwrap();
        mailbox.copy_message(&mails[0], &label).unwrap();
    }
    client.walk_updated().await;
    let listed = client.harness.list(ListRequest::default()).await;
    client.expunge(&mails[0]);
    let page = client.deleted_page(&client.deleted).await.unwrap();
    assert!(listed[0].folder.is_some());
    assert_eq!(page.records[0].folder, listed[0].folder);
}

#[tokio::test]
async fn a_message_that_comes_back_when_its_removal_was_forgotten_has_its_id() {
    let (mut client, mails) = Client::of(2).await;
    client.expunge(&mails[0]);
    let [gone] = client.walk_deleted().await.try_into().unwrap();
    client.clock.days(41);
    client.until_left(0).await;
    let again = Mail {
        id: "0",
        ..Mail::default()
    };
    client.harness.deliver(FolderRole::Inbox, &again);
    assert_eq!(client.walk_updated().await, [gone]);
    assert!(client.walk_deleted().await.is_empty());
}

#[tokio::test]
async fn a_move_of_a_twin_whose_sibling_was_forgotten_stays_a_move() {
    let (mut client, _) = Client::of(0).await;
    let mail = Mail {
        id: "twin",
        ..Mail::default()
    };
    let first = client.harness.deliver(FolderRole::Inbox, &mail);
    let second = client.harness.deliver(FolderRole::Inbox, &mail);
    let twins = client.walk_updated().await;
    assert_eq!(twins.len(), 2);
    client.expunge(&first);
    let [gone] = client.walk_deleted().await.try_into().unwrap();
    client.clock.days(41);
    client.until_left(0).await;
    let mailbox = &client.harness.mailbox;
    let [inbox, archive] =
        [FolderRole::Inbox, FolderRole::Archive].map(|role| mailbox.folder(role).unwrap());
    mailbox.move_message(&second, &inbox, &archive).unwrap();
    let moved = client.walk_updated().await;
    assert_eq!(moved.len(), 1);
    assert!(twins.contains(&moved[0]) && moved[0] != gone);
    assert!(client.walk_deleted().await.is_empty());
}

#[tokio::test]
async fn a_message_that_only_a_read_has_seen_at_its_last_place_is_told_as_gone() {
    let shape = Shape {
        forgets_passages: true,
        ..Shape::folders()
    };
    // No pass but those of the client: what happens between two of them is no one's guess.
    let config = OperationsConfig {
        push: false,
        ..OperationsConfig::default()
    };
    let (mut client, mails) = Client::with(shape, config, 2).await;
    let mailbox = client.harness.mailbox.clone();
    let [inbox, archive] =
        [FolderRole::Inbox, FolderRole::Archive].map(|role| mailbox.folder(role).unwrap());
    let moved = mailbox.move_message(&mails[0], &inbox, &archive).unwrap();
    assert_eq!(client.harness.ids().await.len(), 2);
    client.expunge(&moved);
    assert!(client.walk_updated().await.is_empty());
    assert_eq!(client.walk_deleted().await.len(), 1);
    assert_eq!(client.harness.ids().await.len(), 1);
}
