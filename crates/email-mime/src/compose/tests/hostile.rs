//! What would let a client, or a stranger whose words it passes on, say more than it may.

use super::*;

type Change = fn(&mut OutgoingMessage, String);

/// Every field that comes into a header, and its name in errors.
const FIELDS: &[(&str, Change)] = &[
    ("from.name", |m, text| {
        m.from = Some(person(&text, "ann@here.example"))
    }),
    ("from.address", |m, text| m.from = Some(Address::bare(text))),
    ("to[0].name", |m, text| {
        m.to = vec![person(&text, "bob@there.example")]
    }),
    ("to[0].address", |m, text| m.to = vec![Address::bare(text)]),
    ("cc[0].address", |m, text| m.cc = vec![Address::bare(text)]),
    ("bcc[0].address", |m, text| {
        m.bcc = vec![Address::bare(text)]
    }),
    ("bcc[0].name", |m, text| {
        m.bcc = vec![person(&text, "eve@there.example")]
    }),
    ("replyTo[0].name", |m, text| {
        m.reply_to = vec![person(&text, "ann@here.example")]
    }),
    ("subject", |m, text| m.subject = Some(text)),
    ("messageId", |m, text| m.message_id = text),
    ("inReplyTo", |m, text| m.in_reply_to = Some(text)),
    ("references", |m, text| m.references = vec![text]),
    ("xHeaders[0].name", |m, text| {
        m.headers = vec![header(&text, "x")]
    }),
    ("xHeaders[0].value", |m, text| {
        m.headers = vec![header("X-Note", &text)]
    }),
    ("listHeaders[0].name", |m, text| {
        m.list_headers = vec![header(&text, "x")]
    }),
    ("listHeaders[0].value", |m, text| {
        m.list_headers = vec![header("List-Unsubscribe", &text)]
    }),
    ("attachments[0].name", |m, text| {
        m.attachments = vec![file(&text, "text/plain", b"")]
    }),
    ("attachments[0].mimeType", |m, text| {
        m.attachments = vec![file("a", &text, b"")]
    }),
    ("attachments[0].contentId", |m, text| {
        m.attachments = vec![image(&text)]
    }),
];

#[test]
fn a_line_break_or_nul_in_any_header_field_is_refused_by_name() {
    let injected = [
        "x\r\nBcc: eve@else.example",
        "x\nBcc: eve@else.example",
        "x\rBcc: eve@else.example",
        "x\r\n\r\n<script>",
        "x\0y",
        "x\r\n y",
        "x\u{85}y",
        "x\u{b}y",
        "\r\nx",
    ];
    for (field, change) in FIELDS {
        for text in injected {
            let mut message = letter();
            change(&mut message, text.to_owned());
            assert_eq!(
                send(&message).unwrap_err(),
                Rule::Control.at(*field),
                "{text:?}"
            );
            assert!(compose(&message, Purpose::Draft, &LIMITS).is_err());
        }
    }
}

#[test]
fn commands_in_an_address_are_refused() {
    for address in [
        "bob@there.example>\r\nRCPT TO:<eve@else.example",
        "bob@there.example> RCPT TO:<eve@else.example",
        "bob@there.example> SIZE=1",
        "<bob@there.example>",
        "bob@there.example\u{2028}",
        ".",
    ] {
        let mut message = letter();
        message.to = vec![Address::bare(address)];
        assert!(send(&message).is_err(), "{address:?}");
    }
}

#[test]
fn addresses_that_readers_disagree_on_are_refused_in_every_field() {
    type Place = fn(&mut OutgoingMessage, Address);
    let places: [(&str, Place); 5] = [
        ("from.address", |m, a| m.from = Some(a)),
        ("replyTo[0].address", |m, a| m.reply_to = vec![a]),
        ("to[0].address", |m, a| m.to = vec![a]),
        ("cc[0].address", |m, a| m.cc = vec![a]),
        ("bcc[0].address", |m, a| m.bcc = vec![a]),
    ];
    for (field, place) in places {
        for address in [
            "\"a@evil.example x\"@internal.example",
            "a(b)@x.example",
            "g:a@x.example;",
            "a%b@x.example",
        ] {
            let mut message = letter();
            place(&mut message, Address::bare(address));
            assert_eq!(send(&message).unwrap_err(), Rule::Ambiguous.at(field));
        }
    }
}

#[test]
fn an_address_in_a_name_stays_a_name() {
    for name in [
        "eve@else.example",
        "<eve@else.example>",
        "a, eve@else.example",
        "\"eve@else.example x\"",
        "=?utf-8?q?eve=40else.example=2C?=",
        "team: eve@else.example;",
        "a (b",
        "\\",
        "\"",
    ] {
        let mut message = letter();
        message.to = vec![person(name, "bob@there.example")];
        let raw = wire(&message);
        let to = parse(raw.as_bytes()).unwrap().content.envelope.to;
        assert_eq!(to, message.to, "{raw}");
        assert!(!raw.contains("else.example"), "{raw}");
    }
}

#[test]
fn smuggled_commands_in_a_body_are_text() {
    let next = "MAIL FROM:<eve@else.example>\r\nRCPT TO:<bob@there.example>\r\nDATA\r\nx";
    for end in [
        "\r\n.\r\n",
        "\n.\n",
        "\n.\r\n",
        "\r.\r",
        "\r\n.\n",
        "\r\n.\r",
        "\r.\r\n",
        "\r\n\0.\r\n",
    ] {
        for html in [false, true] {
            let text = format!("begin{end}{next}{end}");
            let mut message = letter();
            message.body = Body {
                text: Some(text.clone()),
                html: html.then(|| text.clone()),
            };
            message.attachments = vec![file(".", "text/plain", text.as_bytes())];
            let raw = wire(&message);
            assert!(raw.split("\r\n").all(|line| !line.starts_with('.')));
            assert!(!raw.replace("\r\n", "").contains(['\r', '\n']));
            let parsed = parse(raw.as_bytes()).unwrap();
            // A reader sees line breaks, of whatever kind, as line breaks.
            let lines = text
                .replace("\r\n", "\n")
                .replace('\r', "\n")
                .replace('\0', "");
            assert_eq!(parsed.content.body.text.as_deref(), Some(&*lines));
            let attached = &parsed.content.envelope.attachments.unwrap()[0];
            assert_eq!(
                attachment(raw.as_bytes(), &attached.part).unwrap(),
                text.as_bytes()
            );
        }
    }
}

#[test]
fn a_boundary_in_a_body_is_text() {
    let mut message = letter();
    message.body.html = Some("<b>x</b>".to_owned());
    message.attachments = vec![file("a", "text/plain", b"x")];
    let boundaries: String = wire(&message)
        .lines()
        .filter(|line| line.starts_with("--=_"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    message.body.text = Some(boundaries.clone());
    message.body.html = Some(boundaries.clone());
    message.attachments = vec![file("a", "text/plain", boundaries.as_bytes())];
    assert_eq!(
        outline(&message),
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "text/plain"
        ]
    );
    let parsed = parse(wire(&message).as_bytes()).unwrap();
    assert_eq!(
        parsed.content.body.text,
        Some(boundaries.replace("\r\n", "\n"))
    );
}

#[test]
fn ten_thousand_recipients_are_refused() {
    let mut message = letter();
    message.to = (0..10_000)
        .map(|n| Address::bare(format!("p{n}@there.{}.example", "x".repeat(20))))
        .collect();
    assert_eq!(
        send(&message).unwrap_err(),
        Rule::TooMany(100).at("recipients")
    );
    let limits = Limits {
        recipients: usize::MAX,
        ..LIMITS
    };
    assert_eq!(
        compose(&message, Purpose::Send, &limits).unwrap_err(),
        Rule::TooLong(256 << 10).at("headers")
    );
}

#[test]
fn everything_has_a_limit() {
    let long = "x".repeat(10_000);
    for (field, change) in FIELDS {
        if !field.ends_with("address") {
            let mut message = letter();
            change(&mut message, long.clone());
            assert!(
                matches!(send(&message).unwrap_err().rule, Rule::TooLong(_)),
                "{field}"
            );
        }
    }
    let mut message = letter();
    message.reply_to = vec![Address::bare("a@b.example"); 51];
    assert_eq!(refused(&message), "replyTo are more than 50");
    let mut message = letter();
    message.attachments = vec![file("a", "text/plain", b""); 501];
    assert_eq!(refused(&message), "attachments are more than 500");
}

#[test]
fn a_field_of_the_gateway_is_refused_as_a_custom_header() {
    for name in [
        "Bcc",
        "from",
        "Content-Type",
        "DKIM-Signature",
        "Return-Path",
        "Received",
        "message-id",
    ] {
        let mut message = letter();
        message.headers = vec![header("X-Ok", "1"), header(name, "x")];
        assert_eq!(
            send(&message).unwrap_err(),
            Rule::Reserved.at("xHeaders[1].name")
        );
    }
}

#[test]
fn two_files_may_not_have_one_content_id() {
    let mut message = letter();
    message.attachments = vec![image("a@x"), image("<a@x>")];
    assert_eq!(
        refused(&message),
        "attachments[1].contentId stands more than once"
    );
}
