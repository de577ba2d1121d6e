//! Messages.

use serde_json::{Map, Value, json};

use super::attachment_json;
use crate::content::{Address, Content};
use crate::encoding::{change_key, conversation_id, instant};
use crate::mailbox::{Mailbox, Stored};
use crate::odata::{BodyKind, Expand, Prefer, Select, Source};
use crate::settings::Settings;
use crate::tables::type_of;

/// How messages are shown to a request.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub mailbox: &'a Mailbox,
    pub settings: &'a Settings,
    pub prefer: &'a Prefer,
    /// The token is for the basic properties alone.
    pub basic: bool,
}

/// A message as a request sees it.
pub(crate) struct Shown<'a> {
    pub view: View<'a>,
    pub stored: &'a Stored,
}

/// What is given only when it is named.
const NAMED_ONLY: [&str; 2] = ["internetMessageHeaders", "uniqueBody"];
/// What `Mail.ReadBasic` does not give.
const NOT_BASIC: [&str; 4] = [
    "body",
    "bodyPreview",
    "uniqueBody",
    "internetMessageHeaders",
];

pub(crate) fn message_json(shown: &Shown<'_>, select: &Select, expand: &Expand) -> Value {
    let stored = shown.stored;
    let mut value = Map::new();
    value.insert(
        "@odata.etag".to_owned(),
        json!(format!("W/\"{}\"", change_key(stored.version))),
    );
    value.insert("id".to_owned(), shown.property("id"));
    let names = type_of("message").map(|held| held.all_properties());
    for name in names.unwrap_or_default() {
        let given = if NAMED_ONLY.contains(&name) {
            select.names(name)
        } else {
            select.wants(name)
        };
        if given && !(shown.view.basic && NOT_BASIC.contains(&name)) {
            value.insert(name.to_owned(), shown.property(name));
        }
    }
    if let Some(select) = &expand.attachments {
        let attachments: Vec<Value> = stored
            .content
            .attachments
            .iter()
            .map(|attachment| attachment_json(shown, attachment, select, false))
            .collect();
        value.insert("attachments".to_owned(), json!(attachments));
    }
    if let Some(ids) = &expand.extended {
        let found: Vec<Value> = ids.iter().filter_map(|id| shown.extended(id)).collect();
        if !found.is_empty() {
            value.insert("singleValueExtendedProperties".to_owned(), json!(found));
        }
    }
    Value::Object(value)
}

impl Shown<'_> {
    pub fn id(&self) -> &str {
        if self.view.prefer.immutable_ids {
            &self.stored.immutable_id
        } else {
            &self.stored.id
        }
    }

    fn content(&self) -> &Content {
        &self.stored.content
    }

    fn body(&self) -> Value {
        let content = self.content();
        let plain = content.html.is_none() && self.view.settings.plain_bodies_as_text;
        let kind = self.view.prefer.body.unwrap_or(if plain {
            BodyKind::Text
        } else {
            BodyKind::Html
        });
        match kind {
            BodyKind::Text => json!({"contentType": "text", "content": content.as_text()}),
            BodyKind::Html => {
                let (html, _) = content.as_html();
                let html = if self.view.prefer.unsafe_html {
                    html
                } else {
                    safe(&html)
                };
                json!({"contentType": "html", "content": html})
            }
        }
    }

    /// An extended property, where it has a value.
    fn extended(&self, id: &str) -> Option<Value> {
        let content = self.content();
        let known = match id.to_lowercase().as_str() {
            // PidTagMessageSize.
            "integer 0x0e08" | "integer 0xe08" | "long 0x0e08" | "long 0xe08" => {
                Some(content.size().to_string())
            }
            // PidTagInternetReferences, PidTagInReplyToId, PidTagInternetMessageId.
            "string 0x1039" => {
                (!content.references.is_empty()).then(|| content.references.join(" "))
            }
            "string 0x1042" => content.in_reply_to.clone(),
            "string 0x1035" => content.message_id.clone(),
            _ => None,
        };
        let set = self.stored.extended.get(id).cloned();
        let value = set.or_else(|| known.map(Value::String))?;
        Some(json!({"id": id, "value": value}))
    }
}

impl Source for Shown<'_> {
    fn property(&self, name: &str) -> Value {
        let stored = self.stored;
        let content = self.content();
        let sent_ms = content.sent_ms.unwrap_or(stored.received_ms);
        match name {
            "id" => json!(self.id()),
            "changeKey" => json!(change_key(stored.version)),
            "categories" => json!(stored.categories),
            "createdDateTime" => json!(instant(stored.created_ms)),
            "lastModifiedDateTime" => json!(instant(stored.modified_ms)),
            "receivedDateTime" => json!(instant(stored.received_ms)),
            "sentDateTime" => json!(instant(sent_ms)),
            "hasAttachments" => json!(content.has_attachments()),
            "internetMessageId" => json!(content.message_id),
            "subject" => json!(content.subject),
            "bodyPreview" => json!(content.preview()),
            "importance" => json!(stored.importance),
            "parentFolderId" => json!(
                self.view
                    .mailbox
                    .folders
                    .get(&stored.folder)
                    .map(|folder| &folder.id)
            ),
            "conversationId" => json!(conversation_id(stored.conversation)),
            "conversationIndex" => json!(crate::encoding::base64(&[1; 22])),
            "isDeliveryReceiptRequested" => json!(false),
            "isReadReceiptRequested" => json!(stored.receipt_requested),
            "isRead" => json!(stored.read),
            "isDraft" => json!(stored.draft),
            "webLink" => json!(format!(
                "https://outlook.office365.com/owa/?ItemID={}",
                self.id()
            )),
            "inferenceClassification" => json!(stored.inference),
            "body" | "uniqueBody" => self.body(),
            "sender" => content.sender.as_ref().map_or(Value::Null, recipient),
            "from" => content.from.as_ref().map_or(Value::Null, recipient),
            "toRecipients" => recipients(&content.to),
            "ccRecipients" => recipients(&content.cc),
            "bccRecipients" => recipients(&content.bcc),
            "replyTo" => recipients(&content.reply_to),
            "flag" => stored.flag.clone(),
            "internetMessageHeaders" if content.raw.is_none() => Value::Null,
            "internetMessageHeaders" => content
                .headers
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect(),
            "singleValueExtendedProperties" => stored
                .extended
                .iter()
                .map(|(id, value)| json!({"id": id, "value": value}))
                .collect(),
            _ => Value::Null,
        }
    }
}

pub(crate) fn recipient(address: &Address) -> Value {
    json!({"emailAddress": {"name": address.name, "address": address.address}})
}

fn recipients(addresses: &[Address]) -> Value {
    addresses.iter().map(recipient).collect()
}

/// Without scripts, which the vendor takes out unless `outlook.allow-unsafe-html` is preferred.
fn safe(html: &str) -> String {
    let mut rest = html;
    let mut kept = String::new();
    loop {
        let lower = rest.to_ascii_lowercase();
        let Some(start) = lower.find("<script") else {
            kept.push_str(rest);
            return kept;
        };
        kept.push_str(&rest[..start]);
        match lower[start..].find("</script>") {
            Some(end) => rest = &rest[start + end + "</script>".len()..],
            None => return kept,
        }
    }
}
