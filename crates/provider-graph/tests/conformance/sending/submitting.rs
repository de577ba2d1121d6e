//! Sending, and what became of it.

use std::time::Duration;

use email_model::{FolderRole, Header};
use email_provider::{Call, ErrorKind, MessageCopy, Priority, Settled, Submission};
use fake_graph::{ErrorKind as Refused, When};
use provider_conformance::{Purpose, call, octets, outgoing};
use tokio::time::Instant;

use super::{Desk, file, filling, kind};
use crate::support::EMAIL;

#[tokio::test]
async fn what_is_small_is_kept_and_sent_octet_by_octet_under_one_id() {
    let desk = Desk::new().await;
    let mut message = desk.letter("small");
    message.attachments = vec![file("a.pdf", filling(100_000))];
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    message.headers = vec![header("Keywords", "one"), header("X-Own", "two")];
    message.list_headers = vec![header("List-Unsubscribe", "<https://x.example/u>")];
    let asked = outgoing(&message, Purpose::Draft);
    let kept = desk.create(&message).await.expect("a draft");
    assert_eq!(
        desk.truth(&kept.at).raw,
        octets(&asked, MessageCopy::Kept).await
    );
    let submitted = desk.submit(&kept).await.expect("it is sent");
    let at = submitted.at.clone().expect("its place");
    assert_eq!(at.key, kept.at.key, "the id before is the id after");
    assert_ne!(at.scope, kept.at.scope);
    let filed = desk
        .submitter()
        .file(call(), Submission::Draft(&kept.draft), &submitted);
    assert_eq!(filed.await.expect("an answer"), Some(at.clone()));
    assert!(!desk.truth(&at).draft);
    let sent = desk.harness.server.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].raw, octets(&asked, MessageCopy::Wire).await);
    assert_eq!(sent[0].recipients.len(), 3);
    let key = std::str::from_utf8(&at.key.0).ok();
    assert_eq!(sent[0].id.as_deref(), key);
}

#[tokio::test]
async fn what_became_of_a_send_is_told_by_its_draft() {
    let desk = Desk::new().await;
    let message = desk.letter("lost");
    let id = &message.message_id;
    let kept = desk.create(&message).await.expect("a draft");
    // Nothing of it has arrived.
    desk.harness.server.faults(|faults| {
        faults.only = vec!["messages.send".to_owned()];
        faults.dropped_requests = When::once();
        faults.cut_connections = When::once();
    });
    let lost = kind(desk.submit(&kept).await);
    assert_eq!(lost, Some(ErrorKind::OutcomeUnknown));
    assert_eq!(desk.settle(id, &kept, 0).await, Settled::Unknown);
    assert_eq!(desk.settle(id, &kept, 3).await, Settled::NotSent);
    // All of it has, but the answer was lost.
    let lost = kind(desk.submit(&kept).await);
    assert!(matches!(lost, None | Some(ErrorKind::OutcomeUnknown)));
    let Settled::Sent(Some(at)) = desk.settle(id, &kept, 0).await else {
        panic!("it was sent");
    };
    assert_eq!(at.key, kept.at.key);
    assert_eq!(desk.sent(id), 1);
    let again = kind(desk.submit(&kept).await);
    assert_eq!(again, Some(ErrorKind::NotFound));
    assert_eq!(desk.sent(id), 1);
}

#[tokio::test]
async fn a_failure_after_the_effect_is_no_failure_to_send() {
    let desk = Desk::new().await;
    let message = desk.letter("after");
    let kept = desk.create(&message).await.expect("a draft");
    desk.harness.server.faults(|faults| {
        faults.only = vec!["messages.send".to_owned()];
        faults.failures_after_effect = When::once();
    });
    let failed = kind(desk.submit(&kept).await);
    assert_eq!(failed, Some(ErrorKind::OutcomeUnknown));
    let settled = desk.settle(&message.message_id, &kept, 0).await;
    assert!(matches!(settled, Settled::Sent(Some(_))));
    assert_eq!(desk.sent(&message.message_id), 1);
}

#[tokio::test]
async fn a_message_on_its_way_is_neither_sent_nor_not_sent() {
    let desk = Desk::new().await;
    let message = desk.letter("slow");
    let kept = desk.create(&message).await.expect("a draft");
    desk.harness
        .server
        .faults(|faults| faults.slow_sending = Duration::from_secs(600));
    let submitted = desk.submit(&kept).await.expect("it is accepted");
    let settled = desk.settle(&message.message_id, &kept, 9).await;
    assert_eq!(settled, Settled::Unknown);
    let late = Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_millis(600),
    };
    let submission = Submission::Draft(&kept.draft);
    let filed = desk.submitter().file(late, submission, &submitted).await;
    assert_eq!(filed.expect("an answer"), None);
    desk.harness
        .server
        .clock()
        .advance(Duration::from_secs(700));
    let filed = desk.submitter().file(call(), submission, &submitted).await;
    assert_eq!(filed.expect("an answer"), submitted.at);
    let settled = desk.settle(&message.message_id, &kept, 9).await;
    assert_eq!(settled, Settled::Sent(submitted.at));
}

#[tokio::test]
async fn what_the_mailbox_refuses_is_told_in_the_gateways_terms() {
    let desk = Desk::new().await;
    let mut foreign = desk.letter("foreign");
    foreign.from = Some(email_model::Address::bare("eve@contoso.example"));
    let kept = desk.create(&foreign).await.expect("a draft");
    assert_eq!(kind(desk.submit(&kept).await), Some(ErrorKind::Forbidden));
    desk.harness.user.add_alias("eve@contoso.example");
    desk.submit(&kept).await.expect("it is sent");
    let message = desk.letter("often");
    let kept = desk.create(&message).await.expect("a draft");
    desk.strike(Refused::TooManyRequests, 1, "messages.send");
    assert_eq!(kind(desk.submit(&kept).await), Some(ErrorKind::RateLimited));
    assert_eq!(desk.sent(&message.message_id), 0);
    desk.submit(&kept).await.expect("it is sent");
    assert_eq!(desk.sent(&message.message_id), 1);
    desk.harness
        .is_careless
        .store(true, std::sync::atomic::Ordering::Relaxed);
}

#[tokio::test]
async fn a_message_is_sent_by_its_own_mailbox_alone() {
    let desk = Desk::new().await;
    let message = desk.letter("no-draft");
    let outgoing = outgoing(&message, Purpose::Send);
    let submission = Submission::Message(&outgoing);
    let refused = desk.submitter().submit(call(), submission).await;
    assert_eq!(kind(refused), Some(ErrorKind::Unsupported));
    assert!(desk.submitter().limits().drafts_only);
    assert_eq!(
        message.from.and_then(|from| from.address).as_deref(),
        Some(EMAIL)
    );
    assert!(
        desk.provider
            .capabilities()
            .roles
            .contains(&FolderRole::Sent)
    );
}
