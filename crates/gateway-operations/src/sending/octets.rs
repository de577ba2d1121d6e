//! A composed message as backends read it.

use bytes::Bytes;
use email_mime::compose::{Composed, Form};
use email_provider::{ByteStream, ErrorKind, MessageCopy, MessageOctets, ProviderError};
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;

use super::Held;

/// Chunks that are read before the backend asks for them.
const AHEAD: usize = 4;

/// The message, and what its attachments are in.
#[derive(Debug)]
pub(super) struct ComposedOctets {
    composed: Composed,
    /// Its attachments are in files.
    spooled: bool,
    holds: Held,
}

impl ComposedOctets {
    pub fn new(composed: Composed, spooled: bool, holds: Held) -> Self {
        Self {
            composed,
            spooled,
            holds,
        }
    }
}

impl MessageOctets for ComposedOctets {
    fn length(&self, copy: MessageCopy) -> u64 {
        self.composed.length(form(copy))
    }

    fn read(&self, copy: MessageCopy) -> ByteStream {
        let chunks = self.composed.chunks(form(copy));
        if !self.spooled {
            return stream::iter(chunks.map(|chunk| chunk.map_err(unreadable))).boxed();
        }
        let (sender, receiver) = mpsc::channel::<Result<Bytes, ProviderError>>(AHEAD);
        let holds = self.holds.clone();
        tokio::task::spawn_blocking(move || {
            for chunk in chunks {
                if sender.blocking_send(chunk.map_err(unreadable)).is_err() {
                    break;
                }
            }
            drop(holds);
        });
        stream::unfold(receiver, |mut receiver| async {
            Some((receiver.recv().await?, receiver))
        })
        .boxed()
    }
}

fn form(copy: MessageCopy) -> Form {
    match copy {
        MessageCopy::Wire => Form::Wire,
        MessageCopy::Kept => Form::Kept,
    }
}

fn unreadable(error: std::io::Error) -> ProviderError {
    ProviderError::new(
        ErrorKind::Unavailable,
        "an attachment of the message could not be read",
    )
    .with_source(error)
}
