//! Drafts: one id from the first word to the last.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use email_model::{DraftId, Flags, FolderRole};
use email_provider::{Clock as _, SystemClock};
use gateway_operations::{
    OperationErrorKind, ReadRequest, ScheduledStatus, SendOptions, SendOutcome, SentView,
};
use provider_memory::{Fault, Shape};

use crate::{
    client::Client,
    harness::Harness,
    send_leases,
    sending::{letter, shapes},
};

async fn draft(harness: &Harness, subject: &str) -> DraftId {
    let created = harness
        .gateway
        .create_draft(&harness.account, letter(subject))
        .await;
    created.unwrap().id
}

async fn subject(harness: &Harness, id: DraftId) -> String {
    let request = ReadRequest::default();
    let view = harness
        .gateway
        .draft(&harness.account, id, request)
        .await
        .unwrap();
    view.message.envelope.unwrap().subject.unwrap()
}

fn with_ids() -> SendOptions {
    SendOptions {
        return_ids: true,
        ..SendOptions::default()
    }
}

fn sent(outcome: SendOutcome) -> SentView {
    match outcome {
        SendOutcome::Sent(view) => view,
        SendOutcome::Scheduled { .. } => panic!("it is sent at once"),
    }
}

fn in_(millis: i64) -> Option<email_model::Timestamp> {
    Some(SystemClock.now() + chrono::Duration::milliseconds(millis))
}

/// Another program gives the only draft another subject.
async fn edit_elsewhere(harness: &Harness, id: DraftId) {
    let folder = harness.mailbox.folder(FolderRole::Drafts).unwrap();
    let (at, _) = harness.mailbox.contents(&folder).remove(0);
    let request = ReadRequest::default();
    let view = harness.gateway.draft(&harness.account, id, request).await;
    let message_id = view.unwrap().message.envelope.unwrap().message_id.unwrap();
    let raw = format!(
        "Message-ID: {message_id}\r\nFrom: ann@example.org\r\nTo: bob@example.net\r\n\
         Subject: theirs\r\n\r\ntext\r\n"
    );
    let now = SystemClock.now();
    harness.mailbox.edit_draft(&at, raw.into(), now).unwrap();
}

async fn wait_until_sent(harness: &Harness) {
    let sent = tokio::time::timeout(Duration::from_secs(60), async {
        while harness.mailbox.sent_mail().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    sent.await.expect("it is sent");
}

#[tokio::test]
async fn a_draft_keeps_its_id_and_its_messages_id_through_changes_and_the_send() {
    for shape in shapes() {
        let mut client = Client::of(shape).await;
        let id = draft(&client.harness, "one").await;
        let request = ReadRequest::default();
        let view = client
            .harness
            .gateway
            .draft(&client.harness.account, id, request);
        let message = view.await.unwrap().message;
        assert!(message.labels.unwrap().flags.contains(Flags::DRAFT));
        let message = message.id;
        let (told, _) = client.follow().await;
        assert_eq!(
            told.iter().map(|told| told.id).collect::<Vec<_>>(),
            [message],
            "{shape:?}"
        );

        for text in ["two", "three"] {
            let harness = &client.harness;
            let updated = harness
                .gateway
                .update_draft(&harness.account, id, letter(text))
                .await;
            assert_eq!(updated.unwrap().id, id);
            assert_eq!(subject(harness, id).await, text, "{shape:?}");
            let (told, removed) = client.follow().await;
            assert_eq!(removed, [], "{shape:?}");
            let last = told.last().unwrap();
            assert_eq!(
                (last.id, last.subject.as_str()),
                (message, text),
                "{shape:?}"
            );
            assert!(
                told.iter().all(|told| told.id == message),
                "{shape:?}: {told:?}"
            );
        }

        let harness = &client.harness;
        let outcome = harness
            .gateway
            .send_draft(&harness.account, id, None, with_ids())
            .await;
        let view = sent(outcome.unwrap());
        assert_eq!(view.id, Some(message), "{shape:?}");
        assert_eq!(harness.mailbox.sent_mail().len(), 1);
        let (told, removed) = client.follow().await;
        assert!(
            told.iter().all(|told| told.id == message),
            "{shape:?}: {told:?}"
        );
        assert_eq!(removed, [], "{shape:?}");
        let harness = &client.harness;
        let read = harness
            .gateway
            .message(&harness.account, message, ReadRequest::default());
        assert_eq!(read.await.unwrap().roles, [FolderRole::Sent], "{shape:?}");
        let gone = harness
            .gateway
            .draft(&harness.account, id, ReadRequest::default())
            .await;
        assert_eq!(gone.unwrap_err().kind, OperationErrorKind::NotFound);
        let folder = harness.mailbox.folder(FolderRole::Drafts).unwrap();
        assert_eq!(harness.mailbox.contents(&folder).len(), 0, "{shape:?}");
    }
}

#[tokio::test]
async fn a_draft_is_sent_at_its_time_once_with_two_gateways() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let id = draft(&harness, "one").await;
        let other = harness.another_gateway();
        harness.gateway.start().await.unwrap();
        other.start().await.unwrap();
        let outcome = harness
            .gateway
            .send_draft(&harness.account, id, in_(3_000), with_ids())
            .await;
        assert!(matches!(outcome.unwrap(), SendOutcome::Scheduled { .. }));
        let view = harness
            .gateway
            .draft(&harness.account, id, ReadRequest::default())
            .await;
        let scheduled = view.unwrap().scheduled.unwrap();
        assert_eq!(scheduled.status, ScheduledStatus::Scheduled);
        assert_eq!(harness.mailbox.sent_mail().len(), 0);
        let fired = tokio::time::timeout(Duration::from_secs(60), async {
            while harness.mailbox.sent_mail().is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            // Long enough for a second one.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        });
        fired.await.expect("it is sent");
        assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
        harness.gateway.stop().await;
        other.stop().await;
        let view = harness
            .gateway
            .draft(&harness.account, id, ReadRequest::default())
            .await;
        let scheduled = view.unwrap().scheduled.unwrap();
        assert_eq!(scheduled.status, ScheduledStatus::Sent, "{shape:?}");
    }
}

#[tokio::test]
async fn a_scheduled_send_survives_a_restart() {
    let harness = Harness::new(Shape::folders()).await;
    let id = draft(&harness, "one").await;
    harness
        .gateway
        .send_draft(&harness.account, id, in_(300), with_ids())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let next = harness.another_gateway();
    next.start().await.unwrap();
    wait_until_sent(&harness).await;
    next.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_draft_that_was_sent_at_its_time_tells_of_that_for_a_week() {
    let (harness, clock) = send_leases::harness(Shape::delta(), Duration::from_secs(60)).await;
    harness.gateway.start().await.unwrap();
    let id = draft(&harness, "one").await;
    let gateway = &harness.gateway;
    gateway
        .send_draft(&harness.account, id, in_(300), with_ids())
        .await
        .unwrap();
    wait_until_sent(&harness).await;
    let message = loop {
        let request = ReadRequest::default();
        let view = gateway.draft(&harness.account, id, request).await.unwrap();
        if view.scheduled.unwrap().status == ScheduledStatus::Sent {
            break view.message.id;
        }
    };
    gateway.stop().await;
    let store = &harness.store;
    let is_over = async |days: i64| {
        clock.0.store(days * 24 * 3_600, Ordering::SeqCst);
        let later = harness.another_gateway_at(Arc::clone(&clock) as _);
        later.start().await.unwrap();
        let gone =
            tokio::time::timeout(Duration::from_secs(if days > 7 { 60 } else { 1 }), async {
                while store.draft(harness.account.id, id).await.unwrap().is_some() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        let is_over = gone.await.is_ok();
        later.stop().await;
        is_over
    };
    assert!(!is_over(6).await);
    assert!(is_over(8).await);
    let later = harness.another_gateway();
    let request = ReadRequest::default();
    let gone = later.draft(&harness.account, id, request).await;
    assert_eq!(gone.unwrap_err().kind, OperationErrorKind::NotFound);
    let request = ReadRequest::default();
    let sent = later.message(&harness.account, message, request).await;
    assert_eq!(sent.unwrap().id, message);
    later.stop().await;
}

#[tokio::test]
async fn a_scheduled_send_is_called_off_by_deleting_the_draft() {
    let harness = Harness::new(Shape::folders()).await;
    harness.gateway.start().await.unwrap();
    let id = draft(&harness, "one").await;
    harness
        .gateway
        .send_draft(&harness.account, id, in_(3_000), with_ids())
        .await
        .unwrap();
    harness
        .gateway
        .delete_draft(&harness.account, id)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(3_700)).await;
    harness.gateway.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 0);
    let gone = harness
        .gateway
        .delete_draft(&harness.account, id)
        .await
        .unwrap_err();
    assert_eq!(gone.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn a_scheduled_draft_is_sent_as_it_was_changed_last() {
    let harness = Harness::new(Shape::labels()).await;
    harness.gateway.start().await.unwrap();
    let id = draft(&harness, "one").await;
    harness
        .gateway
        .send_draft(&harness.account, id, in_(800), with_ids())
        .await
        .unwrap();
    harness
        .gateway
        .update_draft(&harness.account, id, letter("two"))
        .await
        .unwrap();
    wait_until_sent(&harness).await;
    harness.gateway.stop().await;
    let wire = harness.mailbox.sent_mail()[0].octets.clone();
    assert!(String::from_utf8_lossy(&wire).contains("Subject: two\r\n"));
}

#[tokio::test]
async fn two_sends_of_one_draft_at_once_are_one() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let id = draft(&harness, "one").await;
        let send = || {
            harness
                .gateway
                .send_draft(&harness.account, id, None, with_ids())
        };
        let answers = [tokio::join!(send(), send(), send())];
        let [(a, b, c)] = answers;
        let went = [&a, &b, &c]
            .into_iter()
            .filter(|answer| answer.is_ok())
            .count();
        assert_eq!(went, 1, "{shape:?}: {a:?} {b:?} {c:?}");
        assert_eq!(harness.mailbox.sent_mail().len(), 1);
    }
}

#[tokio::test]
async fn a_draft_that_somebody_else_changed_is_a_conflict_until_it_is_read_again() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let id = draft(&harness, "one").await;
        let folder = harness.mailbox.folder(FolderRole::Drafts).unwrap();
        edit_elsewhere(&harness, id).await;
        let update = || {
            harness
                .gateway
                .update_draft(&harness.account, id, letter("ours"))
        };
        let refused = update().await.unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::Conflict, "{shape:?}");
        assert_eq!(subject(&harness, id).await, "theirs", "{shape:?}");
        update().await.unwrap();
        assert_eq!(subject(&harness, id).await, "ours", "{shape:?}");
        assert_eq!(harness.mailbox.contents(&folder).len(), 1);
    }
}

#[tokio::test]
async fn a_draft_of_somebody_else_is_a_draft_by_the_id_of_its_message() {
    let harness = Harness::new(Shape::labels()).await;
    let id = draft(&harness, "one").await;
    let view = harness
        .gateway
        .draft(&harness.account, id, ReadRequest::default())
        .await
        .unwrap();
    let by_message = DraftId(view.message.id.0);
    assert_eq!(subject(&harness, by_message).await, "one");
    harness
        .gateway
        .update_draft(&harness.account, by_message, letter("two"))
        .await
        .unwrap();
    assert_eq!(subject(&harness, id).await, "two");
}

#[tokio::test]
async fn a_change_without_an_answer_leaves_one_draft() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        harness
            .mailbox
            .inject(Some("create_draft"), Fault::LoseAnswer, 1);
        let id = draft(&harness, "one").await;
        harness
            .mailbox
            .inject(Some("replace_draft"), Fault::LoseAnswer, 1);
        harness
            .gateway
            .update_draft(&harness.account, id, letter("two"))
            .await
            .unwrap();
        let folder = harness.mailbox.folder(FolderRole::Drafts).unwrap();
        assert_eq!(harness.mailbox.contents(&folder).len(), 1, "{shape:?}");
        assert_eq!(subject(&harness, id).await, "two");
    }
}

#[tokio::test]
async fn a_draft_that_somebody_else_changed_is_not_sent_until_it_is_read_again() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let id = draft(&harness, "one").await;
        edit_elsewhere(&harness, id).await;
        let send = || {
            harness
                .gateway
                .send_draft(&harness.account, id, None, with_ids())
        };
        let refused = send().await.unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::Conflict, "{shape:?}");
        assert_eq!(harness.mailbox.sent_mail().len(), 0);
        assert_eq!(subject(&harness, id).await, "theirs", "{shape:?}");
        send().await.unwrap();
        assert_eq!(harness.mailbox.sent_mail().len(), 1);
    }
}

#[tokio::test]
async fn a_scheduled_draft_is_sent_as_somebody_else_changed_it() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        harness.gateway.start().await.unwrap();
        let id = draft(&harness, "one").await;
        harness
            .gateway
            .send_draft(&harness.account, id, in_(900), with_ids())
            .await
            .unwrap();
        edit_elsewhere(&harness, id).await;
        wait_until_sent(&harness).await;
        harness.gateway.stop().await;
        let wire = harness.mailbox.sent_mail()[0].octets.clone();
        assert!(String::from_utf8_lossy(&wire).contains("Subject: theirs\r\n"));
    }
}
