//! What a client writes of a message in JSON.

use serde_json::{Map, Value};

use crate::content::{Address, Attachment, AttachmentBody, Content};
use crate::encoding::from_base64;
use crate::error::ApiError;
use crate::mailbox::Edit;

/// "message resource type": what may be set at any time.
const ANY_TIME: [&str; 8] = [
    "categories",
    "flag",
    "importance",
    "inferenceClassification",
    "isRead",
    "isReadReceiptRequested",
    "isDeliveryReceiptRequested",
    "singleValueExtendedProperties",
];
/// What may be set as long as the message is a draft.
const DRAFT: [&str; 10] = [
    "subject",
    "body",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "from",
    "sender",
    "internetMessageId",
    "multiValueExtendedProperties",
];
/// What may be set when the message is made.
const CREATED: [&str; 2] = ["internetMessageHeaders", "attachments"];
const MOST_HEADERS: usize = 5;

/// Which properties a body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    New,
    Draft,
    Received,
}

pub(crate) fn check(fields: &Map<String, Value>, stage: Stage) -> Result<(), ApiError> {
    for key in fields.keys().filter(|key| !key.contains('@')) {
        let key = key.as_str();
        let allowed = ANY_TIME.contains(&key)
            || (stage != Stage::Received && DRAFT.contains(&key))
            || (stage == Stage::New && CREATED.contains(&key));
        if !allowed {
            return Err(ApiError::wrong(
                400,
                "ErrorInvalidPropertySet",
                format!("The property '{key}' cannot be set on this message."),
            ));
        }
    }
    Ok(())
}

/// What a body sets beside the content. `flag` is what there is.
pub(crate) fn edit(fields: &Map<String, Value>, flag: &Value) -> Result<Edit, ApiError> {
    let strings = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .filter_map(|item| Some(item.as_str()?.to_owned()))
            .collect()
    };
    let extended = fields
        .get("singleValueExtendedProperties")
        .and_then(Value::as_array);
    let flag = match fields.get("flag") {
        None => None,
        Some(given) => Some(merge(flag, given)?),
    };
    Ok(Edit {
        read: fields.get("isRead").and_then(Value::as_bool),
        flag,
        categories: fields.get("categories").map(strings),
        importance: fields
            .get("importance")
            .and_then(Value::as_str)
            .map(str::to_lowercase),
        inference: fields
            .get("inferenceClassification")
            .and_then(Value::as_str)
            .map(|word| {
                if word.eq_ignore_ascii_case("other") {
                    "other"
                } else {
                    "focused"
                }
            }),
        receipt_requested: fields
            .get("isReadReceiptRequested")
            .and_then(Value::as_bool),
        content: None,
        extended: extended
            .into_iter()
            .flatten()
            .filter_map(|property| {
                Some((
                    property.get("id")?.as_str()?.to_owned(),
                    property.get("value")?.clone(),
                ))
            })
            .collect(),
    })
}

fn merge(flag: &Value, given: &Value) -> Result<Value, ApiError> {
    let mut merged = flag.clone();
    if given.get("dueDateTime").is_some() && given.get("startDateTime").is_none() {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidArgument",
            "A flag with dueDateTime has startDateTime too.",
        ));
    }
    for (name, value) in given.as_object().into_iter().flatten() {
        merged[name] = value.clone();
    }
    if merged["flagStatus"] == "notFlagged" {
        merged = serde_json::json!({"flagStatus": "notFlagged"});
    }
    Ok(merged)
}

/// Whether a body sets anything of the content.
pub(crate) fn touches_content(fields: &Map<String, Value>) -> bool {
    fields
        .keys()
        .any(|key| DRAFT.contains(&key.as_str()) || CREATED.contains(&key.as_str()))
}

/// Writes a body's properties into the content, which is no longer what came in as MIME.
pub(crate) fn apply(content: &mut Content, fields: &Map<String, Value>) -> Result<(), ApiError> {
    if content.raw.take().is_some() {
        content
            .headers
            .retain(|(name, _)| name.to_lowercase().starts_with("x-"));
    }
    for (key, value) in fields {
        match key.as_str() {
            "subject" => content.set_subject(value.as_str().unwrap_or_default()),
            "body" => {
                let text = value
                    .get("content")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                let html = value
                    .get("contentType")
                    .and_then(Value::as_str)
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
                (content.html, content.text) = if html {
                    (Some(text), None)
                } else {
                    (None, Some(text))
                };
            }
            "toRecipients" => content.to = addresses(value)?,
            "ccRecipients" => content.cc = addresses(value)?,
            "bccRecipients" => content.bcc = addresses(value)?,
            "replyTo" => content.reply_to = addresses(value)?,
            "from" => {
                content.from = Some(address(value)?);
                content.sender.clone_from(&content.from);
            }
            "sender" => content.sender = Some(address(value)?),
            "internetMessageId" => content.message_id = value.as_str().map(str::to_owned),
            "importance" => content.importance = value.as_str().unwrap_or("normal").to_lowercase(),
            "internetMessageHeaders" => content.headers.extend(headers(value)?),
            "attachments" => {
                for given in value.as_array().into_iter().flatten() {
                    let attachment = attachment(given, content.next_attachment())?;
                    content.attachments.push(attachment);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn addresses(value: &Value) -> Result<Vec<Address>, ApiError> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(address)
        .collect()
}

fn address(value: &Value) -> Result<Address, ApiError> {
    let inner = &value["emailAddress"];
    let text = |name: &str| inner[name].as_str().unwrap_or_default().to_owned();
    let (name, address) = (text("name"), text("address"));
    let plain = address
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if !plain
        || address
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ','))
    {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient isn't valid.",
        ));
    }
    let name = if name.is_empty() {
        address.clone()
    } else {
        name
    };
    Ok(Address { name, address })
}

/// Custom headers begin with `x-`, and there are few of them.
fn headers(value: &Value) -> Result<Vec<(String, String)>, ApiError> {
    let wrong = |message: &str| ApiError::wrong(400, "InvalidInternetMessageHeader", message);
    let given: Vec<&Value> = value.as_array().into_iter().flatten().collect();
    if given.len() > MOST_HEADERS {
        return Err(wrong("The message has too many custom headers."));
    }
    given
        .into_iter()
        .map(|header| {
            let name = header["name"].as_str().unwrap_or_default();
            let value = header["value"].as_str().unwrap_or_default();
            if !name.to_lowercase().starts_with("x-") || value.contains(['\r', '\n']) {
                return Err(wrong(&format!(
                    "The internet message header name '{name}' should start with 'x-' or 'X-'."
                )));
            }
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Something to attach, of the kind that it says.
pub(crate) fn attachment(value: &Value, number: u32) -> Result<Attachment, ApiError> {
    let wrong = |message: &str| ApiError::wrong(400, "ErrorInvalidRequest", message);
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or_else(|| wrong("An attachment has a name."))?;
    let kind = text("@odata.type").ok_or_else(|| wrong("An attachment says its @odata.type."))?;
    let body = match kind.as_str() {
        "#microsoft.graph.fileAttachment" => {
            let encoded = text("contentBytes").ok_or_else(|| wrong("A file has contentBytes."))?;
            AttachmentBody::File(from_base64(&encoded).unwrap_or_default())
        }
        "#microsoft.graph.itemAttachment" => {
            let fields = value.get("item").and_then(Value::as_object);
            let mut inner = Content::default();
            apply(
                &mut inner,
                fields.ok_or_else(|| wrong("An item has an item."))?,
            )?;
            AttachmentBody::Item(inner.octets())
        }
        _ => return Err(wrong("The attachment is of a kind that cannot be made.")),
    };
    Ok(Attachment {
        number,
        name,
        content_type: text("contentType"),
        inline: value
            .get("isInline")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
        content_id: text("contentId"),
        body,
    })
}
