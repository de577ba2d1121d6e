use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use email_model::{Address, Attachment, Flags, FolderRole, Header, PartId};
use gateway_operations::MessageView;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    address::{EmailAddress, EmailHeader},
    attachment::EmailAttachment,
    folder::sys_label,
    literals::{MeetingMessageMethod, OmittedField, Sensitivity, SysClassification, SysLabel},
};

/// A message as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailMessage {
    /// Its id, for life.
    id: String,
    /// Its conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<String>,
    /// When the mailbox got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_time: Option<DateTime<Utc>>,
    /// When it last changed, where the mailbox tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<DateTime<Utc>>,
    /// `Date`: the sender's claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<DateTime<Utc>>,
    /// When the mailbox got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<DateTime<Utc>>,
    /// `Message-ID`, with angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    internet_message_id: Option<String>,
    /// `Subject`.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Kinds of its folders and its flags.
    sys_labels: Vec<SysLabel>,
    /// User labels, categories, keywords.
    keywords: Vec<String>,
    /// Tabs into which the mailbox sorted it.
    sys_classifications: Vec<SysClassification>,
    /// `Sensitivity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitivity: Option<Sensitivity>,
    /// Method of its calendar part.
    #[serde(skip_serializing_if = "Option::is_none")]
    meeting_message_method: Option<MeetingMessageMethod>,
    /// `From`.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<EmailAddress>,
    /// `To`.
    to: Vec<EmailAddress>,
    /// `Cc`.
    cc: Vec<EmailAddress>,
    /// `Bcc`.
    bcc: Vec<EmailAddress>,
    /// `Reply-To`.
    reply_to: Vec<EmailAddress>,
    /// There is an attachment that is not inline.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_attachments: Option<bool>,
    /// The text in the type asked for, as the sender wrote it: not sanitised.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Some text from the beginning of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_snippet: Option<String>,
    /// Its attachments.
    attachments: Vec<EmailAttachment>,
    /// `In-Reply-To`, first id.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<String>,
    /// `References`, ids separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<String>,
    /// `Thread-Index`.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_index: Option<String>,
    /// Header fields.
    internet_headers: Vec<EmailHeader>,
    /// The provider's own properties that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    native_properties: Option<BTreeMap<String, String>>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder_id: Option<String>,
    /// Where the provider's own web client shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    web_link: Option<String>,
    /// What is not loaded here.
    omitted: Vec<OmittedField>,
    /// On sync pages: of two records for one id the higher wins. Addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

impl EmailMessage {
    /// Adds empty `nativeProperties` where a client asked for some: no backend gives any yet.
    pub(crate) fn with_native_properties(mut self, asked: bool) -> Self {
        self.native_properties = asked.then(BTreeMap::new);
        self
    }
}

impl From<MessageView> for EmailMessage {
    fn from(view: MessageView) -> Self {
        let envelope = view.envelope.unwrap_or_default();
        let has_attachments = envelope.has_attachments();
        let (flags, keywords, classifications) = match view.labels {
            Some(labels) => (Some(labels.flags), labels.keywords, labels.classifications),
            None => Default::default(),
        };
        let omitted: BTreeSet<OmittedField> = view.omitted.into_iter().map(Into::into).collect();
        Self {
            id: view.id.to_string(),
            thread_id: view.thread.map(|id| id.to_string()),
            created_time: envelope.received_at,
            last_modified_time: None,
            sent_at: envelope.sent_at,
            received_at: envelope.received_at,
            internet_message_id: envelope.message_id,
            subject: envelope.subject,
            sys_labels: sys_labels(&view.roles, flags),
            keywords,
            sys_classifications: classifications.into_iter().map(Into::into).collect(),
            sensitivity: envelope.sensitivity.map(Into::into),
            meeting_message_method: envelope.meeting_method.map(Into::into),
            from: envelope.from.map(Into::into),
            to: addresses(envelope.to),
            cc: addresses(envelope.cc),
            bcc: addresses(envelope.bcc),
            reply_to: addresses(envelope.reply_to),
            has_attachments,
            body: view.body,
            body_snippet: envelope.snippet,
            attachments: attachments(envelope.attachments, &view.inline_content),
            in_reply_to: envelope.in_reply_to,
            references: (!envelope.references.is_empty()).then(|| envelope.references.join(" ")),
            thread_index: envelope.thread_index,
            internet_headers: headers(view.headers),
            native_properties: None,
            folder_id: view.folder.map(|id| id.to_string()),
            web_link: None,
            omitted: omitted.into_iter().collect(),
            version: view.version,
        }
    }
}

/// Kinds of the folders and flags joined, each one once, in one order.
fn sys_labels(roles: &[FolderRole], flags: Option<Flags>) -> Vec<SysLabel> {
    let of_flags = flags.into_iter().flat_map(|flags| {
        [
            (flags.contains(Flags::DRAFT), SysLabel::Draft),
            (flags.contains(Flags::IMPORTANT), SysLabel::Important),
            (!flags.contains(Flags::SEEN), SysLabel::Unread),
            (flags.contains(Flags::FLAGGED), SysLabel::Flagged),
        ]
    });
    let labels: BTreeSet<_> = roles
        .iter()
        .copied()
        .filter_map(sys_label)
        .chain(of_flags.filter_map(|(there, label)| there.then_some(label)))
        .collect();
    labels.into_iter().collect()
}

fn attachments(
    all: Option<Vec<Attachment>>,
    content: &HashMap<PartId, Bytes>,
) -> Vec<EmailAttachment> {
    all.unwrap_or_default()
        .into_iter()
        .map(|attachment| {
            let content = content.get(&attachment.part);
            EmailAttachment::new(attachment, content)
        })
        .collect()
}

fn headers(all: Option<Vec<Header>>) -> Vec<EmailHeader> {
    all.unwrap_or_default()
        .into_iter()
        .map(Into::into)
        .collect()
}

fn addresses(all: Vec<Address>) -> Vec<EmailAddress> {
    all.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests;
