//! How messages get to the server: in one request or in chunks, interrupted at any place.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use email_provider::{
    ByteStream, Call, EmailProvider, ErrorKind, MessageCopy, MessageOctets, MessageRef, Outgoing,
    Priority, ProviderError, Submission,
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
const LARGE: u64 = 12_345_678;

async fn large(harness: &GmailHarness) -> Outgoing {
    let mut outgoing = composed(harness, "large").await;
    outgoing.octets = Arc::new(Lengthened {
        octets: outgoing.octets,
        length: LARGE,
    });
    outgoing
}

/// The mailbox, at a server that does as it is told.
async fn opened(harness: &GmailHarness, server: &Scripted) -> Arc<dyn EmailProvider> {
    let mut context = harness.context.clone();
    context.config["api_url"] = serde_json::json!(server.url);
    harness.open(&context).await
}

/// Answers whatever is asked beside uploads.
fn usual(asked: &Asked) -> Option<Reply> {
    asked.line.starts_with("GET").then(|| {
        let own = serde_json::json!({"sendAs": [{"sendAsEmail": EMAIL, "isPrimary": true}]});
        Reply::answer("200 OK", &own.to_string())
    })
}

/// A server of one upload session: `script` is asked about chunks, counted from 0.
async fn session(mut script: impl FnMut(usize, &Asked) -> Reply + Send + 'static) -> Scripted {
    let mut chunk = 0;
    let own = Arc::new(std::sync::OnceLock::<String>::new());
    let root = Arc::clone(&own);
    let server = Scripted::start(true, move |asked| {
        if let Some(reply) = usual(asked) {
            return reply;
        }
        if asked.line.starts_with("POST") {
            let root = root.get().expect("it has an address");
            let head = format!("200 OK\r\nLocation: {root}/upload/x?upload_id=1");
            return Reply::answer(&head, "");
        }
        chunk += 1;
        script(chunk - 1, asked)
    })
    .await;
    own.set(server.url.clone()).expect("set once");
    server
}

fn arrived(octets: u64) -> Reply {
    match octets.checked_sub(1) {
        Some(last) => Reply::answer(
            &format!("308 Resume Incomplete\r\nRange: bytes=0-{last}"),
            "",
        ),
        None => Reply::answer("308 Resume Incomplete", ""),
    }
}

/// So much of the body is read, and the connection is closed.
fn lost_after(take: u64) -> Reply {
    Reply { take, answer: None }
}

fn taken() -> Reply {
    Reply::answer("200 OK", r#"{"id":"1f"}"#)
}

/// Where a chunk begins and ends; nothing for a question.
fn stretch(asked: &Asked) -> Option<(u64, u64)> {
    let range = asked.range.as_deref()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    assert_eq!(total, LARGE.to_string());
    let (start, last) = range.split_once('-')?;
    Some((start.parse().ok()?, last.parse::<u64>().ok()? + 1))
}

/// What the server got, put together as it says that it kept it.
fn put_together(server: &Scripted) -> Vec<u8> {
    let mut whole = Vec::new();
    for asked in server
        .asked()
        .iter()
        .filter(|asked| asked.line.starts_with("PUT"))
    {
        let Some((start, end)) = stretch(asked) else {
            assert_eq!(asked.length, 0, "a question has no body");
            continue;
        };
        let start = usize::try_from(start).expect("a small number");
        assert!(start <= whole.len(), "no gap");
        assert!(end == LARGE || (end - u64::try_from(start).expect("small")) % (256 << 10) == 0);
        whole.truncate(start);
        whole.extend_from_slice(&asked.body);
    }
    whole
}

fn at(answer: email_provider::ProviderResult<email_provider::Submitted>) -> Option<MessageRef> {
    answer.expect("sent").at
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

#[tokio::test]
async fn an_interrupted_chunk_goes_on_from_where_it_got_to() {
    const KEPT: u64 = 1 << 20;
    let harness = GmailHarness::start(|_| {}).await;
    let outgoing = large(&harness).await;
    let mut got = 0;
    let server = session(move |chunk, asked| match (chunk, stretch(asked)) {
        // The second chunk is cut off, the third request fails, and so does the question after it.
        (1, Some((start, _))) => {
            got = start + KEPT;
            lost_after(KEPT)
        }
        (2, None) => Reply::answer("503 Unavailable", ""),
        (_, None) => arrived(got),
        (_, Some((_, LARGE))) => taken(),
        (_, Some((_, end))) => {
            got = end;
            arrived(got)
        }
    })
    .await;
    let provider = opened(&harness, &server).await;
    let sent = at(submit(provider.as_ref(), &outgoing).await);
    assert_eq!(sent.map(|at| at.key.0), Some(b"1f".to_vec()));
    assert!(put_together(&server) == octets(&outgoing, MessageCopy::Kept).await);
    let ranges: Vec<_> = server
        .asked()
        .into_iter()
        .filter_map(|asked| asked.range)
        .collect();
    assert_eq!(
        ranges[2..4],
        [format!("bytes */{LARGE}"), format!("bytes */{LARGE}")]
    );
    assert!(
        ranges[4].starts_with(&format!("bytes {}-", (4 << 20) + KEPT)),
        "{ranges:?}"
    );
}

#[tokio::test]
async fn after_the_last_chunk_the_session_tells_what_became_of_it() {
    for (then, expected) in [
        (taken(), None),
        (
            Reply::answer("404 Not Found", ""),
            Some(ErrorKind::OutcomeUnknown),
        ),
        (
            Reply::answer("403 Forbidden", ""),
            Some(ErrorKind::OutcomeUnknown),
        ),
        (lost_after(0), Some(ErrorKind::OutcomeUnknown)),
    ] {
        let harness = GmailHarness::start(|_| {}).await;
        let outgoing = large(&harness).await;
        let server = session(move |_, asked| match stretch(asked) {
            Some((_, LARGE)) => lost_after(u64::MAX),
            Some((_, end)) => arrived(end),
            None => then.clone(),
        })
        .await;
        let provider = opened(&harness, &server).await;
        let call = Call {
            priority: Priority::Interactive,
            deadline: Instant::now() + Duration::from_secs(3),
        };
        let submitter = provider.submitter().expect("it sends");
        let answer = submitter.submit(call, Submission::Message(&outgoing)).await;
        assert_eq!(kind(answer), expected);
    }
}

#[tokio::test]
async fn what_ends_before_the_last_chunk_was_not_sent() {
    for (reply, expected) in [
        (Reply::answer("400 Bad Request", ""), ErrorKind::Invalid),
        (Reply::answer("404 Not Found", ""), ErrorKind::Unavailable),
        (
            Reply::answer("429 Too Many Requests", ""),
            ErrorKind::RateLimited,
        ),
        (lost_after(0), ErrorKind::Unavailable),
        (arrived(0), ErrorKind::Unavailable),
    ] {
        let harness = GmailHarness::start(|_| {}).await;
        let outgoing = large(&harness).await;
        let server = session(move |_, _| reply.clone()).await;
        let provider = opened(&harness, &server).await;
        let call = Call {
            priority: Priority::Interactive,
            deadline: Instant::now() + Duration::from_secs(2),
        };
        let submitter = provider.submitter().expect("it sends");
        let answer = submitter.submit(call, Submission::Message(&outgoing)).await;
        assert_eq!(kind(answer), Some(expected));
    }
}

#[tokio::test]
async fn no_message_goes_to_another_server() {
    let harness = GmailHarness::start(|_| {}).await;
    let outgoing = large(&harness).await;
    let other = Scripted::start(true, |_| taken()).await;
    let location = format!("200 OK\r\nLocation: {}/upload?upload_id=1", other.url);
    let server = Scripted::start(true, move |asked| {
        usual(asked).unwrap_or_else(|| Reply::answer(&location, ""))
    })
    .await;
    let provider = opened(&harness, &server).await;
    let answer = submit(provider.as_ref(), &outgoing).await;
    assert_eq!(kind(answer), Some(ErrorKind::Unexpected));
    assert!(other.asked().is_empty());
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
