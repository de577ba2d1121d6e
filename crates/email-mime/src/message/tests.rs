use std::time::{Duration, Instant};

use email_model::Attachment;
use proptest::prelude::*;

use super::*;

fn read(mail: &str) -> Parsed {
    parse(mail.replace('\n', "\r\n").as_bytes()).unwrap()
}

fn bytes_of(mail: &str, id: &str) -> Option<String> {
    let bytes = attachment(mail.replace('\n', "\r\n").as_bytes(), &id.parse().unwrap())?;
    Some(String::from_utf8(bytes).unwrap())
}

const MIXED: &str = "From: Ann <ann@x.org>\nSubject: =?utf-8?Q?caf=C3=A9?=\nMIME-Version: 1.0\n\
Content-Type: multipart/mixed; boundary=\"out\"\n\npreamble\n--out\nContent-Type: multipart/alternative;\n boundary=out1\n\n\
--out1\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nH=E9llo\n\n\
--out1\nContent-Type: text/html\n\n<p>Hello</p>\n--out1--\n\n--out\nContent-Type: application/pdf; name=a.pdf\n\
Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\nSGVsbG8=\n\n--out\nContent-Type: message/rfc822\n\n\
Subject: inner\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\n\nin\n--outer\nContent-Type: image/png\n\npng\n\
--outer--\n--out--\nepilogue\n";

#[test]
fn a_message_is_parsed_into_envelope_body_and_attachments() {
    let parsed = read(MIXED);
    let content = parsed.content;
    assert_eq!(content.envelope.subject.as_deref(), Some("café"));
    assert_eq!(content.envelope.snippet.as_deref(), Some("Héllo"));
    assert_eq!(
        content.envelope.size,
        Some(MIXED.replace('\n', "\r\n").len() as u64)
    );
    assert_eq!(content.body.text.as_deref(), Some("Héllo\n"));
    assert_eq!(content.body.html.as_deref(), Some("<p>Hello</p>"));
    assert_eq!(content.headers.len(), 4);
    let pdf = Attachment {
        part: "2".parse().unwrap(),
        name: Some("a.pdf".into()),
        mime_type: "application/pdf".into(),
        size: Some(5),
        inline: false,
        content_id: None,
        content_location: None,
    };
    let attachments = content.envelope.attachments.unwrap();
    assert_eq!(attachments[0], pdf);
    assert_eq!(attachments[1].part.as_str(), "3");
    assert_eq!(attachments[1].mime_type, "message/rfc822");
    assert_eq!(attachments.len(), 2);
}

#[test]
fn the_bytes_of_any_part_but_a_multipart_are_given() {
    assert_eq!(bytes_of(MIXED, "2").as_deref(), Some("Hello"));
    assert_eq!(bytes_of(MIXED, "1.2").as_deref(), Some("<p>Hello</p>"));
    let inner = bytes_of(MIXED, "3").unwrap();
    assert!(
        inner.starts_with("Subject: inner\r\n") && inner.ends_with("png\r\n--outer--"),
        "{inner}"
    );
    for absent in ["1", "4", "3.1", "1.3", "2.1"] {
        assert_eq!(bytes_of(MIXED, absent), None, "{absent}");
    }
    assert_eq!(bytes_of("\nbody", "1").as_deref(), Some("body"));
    assert_eq!(bytes_of("\nbody", "1.1"), None);
}

#[test]
fn a_missing_end_loses_nothing() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/png\n\npng";
    assert_eq!(read(mail).content.body.text.as_deref(), Some("first"));
    assert_eq!(bytes_of(mail, "2").as_deref(), Some("png"));
    let never = "Content-Type: multipart/mixed; boundary=b\n\nno boundary here";
    assert_eq!(
        read(never).content.body.text.as_deref(),
        Some("no boundary here")
    );
    let unnamed = "Content-Type: multipart/mixed\n\n--b\ntext";
    assert_eq!(
        read(unnamed).content.body.text.as_deref(),
        Some("--b\ntext")
    );
}

#[test]
fn an_outer_boundary_ends_inner_parts() {
    let mail = "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related; boundary=i\n\n\
        --i\n\nin\n--o\nContent-Type: image/png\n\npng\n--o--";
    let parsed = read(mail);
    assert_eq!(parsed.content.body.text.as_deref(), Some("in"));
    assert_eq!(parsed.structure.attachments[0].part.as_str(), "2");
}

#[test]
fn a_part_without_body_or_without_header_is_one() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n--b\n\ntext\n--b\n--b--";
    let parsed = read(mail);
    assert_eq!(parsed.content.body.text.as_deref(), Some("text\n"));
    assert_eq!(bytes_of(mail, "1").as_deref(), Some(""));
}

#[test]
fn a_digest_holds_messages() {
    let mail = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\n1\n--b\n\nSubject: two\n\n2\n--b--";
    let parsed = read(mail);
    let types: Vec<_> = parsed
        .structure
        .attachments
        .iter()
        .map(|a| a.mime_type.as_str())
        .collect();
    assert_eq!(types, ["message/rfc822"; 2]);
    assert_eq!(
        bytes_of(mail, "2").as_deref(),
        Some("Subject: two\r\n\r\n2")
    );
}

#[test]
fn a_calendars_method_is_found_within_it() {
    let mail = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n";
    assert_eq!(
        read(mail).content.envelope.meeting_method,
        Some(MeetingMethod::Reply)
    );
    let named = "Content-Type: text/calendar; method=counter\n\nMETHOD:REPLY\n";
    assert_eq!(
        read(named).content.envelope.meeting_method,
        Some(MeetingMethod::Counter)
    );
}

#[test]
fn nothing_is_a_message_too() {
    assert_eq!(parse(b"").unwrap().content.body.text.as_deref(), Some(""));
    assert_eq!(parse(b"\r\n").unwrap().content.headers, []);
    assert_eq!(
        parse(b"\0\xff\n\n\0").unwrap().content.body.text.as_deref(),
        Some("")
    );
}

/// As on a worker thread of the runtime.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(test)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn ten_thousand_levels_of_nesting_neither_crash_nor_take_long() {
    on_a_small_stack(|| {
        let started = Instant::now();
        let mut multiparts = String::new();
        let mut messages = String::new();
        for level in 0..10_000 {
            multiparts += &format!(
                "Content-Type: multipart/mixed; boundary=b{level:05}\r\n\r\n--b{level:05}\r\n"
            );
            messages += "Content-Type: message/rfc822\r\n\r\n";
        }
        for raw in [multiparts, messages] {
            let parsed = parse(raw.as_bytes()).unwrap();
            assert_eq!(parsed.structure.attachments.len(), 1);
            let part = &parsed.structure.attachments[0].part;
            assert!(attachment(raw.as_bytes(), part).is_some());
        }
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );
    });
}

#[test]
fn a_million_parts_are_told_apart_up_to_the_cap() {
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n\nx\n".repeat(1_000_000)
    );
    let started = Instant::now();
    let parsed = parse(mail.as_bytes()).unwrap();
    assert!(parsed.structure.attachments.len() < crate::structure::MAX_PARTS);
    let last = parsed.structure.attachments.last().unwrap();
    assert!(
        last.size > Some(1_000_000),
        "the last part holds what follows"
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn half_a_million_header_lines_before_a_body_take_linear_time() {
    let mail = [&b"X-Line: value\r\n".repeat(500_000)[..], b"\r\nbody"].concat();
    let started = Instant::now();
    assert_eq!(
        parse(&mail).unwrap().content.body.text.as_deref(),
        Some("body")
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_line_of_32_mib_is_read() {
    let mail = [
        &b"Subject: "[..],
        &vec![b'a'; 16 << 20],
        b"\n\n",
        &vec![b'b'; 16 << 20],
    ]
    .concat();
    let parsed = parse(&mail).unwrap();
    assert_eq!(
        parsed.content.body.text.map(|text| text.len()),
        Some(16 << 20)
    );
    assert!(
        parsed
            .content
            .envelope
            .subject
            .is_none_or(|subject| subject.len() <= headers::MAX_BLOCK)
    );
}

#[test]
fn fifty_thousand_nested_divisions_take_linear_time() {
    let html = "<div>".repeat(50_000) + "x" + &"</div>".repeat(50_000);
    let body = email_model::Body {
        html: Some(html.clone()),
        text: None,
    };
    let started = Instant::now();
    assert_eq!(
        crate::body_as(&body, email_model::BodyType::Text).as_deref(),
        Some("x")
    );
    assert_eq!(crate::snippet(&body).as_deref(), Some("x"));
    assert_eq!(
        crate::strip_quoted(&html, email_model::BodyType::Html),
        html
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

const PIECES: [&str; 24] = [
    "\r\n",
    "\n",
    "--b",
    "--b--",
    "--b2",
    "--",
    "Content-Type: multipart/mixed; boundary=b\n",
    "Content-Type: multipart/alternative; boundary=\"b2\"\r\n",
    "Content-Type: message/rfc822\n",
    "Content-Type: text/html; charset=utf-7\n",
    "Content-Transfer-Encoding: base64\n",
    "Subject: a\n b\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Content-Disposition: attachment; filename*0*=x''%41; filename*1=b\n",
    "Content-ID: <c@d>\n",
    "text",
    "<p>cid:c@d",
    "=41=\n",
    "QUJD",
    "\0",
    "\u{e9}",
    ": ",
    " ",
    "Content-Type: multipart/digest; boundary=b\n",
];

proptest! {
    #[test]
    fn any_message_is_parsed_and_every_part_found(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60)) {
        let raw = pieces.concat().into_bytes();
        let parsed = parse(&raw).unwrap();
        for found in &parsed.structure.attachments {
            let bytes = attachment(&raw, &found.part);
            prop_assert_eq!(bytes.map(|bytes| bytes.len() as u64), found.size);
        }
        for part in parsed.structure.body_parts() {
            prop_assert!(attachment(&raw, &part.part).is_some());
        }
        let body = parsed.content.body;
        prop_assert!(!body.text.iter().chain(&body.html).any(|text| text.contains('\0')));
    }

    #[test]
    fn any_bytes_are_parsed(raw in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(parse(&raw).is_ok());
    }
}
