//! Whom a server is told, checked once more right before it is written.

use std::collections::HashSet;

use email_provider::SendEnvelope;
use lettre::Address;

use super::error::{Error, Result};

/// Sender and recipients that can be written as commands.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub sender: Address,
    /// As they are called in the request, and as they are written.
    pub recipients: Vec<(String, Address)>,
    /// Needs SMTPUTF8.
    pub internationalised: bool,
}

impl Envelope {
    /// # Errors
    /// `Invalid` where there is no sender, no recipient, or an address that is none.
    pub(crate) fn new(envelope: &SendEnvelope) -> Result<Self> {
        let sender = envelope.sender.as_deref();
        let sender =
            sender.ok_or_else(|| Error::Invalid("a message to be sent has a sender".into()))?;
        if envelope.recipients.is_empty() {
            return Err(Error::Invalid("there is nobody to send to".into()));
        }
        let mut seen = HashSet::new();
        let mut recipients = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            if seen.insert(recipient) {
                recipients.push((recipient.clone(), address(recipient)?));
            }
        }
        let not_ascii = |text: &str| !text.is_ascii();
        Ok(Self {
            sender: address(sender)?,
            internationalised: envelope.internationalised
                || not_ascii(sender)
                || envelope.recipients.iter().any(|one| not_ascii(one)),
            recipients,
        })
    }
}

/// Nothing in an address may end it, or the line that it stands in.
fn address(text: &str) -> Result<Address> {
    let invalid = || Error::Invalid("an address cannot be written to a server".into());
    let ends = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
    if text.len() > 320 || text.contains(ends) {
        return Err(invalid());
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
    Address::new(local, domain).map_err(|_| invalid())
}
