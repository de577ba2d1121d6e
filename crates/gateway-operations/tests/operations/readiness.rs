//! When the tokens of a sync can be used.

use std::time::Duration;

use email_model::FolderRole;
use gateway_operations::{OperationErrorKind, StartSync, SyncPageRequest};
use provider_memory::{Fault, Shape};

use crate::harness::{Harness, Mail};

/// A gateway that opened the journal before another one made the first survey knows of no scope: none
/// that is scanned, and none that is not.
#[tokio::test]
async fn a_gateway_that_has_not_seen_the_survey_of_another_one_is_not_ready() {
    let harness = Harness::new(Shape::folders()).await;
    let account = &harness.account;
    harness.deliver(FolderRole::Inbox, &Mail::default());
    let other = harness.another_gateway();
    other.folders(account).await.unwrap();

    let minute = Fault::Stall(Duration::from_secs(60));
    harness.mailbox.inject(Some("scan"), minute, 1_000);
    let start = StartSync::default();
    let gateway = &harness.gateway;
    assert!(!gateway.start_sync(account, start).await.unwrap().ready);
    let is_surveyed = async || {
        let journal = harness.store.journal(account.id).await.unwrap().unwrap();
        journal.record.surveyed_at.is_some()
    };
    while !is_surveyed().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let started = other.start_sync(account, start).await.unwrap();
    assert!(!started.ready);
    let request = SyncPageRequest {
        delta_token: Some(started.updated_token),
        ..SyncPageRequest::default()
    };
    let refused = other.sync_updated(account, request).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::MailboxUnavailable);
}
