use std::collections::BTreeSet;

use bytes::Bytes;
use email_model::Address;
use email_provider::{ProviderResult, RefusedRecipient};

use crate::{
    SentMail, error,
    state::{Message, Outbox},
};

/// A message as a transport is told it.
pub(super) struct Letter {
    pub sender: Option<String>,
    pub recipients: Vec<String>,
    pub wire: Bytes,
}

impl Letter {
    /// Whom a draft names, and what they are to get of it: all but `Bcc`.
    pub(super) fn of_draft(draft: &Message) -> ProviderResult<Self> {
        let envelope = &draft.content.envelope;
        let everybody = envelope.to.iter().chain(&envelope.cc).chain(&envelope.bcc);
        let mut seen = BTreeSet::new();
        let recipients = everybody.filter_map(|address| address.address.clone());
        let sender = |from: &Address| from.address.clone();
        Ok(Self {
            sender: envelope.from.as_ref().and_then(sender),
            recipients: recipients
                .filter(|address| seen.insert(address.to_lowercase()))
                .collect(),
            wire: without_bcc(&identified(draft)),
        })
    }

    /// Sends it, if anybody may get it; tells who may not.
    pub(super) fn send(self, outbox: &mut Outbox) -> ProviderResult<Vec<RefusedRecipient>> {
        let sender = self.sender.ok_or_else(|| error::invalid("no sender"))?;
        if outbox.refused.contains(&sender.to_lowercase()) {
            return Err(error::forbidden("this address may not send from here"));
        }
        if self.recipients.len() > outbox.limits.recipients {
            return Err(error::invalid("too many recipients"));
        }
        if u64::try_from(self.wire.len()).map_or(true, |octets| octets > outbox.limits.octets) {
            return Err(error::invalid("the message is too large"));
        }
        let is_refused = |address: &String| outbox.refused.contains(&address.to_lowercase());
        let (refused, recipients): (Vec<_>, Vec<_>) =
            self.recipients.into_iter().partition(is_refused);
        if recipients.is_empty() {
            return Err(error::invalid("there is nobody who may get it"));
        }
        outbox.sent.push(SentMail {
            sender,
            recipients,
            octets: self.wire,
        });
        let refused = refused.into_iter().map(|address| RefusedRecipient {
            address,
            reason: "no such mailbox".to_owned(),
        });
        Ok(refused.collect())
    }
}

/// The `Message-ID` of a draft once it is sent: its own, or the one that it is given then.
pub(crate) fn message_id(draft: &Message) -> Option<String> {
    let own = draft.content.envelope.message_id.clone();
    own.or_else(|| Some(format!("<{}@memory.example>", draft.id.replace(':', "."))))
}

/// The draft with a `Message-ID`, which a server adds where there is none (RFC 6409 section 8.3).
pub(super) fn identified(draft: &Message) -> Bytes {
    match (&draft.content.envelope.message_id, message_id(draft)) {
        (None, Some(id)) => {
            let field = format!("Message-ID: {id}\r\n");
            [field.as_bytes(), &draft.raw].concat().into()
        }
        _ => draft.raw.clone(),
    }
}

/// The message without the field `Bcc` and its continuation lines (RFC 5322 sections 2.2.3 and 3.6.3).
fn without_bcc(raw: &Bytes) -> Bytes {
    let mut left = Vec::with_capacity(raw.len());
    let (mut at_header, mut at_bcc) = (true, false);
    for line in raw.split_inclusive(|&byte| byte == b'\n') {
        at_header &= !line.trim_ascii().is_empty();
        let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        at_bcc = match is_continued {
            true => at_bcc,
            false => name.trim_ascii_end().eq_ignore_ascii_case(b"bcc"),
        };
        if !(at_header && at_bcc) {
            left.extend_from_slice(line);
        }
    }
    left.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_of_bcc() {
        let raw = Bytes::from_static(
            b"To: a@x\r\nBCC : b@x,\r\n c@x\r\nSubject: Bcc\r\n d\r\n\r\nBcc: e@x\r\n",
        );
        let left = without_bcc(&raw);
        assert_eq!(
            left,
            "To: a@x\r\nSubject: Bcc\r\n d\r\n\r\nBcc: e@x\r\n".as_bytes()
        );
    }
}
