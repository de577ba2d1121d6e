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
            SendState::Cancelled if record.never_begun => {
                Ok(Earlier::Again(Box::new((row, record))))
            }
            SendState::Unknown if !is_held => Err(unconfirmed(&record.message_id)),
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

#[cfg(test)]
mod tests {
    use std::{sync::OnceLock, time::Duration};

    use serde_json::json;

    use super::super::delivery::answer_within;
    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_is_told_to_be_under_way_and_under_which_id() {
        let id = OnceLock::from("<a@example.org>".to_owned());
        let told = Some(json!({"internetMessageId": "<a@example.org>"}));
        for (id, told) in [(id, told), (OnceLock::new(), None)] {
            let sending = tokio::spawn(std::future::pending::<OperationResult<()>>());
            let soon = Duration::from_millis(1);
            let error = answer_within(soon, sending, &id).await.unwrap_err();
            assert_eq!(error.kind, OperationErrorKind::SendUnconfirmed);
            assert!(error.message.contains("still being handed over"), "{error}");
            assert_eq!(error.original, told);
        }
    }

    #[tokio::test]
    async fn a_send_that_breaks_down_is_not_told_to_have_failed() {
        let sending = tokio::spawn(std::future::pending::<OperationResult<()>>());
        sending.abort();
        let answer = answer_within(Duration::from_secs(60), sending, &OnceLock::new()).await;
        assert_eq!(
            answer.unwrap_err().kind,
            OperationErrorKind::SendUnconfirmed
        );
    }
}
