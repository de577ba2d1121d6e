//! What is answered to a send that is in the outbox already.

use gateway_store::{SendRow, SendState};
use sha2::{Digest as _, Sha256};

use super::{
    Idempotency, SendOutcome,
    delivery::{in_progress, unconfirmed},
    record::SendRecord,
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// A send that is in the outbox already.
pub(super) enum Earlier {
    /// Its answer.
    Answered(SendOutcome),
    /// Nothing was handed over, and nobody is at it: it may be sent.
    Again(Box<(SendRow, SendRecord)>),
}

pub(super) fn key_of(idempotency: &Idempotency) -> [u8; 32] {
    Sha256::digest(idempotency.key.as_bytes()).into()
}

impl Gateway {
    /// # Errors
    /// `Unprocessable`: the key stands for another request. `Conflict`: it is being sent. `SendUnconfirmed`.
    pub(super) fn earlier(&self, row: SendRow, request: &[u8; 32]) -> OperationResult<Earlier> {
        if row.request != *request {
            return Err(OperationError::new(
                OperationErrorKind::Unprocessable,
                "Idempotency-Key: another request was made with this key",
            ));
        }
        let record = SendRecord::of(&row)?;
        let sent = |record: &SendRecord| Earlier::Answered(SendOutcome::Sent(record.view()));
        let is_held = row.held_until.is_some_and(|until| until > self.now());
        match row.state {
            SendState::Sent => Ok(sent(&record)),
            SendState::Accepted if record.outcome.is_some() => Ok(sent(&record)),
            SendState::Failed => Ok(Earlier::Again(Box::new((row, record)))),
            SendState::Unknown if !is_held => Err(unconfirmed()),
            SendState::Queued if !is_held => match record.scheduled_for {
                Some(at) => Ok(Earlier::Answered(SendOutcome::Scheduled { at })),
                None => Ok(Earlier::Again(Box::new((row, record)))),
            },
            SendState::Cancelled => Err(OperationError::new(
                OperationErrorKind::Conflict,
                "this send was called off",
            )),
            SendState::Queued | SendState::Sending | SendState::Unknown | SendState::Accepted => {
                Err(in_progress())
            }
        }
    }
}
