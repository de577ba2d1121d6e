//! Conversations where the backend has none: derived from References and In-Reply-To, the same in
//! whatever order the messages are found.

use email_model::{Envelope, ThreadId};
use email_provider::ThreadHint;

use super::{identity::thread_id, page::ThreadFact};

/// Longest Message-ID that is taken for one, in octets: a header line holds no more (RFC 5322
/// section 2.1.1).
const LONGEST_ID: usize = 998;

/// What one message alone tells of its conversation: the first id of References, else the parent's
/// conversation, else its own.
pub(crate) fn thread_fact(
    mailbox: &str,
    hint: &ThreadHint,
    envelope: Option<&Envelope>,
) -> Option<ThreadFact> {
    let envelope = match hint {
        ThreadHint::Native(id) => return Some(ThreadFact::Known(thread_id(mailbox, true, id))),
        ThreadHint::Derive => envelope?,
    };
    let root = |id: &String| normalised(id).map(|id| thread_id(mailbox, false, id));
    if let Some(thread) = envelope.references.iter().find_map(root) {
        return Some(ThreadFact::Known(thread));
    }
    if let Some(parent) = envelope.in_reply_to.as_deref().and_then(normalised) {
        let thread = thread_id(mailbox, false, parent);
        return Some(ThreadFact::OfParent {
            parent: format!("<{parent}>"),
            otherwise: thread,
        });
    }
    envelope
        .message_id
        .as_ref()
        .and_then(root)
        .map(ThreadFact::Known)
}

/// The conversation that replies to this message take for themselves until it is found.
pub(crate) fn provisional_thread_of_replies(mailbox: &str, message_id: &str) -> Option<ThreadId> {
    normalised(message_id).map(|id| thread_id(mailbox, false, id))
}

fn normalised(id: &str) -> Option<&str> {
    let id = id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    let id = id.strip_suffix('>').unwrap_or(id);
    (!id.is_empty() && id.len() <= LONGEST_ID).then_some(id)
}
