//! Drafts that are sent with a key, and drafts that are to be sent when their account has changed.

use std::time::Duration;

use email_model::{DraftId, Timestamp};
use email_provider::{Clock as _, ErrorKind, SystemClock};
use futures::future::join_all;
use gateway_operations::{
    AccountInput, Idempotency, OperationErrorKind, OperationResult, ReadRequest, SaveOptions,
    ScheduledSend, ScheduledStatus, SendOptions, SendOutcome,
};
use gateway_store::{CredentialState, TokenStatus};
use provider_memory::{Fault, Shape};

use crate::{
    harness::{Harness, input},
    sending::{letter, shapes},
};

/// How long anything may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(60);

async fn draft(harness: &Harness) -> DraftId {
    let kept = harness
        .gateway
        .create_draft(&harness.account, letter("one"));
    kept.await.unwrap().id
}

fn keyed(key: &str) -> SendOptions {
    SendOptions {
        return_ids: true,
        idempotency: Some(Idempotency {
            key: key.into(),
            request: [1; 32],
        }),
    }
}

fn in_(seconds: i64) -> Option<Timestamp> {
    Some(SystemClock.now() + chrono::Duration::seconds(seconds))
}

async fn send(
    harness: &Harness,
    id: DraftId,
    at: Option<Timestamp>,
    key: &str,
) -> OperationResult<SendOutcome> {
    harness
        .gateway
        .send_draft(&harness.account, id, at, keyed(key))
        .await
}

/// Asks until nobody else is at it.
async fn settled(
    harness: &Harness,
    id: DraftId,
    at: Option<Timestamp>,
    key: &str,
) -> OperationResult<SendOutcome> {
    let asked = tokio::time::timeout(PATIENCE, async {
        loop {
            match send(harness, id, at, key).await {
                Err(error) if error.retry_after.is_some() => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                answer => break answer,
            }
        }
    });
    asked.await.expect("it comes to an end")
}

async fn scheduled(harness: &Harness, id: DraftId) -> Option<ScheduledSend> {
    let request = ReadRequest::default();
    let gateway = &harness.gateway;
    let view = gateway.draft(&harness.account, id, request).await;
    view.unwrap().scheduled
}

#[tokio::test]
async fn fifty_calls_at_once_that_schedule_a_draft_with_one_key_are_one_send() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let id = draft(&harness).await;
        let at = in_(5);
        let calls = (0..50).map(|_| settled(&harness, id, at, "a"));
        let answers = join_all(calls).await;
        let expected = SendOutcome::Scheduled { at: at.unwrap() };
        for answer in answers {
            assert_eq!(answer.unwrap(), expected, "{shape:?}");
        }
        let status = scheduled(&harness, id).await.unwrap().status;
        assert_eq!(status, ScheduledStatus::Scheduled);
        harness.gateway.start().await.unwrap();
        let sent = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok(SendOutcome::Sent(view)) = send(&harness, id, at, "a").await {
                    break view;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(sent.await.expect("it is sent").id.is_some(), "{shape:?}");
        harness.gateway.stop().await;
        assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
    }
}

#[tokio::test]
async fn fifty_calls_at_once_that_send_a_draft_with_one_key_are_one_send() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let id = draft(&harness).await;
        let calls = (0..50).map(|_| settled(&harness, id, None, "a"));
        let answers = join_all(calls).await;
        let first = answers[0].as_ref().unwrap().clone();
        assert!(matches!(&first, SendOutcome::Sent(view) if view.id.is_some()));
        for answer in answers {
            assert_eq!(answer.unwrap(), first, "{shape:?}");
        }
        assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
    }
}

#[tokio::test]
async fn a_retry_that_waited_for_the_mailbox_does_not_call_off_what_was_scheduled_meanwhile() {
    let harness = Harness::new(Shape::folders()).await;
    let id = draft(&harness).await;
    let at = in_(3_600);
    for key in ["a", "b"] {
        let calls = (0..50).map(|_| send(&harness, id, at, key));
        for answer in join_all(calls).await {
            if let Err(error) = answer {
                assert_eq!(error.kind, OperationErrorKind::Conflict);
                assert!(!error.message.contains("called off"), "{error}");
            }
        }
        settled(&harness, id, at, key).await.unwrap();
    }
    // Another key is another wish: the first one counts no longer.
    let first = send(&harness, id, at, "a").await.unwrap_err();
    assert!(first.message.contains("called off"), "{first}");
    let status = scheduled(&harness, id).await.unwrap().status;
    assert_eq!(status, ScheduledStatus::Scheduled);
}

#[tokio::test]
async fn a_scheduled_send_whose_grant_is_dead_fails_and_says_why() {
    let harness = Harness::new(Shape::folders()).await;
    let id = draft(&harness).await;
    let at = in_(1);
    send(&harness, id, at, "a").await.unwrap();
    let dead = CredentialState {
        status: TokenStatus::Dead,
        error: Some("the grant was revoked".into()),
        refused_at: None,
    };
    let account = harness.account.id;
    harness.store.set_credentials(account, &dead).await.unwrap();
    harness.gateway.start().await.unwrap();
    until_over(&harness, id).await;
    harness.gateway.stop().await;
    harness
        .store
        .set_credentials(account, &CredentialState::default())
        .await
        .unwrap();
    let told = scheduled(&harness, id).await.unwrap();
    assert_eq!(told.status, ScheduledStatus::Failed);
    assert_eq!(told.error_message.unwrap(), "the grant was revoked");
    assert_eq!(harness.mailbox.sent_mail().len(), 0);
    // It may be asked for again, now that there is a grant.
    settled(&harness, id, None, "a").await.unwrap();
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
}

/// Waits until nothing is to be done about a draft's send.
async fn until_over(harness: &Harness, id: DraftId) {
    let waiting = tokio::time::timeout(PATIENCE, async {
        loop {
            let row = harness.store.send_of_draft(harness.account.id, id).await;
            if row.unwrap().is_none_or(|row| row.due_at.is_none()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waiting.await.expect("it comes to an end");
}

#[tokio::test]
async fn a_scheduled_send_whose_password_is_refused_waits_for_another_one() {
    let harness = Harness::new(Shape::folders()).await;
    let id = draft(&harness).await;
    send(&harness, id, in_(1), "a").await.unwrap();
    let refused = Fault::Fail(ErrorKind::Unauthenticated);
    harness.mailbox.inject(None, refused, 1);
    harness.gateway.start().await.unwrap();
    let account = harness.account.id;
    let waiting = tokio::time::timeout(PATIENCE, async {
        loop {
            let row = harness.store.send_of_draft(account, id).await.unwrap();
            let row = row.unwrap();
            if row.record["failure"].is_string() && row.due_at.is_some() && row.holder.is_none() {
                break row;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let row = waiting.await.expect("it is put off");
    assert_eq!(row.state, gateway_store::SendState::Queued);
    assert_eq!(harness.mailbox.sent_mail().len(), 0);
    let anew = harness
        .gateway
        .save_account(&harness.application, input(), SaveOptions::default());
    anew.await.unwrap();
    let sent = tokio::time::timeout(PATIENCE * 2, async {
        while harness.mailbox.sent_mail().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    sent.await.expect("it is sent with the new one");
    until_over(&harness, id).await;
    harness.gateway.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_scheduled_send_of_an_account_that_is_not_active_fails_and_says_why() {
    let harness = Harness::new(Shape::folders()).await;
    let id = draft(&harness).await;
    send(&harness, id, in_(1), "a").await.unwrap();
    let active = |active| AccountInput { active, ..input() };
    let save = async |is_active| {
        let options = SaveOptions::default();
        let gateway = &harness.gateway;
        let saved = gateway.save_account(&harness.application, active(is_active), options);
        assert_eq!(saved.await.unwrap().account.id, harness.account.id);
    };
    save(false).await;
    harness.gateway.start().await.unwrap();
    until_over(&harness, id).await;
    harness.gateway.stop().await;
    save(true).await;
    let told = scheduled(&harness, id).await.unwrap();
    assert_eq!(told.status, ScheduledStatus::Failed);
    assert_eq!(told.error_message.unwrap(), "this account is not active");
    assert_eq!(harness.mailbox.sent_mail().len(), 0);
}

#[tokio::test]
async fn nothing_is_sent_for_an_account_that_was_deleted_before_its_time() {
    let harness = Harness::new(Shape::folders()).await;
    let id = draft(&harness).await;
    send(&harness, id, in_(1), "a").await.unwrap();
    harness
        .gateway
        .delete_account(&harness.account)
        .await
        .unwrap();
    harness.gateway.start().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    harness.gateway.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 0);
    let row = harness.store.send_of_draft(harness.account.id, id).await;
    assert_eq!(row.unwrap(), None);
    assert_eq!(harness.store.next_due_send().await.unwrap(), None);
}

#[tokio::test]
async fn a_send_without_an_answer_tells_by_which_id_it_may_turn_up() {
    let harness = Harness::new(Shape::folders()).await;
    harness.mailbox.inject(Some("submit"), Fault::LoseAnswer, 2);
    let (gateway, account) = (&harness.gateway, &harness.account);
    let message = gateway.send_message(account, letter("one"), SendOptions::default());
    let message = message.await.unwrap_err();
    let id = draft(&harness).await;
    let of_draft = send(&harness, id, None, "a").await.unwrap_err();
    let again = send(&harness, id, None, "a").await.unwrap_err();
    let wires: Vec<_> = harness.mailbox.sent_mail();
    assert_eq!(wires.len(), 2);
    for (error, mail) in [
        (message, &wires[0]),
        (of_draft, &wires[1]),
        (again, &wires[1]),
    ] {
        assert_eq!(error.kind, OperationErrorKind::SendUnconfirmed);
        let told = error.original.unwrap();
        let told = told["internetMessageId"].as_str().unwrap();
        let wire = String::from_utf8_lossy(&mail.octets);
        assert!(wire.contains(&format!("Message-ID: {told}\r\n")), "{wire}");
    }
}
