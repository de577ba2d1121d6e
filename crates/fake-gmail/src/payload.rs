//! Messages as JSON: the part tree, the formats, attachments.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{Map, Value, json};

use crate::content::{decode, raw_value, unfold};
use crate::encoding::{encode, seal};
use crate::mailbox::Stored;

/// How a message is shown.
pub(crate) struct Style<'a> {
    pub format: &'a str,
    /// With the format `metadata`: these headers alone, unless there are none.
    pub headers: &'a [String],
    pub unpadded: bool,
    pub decoded_headers: bool,
    pub inline_limit: usize,
    /// Goes into attachment ids, so that they differ with every read.
    pub nonce: u64,
    pub now_ms: i64,
}

pub(crate) fn hex(id: u64) -> String {
    format!("{id:x}")
}

pub(crate) fn message_json(stored: &Stored, style: &Style<'_>) -> Value {
    let mut value = json!({
        "id": hex(stored.id),
        "threadId": hex(stored.thread),
        "snippet": stored.content.snippet(),
        "sizeEstimate": stored.content.raw.len(),
        "historyId": stored.history_id.to_string(),
        "internalDate": stored.date.to_string(),
    });
    if !stored.labels.is_empty() {
        value["labelIds"] = json!(stored.labels);
    }
    match style.format {
        "raw" => value["raw"] = json!(encode(&stored.content.raw, style.unpadded)),
        "full" | "metadata" => value["payload"] = payload(stored, style),
        _ => {}
    }
    value
}

/// A message in lists and after changes.
pub(crate) fn reference(stored: &Stored) -> Value {
    let mut value = json!({"id": hex(stored.id), "threadId": hex(stored.thread)});
    if !stored.labels.is_empty() {
        value["labelIds"] = json!(stored.labels);
    }
    value
}

fn payload(stored: &Stored, style: &Style<'_>) -> Value {
    let Some(message) = MessageParser::default().parse(&stored.content.raw) else {
        return json!({"partId": "", "mimeType": "text/plain", "filename": "", "headers": []});
    };
    if style.format == "metadata" {
        let headers = headers(&message, 0, style);
        let mime_type = mime_type(&message.parts[0]);
        return json!({"partId": "", "mimeType": mime_type, "headers": headers});
    }
    part(stored, &message, 0, "", style)
}

fn part(
    stored: &Stored,
    message: &Message<'_>,
    index: usize,
    path: &str,
    style: &Style<'_>,
) -> Value {
    let Some(this) = message.parts.get(index) else {
        return json!({"partId": path});
    };
    let mut value = Map::new();
    let filename = this.attachment_name().unwrap_or_default();
    value.insert("partId".into(), json!(path));
    value.insert("mimeType".into(), json!(mime_type(this)));
    value.insert("filename".into(), json!(filename));
    value.insert("headers".into(), json!(headers(message, index, style)));
    let child = |number: usize| match path {
        "" => number.to_string(),
        path => format!("{path}.{number}"),
    };
    match &this.body {
        PartType::Multipart(parts) => {
            value.insert("body".into(), json!({"size": 0}));
            let parts: Vec<Value> = parts
                .iter()
                .enumerate()
                .map(|(number, id)| part(stored, message, *id as usize, &child(number), style))
                .collect();
            value.insert("parts".into(), json!(parts));
        }
        PartType::Message(inner) => {
            let size = bytes(this).len();
            let body = json!({"attachmentId": attachment_id(stored, path, style), "size": size});
            value.insert("body".into(), body);
            let inner = part(stored, inner, 0, &child(0), style);
            value.insert("parts".into(), json!([inner]));
        }
        PartType::Text(_) | PartType::Html(_) | PartType::Binary(_) | PartType::InlineBinary(_) => {
            let content = bytes(this);
            let text = matches!(this.body, PartType::Text(_) | PartType::Html(_));
            let inline = text && filename.is_empty() && content.len() <= style.inline_limit;
            let mut body = json!({"size": content.len()});
            if inline {
                body["data"] = json!(encode(content, style.unpadded));
            } else {
                body["attachmentId"] = json!(attachment_id(stored, path, style));
            }
            value.insert("body".into(), body);
        }
    }
    Value::Object(value)
}

/// A part's decoded content; text is UTF-8 whatever it was before.
fn bytes<'a>(part: &'a MessagePart<'_>) -> &'a [u8] {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes,
        PartType::Message(message) => message.raw_message(),
        PartType::Multipart(_) => &[],
    }
}

fn mime_type(part: &MessagePart<'_>) -> String {
    match part.content_type() {
        Some(kind) => match kind.subtype() {
            Some(sub) => format!("{}/{sub}", kind.ctype()).to_lowercase(),
            None => kind.ctype().to_lowercase(),
        },
        None => "text/plain".to_owned(),
    }
}

fn headers(message: &Message<'_>, part: usize, style: &Style<'_>) -> Vec<Value> {
    let wanted = |name: &str| {
        style.format != "metadata"
            || style.headers.is_empty()
            || style
                .headers
                .iter()
                .any(|header| header.eq_ignore_ascii_case(name))
    };
    let Some(part) = message.parts.get(part) else {
        return Vec::new();
    };
    part.headers
        .iter()
        .filter(|header| wanted(header.name.as_str()))
        .map(|header| {
            let raw = raw_value(message, header);
            let value = if style.decoded_headers {
                decode(raw)
            } else {
                unfold(raw)
            };
            json!({"name": original_name(message, header), "value": value})
        })
        .collect()
}

/// The name as it was written.
fn original_name(message: &Message<'_>, header: &mail_parser::Header<'_>) -> String {
    let start = header.offset_field as usize;
    let end = (header.offset_start as usize).saturating_sub(1);
    message
        .raw_message
        .get(start..end)
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .filter(|name| name.eq_ignore_ascii_case(header.name.as_str()))
        .unwrap_or_else(|| header.name.as_str().to_owned())
}

fn attachment_id(stored: &Stored, path: &str, style: &Style<'_>) -> String {
    seal(&[
        "attachment".to_owned(),
        style.nonce.to_string(),
        hex(stored.id),
        path.to_owned(),
        style.now_ms.to_string(),
    ])
}

/// The content of the part at this path.
pub(crate) fn attachment(stored: &Stored, path: &str) -> Option<Vec<u8>> {
    let message = MessageParser::default().parse(&stored.content.raw)?;
    let numbers: Vec<usize> = path
        .split('.')
        .filter(|number| !number.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    descend(&message, 0, &numbers)
}

fn descend(message: &Message<'_>, index: usize, path: &[usize]) -> Option<Vec<u8>> {
    let part = message.parts.get(index)?;
    let Some((first, rest)) = path.split_first() else {
        return Some(bytes(part).to_vec());
    };
    match &part.body {
        PartType::Multipart(parts) => descend(message, *parts.get(*first)? as usize, rest),
        PartType::Message(inner) if *first == 0 => descend(inner, 0, rest),
        _ => None,
    }
}
