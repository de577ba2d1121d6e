//! The uniform model to RFC 5322 bytes: messages to be sent and drafts.
//!
//! What a client asks for is checked first, field by field, and refused where a header, an address or a
//! name could mean something else to somebody on the way ([`Invalid`]). What is composed is 7-bit text with
//! CRLF line breaks in lines of at most 998 octets, addresses of other scripts aside (RFC 6532): it passes
//! every transport unchanged, and no content of it can end the message or begin a command. Its size is known
//! before any of it is read, and attachments are encoded while it is read.

mod block;
mod chunks;
mod custom;
mod files;
mod ids;
mod invalid;
mod mailbox;
mod parameters;
mod reply;
mod text_part;
mod tree;

use std::{collections::HashSet, io, sync::Arc};

use bytes::Bytes;
use email_model::OutgoingMessage;

pub use chunks::Chunks;
pub use ids::{new_message_id, parse_message_ids};
pub use invalid::{Invalid, Rule};
pub use mailbox::Mailbox;
pub use reply::{ReplyHeaders, reply};

use block::Block;
use chunks::Piece;
use tree::Node;

/// Longest subject, in octets.
const MAX_SUBJECT: usize = 4 << 10;
/// Most mailboxes of `Reply-To`.
const MAX_REPLY_TO: usize = 50;

/// What a mailbox can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Recipients of one message, each counted once.
    pub recipients: usize,
    /// Octets of one message as it is sent.
    pub octets: u64,
    /// Whether addresses whose local part is not ASCII can be written to (RFC 6531).
    pub internationalised: bool,
}

/// What a message is composed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be sent: somebody sends it to somebody.
    Send,
    /// To be kept and changed: sender and recipients may be left open.
    Draft,
}

/// Two copies of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What recipients get: without `Bcc`.
    Wire,
    /// What the sender keeps, as a draft or after sending: with `Bcc`.
    Kept,
}

/// Whom a transport is told (RFC 5321 section 2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpEnvelope {
    /// The sender's address; `None` only in a draft.
    pub sender: Option<String>,
    /// Every recipient once: those of `To`, then `Cc`, then `Bcc`.
    pub recipients: Vec<String>,
    /// Whether an address in the envelope or the header is not ASCII, so that the message can only be
    /// handed to a server with SMTPUTF8.
    pub internationalised: bool,
}

/// A message that can be read, any number of times and always the same.
#[derive(Clone, Debug)]
pub struct Composed {
    message_id: String,
    envelope: SmtpEnvelope,
    wire: Bytes,
    kept: Bytes,
    pieces: Arc<[Piece]>,
}

/// Checks and composes a message. Files are not looked at.
///
/// # Errors
/// [`Invalid`] with the field and the rule that it breaks, in the terms of the request.
pub fn compose(
    message: &OutgoingMessage,
    purpose: Purpose,
    limits: &Limits,
) -> Result<Composed, Invalid> {
    let people = People::read(message, purpose, limits)?;
    let files = files::check(&message.attachments)?;
    let subject = message.subject.as_deref().unwrap_or_default();
    if subject.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Rule::Control.at("subject"));
    }
    invalid::within(subject, MAX_SUBJECT).map_err(|rule| rule.at("subject"))?;
    let message_id = ids::checked(&message.message_id).map_err(|rule| rule.at("messageId"))?;
    let checked_id =
        |field: &'static str| move |id: &String| ids::checked(id).map_err(|rule| rule.at(field));
    let in_reply_to = message.in_reply_to.iter().map(checked_id("inReplyTo"));
    let in_reply_to = in_reply_to.collect::<Result<Vec<_>, _>>()?;
    let references = message.references.iter().map(checked_id("references"));
    let references = ids::bounded(references.collect::<Result<_, _>>()?);

    let root = tree::plan(&message.body, files, &boundary_seed(&message_id));
    let header = |form: Form| {
        let mut block = Block::default();
        block.date(message.date);
        people.write(form, purpose, &mut block);
        if !subject.is_empty() {
            block.text("Subject", subject);
        }
        block.ids("Message-ID", std::slice::from_ref(&message_id));
        block.ids("In-Reply-To", &in_reply_to);
        block.ids("References", &references);
        let mut seen = HashSet::new();
        custom::write(
            &message.list_headers,
            "listHeaders",
            true,
            &mut seen,
            &mut block,
        )?;
        custom::write(&message.headers, "xHeaders", false, &mut seen, &mut block)?;
        block.written("MIME-Version: 1.0\r\n");
        block.written(&root.header());
        block.finish().map(Bytes::from)
    };
    let (wire, kept) = (header(Form::Wire)?, header(Form::Kept)?);
    let composed = Composed {
        message_id,
        envelope: people.envelope(),
        wire,
        kept,
        pieces: Node::into_pieces(root).into(),
    };
    let octets = composed.length(Form::Wire);
    if octets > limits.octets {
        let field = if message.attachments.is_empty() {
            "body"
        } else {
            "attachments"
        };
        let most = limits.octets;
        return Err(Rule::TooLarge { octets, most }.at(field));
    }
    Ok(composed)
}

impl Composed {
    /// `Message-ID`, with its angle brackets.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Whom the transport is told.
    pub fn envelope(&self) -> &SmtpEnvelope {
        &self.envelope
    }

    /// The header block with the empty line after it.
    pub fn header(&self, form: Form) -> &Bytes {
        match form {
            Form::Wire => &self.wire,
            Form::Kept => &self.kept,
        }
    }

    /// Octets of the whole message.
    pub fn length(&self, form: Form) -> u64 {
        let header = self.header(form).len() as u64;
        self.pieces
            .iter()
            .fold(header, |sum, piece| sum.saturating_add(piece.length()))
    }

    /// The message in chunks. It may be read by several at once.
    pub fn chunks(&self, form: Form) -> Chunks {
        Chunks::new(self.header(form).clone(), Arc::clone(&self.pieces))
    }

    /// The message in one piece: for small ones, as attachments are held in memory.
    ///
    /// # Errors
    /// Those of [`Chunks`].
    pub fn to_bytes(&self, form: Form) -> io::Result<Bytes> {
        let mut octets = Vec::new();
        for chunk in self.chunks(form) {
            octets.extend_from_slice(&chunk?);
        }
        Ok(Bytes::from(octets))
    }
}

/// Sender and recipients, read strictly.
struct People {
    from: Option<Mailbox>,
    reply_to: Vec<Mailbox>,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
}

impl People {
    fn read(message: &OutgoingMessage, purpose: Purpose, limits: &Limits) -> Result<Self, Invalid> {
        invalid::at_most(&message.reply_to, MAX_REPLY_TO, "replyTo")?;
        let read_all = |list, field| mailbox::read_all(list, field, limits.internationalised);
        let from = message.from.as_ref();
        let from = from.map(|from| mailbox::read(from, "from", limits.internationalised));
        let people = Self {
            from: from.transpose()?,
            reply_to: read_all(&message.reply_to, "replyTo")?,
            to: read_all(&message.to, "to")?,
            cc: read_all(&message.cc, "cc")?,
            bcc: read_all(&message.bcc, "bcc")?,
        };
        let recipients = people.recipients();
        if purpose == Purpose::Send {
            if people.from.is_none() {
                return Err(Rule::Missing.at("from"));
            }
            if recipients.is_empty() {
                return Err(Rule::NoRecipients.at("to"));
            }
        }
        if recipients.len() > limits.recipients {
            return Err(Rule::TooMany(limits.recipients).at("recipients"));
        }
        Ok(people)
    }

    fn recipients(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let everybody = self.to.iter().chain(&self.cc).chain(&self.bcc);
        everybody
            .map(Mailbox::address)
            .filter(|address| seen.insert(address.clone()))
            .collect()
    }

    fn write(&self, form: Form, purpose: Purpose, block: &mut Block) {
        block.mailboxes("From", self.from.as_slice());
        block.mailboxes("Reply-To", &self.reply_to);
        block.mailboxes("To", &self.to);
        block.mailboxes("Cc", &self.cc);
        match form {
            Form::Kept => block.mailboxes("Bcc", &self.bcc),
            // Filters distrust mail to nobody (RFC 5322 section 3.6.3 leaves it to the sender).
            Form::Wire if purpose == Purpose::Send && self.to.is_empty() && self.cc.is_empty() => {
                block.written("To: undisclosed-recipients:;\r\n");
            }
            Form::Wire => {}
        }
    }

    fn envelope(&self) -> SmtpEnvelope {
        let lists = [&self.reply_to, &self.to, &self.cc, &self.bcc];
        let mut everybody = self.from.iter().chain(lists.into_iter().flatten());
        SmtpEnvelope {
            sender: self.from.as_ref().map(Mailbox::address),
            recipients: self.recipients(),
            internationalised: everybody.any(Mailbox::is_internationalised),
        }
    }
}

/// The same for the same message, so that composing it again gives the same octets.
fn boundary_seed(message_id: &str) -> String {
    let digest = email_model::digest("boundary", &[message_id.as_bytes()]);
    format!("{:016x}", digest.short())
}

#[cfg(test)]
mod tests;
