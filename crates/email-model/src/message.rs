use serde::{Deserialize, Serialize};

use crate::{Address, PartId, Timestamp};

/// What a list of messages shows, and what never changes about a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `Message-ID`, with its angle brackets, as the header has it.
    pub message_id: Option<String>,
    /// `In-Reply-To`, first id, with angle brackets.
    pub in_reply_to: Option<String>,
    /// Ids of `References`, in order, with angle brackets; at most 100 (the first and the last 99).
    pub references: Vec<String>,
    /// `Subject`, decoded.
    pub subject: Option<String>,
    /// First mailbox of `From`.
    pub from: Option<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`.
    pub bcc: Vec<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `Date`: the sender's claim.
    pub sent_at: Option<Timestamp>,
    /// When the mailbox got it.
    pub received_at: Option<Timestamp>,
    /// Octets of the raw message.
    pub size: Option<u64>,
    /// `Sensitivity`.
    pub sensitivity: Option<Sensitivity>,
    /// `Thread-Index`, as the header has it.
    pub thread_index: Option<String>,
    /// Method of a calendar part.
    pub meeting_method: Option<MeetingMethod>,
    /// `None`: not learned.
    pub attachments: Option<Vec<Attachment>>,
    /// Some text from the beginning of the body. `None`: not learned.
    pub snippet: Option<String>,
}

impl Envelope {
    /// Whether there is an attachment that is not inline; `None` while attachments are not learned.
    pub fn has_attachments(&self) -> Option<bool> {
        self.attachments
            .as_ref()
            .map(|all| all.iter().any(|a| !a.inline))
    }
}

/// A part that is no body text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Where it stands in the message; the public attachment id.
    pub part: PartId,
    /// File name, decoded, without any path.
    pub name: Option<String>,
    /// `type/subtype`, lower case.
    pub mime_type: String,
    /// Octets after decoding, where known exactly, else a good estimate.
    pub size: Option<u64>,
    /// Shown within the HTML body.
    pub inline: bool,
    /// `Content-ID` without angle brackets.
    pub content_id: Option<String>,
    /// `Content-Location`.
    pub content_location: Option<String>,
}

/// One header field, unfolded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Field name as it stands.
    pub name: String,
    /// Field value, decoded.
    pub value: String,
}

/// Which text is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyType {
    /// HTML; made from the text where there is none.
    Html,
    /// Plain text; made from the HTML where there is none.
    Text,
}

/// The readable text of a message, as the sender wrote it: not sanitised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The HTML alternative.
    pub html: Option<String>,
    /// The plain alternative.
    pub text: Option<String>,
}

/// All that a reader is shown, attachments' bytes aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The envelope, with attachments and snippet learned.
    pub envelope: Envelope,
    /// The text.
    pub body: Body,
    /// The header fields, in order; at most 1,000.
    pub headers: Vec<Header>,
}

/// `Sensitivity` (RFC 2156 section 5.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sensitivity {
    /// No restriction.
    Normal,
    /// Private.
    Private,
    /// Personal.
    Personal,
    /// Company-confidential.
    Confidential,
}

/// Method of a calendar part (RFC 5546).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MeetingMethod {
    /// Invitation.
    Request,
    /// Answer.
    Reply,
    /// Cancellation.
    Cancel,
    /// Counter-proposal.
    Counter,
    /// Anything else.
    Other,
}
