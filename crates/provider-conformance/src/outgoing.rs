//! Messages to be sent.

use std::sync::Arc;

use email_mime::compose::{Composed, Form, Limits, Purpose, compose};
use email_model::{Address, Body, OutgoingMessage};
use email_provider::{
    ByteStream, ErrorKind, MessageCopy, MessageOctets, MessageRef, Outgoing, ProviderError,
    SendEnvelope,
};
use futures::stream::{self, StreamExt as _};

use crate::{Bench, bytes, moment};

/// Most octets of a chunk.
const CHUNK: usize = 64 << 10;

#[derive(Debug)]
struct ComposedOctets(Composed);

fn form(copy: MessageCopy) -> Form {
    match copy {
        MessageCopy::Wire => Form::Wire,
        MessageCopy::Kept => Form::Kept,
    }
}

impl MessageOctets for ComposedOctets {
    fn length(&self, copy: MessageCopy) -> u64 {
        self.0.length(form(copy))
    }

    fn read(&self, copy: MessageCopy) -> ByteStream {
        let chunks = self.0.chunks(form(copy)).flat_map(|chunk| match chunk {
            Ok(mut rest) => {
                let parts = std::iter::from_fn(|| {
                    (!rest.is_empty()).then(|| Ok(rest.split_to(rest.len().min(CHUNK))))
                });
                parts.collect::<Vec<_>>()
            }
            Err(error) => {
                let unread = ProviderError::new(ErrorKind::Unavailable, "an attachment is gone");
                vec![Err(unread.with_source(error))]
            }
        });
        stream::iter(chunks).boxed()
    }
}

/// A message of the mailbox's own address to all that are accepted, one in `To`, one in `Cc`, one in
/// `Bcc`. Its id is used in no other test and no other run; `name` is in it and makes its subject.
pub fn letter(bench: &Bench, name: &str) -> OutgoingMessage {
    let people = bench.harness.correspondents();
    let [to, cc, bcc] = people.accepted.map(|address| vec![Address::bare(address)]);
    let word = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    OutgoingMessage {
        message_id: format!(
            "<{word}-{:016x}@conformance.example>",
            rand::random::<u64>()
        ),
        date: moment(0),
        from: Some(Address {
            name: Some("Ann Sender".to_owned()),
            address: Some(people.sender),
        }),
        to,
        cc,
        bcc,
        subject: Some(format!("About {name}")),
        body: Body {
            text: Some(format!("This is {name}.\n")),
            html: None,
        },
        ..OutgoingMessage::default()
    }
}

/// A message composed, as a backend is given it.
pub fn outgoing(message: &OutgoingMessage, purpose: Purpose) -> Outgoing {
    let limits = Limits {
        recipients: usize::MAX,
        octets: u64::MAX,
        internationalised: true,
    };
    let composed = compose(message, purpose, &limits).expect("a message that may be written");
    let envelope = composed.envelope();
    Outgoing {
        message: Arc::new(message.clone()),
        message_id: composed.message_id().to_owned(),
        envelope: SendEnvelope {
            sender: envelope.sender.clone(),
            recipients: envelope.recipients.clone(),
            internationalised: envelope.internationalised,
        },
        octets: Arc::new(ComposedOctets(composed)),
        answers: None,
    }
}

/// The same, answering a message of the mailbox.
pub fn answering(message: &OutgoingMessage, purpose: Purpose, answers: &MessageRef) -> Outgoing {
    Outgoing {
        answers: Some(answers.clone()),
        ..outgoing(message, purpose)
    }
}

/// A copy of a message, whole.
pub async fn octets(outgoing: &Outgoing, copy: MessageCopy) -> Vec<u8> {
    bytes(Ok(outgoing.octets.read(copy))).await
}

/// A message with text added until it has this length, made while it is read.
#[derive(Debug)]
pub struct Lengthened {
    /// How it begins.
    pub octets: Arc<dyn MessageOctets>,
    /// How long it is to be.
    pub length: u64,
}

impl MessageOctets for Lengthened {
    fn length(&self, _copy: MessageCopy) -> u64 {
        self.length
    }

    fn read(&self, copy: MessageCopy) -> ByteStream {
        const LINES: &[u8] = b"And so on and so on, line after line after line.\r\n";
        let left = self.length.saturating_sub(self.octets.length(copy));
        let added = stream::unfold(left, |left| async move {
            let lines = LINES.repeat(1_000);
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(lines.len());
            (now > 0).then(|| (Ok(lines[..now].to_vec().into()), left - now as u64))
        });
        self.octets.read(copy).chain(added).boxed()
    }
}
