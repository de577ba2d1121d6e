//! Pages of a sync whose content cannot all be had.

use std::time::{Duration, Instant};

use email_model::{BodyType, FolderRole};
use email_provider::ErrorKind;
use gateway_operations::{
    MessageView, OperationErrorKind, StartSync, SyncPageRequest, UpdatedPage,
};
use provider_memory::{Fault, Shape};

use crate::harness::{Harness, Mail};

struct Client {
    harness: Harness,
    delta: String,
}

/// A call that succeeds.
const WELL: Fault = Fault::Stall(Duration::ZERO);

impl Client {
    /// Of a mailbox that is synchronised and has so many mails.
    async fn of(mails: usize) -> Self {
        let harness = Harness::new(Shape::folders()).await;
        for n in 0..mails {
            let id = format!("<{n}@example.org>");
            let mail = Mail {
                id: &id,
                text: "text",
                ..Mail::default()
            };
            harness.deliver(FolderRole::Inbox, &mail);
        }
        let start = StartSync {
            await_ready: true,
            body_type: Some(BodyType::Text),
            ..StartSync::default()
        };
        let started = harness.gateway.start_sync(&harness.account, start).await;
        let delta = started.unwrap().updated_token;
        Self { harness, delta }
    }

    fn fail(&self, fault: Fault, times: usize) {
        self.harness.mailbox.inject(Some("fetch"), fault, times);
    }

    async fn first(&self, limit: u32) -> UpdatedPage {
        let request = SyncPageRequest {
            delta_token: Some(self.delta.clone()),
            limit: Some(limit),
            ..SyncPageRequest::default()
        };
        let (gateway, account) = (&self.harness.gateway, &self.harness.account);
        gateway.sync_updated(account, request).await.unwrap()
    }

    fn after(page: &UpdatedPage) -> SyncPageRequest {
        SyncPageRequest {
            page_token: page.next_page_token.clone(),
            ..SyncPageRequest::default()
        }
    }
}

fn has_text(view: &MessageView) -> bool {
    view.body.is_some() && view.omitted.is_empty()
}

#[tokio::test]
async fn a_page_ends_where_the_mailbox_gives_nothing_more() {
    let client = Client::of(60).await;
    // Contents are asked for by fifty.
    client.fail(WELL, 1);
    client.fail(Fault::Fail(ErrorKind::Unavailable), 1_000);
    let page = client.first(60).await;
    assert_eq!(page.records.len(), 50);
    assert!(page.records.iter().all(has_text));
    assert!(page.next_delta_token.is_none());

    let (gateway, account) = (&client.harness.gateway, &client.harness.account);
    let next = Client::after(&page);
    let refused = gateway.sync_updated(account, next.clone()).await;
    let kind = refused.unwrap_err().kind;
    assert_eq!(kind, OperationErrorKind::ProviderUnavailable);

    client.harness.mailbox.heal();
    let rest = gateway.sync_updated(account, next).await.unwrap();
    assert_eq!(rest.records.len(), 10);
    assert!(rest.records.iter().all(has_text));
    assert!(rest.next_delta_token.is_some());
    let mut ids: Vec<_> = page.records.iter().chain(&rest.records).collect();
    ids.sort_by_key(|view| view.id);
    ids.dedup_by_key(|view| view.id);
    assert_eq!(ids.len(), 60);
}

#[tokio::test]
async fn a_message_whose_content_could_not_be_had_is_told_again_with_it() {
    let mut client = Client::of(3).await;
    // All three at once, then each alone.
    let broken = Fault::Fail(ErrorKind::Unexpected);
    for fault in [broken, WELL, broken, WELL] {
        client.fail(fault, 1);
    }
    let page = client.first(50).await;
    let told: Vec<_> = page.records.iter().filter(|view| has_text(view)).collect();
    assert_eq!((page.records.len(), told.len()), (3, 2));
    let missed = page.records.iter().find(|view| !has_text(view)).unwrap().id;

    client.delta = page.next_delta_token.unwrap();
    let begun = Instant::now();
    loop {
        let page = client.first(50).await;
        client.delta = page.next_delta_token.unwrap();
        if let [again] = page.records.as_slice() {
            assert_eq!(again.id, missed);
            assert!(has_text(again));
            return;
        }
        assert!(page.records.is_empty());
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "never told again"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
