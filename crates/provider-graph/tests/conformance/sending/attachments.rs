//! Attachments, most of all those that are too large for one request.

use email_model::Header;
use email_provider::{DraftQuery, ErrorKind};
use fake_graph::{ErrorKind as Refused, When};
use provider_conformance::call;

use super::{Desk, LARGE, file, files, filling, kind};
use crate::support::has_id;

#[tokio::test]
async fn large_attachments_go_up_in_ranges_and_arrive_whole() {
    let desk = Desk::new().await;
    let mut message = desk.letter("large");
    message.body.html = Some("<p>see <img src=\"cid:i@x\"></p>".to_owned());
    let mut picture = file("i.png", filling(9_000));
    (picture.inline, picture.content_id) = (true, Some("i@x".to_owned()));
    message.attachments = vec![
        file("one.pdf", filling(LARGE)),
        picture,
        file("two.pdf", filling(2_900_000)),
        file("empty.pdf", Vec::new()),
    ];
    let kept = desk.create(&message).await.expect("a draft");
    desk.submit(&kept).await.expect("it is sent");
    let sent = desk.harness.server.sent();
    assert_eq!(sent.len(), 1);
    assert!(has_id(&sent[0].raw, &message.message_id));
    let expected: Vec<_> = [LARGE, 9_000, 2_900_000, 0]
        .into_iter()
        .zip(["one.pdf", "i.png", "two.pdf", "empty.pdf"])
        .map(|(length, name)| (name.to_owned(), filling(length)))
        .collect();
    let arrived = files(&sent[0].raw);
    assert!(
        arrived == expected,
        "{:?}",
        arrived
            .iter()
            .map(|one| (&one.0, one.1.len()))
            .collect::<Vec<_>>()
    );
    assert_eq!(desk.count("upload.put"), 3);
    assert_eq!(desk.count("attachments.create"), 3);
    assert_eq!(desk.draft_count(), 0);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_interrupted() {
    for fault in 0..4 {
        let desk = Desk::new().await;
        let mut message = desk.letter("interrupted");
        message.attachments = vec![file("one.pdf", filling(LARGE))];
        match fault {
            // Not taken, and said so.
            0 => desk.strike(Refused::Unavailable, 2, "upload.put"),
            1 => desk.strike(Refused::TooManyRequests, 1, "upload.put"),
            // Taken, and the answer lost: also that to the last range.
            _ => desk.harness.server.faults(|faults| {
                faults.only = vec!["upload.put".to_owned()];
                faults.cut_connections = if fault == 2 {
                    When::once()
                } else {
                    When::Nth(0, 3)
                };
            }),
        }
        let kept = desk.create(&message).await.expect("a draft");
        desk.calm();
        desk.submit(&kept).await.expect("it is sent");
        let sent = desk.harness.server.sent();
        assert_eq!(sent.len(), 1);
        let arrived = files(&sent[0].raw);
        assert_eq!(arrived.len(), 1, "attached once");
        assert!(arrived[0].1 == filling(LARGE));
        assert!(desk.count("upload.get") >= 1, "it was asked how far it is");
        assert_eq!(desk.count("attachments.createUploadSession"), 1);
    }
}

#[tokio::test]
async fn a_post_of_an_attachment_whose_answer_is_lost_is_not_done_twice() {
    let desk = Desk::new().await;
    let mut message = desk.letter("posted");
    message.attachments = vec![
        file("one.pdf", filling(2_000_000)),
        file("two.pdf", filling(2_000_000)),
    ];
    desk.harness.server.faults(|faults| {
        faults.only = vec!["attachments.create".to_owned()];
        faults.cut_connections = When::once();
        faults.failures_after_effect = When::every(2);
    });
    let kept = desk.create(&message).await.expect("a draft");
    assert_eq!(files(&desk.truth(&kept.at).raw).len(), 2);
}

#[tokio::test]
async fn a_draft_that_cannot_be_finished_is_removed_and_never_found() {
    let desk = Desk::new().await;
    let mut message = desk.letter("half");
    message.attachments = vec![file("one.pdf", filling(LARGE))];
    desk.strike(Refused::AccessDenied, 9, "upload.put");
    let refused = kind(desk.create(&message).await);
    assert_eq!(refused, Some(ErrorKind::Forbidden));
    assert_eq!(desk.draft_count(), 0);
    // It cannot be removed either: it stays, under another Message-ID, until the same is kept again.
    desk.strike(Refused::Unavailable, 9, "messages.permanentDelete");
    assert!(desk.create(&message).await.is_err());
    assert_eq!(desk.draft_count(), 1);
    let query = DraftQuery::MessageId(message.message_id.clone());
    let found = desk.drafts().find(call(), &query).await;
    assert_eq!(found.expect("an answer"), None);
    desk.calm();
    desk.create(&message).await.expect("a draft");
    assert_eq!(desk.draft_count(), 1);
    let found = desk.drafts().find(call(), &query).await;
    assert!(found.expect("an answer").is_some());
}

#[tokio::test]
async fn header_fields_that_a_large_message_would_lose_are_refused() {
    let desk = Desk::new().await;
    let mut message = desk.letter("fields");
    message.attachments = vec![file("one.pdf", filling(LARGE))];
    let header = |name: &str| Header {
        name: name.to_owned(),
        value: "<https://x.example/u>".to_owned(),
    };
    message.list_headers = vec![header("List-Unsubscribe")];
    let refused = desk.create(&message).await.expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(refused.message.contains("List-Unsubscribe"), "{refused}");
    assert_eq!(desk.draft_count(), 0);
    message.list_headers.clear();
    message.headers = ["X-1", "X-2", "X-3", "X-4", "X-5", "X-6"]
        .map(header)
        .to_vec();
    let kept = desk.create(&message).await.expect("a draft");
    desk.submit(&kept).await.expect("it is sent");
    let raw = String::from_utf8_lossy(&desk.harness.server.sent()[0].raw).into_owned();
    assert!(raw.contains("\r\nX-6: "), "{:.2000}", raw);
}
