//! How messages get to the server, in one request or in chunks, and how far one had got when it failed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use email_provider::{
    ByteStream, Call, EmailProvider, ErrorKind, MessageCopy, MessageOctets, Outgoing, Priority,
    ProviderError, Submission,
};
use futures::{StreamExt as _, stream};
use provider_conformance::{Harness as _, Lengthened, octets};
use tokio::time::{Instant, sleep};

use crate::{
    scripted::{Asked, Reply, Scripted},
    sending::{composed, kind, submit},
    support::{EMAIL, GmailHarness},
};

/// Larger than what is one request; no multiple of anything.
pub const LARGE: u64 = 12_345_678;

pub async fn large(harness: &GmailHarness) -> Outgoing {
    let mut outgoing = composed(harness, "large").await;
    outgoing.octets = Arc::new(Lengthened {
        octets: outgoing.octets,
        length: LARGE,
    });
    outgoing
}

/// The mailbox, at a server that does as it is told.
pub async fn opened(harness: &GmailHarness, server: &Scripted) -> Arc<dyn EmailProvider> {
    let mut context = harness.context.clone();
    context.config["api_url"] = serde_json::json!(server.url);
    harness.open(&context).await
}

/// Answers whatever is asked beside uploads.
pub fn usual(asked: &Asked) -> Option<Reply> {
    asked.line.starts_with("GET").then(|| {
        let own = serde_json::json!({"sendAs": [{"sendAsEmail": EMAIL, "isPrimary": true}]});
        Reply::answer("200 OK", &own.to_string())
    })
}

#[tokio::test]
async fn a_large_message_goes_in_chunks_and_arrives_as_it_is() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = large(&harness).await;
    let before = harness.server.units(EMAIL);
    submit(provider.as_ref(), &outgoing).await.expect("sent");
    assert_eq!(harness.server.units(EMAIL) - before, 1 + 100);
    let sent = harness.server.sent();
    assert_eq!(sent.len(), 1);
    let kept = harness.user.message(&sent[0].id).expect("it is there");
    assert!(kept.raw == octets(&outgoing, MessageCopy::Kept).await);
    let requests = harness.server.requests();
    assert_eq!(requests.iter().filter(|one| one.http == "PUT").count(), 3);
}

#[tokio::test]
async fn a_large_draft_is_made_and_changed_in_chunks() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = large(&harness).await;
    let drafts = provider.drafts().expect("it keeps drafts");
    let call = provider_conformance::call;
    let draft = drafts.create(call(), &outgoing).await.expect("a draft");
    let draft = drafts.replace(call(), &draft.draft, &outgoing).await;
    draft.expect("a changed draft");
    let messages = harness.user.messages();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].raw == octets(&outgoing, MessageCopy::Kept).await);
}

#[tokio::test]
async fn chunks_that_get_lost_are_sent_again_and_the_message_is_sent_once() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = large(&harness).await;
    let server = harness.server.clone();
    let begun = move || {
        let all = server.requests();
        all.iter().any(|one| one.path.starts_with("/resumable"))
    };
    let server = harness.server.clone();
    let watch = tokio::spawn(async move {
        while !begun() {
            tokio::task::yield_now().await;
        }
        server.seed(5);
        server.faults(|faults| faults.dropped_requests = 0.3);
    });
    submit(provider.as_ref(), &outgoing).await.expect("sent");
    watch.await.expect("it began");
    assert_eq!(harness.server.sent().len(), 1);
    let dropped = harness.server.requests();
    assert!(dropped.iter().any(|one| one.status == 0), "some got lost");
    let kept = harness.user.message(&harness.server.sent()[0].id);
    let kept = kept.expect("it is there");
    assert!(kept.raw == octets(&outgoing, MessageCopy::Kept).await);
}

/// A message whose second half takes its time, or cannot be read.
#[derive(Debug)]
struct Halting {
    octets: Arc<dyn MessageOctets>,
    pause: Duration,
    fails: bool,
}

impl MessageOctets for Halting {
    fn length(&self, copy: MessageCopy) -> u64 {
        self.octets.length(copy)
    }

    fn read(&self, copy: MessageCopy) -> ByteStream {
        let (pause, fails) = (self.pause, self.fails);
        let halves = self.octets.read(copy).flat_map(move |piece| {
            let mut piece = piece.expect("octets");
            let first = piece.split_to(piece.len() / 2);
            let later = async move {
                sleep(pause).await;
                let gone = ProviderError::new(ErrorKind::Unavailable, "the file is gone");
                if fails {
                    Err(gone)
                } else {
                    Ok::<Bytes, _>(piece)
                }
            };
            stream::iter([Ok(first)]).chain(stream::once(later))
        });
        halves.boxed()
    }
}

async fn halting(harness: &GmailHarness, pause: u64, fails: bool) -> Outgoing {
    let mut outgoing = composed(harness, "halting").await;
    outgoing.octets = Arc::new(Halting {
        octets: outgoing.octets,
        pause: Duration::from_millis(pause),
        fails,
    });
    outgoing
}

#[tokio::test]
async fn what_failed_before_its_last_octet_left_was_not_sent() {
    let early = |take, answer: Option<&str>| Reply {
        take,
        answer: answer.map(|head| (head.to_owned(), String::new())),
    };
    for (reply, expected) in [
        (early(10, None), ErrorKind::Unavailable),
        (early(10, Some("503 Unavailable")), ErrorKind::Unavailable),
        (early(10, Some("400 Bad Request")), ErrorKind::Invalid),
        (
            early(u64::MAX, Some("503 Unavailable")),
            ErrorKind::OutcomeUnknown,
        ),
        (early(u64::MAX, None), ErrorKind::OutcomeUnknown),
    ] {
        let harness = GmailHarness::start(|_| {}).await;
        let outgoing = halting(&harness, 300, false).await;
        let told = format!("{reply:?}");
        let server = Scripted::start(true, move |asked| {
            usual(asked).unwrap_or_else(|| reply.clone())
        })
        .await;
        let provider = opened(&harness, &server).await;
        let answer = submit(provider.as_ref(), &outgoing).await;
        assert_eq!(kind(answer), Some(expected), "{told}");
    }
}

#[tokio::test]
async fn a_deadline_before_the_last_octet_ends_the_sending_for_good() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = halting(&harness, 300, false).await;
    let call = Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_millis(150),
    };
    let submitter = provider.submitter().expect("it sends");
    let answer = submitter.submit(call, Submission::Message(&outgoing)).await;
    assert_eq!(kind(answer), Some(ErrorKind::Unavailable));
    sleep(Duration::from_millis(600)).await;
    assert!(harness.server.sent().is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_not_sent_in_part() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = halting(&harness, 0, true).await;
    let refused = submit(provider.as_ref(), &outgoing)
        .await
        .expect_err("gone");
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    assert!(refused.message.contains("the file is gone"));
    sleep(Duration::from_millis(100)).await;
    assert!(harness.server.sent().is_empty() && harness.user.messages().is_empty());
}

#[tokio::test]
async fn a_message_that_was_taken_is_sent_even_if_nothing_more_is_told() {
    for fault in ["truncated", "stalled"] {
        let harness = GmailHarness::start(|_| {}).await;
        let provider = harness.provider().await;
        let outgoing = composed(&harness, "taken").await;
        harness.server.faults(|faults| {
            faults.only = vec!["gmail.users.messages.send".to_owned()];
            match fault {
                "truncated" => faults.truncated_bodies = 1.0,
                _ => faults.stalls = 1.0,
            }
        });
        let call = Call {
            priority: Priority::Interactive,
            deadline: Instant::now() + Duration::from_secs(1),
        };
        let submitter = provider.submitter().expect("it sends");
        let submission = Submission::Message(&outgoing);
        let submitted = submitter.submit(call, submission).await.expect("sent");
        assert_eq!(submitted.at, None, "{fault}");
        let filed = submitter.file(provider_conformance::call(), submission, &submitted);
        let filed = filed.await.expect("it is filed").expect("it is found");
        let id = harness.server.sent()[0].id.clone();
        assert_eq!(filed.key.0, id.into_bytes());
    }
}
