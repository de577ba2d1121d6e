//! `fetch`.

use email_model::Flags;
use email_provider::{Detail, MessageRef};

use crate::{Bench, Mail, bytes, call};

async fn ten(bench: &Bench) -> Vec<MessageRef> {
    let mails: Vec<Mail> = (0..10)
        .map(|n| Mail::new(&format!("one-of-ten-{n}"), n * 60))
        .collect();
    bench.stored(&bench.inbox().await, &mails).await
}

async fn order(bench: &Bench, refs: &[MessageRef], detail: Detail) -> Vec<MessageRef> {
    let fetched = bench
        .provider
        .fetch(call(), refs, detail)
        .await
        .expect("an answer");
    fetched.into_iter().map(|message| message.at).collect()
}

const DETAILS: [Detail; 4] = [
    Detail::Exists,
    Detail::State,
    Detail::Envelope,
    Detail::Content,
];

/// The answer follows the order of the references.
pub async fn messages_come_in_the_order_asked_for(bench: &Bench) {
    let refs = ten(bench).await;
    let asked: Vec<_> = [3, 9, 0, 7, 1].map(|n: usize| refs[n].clone()).into();
    for detail in DETAILS {
        assert_eq!(order(bench, &asked, detail).await, asked, "{detail:?}");
    }
    assert_eq!(order(bench, &[], Detail::Envelope).await, []);
}

/// What is absent is left out, the rest is answered.
pub async fn absent_messages_are_left_out(bench: &Bench) {
    let inbox = bench.inbox().await;
    let refs = ten(bench).await;
    let gone = "<one-of-ten-4@conformance.example>";
    bench.harness.expunge(&inbox, gone).await;
    bench.gone(&inbox, gone).await;
    let left: Vec<_> = refs.iter().filter(|at| **at != refs[4]).cloned().collect();
    for detail in DETAILS {
        assert_eq!(order(bench, &refs, detail).await, left, "{detail:?}");
    }
}

/// A message that is marked as deleted is absent; unmarked, it is back under the same key.
pub async fn a_message_marked_as_deleted_is_absent(bench: &Bench) {
    if !bench.facts.deleted_mark {
        return;
    }
    let inbox = bench.inbox().await;
    let refs = ten(bench).await;
    let marked = "<one-of-ten-4@conformance.example>";
    let left: Vec<_> = refs.iter().filter(|at| **at != refs[4]).cloned().collect();
    for (deleted, expected) in [(true, &left), (false, &refs)] {
        bench.harness.mark_deleted(&inbox, marked, deleted).await;
        for detail in DETAILS {
            bench
                .eventually("the mark counts", async || {
                    let shown = order(bench, &refs, detail).await;
                    if shown == *expected {
                        Ok(())
                    } else {
                        Err(format!("{detail:?}: {shown:?}"))
                    }
                })
                .await;
        }
    }
}

/// A reference named twice is answered twice or once.
pub async fn a_message_named_twice_is_answered(bench: &Bench) {
    let refs = ten(bench).await;
    let asked = [&refs[1], &refs[5], &refs[1]].map(Clone::clone);
    let answer = order(bench, &asked, Detail::Envelope).await;
    assert!(
        answer == asked || answer == asked[..2] || answer == asked[1..],
        "{answer:?}"
    );
}

/// Each detail tells all that it promises.
pub async fn each_detail_tells_what_it_promises(bench: &Bench) {
    let at = ten(bench).await.remove(0);
    assert!(bench.fetch(&at, Detail::Exists).await.is_some());
    let state = bench.fetch(&at, Detail::State).await.expect("there");
    assert!(state.state.is_some());
    let envelope = bench.fetch(&at, Detail::Envelope).await.expect("there");
    assert!(envelope.state.is_some() && envelope.identity.is_some() && envelope.thread.is_some());
    assert!(
        envelope
            .envelope
            .is_some_and(|envelope| envelope.attachments.is_some())
    );
    let content = bench.fetch(&at, Detail::Content).await.expect("there");
    assert!(content.state.is_some() && content.identity.is_some() && content.thread.is_some());
    let content = content.content.expect("content");
    assert!(content.envelope.attachments.is_some() && content.envelope.snippet.is_some());
}

/// Reading a message in any way leaves it unread.
pub async fn nothing_is_marked_as_read(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mut mail = Mail::new("unread", 0);
    mail.attachments.push(("a.bin".to_owned(), vec![1; 100]));
    let at = bench.store(&inbox, &mail).await;
    for detail in DETAILS {
        bench.fetch(&at, detail).await.expect("there");
    }
    bytes(bench.provider.raw(call(), &at).await).await;
    let fetched = bench.fetch(&at, Detail::Content).await.expect("there");
    let attachments = fetched
        .content
        .and_then(|content| content.envelope.attachments);
    for attachment in attachments.expect("attachments") {
        bytes(
            bench
                .provider
                .attachment(call(), &at, &attachment.part, None)
                .await,
        )
        .await;
    }
    let other = bench.harness.provider().await;
    let fetched = other
        .fetch(call(), &[at], Detail::State)
        .await
        .expect("there")
        .remove(0);
    let flags = fetched.state.expect("a state").labels.flags;
    assert!(!flags.contains(Flags::SEEN), "{flags:?}");
}

/// Flags, keywords and place are told as the server has them.
pub async fn the_state_is_that_of_the_server(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mut mail = Mail::new("flagged", 0);
    mail.flags = Flags::FLAGGED;
    mail.keywords = bench.keywords(&["blue"]);
    let at = bench.store(&inbox, &mail).await;
    let state = bench.state(&at).await;
    assert_eq!(state.folders, std::slice::from_ref(&inbox));
    assert_eq!(
        (state.labels.flags, state.labels.keywords),
        (mail.flags, mail.keywords)
    );
    let keywords = bench.keywords(&["green", "red"]);
    bench
        .harness
        .set_flags(&inbox, &mail.id, Flags::SEEN, &keywords)
        .await;
    bench
        .eventually("the new state is told", async || {
            let labels = bench.state(&at).await.labels;
            let told = labels.flags == Flags::SEEN && labels.keywords == keywords;
            if told {
                Ok(())
            } else {
                Err(format!("{labels:?}"))
            }
        })
        .await;
}

/// A whole page is fetched with one call.
pub async fn many_messages_are_fetched_at_once(bench: &Bench) {
    let mails: Vec<Mail> = (0..60)
        .map(|n| Mail::new(&format!("one-of-many-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&bench.inbox().await, &mails).await;
    for detail in DETAILS {
        assert_eq!(order(bench, &refs, detail).await, refs, "{detail:?}");
    }
}
