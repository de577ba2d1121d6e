//! Sends that one process has, and another takes over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use email_model::{FolderRole, Timestamp};
use email_provider::{Clock, ProviderRegistry, SystemClock};
use futures::future::join_all;
use gateway_operations::{
    Idempotency, OperationErrorKind, OperationResult, OperationsConfig, SendOptions, SentView,
};
use gateway_store::{SendRow, SendState};
use provider_memory::{Fault, Shape};
use sha2::{Digest as _, Sha256};

use crate::{
    harness::Harness,
    sending::{letter, shapes},
};

/// How long anything may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The system's clock, and what it was moved by.
#[derive(Debug, Default)]
pub struct Forward(pub AtomicI64);

impl Clock for Forward {
    fn now(&self) -> Timestamp {
        SystemClock.now() + chrono::Duration::seconds(self.0.load(Ordering::SeqCst))
    }
}

pub async fn harness(shape: Shape, lease: Duration) -> (Arc<Harness>, Arc<Forward>) {
    let config = OperationsConfig {
        send_lease: lease,
        ..OperationsConfig::default()
    };
    let clock = Arc::new(Forward::default());
    let harness = Harness::at(shape, config, Arc::clone(&clock) as _, |plugin| {
        ProviderRegistry::default().register(plugin)
    });
    (Arc::new(harness.await), clock)
}

async fn send(harness: &Harness) -> OperationResult<SentView> {
    let options = SendOptions {
        return_ids: true,
        idempotency: Some(Idempotency {
            key: "a".into(),
            request: [1; 32],
        }),
    };
    let gateway = &harness.gateway;
    gateway
        .send_message(&harness.account, letter("one"), options)
        .await
}

async fn row(harness: &Harness) -> Option<SendRow> {
    let key = Sha256::digest("a").into();
    let row = harness.store.send_of_key(harness.account.id, &key).await;
    row.unwrap()
}

/// Waits until the send has come so far.
async fn until(harness: &Harness, is_there: impl Fn(&SendRow) -> bool) -> SendRow {
    let waiting = tokio::time::timeout(PATIENCE, async {
        loop {
            match row(harness).await {
                Some(row) if is_there(&row) => break row,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    waiting.await.expect("it comes so far")
}

/// Begins a send that the backend takes its time for.
async fn stalled(
    harness: &Arc<Harness>,
    operation: &'static str,
    time: Duration,
) -> tokio::task::JoinHandle<OperationResult<SentView>> {
    harness
        .mailbox
        .inject(Some(operation), Fault::Stall(time), 1);
    let sender = Arc::clone(harness);
    let sending = tokio::spawn(async move { send(&sender).await });
    until(harness, |row| match row.state {
        SendState::Queued => false,
        SendState::Sending => operation == "submit",
        _ => true,
    })
    .await;
    sending
}

fn copies(harness: &Harness) -> usize {
    let folder = harness.mailbox.folder(FolderRole::Sent).unwrap();
    harness.mailbox.contents(&folder).len()
}

#[tokio::test]
async fn a_send_is_held_for_as_long_as_it_takes() {
    let (harness, _) = harness(Shape::folders(), Duration::from_secs(12)).await;
    let other = harness.another_gateway();
    other.start().await.unwrap();
    let sending = stalled(&harness, "submit", Duration::from_secs(14)).await;
    let begun = row(&harness).await.unwrap();
    let later = until(&harness, |row| row.held_until > begun.held_until).await;
    assert_eq!(later.version, begun.version);
    let sent = sending.await.unwrap().unwrap();
    assert!(sent.id.is_some());
    other.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
    assert_eq!(copies(&harness), 1);
}

#[tokio::test]
async fn who_could_not_hold_on_to_a_send_stops_handing_it_over() {
    let all = shapes().map(|shape| async move {
        let (harness, clock) = harness(shape, Duration::from_secs(3)).await;
        let sending = stalled(&harness, "submit", Duration::from_secs(50)).await;
        clock.0.store(600, Ordering::SeqCst);
        let answer = tokio::time::timeout(Duration::from_secs(40), sending).await;
        let answer = answer.expect("it is broken off").unwrap();
        assert_eq!(harness.mailbox.sent_mail().len(), 0, "{shape:?}");
        // Where sending ends a draft, the draft that is still there is a proof.
        let kind = match shape == Shape::delta() {
            true => OperationErrorKind::Provider,
            false => OperationErrorKind::SendUnconfirmed,
        };
        assert_eq!(answer.unwrap_err().kind, kind, "{shape:?}");
    });
    join_all(all).await;
}

#[tokio::test]
async fn what_was_taken_over_is_looked_for_and_handed_over_by_nobody() {
    let all = shapes().map(|shape| async move {
        let (harness, _) = harness(shape, Duration::from_secs(3)).await;
        let sending = stalled(&harness, "submit", Duration::from_secs(50)).await;
        let before = row(&harness).await.unwrap();
        let other = harness.another_gateway();
        // It takes whatever another process of this name had.
        other.start().await.unwrap();
        let taken = until(&harness, |row| row.version > before.version).await;
        assert_ne!(taken.state, SendState::Accepted);
        let answer = tokio::time::timeout(Duration::from_secs(40), sending).await;
        answer.expect("it is broken off").unwrap().unwrap_err();
        until(&harness, |row| row.holder.is_none()).await;
        other.stop().await;
        assert_eq!(harness.mailbox.sent_mail().len(), 0, "{shape:?}");
        assert_eq!(copies(&harness), 0, "{shape:?}");
        let drafts = harness.mailbox.folder(FolderRole::Drafts).unwrap();
        if row(&harness).await.unwrap().state == SendState::Failed {
            assert_eq!(harness.mailbox.contents(&drafts).len(), 0, "{shape:?}");
            send(&harness).await.unwrap();
            assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
        }
    });
    join_all(all).await;
}

/// It was taken over, and the first process learns that it was accepted before it learns that.
#[tokio::test]
async fn an_acceptance_counts_for_more_than_having_looked_in_vain() {
    let all = shapes().map(|shape| async move {
        let (harness, _) = harness(shape, Duration::from_secs(60)).await;
        let sending = stalled(&harness, "submit", Duration::from_secs(3)).await;
        let before = row(&harness).await.unwrap();
        let other = harness.another_gateway();
        other.start().await.unwrap();
        until(&harness, |row| row.version > before.version).await;
        let answer = sending.await.unwrap();
        match answer {
            Ok(sent) => {
                let kept = until(&harness, |row| row.state == SendState::Sent).await;
                assert_eq!(kept.due_at, None, "{shape:?}");
                assert_eq!(send(&harness).await.unwrap().id, sent.id);
                assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
                assert_eq!(copies(&harness), 1, "{shape:?}");
            }
            // Its draft was still there, and was thrown away before it could go out.
            Err(_) => {
                assert_eq!(shape, Shape::delta());
                assert_eq!(harness.mailbox.sent_mail().len(), 0, "{shape:?}");
            }
        }
        other.stop().await;
    });
    join_all(all).await;
}

#[tokio::test]
async fn the_copy_of_a_send_that_was_taken_over_is_filed_once() {
    let (harness, _) = harness(Shape::folders(), Duration::from_secs(3)).await;
    let sending = stalled(&harness, "file", Duration::from_secs(50)).await;
    let other = harness.another_gateway();
    other.start().await.unwrap();
    until(&harness, |row| row.state == SendState::Sent).await;
    let answer = tokio::time::timeout(Duration::from_secs(40), sending).await;
    let sent = answer.expect("filing is broken off").unwrap().unwrap();
    assert!(sent.submitted_message_id.is_some());
    other.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
    assert_eq!(copies(&harness), 1);
    assert!(send(&harness).await.unwrap().id.is_some());
}

/// What a dead process left is settled when its time has run out, and its caller is told.
#[tokio::test]
async fn a_send_that_its_process_left_is_settled_when_its_time_has_run_out() {
    let (harness, clock) = harness(Shape::listing(), Duration::from_secs(60)).await;
    harness.mailbox.hold_sent_copies();
    harness.mailbox.inject(Some("submit"), Fault::LoseAnswer, 1);
    let unknown = send(&harness).await.unwrap_err();
    assert_eq!(unknown.kind, OperationErrorKind::SendUnconfirmed);
    harness.mailbox.release_sent_copies().unwrap();
    let mut left = row(&harness).await.unwrap();
    left.state = SendState::Sending;
    left.holder = Some("another".into());
    left.held_until = Some(clock.now() + chrono::Duration::seconds(60));
    left.due_at = Some(clock.now());
    assert!(harness.store.write_send(&left).await.unwrap());
    assert_eq!(
        send(&harness).await.unwrap_err().kind,
        OperationErrorKind::Conflict
    );
    clock.0.store(61, Ordering::SeqCst);
    harness.gateway.start().await.unwrap();
    until(&harness, |row| row.state == SendState::Sent).await;
    assert!(send(&harness).await.unwrap().id.is_some());
    harness.gateway.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
}
