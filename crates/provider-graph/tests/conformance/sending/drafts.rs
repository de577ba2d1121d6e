//! Drafts that are found, replaced and answered with.

use email_provider::{DraftQuery, ErrorKind, MessageRef, Outgoing};
use fake_graph::When;
use provider_conformance::{Purpose, answering, call};

use super::{Desk, LARGE, file, files, filling, kind};
use crate::steps::{append, inbox};

#[tokio::test]
async fn a_draft_whose_making_is_not_known_of_is_found() {
    for length in [1_000, LARGE] {
        let desk = Desk::new().await;
        let mut message = desk.letter("unknown");
        message.attachments = vec![file("one.pdf", filling(length))];
        // The request that ends it.
        let last = if length == LARGE {
            "messages.update"
        } else {
            "messages.create"
        };
        desk.harness.server.faults(|faults| {
            faults.only = vec![last.to_owned()];
            faults.cut_connections = When::Always;
        });
        let made = kind(desk.create(&message).await);
        assert_eq!(made, Some(ErrorKind::OutcomeUnknown));
        desk.calm();
        let query = DraftQuery::MessageId(message.message_id.clone());
        let found = desk.drafts().find(call(), &query).await;
        let found = found.expect("an answer").expect("a draft");
        assert_eq!(files(&desk.truth(&found.at).raw).len(), 1);
        desk.submit(&found).await.expect("it is sent");
        assert_eq!(desk.sent(&message.message_id), 1);
    }
}

#[tokio::test]
async fn a_draft_keeps_its_id_when_it_is_replaced() {
    let desk = Desk::new().await;
    let mut message = desk.letter("first");
    message.attachments = vec![file("one.pdf", filling(LARGE))];
    message.in_reply_to = Some("<asked@x.example>".to_owned());
    let first = desk.create(&message).await.expect("a draft");
    // The text alone: one request.
    desk.harness.server.clear_requests();
    message.subject = Some("second".to_owned());
    let second = desk.replace(&first, &message).await.expect("a draft");
    assert_eq!(second.at, first.at);
    assert_ne!(second.draft, first.draft);
    assert_eq!(desk.harness.server.requests().len(), 1);
    assert_eq!(files(&desk.truth(&second.at).raw).len(), 1);
    // Other attachments: another draft, and the old one is gone, so that nobody comes upon half of one.
    message.attachments = vec![file("two.pdf", filling(10)), file("three.pdf", filling(20))];
    let third = desk.replace(&second, &message).await.expect("a draft");
    assert!(!desk.is_there(&first.at) && desk.draft_count() == 1);
    let names: Vec<_> = files(&desk.truth(&third.at).raw)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["two.pdf", "three.pdf"]);
    // Header fields are given once.
    message.in_reply_to = Some("<another@x.example>".to_owned());
    let fourth = desk.replace(&third, &message).await.expect("a draft");
    assert!(!desk.is_there(&third.at) && desk.draft_count() == 1);
    let stale = kind(desk.replace(&first, &message).await);
    assert_eq!(stale, Some(ErrorKind::NotFound));
    desk.submit(&fourth).await.expect("it is sent");
    let raw = String::from_utf8(desk.harness.server.sent()[0].raw.clone());
    assert!(
        raw.expect("ASCII")
            .contains("In-Reply-To: <another@x.example>\r\n")
    );
}

#[tokio::test]
async fn a_draft_of_somebody_else_stays_in_its_place_with_other_attachments() {
    let desk = Desk::new().await;
    let mut message = desk.letter("theirs");
    message.attachments = vec![file("one.pdf", filling(10))];
    let kept = desk.create(&message).await.expect("a draft");
    let query = DraftQuery::Message(kept.at.clone());
    let found = desk.drafts().find(call(), &query).await;
    let found = found.expect("an answer").expect("a draft");
    message.attachments = vec![file("two.pdf", filling(20)), file("three.pdf", filling(30))];
    let replaced = desk.replace(&found, &message).await.expect("a draft");
    assert_eq!(replaced.at, kept.at);
    let raw = desk.truth(&replaced.at).raw;
    let names: Vec<_> = files(&raw).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["two.pdf", "three.pdf"]);
    desk.submit(&replaced).await.expect("it is sent");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once() {
    for is_done in [false, true] {
        let desk = Desk::new().await;
        let mut message = desk.letter("changed");
        let kept = desk.create(&message).await.expect("a draft");
        desk.harness.server.faults(|faults| {
            faults.only = vec!["messages.update".to_owned()];
            match is_done {
                true => faults.cut_connections = When::once(),
                false => faults.dropped_requests = When::once(),
            }
        });
        message.subject = Some("another".to_owned());
        let replaced = desk.replace(&kept, &message).await.expect("a draft");
        let raw = String::from_utf8(desk.truth(&replaced.at).raw).expect("ASCII");
        assert!(raw.contains("Subject: another\r\n"));
        desk.submit(&replaced).await.expect("it is sent");
    }
}

#[tokio::test]
async fn what_somebody_else_has_changed_is_neither_replaced_nor_sent() {
    let desk = Desk::new().await;
    let mut message = desk.letter("mine");
    let kept = desk.create(&message).await.expect("a draft");
    let truth = desk.truth(&kept.at);
    desk.harness
        .user
        .edit_draft(&truth.id, &truth.raw[..truth.raw.len() - 3]);
    let conflict = Some(ErrorKind::Conflict);
    assert_eq!(kind(desk.submit(&kept).await), conflict);
    assert_eq!(kind(desk.replace(&kept, &message).await), conflict);
    message.in_reply_to = Some("<asked@x.example>".to_owned());
    assert_eq!(kind(desk.replace(&kept, &message).await), conflict);
    assert_eq!(desk.draft_count(), 1);
    let query = DraftQuery::Message(kept.at.clone());
    let found = desk.drafts().find(call(), &query).await;
    let found = found.expect("an answer").expect("a draft");
    desk.submit(&found).await.expect("as it is now");
    // It is no draft any more, and stays where it is.
    let gone = desk.drafts().discard(call(), &found.draft).await;
    assert_eq!(kind(gone), Some(ErrorKind::NotFound));
    assert!(desk.is_there(&found.at));
}

#[tokio::test]
async fn an_answer_is_of_the_conversation_however_large_it_is() {
    for length in [10, LARGE] {
        let desk = Desk::new().await;
        let inbox = inbox(&desk.harness);
        let asked = append(&desk.harness, &inbox, &["asked"]).await;
        let asked = MessageRef {
            scope: email_provider::ScopeKey(inbox.0.clone()),
            key: asked[0].clone(),
        };
        let question = desk.truth(&asked);
        let mut message = desk.letter("answer");
        message.attachments = vec![file("one.pdf", filling(length))];
        message.subject = Some("Re: About asked".to_owned());
        message.in_reply_to = Some("<asked@conformance.example>".to_owned());
        message.references = vec!["<asked@conformance.example>".to_owned()];
        let create = async |outgoing: Outgoing| desk.drafts().create(call(), &outgoing).await;
        let answer = create(answering(&message, Purpose::Draft, &asked)).await;
        let answer = answer.expect("a draft");
        assert_eq!(desk.count("messages.createReply"), 1);
        desk.submit(&answer).await.expect("it is sent");
        let raw = &desk.harness.server.sent()[0].raw;
        let id = String::from_utf8_lossy(raw).into_owned();
        assert!(id.contains("\r\nIn-Reply-To: <asked@conformance.example>\r\n"));
        assert_eq!(files(raw).len(), 1);
        assert_eq!(desk.truth(&answer.at).conversation, question.conversation);
        // Where what it answers is gone, it is a message of its own.
        desk.harness
            .user
            .delete_permanently(std::str::from_utf8(&asked.key.0).expect("an id"));
        message.message_id = "<again@conformance.example>".to_owned();
        let again = create(answering(&message, Purpose::Draft, &asked)).await;
        assert!(desk.is_there(&again.expect("a draft").at));
    }
}
