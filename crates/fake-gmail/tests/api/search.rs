//! The search box.

use crate::support::{Api, DAY_MS, NOON_MS};

const WITH_FILE: &str = "From: Carol <carol@shop.test>\r\nTo: list@test.local\r\nCc: alice@test.local\r\nBcc: dan@test.local\r\nSubject: Your invoice 42\r\nMessage-ID: <inv@shop.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nPlease pay soon.\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=invoice.pdf\r\n\r\nPDF\r\n--b--\r\n";

#[tokio::test]
async fn each_operator_finds_what_it_should() {
    let api = Api::start().await;
    let label = api.alice.create_label("Big Money/In").unwrap();
    let file = api.alice.append(
        WITH_FILE.as_bytes(),
        &["INBOX", "UNREAD", &label],
        NOON_MS + DAY_MS,
    );
    let plain = api.append("meeting notes", &["STARRED", "IMPORTANT"]);
    let noon = NOON_MS / 1000;
    let both = [file.clone(), plain.clone()];
    let cases: Vec<(String, &[String])> = [
        ("from:carol", &both[..1]),
        ("from:carol@shop.test", &both[..1]),
        ("from:caro", &[]),
        ("to:list@test.local", &both[..1]),
        ("to:alice@test.local", &both),
        ("cc:alice", &both[..1]),
        ("bcc:dan", &both[..1]),
        ("subject:invoice", &both[..1]),
        ("subject:(invoice 42)", &both[..1]),
        ("subject:\"your invoice\"", &both[..1]),
        ("subject:\"invoice your\"", &[]),
        ("pay", &both[..1]),
        ("\"pay soon\"", &both[..1]),
        ("-pay", &both[1..]),
        ("pay -soon", &[]),
        ("pay OR notes", &both),
        ("{pay notes}", &both),
        ("{from:carol subject:meeting} is:unread", &both[..1]),
        ("has:attachment", &both[..1]),
        ("-has:attachment", &both[1..]),
        ("filename:pdf", &both[..1]),
        ("is:unread", &both[..1]),
        ("is:read", &both[1..]),
        ("is:starred", &both[1..]),
        ("is:important", &both[1..]),
        ("in:inbox", &both[..1]),
        ("-in:inbox", &both[1..]),
        ("label:big-money-in", &both[..1]),
        ("label:\"Big Money/In\"", &both[..1]),
        ("rfc822msgid:inv@shop.test", &both[..1]),
        ("rfc822msgid:<inv@shop.test>", &both[..1]),
        ("larger:300", &both[..1]),
        ("smaller:300", &both[1..]),
        ("larger:1K", &[]),
        ("after:2024/03/02", &both[..1]),
        ("before:2024/03/02", &both[1..]),
        ("shape:round", &[]),
        ("", &both),
    ]
    .into_iter()
    .map(|(query, ids)| (query.to_owned(), ids))
    .chain([
        (format!("after:{}", noon + 1), &both[..1]),
        (format!("after:{noon}"), &both[..]),
        (format!("before:{}", noon + 1), &both[1..]),
        (format!("before:{noon}"), &[][..]),
    ])
    .collect();
    for (query, expected) in cases {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = api.all(&format!("messages?q={encoded}"), "messages").await;
        assert_eq!(crate::support::ids(&found), expected, "{query}");
    }
    api.assert_no_violations();
}
