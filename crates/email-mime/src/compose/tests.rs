use email_model::{Address, AttachmentContent, Body, Header, OutgoingAttachment, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{attachment, parse};

mod hostile;
mod reading;
mod round_trip;

const LIMITS: Limits = Limits {
    recipients: 100,
    octets: 25 << 20,
    internationalised: false,
};

fn person(name: &str, address: &str) -> Address {
    Address {
        name: Some(name.to_owned()),
        address: Some(address.to_owned()),
    }
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn file(name: &str, mime_type: &str, bytes: &[u8]) -> OutgoingAttachment {
    OutgoingAttachment {
        name: Some(name.to_owned()),
        mime_type: Some(mime_type.to_owned()),
        inline: false,
        content_id: None,
        content: AttachmentContent::Memory(Bytes::copy_from_slice(bytes)),
    }
}

fn image(id: &str) -> OutgoingAttachment {
    OutgoingAttachment {
        inline: true,
        content_id: Some(id.to_owned()),
        ..file("dot.png", "image/png", b"\x89PNG")
    }
}

fn letter() -> OutgoingMessage {
    OutgoingMessage {
        message_id: "<1@here.example>".to_owned(),
        date: Timestamp::from_timestamp(1_700_000_000, 0).unwrap(),
        from: Some(person("Ann", "ann@here.example")),
        to: vec![Address::bare("bob@there.example")],
        subject: Some("Plans".to_owned()),
        body: Body {
            text: Some("Hello\n".to_owned()),
            html: None,
        },
        ..OutgoingMessage::default()
    }
}

fn send(message: &OutgoingMessage) -> Result<Composed, Invalid> {
    compose(message, Purpose::Send, &LIMITS)
}

fn wire(message: &OutgoingMessage) -> String {
    let composed = send(message).unwrap();
    String::from_utf8(composed.to_bytes(Form::Wire).unwrap().to_vec()).unwrap()
}

fn refused(message: &OutgoingMessage) -> String {
    send(message).unwrap_err().to_string()
}

#[test]
fn a_plain_message_is_plain() {
    assert_eq!(
        wire(&letter()),
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
         From: \"Ann\" <ann@here.example>\r\n\
         To: bob@there.example\r\n\
         Subject: Plans\r\n\
         Message-ID: <1@here.example>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\
         \r\n\
         Hello\r\n"
    );
}

/// The content types of all parts, by depth.
fn outline(message: &OutgoingMessage) -> Vec<String> {
    let raw = wire(message);
    raw.lines()
        .filter_map(|line| line.strip_prefix("Content-Type: "))
        .map(|value| value.split(';').next().unwrap().to_owned())
        .collect()
}

#[test]
fn html_gets_a_text_beside_it() {
    let mut message = letter();
    message.body = Body {
        text: None,
        html: Some("<p>Hello <b>Bob</b></p>".to_owned()),
    };
    assert_eq!(
        outline(&message),
        ["multipart/alternative", "text/plain", "text/html"]
    );
    let parsed = parse(wire(&message).as_bytes()).unwrap();
    assert_eq!(
        parsed.content.body.text.as_deref().map(str::trim),
        Some("Hello Bob")
    );
    assert_eq!(
        parsed.content.body.html.as_deref(),
        Some("<p>Hello <b>Bob</b></p>")
    );
    message.body.html = Some("<img src='cid:x'>".to_owned());
    assert_eq!(outline(&message), ["text/html"]);
}

#[test]
fn images_stand_beside_the_html_and_files_after_it() {
    let mut message = letter();
    message.body.html = Some("<img src='cid:dot@x'>".to_owned());
    message.attachments = vec![file("a.pdf", "application/pdf", b"%PDF"), image("<dot@x>")];
    assert_eq!(
        outline(&message),
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "application/pdf"
        ]
    );
    let raw = wire(&message);
    let attachments = parse(raw.as_bytes())
        .unwrap()
        .content
        .envelope
        .attachments
        .unwrap();
    let shown: Vec<_> = attachments
        .iter()
        .map(|a| {
            (
                a.name.as_deref().unwrap(),
                a.inline,
                a.content_id.as_deref(),
                a.size.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("dot.png", true, Some("dot@x"), 4),
            ("a.pdf", false, None, 4)
        ]
    );
    message.body.html = None;
    assert_eq!(
        outline(&message),
        [
            "multipart/mixed",
            "text/plain",
            "application/pdf",
            "image/png"
        ]
    );
}

#[test]
fn a_message_within_a_message_goes_as_bytes() {
    let mut message = letter();
    message.attachments = vec![file("old.eml", "message/rfc822", b"Subject: x\n\ny")];
    let raw = wire(&message);
    let parsed = parse(raw.as_bytes()).unwrap();
    let attached = &parsed.content.envelope.attachments.as_ref().unwrap()[0];
    assert_eq!(attached.mime_type, "application/octet-stream");
    assert_eq!(attached.name.as_deref(), Some("old.eml"));
    assert_eq!(
        attachment(raw.as_bytes(), &attached.part).unwrap(),
        b"Subject: x\n\ny"
    );
}

#[test]
fn bcc_is_in_the_envelope_and_the_kept_copy_alone() {
    let mut message = letter();
    message.bcc = vec![person("Eve", "eve@else.example")];
    let composed = send(&message).unwrap();
    let octets = |form| String::from_utf8(composed.to_bytes(form).unwrap().to_vec()).unwrap();
    assert!(!octets(Form::Wire).contains("else.example"));
    assert!(octets(Form::Kept).contains("\r\nBcc: \"Eve\" <eve@else.example>\r\n"));
    assert_eq!(
        composed.envelope().recipients,
        ["bob@there.example", "eve@else.example"]
    );
    message.to.clear();
    assert!(wire(&message).contains("\r\nTo: undisclosed-recipients:;\r\n"));
}

#[test]
fn a_name_in_quotes_is_never_folded() {
    let mut message = letter();
    message.to = (0..200)
        .map(|n| person(&"a ".repeat(n % 40 + 1), &format!("p{n}@x.example")))
        .collect();
    let limits = Limits {
        recipients: 1_000,
        ..LIMITS
    };
    let composed = compose(&message, Purpose::Send, &limits).unwrap();
    let header = String::from_utf8(composed.header(Form::Wire).to_vec()).unwrap();
    assert!(
        header
            .lines()
            .all(|line| line.matches('"').count() % 2 == 0 && line.len() <= 78)
    );
}

#[test]
fn a_draft_may_be_empty() {
    let message = OutgoingMessage {
        message_id: "<1@here.example>".to_owned(),
        ..OutgoingMessage::default()
    };
    let draft = compose(&message, Purpose::Draft, &LIMITS).unwrap();
    assert_eq!(draft.envelope().sender, None);
    assert!(parse(&draft.to_bytes(Form::Kept).unwrap()).is_ok());
    assert_eq!(refused(&message), "from is missing");
    let message = OutgoingMessage {
        from: letter().from,
        ..message
    };
    assert_eq!(refused(&message), "to names nobody to send to");
}

#[test]
fn recipients_are_counted_once_and_limited() {
    let mut message = letter();
    message.to = vec![Address::bare("bob@there.example"); 5_000];
    message.cc = (0..99)
        .map(|n| Address::bare(format!("p{n}@there.example")))
        .collect();
    let composed = send(&message).unwrap();
    assert_eq!(composed.envelope().recipients.len(), 100);
    assert_eq!(wire(&message).matches("bob@there.example").count(), 1);
    message.bcc = vec![Address::bare("one@more.example")];
    assert_eq!(refused(&message), "recipients are more than 100");
}

#[test]
fn the_limit_of_a_message_is_exact() {
    let mut message = letter();
    message.attachments = vec![file("a", "text/plain", &[b'x'; 10_000])];
    let octets = send(&message).unwrap().length(Form::Wire);
    let limited = |octets| compose(&message, Purpose::Send, &Limits { octets, ..LIMITS });
    assert!(limited(octets).is_ok());
    let most = octets - 1;
    assert_eq!(
        limited(most).unwrap_err(),
        Rule::TooLarge { octets, most }.at("attachments")
    );
    message.attachments[0].content = AttachmentContent::Spooled {
        path: "nowhere".into(),
        size: u64::MAX,
    };
    assert!(refused(&message).starts_with("attachments make a message of"));
}

#[test]
fn an_address_of_another_script_needs_a_server_that_takes_it() {
    let mut message = letter();
    message.cc = vec![
        Address::bare("ann@here.example"),
        Address::bare("empfänger@bücher.example"),
    ];
    assert_eq!(
        refused(&message),
        "cc[1].address has characters before the @ that cannot be sent from here"
    );
    let limits = Limits {
        internationalised: true,
        ..LIMITS
    };
    let composed = compose(&message, Purpose::Send, &limits).unwrap();
    assert!(composed.envelope().internationalised);
    assert_eq!(
        composed.envelope().recipients[2],
        "empfänger@xn--bcher-kva.example"
    );
    message.cc = vec![Address::bare("buch@bücher.example")];
    assert!(!send(&message).unwrap().envelope().internationalised);
}

#[test]
fn custom_and_list_headers_stand_as_given() {
    let mut message = letter();
    message.headers = vec![
        header("X-Note", "één"),
        header("Auto-Submitted", "auto-generated"),
    ];
    message.list_headers = vec![
        header(
            "List-Unsubscribe",
            "<https://x.example/u?a==?utf-8?q?x?=&b=1>, <mailto:u@x.example>",
        ),
        header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ];
    let raw = wire(&message);
    for line in [
        "X-Note: =?utf-8?b?w6nDqW4=?=",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe: <https://x.example/u?a==?utf-8?q?x?=&b=1>,",
        " <mailto:u@x.example>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ] {
        assert!(raw.contains(&format!("\r\n{line}\r\n")), "{line}\n{raw}");
    }
    let with = |list: Vec<Header>| OutgoingMessage {
        list_headers: list,
        ..letter()
    };
    for (list, error) in [
        (
            vec![header("X-Note", "x")],
            "listHeaders[0].name names no List- header field",
        ),
        (
            vec![header("List-Id", "<a>"), header("list-id", "<b>")],
            "listHeaders[1].name stands more than once",
        ),
        (
            vec![header("List-Id", "é")],
            "listHeaders[0].value may hold printable ASCII alone",
        ),
        (
            vec![header("List-Id", &"a".repeat(901))],
            "listHeaders[0].value is longer than 900 octets",
        ),
        (
            vec![header("List-Id", " ")],
            "listHeaders[0].value is missing",
        ),
        (
            vec![header("List-Id", "x"); 101],
            "listHeaders are more than 100",
        ),
    ] {
        assert_eq!(refused(&with(list)), error);
    }
}

#[test]
fn a_thread_is_named_in_folded_lines() {
    let mut message = letter();
    message.in_reply_to = Some("m2@x".to_owned());
    message.references = (0..150)
        .map(|n| format!("<{n}.{}@x>", "r".repeat(60)))
        .collect();
    let raw = wire(&message);
    let parsed = parse(raw.as_bytes()).unwrap().content.envelope;
    assert_eq!(parsed.in_reply_to.as_deref(), Some("<m2@x>"));
    assert_eq!(parsed.references.len(), 100);
    assert_eq!(parsed.references[0], message.references[0]);
    assert_eq!(parsed.references[99], message.references[149]);
    assert!(raw.lines().all(|line| line.len() <= 998));
}

#[test]
fn the_same_message_gives_the_same_octets() {
    let mut message = letter();
    message.body.html = Some("<b>x</b>".to_owned());
    let first = send(&message).unwrap();
    let again = send(&message.clone()).unwrap();
    assert_eq!(
        first.to_bytes(Form::Kept).unwrap(),
        again.to_bytes(Form::Kept).unwrap()
    );
    message.message_id = "<2@here.example>".to_owned();
    assert_ne!(
        first.to_bytes(Form::Wire).unwrap(),
        send(&message).unwrap().to_bytes(Form::Wire).unwrap()
    );
}
