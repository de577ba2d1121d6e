//! Bodies, raw messages and the three kinds of attachments.

use email_provider::{Detail, ErrorKind, MessageRef, Removal};
use fake_graph::When;
use futures::TryStreamExt as _;
use provider_conformance::{Harness as _, Mail, bytes, call};

use crate::{
    steps::{append, bench, inbox, scope},
    support::GraphHarness,
};

const FORWARD: &str = "From: Ann <ann@x.example>\r\nTo: Bob <bob@x.example>\r\nSubject: Outer\r\n\
    Message-ID: <outer@x.example>\r\nDate: Fri, 01 Mar 2024 11:00:00 +0000\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below\r\n\
    --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: Cleo <cleo@x.example>\r\nSubject: Inner\r\n\
    Message-ID: <inner@x.example>\r\n\r\nThe inner text\r\n--b\r\n\
    Content-Type: image/png; name=\"dot.png\"\r\nContent-Disposition: inline; filename=\"dot.png\"\r\n\
    Content-ID: <dot@x.example>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n";

#[tokio::test]
async fn files_items_and_links_are_attachments_and_links_have_no_bytes() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    let id = harness
        .user
        .append(FORWARD.as_bytes(), &inbox.0, 1_709_290_800_000);
    assert!(
        harness
            .user
            .attach_reference(&id, "Plan.docx", "https://cloud.example/plan")
    );
    let at = MessageRef {
        scope: scope(&inbox),
        key: email_provider::EntryKey(id.into_bytes()),
    };
    let bench = bench(&harness).await;
    let fetched = bench.fetch(&at, Detail::Envelope).await.expect("there");
    let attachments = fetched.envelope.and_then(|envelope| envelope.attachments);
    let attachments = attachments.expect("attachments");
    assert_eq!(attachments.len(), 3, "{attachments:#?}");
    let of_type = |mime_type: &str| {
        let found = attachments.iter().find(|one| one.mime_type == mime_type);
        found.unwrap_or_else(|| panic!("{mime_type} in {attachments:#?}"))
    };
    let item = of_type("message/rfc822");
    let raw = bytes(provider.attachment(call(), &at, &item.part, None).await).await;
    let raw = String::from_utf8_lossy(&raw).into_owned();
    assert!(
        raw.contains("Subject: Inner") && raw.contains("The inner text"),
        "{raw}"
    );
    let picture = of_type("image/png");
    assert!(picture.inline);
    assert_eq!(picture.content_id.as_deref(), Some("dot@x.example"));
    let picture = bytes(provider.attachment(call(), &at, &picture.part, None).await).await;
    assert_eq!(picture, b"\x89PNG\r\n\x1a\n");
    let link = attachments
        .iter()
        .find(|one| one.name.as_deref() == Some("Plan.docx"))
        .expect("the link is listed");
    let refused = provider.attachment(call(), &at, &link.part, None).await;
    let kind = refused.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::Unsupported));
}

#[tokio::test]
async fn an_attachment_keeps_its_part_when_the_message_moves() {
    let harness = GraphHarness::start(|_| {}).await;
    let bench = bench(&harness).await;
    let (inbox, other) = (inbox(&harness), harness.create_folder("Other", None).await);
    let mut mail = Mail::new("attached", 0);
    mail.attachments.push(("a.bin".into(), vec![1; 10]));
    mail.attachments.push(("b.bin".into(), vec![2; 10]));
    let at = bench.store(&inbox, &mail).await;
    let parts = async |at: &MessageRef| {
        let fetched = bench.fetch(at, Detail::Envelope).await.expect("there");
        let attachments = fetched.envelope.and_then(|envelope| envelope.attachments);
        let parts = attachments.into_iter().flatten().map(|one| one.part);
        parts.collect::<Vec<_>>()
    };
    let before = parts(&at).await;
    harness.move_message(&inbox, &mail.id, &other).await;
    let moved = bench.located(&other, &mail.id).await;
    assert_eq!(parts(&moved).await, before);
    assert_eq!(before.len(), 2);
}

#[tokio::test]
async fn a_raw_message_that_is_cut_off_is_never_short() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    let mut large = Mail::new("large", 0);
    large.attachments.push(("a.bin".into(), vec![7; 400_000]));
    harness.append(&inbox, large.stored()).await;
    let at = bench(&harness).await.list(&inbox).await.remove(0);
    harness
        .server
        .faults(|faults| faults.cut_connections = When::Always);
    let read = match provider.raw(call(), &at).await {
        Ok(stream) => stream.try_collect::<Vec<_>>().await.map(|_| ()),
        Err(error) => Err(error),
    };
    let kind = read.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::Unavailable));
}

#[tokio::test]
async fn a_write_whose_answer_fails_has_an_unknown_outcome() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    append(&harness, &inbox, &["kept"]).await;
    let bench = bench(&harness).await;
    let at = bench.list(&inbox).await.remove(0);
    harness
        .server
        .faults(|faults| faults.failures_after_effect = When::Always);
    let removed = provider.remove(call(), &at, Removal::Forever).await;
    let kind = removed.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::OutcomeUnknown));
    harness
        .server
        .faults(|faults| faults.failures_after_effect = When::Never);
    assert!(bench.list(&inbox).await.is_empty(), "it was done");
}

#[tokio::test]
async fn a_plain_message_is_told_as_text_where_the_mailbox_tells_it_so() {
    let harness = GraphHarness::start(|_| {}).await;
    harness
        .server
        .settings(|settings| settings.plain_bodies_as_text = true);
    let bench = bench(&harness).await;
    let inbox = inbox(&harness);
    let at = bench.store(&inbox, &Mail::new("plain", 0)).await;
    let fetched = bench.fetch(&at, Detail::Content).await.expect("there");
    let body = fetched.content.expect("content").body;
    assert_eq!(body.html, None);
    assert_eq!(
        body.text.as_deref().map(str::trim_end),
        Some("This is plain.")
    );
}

#[tokio::test]
async fn what_cannot_be_deleted_for_good_is_not_deleted_otherwise() {
    let harness = GraphHarness::start(|_| {}).await;
    harness
        .server
        .settings(|settings| settings.permanent_delete = false);
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    let key = append(&harness, &inbox, &["kept"]).await.remove(0);
    let at = MessageRef {
        scope: scope(&inbox),
        key,
    };
    let removed = provider.remove(call(), &at, Removal::Forever).await;
    let refused = removed.expect_err("it cannot be");
    assert_eq!(refused.kind, ErrorKind::Unsupported);
    assert!(refused.message.contains("for good"), "{refused}");
    let bench = bench(&harness).await;
    assert_eq!(bench.list(&inbox).await, std::slice::from_ref(&at));
    let removed = provider.remove(call(), &at, Removal::Trash).await;
    removed.expect("the trash is there");
    assert!(bench.list(&inbox).await.is_empty());
}
