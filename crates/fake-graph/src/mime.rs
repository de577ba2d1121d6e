//! A message's octets, for what was written with JSON.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::content::{Address, Attachment, AttachmentBody, Content};

/// The message as MIME; without `Bcc` as others get it.
pub(crate) fn compose(content: &Content, with_bcc: bool) -> Vec<u8> {
    let mut head = String::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    };
    put("From", &list(content.from.as_slice()));
    if content.sender != content.from {
        put("Sender", &list(content.sender.as_slice()));
    }
    put("To", &list(&content.to));
    put("Cc", &list(&content.cc));
    if with_bcc {
        put("Bcc", &list(&content.bcc));
    }
    put("Reply-To", &list(&content.reply_to));
    put("Subject", &word(&content.subject));
    put(
        "Message-ID",
        content.message_id.as_deref().unwrap_or_default(),
    );
    put(
        "In-Reply-To",
        content.in_reply_to.as_deref().unwrap_or_default(),
    );
    put("References", &content.references.join(" "));
    if let Some(ms) = content.sent_ms {
        let date = chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default();
        put("Date", &date.to_rfc2822());
    }
    if content.importance != "normal" {
        put("Importance", &content.importance);
    }
    for (name, value) in &content.headers {
        put(name, &word(value));
    }
    put("MIME-Version", "1.0");
    let body = match &content.html {
        Some(html) => part("text/html; charset=\"utf-8\"", "", html.as_bytes()),
        None => {
            let text = content.text.as_deref().unwrap_or_default();
            part("text/plain; charset=\"utf-8\"", "", text.as_bytes())
        }
    };
    let kept: Vec<&Attachment> = content.attachments.iter().collect();
    if kept.is_empty() {
        return format!("{head}{body}").into_bytes();
    }
    let boundary = "_004_composed_";
    let mut text = format!(
        "{head}Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{body}"
    );
    for attachment in kept {
        let _ = write!(text, "\r\n--{boundary}\r\n{}", attached(attachment));
    }
    let _ = write!(text, "\r\n--{boundary}--\r\n");
    text.into_bytes()
}

fn attached(attachment: &Attachment) -> String {
    let name = word(&attachment.name);
    let place = if attachment.inline {
        "inline"
    } else {
        "attachment"
    };
    let mut more = format!("Content-Disposition: {place}; filename=\"{name}\"\r\n");
    if let Some(id) = &attachment.content_id {
        let _ = write!(more, "Content-ID: <{id}>\r\n");
    }
    match &attachment.body {
        AttachmentBody::File(octets) => {
            let kind = attachment.content_type.as_deref();
            part(kind.unwrap_or("application/octet-stream"), &more, octets)
        }
        AttachmentBody::Item(octets) => format!(
            "Content-Type: message/rfc822\r\n{more}\r\n{}",
            String::from_utf8_lossy(octets)
        ),
        AttachmentBody::Reference(url) => {
            part("text/html; charset=\"utf-8\"", &more, url.as_bytes())
        }
    }
}

fn part(kind: &str, more: &str, octets: &[u8]) -> String {
    let mut text =
        format!("Content-Type: {kind}\r\n{more}Content-Transfer-Encoding: base64\r\n\r\n");
    for line in STANDARD.encode(octets).as_bytes().chunks(76) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push_str("\r\n");
    }
    text
}

fn list(addresses: &[Address]) -> String {
    let written: Vec<String> = addresses
        .iter()
        .map(|entry| {
            if entry.name.is_empty() || entry.name == entry.address {
                entry.address.clone()
            } else if entry.name.is_ascii() {
                let name = entry.name.replace(['"', '\\'], "");
                format!("\"{name}\" <{}>", entry.address)
            } else {
                format!("{} <{}>", word(&entry.name), entry.address)
            }
        })
        .collect();
    written.join(",\r\n ")
}

/// Text in a header (RFC 2047); every encoded word short enough for itself.
fn word(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    if clean.is_ascii() {
        return clean;
    }
    let characters: Vec<char> = clean.chars().collect();
    let words: Vec<String> = characters
        .chunks(10)
        .map(|chunk| {
            let piece: String = chunk.iter().collect();
            format!("=?utf-8?B?{}?=", STANDARD.encode(piece))
        })
        .collect();
    words.join("\r\n ")
}

/// The same message with its header written anew, as the store does that keeps no octets.
pub(crate) fn reserialise(raw: &[u8]) -> Vec<u8> {
    let trace = "Received: from AM0PR01MB0001.eurprd01.prod.exchangelabs.com (::1) by\r\n AM0PR01MB0002.eurprd01.prod.exchangelabs.com with HTTPS\r\nX-MS-Exchange-Organization-SCL: -1\r\n";
    [trace.as_bytes(), raw].concat()
}

/// The message without `Bcc`, as it is handed to others.
pub(crate) fn without_bcc(raw: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let mut dropping = false;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if !folded {
            dropping = line
                .get(..4)
                .is_some_and(|name| name.eq_ignore_ascii_case(b"bcc:"));
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// The message under another `Message-ID`, as some of the vendor's servers send it.
pub(crate) fn with_message_id(raw: &[u8], name: &str) -> Vec<u8> {
    let mut kept = format!("Message-ID: {name}\r\n").into_bytes();
    let text = String::from_utf8_lossy(raw);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut dropping = false;
    for line in head.split("\r\n") {
        if !line.starts_with([' ', '\t']) {
            dropping = line.to_lowercase().starts_with("message-id:");
        }
        if !dropping {
            kept.extend_from_slice(line.as_bytes());
            kept.extend_from_slice(b"\r\n");
        }
    }
    kept.extend_from_slice(b"\r\n");
    kept.extend_from_slice(body.as_bytes());
    kept
}
