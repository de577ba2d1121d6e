//! Messages and folders as the API tells them: <https://learn.microsoft.com/graph/api/resources/message>.
//!
//! An item of a feed may hold no more than what changed. So what was not told and what is empty are kept apart.

use email_model::Timestamp;
use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A property: not told, told to be empty, or told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Told<T> {
    /// Not told.
    #[default]
    Absent,
    /// `null`.
    Empty,
    /// This.
    Is(T),
}

impl<T> Told<T> {
    /// What was told, `None` also where nothing was.
    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }

    /// Whether anything was told.
    pub(crate) fn is_told(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Self::Is(value),
            None => Self::Empty,
        })
    }
}

/// A page of a list or a feed.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct Page<T> {
    pub value: Vec<T>,
    #[serde(rename = "@odata.nextLink", default)]
    pub next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink", default)]
    pub delta_link: Option<String>,
}

/// A message, an item of a feed, or what is left of one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Message {
    pub id: String,
    /// The kind of message: an invitation is one too.
    #[serde(rename = "@odata.type")]
    pub kind: Option<String>,
    /// It left the folder, or ended.
    #[serde(rename = "@removed")]
    pub removed: Option<IgnoredAny>,
    pub parent_folder_id: Option<String>,
    pub change_key: Option<String>,
    pub web_link: Option<String>,
    pub conversation_id: Option<String>,
    pub is_read: Option<bool>,
    pub is_draft: Option<bool>,
    pub flag: Told<Flag>,
    pub categories: Told<Vec<String>>,
    pub subject: Told<String>,
    pub from: Told<Recipient>,
    pub to_recipients: Told<Vec<Recipient>>,
    pub cc_recipients: Told<Vec<Recipient>>,
    pub bcc_recipients: Told<Vec<Recipient>>,
    pub reply_to: Told<Vec<Recipient>>,
    pub internet_message_id: Told<String>,
    pub internet_message_headers: Told<Vec<InternetHeader>>,
    pub body_preview: Told<String>,
    pub body: Option<ItemBody>,
    pub has_attachments: Option<bool>,
    pub attachments: Option<Vec<Attachment>>,
    pub single_value_extended_properties: Option<Vec<ExtendedProperty>>,
    #[serde(deserialize_with = "time")]
    pub sent_date_time: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub received_date_time: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub last_modified_date_time: Option<Timestamp>,
}

/// A mark for follow-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Flag {
    pub flag_status: String,
}

/// Somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Recipient {
    pub email_address: Option<EmailAddress>,
}

/// A name and an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct EmailAddress {
    pub name: Option<String>,
    pub address: Option<String>,
}

/// A header field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct InternetHeader {
    pub name: Option<String>,
    pub value: Option<String>,
}

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ItemBody {
    pub content_type: Option<String>,
    pub content: Option<String>,
}

/// A file, an item or a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Attachment {
    #[serde(rename = "@odata.type")]
    pub kind: Option<String>,
    pub id: String,
    pub name: Option<String>,
    pub content_type: Option<String>,
    pub size: Option<i64>,
    pub is_inline: Option<bool>,
    pub content_id: Option<String>,
    pub content_location: Option<String>,
}

/// An upload that was begun.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UploadSession {
    /// A secret.
    pub upload_url: String,
}

/// A property of the store that the API has no name for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ExtendedProperty {
    pub id: String,
    pub value: Option<String>,
}

/// A folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MailFolder {
    pub id: String,
    #[serde(rename = "@odata.type")]
    pub kind: Option<String>,
    pub display_name: Option<String>,
    pub parent_folder_id: Option<String>,
    pub child_folder_count: Option<i64>,
    pub is_hidden: Option<bool>,
    pub total_item_count: Option<u64>,
}

/// A time; what is none counts as not told, and so does the first of all times, which stands for none.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    let time = text.and_then(|text| chrono::DateTime::parse_from_rfc3339(&text).ok());
    Ok(time
        .map(|time| time.to_utc())
        .filter(|time| time.timestamp() > -62_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_not_empty() {
        let text = r#"{"id": "a", "isRead": true, "subject": null, "categories": []}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        assert_eq!(message.subject, Told::Empty);
        assert_eq!(message.categories, Told::Is(Vec::new()));
        assert_eq!(message.flag, Told::Absent);
        assert!(message.is_draft.is_none() && message.removed.is_none());
        let text = r#"{"id": "a", "@removed": {"reason": "deleted"}}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        assert!(message.removed.is_some() && !message.flag.is_told());
    }

    #[test]
    fn times_are_read_and_no_time_is_none() {
        let read = |time: &str| {
            let text = format!(r#"{{"receivedDateTime": "{time}"}}"#);
            let message: Message = serde_json::from_str(&text).unwrap();
            message.received_date_time.map(|time| time.timestamp())
        };
        assert_eq!(read("2023-11-14T22:13:20Z"), Some(1_700_000_000));
        assert_eq!(read("2023-11-14T22:13:20.1234567Z"), Some(1_700_000_000));
        assert_eq!(read("0001-01-01T00:00:00Z"), None);
        assert_eq!(read("yesterday"), None);
    }
}
