use std::time::{Duration, Instant};

use super::*;

const BLOCK: &[u8] = b"Message-ID: <a@x>\r\nIn-Reply-To: <b@x> (y)\r\nReferences: <c@x>\r\n <b@x>\r\n\
    Subject: =?utf-8?Q?caf=C3=A9?=\r\nFrom: Ann <ann@x>, Bob <bob@x>\r\nTo: c@x\r\nTo: d@x\r\nReply-To: r@x\r\n\
    Date: Tue, 2 Jan 2024 10:00:00 +0200\r\nSensitivity: Company-Confidential\r\nThread-Index: AQHa\r\n bQ==\r\n\
    Subject: other\r\nFrom: eve@x\r\n\r\nSubject: body\r\n";

#[test]
fn a_header_block_becomes_an_envelope() {
    let envelope = parse_header_block(BLOCK);
    let ann = Address {
        name: Some("Ann".into()),
        address: Some("ann@x".into()),
    };
    assert_eq!(
        envelope,
        Envelope {
            message_id: Some("<a@x>".into()),
            in_reply_to: Some("<b@x>".into()),
            references: vec!["<c@x>".into(), "<b@x>".into()],
            subject: Some("café".into()),
            from: Some(ann),
            to: vec![Address::bare("c@x"), Address::bare("d@x")],
            reply_to: vec![Address::bare("r@x")],
            sent_at: Some("2024-01-02T08:00:00Z".parse().unwrap()),
            sensitivity: Some(Sensitivity::Confidential),
            thread_index: Some("AQHabQ==".into()),
            ..Envelope::default()
        }
    );
}

#[test]
fn fields_are_listed_in_order_and_decoded() {
    let headers = list(BLOCK);
    assert_eq!(headers.len(), 13);
    assert_eq!(
        (headers[3].name.as_str(), headers[3].value.as_str()),
        ("Subject", "café")
    );
    assert_eq!(headers[2].value, "<c@x> <b@x>");
}

#[test]
fn dates_are_read_tolerantly_or_not_at_all() {
    let date = |text: &str| parse_date(text.as_bytes()).map(|date| date.to_rfc3339());
    let expected = Some("2024-01-02T10:00:00+00:00".to_owned());
    assert_eq!(date("Tue, 02 Jan 2024 10:00:00 GMT"), expected);
    assert_eq!(date("2 Jan 24 05:00:00 EST (comment)"), expected);
    assert_eq!(
        date("Sat, 31 Dec 2016 23:59:60 +0000"),
        Some("2016-12-31T23:59:59+00:00".into())
    );
    for bad in ["", "yesterday", "Tue, 99 Jan 2024 10:00:00 GMT"] {
        assert_eq!(date(bad), None, "{bad}");
    }
}

#[test]
fn half_a_million_header_lines_take_linear_time() {
    let lines = b"X-Line: value\r\n".repeat(500_000);
    let started = Instant::now();
    assert_eq!(list(&lines).len(), 1_000);
    assert_eq!(parse_header_block(&lines), Envelope::default());
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn hostile_values_take_linear_time() {
    for piece in [
        "=?aa?q?x ",
        "=?aa?q?",
        "=?",
        "\"=?aa?b?A",
        "(",
        "<",
        "a@b:",
        "a,",
        "\\",
        "a=b;",
        "a*0*=''x;",
        "a*1=x;",
        ">",
        "<>",
        "=?utf-8?q?=",
        "?=",
        "(\\",
        "\"\\",
        "a:b;",
    ] {
        let mut block = Vec::new();
        for name in ["To", "Subject", "References", "Date", "Message-ID"] {
            let value = piece.repeat(50_000 / piece.len());
            block.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let started = Instant::now();
        parse_header_block(&block);
        list(&block);
        parameters::Parameterised::parse(piece.repeat(50_000 / piece.len()).as_bytes());
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{piece} {:?}",
            started.elapsed()
        );
    }
}

proptest::proptest! {
    #[test]
    fn any_block_gives_clean_text(block in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let named = [&b"Subject: "[..], &block, b"\r\nTo: ", &block, b"\r\nDate: ", &block].concat();
        let envelope = parse_header_block(&named);
        parameters::Parameterised::parse(&block);
        let clean = |text: &str| !text.contains(char::is_control);
        proptest::prop_assert!(envelope.subject.iter().all(|subject| clean(subject)));
        for address in envelope.to {
            proptest::prop_assert!(address.name.iter().chain(&address.address).all(|text| clean(text)));
        }
    }
}
