//! Sends whose answer is missing: they are looked for, and never handed over again.

use std::time::Duration;

use email_provider::{Settled, Submitted};
use gateway_store::SendState;

use super::delivery::{Delivery, unconfirmed};
use crate::{OperationError, OperationErrorKind, OperationResult, SentView};

/// How often the caller of a send waits for it to be found.
const SOON: u32 = 3;
/// How long a send is looked for.
const LOOKED_FOR: chrono::Duration = chrono::Duration::hours(24);

/// How long until the next try, after so many in vain.
pub(super) fn wait(attempts: u32) -> Duration {
    const SECONDS: [u64; 7] = [1, 2, 5, 15, 60, 300, 1_800];
    let last = SECONDS.len() - 1;
    Duration::from_secs(SECONDS[last.min(attempts as usize)])
}

impl Delivery<'_> {
    /// Looks for it while the caller waits.
    pub async fn settle_soon(&mut self) -> OperationResult<SentView> {
        for attempt in 0..SOON {
            if let Some(settled) = self.settle().await? {
                return settled;
            }
            if attempt + 1 < SOON {
                tokio::time::sleep(wait(attempt)).await;
            }
        }
        if let Err(error) = self.look_again_later().await {
            tracing::warn!(account = %self.account.id, %error, "a send without an answer was not noted");
        }
        Err(unconfirmed(&self.record.message_id))
    }

    /// Looks once. `None`: it cannot be told yet.
    pub async fn settle(&mut self) -> OperationResult<Option<OperationResult<SentView>>> {
        let call = self.gateway.interactive();
        let settled = self.submitter()?.settle(call, self.unsettled()).await;
        match settled {
            Ok(Settled::Sent(at)) => {
                self.note_settled("sent");
                let submitted = Submitted {
                    at,
                    ..Submitted::default()
                };
                Ok(Some(Ok(self.accepted(submitted).await)))
            }
            Ok(Settled::NotSent) => {
                self.note_settled("not_sent");
                let error = OperationError::new(
                    OperationErrorKind::Provider,
                    "the message was not accepted",
                );
                Ok(Some(Err(self.failed(error).await)))
            }
            Ok(Settled::Unknown) => Ok(None),
            Err(error) => {
                tracing::debug!(account = %self.account.id, %error, "a send could not be looked for");
                Ok(None)
            }
        }
    }

    /// Tells the operator how it ended that a send was unknown.
    fn note_settled(&self, outcome: &'static str) {
        let since = self.record.handed_over_at.unwrap_or(self.row.created_at);
        let seconds = self.gateway.now().signed_duration_since(since);
        tracing::info!(
            account = %self.account.id, send = self.row.id.0, outcome, seconds = seconds.num_seconds(),
            "a send without an answer is settled"
        );
        metrics::counter!("polypost_unknown_sends_settled_total", "outcome" => outcome)
            .increment(1);
    }

    /// Lets the clerk look for it, or ends the search: it stays unknown for good.
    pub async fn look_again_later(&mut self) -> OperationResult<()> {
        self.record.attempts += 1;
        let now = self.gateway.now();
        let since = self.record.handed_over_at.unwrap_or(self.row.created_at);
        let is_over = now.signed_duration_since(since) > LOOKED_FOR;
        if is_over {
            self.note_settled("given_up");
        }
        let due = (!is_over).then(|| now + wait(self.record.attempts));
        self.let_go(SendState::Unknown, due).await
    }
}
