//! Envelopes as they are kept: sealed.

use email_model::Envelope;
use gateway_store::{MessageRow, sealing::Place};

use super::JournalHandle;

/// Where envelopes are sealed for: the row binds nothing more, because a message's envelope moves
/// with its row and the key is the journal's own.
const ENVELOPE: Place<'_> = Place {
    table: "message",
    row: "",
    column: "envelope",
};

impl JournalHandle {
    /// Seals an envelope without its snippet, which is of the body; `None` where it cannot be written
    /// down, which costs a fetch later.
    pub fn seal_envelope(&self, envelope: &Envelope) -> Option<Vec<u8>> {
        let envelope = Envelope {
            snippet: None,
            ..envelope.clone()
        };
        let plain = postcard::to_allocvec(&envelope).ok()?;
        self.sealer.seal(ENVELOPE, &plain).ok()
    }

    /// Opens a row's envelope. `None` where there is none, or one of another form.
    pub fn open_envelope(&self, row: &MessageRow) -> Option<Envelope> {
        let plain = self.sealer.open(ENVELOPE, row.envelope.as_deref()?).ok()?;
        postcard::from_bytes(&plain).ok()
    }
}
