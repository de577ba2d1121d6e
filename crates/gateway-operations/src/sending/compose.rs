//! From what a client writes to what a backend is handed.

use std::sync::Arc;

use chrono::SubsecRound as _;
use email_mime::compose::{
    Composed, Invalid, Limits, Mailbox, Purpose, compose, new_message_id, parse_message_ids,
};
use email_model::{Address, AttachmentContent, OutgoingMessage, Timestamp};
use email_provider::{MessageRef, Outgoing, SendEnvelope, SendLimits};
use gateway_store::Account;

use super::{Held, NewMessage, octets::ComposedOctets};
use crate::{AccountDetails, Gateway, OperationError, OperationErrorKind, OperationResult};

/// The limits of a mailbox that keeps drafts and tells of none.
const NO_LIMITS: SendLimits = SendLimits {
    recipients: 1_000,
    octets: 150 << 20,
    internationalised: true,
    drafts_only: true,
};

/// What tells one composition from another beside what the client wrote.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub message_id: Option<String>,
    pub date: Timestamp,
}

impl Gateway {
    /// A new message of the account, now.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            message_id: None,
            date: self.now().trunc_subsecs(0),
        }
    }

    /// What is to be sent or kept.
    ///
    /// # Errors
    /// `Unprocessable`, with the field and the rule that it breaks.
    pub(super) fn written(
        &self,
        account: &Account,
        message: NewMessage,
        stamp: &Stamp,
    ) -> OperationResult<(OutgoingMessage, Held)> {
        let from = message.from.filter(|from| from.address.is_some());
        let from = from.or_else(|| own_address(account));
        let message_id = match &stamp.message_id {
            Some(message_id) => message_id.clone(),
            None => fresh_message_id(from.as_ref())?,
        };
        let read = |text: Option<&String>, field| match text {
            Some(text) => parse_message_ids(text, field).map_err(|error| refused(&error)),
            None => Ok(Vec::new()),
        };
        let in_reply_to = read(message.in_reply_to.as_ref(), "inReplyTo")?;
        let in_reply_to = in_reply_to.into_iter().next();
        let mut references = read(message.references.as_ref(), "references")?;
        if references.is_empty() {
            references.extend(in_reply_to.clone());
        }
        let outgoing = OutgoingMessage {
            message_id,
            date: stamp.date,
            from,
            reply_to: message.reply_to,
            to: message.to,
            cc: message.cc,
            bcc: message.bcc,
            subject: message.subject,
            body: message.body,
            attachments: message.attachments,
            headers: message.headers,
            list_headers: message.list_headers,
            in_reply_to,
            references,
        };
        Ok((outgoing, message.holds))
    }
}

/// Composes a message for a mailbox with these limits.
///
/// # Errors
/// As [`Gateway::written`].
pub(super) fn outgoing(
    message: OutgoingMessage,
    holds: Held,
    purpose: Purpose,
    limits: Option<SendLimits>,
    answers: Option<MessageRef>,
) -> OperationResult<Outgoing> {
    let limits = limits.unwrap_or(NO_LIMITS);
    let limits = Limits {
        recipients: limits.recipients,
        octets: limits.octets,
        internationalised: limits.internationalised,
    };
    let composed: Composed =
        compose(&message, purpose, &limits).map_err(|error| refused(&error))?;
    let envelope = composed.envelope();
    let envelope = SendEnvelope {
        sender: envelope.sender.clone(),
        recipients: envelope.recipients.clone(),
        internationalised: envelope.internationalised,
    };
    let is_spooled = message
        .attachments
        .iter()
        .any(|file| matches!(file.content, AttachmentContent::Spooled { .. }));
    Ok(Outgoing {
        message_id: composed.message_id().to_owned(),
        envelope,
        octets: Arc::new(ComposedOctets::new(composed, is_spooled, holds)),
        message: Arc::new(message),
        answers,
    })
}

/// The addresses of the mailbox itself.
pub(super) fn own_mailboxes(account: &Account) -> Vec<Mailbox> {
    let email2 = AccountDetails::of(account).email2;
    let addresses = [account.email.clone(), Some(account.login.clone()), email2];
    let read = |address| Mailbox::parse(&Address::bare(address), "from").ok();
    addresses.into_iter().flatten().filter_map(read).collect()
}

fn own_address(account: &Account) -> Option<Address> {
    let login = Some(&account.login).filter(|login| login.contains('@'));
    let address = account.email.as_ref().or(login)?;
    Some(Address {
        name: AccountDetails::of(account).name,
        address: Some(address.clone()),
    })
}

/// A Message-ID in the sender's domain.
fn fresh_message_id(from: Option<&Address>) -> OperationResult<String> {
    let random = *uuid::Uuid::new_v4().as_bytes();
    let somebody = Address::bare("draft@localhost");
    let sender = Mailbox::parse(from.unwrap_or(&somebody), "from");
    Ok(new_message_id(
        random,
        &sender.map_err(|error| refused(&error))?,
    ))
}

pub(super) fn refused(error: &Invalid) -> OperationError {
    OperationError::new(OperationErrorKind::Unprocessable, error.to_string())
}
