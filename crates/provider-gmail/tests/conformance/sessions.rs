//! Uploads in sessions: chunks interrupted at any place, and what the session tells then.

use std::{sync::Arc, time::Duration};

use email_provider::{
    Call, ErrorKind, MessageCopy, MessageRef, Priority, ProviderResult, Submission, Submitted,
};
use provider_conformance::octets;
use tokio::time::Instant;

use crate::{
    scripted::{Asked, Reply, Scripted},
    sending::{kind, submit},
    support::GmailHarness,
    uploads::{LARGE, large, opened, usual},
};

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

fn at(answer: ProviderResult<Submitted>) -> Option<MessageRef> {
    answer.expect("sent").at
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
