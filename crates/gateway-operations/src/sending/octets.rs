//! A composed message as backends read it.

use email_mime::compose::{Composed, Form};
use email_provider::{ByteStream, ErrorKind, MessageCopy, MessageOctets, ProviderError};
use futures::{StreamExt as _, stream};

use super::Held;

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
        // A thread only for as long as a chunk takes: who takes them may be slow.
        let reading = (chunks, self.holds.clone());
        stream::unfold(Some(reading), |reading| async {
            let (mut chunks, holds) = reading?;
            let read = tokio::task::spawn_blocking(move || (chunks.next(), chunks)).await;
            let (chunk, chunks) = read.ok()?;
            Some((chunk?.map_err(unreadable), Some((chunks, holds))))
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
