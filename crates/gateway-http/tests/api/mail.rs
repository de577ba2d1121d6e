//! Mail to be delivered.

use bytes::Bytes;
use email_model::{Flags, Timestamp};
use provider_memory::NewMail;

/// Unread mail, received `minute` minutes after a fixed moment.
pub fn new_mail(minute: i64, raw: impl Into<Bytes>) -> NewMail {
    NewMail {
        raw: raw.into(),
        received_at: Timestamp::from_timestamp(1_700_000_000 + minute * 60, 0).unwrap(),
        flags: Flags::empty(),
        keywords: vec![],
    }
}

/// A short text.
pub fn plain(number: u32) -> String {
    format!(
        "From: Ann Example <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Letter {number}\r\n\
         Message-ID: <m{number}@example.org>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\n\
         Text of letter {number}.\r\n"
    )
}

/// The octets of the attachment of [`with_attachments`].
pub fn attachment_octets() -> Vec<u8> {
    (0..5000_u32).map(|n| (n * 7 % 251) as u8).collect()
}

/// HTML with an inline picture and an attachment of an awkward name.
pub fn with_attachments() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded = STANDARD.encode(attachment_octets());
    let lines: Vec<_> = encoded.as_bytes().chunks(76).collect();
    let body = lines.join(&b"\r\n"[..]);
    format!(
        "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Files\r\n\
         Message-ID: <files@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=outer\r\n\r\n\
         --outer\r\nContent-Type: multipart/related; boundary=inner\r\n\r\n\
         --inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p>See <img src=\"cid:pic@example.org\"></p>\r\n\
         --inner\r\nContent-Type: image/png\r\nContent-ID: <pic@example.org>\r\n\
         Content-Disposition: inline; filename=pic.png\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         iVBORw0KGgo=\r\n--inner--\r\n\
         --outer\r\nContent-Type: text/html; name=\"r\u{e9}sum\u{e9} \\\"1\\\".html\"\r\n\
         Content-Disposition: attachment; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.html\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--outer--\r\n",
        String::from_utf8(body).unwrap()
    )
}
