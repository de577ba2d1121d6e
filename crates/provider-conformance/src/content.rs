//! `fetch`, `raw` and `attachment`: what a message says.

use email_model::{Address, Attachment, PartId};
use email_provider::{Detail, ErrorKind, MessageRef};

use crate::{Bench, Mail, bytes, call};

/// All octets, so that any change to them is noticed.
fn octets(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap_or(0))
        .collect()
}

fn rich() -> Mail {
    let mut mail = Mail::new("rich", 100);
    mail.subject = "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the sea".to_owned();
    mail.from = "=?utf-8?Q?J=C3=BCrgen?= <juergen@sender.example>".to_owned();
    mail.to = "Bob Reader <bob@reader.example>, \"Carr, Cleo\" <cleo@reader.example>".to_owned();
    mail.headers = [
        "Cc: dora@reader.example",
        "Reply-To: Desk <desk@sender.example>",
        "In-Reply-To: <parent@sender.example>",
        "References: <root@sender.example>",
        " <parent@sender.example>",
        "X-Folded: one",
        "\ttwo",
    ]
    .map(str::to_owned)
    .to_vec();
    mail.text = "Dear reader,\r\n\r\nthe sea is calm. Grüße\r\n".to_owned();
    mail.html = Some("<p>Dear reader,</p><p>the sea is <b>calm</b>. Grüße</p>".to_owned());
    mail.attachments
        .push(("waves.bin".to_owned(), octets(5000)));
    mail.attachments.push(("empty.bin".to_owned(), Vec::new()));
    mail
}

/// Not a byte is changed, added or lost.
pub async fn the_raw_message_is_served_byte_for_byte(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mut odd = Mail::new("odd", 0);
    odd.headers
        .push("X-Odd:no space,   three spaces,\ttab".to_owned());
    odd.text = "line\r\n\r\n.\r\n..\r\n>From here\r\nFrom here\r\n\u{e9}\r\n trailing \r\nno end"
        .to_owned();
    for mail in [odd, rich()] {
        let at = bench.store(&inbox, &mail).await;
        let mut stored = mail.raw();
        if bench.facts.ends_last_line && !stored.ends_with(b"\r\n") {
            stored.extend_from_slice(b"\r\n");
        }
        let served = bytes(bench.provider.raw(call(), &at).await).await;
        assert_eq!(served, stored);
    }
}

/// A message of more than a megabyte arrives whole, and its attachment too.
pub async fn a_large_message_is_served_whole(bench: &Bench) {
    let mut mail = Mail::new("large", 0);
    mail.attachments
        .push(("large.bin".to_owned(), octets(1_500_000)));
    let at = bench.store(&bench.inbox().await, &mail).await;
    let raw = bytes(bench.provider.raw(call(), &at).await).await;
    assert!(
        raw == mail.raw(),
        "{} of {} bytes",
        raw.len(),
        mail.raw().len()
    );
    let part = part(bench, &at, "large.bin").await;
    let served = bytes(bench.provider.attachment(call(), &at, &part, None).await).await;
    assert!(served == mail.attachments[0].1, "{} bytes", served.len());
}

async fn part(bench: &Bench, at: &MessageRef, name: &str) -> PartId {
    let fetched = bench.fetch(at, Detail::Envelope).await.expect("there");
    let attachments = fetched.envelope.and_then(|envelope| envelope.attachments);
    let attachments = attachments.expect("attachments");
    let found = attachments
        .iter()
        .find(|attachment| attachment.name.as_deref() == Some(name));
    found
        .unwrap_or_else(|| panic!("{name} in {attachments:?}"))
        .part
        .clone()
}

/// The envelope tells the header fields decoded, and the mailbox's own facts.
pub async fn an_envelope_says_what_the_message_says(bench: &Bench) {
    let mail = rich();
    let at = bench.store(&bench.inbox().await, &mail).await;
    let fetched = bench.fetch(&at, Detail::Envelope).await.expect("there");
    let envelope = fetched.envelope.expect("an envelope");
    let named = |name: &str, address: &str| Address {
        name: Some(name.to_owned()),
        address: Some(address.to_owned()),
    };
    assert_eq!(envelope.subject.as_deref(), Some("Grüße from the sea"));
    assert_eq!(
        envelope.from,
        Some(named("Jürgen", "juergen@sender.example"))
    );
    let to = [
        named("Bob Reader", "bob@reader.example"),
        named("Carr, Cleo", "cleo@reader.example"),
    ];
    assert_eq!(envelope.to, to);
    assert_eq!(envelope.cc, [Address::bare("dora@reader.example")]);
    assert_eq!(envelope.reply_to, [named("Desk", "desk@sender.example")]);
    assert_eq!(envelope.message_id.as_ref(), Some(&mail.id));
    assert_eq!(
        envelope.in_reply_to.as_deref(),
        Some("<parent@sender.example>")
    );
    assert_eq!(
        envelope.references,
        ["<root@sender.example>", "<parent@sender.example>"]
    );
    assert_eq!(
        envelope.sent_at,
        Some(mail.received_at - chrono::TimeDelta::seconds(5))
    );
    assert_eq!(envelope.received_at, Some(mail.received_at));
    assert_eq!(envelope.size, u64::try_from(mail.raw().len()).ok());
    assert_eq!(envelope.has_attachments(), Some(true));
    let snippet = envelope.snippet.expect("a snippet for who waits");
    assert!(snippet.starts_with("Dear reader, "), "{snippet}");
    let attachments = envelope.attachments.expect("attachments");
    let names: Vec<_> = attachments
        .iter()
        .map(|attachment| attachment.name.as_deref())
        .collect();
    assert_eq!(names, [Some("waves.bin"), Some("empty.bin")]);
    assert!(attachments.iter().all(|attachment| !attachment.inline));
    assert!(
        attachments
            .iter()
            .all(|attachment| attachment.mime_type == "application/octet-stream")
    );
}

/// The content holds both alternatives, all header fields in order, and the beginning of the text.
pub async fn the_content_holds_both_texts_and_the_headers(bench: &Bench) {
    let mail = rich();
    let at = bench.store(&bench.inbox().await, &mail).await;
    let content = bench
        .fetch(&at, Detail::Content)
        .await
        .expect("there")
        .content
        .expect("content");
    let text = content.body.text.expect("text");
    assert_eq!(
        text.replace("\r\n", "\n").trim_end(),
        mail.text.replace("\r\n", "\n").trim_end()
    );
    assert_eq!(
        content.body.html.as_deref().map(str::trim_end),
        mail.html.as_deref()
    );
    let names: Vec<_> = content
        .headers
        .iter()
        .map(|header| header.name.as_str())
        .collect();
    assert_eq!(names[..4], ["From", "To", "Subject", "Message-ID"]);
    let folded = content
        .headers
        .iter()
        .find(|header| header.name == "X-Folded");
    let folded = folded.expect("every header field").value.split_whitespace();
    assert_eq!(folded.collect::<Vec<_>>(), ["one", "two"]);
    let snippet = content.envelope.snippet.expect("a snippet");
    assert!(snippet.starts_with("Dear reader,"), "{snippet}");
    let envelope = bench
        .fetch(&at, Detail::Envelope)
        .await
        .expect("there")
        .envelope;
    let envelope = envelope.expect("an envelope");
    // A size may be exact in one and a good estimate in the other.
    let without_sizes = |attachments: Option<Vec<Attachment>>| {
        attachments.map(|all| {
            all.into_iter()
                .map(|one| Attachment { size: None, ..one })
                .collect::<Vec<_>>()
        })
    };
    let sizes = |attachments: &Option<Vec<Attachment>>| -> Vec<Option<u64>> {
        attachments.iter().flatten().map(|one| one.size).collect()
    };
    for (exact, estimate) in sizes(&content.envelope.attachments)
        .into_iter()
        .zip(sizes(&envelope.attachments))
    {
        if let (Some(exact), Some(estimate)) = (exact, estimate) {
            assert!(
                exact.abs_diff(estimate) <= exact / 20 + 4,
                "{exact} octets are not about {estimate}"
            );
        }
    }
    assert_eq!(
        without_sizes(content.envelope.attachments),
        without_sizes(envelope.attachments)
    );
    assert_eq!(content.envelope.subject, envelope.subject);
}

/// An attachment's bytes are those that were attached.
pub async fn an_attachment_is_decoded(bench: &Bench) {
    let mail = rich();
    let at = bench.store(&bench.inbox().await, &mail).await;
    for (name, attached) in &mail.attachments {
        let part = part(bench, &at, name).await;
        let served = bytes(bench.provider.attachment(call(), &at, &part, None).await).await;
        assert_eq!(&served, attached, "{name}");
    }
}

/// A range is that range of the decoded bytes; past the end there is nothing.
pub async fn a_range_of_an_attachment_is_served(bench: &Bench) {
    let mail = rich();
    let at = bench.store(&bench.inbox().await, &mail).await;
    let part = part(bench, &at, "waves.bin").await;
    let whole = &mail.attachments[0].1;
    for (start, end) in [
        (0, 1),
        (0, 5000),
        (1, 2),
        (17, 1234),
        (57, 114),
        (4999, 5000),
        (4990, 6000),
        (5000, 5001),
        (9000, 9001),
        (3, 3),
    ] {
        let range = Some(start as u64..end as u64);
        let served = bytes(bench.provider.attachment(call(), &at, &part, range).await).await;
        let expected = &whole[start.min(5000)..end.min(5000)];
        assert_eq!(served, expected, "{start}..{end}");
    }
}

/// A missing message or part is `NotFound`.
pub async fn what_does_not_exist_is_not_found(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mail = rich();
    let at = bench.store(&inbox, &mail).await;
    let existing = part(bench, &at, "waves.bin").await;
    for part in [
        PartId::from_path(&[9]),
        PartId::from_path(&[2, 1, 1]),
        PartId::from_path(&[1, 7]),
    ] {
        let error = bench
            .provider
            .attachment(call(), &at, &part, None)
            .await
            .err()
            .expect("no part");
        assert_eq!(error.kind, ErrorKind::NotFound, "{part}: {error}");
    }
    bench.harness.expunge(&inbox, &mail.id).await;
    bench.gone(&inbox, &mail.id).await;
    let error = bench
        .provider
        .raw(call(), &at)
        .await
        .err()
        .expect("no message");
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    let attachment = bench
        .provider
        .attachment(call(), &at, &existing, None)
        .await;
    let error = attachment.err().expect("no message");
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
}
