//! Sending messages and keeping drafts.

use std::{fmt, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use email_model::{OutgoingMessage, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ByteStream, Call, MessageRef, ProviderResult};

/// The two copies of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageCopy {
    /// What recipients get: without `Bcc`.
    Wire,
    /// What the sender keeps, as a draft or after sending: with `Bcc`.
    Kept,
}

/// A composed message (RFC 5322): it can be read any number of times and is always the same.
///
/// It is 7-bit text with CRLF line breaks in lines of at most 998 octets, addresses of other scripts in its
/// header aside (RFC 6532).
pub trait MessageOctets: Send + Sync + Debug {
    /// Octets of the whole copy.
    fn length(&self, copy: MessageCopy) -> u64;

    /// The copy from its beginning, in chunks of at most 64 KiB. An error is `Unavailable`: what the
    /// message is made of could not be read.
    fn read(&self, copy: MessageCopy) -> ByteStream;
}

/// Whom a transport is told (RFC 5321 section 2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendEnvelope {
    /// The sender's address; `None` only in a draft.
    pub sender: Option<String>,
    /// Every recipient once.
    pub recipients: Vec<String>,
    /// An address in the envelope or the header is not ASCII (RFC 6531).
    pub internationalised: bool,
}

/// A message that is handed to a backend, to be sent or to be kept as a draft.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What was asked for. Composing has checked every field of it.
    pub message: Arc<OutgoingMessage>,
    /// `Message-ID`, with angle brackets: no other message has it.
    pub message_id: String,
    /// Sender and recipients.
    pub envelope: SendEnvelope,
    /// The same, composed.
    pub octets: Arc<dyn MessageOctets>,
    /// The message that it answers, where that is in this mailbox: backends that group messages into
    /// conversations by themselves need it.
    pub answers: Option<MessageRef>,
}

/// A draft at the backend: opaque, first byte a format number, at most 4 KiB. Good on another machine.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DraftRef(pub Vec<u8>);

impl Debug for DraftRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftRef({} bytes)", self.0.len())
    }
}

/// A draft that the backend keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDraft {
    /// What it is changed, sent and discarded by, until its next change gives another one.
    pub draft: DraftRef,
    /// The message that it is.
    pub at: MessageRef,
    /// Where people find it in a browser.
    pub web_link: Option<String>,
}

/// What to send.
#[derive(Clone, Copy, Debug)]
pub enum Submission<'a> {
    /// A message that the backend does not have yet.
    Message(&'a Outgoing),
    /// A draft, as the backend holds it.
    Draft(&'a DraftRef),
}

/// What a mailbox can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// Recipients of one message.
    pub recipients: usize,
    /// Octets of one message as recipients get it.
    pub octets: u64,
    /// Addresses that are not ASCII can be written to (RFC 6531).
    pub internationalised: bool,
    /// Every message is kept as a draft first, so that its place is known before it is sent:
    /// `submit` takes drafts only.
    pub drafts_only: bool,
}

/// A message that was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The sent message in this mailbox, where the backend tells at once.
    pub at: Option<MessageRef>,
    /// Recipients that were refused while others were accepted.
    pub refused: Vec<RefusedRecipient>,
    /// The backend's own note for [`Submitter::file`], at most 4 KiB.
    pub receipt: Vec<u8>,
}

/// A recipient that the backend did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecipient {
    /// The address.
    pub address: String,
    /// Why, in the backend's words: at most 300 characters, none of them a control character.
    pub reason: String,
}

/// A send whose outcome is not known.
#[derive(Clone, Copy, Debug)]
pub struct Unsettled<'a> {
    /// `Message-ID`, with angle brackets.
    pub message_id: &'a str,
    /// The draft that was to be sent, where it was one.
    pub draft: Option<&'a DraftRef>,
    /// When it was handed over.
    pub since: Timestamp,
}

/// What has become of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was accepted; where it is, as far as that can be told.
    Sent(Option<MessageRef>),
    /// It was not accepted, and will not be.
    NotSent,
    /// It cannot be told yet, or never.
    Unknown,
}

/// A mailbox that sends.
#[async_trait]
pub trait Submitter: Send + Sync {
    /// What it can send, as far as it tells.
    fn limits(&self) -> SendLimits;

    /// Hands a message over, once.
    /// - It is answered once the backend has accepted it for at least one recipient.
    /// - `OutcomeUnknown`: it may have been accepted. Any other error: nobody will get it.
    /// - `Invalid`: refused for good, as it stands. `Forbidden`: this sender may not.
    /// - `NotFound`: there is no such draft; `Conflict`: it is another one by now.
    /// - Nothing is filed in the mailbox, unless the backend does that by itself.
    async fn submit(&self, call: Call, submission: Submission<'_>) -> ProviderResult<Submitted>;

    /// Looks for what has become of a send.
    /// - `Sent` and `NotSent` are proofs.
    /// - What cannot be told is `Unknown`, not an error.
    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled>;

    /// Sees to the sender's copy of an accepted message: files it where the backend does not do so by
    /// itself, and removes the draft that it was.
    /// - Afterwards there is one copy, however often it is called: it is looked for before it is filed.
    /// - Returns where it is; `None` where no copy is kept or it is not to be found yet.
    async fn file(
        &self,
        call: Call,
        submission: Submission<'_>,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>>;
}

/// By what a draft is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftQuery {
    /// The message that it is.
    Message(MessageRef),
    /// Its `Message-ID`, with angle brackets.
    MessageId(String),
}

/// A mailbox that keeps drafts.
#[async_trait]
pub trait Drafts: Send + Sync {
    /// Keeps a new draft. `OutcomeUnknown`: [`Self::find`] tells.
    async fn create(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<KeptDraft>;

    /// Puts another content in the place of a draft's.
    /// - `Conflict`: somebody else has changed it since the reference was given. `NotFound`: it is gone.
    /// - Afterwards there is one draft, the new one. `OutcomeUnknown`: the old one, the new one or both.
    async fn replace(
        &self,
        call: Call,
        draft: &DraftRef,
        outgoing: &Outgoing,
    ) -> ProviderResult<KeptDraft>;

    /// Removes a draft for good, changed by somebody else or not. `NotFound` where it is gone.
    async fn discard(&self, call: Call, draft: &DraftRef) -> ProviderResult<()>;

    /// Finds a draft, made by whomever; the newest of several.
    async fn find(&self, call: Call, query: &DraftQuery) -> ProviderResult<Option<KeptDraft>>;
}
